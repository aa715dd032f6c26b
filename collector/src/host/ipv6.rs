//! Whether the kernel speaks IPv6: programs that listen on `[::]` fail with errno 97 where it does not.
//!
//! The parameter `disable_ipv6` only takes addresses away; sockets still open. What keeps them from opening is a
//! kernel started with `ipv6.disable=1` or built without the protocol, so a socket is really opened.

use std::sync::Arc;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::capture::{Capture, End, Section};
use super::facts::{Facts, Ipv6};
use super::{Context, run};

const SOCKET: &str = "socket(AF_INET6, SOCK_STREAM)";
const IF_INET6: &str = "cat /proc/net/if_inet6";

pub const SCRIPT: &str = "\
show /proc/net/if_inet6
show /proc/cmdline
show /proc/sys/net/ipv6/conf/all/disable_ipv6
";

pub async fn gather(_context: Arc<Context>) -> Capture {
    let limit = Duration::from_secs(2);
    let mut capture = Capture::default();
    for path in ["/proc/net/if_inet6", "/proc/cmdline", "/proc/sys/net/ipv6/conf/all/disable_ipv6"] {
        capture.push(run::file(path, limit).await);
    }
    let opened =
        rustix::net::socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    capture.push(match opened {
        Ok(_) => Section::good(SOCKET, "opened\n"),
        Err(errno) => {
            let text = format!("({}: {})\n", errno.raw_os_error(), std::io::Error::from(errno));
            Section::new(SOCKET, text, End::Exit(1))
        }
    });
    capture
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let interfaces = capture.section(IF_INET6);
    let Some(interfaces) = interfaces.filter(|s| matches!(s.end, End::Exit(0) | End::NotFound)) else {
        return;
    };
    let socket = capture.section(SOCKET);
    facts.ipv6 = Some(Ipv6 {
        module: interfaces.end == End::Exit(0),
        cmdline_disabled: capture
            .text("cat /proc/cmdline")
            .is_some_and(|line| line.split_whitespace().any(|word| word == "ipv6.disable=1")),
        sysctl_disabled: capture
            .text("cat /proc/sys/net/ipv6/conf/all/disable_ipv6")
            .map(|t| t.trim() == "1"),
        socket_opens: socket.map(|s| s.end == End::Exit(0)),
        errno: socket.and_then(|s| s.text.strip_prefix('(')?.split(':').next()?.parse().ok()),
        addresses: interfaces.text.lines().filter(|line| !line.trim_end().ends_with(" lo")).count() as u32,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(sections: Vec<Section>) -> Option<Ipv6> {
        let mut facts = Facts::default();
        understand(&Capture { sections }, &mut facts);
        facts.ipv6
    }

    #[test]
    fn a_kernel_without_the_protocol_is_told_from_one_without_addresses() {
        let without = facts(vec![
            Section::new(IF_INET6, "", End::NotFound),
            Section::good("cat /proc/cmdline", "BOOT_IMAGE=/vmlinuz ro ipv6.disable=1 quiet\n"),
            Section::new(SOCKET, "(97: Address family not supported by protocol)\n", End::Exit(1)),
        ])
        .unwrap();
        assert!(!without.module && without.cmdline_disabled);
        assert_eq!((without.socket_opens, without.errno), (Some(false), Some(97)));

        let no_addresses = facts(vec![
            Section::good(IF_INET6, ""),
            Section::good("cat /proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n"),
            Section::good(SOCKET, "opened\n"),
        ])
        .unwrap();
        assert!(no_addresses.module);
        assert_eq!((no_addresses.socket_opens, no_addresses.sysctl_disabled), (Some(true), Some(true)));
        assert_eq!(facts(vec![Section::new(IF_INET6, "", End::Denied)]), None);
    }

    #[tokio::test]
    async fn the_socket_is_really_opened() {
        let mut facts = Facts::default();
        understand(&gather(Arc::new(Context::default())).await, &mut facts);
        let opens = std::net::TcpListener::bind("[::]:0").is_ok();
        assert!(facts.ipv6.unwrap().socket_opens.unwrap() || !opens);
    }
}
