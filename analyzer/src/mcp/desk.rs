//! What lies before an assistant: the report, the snapshot as a cluster, the cases and the lexicon.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use shared::describe::{Form, Index, Kind, Settings};
use shared::lang::Lang;

use crate::lexicon::Lexicon;
use crate::matching;
use crate::report::Report;
use crate::rules::RuleSet;
use crate::serve::cluster::{self, Cluster};
use crate::snapshot::Snapshot;

pub struct Desk {
    pub cluster: Cluster,
    pub report: Report,
    pub rules: RuleSet,
    pub lexicon: Lexicon,
    pub index: Index,
    pub lang: Lang,
    /// What stands around the bundle's words.
    pub mark: String,
}

impl Desk {
    /// Analyzes a snapshot.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(
        snapshot: Snapshot,
        rules: RuleSet,
        lexicon: Lexicon,
        lang: Lang,
    ) -> Result<Desk, getrandom::Error> {
        let found = matching::run(&rules, &snapshot);
        let report = Report::build(&snapshot, found).read_with(&lexicon, &snapshot);
        let cluster = Cluster::new(snapshot, "bundle", lang);
        let mut index = Index::new();
        for kind in &cluster.kinds {
            let api_version = kind.resource.api_version();
            let of = Kind { api_version: &api_version, kind: &kind.resource.kind };
            kind.items.iter().for_each(|item| index.observe(of, &item.value));
        }
        let missing = |plural| {
            let kind = cluster.of_any_version("", plural)?;
            cluster.listable(kind, None).err().map(|refusal| refusal.message)
        };
        if let Some(reason) = missing("events") {
            index.events_missing(reason);
        }
        if let Some(reason) = missing("pods") {
            index.pods_missing(reason);
        }
        let mut random = [0; 9];
        getrandom::fill(&mut random)?;
        Ok(Desk { cluster, report, rules, lexicon, index, lang, mark: URL_SAFE_NO_PAD.encode(random) })
    }

    /// A kind by any of the names that kubectl takes.
    pub fn kind(&self, name: &str) -> Option<&cluster::Kind> {
        let lower = name.to_lowercase();
        let is = |kind: &&cluster::Kind| {
            let resource = &kind.resource;
            lower == resource.plural
                || lower == resource.singular
                || lower == resource.kind.to_lowercase()
                || lower == resource.qualified()
                || resource.short_names.contains(&lower)
        };
        self.cluster.kinds.iter().find(is)
    }

    /// `path:line` of an object.
    pub fn place(&self, kind: &cluster::Kind, namespace: &str, name: &str) -> String {
        let objects = self.cluster.snapshot.objects.of(&kind.resource.collection);
        let is = |object: &&crate::snapshot::Object| {
            object.name() == Some(name)
                && (!kind.resource.namespaced || object.namespace().unwrap_or_default() == namespace)
        };
        let place = objects.iter().find(is);
        place.map_or_else(String::new, |object| {
            format!("{}:{}", self.cluster.snapshot.files[object.file.0 as usize].path, object.line)
        })
    }

    pub fn describe_settings(&self) -> Settings {
        Settings { now: self.cluster.now, zone: TimeZone::UTC, form: Form::default() }
    }
}
