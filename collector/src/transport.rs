//! What went wrong below HTTP, as a word of the ledger, whichever library reports it.

use std::error::Error;
use std::io;

use rustls::CertificateError;
use shared::bundle::failure::Failure;

/// The first cause that says something.
pub fn failure_of(error: &(dyn Error + 'static)) -> Failure {
    let mut next = Some(error);
    let mut text = String::new();
    while let Some(cause) = next {
        let known = match cause.downcast_ref::<io::Error>() {
            Some(error) => failure_of_io(error),
            None => cause.downcast_ref::<rustls::Error>().map_or(Failure::Other, failure_of_tls),
        };
        if known != Failure::Other {
            return known;
        }
        text += &cause.to_string();
        text.push('\n');
        next = cause.source();
    }
    // The system's resolver has no error of its own kind, and a server that closes no type that can be named.
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if says(&["dns error", "failed to lookup address", "Name or service not known"]) {
        Failure::Name
    } else if says(&[
        "connection closed",
        "unexpected EOF",
        "unexpected eof",
        "broken pipe",
        "IncompleteMessage",
    ]) {
        Failure::Reset
    } else {
        Failure::Other
    }
}

/// An error of a socket, or one that a library put into such an error.
pub fn failure_of_io(error: &io::Error) -> Failure {
    // `source` of such an error passes over what it holds.
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return failure_of_tls(error);
        }
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return failure_of_io(error);
        }
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::TimedOut => Failure::Timeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Failure::NoRoute,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Failure::Reset,
        _ => Failure::Other,
    }
}

fn failure_of_tls(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Failure::TlsExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Failure::TlsNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Failure::TlsNameMismatch
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Failure::TlsUnknownCa,
            _ => Failure::TlsOther,
        },
        // Plain HTTP where TLS was expected: what answers is no TLS record.
        rustls::Error::InvalidMessage(_) => Failure::TlsNotSpoken,
        _ => Failure::TlsOther,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_deep_is_found() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let deep = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(failure_of(&deep), Failure::TlsUnknownCa);
        assert_eq!(failure_of(&io::Error::from(io::ErrorKind::ConnectionRefused)), Failure::Refused);
        assert_eq!(failure_of(&io::Error::other("dns error")), Failure::Name);
        assert_eq!(failure_of(&io::Error::other("who knows")), Failure::Other);
    }
}
