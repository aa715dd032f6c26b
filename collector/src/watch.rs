//! What vanishes before anybody can collect it: pods of hooks that live for seconds, namespaces that an installer
//! deletes when it fails, events that expire after an hour.
//!
//! While a command runs, or until Ctrl-C, [`objects`] follows pods and events and remembers their last state,
//! [`logs`] follows the logs of pods that appear, and [`command`] runs the command in a terminal of its own and
//! records what it prints. Then an ordinary collection follows, and what is gone by then is added to it.

pub mod command;
pub mod logs;
pub mod memory;
pub mod objects;
