//! The commands, one file each.

pub mod collect;
pub mod host;
pub mod inspect;
pub mod pseudonymize;
pub mod redact;
pub mod reveal;
pub mod watch;
