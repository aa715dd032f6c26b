//! The bundle: where things lie in it ([`paths`]), what its manifest says ([`manifest`]), and how it is written
//! ([`writer`]).

pub mod manifest;
pub mod paths;
pub mod truncation;
pub mod writer;
