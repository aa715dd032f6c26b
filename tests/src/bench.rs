//! Measurements: our programs beside others, on the same input, in the same run.
//!
//! Figures of one machine say little, so everything is a ratio to a program that every reader has. Nothing here fails
//! when a ratio gets worse: a slow machine must not break a build.

pub mod audit;
pub mod bundle;
pub mod layouts;
pub mod load;
pub mod log_server;
pub mod log_text;
pub mod measure;
pub mod trouble;
