//! The clock of every node, without going there and without waiting.
//!
//! Two witnesses tell of it:
//! - The kubelet writes a `Date` into each of its answers, and the API server passes it on: one request through the
//!   API server, which is made anyway to see whether the kubelet can be reached, reads the clock to half a second.
//! - A kubelet renews its Lease in `kube-node-lease` every ten seconds and writes the time of its own clock into it. The
//!   API server tells a watcher at once. So what a renewal says, minus our time when we hear of it, is the node's skew
//!   less the way of the message. That way is never negative and short; the largest of several such differences is
//!   the one with the shortest way. With [`LONGEST_WAY`] as its bound, the true skew lies between the difference and
//!   the difference plus that bound.
//!
//! Renewals are listened to while everything else is collected, and no longer than `--clock-wait` after it. A `Date` may
//! come from a proxy before the API server; it is believed only where it fits the last renewal of the node.
//!
//! Positive: that clock is ahead of this machine's.

use std::collections::BTreeMap;
use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::bundle::manifest::ClockReading;

use crate::cluster::api::RoundTrip;

/// Path of the Leases that kubelets renew.
pub const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/// Kubelets renew every 10 s, give or take 4 %: whoever has not by then will not.
pub const WATCH: Duration = Duration::from_secs(13);
/// Longest time from a kubelet's look at its clock to our hearing of it, besides the time that a request takes here. A
/// server slower than this keeps losing nodes.
const LONGEST_WAY: Duration = Duration::from_millis(1000);
/// Greatest age of the last renewal of a kubelet that works, with room for one that was late.
const OLDEST: Duration = Duration::from_secs(15);
const RENEWAL: &str = "Lease renewTime, watched";
const DATE: &str = "Date header";

/// What was heard of the nodes' clocks.
#[derive(Debug, Default)]
pub struct NodeClocks {
    /// Largest difference (renewTime minus our clock, ms), by node.
    renewed: BTreeMap<String, i64>,
    /// The newest renewal, and how far the clock is ahead at least (ms), by node.
    listed: BTreeMap<String, (Timestamp, i64)>,
    /// What the kubelets' answers said.
    dates: BTreeMap<String, ClockReading>,
}

