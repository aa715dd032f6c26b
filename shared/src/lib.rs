//! What both programs know: the bundle and its ledger, redaction, views of Kubernetes objects, helm release
//! records, `describe` text and time.
//!
//! Nothing here opens a connection, reads arguments or prints. Functions take data and return data; the archive
//! reader and writer take streams.

pub mod archive;
pub mod bundle;
pub mod describe;
pub mod encryption;
pub mod helm;
pub mod lang;
pub mod objects;
pub mod printers;
pub mod pseudonym;
pub mod quantity;
pub mod redact;
pub mod size;
pub mod tables;
pub mod time;
