//! The bundle: where things lie in it ([`paths`]), what its manifest says ([`manifest`]) and why something is missing
//! ([`failure`]), how it is written ([`writer`]) and read back ([`reader`], [`items`]), and whether it is still what was
//! written ([`integrity`]).

pub mod failure;
pub mod integrity;
pub mod items;
pub mod manifest;
pub mod paths;
pub mod reader;
pub mod truncation;
pub mod writer;
