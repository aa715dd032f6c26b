//! What several tests of probes need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::capture::End;
use super::run;

/// A key and a certificate for `name` in `folder`, made by openssl and good for a month.
pub async fn self_signed(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (key, cert) = (folder.join("k.pem"), folder.join("c.pem"));
    let subject = format!("/CN={name}");
    let names = format!("subjectAltName=DNS:{name}");
    let mut line =
        vec!["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", &subject];
    line.extend(["-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"]);
    line.extend(["-keyout", key.to_str().unwrap(), "-out", cert.to_str().unwrap()]);
    let made = run::command(&line, Duration::from_secs(60)).await;
    assert_eq!(made.end, End::Exit(0), "{}", made.text);
    (key, cert)
}
