//! The names that `in:` may hold, and what a row of each is called in `where`.

use crate::snapshot::TextKind;

/// One place to look.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Lines of text of one kind.
    Text(TextKind),
    /// Event objects; a `text` is tried on the message.
    Events,
    /// One row a container, derived from the pods.
    Containers,
    /// Objects of a collection of the snapshot.
    Objects(String),
}

const TEXTS: &[(&str, TextKind)] = &[
    ("texts", TextKind::Pasted),
    ("logs", TextKind::Log),
    ("describe", TextKind::Describe),
    ("tables", TextKind::Table),
    ("hosts.text", TextKind::Host),
    ("journals", TextKind::Journal),
    ("ledger", TextKind::Ledger),
];

/// Collections whose rows have a name of their own; the others are `object`.
const ROW_NAMES: &[(&str, &str)] = &[
    ("pods", "pod"),
    ("nodes", "node"),
    ("services", "service"),
    ("endpoints", "endpoint"),
    ("configmaps", "configmap"),
    ("deployments", "deployment"),
    ("statefulsets", "statefulset"),
    ("daemonsets", "daemonset"),
    ("replicasets", "replicaset"),
    ("jobs", "job"),
    ("namespaces", "ns"),
    ("ingresses", "ingress"),
    ("persistentvolumeclaims", "claim"),
    ("persistentvolumes", "volume"),
    ("storageclasses", "class"),
    ("helm.releases", "release"),
    ("helm.revisions", "revision"),
    ("hosts", "host"),
    ("probes", "probe"),
];

/// Short names that people write for kubectl, and what they have to write here.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("pvc", "persistentvolumeclaims"),
    ("pvcs", "persistentvolumeclaims"),
    ("pv", "persistentvolumes"),
    ("pvs", "persistentvolumes"),
    ("sc", "storageclasses"),
    ("cm", "configmaps"),
    ("svc", "services"),
    ("deploy", "deployments"),
    ("sts", "statefulsets"),
    ("ds", "daemonsets"),
    ("rs", "replicasets"),
    ("ns", "namespaces"),
    ("ing", "ingresses"),
    ("crd", "customresourcedefinitions"),
    ("crds", "customresourcedefinitions"),
    ("text", "texts"),
    ("log", "logs"),
    ("pod", "pods"),
    ("node", "nodes"),
    ("event", "events"),
    ("releases", "helm.releases"),
    ("revisions", "helm.revisions"),
];

impl Source {
    /// Reads a name of `in:`; the error is the name that was probably meant, if there is one.
    pub fn parse(name: &str) -> Result<Source, Option<&'static str>> {
        if let Some((_, meant)) = SHORT_NAMES.iter().find(|(short, _)| *short == name) {
            return Err(Some(meant));
        }
        if let Some((_, kind)) = TEXTS.iter().find(|(text, _)| *text == name) {
            return Ok(Source::Text(*kind));
        }
        let plural = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
        match name {
            "events" => Ok(Source::Events),
            // The group is told only of kinds that Kubernetes does not have itself.
            "customresourcedefinitions.apiextensions.k8s.io" => Err(Some("customresourcedefinitions")),
            "containers" => Ok(Source::Containers),
            _ if plural && !name.is_empty() => Ok(Source::Objects(name.to_owned())),
            _ => Err(None),
        }
    }

    pub fn row_name(&self) -> &'static str {
        match self {
            Source::Text(_) => "hit",
            Source::Events => "event",
            Source::Containers => "container",
            Source::Objects(plural) => {
                ROW_NAMES.iter().find(|(name, _)| name == plural).map_or("object", |(_, row)| row)
            }
        }
    }

    /// The name as a rule writes it.
    pub fn name(&self) -> &str {
        match self {
            Source::Text(kind) => TEXTS.iter().find(|(_, k)| k == kind).map_or("texts", |(name, _)| name),
            Source::Events => "events",
            Source::Containers => "containers",
            Source::Objects(plural) => plural,
        }
    }

    /// Whether a `text` pattern can be tried on its rows.
    pub fn has_text(&self) -> bool {
        matches!(self, Source::Text(_) | Source::Events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_sources_and_rows() {
        assert_eq!(Source::parse("logs"), Ok(Source::Text(TextKind::Log)));
        assert_eq!(Source::parse("pvc"), Err(Some("persistentvolumeclaims")));
        assert_eq!(Source::parse("Pods"), Err(None));
        let custom = Source::parse("bklogconfigs.bk.tencent.com").unwrap();
        assert_eq!(custom.row_name(), "object");
        assert_eq!(custom.name(), "bklogconfigs.bk.tencent.com");
        assert_eq!(Source::parse("storageclasses").unwrap().row_name(), "class");
    }
}
