//! Paths from archives, made harmless.

/// A path that can be shown, compared and looked up.
pub(super) struct Clean {
    /// Relative, `/` between segments; empty if nothing was left.
    pub(super) path: String,
    /// What it was, if it was absolute, had a drive letter or climbed out of its folder.
    pub(super) unsafe_original: Option<String>,
}

/// Cleans a path: `.` and empty segments go, backslashes separate, `..` and roots go and are reported.
///
/// Names that are not UTF-8 are taken for GB18030, which is what Chinese Windows writes.
pub(super) fn clean(original: &[u8]) -> Clean {
    let text = decode(original);
    let mut escapes = text.starts_with(['/', '\\']);
    let mut segments: Vec<&str> = Vec::new();
    for (at, segment) in text.split(['/', '\\']).enumerate() {
        match segment {
            "" | "." => {}
            ".." => {
                if segments.pop().is_none() {
                    escapes = true;
                }
            }
            drive if at == 0 && is_drive(drive) => escapes = true,
            name => segments.push(name),
        }
    }
    let path = segments.join("/");
    let path =
        if path.contains(char::is_control) { path.replace(char::is_control, "\u{fffd}") } else { path };
    Clean { path, unsafe_original: escapes.then(|| shown(&text)) }
}

fn is_drive(segment: &str) -> bool {
    matches!(segment.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

fn decode(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(name).0.into_owned(),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (original, expected, escapes) in [
            ("a/b.txt", "a/b.txt", false),
            ("./a//b/./c", "a/b/c", false),
            ("a/../b", "b", false),
            ("../../etc/passwd", "etc/passwd", true),
            ("a/../../b", "b", true),
            ("/etc/passwd", "etc/passwd", true),
            ("C:\\Windows\\x.txt", "Windows/x.txt", true),
            ("\\\\server\\share\\x", "server/share/x", true),
            ("..", "", true),
            ("./", "", false),
            ("a\nb", "a\u{fffd}b", false),
        ] {
            let clean = clean(original.as_bytes());
            assert_eq!(clean.path, expected, "{original}");
            assert_eq!(clean.unsafe_original.is_some(), escapes, "{original}");
        }
    }

    #[test]
    fn names_of_chinese_windows_are_read() {
        assert_eq!(clean(b"\xc8\xd5\xd6\xbe/a.log").path, "日志/a.log");
    }
}
