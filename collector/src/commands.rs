//! The commands, one file each.

pub mod collect;
pub mod inspect;