impl NodeClocks {
    /// Takes the List that the watch begins with, received at `received`, and gives its `resourceVersion`.
    pub fn list(&mut self, list: &Value, received: Timestamp) -> Option<String> {
        for lease in list["items"].as_array().into_iter().flatten() {
            if let Some((node, time)) = renewal(lease) {
                self.listed.insert(node, (time, difference(time, received)));
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
        let difference = difference(time, received);
        // A Lease may be touched by others (labels, owner); only a new time is a look at the node's clock.
        match self.listed.insert(node.clone(), (time, difference)) {
            Some((before, _)) if before == time => return,
            _ => {}
        }
        let largest = self.renewed.entry(node).or_insert(difference);
        *largest = difference.max(*largest);
    }

    /// Takes what an answer of the node's kubelet said of the time.
    pub fn date(&mut self, node: &str, reading: ClockReading) {
        self.dates.insert(node.to_owned(), reading);
    }

    /// Every node has been heard of, so there is no need to watch longer.
    pub fn all_heard(&self) -> bool {
        !self.listed.is_empty()
            && self.listed.keys().all(|node| self.renewed.contains_key(node) || self.dated(node).is_some())
    }

    /// What is known. `request`: how long a small request took.
    pub fn readings(&self, request: Duration) -> Vec<ClockReading> {
        let way = (LONGEST_WAY + request).as_millis() as i64;
        let reading = |node: &String| match self.renewed.get(node) {
            Some(difference) => Some(ClockReading {
                clock: clock_of(node),
                skew_ms: difference + way / 2,
                error_ms: way - way / 2,
                witness: RENEWAL.to_owned(),
            }),
            None => self.dated(node).cloned(),
        };
        self.listed.keys().filter_map(reading).collect()
    }

    /// Nodes of whose clocks nothing is known, with their last renewal.
    pub fn silent(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let heard = |node: &str| self.renewed.contains_key(node) || self.dated(node).is_some();
        let unheard = self.listed.iter().filter(move |(node, _)| !heard(node));
        unheard.map(|(node, (time, _))| (node.as_str(), *time))
    }

    /// The `Date` of a node, where it fits its last renewal: that lies in the past, and not far.
    fn dated(&self, node: &str) -> Option<&ClockReading> {
        let ((_, least), reading) = (self.listed.get(node)?, self.dates.get(node)?);
        let most = least + OLDEST.as_millis() as i64;
        (reading.skew_ms + reading.error_ms >= *least && reading.skew_ms - reading.error_ms <= most)
            .then_some(reading)
    }
}

fn renewal(lease: &Value) -> Option<(String, Timestamp)> {
    let node = lease["metadata"]["name"].as_str()?.to_owned();
    Some((node, lease["spec"]["renewTime"].as_str()?.parse().ok()?))
}

fn difference(renewed: Timestamp, received: Timestamp) -> i64 {
    renewed.as_millisecond() - received.as_millisecond()
}

fn clock_of(node: &str) -> String {
    format!("node/{node}")
}

/// The API server's clock, by an answer of its own.
pub fn of_server(headers: &HeaderMap, round_trip: RoundTrip) -> Option<ClockReading> {
    of_date("apiserver".to_owned(), DATE.to_owned(), headers, round_trip)
}

/// A node's clock, by an answer of its kubelet that the API server passed on.
pub fn of_kubelet(node: &str, headers: &HeaderMap, round_trip: RoundTrip) -> Option<ClockReading> {
    of_date(clock_of(node), format!("{DATE} of the kubelet"), headers, round_trip)
}

/// `Date` is cut to whole seconds, and was written at some time of the round trip.
fn of_date(
    clock: String,
    witness: String,
    headers: &HeaderMap,
    round_trip: RoundTrip,
) -> Option<ClockReading> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp() + SignedDuration::from_millis(500);
    let half = SignedDuration::try_from(round_trip.took / 2).ok()?;
    let skew = theirs.duration_since(round_trip.asked + half);
    Some(ClockReading {
        clock,
        skew_ms: skew.as_millis() as i64,
        error_ms: 500 + half.as_millis() as i64,
        witness,
    })
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

    fn heard(leases: &[Value]) -> NodeClocks {
        let mut clocks = NodeClocks::default();
        let list = json!({"metadata": {"resourceVersion": "7"}, "items": leases});
        assert_eq!(clocks.list(&list, at(0)).as_deref(), Some("7"));
        clocks
    }

    fn dated(date: &str, took: u64) -> ClockReading {
        let headers = HeaderMap::from_iter([(http::header::DATE, date.parse().unwrap())]);
        let asked = "2026-11-22T08:00:00Z".parse().unwrap();
        of_kubelet("a", &headers, RoundTrip { asked, took: Duration::from_millis(took) }).unwrap()
    }

    #[test]
    fn a_shifted_clock_is_measured_within_its_bound() {
        let mut clocks =
            heard(&[lease("right", at(-4000)), lease("ahead", at(58_000)), lease("dead", at(-600_000))]);
        // The first message takes 400 ms, the second 40 ms.
        for (sent, way) in [(1000, 400), (11_000, 40)] {
            let heard = at(sent + way);
            clocks.event(&json!({"type": "MODIFIED", "object": lease("right", at(sent))}), heard);
            clocks.event(&json!({"type": "MODIFIED", "object": lease("ahead", at(sent + 62_000))}), heard);
        }
        // A change that is no renewal, much later.
        clocks.event(&json!({"type": "MODIFIED", "object": lease("right", at(11_000))}), at(19_000));
        assert!(!clocks.all_heard());
        assert_eq!(clocks.silent().collect::<Vec<_>>(), [("dead", at(-600_000))]);

        let readings = clocks.readings(Duration::from_millis(20));
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

    #[test]
    fn a_date_is_read_within_a_second() {
        let reading = dated("Sun, 22 Nov 2026 08:05:00 GMT", 200);
        assert_eq!((reading.skew_ms, reading.error_ms), (300_400, 600));
    }

    #[test]
    fn a_date_is_believed_where_it_fits_the_last_renewal() {
        let mut clocks = heard(&[lease("right", at(-9000)), lease("behind", at(-67_000))]);
        let reading = dated("Sun, 22 Nov 2026 08:00:00 GMT", 20);
        clocks.date("right", reading.clone());
        // The node is a minute behind, and somebody on the way wrote the time of his own clock.
        clocks.date("behind", reading.clone());
        clocks.date("without-a-lease", reading);
        let readings = clocks.readings(Duration::ZERO);
        assert_eq!(readings.len(), 1, "{readings:?}");
        assert!(readings[0].skew_ms.abs() <= readings[0].error_ms, "{readings:?}");
        assert_eq!(clocks.silent().map(|(node, _)| node).collect::<Vec<_>>(), ["behind"]);
        clocks.date("behind", dated("Sun, 22 Nov 2026 07:59:00 GMT", 20));
        assert!(clocks.all_heard());
    }
}
