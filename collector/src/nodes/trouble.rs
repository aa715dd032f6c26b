//! Why a node could not be read, in words that say what to do.

use shared::bundle::manifest::Outcome;

/// What ssh printed, as an outcome and an explanation.
pub fn of_ssh(stderr: &str, address: &str) -> (Outcome, String) {
    let has = |part: &str| stderr.contains(part);
    let (outcome, words) = if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        (
            Outcome::Forbidden,
            format!(
                "the host key of {address} is not the one that ssh knows: the machine was set up anew, or another one \
                 answers\nhint: if that is expected, `ssh-keygen -R {address}` and connect once by hand"
            ),
        )
    } else if has("Host key verification failed") || has("No matching host key fingerprint") {
        (
            Outcome::Forbidden,
            format!(
                "ssh does not know the host key of {address} yet\n\
                 hint: connect once by hand, or add --ssh-option StrictHostKeyChecking=accept-new"
            ),
        )
    } else if has("Permission denied") || has("Too many authentication failures") {
        (
            Outcome::Forbidden,
            format!(
                "{address} accepts none of your keys\nhint: try `ssh {address} true`; name a user with --ssh-user or a key \
                 with --ssh-option IdentityFile=FILE"
            ),
        )
    } else if has("timed out") || has("Timeout, server") {
        (Outcome::TimedOut, format!("{address} does not answer on the ssh port"))
    } else if has("Connection refused") {
        (
            Outcome::Failed,
            format!("{address} refuses connections on the ssh port: no sshd there, or a firewall rejects"),
        )
    } else if has("No route to host") || has("Network is unreachable") {
        (Outcome::Failed, format!("there is no route to {address}"))
    } else if has("Could not resolve hostname") {
        (Outcome::Failed, format!("the name {address} does not resolve on this machine"))
    } else {
        (Outcome::Failed, "the connection ended without an answer".to_owned())
    };
    let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
    (outcome, last.map_or(words.clone(), |line| format!("{words}\n{line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_says_what_to_do() {
        let cases = [
            ("Host key verification failed.\r\n", Outcome::Forbidden, "accept-new"),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                Outcome::Forbidden,
                "ssh-keygen -R 10.0.0.1",
            ),
            ("root@10.0.0.1: Permission denied (publickey).\n", Outcome::Forbidden, "--ssh-user"),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection timed out\n",
                Outcome::TimedOut,
                "does not answer",
            ),
            ("ssh: connect to host 10.0.0.1 port 22: Connection refused\n", Outcome::Failed, "no sshd"),
            ("", Outcome::Failed, "without an answer"),
        ];
        for (stderr, outcome, words) in cases {
            let (found, said) = of_ssh(stderr, "10.0.0.1");
            assert_eq!(found, outcome, "{stderr}");
            assert!(said.contains(words), "{said}");
        }
    }
}
