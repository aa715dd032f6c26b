//! The bundle: where things lie in it ([`paths`]), what its manifest says ([`manifest`]), how it is written
//! ([`writer`]) and read back ([`reader`], [`items`]), and whether it is still what was written ([`integrity`]).

pub mod integrity;
pub mod items;
pub mod manifest;
pub mod paths;
pub mod reader;
pub mod truncation;
pub mod writer;
