//! Interfaces, routes, listening ports and firewall rules.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use procfs::net::{TcpState, UdpState};

use super::capture::{Capture, End, Section};
use super::facts::{Facts, Firewall, Interface, Listener, Route};
use super::{Context, run};

const ADDRESSES: &str = "ip -o address show";
const LINKS: &str = "ip -o link show";
const ROUTES: &str = "ip route show";
const LISTENING: &str = "ss -lntu";
const IPTABLES: &str = "iptables-save -t filter";
const FIREWALLD: &str = "firewall-cmd --state";

pub const SCRIPT: &str = "\
run ip -o address show
run ip -o link show
run ip route show
begin 'ss -lntu'
if command -v ss >/dev/null 2>&1; then ss -Hlntu 2>/dev/null | awk '{print $1, $5}'; end 0; else end missing; fi
run iptables-save -t filter
run firewall-cmd --state
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(5);
    let ask = |line: &'static [&'static str]| run::command(line, limit);
    let (addresses, links, routes, six, iptables, state, rules, nft, listening) = tokio::join!(
        ask(&["ip", "-o", "address", "show"]),
        ask(&["ip", "-o", "link", "show"]),
        ask(&["ip", "route", "show"]),
        ask(&["ip", "-6", "route", "show"]),
        ask(&["iptables-save", "-t", "filter"]),
        ask(&["firewall-cmd", "--state"]),
        ask(&["firewall-cmd", "--list-all"]),
        ask(&["nft", "list", "ruleset"]),
        run::detached(limit, listening),
    );
    let listening = match listening {
        None => Section::new(LISTENING, "", End::TimedOut(limit.as_secs())),
        Some(Err(error)) => Section::new(LISTENING, "", End::Failed(error.to_string())),
        Some(Ok(text)) => Section::good(LISTENING, text),
    };
    Capture { sections: vec![addresses, links, routes, six, listening, iptables, state, rules, nft] }
}

/// `tcp 0.0.0.0:80` a line, from the kernel's tables: ss is missing on small systems.
fn listening() -> procfs::ProcResult<String> {
    let tcp = procfs::net::tcp()?.into_iter().chain(procfs::net::tcp6().unwrap_or_default());
    let udp = procfs::net::udp()?.into_iter().chain(procfs::net::udp6().unwrap_or_default());
    let mut lines: Vec<_> = tcp
        .filter(|entry| entry.state == TcpState::Listen)
        .map(|entry| ("tcp", entry.local_address))
        .chain(udp.filter(|entry| entry.state == UdpState::Close).map(|entry| ("udp", entry.local_address)))
        .collect();
    lines.sort();
    lines.dedup();
    Ok(lines.iter().fold(String::new(), |mut text, (protocol, address)| {
        let _ = writeln!(text, "{protocol} {address}");
        text
    }))
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    if let Some(links) = capture.text(LINKS) {
        facts.interfaces = Some(interfaces(links, capture.text(ADDRESSES).unwrap_or_default()));
    }
    facts.routes = capture.text(ROUTES).map(|text| text.lines().filter_map(route).collect());
    facts.listening = capture.text(LISTENING).map(|text| text.lines().filter_map(listener).collect());
    facts.firewall = firewall(capture);
}

/// `2: eth0    inet 10.0.0.1/24 brd …` and `2: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500 …`
fn interfaces(links: &str, addresses: &str) -> Vec<Interface> {
    links
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ": ");
            let name = parts.nth(1)?.split('@').next()?.to_owned();
            let rest = parts.next()?;
            let flags = rest.strip_prefix('<')?.split('>').next()?;
            let mut words = rest.split_whitespace();
            let mtu =
                words.find(|word| *word == "mtu").and_then(|_| words.next()).and_then(|mtu| mtu.parse().ok());
            let own = addresses.lines().filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [_, interface, family, address, ..] = words[..] else { return None };
                (interface == name && family.starts_with("inet")).then(|| address.to_owned())
            });
            Some(Interface {
                mtu,
                up: flags.split(',').any(|flag| flag == "UP"),
                addresses: own.collect(),
                name,
            })
        })
        .collect()
}

