//! What an object is that says no kind: collectors that encode the API's types by themselves leave it out.

use serde_json::Value;

use super::kinds::{self, Resource};

/// Pointers that all have to be there, and what an object is that has them. The first that fits counts, so what is more
/// particular stands before what is less so.
const SHAPES: &[(&[&str], &str, &str)] = &[
    (&["/status/nodeInfo"], "v1", "Node"),
    (&["/involvedObject", "/reason"], "v1", "Event"),
    (&["/regarding", "/reason"], "events.k8s.io/v1", "Event"),
    (&["/spec/jobTemplate", "/spec/schedule"], "batch/v1", "CronJob"),
    (&["/spec/template/spec/containers", "/spec/serviceName"], "apps/v1", "StatefulSet"),
    (&["/spec/template/spec/containers", "/spec/volumeClaimTemplates"], "apps/v1", "StatefulSet"),
    (&["/spec/template/spec/containers", "/status/desiredNumberScheduled"], "apps/v1", "DaemonSet"),
    (&["/spec/template/spec/containers", "/spec/strategy"], "apps/v1", "Deployment"),
    (&["/spec/template/spec/containers", "/spec/backoffLimit"], "batch/v1", "Job"),
    (&["/spec/template/spec/containers", "/spec/completions"], "batch/v1", "Job"),
    (&["/spec/template/spec/containers", "/spec/replicas", "/status/replicas"], "apps/v1", "ReplicaSet"),
    (&["/spec/containers", "/status/phase"], "v1", "Pod"),
    (&["/spec/containers", "/spec/nodeName"], "v1", "Pod"),
    (&["/spec/accessModes", "/spec/persistentVolumeReclaimPolicy"], "v1", "PersistentVolume"),
    (&["/spec/accessModes", "/spec/resources/requests"], "v1", "PersistentVolumeClaim"),
    (&["/provisioner", "/reclaimPolicy"], "storage.k8s.io/v1", "StorageClass"),
    (&["/spec/ports", "/spec/sessionAffinity"], "v1", "Service"),
    (&["/spec/names/plural", "/spec/group"], "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    (&["/spec/scaleTargetRef", "/spec/maxReplicas"], "autoscaling/v2", "HorizontalPodAutoscaler"),
    (
        &["/status/versions", "/status/conditions", "/status/relatedObjects"],
        "config.openshift.io/v1",
        "ClusterOperator",
    ),
];

/// Writes its kind into an object whose fields are those of one kind alone, and says which.
pub(super) fn tell(value: &mut Value) -> Option<Resource> {
    let has = |pointer: &&str| value.pointer(pointer).is_some_and(|field| !field.is_null());
    if !has(&"/metadata/name") {
        return None;
    }
    let (_, version, kind) = SHAPES.iter().find(|(pointers, ..)| pointers.iter().all(has))?;
    value["kind"] = Value::from(*kind);
    value["apiVersion"] = Value::from(*version);
    Some(kinds::of_kind(version, kind))
}

/// Whether a JSON text is an object of which [`tell`] knows the kind, or an array that begins with one.
pub(super) fn has_any(text: &str) -> bool {
    if !text.contains("\"metadata\"") {
        return false;
    }
    let mut value = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) => items.into_iter().next().unwrap_or_default(),
        Ok(value) => value,
        Err(_) => return false,
    };
    tell(&mut value).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(mut value: Value) -> Option<String> {
        tell(&mut value)?;
        Some(value["kind"].as_str().unwrap().to_owned())
    }

    #[test]
    fn fields_tell_what_an_object_is() {
        let named = |rest: Value| {
            let mut value = json!({"metadata": {"name": "a", "namespace": "b"}});
            value.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            kind(value)
        };
        let template = json!({"spec": {"containers": [{"name": "c"}]}});
        assert_eq!(
            named(json!({"spec": {"containers": []}, "status": {"phase": "Running"}})).as_deref(),
            Some("Pod")
        );
        assert_eq!(named(json!({"status": {"nodeInfo": {}}})).as_deref(), Some("Node"));
        assert_eq!(
            named(json!({"spec": {"template": template, "strategy": {}, "replicas": 1}})).as_deref(),
            Some("Deployment")
        );
        assert_eq!(named(json!({"spec": {"template": template, "backoffLimit": 6}})).as_deref(), Some("Job"));
        // Helm's values, a list of jobs of a CI and a status page have names, too.
        assert_eq!(named(json!({"spec": {"replicas": 1}, "status": "ok"})), None);
        assert_eq!(kind(json!({"spec": {"containers": []}, "status": {"phase": "Running"}})), None);
    }
}
