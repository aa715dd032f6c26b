//! The API server's tables, made from objects: the columns and cells that `kubectl get` prints.
//!
//! A server that is asked for `as=Table` answers a list with ready-made cells. Where there are objects and no server,
//! this module makes the same cells. A printer says of each column its name, type and priority together with the cell
//! ([`Row`]), so that the two cannot disagree; the columns of a table without rows are those of an empty object.
//!
//! The columns are those of Kubernetes 1.20 to 1.35; where a column came in between, [`Settings::minor`] decides.
//! Custom resources print what their definition says ([`custom`]), other kinds what the server prints by default.

mod access;
mod autoscaling;
pub mod custom;
mod events;
mod network;
mod nodes;
mod path;
mod pods;
mod settings;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::describe::Kind;
use crate::objects::{Field, name};

/// What the cells depend on beside the object.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The instant to which ages refer.
    pub now: Timestamp,
    /// The server's version is 1.`minor`.
    pub minor: u32,
    /// The contents of Secrets were not collected, so that their number is not known.
    pub secrets_withheld: bool,
}

/// The newest version whose columns are known here.
pub const NEWEST_MINOR: u32 = 35;

/// A column as a Table defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// `name` for the column of names.
    pub format: String,
    /// Columns other than 0 are printed with `-o wide` alone.
    pub priority: i64,
    pub description: String,
}

impl Column {
    fn new(name: &str, kind: &str, priority: i64) -> Column {
        Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
            format: String::new(),
            priority,
            description: String::new(),
        }
    }

    /// The column of names, which is the first of nearly every table.
    fn of_names() -> Column {
        Column { format: "name".to_owned(), ..Column::new("Name", "string", 0) }
    }

    /// As an element of a Table's `columnDefinitions`.
    pub fn definition(&self) -> Value {
        json!({"name": self.name, "type": self.kind, "format": self.format, "description": self.description,
            "priority": self.priority})
    }
}

/// One row under construction: each cell with its column.
pub struct Row {
    columns: Option<Vec<Column>>,
    cells: Vec<Value>,
    settings: Settings,
}

impl Row {
    fn cell(&mut self, column: impl FnOnce() -> Column, cell: Value) {
        if let Some(columns) = &mut self.columns {
            columns.push(column());
        }
        self.cells.push(cell);
    }

    fn name(&mut self, object: &Value) {
        self.cell(Column::of_names, name(object).into());
    }

    fn text(&mut self, column: &str, cell: impl Into<String>) {
        self.cell(|| Column::new(column, "string", 0), Value::String(cell.into()));
    }

    /// A column of `-o wide`.
    fn wide(&mut self, column: &str, cell: impl Into<String>) {
        self.cell(|| Column::new(column, "string", 1), Value::String(cell.into()));
    }

    fn int(&mut self, column: &str, cell: i64) {
        self.cell(|| Column::new(column, "integer", 0), cell.into());
    }

    /// A number in a column that the server calls a text.
    fn count(&mut self, column: &str, cell: impl Into<Value>) {
        self.cell(|| Column::new(column, "string", 0), cell.into());
    }

    fn flag(&mut self, column: &str, cell: bool) {
        self.cell(|| Column::new(column, "boolean", 0), cell.into());
    }

    fn since(&self, time: &Value) -> String {
        crate::time::age(time.as_str(), self.settings.now)
    }

    fn age(&mut self, object: &Value) {
        let age = self.since(&object["metadata"]["creationTimestamp"]);
        self.text("Age", age);
    }

    /// What kinds print that have no printer of their own.
    fn created_at(&mut self, object: &Value) {
        let time = object["metadata"]["creationTimestamp"].text().to_owned();
        self.cell(|| Column::new("Created At", "date", 0), time.into());
    }

    fn minor(&self) -> u32 {
        self.settings.minor
    }
}

/// The columns of the built-in `kind`.
pub fn columns(kind: Kind<'_>, settings: Settings) -> Vec<Column> {
    print(kind, &Value::Null, settings, Some(Vec::new())).columns.unwrap_or_default()
}

