//! Volumes of pods and sources of persistent volumes.
//!
//! kubectl prints some thirty kinds of volume, most of them as a handful of fields. Those are the table in [`sources`];
//! the others, and the few whose form in a persistent volume differs, are here.

mod sources;

use serde_json::Value;

use super::labels::{shorten, sorted};
use super::page::{Page, line};
use super::{Context, claims};
use crate::objects::Field;
use crate::quantity::Quantity;
use Shape::{Brackets, Commas, Flag, Map, Number, Or, Plain, Reference, Size};
use sources::{FS_TYPE, Line, READ_ONLY, SOURCES, Shape};

const GLUSTER_WORDS: &str = "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)";
const AZURE_FILE_WORDS: &str =
    "AzureFile (an Azure File Service mount on the host and bind mount to the pod)";
const SCALE_IO_WORDS: &str = "ScaleIO (a persistent volume backed by a block device in ScaleIO)";

/// The volumes of a pod; `indent` is two blanks for a template.
pub(super) fn volumes(page: &mut Page, indent: &str, volumes: &Value, cx: Context<'_>) {
    if volumes.items().is_empty() {
        return line!(page, 0, "{indent}Volumes:\t<none>");
    }
    line!(page, 0, "{indent}Volumes:");
    let name_indent = if indent.is_empty() { "" } else { " " };
    for volume in volumes.items() {
        line!(page, 1, "{name_indent}{}:", volume["name"].text());
        if !special(page, volume, cx) && !tabled(page, volume, "LocalObjectReference") {
            line!(page, 1, "<unknown>");
        }
    }
}

/// The source of a persistent volume.
pub(super) fn persistent_source(page: &mut Page, spec: &Value) {
    let special = if let gluster @ Value::Object(_) = &spec["glusterfs"] {
        line!(page, 2, "Type:\t{GLUSTER_WORDS}");
        fields(
            page,
            gluster,
            "",
            &[
                ("EndpointsName:", "endpoints", Plain),
                ("EndpointsNamespace:", "endpointsNamespace", Or("<unset>")),
                ("Path:", "path", Plain),
                READ_ONLY,
            ],
        );
        true
    } else if let azure @ Value::Object(_) = &spec["azureFile"] {
        line!(page, 2, "Type:\t{AZURE_FILE_WORDS}");
        fields(
            page,
            azure,
            "",
            &[
                ("SecretName:", "secretName", Plain),
                ("SecretNamespace:", "secretNamespace", Plain),
                ("ShareName:", "shareName", Plain),
                READ_ONLY,
            ],
        );
        true
    } else if let csi @ Value::Object(_) = &spec["csi"] {
        line!(page, 2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)");
        fields(
            page,
            csi,
            "",
            &[("Driver:", "driver", Plain), FS_TYPE, ("VolumeHandle:", "volumeHandle", Plain), READ_ONLY],
        );
        attributes(page, &csi["volumeAttributes"]);
        true
    } else {
        scale_io(page, &spec["scaleIO"], true)
    };
    if !special && !tabled(page, spec, "SecretReference") {
        line!(page, 1, "<unknown>");
    }
}

fn tabled(page: &mut Page, volume: &Value, reference: &str) -> bool {
    let Some(source) = SOURCES.iter().find(|source| volume[source.field].is_object()) else { return false };
    line!(page, 2, "Type:\t{}", source.words);
    fields(page, &volume[source.field], reference, source.lines);
    true
}

fn fields(page: &mut Page, source: &Value, reference: &str, lines: &[Line]) {
    for (title, field, shape) in lines {
        line!(page, 2, "{title}\t{}", shaped(&source[*field], *shape, reference));
    }
}

