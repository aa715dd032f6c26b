//! Any input as a cluster that stands still: a read-only Kubernetes API on 127.0.0.1 for kubectl, helm and k9s.
//!
//! The way of a request: [`listener`] takes it from a connection (TLS, token, bounds), [`api`] finds out what is asked
//! for and answers from a [`cluster`], which is a [`Snapshot`](crate::snapshot::Snapshot) read as one. Everything below
//! `api` is a function of the snapshot and the request; nothing is written, fetched or run.
//!
//! What is not in the snapshot is never answered by an empty list: [`lack`] repeats why it is not there. Ages refer to
//! the time at which the snapshot was taken.

pub mod api;
mod catalog;
pub mod child;
pub mod cluster;
mod discovery;
mod kubeconfig;
mod lack;
pub mod listener;
mod lists;
pub mod logs;
mod releases;
mod reply;
mod reviews;
mod selectors;
#[cfg(test)]
mod tests;
mod tokens;
mod views;

pub use kubeconfig::{Context, Kubeconfig, names};
