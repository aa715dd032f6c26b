//! The evidence as tools for assistants that work with a language model: the Model Context Protocol on stdin and stdout.
//!
//! [`protocol`] speaks JSON-RPC, a message a line; [`tools`] answers from a [`desk::Desk`], which holds what the analysis
//! found and the snapshot as a cluster. Nothing can be changed, fetched or run. Texts of the bundle come from strangers
//! and may talk to the model: [`answer`] bounds them and marks them as data.

mod answer;
pub mod desk;
pub mod protocol;
#[cfg(test)]
mod tests;
mod tools;
