//! Whether the product that a pack of rules is about is there.

use std::collections::HashMap;

use serde_json::Value;

use super::glob;
use crate::rules::RuleSet;
use crate::rules::expr::Truth;
use crate::rules::pack::Applies;
use crate::snapshot::{Known, Object, Snapshot, TextKind};

/// Bytes of one pasted text in which words of a product are looked for.
const LOOKED_THROUGH: usize = 8 << 20;

/// For each section (`pack/section`) that some rule is of: true where there is a sign of its product, false where all pods
/// were read and there is none, unknown else. Sections that apply everywhere are true.
pub fn sections(rules: &RuleSet, snapshot: &Snapshot) -> HashMap<String, Truth> {
    let mut known: HashMap<String, Truth> = HashMap::new();
    let mut of_pack: HashMap<*const Applies, Truth> = HashMap::new();
    for rule in rules.iter() {
        if known.contains_key(&rule.section) {
            continue;
        }
        let section = rule.section.split('/').nth(1).unwrap_or_default();
        let applies = rules.pack(rule.pack()).and_then(|pack| pack.applies_to(section));
        let truth = applies.map_or(Truth::True, |applies| {
            *of_pack.entry(std::ptr::from_ref(applies)).or_insert_with(|| is_there(applies, snapshot))
        });
        known.insert(rule.section.clone(), truth);
    }
    known
}

fn is_there(applies: &Applies, snapshot: &Snapshot) -> Truth {
    let objects = &snapshot.objects;
    let any = |globs: &[glob::Glob], value: Option<&str>| {
        !globs.is_empty() && value.is_some_and(|value| glob::any(globs, value))
    };
    let pods = || objects.of("pods").iter();
    let shown = objects
        .of("helm.releases")
        .iter()
        .any(|release| any(&applies.charts, release.str_at(&["chart_name"])))
        || pods().any(|pod| any(&applies.namespaces, pod.namespace()))
        || objects.of("namespaces").iter().any(|namespace| any(&applies.namespaces, namespace.name()))
        || objects.of("events").iter().any(|event| any(&applies.namespaces, event.namespace()))
        || objects.of("helm.releases").iter().any(|release| any(&applies.namespaces, release.namespace()))
        || snapshot.texts.iter().any(|text| any(&applies.namespaces, text.namespace.as_deref()))
        || objects
            .of("customresourcedefinitions")
            .iter()
            .any(|definition| any(&applies.crds, definition.name()))
        || pods().any(|pod| images(pod).any(|image| any(&applies.images, Some(image))))
        || pods().any(|pod| has_label(applies, pod))
        || says(applies, snapshot);
    match shown {
        true => Truth::True,
        false if snapshot.coverage.list("pods", None) == Known::Whole => Truth::False,
        false => Truth::Unknown,
    }
}

fn images(pod: &Object) -> impl Iterator<Item = &str> {
    let lists = ["/spec/initContainers", "/spec/containers", "/status/containerStatuses"];
    let containers = lists.into_iter().filter_map(|list| pod.value.pointer(list)?.as_array()).flatten();
    containers.filter_map(|container| container.get("image").and_then(Value::as_str))
}

fn has_label(applies: &Applies, pod: &Object) -> bool {
    let label = |key: &str| pod.value.pointer("/metadata/labels")?.get(key)?.as_str();
    applies.labels.iter().any(|(key, globs)| label(key).is_some_and(|value| glob::any(globs, value)))
}

fn says(applies: &Applies, snapshot: &Snapshot) -> bool {
    let Some(words) = &applies.words else { return false };
    snapshot.texts.iter().filter(|text| text.kind == TextKind::Pasted).any(|text| {
        let whole = &snapshot.files[text.file.0 as usize].text[text.range.clone()];
        words.is_match(&whole[..whole.floor_char_boundary(LOOKED_THROUGH)])
    })
}
