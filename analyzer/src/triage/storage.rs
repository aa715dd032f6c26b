//! Claims that are not bound and volumes that failed.

use serde_json::Value;

use crate::report::model::Severity;
use crate::snapshot::Object;

use super::draft::{Draft, full_name, named};
use super::model::{Cause, CauseKind, Relation};
use super::world::{World, array_at, event_message, str_at, subject, time_at};

/// The storage class that a claim asks for; the old annotation counts, an empty name does not.
pub fn class_of(claim: &Value) -> Option<&str> {
    str_at(claim, "/spec/storageClassName")
        .or_else(|| str_at(claim, "/metadata/annotations/volume.beta.kubernetes.io~1storage-class"))
}

pub fn problems<'a>(world: &World<'a>) -> Vec<Draft<'a>> {
    let claims = world.snapshot.objects.of("persistentvolumeclaims").iter().filter_map(|c| claim(world, c));
    let volumes = world.snapshot.objects.of("persistentvolumes").iter().filter_map(|v| volume(world, v));
    claims.chain(volumes).collect()
}

fn claim<'a>(world: &World<'a>, claim: &'a Object) -> Option<Draft<'a>> {
    let value = &*claim.value;
    let phase = str_at(value, "/status/phase").filter(|phase| matches!(*phase, "Pending" | "Lost"))?;
    let (namespace, name) = (claim.namespace().unwrap_or_default(), claim.name().unwrap_or_default());
    let class = class_of(value);
    let event = world.last_event(
        "PersistentVolumeClaim",
        namespace,
        name,
        &["ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "WaitForFirstConsumer"],
    );
    // A class that waits for its first pod leaves unused claims pending, which is how it should be.
    let waits = class
        .and_then(|class| world.get("StorageClass", "", class))
        .is_some_and(|class| str_at(&class.value, "/volumeBindingMode") == Some("WaitForFirstConsumer"));
    if phase == "Pending" && waits && !is_used(world, namespace, name) {
        return None;
    }
    let about = subject("PersistentVolumeClaim", claim);
    let mut draft = Draft::new(world.snapshot, claim, about.clone(), phase)
        .severity(Severity::Error)
        .message(event.and_then(event_message))
        .since(time_at(value, "/metadata/creationTimestamp"));
    draft.cause = match class {
        Some(class) => {
            draft.edge(about, named("StorageClass", None, class), Relation::ProvisionedBy);
            Cause { kind: CauseKind::StorageClass, name: class.to_owned() }
        }
        None => Cause { kind: CauseKind::Claim, name: full_name(&about) },
    };
    Some(draft)
}

fn is_used(world: &World, namespace: &str, claim: &str) -> bool {
    world.snapshot.objects.of("pods").iter().any(|pod| {
        pod.namespace() == Some(namespace)
            && array_at(&pod.value, "/spec/volumes")
                .iter()
                .any(|volume| str_at(volume, "/persistentVolumeClaim/claimName") == Some(claim))
    })
}

fn volume<'a>(world: &World<'a>, volume: &'a Object) -> Option<Draft<'a>> {
    let value = &*volume.value;
    str_at(value, "/status/phase").filter(|phase| *phase == "Failed")?;
    let mut draft = Draft::new(world.snapshot, volume, subject("PersistentVolume", volume), "Failed")
        .message(str_at(value, "/status/message"));
    if let Some(class) = class_of(value) {
        draft.cause = Cause { kind: CauseKind::StorageClass, name: class.to_owned() };
    }
    Some(draft)
}
