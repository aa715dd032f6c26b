//! Versions of charts and clusters, and the gates that rules set on them.

use semver::{Version, VersionReq};

/// Reads a version as charts and servers write it: `v1.20.2-tke.1`, `0.4.57`, `1.24`.
pub fn parse(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let (core, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let dots = core.matches('.').count();
    if dots > 2 || core.is_empty() {
        return None;
    }
    Version::parse(&format!("{core}{}{rest}", ".0".repeat(2 - dots))).ok()
}

/// Reads a gate such as `>=1.24` or `>=1.20, <1.25`.
pub fn parse_gate(text: &str) -> Result<VersionReq, String> {
    VersionReq::parse(text).map_err(|error| error.to_string())
}

/// Whether a gate lets a version through. Vendors' suffixes (`-eks-…`, `+k3s1`) are no pre-releases, so they are
/// left out of the comparison.
pub fn passes(gate: &VersionReq, version: &Version) -> bool {
    gate.matches(&Version::new(version.major, version.minor, version.patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_suffixes_do_not_close_a_gate() {
        let gate = parse_gate(">=1.20, <1.25").unwrap();
        let pass = |text: &str| passes(&gate, &parse(text).unwrap());
        assert!(pass("v1.20.2") && pass("v1.24.9-eks-a5565ad") && pass("1.20"));
        assert!(!pass("v1.25.0-rc.1") && !pass("1.19.16"));
        assert_eq!(parse("latest"), None);
        assert_eq!(parse("1.2.3.4"), None);
        assert!(parse_gate("about 1.2").is_err());
    }
}
