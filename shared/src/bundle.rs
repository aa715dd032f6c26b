//! The bundle: where things lie in it ([`paths`]) and what its manifest says ([`manifest`]).

pub mod manifest;
pub mod paths;
