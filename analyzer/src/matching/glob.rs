//! Globs over names: `*` for any run of characters, `?` for one. Everything else stands for itself.

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    literal: bool,
}

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        Glob { pattern: pattern.to_owned(), literal: !pattern.contains(['*', '?']) }
    }

    /// The one name it stands for, if it has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        self.literal.then_some(&self.pattern)
    }

    pub fn matches(&self, name: &str) -> bool {
        if self.literal { self.pattern == name } else { wildcard(self.pattern.as_bytes(), name.as_bytes()) }
    }
}

/// Whether any of the globs matches; no globs at all match everything.
pub fn any(globs: &[Glob], name: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(name))
}

/// Goes back to the last `*` only, which suffices and keeps the time within pattern × name.
fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, matched)) => {
                    star = Some((at, matched + 1));
                    p = at + 1;
                    n = matched + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let matches = |pattern: &str, name: &str| Glob::new(pattern).matches(name);
        assert!(matches("bk-repo-*", "bk-repo-bkrepo-gateway-0"));
        assert!(matches("*gateway*", "bk-repo-bkrepo-gateway-0"));
        assert!(matches("web-?", "web-0") && !matches("web-?", "web-10"));
        assert!(matches("*a*b", "xaxxb") && !matches("*a*b", "xaxxbc"));
        assert!(matches("*", "") && !matches("", "a"));
        assert!(any(&[], "anything"));
    }
}
