//! The clock of every node, without going there.
//!
//! A kubelet renews its Lease in `kube-node-lease` every ten seconds and writes the time of its own clock into it. The
//! API server tells a watcher at once. So what a renewal says, minus our time when we hear of it, is the node's skew
//! less the way of the message. That way is never negative and short; the largest of several such differences is
//! the one with the shortest way. With [`LONGEST_WAY`] as its bound, the true skew lies between the difference and
//! the difference plus that bound.
//!
//! Positive: that clock is ahead of this machine's.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::bundle::manifest::ClockReading;

/// Path of the Leases that kubelets renew.
pub const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/// Kubelets renew every 10 s, give or take 4 %.
pub const WATCH: Duration = Duration::from_secs(13);
/// Longest time from a kubelet's look at its clock to our hearing of it, besides the time that a request takes here. A
/// server slower than this keeps losing nodes.
const LONGEST_WAY: Duration = Duration::from_millis(1000);
const WITNESS: &str = "Lease renewTime, watched";

/// Renewals as they are heard of.
#[derive(Debug, Default)]
pub struct Renewals {
    /// Largest difference (renewTime minus our clock, ms) and number of renewals, by node.
    nodes: BTreeMap<String, (i64, u32)>,
    /// The newest renewal in the List, for nodes that do not renew while we watch.
    listed: BTreeMap<String, Timestamp>,
}

impl Renewals {
    /// Takes the List that the watch begins with, and gives its `resourceVersion`.
    pub fn list(&mut self, list: &Value) -> Option<String> {
        for lease in list["items"].as_array().into_iter().flatten() {
            if let Some((node, time)) = renewal(lease) {
                self.listed.insert(node, time);
            }
        }
        list["metadata"]["resourceVersion"].as_str().map(str::to_owned)
    }

    /// Takes one event of the watch, heard of at `received` by our clock.
    pub fn event(&mut self, event: &Value, received: Timestamp) {
        if event["type"] != "MODIFIED" {
            return;
        }
        let Some((node, time)) = renewal(&event["object"]) else { return };
        // A Lease may be touched by others (labels, owner); only a new time is a look at the node's clock.
        if self.listed.insert(node.clone(), time) == Some(time) {
            return;
        }
        let difference = time.as_millisecond() - received.as_millisecond();
        let entry = self.nodes.entry(node).or_insert((difference, 0));
        entry.0 = entry.0.max(difference);
        entry.1 += 1;
    }

    /// Every node has been heard of, so there is no need to watch longer.
    pub fn all_heard(&self) -> bool {
        !self.listed.is_empty() && self.listed.keys().all(|node| self.nodes.contains_key(node))
    }

    /// What the renewals say. `request`: how long a small request took.
    pub fn readings(&self, request: Duration) -> Vec<ClockReading> {
        let way = (LONGEST_WAY + request).as_millis() as i64;
        let reading = |(node, (difference, _)): (&String, &(i64, u32))| ClockReading {
            clock: format!("node/{node}"),
            skew_ms: difference + way / 2,
            error_ms: way - way / 2,
            witness: WITNESS.to_owned(),
        };
        self.nodes.iter().map(reading).collect()
    }

    /// Nodes that did not renew while we watched, with their last renewal: their clocks could not be read.
    pub fn silent(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let unheard = self.listed.iter().filter(|(node, _)| !self.nodes.contains_key(*node));
        unheard.map(|(node, time)| (node.as_str(), *time))
    }
}

fn renewal(lease: &Value) -> Option<(String, Timestamp)> {
    let node = lease["metadata"]["name"].as_str()?.to_owned();
    Some((node, lease["spec"]["renewTime"].as_str()?.parse().ok()?))
}

/// Rows of `probes/clock.json`: one a clock, and the two node clocks that lie farthest apart.
pub fn answers(readings: &[ClockReading]) -> Vec<Value> {
    let mut rows: Vec<Value> = readings
        .iter()
        .map(|reading| {
            let mut row = json!({
                "kind": "clock",
                "clock": reading.clock,
                "skew_ms": reading.skew_ms,
                "error_ms": reading.error_ms,
                "witness": reading.witness,
            });
            if let Some(node) = reading.clock.strip_prefix("node/") {
                row["node"] = node.into();
            }
            row
        })
        .collect();
    let nodes = || readings.iter().filter(|reading| reading.clock.starts_with("node/"));
    if let (Some(ahead), Some(behind)) =
        (nodes().max_by_key(|r| r.skew_ms), nodes().min_by_key(|r| r.skew_ms))
        && ahead.clock != behind.clock
    {
        rows.push(json!({
            "kind": "clock_spread",
            "ahead": ahead.clock.trim_start_matches("node/"),
            "behind": behind.clock.trim_start_matches("node/"),
            "spread_ms": ahead.skew_ms - behind.skew_ms,
            "error_ms": ahead.error_ms + behind.error_ms,
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap()
    }

    fn lease(node: &str, renewed: Timestamp) -> Value {
        json!({"metadata": {"name": node}, "spec": {"renewTime": renewed.to_string()}})
    }

    #[test]
    fn a_shifted_clock_is_measured_within_its_bound() {
        let mut renewals = Renewals::default();
        let list = json!({"metadata": {"resourceVersion": "7"}, "items": [
            lease("right", at(-4000)), lease("ahead", at(58_000)), lease("dead", at(-600_000))]});
        assert_eq!(renewals.list(&list).as_deref(), Some("7"));
        // The first message takes 400 ms, the second 40 ms.
        for (sent, way) in [(1000, 400), (11_000, 40)] {
            let heard = at(sent + way);
            renewals.event(&json!({"type": "MODIFIED", "object": lease("right", at(sent))}), heard);
            renewals.event(&json!({"type": "MODIFIED", "object": lease("ahead", at(sent + 62_000))}), heard);
        }
        // A change that is no renewal, much later.
        renewals.event(&json!({"type": "MODIFIED", "object": lease("right", at(11_000))}), at(19_000));
        assert!(!renewals.all_heard());
        assert_eq!(renewals.silent().collect::<Vec<_>>(), [("dead", at(-600_000))]);

        let readings = renewals.readings(Duration::from_millis(20));
        let of = |name: &str| readings.iter().find(|r| r.clock == format!("node/{name}")).unwrap();
        for (name, truth) in [("right", 0), ("ahead", 62_000)] {
            let reading = of(name);
            assert!((reading.skew_ms - truth).abs() <= reading.error_ms, "{reading:?}");
            assert!(reading.error_ms < 2000);
        }
        let rows = answers(&readings);
        let spread = rows.last().unwrap();
        assert_eq!((&spread["ahead"], &spread["behind"]), (&json!("ahead"), &json!("right")));
        assert_eq!(spread["spread_ms"], 62_000);
    }

    #[test]
    fn one_clock_alone_has_no_spread() {
        let reading = ClockReading {
            clock: "apiserver".into(),
            skew_ms: 1,
            error_ms: 1,
            witness: "Date header".into(),
        };
        assert_eq!(answers(&[reading]).len(), 1);
    }
}
