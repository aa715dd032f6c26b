//! Facts of every node, over the user's own ssh.
//!
//! The peers start privileged pods on the nodes; a cluster that cannot pull images cannot start those either. Here the
//! system's `ssh` is used with the user's keys and settings: this program is sent through the connection into a file
//! that is unlinked before it runs, and what it finds comes back as a stream ([`crate::host::stream`]). Where it
//! cannot run because the node has another processor, a shell script asks the most important things instead
//! ([`crate::host::script`]). Nothing stays on a node, and a node that hangs or refuses costs nobody else anything.

mod bootstrap;
mod list;
mod ssh;
mod trouble;

pub use list::{ListError, NoAddress, Node, from_file, from_objects};
pub use ssh::{SshOptions, collect};
