//! `casebook-analyze`: tries every known case against a bundle and writes the report.
//!
//! The way of the data: [`intake`] → [`snapshot`] → [`matching`] of [`rules`] → [`report`], with [`triage`] for what
//! no rule knows and the [`lexicon`] for what its lines mean. [`serve`] answers kubectl from a snapshot. [`cli`] and [`commands`] are the only parts that read arguments and print.

pub mod cli;
pub mod commands;
pub mod compare;
pub mod fields;
pub mod intake;
pub mod lexicon;
pub mod matching;
pub mod mcp;
pub mod report;
pub mod rules;
pub mod serve;
pub mod snapshot;
pub mod triage;