/// The cells of an object of the built-in `kind`, one for each of its [`columns`].
///
/// Never fails: a field that is missing or of another type than Kubernetes gives it prints as empty.
pub fn cells(kind: Kind<'_>, object: &Value, settings: Settings) -> Vec<Value> {
    print(kind, object, settings, None).cells
}

fn print(kind: Kind<'_>, object: &Value, settings: Settings, columns: Option<Vec<Column>>) -> Row {
    let mut row = Row { columns, cells: Vec::new(), settings };
    let r = &mut row;
    match (kind.group(), kind.kind) {
        ("", "Pod") => pods::pod(r, object),
        ("", "PodTemplate") => pods::template(r, object),
        ("", "ReplicationController") => workloads::replication_controller(r, object),
        ("apps" | "extensions", "Deployment") => workloads::deployment(r, object),
        ("apps" | "extensions", "ReplicaSet") => workloads::replica_set(r, object),
        ("apps" | "extensions", "DaemonSet") => workloads::daemon_set(r, object),
        ("apps", "StatefulSet") => workloads::stateful_set(r, object),
        ("apps", "ControllerRevision") => workloads::controller_revision(r, object),
        ("batch", "Job") => workloads::job(r, object),
        ("batch", "CronJob") => workloads::cron_job(r, object),
        ("policy", "PodDisruptionBudget") => workloads::disruption_budget(r, object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::autoscaler(r, object),
        ("", "Service") => network::service(r, object),
        ("", "Endpoints") => network::endpoints(r, object),
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice(r, object),
        ("networking.k8s.io" | "extensions", "Ingress") => network::ingress(r, object),
        ("networking.k8s.io", "IngressClass") => network::ingress_class(r, object),
        ("networking.k8s.io" | "extensions", "NetworkPolicy") => network::policy(r, object),
        ("", "Node") => nodes::node(r, object),
        ("", "Namespace") => nodes::namespace(r, object),
        ("", "ComponentStatus") => nodes::component_status(r, object),
        ("coordination.k8s.io", "Lease") => nodes::lease(r, object),
        ("node.k8s.io", "RuntimeClass") => nodes::runtime_class(r, object),
        ("" | "events.k8s.io", "Event") => events::event(r, object),
        ("", "PersistentVolume") => storage::volume(r, object),
        ("", "PersistentVolumeClaim") => storage::claim(r, object),
        ("storage.k8s.io", "StorageClass") => storage::class(r, object),
        ("storage.k8s.io", "VolumeAttachment") => storage::attachment(r, object),
        ("storage.k8s.io", "CSINode") => storage::csi_node(r, object),
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver(r, object),
        ("", "ConfigMap") => settings::config_map(r, object),
        ("", "Secret") => settings::secret(r, object),
        ("", "ServiceAccount") => settings::service_account(r, object),
        ("", "ResourceQuota") => settings::quota(r, object),
        ("scheduling.k8s.io", "PriorityClass") => settings::priority_class(r, object),
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => settings::flow_schema(r, object),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => {
            settings::priority_level(r, object);
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::binding(r, object),
        ("certificates.k8s.io", "CertificateSigningRequest") => access::signing_request(r, object),
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
        ) => access::webhooks(r, object),
        ("policy", "PodSecurityPolicy") => access::security_policy(r, object),
        ("apiregistration.k8s.io", "APIService") => access::api_service(r, object),
        _ => {
            r.name(object);
            r.created_at(object);
        }
    }
    row
}

/// Some of a list: so many are shown, and the rest is counted.
fn some(list: &[String], shown: usize) -> String {
    let text = list[..list.len().min(shown)].join(",");
    match list.len().checked_sub(shown) {
        Some(more) if more > 0 => format!("{text} + {more} more..."),
        _ => text,
    }
}

/// A field that may be missing, or `otherwise`.
fn or(value: &Value, otherwise: &str) -> String {
    if value.is_null() { otherwise.to_owned() } else { value.scalar() }
}
