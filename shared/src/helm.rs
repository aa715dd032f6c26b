//! Releases as helm 3 and 4 keep them in the cluster, reduced to what a report may show.
//!
//! A release record is the whole of a release: rendered manifests, the user's values, often passwords. Nothing of
//! that may enter a bundle, so [`decode`] names the few fields it wants and lets the JSON parser pass over the rest
//! while the record is still being inflated: values and manifests never become objects in memory.
//!
//! Record format: `helm.sh/helm/v3/pkg/storage/driver` (`sh.helm.release.v1.<name>.v<revision>`).

mod history;
mod record;
mod releases;

pub use history::history_table;
pub use record::{Chart, MAX_INFLATED, RecordError, Release, decode, decode_object, from_labels};
pub use releases::{by_namespace, releases_json};
