//! What a run gathers, one module a kind of source.

pub mod helm;
pub mod install;
pub mod lists;
pub mod page;
pub mod store;
pub mod text;
