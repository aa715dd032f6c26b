//! `casebook-collect`: gathers what support needs from a cluster and its control machine into one bundle.

pub mod host;
pub mod nodes;
