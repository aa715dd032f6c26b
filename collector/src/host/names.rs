//! What names resolve to on this host: its hosts file, its resolver, the cluster's DNS asked from here, and whether
//! what stands behind a name can be connected to.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::capture::{Capture, Section};
use super::dns::{self, DnsError};
use super::facts::{Facts, HostsEntry, Resolution, Resolver};
use super::{Context, run};

const HOSTS: &str = "cat /etc/hosts";
const RESOLV: &str = "cat /etc/resolv.conf";
const ANSWERS: &str = "resolve";
/// For programs on the host: hosts file, resolver and whatever else nsswitch.conf names.
const HOST_LIMIT: Duration = Duration::from_secs(8);
const DNS_LIMIT: Duration = Duration::from_secs(4);
/// Names asked for in one collection; more are not worth the time.
const MOST_NAMES: usize = 200;

pub const SCRIPT: &str = "\
show /etc/hosts
show /etc/resolv.conf
run grep ^hosts: /etc/nsswitch.conf
begin resolve
for n in $NAMES; do
  a=$($LIMIT getent ahosts \"$n\" 2>/dev/null | awk '{print $1}' | sort -u | tr '\\n' ',' )
  if [ -n \"$a\" ]; then echo \"$n host - ${a%,} - 0 -\"; else echo \"$n host - - other 0 getent found nothing\"; fi
done
end 0
";

pub async fn gather(context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(2);
    let mut sections = vec![
        run::file("/etc/hosts", limit).await,
        run::file("/etc/resolv.conf", limit).await,
        lookup_order(run::file("/etc/nsswitch.conf", limit).await),
    ];
    let servers: Vec<IpAddr> =
        resolver(&sections[1].text).nameservers.iter().filter_map(|server| server.parse().ok()).collect();
    let options = &context.options;
    let on_host = options.names.iter().take(MOST_NAMES).map(|name| on_host(name, &servers));
    let in_cluster = options.cluster_dns.iter().flat_map(|server| {
        options.cluster_names.iter().take(MOST_NAMES).map(move |name| by_server(name, "cluster_dns", *server))
    });
    let (on_host, in_cluster) = tokio::join!(join_all(on_host), join_all(in_cluster));
    let text = on_host.iter().flatten().chain(&in_cluster).fold(String::new(), |mut text, row| {
        let _ = writeln!(text, "{}", line(row));
        text
    });
    sections.push(Section::good(ANSWERS, text));
    Capture { sections }
}

/// Of nsswitch.conf only how host names are looked up.
fn lookup_order(mut section: Section) -> Section {
    section.label = "grep ^hosts: /etc/nsswitch.conf".to_owned();
    section.text = section
        .text
        .lines()
        .filter(|line| line.starts_with("hosts:"))
        .map(|line| format!("{line}\n"))
        .collect();
    section
}

/// As a program on this host sees the name. Where that fails, each of its name servers is asked for the reason:
/// the C library only tells "unknown" from "try again".
async fn on_host(name: &str, servers: &[IpAddr]) -> Vec<Resolution> {
    let begun = Instant::now();
    let asked = name.to_owned();
    let found = run::detached(HOST_LIMIT, move || {
        (asked.as_str(), 0).to_socket_addrs().map(|all| all.map(|address| address.ip()).collect::<Vec<_>>())
    });
    let result = match found.await {
        None => Err(DnsError::new("timeout", format!("no answer within {} s", HOST_LIMIT.as_secs()))),
        Some(Err(error)) => Err(DnsError::new(class_of(&error.to_string()), error)),
        Some(Ok(addresses)) => Ok(addresses),
    };
    let failed = result.is_err();
    let mut rows = vec![row(name, "host", None, result, begun)];
    if failed {
        rows.extend(join_all(servers.iter().map(|server| by_server(name, "nameserver", *server))).await);
    }
    rows
}

/// The words of glibc's and musl's `gai_strerror`.
fn class_of(message: &str) -> &'static str {
    if message.contains("emporary failure") || message.contains("Try again") {
        "temporary"
    } else if message.contains("not known") || message.contains("does not resolve") {
        "nxdomain"
    } else if message.contains("No address associated") {
        "no_address"
    } else {
        "other"
    }
}

async fn by_server(name: &str, via: &str, server: IpAddr) -> Resolution {
    let begun = Instant::now();
    let result = dns::ask(name, SocketAddr::new(server, 53), DNS_LIMIT).await;
    row(name, via, Some(server), result, begun)
}

fn row(
    name: &str,
    via: &str,
    server: Option<IpAddr>,
    result: Result<Vec<IpAddr>, DnsError>,
    begun: Instant,
) -> Resolution {
    let (mut addresses, error) = match result {
        Ok(addresses) => (addresses, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    addresses.sort();
    addresses.dedup();
    Resolution {
        name: name.to_owned(),
        via: via.to_owned(),
        server: server.map(|s| s.to_string()),
        addresses,
        error: error.as_ref().map(|e| e.class.to_owned()),
        message: error.map(|e| e.message),
        millis: begun.elapsed().as_millis() as u64,
    }
}

/// `name via server addresses error millis message`, `-` for what does not apply.
fn line(row: &Resolution) -> String {
    let addresses: Vec<String> = row.addresses.iter().map(IpAddr::to_string).collect();
    let addresses = if addresses.is_empty() { "-".to_owned() } else { addresses.join(",") };
    format!(
        "{} {} {} {addresses} {} {} {}",
        row.name,
        row.via,
        row.server.as_deref().unwrap_or("-"),
        row.error.as_deref().unwrap_or("-"),
        row.millis,
        row.message.as_deref().unwrap_or("-").replace('\n', " "),
    )
}

fn parse(line: &str) -> Option<Resolution> {
    let words: Vec<&str> = line.splitn(7, ' ').collect();
    let [name, via, server, addresses, error, millis, message] = words[..] else { return None };
    let given = |word: &str| (word != "-").then(|| word.to_owned());
    Some(Resolution {
        name: name.to_owned(),
        via: via.to_owned(),
        server: given(server),
        addresses: addresses.split(',').filter_map(|address| address.parse().ok()).collect(),
        error: given(error),
        message: given(message),
        millis: millis.parse().ok()?,
    })
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    facts.hosts_file = capture.text(HOSTS).map(hosts_entries);
    facts.resolver = capture.text(RESOLV).map(resolver);
    facts.names = capture.text(ANSWERS).map(|text| text.lines().filter_map(parse).collect());
}

/// Format of hosts(5).
fn hosts_entries(text: &str) -> Vec<HostsEntry> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.to_owned();
            Some(HostsEntry { address, names: words.map(str::to_owned).collect() })
        })
        .collect()
}

