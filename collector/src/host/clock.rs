//! What keeps the host's time, whether it is synchronised and how far off it believes to be.

use std::sync::Arc;
use std::time::Duration;

use super::capture::Capture;
use super::facts::{Clock, Facts};
use super::{Context, run};

const CHRONY: &str = "chronyc -n tracking";
const NTPD: &str = "ntpq -pn";
const TIMEDATECTL: &str = "timedatectl status";
const TIMESYNC: &str = "timedatectl timesync-status";

pub const SCRIPT: &str = "\
run date -u +%Y-%m-%dT%H:%M:%SZ
run chronyc -n tracking
run ntpq -pn
run timedatectl status
run timedatectl timesync-status
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(4);
    let ask = |line: &'static [&'static str]| run::command(line, limit);
    let (date, chrony, ntpd, status, timesync) = tokio::join!(
        ask(&["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        ask(&["chronyc", "-n", "tracking"]),
        ask(&["ntpq", "-pn"]),
        ask(&["timedatectl", "status"]),
        ask(&["timedatectl", "timesync-status"]),
    );
    Capture { sections: vec![date, chrony, ntpd, status, timesync] }
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let status = capture.text(TIMEDATECTL);
    let timezone =
        status.and_then(|text| value(text, "Time zone")).and_then(|v| v.split(' ').next()).map(str::to_owned);
    let by_tool = capture
        .text(CHRONY)
        .and_then(chrony)
        .or_else(|| capture.text(NTPD).and_then(ntpd))
        .or_else(|| capture.text(TIMESYNC).and_then(timesync));
    let mut clock = by_tool.unwrap_or_else(|| Clock { source: "none".to_owned(), ..Clock::default() });
    if let Some(text) = status
        && clock.synchronised.is_none()
    {
        // The first is what systemd has said since 239, the second what CentOS 7 says.
        let said = value(text, "System clock synchronized").or_else(|| value(text, "NTP synchronized"));
        clock.synchronised = said.map(|word| word == "yes");
        clock.tool.get_or_insert_with(|| TIMEDATECTL.to_owned());
    }
    clock.timezone = timezone;
    if clock.tool.is_some() || capture.text("date -u +%Y-%m-%dT%H:%M:%SZ").is_some() {
        facts.clock = Some(clock);
    }
}

/// The word or words after `key :`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| Some(line.trim_start().strip_prefix(key)?.trim_start().strip_prefix(':')?.trim()))
}

/// `System time : 0.000012 seconds slow of NTP time`, `Leap status : Normal`.
fn chrony(text: &str) -> Option<Clock> {
    let leap = value(text, "Leap status")?;
    let offset = value(text, "System time").and_then(|value| {
        let (seconds, side) = value.split_once(" seconds ")?;
        let seconds: f64 = seconds.parse().ok()?;
        Some(if side.starts_with("slow") { -seconds } else { seconds } * 1000.0)
    });
    let synchronised = leap != "Not synchronised";
    Some(Clock {
        source: "chrony".to_owned(),
        synchronised: Some(synchronised),
        tool: Some(CHRONY.to_owned()),
        offset_ms: offset.filter(|_| synchronised),
        ..Clock::default()
    })
}

/// A peer's line that begins with `*` is the one that ntpd follows. The ninth column is what must be added to our
/// clock to reach the peer's, in milliseconds.
fn ntpd(text: &str) -> Option<Clock> {
    let peers = text.lines().skip_while(|line| !line.starts_with('=')).skip(1);
    let followed = peers.clone().find_map(|line| line.strip_prefix('*'));
    peers.clone().next()?;
    let to_add = followed.and_then(|line| line.split_whitespace().nth(8)?.parse::<f64>().ok());
    Some(Clock {
        source: "ntpd".to_owned(),
        synchronised: Some(followed.is_some()),
        tool: Some(NTPD.to_owned()),
        offset_ms: to_add.map(|ms| -ms),
        ..Clock::default()
    })
}

