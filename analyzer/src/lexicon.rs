//! The lexicon: what an error line means, whether or not a case knows it.
//!
//! A reading is data (`rules/lexicon/<class>.yaml`): the words of one kind of error, what they mean in a sentence, at
//! whose end the fault can lie, the first command. [`mod@format`] is the file as written, [`set`] compiles it, [`read`]
//! finds the readings of a line; [`names`] finds what a line names (addresses, hosts, paths, objects), [`resolve`]
//! looks that up in the bundle, and [`mod@annotate`] puts readings to the lines that a report shows.

pub mod annotate;
pub mod format;
pub mod model;
pub mod names;
pub mod read;
pub mod resolve;
pub mod set;

pub use annotate::{annotate, read_line};
pub use set::Lexicon;
