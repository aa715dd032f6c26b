//! The text of `kubectl describe`, rendered from objects that were listed anyway.
//!
//! kubectl asks the server several times for each object it describes: the object, its events, the pods of a node,
//! the lease. Five thousand pods would cost ten thousand requests of a cluster in trouble. Here nothing is asked:
//! whoever lists objects shows each of them once to an [`Index`], which keeps the little that other objects need
//! of it (a pod's node, phase, owner and requests; an event's line; a service's endpoints), and [`describe`] then
//! renders any object from itself and the index. The objects need not stay in memory: pods need only events, so
//! when events are indexed first, pods can be indexed and described page by page as they come.
//!
//! The text follows kubectl 1.32 ([`Form::Kubectl132`]), whatever the server's version; fields that an old server
//! does not know are left out as kubectl does. [`Form::Kubectl120`] gives the text of kubectl 1.20, which is what
//! people with clusters of that age post; the two differ in a few lines. Kinds without a text of their own are
//! printed field by field, as kubectl prints custom resources.
//!
//! Known differences to kubectl, all on purpose: the token in a ServiceAccount's Secret is never printed; the
//! `optional` of a projected ConfigMap or Secret is printed as a value where kubectl prints its address in memory;
//! endpoints come from whichever of EndpointSlices and Endpoints were collected; what could not be collected is
//! said to be unknown instead of `<none>`.

pub(crate) mod claims;
mod containers;
mod endpoints;
mod events;
mod generic;
mod index;
mod ingress;
mod jobs;
pub(crate) mod labels;
mod namespaces;
pub(crate) mod node;
mod page;
mod pod;
pub(crate) mod probes;
mod replicasets;
mod resources;
mod service;
mod stored;
mod template;
#[cfg(test)]
mod tests;
mod volumes;
mod workloads;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

pub use index::Index;

use page::Page;

/// What kind of object a value is: items of a list do not say it themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind<'a> {
    /// `v1`, `apps/v1`
    pub api_version: &'a str,
    /// `Pod`
    pub kind: &'a str,
}

impl<'a> Kind<'a> {
    pub(crate) fn group(self) -> &'a str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// Which kubectl's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Form {
    Kubectl120,
    #[default]
    Kubectl132,
}

/// What the text depends on beside the objects.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instant to which ages refer.
    pub now: Timestamp,
    /// The zone in which dates are printed; kubectl takes the local one.
    pub zone: TimeZone,
    pub form: Form,
}

/// What a describer may look at beside its object.
#[derive(Clone, Copy)]
struct Context<'a> {
    index: &'a Index,
    settings: &'a Settings,
}

impl Context<'_> {
    fn is_132(self) -> bool {
        self.settings.form >= Form::Kubectl132
    }

    fn date(self, time: &Value) -> String {
        crate::time::rfc1123z(time.as_str(), &self.settings.zone)
    }

    fn age(self, time: &Value) -> String {
        crate::time::age(time.as_str(), self.settings.now)
    }
}

/// Renders `object` as `kubectl describe` prints it.
///
/// Never fails: a field that is missing or of another type than Kubernetes gives it prints as empty.
pub fn describe(kind: Kind<'_>, object: &Value, index: &Index, settings: &Settings) -> String {
    let cx = Context { index, settings };
    let page = &mut Page::default();
    match (kind.group(), kind.kind) {
        ("", "Pod") => pod::describe(page, object, cx),
        ("", "Node") => node::describe(page, object, cx),
        ("", "PersistentVolumeClaim") => claims::describe(page, object, cx),
        ("", "PersistentVolume") => stored::describe_volume(page, object, cx),
        ("", "Service") => service::describe(page, object, cx),
        ("", "Endpoints") => endpoints::describe(page, object, cx),
        ("", "Namespace") => namespaces::describe(page, object, cx),
        ("", "ResourceQuota") => namespaces::describe_quota(page, object),
        ("", "LimitRange") => namespaces::describe_limits(page, object),
        ("", "ConfigMap") => stored::describe_config_map(page, object, cx),
        ("", "Secret") => stored::describe_secret(page, object),
        ("", "ReplicationController") => replicasets::describe(page, object, kind.kind, cx),
        ("apps" | "extensions", "Deployment") => workloads::describe_deployment(page, object, cx),
        ("apps" | "extensions", "ReplicaSet") => replicasets::describe(page, object, kind.kind, cx),
        ("apps" | "extensions", "DaemonSet") => workloads::describe_daemon_set(page, object, cx),
        ("apps", "StatefulSet") => workloads::describe_stateful_set(page, object, cx),
        ("batch", "Job") => jobs::describe(page, object, cx),
        ("batch", "CronJob") => jobs::describe_cron_job(page, object, cx),
        ("storage.k8s.io", "StorageClass") => stored::describe_class(page, object, cx),
        ("networking.k8s.io" | "extensions", "Ingress") => ingress::describe(page, object, cx),
        _ => generic::describe(page, kind, object, cx),
    }
    page.finish()
}
