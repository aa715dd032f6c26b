//! `casebook-analyze`: tries every known case against a bundle and writes the report.
//!
//! The way of the data: [`intake`] → [`snapshot`] → `matching` → [`report`].

pub mod intake;
pub mod report;
pub mod snapshot;
pub mod triage;
