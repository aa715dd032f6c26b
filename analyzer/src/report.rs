//! The report: its model, and a writer for each format.

pub mod model;
