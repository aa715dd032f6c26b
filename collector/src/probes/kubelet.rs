//! Whether the API server reaches each kubelet: the same way that logs and exec go.

use serde_json::{Value, json};

/// Path whose answer the API server fetches from the kubelet.
pub fn path(node: &str) -> String {
    format!("/api/v1/nodes/{node}/proxy/healthz")
}

/// A row of `probes/kubelet.json`. `words`: what the server said when it did not work.
pub fn answer(node: &str, words: Option<&str>) -> Value {
    match words {
        None => json!({"kind": "kubelet", "node": node, "reachable": true}),
        Some(words) => json!({
            "kind": "kubelet",
            "node": node,
            "reachable": false,
            "error": class_of(words),
            "message": words,
        }),
    }
}

/// The words are those of Go's net and crypto packages, in the API server's answer.
fn class_of(words: &str) -> &'static str {
    const CLASSES: &[(&str, &str)] = &[
        ("connection refused", "refused"),
        ("no route to host", "no_route"),
        ("network is unreachable", "no_route"),
        ("i/o timeout", "timeout"),
        ("timed out", "timeout"),
        ("deadline exceeded", "timeout"),
        ("no such host", "name"),
        ("x509", "tls"),
        ("tls:", "tls"),
        ("connection reset", "reset"),
        ("EOF", "reset"),
    ];
    CLASSES.iter().find(|(part, _)| words.contains(part)).map_or("other", |(_, class)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_refusals_of_a_network_are_told_apart() {
        let error = |words: &str| answer("n", Some(words))["error"].clone();
        assert_eq!(error("dial tcp 10.0.0.1:10250: connect: connection refused"), "refused");
        assert_eq!(error("dial tcp 10.0.0.1:10250: connect: no route to host"), "no_route");
        assert_eq!(error("dial tcp 10.0.0.1:10250: i/o timeout"), "timeout");
        assert_eq!(error("remote error: tls: internal error"), "tls");
        assert_eq!(answer("n", None)["reachable"], true);
    }
}
