//! Passwords in URLs of any scheme: `mongodb://cmdb:s3cr3t@a:27017,b:27017/cmdb?authSource=admin`.
//!
//! Only the password goes. Scheme, user, hosts, ports, path and database stay, for they are what a diagnosis needs.

use super::hit::{Hit, Spelling};
use super::names::Kind;
use super::value;

/// The password or the token of the URL whose `://` stands at `at`.
pub(crate) fn password(line: &[u8], at: usize, kind: Kind) -> Option<Hit> {
    let start = at + 3;
    // Template braces may stand in a URL: `mysql://{{ user }}:{{ pw }}@…`; they are no secrets and end it.
    let ends = |b: &u8| b.is_ascii_whitespace() || b"\"'`<>|".contains(b);
    let end = line[start..].iter().position(ends).map_or(line.len(), |n| start + n);
    let end = backslash_end(line, start, end);
    let url = &line[start..end];
    let slash = url.iter().position(|b| b"/?#".contains(b)).unwrap_or(url.len());
    let at_sign = match url[..slash].iter().rposition(|b| *b == b'@') {
        Some(found) => found,
        None => at_sign_after_slash(url, slash)?,
    };
    let user_info = &url[..at_sign];
    match user_info.iter().position(|b| *b == b':') {
        Some(colon) => hit(user_info, start, colon + 1, kind),
        // `https://TOKEN@host`: a user name, unless no user name looks like it.
        None => value::is_key_material(user_info).then(|| Hit::new(start, start + at_sign, kind)),
    }
}

fn hit(user_info: &[u8], start: usize, from: usize, kind: Kind) -> Option<Hit> {
    let secret = &user_info[from..];
    let masked = secret.iter().all(|b| b"*xX".contains(b));
    let reference = secret.starts_with(b"${") || secret.starts_with(b"$(") || secret.starts_with(b"{{");
    let token = super::token::length_at(secret) == Some(secret.len());
    if secret.is_empty()
        || masked
        || reference
        || token
        || secret.starts_with(b"<")
        || secret == b"%s"
        || secret == b"{}"
    {
        return None;
    }
    Some(Hit::new(start + from, start + user_info.len(), kind).spelled(Spelling::Percent))
}

/// A URL inside a string inside a string ends at the escaped quote.
fn backslash_end(line: &[u8], start: usize, end: usize) -> usize {
    let mut end = end;
    if end < line.len() && b"\"'`".contains(&line[end]) {
        while end > start && line[end - 1] == b'\\' {
            end -= 1;
        }
    }
    // `\n` and `\u0026` as written in JSON.
    memchr::memmem::find(&line[start..end], b"\\n").map_or(end, |n| start + n)
}

/// Passwords may hold an unescaped `/`, `?` or `#`: `mysql://root:p/w@host`. A port before the slash says that the
/// host has already been: `http://proxy:8080/a?mail=x@y`.
fn at_sign_after_slash(url: &[u8], slash: usize) -> Option<usize> {
    let colon = url[..slash].iter().position(|b| *b == b':')?;
    if url[colon + 1..slash].iter().all(u8::is_ascii_digit) || url[..colon].starts_with(b"[") {
        return None;
    }
    let host_follows = |at: &usize| {
        let host = &url[at + 1..];
        let len = host.iter().position(|b| b"/?#".contains(b)).unwrap_or(host.len());
        len > 0 && host[..len].iter().all(|b| b.is_ascii_alphanumeric() || b".-_:,[]".contains(b))
    };
    memchr::memchr_iter(b'@', url).filter(|at| *at > slash).find(host_follows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<&str> {
        let at = line.find("://").unwrap();
        password(line.as_bytes(), at, Kind(0)).map(|hit| &line[hit.start..hit.end])
    }

    #[test]
    fn only_the_password_is_found() {
        for (line, secret) in [
            ("mysql://root:blueking@bk-mysql:3306/db", "blueking"),
            ("x redis://:s3cr3t@bk-redis:6379/0 y", "s3cr3t"),
            ("mongodb://cmdb:hunter2@a:27017,b:27017/cmdb?authSource=admin", "hunter2"),
            ("amqp://u:p@ss@h/vh", "p@ss"),
            ("mysql://root:p/w#1@host:3306/db", "p/w#1"),
            (r#"{\"url\":\"amqp://u:p\"}, x@y"#, ""),
            (r#"\"amqp://u:pw1@h\",\"x\":\"a@b\""#, "pw1"),
            ("https://oauth2:glpat-abc@git/x.git", "glpat-abc"),
            ("https://aB3dE5fG7hJ9kL1m@git/x.git", "aB3dE5fG7hJ9kL1m"),
        ] {
            assert_eq!(found(line).unwrap_or_default(), secret, "{line}");
        }
    }

    #[test]
    fn urls_without_a_password_stay() {
        for line in [
            "http://bk-repo:80/a?mail=x@y.z",
            "https://admin@host/",
            "http://a/b@c",
            "mysql://root:***@h/db",
            "mysql://root:xxxxx@h/db",
            "mysql://u:${PW}@h/db",
            "postgres://u:$(PW)@h/db",
            "https://[::1]:6443/x@y",
            "s3://bucket/key",
            "docker://sha256:abc",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }
}
