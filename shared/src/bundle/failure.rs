//! Why an item could not be had, as one of a closed list of words.
//!
//! A ledger entry's `note` holds the error in the words of whoever reported it, which differ from version to version and
//! from library to library. `failure` beside it is what a reader, and a rule, can rely on. Words are only ever added.
//!
//! Those of a connection are the same as in `error` of the host facts' `connections`.

use serde::{Deserialize, Serialize};

/// See the module. Each variant says what was seen, not what may have caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The server's name has no address.
    Name,
    /// No answer in time, at whatever stage.
    Timeout,
    /// Nothing listens at the server's address.
    Refused,
    /// No way leads to the server's address.
    NoRoute,
    /// The connection broke before the answer was complete.
    Reset,
    /// The server's certificate is for other names.
    TlsNameMismatch,
    TlsExpired,
    TlsNotYetValid,
    /// The server's certificate is signed by nobody that is trusted.
    TlsUnknownCa,
    /// What answers speaks no TLS.
    TlsNotSpoken,
    /// Any other failure of TLS.
    TlsOther,
    /// The connection failed in some other way.
    Other,

    /// 401: the server does not know who asks.
    Unauthorized,
    /// The program by which the kubeconfig logs in failed.
    Login,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 410: a listing that went on for too long, and could not be begun anew.
    Expired,
    /// 429
    TooManyRequests,
    /// The API server could not reach a node's kubelet.
    Kubelet,
    /// The API server could not have objects converted to the version that was asked for.
    ConversionWebhook,
    /// 503: an API that another server answers for, or the server itself, is not available.
    Unavailable,
    /// Any other 5xx.
    ServerError,
    /// Any other answer that is not a success.
    BadRequest,
    /// The answer is not what the protocol says.
    Garbled,

    /// helm's record of a release cannot be decoded.
    Undecodable,
    /// The bundle's disk has no room.
    NoSpace,
    /// The item could not be masked, so it was left out.
    Redaction,
    /// The run was ended before.
    Stopped,
    /// An error of the collector itself.
    Internal,

    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Failure {
    /// All words that this version writes.
    pub const ALL: [Failure; 29] = [
        Failure::Name,
        Failure::Timeout,
        Failure::Refused,
        Failure::NoRoute,
        Failure::Reset,
        Failure::TlsNameMismatch,
        Failure::TlsExpired,
        Failure::TlsNotYetValid,
        Failure::TlsUnknownCa,
        Failure::TlsNotSpoken,
        Failure::TlsOther,
        Failure::Other,
        Failure::Unauthorized,
        Failure::Login,
        Failure::Forbidden,
        Failure::NotFound,
        Failure::Expired,
        Failure::TooManyRequests,
        Failure::Kubelet,
        Failure::ConversionWebhook,
        Failure::Unavailable,
        Failure::ServerError,
        Failure::BadRequest,
        Failure::Garbled,
        Failure::Undecodable,
        Failure::NoSpace,
        Failure::Redaction,
        Failure::Stopped,
        Failure::Internal,
    ];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Failure::Name => "name",
            Failure::Timeout => "timeout",
            Failure::Refused => "refused",
            Failure::NoRoute => "no_route",
            Failure::Reset => "reset",
            Failure::TlsNameMismatch => "tls_name_mismatch",
            Failure::TlsExpired => "tls_expired",
            Failure::TlsNotYetValid => "tls_not_yet_valid",
            Failure::TlsUnknownCa => "tls_unknown_ca",
            Failure::TlsNotSpoken => "tls_not_spoken",
            Failure::TlsOther => "tls_other",
            Failure::Other => "other",
            Failure::Unauthorized => "unauthorized",
            Failure::Login => "login",
            Failure::Forbidden => "forbidden",
            Failure::NotFound => "not_found",
            Failure::Expired => "expired",
            Failure::TooManyRequests => "too_many_requests",
            Failure::Kubelet => "kubelet",
            Failure::ConversionWebhook => "conversion_webhook",
            Failure::Unavailable => "unavailable",
            Failure::ServerError => "server_error",
            Failure::BadRequest => "bad_request",
            Failure::Garbled => "garbled",
            Failure::Undecodable => "undecodable",
            Failure::NoSpace => "no_space",
            Failure::Redaction => "redaction",
            Failure::Stopped => "stopped",
            Failure::Internal => "internal",
            Failure::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_its_words_are_those_of_the_ledger() {
        let mut sorted = Failure::ALL.to_vec();
        sorted.sort();
        sorted.dedup();
        // They are numbered from 0, and `Unknown` is the last.
        assert_eq!(sorted.len(), Failure::Unknown as usize);
        for failure in Failure::ALL {
            assert_eq!(serde_json::to_value(failure).unwrap(), failure.as_str());
        }
    }

    #[test]
    fn a_word_of_a_later_version_is_no_error() {
        assert_eq!(serde_json::from_str::<Failure>("\"quantum\"").unwrap(), Failure::Unknown);
    }
}
