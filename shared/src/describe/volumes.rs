//! Volumes of pods and sources of persistent volumes.
//!
//! kubectl prints some thirty kinds of volume, each as a handful of fields. They are a table here: the field of
//! the object that names the kind, kubectl's words for it, and its lines.

use serde_json::Value;

use super::labels::{shorten, sorted};
use super::page::{Page, line};
use super::{Context, claims};
use crate::objects::Field;
use crate::quantity::Quantity;

/// How one field of a volume is printed.
#[derive(Clone, Copy)]
enum Shape {
    /// Text or number, empty when missing.
    Plain,
    /// Number, 0 when missing.
    Number,
    /// `true` or `false`.
    Flag,
    /// Text, or this when missing.
    Or(&'static str),
    /// `[a b]`
    Brackets,
    /// `a, b`
    Commas,
    /// `map[a:1 b:2]`
    Map,
    /// A reference to a Secret, as Go prints the structure.
    Reference,
    /// The size of an EmptyDir: unset also when it is zero.
    Size,
}

use Shape::{Brackets, Commas, Flag, Map, Number, Or, Plain, Reference, Size};

/// Title (with its colon), field, shape.
type Line = (&'static str, &'static str, Shape);

struct Source {
    field: &'static str,
    words: &'static str,
    lines: &'static [Line],
}

const SECRET_REF: Line = ("SecretRef:", "secretRef", Reference);
const READ_ONLY: Line = ("ReadOnly:", "readOnly", Flag);
const FS_TYPE: Line = ("FSType:", "fsType", Plain);

const SOURCES: &[Source] = &[
    Source {
        field: "hostPath",
        words: "HostPath (bare host directory volume)",
        lines: &[("Path:", "path", Plain), ("HostPathType:", "type", Or("<none>"))],
    },
    Source {
        field: "emptyDir",
        words: "EmptyDir (a temporary directory that shares a pod's lifetime)",
        lines: &[("Medium:", "medium", Plain), ("SizeLimit:", "sizeLimit", Size)],
    },
    Source {
        field: "gcePersistentDisk",
        words: "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        lines: &[("PDName:", "pdName", Plain), FS_TYPE, ("Partition:", "partition", Number), READ_ONLY],
    },
    Source {
        field: "awsElasticBlockStore",
        words: "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        lines: &[("VolumeID:", "volumeID", Plain), FS_TYPE, ("Partition:", "partition", Number), READ_ONLY],
    },
    Source {
        field: "gitRepo",
        words: "GitRepo (a volume that is pulled from git when the pod is created)",
        lines: &[("Repository:", "repository", Plain), ("Revision:", "revision", Plain)],
    },
    Source {
        field: "secret",
        words: "Secret (a volume populated by a Secret)",
        lines: &[("SecretName:", "secretName", Plain), ("Optional:", "optional", Flag)],
    },
    Source {
        field: "configMap",
        words: "ConfigMap (a volume populated by a ConfigMap)",
        lines: &[("Name:", "name", Plain), ("Optional:", "optional", Flag)],
    },
    Source {
        field: "nfs",
        words: "NFS (an NFS mount that lasts the lifetime of a pod)",
        lines: &[("Server:", "server", Plain), ("Path:", "path", Plain), READ_ONLY],
    },
    Source {
        field: "iscsi",
        words: "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        lines: &[
            ("TargetPortal:", "targetPortal", Plain),
            ("IQN:", "iqn", Plain),
            ("Lun:", "lun", Number),
            ("ISCSIInterface", "iscsiInterface", Plain),
            FS_TYPE,
            READ_ONLY,
            ("Portals:", "portals", Brackets),
            ("DiscoveryCHAPAuth:", "chapAuthDiscovery", Flag),
            ("SessionCHAPAuth:", "chapAuthSession", Flag),
            SECRET_REF,
            ("InitiatorName:", "initiatorName", Or("<none>")),
        ],
    },
    Source {
        field: "persistentVolumeClaim",
        words: "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        lines: &[("ClaimName:", "claimName", Plain), READ_ONLY],
    },
    Source {
        field: "rbd",
        words: "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        lines: &[
            ("CephMonitors:", "monitors", Brackets),
            ("RBDImage:", "image", Plain),
            FS_TYPE,
            ("RBDPool:", "pool", Plain),
            ("RadosUser:", "user", Plain),
            ("Keyring:", "keyring", Plain),
            SECRET_REF,
            READ_ONLY,
        ],
    },
    Source {
        field: "quobyte",
        words: "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        lines: &[("Registry:", "registry", Plain), ("Volume:", "volume", Plain), READ_ONLY],
    },
    Source {
        field: "azureDisk",
        words: "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        lines: &[
            ("DiskName:", "diskName", Plain),
            ("DiskURI:", "diskURI", Plain),
            ("Kind:", "kind", Plain),
            FS_TYPE,
            ("CachingMode:", "cachingMode", Plain),
            READ_ONLY,
        ],
    },
    Source {
        field: "vsphereVolume",
        words: "vSphereVolume (a Persistent Disk resource in vSphere)",
        lines: &[
            ("VolumePath:", "volumePath", Plain),
            FS_TYPE,
            ("StoragePolicyName:", "storagePolicyName", Plain),
        ],
    },
    Source {
        field: "cinder",
        words: "Cinder (a Persistent Disk resource in OpenStack)",
        lines: &[("VolumeID:", "volumeID", Plain), FS_TYPE, READ_ONLY, SECRET_REF],
    },
    Source {
        field: "photonPersistentDisk",
        words: "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        lines: &[("PdID:", "pdID", Plain), FS_TYPE],
    },
    Source {
        field: "portworxVolume",
        words: "PortworxVolume (a Portworx Volume resource)",
        lines: &[("VolumeID:", "volumeID", Plain)],
    },
    Source {
        field: "local",
        words: "LocalVolume (a persistent volume backed by local storage on a node)",
        lines: &[("Path:", "path", Plain)],
    },
    Source {
        field: "cephfs",
        words: "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        lines: &[
            ("Monitors:", "monitors", Brackets),
            ("Path:", "path", Plain),
            ("User:", "user", Plain),
            ("SecretFile:", "secretFile", Plain),
            SECRET_REF,
            READ_ONLY,
        ],
    },
    Source {
        field: "storageos",
        words: "StorageOS (a StorageOS Persistent Disk resource)",
        lines: &[
            ("VolumeName:", "volumeName", Plain),
            ("VolumeNamespace:", "volumeNamespace", Plain),
            FS_TYPE,
            READ_ONLY,
        ],
    },
    Source {
        field: "fc",
        words: "FC (a Fibre Channel disk)",
        lines: &[("TargetWWNs:", "targetWWNs", Commas), ("LUN:", "lun", Or("<none>")), FS_TYPE, READ_ONLY],
    },
    Source {
        field: "flexVolume",
        words: "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        lines: &[("Driver:", "driver", Plain), FS_TYPE, SECRET_REF, READ_ONLY, ("Options:", "options", Map)],
    },
    Source {
        field: "flocker",
        words: "Flocker (a Flocker volume mounted by the Flocker agent)",
        lines: &[("DatasetName:", "datasetName", Plain), ("DatasetUUID:", "datasetUUID", Plain)],
    },
    Source {
        field: "image",
        words: "Image (a container image or OCI artifact)",
        lines: &[("Reference:", "reference", Plain), ("PullPolicy:", "pullPolicy", Plain)],
    },
];

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