/// `default via 10.0.0.254 dev eth0 proto dhcp metric 100`
fn route(line: &str) -> Option<Route> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |key: &str| {
        words
            .iter()
            .position(|word| *word == key)
            .and_then(|at| words.get(at + 1))
            .map(|word| (*word).to_owned())
    };
    Some(Route { to: (*words.first()?).to_owned(), via: after("via"), interface: after("dev") })
}

fn listener(line: &str) -> Option<Listener> {
    let (protocol, address) = line.split_once(' ')?;
    let (address, port) = address.trim().rsplit_once(':')?;
    let address = address.trim_matches(['[', ']']);
    // ss writes the interface after a percent sign.
    let address = address.split('%').next()?;
    Some(Listener { port: port.parse().ok()?, address: address.to_owned(), protocol: protocol.to_owned() })
}

fn firewall(capture: &Capture) -> Option<Firewall> {
    let rules = capture.text(IPTABLES);
    let firewalld = capture.output(FIREWALLD).map(|text| text.trim() == "running");
    if rules.is_none() && firewalld.is_none() {
        return None;
    }
    let rules = rules.unwrap_or_default();
    let policy = |chain: &str| {
        let rest =
            rules.lines().find_map(|line| line.strip_prefix(':')?.strip_prefix(chain)?.strip_prefix(' '))?;
        rest.split(' ').next().map(str::to_owned)
    };
    let denies = |line: &&str| {
        line.starts_with("-A INPUT ") && (line.contains("-j DROP") || line.contains("-j REJECT"))
    };
    Some(Firewall {
        firewalld,
        input_denials: rules.lines().filter(denies).take(100).map(str::to_owned).collect(),
        input_policy: policy("INPUT"),
        forward_policy: policy("FORWARD"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_iproute_are_understood() {
        let links = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n\
                     7: veth1@if6: <BROADCAST,MULTICAST> mtu 1450 qdisc noop state DOWN\n";
        let addresses = "1: lo    inet 127.0.0.1/8 scope host lo\\ valid_lft forever\n1: lo    inet6 ::1/128 scope host\n";
        let found = interfaces(links, addresses);
        assert_eq!((found[0].name.as_str(), found[0].up, found[0].mtu), ("lo", true, Some(65536)));
        assert_eq!(found[0].addresses, ["127.0.0.1/8", "::1/128"]);
        assert_eq!((found[1].name.as_str(), found[1].up), ("veth1", false));
        let route = route("default via 10.0.0.254 dev eth0 proto dhcp metric 100").unwrap();
        assert_eq!((route.via.as_deref(), route.interface.as_deref()), (Some("10.0.0.254"), Some("eth0")));
    }

    #[test]
    fn a_rule_that_shuts_a_port_is_kept_with_the_policy() {
        let text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n\
                    -A INPUT -p tcp -m tcp --dport 10250 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n";
        let capture = Capture {
            sections: vec![
                Section::good(IPTABLES, text),
                Section::new(FIREWALLD, "not running\n", End::Exit(252)),
            ],
        };
        let firewall = firewall(&capture).unwrap();
        assert_eq!((firewall.input_policy.as_deref(), firewall.firewalld), (Some("DROP"), Some(false)));
        assert_eq!(firewall.input_denials.len(), 1);
        assert!(firewall.input_denials[0].contains("10250"));
    }

    #[tokio::test]
    async fn a_port_that_is_really_open_is_seen() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let mut facts = Facts::default();
        understand(&gather(Arc::new(Context::default())).await, &mut facts);
        let seen =
            facts.listening.unwrap().into_iter().find(|l| l.port == port && l.protocol == "tcp").unwrap();
        assert_eq!(seen.address, "127.0.0.1");
    }
}
