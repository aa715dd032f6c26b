//! Volumes, claims, classes, and what attaches them.

use serde_json::Value;

use super::{Row, or};
use crate::describe::claims::{access_modes, capacity, class as class_of};
use crate::objects::{Field, name};

const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

fn phase(object: &Value) -> &str {
    match &object["metadata"]["deletionTimestamp"] {
        Value::Null => object["status"]["phase"].text(),
        _ => "Terminating",
    }
}

pub(super) fn volume(row: &mut Row, volume: &Value) {
    let (spec, claim) = (&volume["spec"], &volume["spec"]["claimRef"]);
    row.name(volume);
    row.text("Capacity", capacity(&spec["capacity"]));
    row.text("Access Modes", access_modes(&spec["accessModes"]));
    row.text("Reclaim Policy", spec["persistentVolumeReclaimPolicy"].text());
    row.text("Status", phase(volume));
    row.text(
        "Claim",
        if claim.is_object() {
            format!("{}/{}", claim["namespace"].text(), claim["name"].text())
        } else {
            String::new()
        },
    );
    row.text("StorageClass", class_of(volume));
    if row.minor() >= 29 {
        row.text("VolumeAttributesClass", or(&spec["volumeAttributesClassName"], "<unset>"));
    }
    row.text("Reason", volume["status"]["reason"].text());
    row.age(volume);
    row.wide("VolumeMode", or(&spec["volumeMode"], "<unset>"));
}

pub(super) fn claim(row: &mut Row, claim: &Value) {
    let (spec, status) = (&claim["spec"], &claim["status"]);
    let bound = spec["volumeName"].some_text().is_some();
    row.name(claim);
    row.text("Status", phase(claim));
    row.text("Volume", spec["volumeName"].text());
    row.text("Capacity", if bound { capacity(&status["capacity"]) } else { String::new() });
    row.text("Access Modes", if bound { access_modes(&status["accessModes"]) } else { String::new() });
    row.text("StorageClass", class_of(claim));
    if row.minor() >= 29 {
        row.text("VolumeAttributesClass", or(&spec["volumeAttributesClassName"], "<unset>"));
    }
    row.age(claim);
    row.wide("VolumeMode", or(&spec["volumeMode"], "<unset>"));
}

pub(super) fn class(row: &mut Row, class: &Value) {
    let annotations = &class["metadata"]["annotations"];
    let is_default = DEFAULT_CLASS.iter().any(|key| annotations[*key] == "true");
    let shown = format!("{}{}", name(class), if is_default { " (default)" } else { "" });
    row.cell(super::Column::of_names, shown.into());
    row.text("Provisioner", class["provisioner"].text());
    row.text("ReclaimPolicy", or(&class["reclaimPolicy"], "Delete"));
    row.text("VolumeBindingMode", or(&class["volumeBindingMode"], "Immediate"));
    row.cell(
        || super::Column::new("AllowVolumeExpansion", "string", 0),
        class["allowVolumeExpansion"].flag().into(),
    );
    row.age(class);
}

pub(super) fn attachment(row: &mut Row, attachment: &Value) {
    let spec = &attachment["spec"];
    row.name(attachment);
    row.text("Attacher", spec["attacher"].text());
    row.text("PV", spec["source"]["persistentVolumeName"].text());
    row.text("Node", spec["nodeName"].text());
    row.flag("Attached", attachment["status"]["attached"].flag());
    row.age(attachment);
}

pub(super) fn csi_node(row: &mut Row, node: &Value) {
    row.name(node);
    row.int("Drivers", i64::try_from(node["spec"]["drivers"].items().len()).unwrap_or(i64::MAX));
    row.age(node);
}

pub(super) fn csi_driver(row: &mut Row, driver: &Value) {
    let spec = &driver["spec"];
    let modes: Vec<&str> = spec["volumeLifecycleModes"].items().iter().map(Value::text).collect();
    row.name(driver);
    row.flag("AttachRequired", spec["attachRequired"].as_bool().unwrap_or(true));
    row.flag("PodInfoOnMount", spec["podInfoOnMount"].flag());
    if row.minor() >= 21 {
        let audiences = spec["tokenRequests"].items().iter().map(|request| request["audience"].text());
        let tokens = audiences.collect::<Vec<_>>().join(",");
        row.flag("StorageCapacity", spec["storageCapacity"].flag());
        row.text("TokenRequests", if tokens.is_empty() { "<unset>".to_owned() } else { tokens });
        row.flag("RequiresRepublish", spec["requiresRepublish"].flag());
    }
    row.text("Modes", if modes.is_empty() { "<none>".to_owned() } else { modes.join(",") });
    row.age(driver);
}
