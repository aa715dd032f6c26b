//! Secrets compared, not copied: whether what a file of the installation says is what the cluster holds.
//!
//! Two cases turn on it. Nothing is asked for unless the user wants it, and nothing but the result is kept: no value, no
//! hash of one.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One comparison that decides a case.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Name of the row.
    pub name: &'static str,
    /// File below the installation directory, and the key in it.
    pub file: &'static str,
    pub key: &'static str,
    pub namespace: &'static str,
    pub live: Live,
}

/// Where the cluster's value is.
#[derive(Debug, Clone, Copy)]
pub enum Live {
    /// A key of a Secret.
    Secret { name: &'static str, key: &'static str },
    /// The token of a service account, in whichever Secret holds it.
    Token { account: &'static str },
}

/// The deployment credentials of PaaS against the live service account, and the token of the container gateway
/// against that in the monitor's values.
pub const COMPARISONS: &[Comparison] = &[
    Comparison {
        name: "paas-cluster-token",
        file: "environments/default/paas3_initial_cluster.yaml",
        key: "tokenValue",
        namespace: "blueking",
        live: Live::Token { account: "bk-paasengine" },
    },
    Comparison {
        name: "bcs-gateway-token",
        file: "environments/default/bkmonitor-custom-values.yaml.gotmpl",
        key: "bcsApiGatewayToken",
        namespace: "bcs-system",
        live: Live::Secret { name: "bcs-password", key: "gateway_token" },
    },
];

impl Comparison {
    /// The request whose answer [`Self::live_values`] reads.
    pub fn path(&self) -> String {
        let secrets = format!("/api/v1/namespaces/{}/secrets", self.namespace);
        match self.live {
            Live::Secret { name, .. } => format!("{secrets}/{name}"),
            Live::Token { .. } => {
                format!("{secrets}?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token")
            }
        }
    }

    /// The cluster's values, as the API writes them (base64), out of the answer to [`Self::path`].
    pub fn live_values(&self, answer: &Value) -> Vec<String> {
        let of = |secret: &Value, key: &str| secret["data"][key].as_str().map(str::to_owned);
        match self.live {
            Live::Secret { key, .. } => of(answer, key).into_iter().collect(),
            Live::Token { account } => answer["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|secret| {
                    secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] == account
                })
                .filter_map(|secret| of(secret, "token"))
                .collect(),
        }
    }

    /// The row. `file`: the file's text, or why there is none; `live`: likewise the cluster's values.
    pub fn answer(&self, file: Result<&str, String>, live: Result<Vec<String>, String>) -> Value {
        let (result, reason) = match (file.map(|text| values(text, self.key)), live) {
            (Err(why), _) | (_, Err(why)) => ("unknown", Some(why)),
            (Ok(here), _) if here.is_empty() => {
                ("unknown", Some(format!("{} holds no {}", self.file, self.key)))
            }
            (_, Ok(there)) if there.is_empty() => {
                ("unknown", Some("the cluster holds no such secret".to_owned()))
            }
            (Ok(here), Ok(there)) => {
                let equal = there.iter().any(|value| spellings(value).iter().any(|one| here.contains(one)));
                (if equal { "equal" } else { "different" }, None)
            }
        };
        let mut row = json!({"kind": "comparison", "name": self.name, "file": self.file, "result": result});
        if let Some(reason) = reason {
            row["reason"] = reason.into();
        }
        row
    }
}

/// The values of a key in YAML or in a template of it: templates are no YAML, so lines are looked at.
fn values(text: &str, key: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            if name.trim().trim_start_matches("- ").trim_matches('"') != key {
                return None;
            }
            let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
            (!value.is_empty()).then(|| value.to_owned())
        })
        .collect()
}

/// The file may hold the value itself or the base64 of it.
fn spellings(base64: &str) -> Vec<String> {
    let decoded = STANDARD.decode(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    [Some(base64.to_owned()), decoded.map(|value| value.trim().to_owned())].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "dGlnZXItdG9rZW4=";

    fn paas() -> Comparison {
        COMPARISONS[0]
    }

    fn secrets() -> Value {
        let secret = |account: &str, token: &str| json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": account}}, "data": {"token": token}});
        json!({"items": [secret("default", "b3RoZXI="), secret("bk-paasengine", TOKEN)]})
    }

    #[test]
    fn only_the_result_is_kept() {
        let live = paas().live_values(&secrets());
        assert_eq!(live.len(), 1);
        for (file, result) in [
            ("initial:\n  tokenValue: \"tiger-token\"\n", "equal"),
            ("  tokenValue: dGlnZXItdG9rZW4=  # kept\n", "equal"),
            ("  tokenValue: lion-token\n", "different"),
            ("  #tokenValue: tiger-token\n", "unknown"),
        ] {
            let row = paas().answer(Ok(file), Ok(live.clone()));
            assert_eq!(row["result"], result, "{file}");
            let text = row.to_string();
            assert!(!text.contains("tiger") && !text.contains("lion") && !text.contains(TOKEN), "{text}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_unknown_with_its_reason() {
        let row = paas().answer(Err("no such file".into()), Ok(vec![TOKEN.into()]));
        assert_eq!((&row["result"], &row["reason"]), (&json!("unknown"), &json!("no such file")));
        assert_eq!(paas().answer(Ok("tokenValue: a"), Ok(vec![]))["result"], "unknown");
        assert!(COMPARISONS[1].path().ends_with("/namespaces/bcs-system/secrets/bcs-password"));
    }
}
