//! Rules: one case of a catalogue as data. See `rules/README.md` for the language.
//!
//! [`mod@format`] is the file as written, [`compile`] gives it meaning, [`set`] holds the rules of one run, and
//! [`crate::matching`] tries them.

pub mod built_in;
pub mod cases;
pub mod catalogue;
pub mod compile;
pub mod error;
pub mod expr;
pub mod format;
pub mod lint;
pub mod locate;
pub mod pack;
pub mod search;
pub mod set;
pub mod source;
pub mod versions;

pub use compile::Rule;
pub use error::RuleError;
pub use set::{RuleSet, RuleSetError};
