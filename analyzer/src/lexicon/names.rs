//! What a line names: addresses and hosts, objects, paths, service accounts, systemd units.
//!
//! Whether a name means anything is for the bundle to say ([`super::resolve`]), so that this can be generous.

use std::sync::LazyLock;

use regex::Regex;

/// Names that are taken of one line.
const MOST: usize = 12;

/// One name, as the line writes it and as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name<'l> {
    /// `10.96.1.1:5432`, `[fd00::1]:80`, `redis.cache.svc:6379`, `redis` after words of connecting.
    Endpoint { written: &'l str, host: &'l str, port: Option<u16> },
    /// `secret "db" not found`, `persistentvolumeclaim "data"`.
    Object { written: &'l str, kind: &'static str, namespace: Option<&'l str>, name: &'l str },
    /// `/var/lib/data/x`.
    Path(&'l str),
    /// `docker.service`
    Unit(&'l str),
}

impl<'l> Name<'l> {
    pub fn written(&self) -> &'l str {
        match self {
            Name::Endpoint { written, .. } | Name::Object { written, .. } => written,
            Name::Path(text) | Name::Unit(text) => text,
        }
    }
}

/// The names of a line, in its order, each once.
pub fn names(line: &str) -> Vec<Name<'_>> {
    let mut found: Vec<(usize, Name)> = Vec::new();
    objects(line, &mut found);
    endpoints(line, &mut found);
    paths(line, &mut found);
    units(line, &mut found);
    found.sort_by_key(|(at, _)| *at);
    let mut names: Vec<Name> = Vec::new();
    for (_, name) in found {
        if !names.iter().any(|known| known.written() == name.written()) {
            names.push(name);
        }
    }
    names.truncate(MOST);
    names
}

fn endpoints<'l>(line: &'l str, found: &mut Vec<(usize, Name<'l>)>) {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|\[[0-9A-Fa-f:.]{3,45}\])(?::(?P<port>\d{1,5}))?(?P<source>->)?")
            .expect("a valid pattern")
    });
    // A host: with a port, with dots, or after words that connect to something.
    static HOST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?ix)
            (?: \b(?P<lead>lookup|host(?:name)?(?:[=:]|\x20["'])|connect(?:ing)?\x20to|server\x20at|resolve|address|in\x20upstream|broker|to\x20server|dial\x20tcp) [\x20:="'`(]* | (?P<url>://|@) )
              (?P<named>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(?P<named_port>\d{1,5}))?
            | \b(?P<dotted>(?-i:[a-z](?:[a-z0-9-]{0,62}\.)+[a-z][a-z0-9-]{0,62}))(?::(?P<dotted_port>\d{1,5}))?
            | \b(?P<ported>[a-z][a-z0-9-]{0,62}):(?P<port>\d{2,5})\b
            "#,
        )
        .expect("a valid pattern")
    });
    for captures in ADDRESS.captures_iter(line) {
        // `10.244.0.5:45353->10.0.1.1:53`: the line is about the other end.
        if captures.name("source").is_some() {
            continue;
        }
        let (Some(host), port) = (captures.name("host"), captures.name("port")) else { continue };
        let end = port.map_or(host.end(), |port| port.end());
        let port = port.and_then(|port| port.as_str().parse().ok());
        let written = &line[host.start()..end];
        let host_text = host.as_str().trim_start_matches('[').trim_end_matches(']');
        found.push((host.start(), Name::Endpoint { written, host: host_text, port }));
    }
    for captures in HOST.captures_iter(line) {
        for (host, port) in [("named", "named_port"), ("dotted", "dotted_port"), ("ported", "port")] {
            let Some(host) = captures.name(host) else { continue };
            let port = captures.name(port);
            let is_number = host.as_str().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            if is_number || host.as_str().ends_with(".service") {
                continue;
            }
            let end = port.map_or(host.end(), |port| port.end());
            let port = port.and_then(|port| port.as_str().parse().ok());
            let written = &line[host.start()..end];
            found.push((host.start(), Name::Endpoint { written, host: host.as_str(), port }));
        }
    }
}

