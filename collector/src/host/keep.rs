//! Taking from a configuration file only what is known to hold no secret.
//!
//! A list of what may stay, never of what must go: a new option for a token must not slip through.

use serde_json::Value;

/// Keeps the lines `key = value` and their continued lists whose key is in `keys`, and section headers that are not
/// about credentials. For TOML as container runtimes write it.
pub fn toml(text: &str, keys: &[&str]) -> String {
    let mut kept = String::new();
    let mut inside_list = false;
    for line in text.lines() {
        let bare = line.trim();
        let keep = if inside_list {
            true
        } else if bare.starts_with('[') {
            !bare.contains(".auth") && !bare.contains(".header")
        } else {
            bare.split_once('=').is_some_and(|(key, _)| keys.contains(&key.trim().trim_matches('"')))
        };
        if keep {
            kept.push_str(line);
            kept.push('\n');
            let opens = bare.split_once('=').is_some_and(|(_, value)| value.trim_start().starts_with('['));
            inside_list = (inside_list || opens) && !bare.contains(']');
        }
    }
    kept
}

/// Keeps the top-level keys of a block-style YAML document that are in `keys`, with what is indented below them.
pub fn yaml(text: &str, keys: &[&str]) -> String {
    let mut kept = String::new();
    let mut keep = false;
    for line in text.lines() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            keep = line.split_once(':').is_some_and(|(key, _)| keys.contains(&key));
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Keeps the top-level members of a JSON object that are in `keys`; `None` where the text is no JSON object.
pub fn json(text: &str, keys: &[&str]) -> Option<String> {
    let Value::Object(mut members) = serde_json::from_str(text).ok()? else { return None };
    members.retain(|key, _| keys.contains(&key.as_str()));
    serde_json::to_string_pretty(&members).ok()
}

/// Keeps the arguments `--key=value` and `--key value` of a command line (parts ended by NUL) that are in `keys`,
/// one `key=value` a line.
pub fn arguments(text: &str, keys: &[&str]) -> String {
    let words: Vec<&str> = text.split('\0').collect();
    let mut kept = String::new();
    for (at, word) in words.iter().enumerate() {
        let Some(word) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let next = words.get(at + 1).filter(|next| !next.starts_with('-') && !next.is_empty());
        let (key, value) = word.split_once('=').unwrap_or_else(|| (word, next.map_or("true", |next| next)));
        if keys.contains(&key) {
            kept.push_str(&format!("{key}={value}\n"));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_a_runtime_do_not_stay() {
        let text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"r\".auth]\n  username = \"u\"\n\
                    \x20 password = \"tiger\"\n[plugins.x.registry.mirrors.\"docker.io\"]\n  endpoint = [\n    \"https://m1\",\n\
                    \x20   \"https://m2\"\n  ]\n  token = \"tiger\"\n";
        let kept = toml(text, &["version", "endpoint"]);
        assert!(!kept.contains("tiger") && !kept.contains("auth"), "{kept}");
        assert!(kept.contains("https://m2") && kept.contains("version = 2"));
    }

    #[test]
    fn only_named_keys_of_yaml_json_and_arguments_stay() {
        let kept = yaml(
            "clusterDNS:\n- 10.96.0.10\nstaticPodURLHeader:\n  authorization: [tiger]\nmaxPods: 110\n",
            &["clusterDNS", "maxPods"],
        );
        assert_eq!(kept, "clusterDNS:\n- 10.96.0.10\nmaxPods: 110\n");
        let kept = json(
            r#"{"registry-mirrors":["https://m"],"log-opts":{"splunk-token":"tiger"}}"#,
            &["registry-mirrors"],
        );
        assert!(kept.as_deref().is_some_and(|kept| kept.contains("https://m") && !kept.contains("tiger")));
        assert_eq!(json("{", &[]), None);
        let line = "/usr/bin/kubelet\0--config=/c\0--token\0tiger\0--v\x002\0--fail-swap-on\0--max-pods=9\0";
        assert_eq!(arguments(line, &["config", "v", "fail-swap-on"]), "config=/c\nv=2\nfail-swap-on=true\n");
    }
}