fn shaped(value: &Value, shape: Shape, reference: &str) -> String {
    let texts = || value.items().iter().map(Value::text).collect::<Vec<_>>();
    match shape {
        Plain => value.scalar(),
        Number => value.int().to_string(),
        Flag => value.flag().to_string(),
        Or(default) if value.is_null() => default.to_owned(),
        Or(_) => value.scalar(),
        Brackets => format!("[{}]", texts().join(" ")),
        Commas => texts().join(", "),
        Map => {
            let entries = sorted(value).into_iter().map(|(key, value)| format!("{key}:{}", value.scalar()));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        Reference if value.is_null() => "nil".to_owned(),
        Reference if reference == "SecretReference" => {
            format!("&{reference}{{Name:{},Namespace:{},}}", value["name"].text(), value["namespace"].text())
        }
        Reference => format!("&{reference}{{Name:{},}}", value["name"].text()),
        Size => match value.scalar().parse::<Quantity>() {
            Ok(size) if size > Quantity::default() => value.scalar(),
            _ => "<unset>".to_owned(),
        },
    }
}

/// Kinds that are more than a list of fields. Says whether `volume` was one.
fn special(page: &mut Page, volume: &Value, cx: Context<'_>) -> bool {
    if let projected @ Value::Object(_) = &volume["projected"] {
        self::projected(page, projected);
    } else if let downward @ Value::Object(_) = &volume["downwardAPI"] {
        line!(page, 2, "Type:\tDownwardAPI (a volume populated by information about the pod)");
        line!(page, 2, "Items:");
        for item in downward["items"].items() {
            for from in [&item["fieldRef"]["fieldPath"], &item["resourceFieldRef"]["resource"]] {
                if let Some(from) = from.as_str() {
                    line!(page, 3, "{from} -> {}", item["path"].text());
                }
            }
        }
    } else if let csi @ Value::Object(_) = &volume["csi"] {
        line!(page, 2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)");
        fields(page, csi, "", &[("Driver:", "driver", Plain), FS_TYPE, READ_ONLY]);
        attributes(page, &csi["volumeAttributes"]);
    } else if let ephemeral @ Value::Object(_) = &volume["ephemeral"] {
        line!(
            page,
            2,
            "Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)"
        );
        if let template @ Value::Object(_) = &ephemeral["volumeClaimTemplate"] {
            claims::template_of_ephemeral(page, template);
        }
        if !cx.is_132() {
            line!(page, 2, "ReadOnly:\t{}", ephemeral["readOnly"].flag());
        }
    } else if let gluster @ Value::Object(_) = &volume["glusterfs"] {
        line!(page, 2, "Type:\t{GLUSTER_WORDS}");
        fields(
            page,
            gluster,
            "",
            &[("EndpointsName:", "endpoints", Plain), ("Path:", "path", Plain), READ_ONLY],
        );
    } else if let azure @ Value::Object(_) = &volume["azureFile"] {
        line!(page, 2, "Type:\t{AZURE_FILE_WORDS}");
        fields(
            page,
            azure,
            "",
            &[("SecretName:", "secretName", Plain), ("ShareName:", "shareName", Plain), READ_ONLY],
        );
    } else {
        return scale_io(page, &volume["scaleIO"], false);
    }
    true
}

fn projected(page: &mut Page, projected: &Value) {
    line!(page, 2, "Type:\tProjected (a volume that contains injected data from multiple sources)");
    for source in projected["sources"].items() {
        // kubectl prints the address of the flag where there is one.
        let optional = |source: &Value| match &source["optional"] {
            Value::Null => "<nil>".to_owned(),
            flag => flag.to_string(),
        };
        if let secret @ Value::Object(_) = &source["secret"] {
            line!(page, 2, "SecretName:\t{}", secret["name"].text());
            line!(page, 2, "SecretOptionalName:\t{}", optional(secret));
        } else if source["downwardAPI"].is_object() {
            line!(page, 2, "DownwardAPI:\ttrue");
        } else if let map @ Value::Object(_) = &source["configMap"] {
            line!(page, 2, "ConfigMapName:\t{}", map["name"].text());
            line!(page, 2, "ConfigMapOptional:\t{}", optional(map));
        } else if let token @ Value::Object(_) = &source["serviceAccountToken"] {
            line!(page, 2, "TokenExpirationSeconds:\t{}", token["expirationSeconds"].int());
        }
    }
}

fn scale_io(page: &mut Page, source: &Value, persistent: bool) -> bool {
    if !source.is_object() {
        return false;
    }
    line!(page, 2, "Type:\t{SCALE_IO_WORDS}");
    fields(
        page,
        source,
        "",
        &[
            ("Gateway:", "gateway", Plain),
            ("System:", "system", Plain),
            ("Protection Domain:", "protectionDomain", Plain),
            ("Storage Pool:", "storagePool", Plain),
            ("Storage Mode:", "storageMode", Plain),
            ("VolumeName:", "volumeName", Plain),
        ],
    );
    if persistent {
        line!(page, 2, "SecretName:\t{}", source["secretRef"]["name"].text());
        line!(page, 2, "SecretNamespace:\t{}", source["secretRef"]["namespace"].text());
    }
    fields(page, source, "", &[FS_TYPE, READ_ONLY]);
    true
}

/// Longest line of an attribute.
const MAX_ATTRIBUTE: usize = 140;

/// Attributes of a CSI volume; kubectl indents each of them once more.
fn attributes(page: &mut Page, attributes: &Value) {
    let lines: Vec<String> = sorted(attributes)
        .into_iter()
        .map(|(key, value)| format!("    {}", shorten(&format!("{key}={}", value.scalar()), MAX_ATTRIBUTE)))
        .collect();
    page.entries(2, "", "VolumeAttributes", &lines);
}
