//! One question to one DNS server, with the class of what went wrong.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;

/// Why a name has no address. The names are those of `facts.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsError {
    pub class: &'static str,
    pub message: String,
}

impl DnsError {
    pub fn new(class: &'static str, message: impl ToString) -> Self {
        Self { class, message: message.to_string() }
    }
}

/// Asks `server` for the IPv4 and IPv6 addresses of `name`, which is taken as complete: no search list.
///
/// Each question is sent twice at most; `limit` is for both together.
pub async fn ask(name: &str, server: SocketAddr, limit: Duration) -> Result<Vec<IpAddr>, DnsError> {
    let mut name = Name::from_utf8(name).map_err(|error| DnsError::new("other", error))?;
    name.set_fqdn(true);
    let (four, six) = tokio::join!(
        question(&name, RecordType::A, server, limit),
        question(&name, RecordType::AAAA, server, limit)
    );
    match (four, six) {
        (Ok(mut addresses), Ok(more)) => {
            addresses.extend(more);
            if addresses.is_empty() {
                return Err(DnsError::new("no_address", "the name exists and has no address"));
            }
            Ok(addresses)
        }
        // Many servers fail on AAAA alone; the other answer counts.
        (Ok(addresses), Err(_)) | (Err(_), Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

async fn question(
    name: &Name,
    kind: RecordType,
    server: SocketAddr,
    limit: Duration,
) -> Result<Vec<IpAddr>, DnsError> {
    for _ in 0..2 {
        if let Ok(answer) = tokio::time::timeout(limit / 2, exchange(name, kind, server)).await {
            return answer;
        }
    }
    Err(DnsError::new("timeout", format!("{server} did not answer within {} s", limit.as_secs_f32())))
}

async fn exchange(name: &Name, kind: RecordType, server: SocketAddr) -> Result<Vec<IpAddr>, DnsError> {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    let bytes = message.to_vec().map_err(|error| DnsError::new("other", error))?;

    let here: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(here).await.map_err(io_error)?;
    socket.connect(server).await.map_err(io_error)?;
    socket.send(&bytes).await.map_err(io_error)?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(io_error)?;
        match Message::from_vec(&buffer[..length]) {
            // Anything else that arrives is not the answer to this question.
            Ok(answer) if answer.metadata.id == message.metadata.id => return read(&answer),
            _ => {}
        }
    }
}

fn read(answer: &Message) -> Result<Vec<IpAddr>, DnsError> {
    let code = answer.metadata.response_code;
    let class = match code {
        ResponseCode::NoError => {
            let addresses = answer.answers.iter().filter_map(|record| match &record.data {
                RData::A(address) => Some(IpAddr::V4(address.0)),
                RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                _ => None,
            });
            return Ok(addresses.collect());
        }
        ResponseCode::NXDomain => "nxdomain",
        ResponseCode::ServFail => "servfail",
        ResponseCode::Refused => "refused",
        _ => "other",
    };
    Err(DnsError::new(class, code))
}

/// A port that nothing listens on answers a datagram with "connection refused".
fn io_error(error: std::io::Error) -> DnsError {
    DnsError::new("unreachable", error)
}

#[cfg(test)]
pub mod tests {
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::A;

    use super::*;

    /// A DNS server on a port of 127.0.0.1 that knows one name and answers as told for three others.
    pub async fn server() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let query = question.queries[0].clone();
                let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
                answer.add_query(query.clone());
                match query.name.to_utf8().trim_end_matches('.') {
                    "known.svc.cluster.local" if query.query_type == RecordType::A => {
                        let data = RData::A(A([10, 96, 0, 7].into()));
                        answer.answers.push(Record::from_rdata(query.name, 5, data));
                    }
                    "known.svc.cluster.local" | "empty.example" => {}
                    "broken.example" => answer.metadata.response_code = ResponseCode::ServFail,
                    "silent.example" => continue,
                    _ => answer.metadata.response_code = ResponseCode::NXDomain,
                }
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn each_failure_has_its_class() {
        let server = server().await;
        let limit = Duration::from_millis(600);
        assert_eq!(
            ask("known.svc.cluster.local", server, limit).await.unwrap(),
            [IpAddr::from([10, 96, 0, 7])]
        );
        for (name, class) in [
            ("unknown.example", "nxdomain"),
            ("broken.example", "servfail"),
            ("empty.example", "no_address"),
            ("silent.example", "timeout"),
        ] {
            assert_eq!(ask(name, server, limit).await.unwrap_err().class, class, "{name}");
        }
        // A port that was just free and is so again.
        let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask("known.svc.cluster.local", closed, limit).await.unwrap_err().class, "unreachable");
    }
}
