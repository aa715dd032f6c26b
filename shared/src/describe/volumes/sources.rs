//! The kinds of volume that are a list of fields: what names them, kubectl's words for them, their lines.

/// How one field of a volume is printed.
#[derive(Clone, Copy)]
pub(super) enum Shape {
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
pub(super) type Line = (&'static str, &'static str, Shape);

pub(super) struct Source {
    pub(super) field: &'static str,
    pub(super) words: &'static str,
    pub(super) lines: &'static [Line],
}

const SECRET_REF: Line = ("SecretRef:", "secretRef", Reference);
pub(super) const READ_ONLY: Line = ("ReadOnly:", "readOnly", Flag);
pub(super) const FS_TYPE: Line = ("FSType:", "fsType", Plain);

pub(super) const SOURCES: &[Source] = &[
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
