//! `--only PART`: the parts of a bundle that a report asked for, in the words of the bundle's own folders.
//!
//! `pods/blueking`, `configmaps/kube-system/coredns`, `logs/blueking/bk-job-gateway-*`, `helm/blueking`, `host`. A part
//! that names less means more: `logs` alone is every log. Names may hold `*`.

use std::fmt;
use std::str::FromStr;

use crate::cluster::discovery::Resource;

/// One `--only` part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: Kind,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// Of logs only.
    pub container: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Plural of a resource, with `.group` where another group has the same plural.
    Resource(String),
    Logs,
    Describe,
    Helm,
    Host,
    Install,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no part of a bundle\nhint: write RESOURCE[/NAMESPACE[/NAME]], logs/NAMESPACE[/POD[/CONTAINER]], \
     describe/NAMESPACE[/NAME], helm[/NAMESPACE], host or install"
)]
pub struct NoPart(String);

impl FromStr for Part {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        let mut segments = text.split('/');
        let wrong = || NoPart(text.to_owned());
        let first = segments.next().filter(|s| !s.is_empty()).ok_or_else(wrong)?;
        let (kind, most) = match first {
            "logs" => (Kind::Logs, 3),
            "describe" => (Kind::Describe, 2),
            "helm" => (Kind::Helm, 1),
            "host" => (Kind::Host, 0),
            "install" => (Kind::Install, 0),
            plural => (Kind::Resource(plural.to_ascii_lowercase()), 2),
        };
        let rest: Vec<&str> = segments.collect();
        if rest.len() > most || rest.iter().any(|s| s.is_empty()) {
            return Err(wrong());
        }
        let at = |n: usize| rest.get(n).map(|s| (*s).to_owned());
        Ok(Part { kind, namespace: at(0), name: at(1), container: at(2) })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::Resource(plural) => plural,
            Kind::Logs => "logs",
            Kind::Describe => "describe",
            Kind::Helm => "helm",
            Kind::Host => "host",
            Kind::Install => "install",
        })?;
        for segment in [&self.namespace, &self.name, &self.container].into_iter().flatten() {
            write!(f, "/{segment}")?;
        }
        Ok(())
    }
}

impl Part {
    /// Whether this part asks for the log of a container.
    pub fn wants_log(&self, namespace: &str, pod: &str, container: &str) -> bool {
        self.kind == Kind::Logs
            && fits(&self.namespace, namespace)
            && fits(&self.name, pod)
            && fits(&self.container, container)
    }
}

/// All parts that are wanted; none given means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(pub Vec<Part>);

impl Selection {
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub fn wants(&self, kind: &Kind) -> bool {
        self.is_everything() || self.0.iter().any(|part| part.kind == *kind)
    }

    /// Whether a resource is wanted anywhere.
    pub fn wants_resource(&self, group: &str, plural: &str) -> bool {
        self.is_everything() || self.parts_of(group, plural).next().is_some()
    }

    /// Whether one object of a resource is wanted. Cluster-scoped objects match by name at either place.
    pub fn wants_object(&self, group: &str, plural: &str, namespace: Option<&str>, name: &str) -> bool {
        self.is_everything()
            || self.parts_of(group, plural).any(|part| match namespace {
                Some(ns) => fits(&part.namespace, ns) && fits(&part.name, name),
                None => fits(&part.namespace, name) || part.name.as_deref().is_some_and(|p| glob(p, name)),
            })
    }

    pub fn wants_log(&self, namespace: &str, pod: &str, container: &str) -> bool {
        self.is_everything() || self.0.iter().any(|part| part.wants_log(namespace, pod, container))
    }

    pub fn wants_describe(&self, namespace: &str, name: &str) -> bool {
        self.is_everything()
            || self.0.iter().any(|part| {
                part.kind == Kind::Describe && fits(&part.namespace, namespace) && fits(&part.name, name)
            })
    }

    pub fn wants_helm(&self, namespace: &str) -> bool {
        self.is_everything()
            || self.0.iter().any(|part| part.kind == Kind::Helm && fits(&part.namespace, namespace))
    }