/// `Server: 10.0.0.1 (…)`, `Offset: -1.5ms` or `+340us` or `+1.2s`. The offset is the server's clock minus ours.
fn timesync(text: &str) -> Option<Clock> {
    value(text, "Server")?;
    let offset = value(text, "Offset").and_then(milliseconds);
    Some(Clock {
        source: "systemd-timesyncd".to_owned(),
        tool: Some(TIMESYNC.to_owned()),
        // Whether it ever succeeded is what `timedatectl status` says.
        synchronised: None,
        offset_ms: offset.map(|ms| -ms),
        ..Clock::default()
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    // Spans of systemd may have several parts: `1min 2.5s`.
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total = 0.0;
    for part in text.split_whitespace() {
        let unit = part.find(|c: char| c.is_ascii_alphabetic())?;
        let number: f64 = part[..unit].parse().ok()?;
        total += number
            * match &part[unit..] {
                "us" => 0.001,
                "ms" => 1.0,
                "s" => 1000.0,
                "min" => 60_000.0,
                "h" => 3_600_000.0,
                _ => return None,
            };
    }
    Some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::super::capture::Section;
    use super::*;

    fn clock(sections: &[(&str, &str)]) -> Clock {
        let sections = sections.iter().map(|(label, text)| Section::good(*label, *text)).collect();
        let mut facts = Facts::default();
        understand(&Capture { sections }, &mut facts);
        facts.clock.unwrap()
    }

    #[test]
    fn chrony_says_which_way_it_is_off() {
        let clock = clock(&[(
            CHRONY,
            "Reference ID    : 0A000001 (10.0.0.1)\nSystem time     : 62.000500000 seconds slow of NTP time\nLeap status     : Normal\n",
        )]);
        assert_eq!((clock.source.as_str(), clock.synchronised), ("chrony", Some(true)));
        assert_eq!(clock.offset_ms, Some(-62_000.5));
    }

    #[test]
    fn chrony_without_a_source_claims_no_offset() {
        let clock = clock(&[(
            CHRONY,
            "Reference ID    : 00000000 ()\nSystem time     : 0.000000000 seconds fast of NTP time\nLeap status     : Not synchronised\n",
        )]);
        assert_eq!((clock.synchronised, clock.offset_ms), (Some(false), None));
    }

    #[test]
    fn ntpd_follows_the_starred_peer() {
        let text = "     remote           refid      st t when poll reach   delay   offset  jitter\n\
                    ==============================================================================\n\
                    +10.0.0.2        10.9.0.1     2 u   12   64  377    0.300    1.000   0.100\n\
                    *10.0.0.1        10.9.0.1     2 u   10   64  377    0.200   -3.500   0.100\n";
        let with = clock(&[(NTPD, text)]);
        assert_eq!((with.synchronised, with.offset_ms), (Some(true), Some(3.5)));
        let without = clock(&[(NTPD, &text.replace('*', " "))]);
        assert_eq!((without.synchronised, without.offset_ms), (Some(false), None));
    }

    #[test]
    fn timedatectl_of_old_and_new() {
        let new = clock(&[
            (
                TIMEDATECTL,
                "               Local time: Sun\n                Time zone: Asia/Shanghai (CST, +0800)\nSystem clock synchronized: no\n              NTP service: active\n",
            ),
            (TIMESYNC, "       Server: 10.0.0.1 (ntp.example)\n       Offset: +1min 2.5s\n"),
        ]);
        assert_eq!((new.source.as_str(), new.synchronised), ("systemd-timesyncd", Some(false)));
        assert_eq!((new.offset_ms, new.timezone.as_deref()), (Some(-62_500.0), Some("Asia/Shanghai")));
        let old = clock(&[(TIMEDATECTL, "     NTP enabled: yes\nNTP synchronized: yes\n")]);
        assert_eq!((old.source.as_str(), old.synchronised), ("none", Some(true)));
    }
}
