//! Probes of a container, one line each.

use serde_json::Value;

use super::page::{Page, line};
use crate::objects::Field;

pub(super) fn describe(page: &mut Page, container: &Value) {
    for (title, field) in
        [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
    {
        if let probe @ Value::Object(_) = &container[field] {
            line!(page, 2, "{title}:\t{}", probe_text(probe));
        }
    }
}

fn probe_text(probe: &Value) -> String {
    let seconds = |field: &str| probe[field].int();
    let timing = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        seconds("initialDelaySeconds"),
        seconds("timeoutSeconds"),
        seconds("periodSeconds"),
        seconds("successThreshold"),
        seconds("failureThreshold"),
    );
    let action = if let exec @ Value::Object(_) = &probe["exec"] {
        let words: Vec<&str> = exec["command"].items().iter().map(Value::text).collect();
        format!("exec [{}]", words.join(" "))
    } else if let get @ Value::Object(_) = &probe["httpGet"] {
        format!("http-get {}", url(get))
    } else if let socket @ Value::Object(_) = &probe["tcpSocket"] {
        format!("tcp-socket {}:{}", socket["host"].text(), socket["port"].scalar())
    } else if let grpc @ Value::Object(_) = &probe["grpc"] {
        format!("grpc <pod>:{} {}", grpc["port"].int(), grpc["service"].text())
    } else {
        "unknown".to_owned()
    };
    format!("{action} {timing}")
}

/// The URL as Go prints it: an empty host stays empty, the path is percent-encoded.
fn url(get: &Value) -> String {
    let (host, port, path) = (get["host"].text(), get["port"].scalar(), get["path"].text());
    let host = match port.as_str() {
        "" => host.to_owned(),
        port => host_port(host, port),
    };
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    format!("{}://{host}{slash}{}", get["scheme"].text().to_lowercase(), encoded(path))
}

/// Joins host and port; IPv6 addresses get brackets.
pub(crate) fn host_port(host: &str, port: &str) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_probe_has_its_words() {
        let text = |mut probe: Value| {
            probe["periodSeconds"] = json!(10);
            let text = probe_text(&probe);
            text.split(" delay=").next().unwrap().to_owned()
        };
        let get =
            json!({"httpGet": {"path": "/a b?x=1", "port": "http", "scheme": "HTTPS", "host": "fd00::1"}});
        assert_eq!(text(get), "http-get https://[fd00::1]:http/a%20b%3Fx=1");
        assert_eq!(
            text(json!({"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}})),
            "http-get http://:80/"
        );
        assert_eq!(text(json!({"exec": {"command": ["cat", "/x"]}})), "exec [cat /x]");
        assert_eq!(text(json!({"tcpSocket": {"port": 3306}})), "tcp-socket :3306");
        assert_eq!(text(json!({"grpc": {"port": 9, "service": "s"}})), "grpc <pod>:9 s");
        assert_eq!(text(json!({})), "unknown");
    }
}