/// Format of resolv.conf(5): the last `search` or `domain` counts.
fn resolver(text: &str) -> Resolver {
    let mut resolver = Resolver::default();
    for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let rest = words.map(str::to_owned);
        match key {
            "nameserver" => resolver.nameservers.extend(rest.take(1)),
            "search" | "domain" => resolver.search = rest.collect(),
            "options" => resolver.options.extend(rest),
            _ => {}
        }
    }
    resolver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_the_manual_says() {
        let entries =
            hosts_entries("# x\n127.0.0.1 localhost\n10.0.0.5\tbkrepo.example cmdb.example # two\n\n");
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[1].address.as_str(), entries[1].names.len()), ("10.0.0.5", 2));
        let resolver =
            resolver("; c\nnameserver 10.0.1.1\nsearch a\nsearch b c\noptions ndots:5 timeout:1\n");
        assert_eq!(resolver.nameservers, ["10.0.1.1"]);
        assert_eq!(resolver.search, ["b", "c"]);
        assert_eq!(resolver.options, ["ndots:5", "timeout:1"]);
    }

    #[test]
    fn an_answer_survives_its_line() {
        let row = Resolution {
            name: "a.example".into(),
            via: "cluster_dns".into(),
            server: Some("10.96.0.10".into()),
            error: Some("timeout".into()),
            message: Some("did not answer".into()),
            millis: 4000,
            ..Resolution::default()
        };
        assert_eq!(parse(&line(&row)), Some(row));
    }

    #[tokio::test]
    async fn the_hosts_file_counts_for_programs_on_the_host() {
        let rows = on_host("localhost", &[]).await;
        assert_eq!((rows.len(), rows[0].error.as_deref()), (1, None));
        assert!(rows[0].addresses.iter().all(IpAddr::is_loopback));
    }
}