    /// The namespaces in which a namespaced resource is wanted: `None` where some part means all of them. Pods are
    /// also wanted by whoever wants their logs or descriptions.
    pub fn namespaces_of(&self, group: &str, plural: &str) -> Option<Vec<String>> {
        if self.is_everything() {
            return None;
        }
        let pods = group.is_empty() && plural == "pods";
        let through_pods = |part: &&Part| match part.kind {
            Kind::Logs => pods,
            Kind::Describe => true,
            _ => false,
        };
        let mut named = Vec::new();
        for part in self.parts_of(group, plural).chain(self.0.iter().filter(through_pods)) {
            named.push(part.namespace.clone().filter(|ns| !ns.contains('*'))?);
        }
        named.sort();
        named.dedup();
        Some(named)
    }

    /// Parts that name a resource which is none of these.
    pub fn unknown(&self, resources: &[Resource]) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(|part| match &part.kind {
            Kind::Resource(wanted) => !resources.iter().any(|r| names(wanted, &r.group, &r.plural)),
            _ => false,
        })
    }

    fn parts_of<'a>(&'a self, group: &'a str, plural: &'a str) -> impl Iterator<Item = &'a Part> {
        self.0.iter().filter(move |part| match &part.kind {
            Kind::Resource(wanted) => names(wanted, group, plural),
            _ => false,
        })
    }
}

fn names(wanted: &str, group: &str, plural: &str) -> bool {
    match wanted.split_once('.') {
        Some((p, g)) => p == plural && g == group,
        None => wanted == plural,
    }
}

fn fits(pattern: &Option<String>, text: &str) -> bool {
    pattern.as_deref().is_none_or(|p| glob(p, text))
}

/// Whether `text` matches `pattern`, in which `*` stands for any text, also none.
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').map_or((None, rest), |(middle, last)| (Some(middle), last));
    for piece in middle.into_iter().flat_map(|m| m.split('*')) {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(parts: &[&str]) -> Selection {
        Selection(parts.iter().map(|p| p.parse().unwrap()).collect())
    }

    #[test]
    fn parts_are_read_and_written_alike() {
        for text in
            ["pods/blueking", "logs/a/b*/c", "helm", "helm/a", "host", "bklogconfigs.bk.tencent.com/a"]
        {
            assert_eq!(text.parse::<Part>().unwrap().to_string(), text);
        }
        for wrong in ["", "/a", "pods//x", "host/a", "helm/a/b", "logs/a/b/c/d"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn less_said_means_more_wanted() {
        let some = selection(&["logs/blueking/bk-job-*", "configmaps/kube-system/coredns", "nodes/10.0.0.1"]);
        assert!(some.wants_log("blueking", "bk-job-gateway-1", "x"));
        assert!(!some.wants_log("blueking", "bk-repo", "x"));
        assert!(some.wants_object("", "configmaps", Some("kube-system"), "coredns"));
        assert!(!some.wants_object("", "configmaps", Some("kube-system"), "other"));
        assert!(some.wants_object("", "nodes", None, "10.0.0.1"));
        assert!(!some.wants_resource("", "pods"));
        assert!(Selection::default().wants_resource("", "pods"));
        assert_eq!(some.namespaces_of("", "pods"), Some(vec!["blueking".into()]));
        assert_eq!(some.namespaces_of("", "configmaps"), Some(vec!["kube-system".into()]));
        assert_eq!(selection(&["logs/bk*"]).namespaces_of("", "pods"), None);
        assert_eq!(Selection::default().namespaces_of("", "pods"), None);
    }

    #[test]
    fn a_part_that_no_resource_bears_is_named() {
        let pods = Resource {
            group: String::new(),
            version: "v1".into(),
            plural: "pods".into(),
            kind: "Pod".into(),
            namespaced: true,
            other_versions: Vec::new(),
        };
        let some = selection(&["pods/a", "podz/a", "pods.apps", "host", "logs/a"]);
        let unknown: Vec<String> = some.unknown(&[pods]).map(Part::to_string).collect();
        assert_eq!(unknown, ["podz/a", "pods.apps"]);
    }

    #[test]
    fn stars_match_any_text() {
        for (pattern, text) in [("*", ""), ("a*", "a"), ("a*c", "abc"), ("a*b*c", "axxbyyc"), ("*-0", "x-0")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "ab"), ("a*b*c", "acb"), ("ab*ba", "aba")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
