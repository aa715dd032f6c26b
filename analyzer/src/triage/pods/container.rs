//! One container's status, as the API tells it.

use serde_json::Value;

use crate::triage::world::{array_at, int_at, str_at};

/// One container's status, whichever list of the pod it stands in.
pub struct Container<'a> {
    pub value: &'a Value,
    pub init: bool,
}

impl<'a> Container<'a> {
    pub fn name(&self) -> &'a str {
        str_at(self.value, "/name").unwrap_or_default()
    }

    pub fn restarts(&self) -> u64 {
        int_at(self.value, "/restartCount").and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }

    pub fn waiting(&self) -> Option<&'a str> {
        self.value.pointer("/state/waiting")?;
        Some(str_at(self.value, "/state/waiting/reason").unwrap_or("Waiting"))
    }

    /// Why it ended, when it ended badly.
    pub fn terminated(&self) -> Option<String> {
        ending(self.value.pointer("/state/terminated")?)
    }

    pub fn last_ending(&self) -> Option<String> {
        ending(self.value.pointer("/lastState/terminated")?)
    }

    pub fn is_running(&self) -> bool {
        self.value.pointer("/state/running").is_some()
    }

    pub fn is_ready(&self) -> bool {
        self.value.get("ready").and_then(Value::as_bool) == Some(true)
    }
}

/// `OOMKilled (exit 137)`, or the reason alone where a table told no more; `None` for an exit with success.
fn ending(terminated: &Value) -> Option<String> {
    let code = int_at(terminated, "/exitCode");
    match (str_at(terminated, "/reason"), code) {
        (None | Some("Completed"), None | Some(0)) => None,
        (reason, Some(code)) => Some(format!("{} (exit {code})", reason.unwrap_or("Error"))),
        (reason, None) => reason.map(str::to_owned),
    }
}

pub fn containers(pod: &Value) -> Vec<Container<'_>> {
    let init =
        array_at(pod, "/status/initContainerStatuses").iter().map(|v| Container { value: v, init: true });
    let main = array_at(pod, "/status/containerStatuses").iter().map(|v| Container { value: v, init: false });
    init.chain(main).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_with_success_is_no_ending() {
        assert_eq!(ending(&serde_json::json!({"exitCode": 0, "reason": "Completed"})), None);
        assert_eq!(
            ending(&serde_json::json!({"exitCode": 137, "reason": "OOMKilled"})).as_deref(),
            Some("OOMKilled (exit 137)")
        );
        assert_eq!(ending(&serde_json::json!({"reason": "Error"})).as_deref(), Some("Error"));
    }
}
