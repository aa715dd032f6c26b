//! What a line says that it could not use.

use std::sync::LazyLock;

use regex::Regex;

use crate::triage::severity::{blamed, cut, severity, suspects};

/// Bytes of a line that are looked at.
const LOOKED_AT: usize = 2000;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// A name that nobody could resolve, in the words of the resolvers of Go, C, Java, Python, Node and musl.
pub fn is_unresolved(line: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)no such host|server misbehaving|temporary failure in name resolution|name or service not known|nodename nor servname|could not resolve|cannot resolve|can't resolve|unknownhostexception|failed to resolve|name does not resolve|EAI_AGAIN|ENOTFOUND|getaddrinfo|lookup \S+(?: on \S+)?: .{0,80}(?:i/o timeout|refused|no route)|:53: .{0,40}(?:i/o timeout|refused|no route)|无法解析|域名解析失败",
        )
    });
    WORDS.is_match(cut(line, LOOKED_AT))
}

/// Something that does not answer, whatever the wording.
pub fn is_out_of_reach(line: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\brefused\b|time[d ]?-?\s?out|timeout|unreachable|no route to host|deadline exceeded|\bdial\b|\bconnect|connection|not (?:yet )?(?:ready|available|reachable)|unavailable|\bwaiting\b|\bping\b|ECONN|EHOSTUNREACH|broken pipe|\b50[234]\b|no (?:healthy|available) |连接|超时|等待|未就绪|不可用",
        )
    });
    is_unresolved(line) || WORDS.is_match(cut(line, LOOKED_AT))
}

pub fn is_timeout(line: &str) -> bool {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)time[d ]?-?\s?out|no route to host|unreachable|deadline exceeded"));
    WORDS.is_match(cut(line, LOOKED_AT))
}

/// A pod or a node that has no network yet.
pub fn is_network_missing(message: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\bcni\b|cni\.d|network plugin|NetworkPluginNotReady|network is not ready|NetworkReady=false|network for sandbox|setup network|failed to (?:setup|set up) network|networkPlugin|calico/node is running|subnet\.env",
        )
    });
    WORDS.is_match(cut(message, LOOKED_AT))
}

/// The driver that a mount could not use because it is not there.
pub fn driver_of(message: &str) -> Option<&str> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"driver name (?P<driver>[\w.-]+) not found in the list of registered CSI drivers|/plugins/(?P<socket>[\w.-]+)/csi\.sock",
        )
    });
    let found = NAMED.captures(cut(message, LOOKED_AT))?;
    let name = found.name("driver").or_else(|| found.name("socket"))?;
    Some(&message[name.range()])
}

/// Name and namespace of the service of a webhook that could not be called. One that was called and said no does its
/// work.
pub fn webhook_of(line: &str) -> Option<(&str, &str)> {
    static URL: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"https?://(?P<name>[\w-]+)\.(?P<namespace>[\w-]+)\.svc\b"#));
    let (_, after) =
        line.split_once("failed calling webhook").or_else(|| line.split_once("conversion webhook for"))?;
    let found = URL.captures(cut(after, LOOKED_AT))?;
    Some((found.name("name")?.as_str(), found.name("namespace")?.as_str()))
}

/// Whether a line names an extension API, `v1beta1.metrics.k8s.io`, in one of the ways in which clients do.
pub fn names_api(line: &str, api: &str) -> bool {
    let Some((version, group)) = api.split_once('.') else { return false };
    // Groups of the API server itself are served by it, and their names stand everywhere.
    line.contains(group)
        && (line.contains(&format!("{group}/{version}"))
            || line.contains(&format!("{group})"))
            || line.contains(api))
}

/// Hosts that the line blames, else words of it that may be one.
pub fn hosts(line: &str) -> Vec<String> {
    if severity(line) < 2 {
        return Vec::new();
    }
    let mut hosts: Vec<String> = blamed(line).into_iter().filter(|host| !is_own_host(host)).collect();
    hosts.extend(suspects(line).filter(|host| !is_own_host(host)).take(20).map(str::to_owned));
    hosts
}

/// A container that cannot reach itself blames nobody else.
pub fn is_own_host(host: &str) -> bool {
    host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("0.0.0.0")
}

/// Whether a release only ran out of time while its parts did not become ready.
pub fn is_out_of_patience(description: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)timed out|deadline exceeded|BackoffLimitExceeded|job failed|not ready|pre-|post-|preparing|in progress|^(?:install|upgrade|initial install)",
        )
    });
    WORDS.is_match(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_resolved_is_known_in_many_words() {
        for line in [
            "dial tcp: lookup api.example.com on 10.96.0.10:53: no such host",
            "lookup db on 10.96.0.10:53: read udp 10.1.1.1:3->10.96.0.10:53: i/o timeout",
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "Error: getaddrinfo EAI_AGAIN redis",
            "java.net.UnknownHostException: kafka",
        ] {
            assert!(is_unresolved(line), "{line}");
        }
        assert!(!is_unresolved("dial tcp 10.1.1.1:5432: connect: connection refused"));
    }

    #[test]
    fn a_webhook_that_said_no_does_its_work() {
        let lost = r#"Internal error occurred: failed calling webhook "v.example.com": Post "https://gate.gate-system.svc:443/v?timeout=10s": no endpoints"#;
        assert_eq!(webhook_of(lost), Some(("gate", "gate-system")));
        assert_eq!(webhook_of(r#"admission webhook "v.example.com" denied the request: no"#), None);
    }

    #[test]
    fn a_driver_that_is_not_there_is_named() {
        let message = "driver name disk.csi.example.com not found in the list of registered CSI drivers";
        assert_eq!(driver_of(message), Some("disk.csi.example.com"));
        assert_eq!(driver_of("timed out waiting for the condition"), None);
    }

    #[test]
    fn an_api_is_named_by_its_group_and_version() {
        let line = "unable to get metrics for resource cpu: the server is currently unable to handle the request (get pods.metrics.k8s.io)";
        assert!(names_api(line, "v1beta1.metrics.k8s.io"));
        assert!(names_api(
            "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1",
            "v1beta1.metrics.k8s.io"
        ));
        assert!(!names_api(line, "v1.apps"));
    }
}
