//! `helm/<namespace>.json`: releases with their histories.
//!
//! `releaseName`, `chart`, `chartVersion`, `appVersion`, `namespace` and `releaseHistory[]` with `revision` (text),
//! `date` and `status` are what troubleshoot.sh writes; there `isPending` is left out when false. `description`,
//! `updated`, the chart of each revision and `unreadable` (why helm's record could not be read, so that the rest is what
//! its labels say) are ours; a reader of that layout passes over them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Chart, Release};
use crate::time::Stamp;

/// Releases of each namespace, each with its revisions oldest first.
///
/// Keys are namespace, then release name.
pub fn by_namespace(revisions: Vec<Release>) -> BTreeMap<String, BTreeMap<String, Vec<Release>>> {
    let mut namespaces: BTreeMap<String, BTreeMap<String, Vec<Release>>> = BTreeMap::new();
    for release in revisions {
        let releases = namespaces.entry(release.namespace.clone()).or_default();
        releases.entry(release.name.clone()).or_default().push(release);
    }
    for history in namespaces.values_mut().flat_map(BTreeMap::values_mut) {
        history.sort_by_key(|release| release.revision);
    }
    namespaces
}

/// The content of `helm/<namespace>.json` for the releases of one namespace, as [`by_namespace`] gives them.
pub fn releases_json(releases: &BTreeMap<String, Vec<Release>>) -> Value {
    releases.iter().filter_map(|(name, history)| release_json(name, history)).collect()
}

fn release_json(name: &str, history: &[Release]) -> Option<Value> {
    let newest = history.last()?;
    let chart = newest.chart.clone().unwrap_or_default();
    let revisions: Vec<Value> = history.iter().map(revision_json).collect();
    Some(json!({
        "releaseName": name,
        "chart": chart.name,
        "chartVersion": chart.version,
        "appVersion": chart.app_version,
        "namespace": newest.namespace,
        "releaseHistory": revisions,
    }))
}

fn revision_json(release: &Release) -> Value {
    let Chart { name, version, app_version } = release.chart.clone().unwrap_or_default();
    let date = release.last_deployed.as_deref().map(|time| match Stamp::parse(time) {
        Some(stamp) => stamp.go_string(),
        None => time.to_owned(),
    });
    let mut revision = json!({
        "revision": release.revision.to_string(),
        "date": date.unwrap_or_default(),
        "status": release.status,
        "isPending": release.is_pending(),
        "description": release.description,
        "chart": name,
        "chartVersion": version,
        "appVersion": app_version,
    });
    if let Some(reason) = &release.unreadable {
        revision["unreadable"] = json!(reason);
    }
    if let Some(time) = &release.last_deployed {
        revision["updated"] = json!(time);
    }
    if let Some(time) = &release.first_deployed {
        revision["firstDeployed"] = json!(time);
    }
    revision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_revision_speaks_for_the_release_and_history_is_oldest_first() {
        let release = |revision, status: &str, version: &str| Release {
            namespace: "blueking".into(),
            name: "bk-paas".into(),
            revision,
            status: status.into(),
            chart: Some(Chart { name: "bkpaas3".into(), version: version.into(), app_version: "1.2".into() }),
            first_deployed: None,
            last_deployed: Some("2026-11-22T08:51:26.8760Z".into()),
            description: "Install complete".into(),
            unreadable: None,
        };
        let all =
            by_namespace(vec![release(10, "pending-upgrade", "1.1.0"), release(9, "deployed", "1.0.0")]);
        let file = releases_json(&all["blueking"]);
        assert_eq!(file[0]["releaseName"], "bk-paas");
        assert_eq!(file[0]["chartVersion"], "1.1.0");
        let history = &file[0]["releaseHistory"];
        assert_eq!((&history[0]["revision"], &history[1]["revision"]), (&json!("9"), &json!("10")));
        assert_eq!((&history[0]["isPending"], &history[1]["isPending"]), (&json!(false), &json!(true)));
        assert_eq!(history[0]["date"], "2026-11-22 08:51:26.876 +0000 UTC");
        assert_eq!(history[0]["updated"], "2026-11-22T08:51:26.8760Z");
    }
}