/// Kinds that messages name before a quoted name, with what they are called there.
const QUOTED: &[(&str, &str)] = &[
    ("secret", "Secret"),
    ("configmap", "ConfigMap"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("storageclass", "StorageClass"),
    ("serviceaccount", "ServiceAccount"),
    ("service", "Service"),
    ("pod", "Pod"),
    ("node", "Node"),
    ("ingressclass", "IngressClass"),
    ("priorityclass", "PriorityClass"),
    ("persistentvolume", "PersistentVolume"),
];

fn objects<'l>(line: &'l str, found: &mut Vec<(usize, Name<'l>)>) {
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)\b(?P<kind>secrets?|configmaps?|persistentvolumeclaims?|storageclass(?:es)?|serviceaccounts?|services?|pods?|nodes?|ingressclass(?:es)?|priorityclass(?:es)?|persistentvolumes?)(?:\.[a-z0-9.]+)? \\?["'](?:(?P<namespace>[a-z0-9-]{1,63})/)?(?P<name>[a-z0-9][a-z0-9.-]{0,251})\\?["']"#,
        )
        .expect("a valid pattern")
    });
    static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"system:serviceaccount:(?P<namespace>[a-z0-9-]{1,63}):(?P<name>[a-z0-9.-]{1,253})")
            .expect("a valid pattern")
    });
    for captures in OBJECT.captures_iter(line) {
        let (Some(whole), Some(kind), Some(name)) =
            (captures.get(0), captures.name("kind"), captures.name("name"))
        else {
            continue;
        };
        let word = kind.as_str().to_ascii_lowercase();
        let singular = QUOTED.iter().find(|(singular, _)| {
            let ending = word.strip_prefix(singular);
            matches!(ending, Some("" | "s" | "es"))
        });
        let Some((_, kind)) = singular else { continue };
        let namespace = captures.name("namespace").map(|found| found.as_str());
        let written = whole.as_str();
        found.push((whole.start(), Name::Object { written, kind, namespace, name: name.as_str() }));
    }
    for captures in ACCOUNT.captures_iter(line) {
        let (Some(whole), Some(namespace), Some(name)) =
            (captures.get(0), captures.name("namespace"), captures.name("name"))
        else {
            continue;
        };
        let namespace = Some(namespace.as_str());
        let (kind, written) = ("ServiceAccount", whole.as_str());
        found.push((whole.start(), Name::Object { written, kind, namespace, name: name.as_str() }));
    }
}

fn paths<'l>(line: &'l str, found: &mut Vec<(usize, Name<'l>)>) {
    static PATH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:^|[\s"'`(=:\[])(?P<path>/[\w.@%+-]+(?:/[\w.@%+-]+)+)"#).expect("a valid pattern")
    });
    for captures in PATH.captures_iter(line) {
        if let Some(path) = captures.name("path") {
            found.push((path.start(), Name::Path(path.as_str())));
        }
    }
}

fn units<'l>(line: &'l str, found: &mut Vec<(usize, Name<'l>)>) {
    static UNIT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\b(?P<unit>[A-Za-z0-9][A-Za-z0-9_@.-]{0,100}?)\.service\b").expect("a valid pattern")
    });
    for captures in UNIT.captures_iter(line) {
        if let Some(unit) = captures.name("unit") {
            found.push((unit.start(), Name::Unit(unit.as_str())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str) -> Vec<&str> {
        names(line).iter().map(Name::written).collect()
    }

    #[test]
    fn the_other_end_of_a_connection_is_named() {
        assert_eq!(
            written("A: read udp 10.244.0.5:45353->10.0.1.1:53: i/o timeout"),
            ["10.0.1.1:53"],
            "not one's own address"
        );
        assert_eq!(written("dial tcp 10.96.1.1:5432: connect: connection refused"), ["10.96.1.1:5432"]);
        assert_eq!(written("dial tcp [fd00::1]:80: connect: no route to host"), ["[fd00::1]:80"]);
        assert_eq!(written("Get \"https://db.shop.svc:8443/x\": EOF"), ["db.shop.svc:8443"]);
        assert_eq!(written("lookup redis on 10.43.0.10:53: no such host"), ["redis", "10.43.0.10:53"]);
        assert_eq!(written("nginx: host not found in upstream \"backend\""), ["backend"]);
    }

    #[test]
    fn objects_paths_and_units_are_named() {
        assert_eq!(
            names("MountVolume.SetUp failed : secret \"db-tls\" not found"),
            [Name::Object { written: "secret \"db-tls\"", kind: "Secret", namespace: None, name: "db-tls" }]
        );
        assert_eq!(
            names("error looking up service account apps/runner: serviceaccount \"apps/runner\" not found"),
            [Name::Object {
                written: "serviceaccount \"apps/runner\"",
                kind: "ServiceAccount",
                namespace: Some("apps"),
                name: "runner"
            }]
        );
        assert_eq!(
            written("mkdir: cannot create directory '/var/lib/db/x': Permission denied"),
            ["/var/lib/db/x"]
        );
        assert_eq!(written("Failed to start docker.service: Unit not found"), ["docker"]);
    }

    #[test]
    fn a_line_of_many_names_is_bounded() {
        let line = (0..200).map(|n| format!("10.0.0.{n}:80")).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&line).len(), MOST);
    }
}
