//! Prompts of shells: where the output of one command ends and what was typed next.

use std::sync::LazyLock;

use regex::Regex;

/// A prompt that names a user and a host or a drive, whatever was typed after it.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?P<prompt>\s{0,4}(?:[│┃]\s?)?(?:
            (?:\([^()]+\)\s*|\[⎈[^\]]+\]\s*)?(?:
                \[[^\]@]+@[^\]]+\]\s?[\#$%]                                   # [root@master ~]#
              | [A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+[:\ ][^\#$%>]*[\#$%>]          # root@master:~#
            )(?:\s+|$)
          # After a time, as some shells print it, nothing that could be a line of a log.
          | \[?(?:\d{4}-\d\d-\d\d[T\ ])?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s?(?:
                \[[^\]@\s]+@[^\]]+\]\s?[\#$%]
              | [A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+[:\ ][^\s\#$%>]*\s?[\#$%>]
            )(?:\s+|$)
          | PS\ (?:[A-Za-z]:|[/~])[^>]*>\s*
          | [A-Za-z]:\\[^>]*>\s*
        ))(?P<typed>.*)$",
    )
    .expect("the pattern is constant")
});

/// Any other prompt. `#`, `$` and `>` begin and end many other lines too, so that a program has to follow which people
/// use on a cluster.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?P<prompt>\s{0,4}(?:
            (?:\([^()]+\)\s*|\[⎈[^\]]+\]\s*)?(?:➜|λ)(?:\s+[^\s(]+)?(?:\s+git:\([^)]+\))?(?:\s+[✗✔])?
          | (?:[╰└]─{1,4}\s?)?[\#$%>+❯»]                                      # $   ❯   └─#
          | [╰└]─{1,4}|->
          | (?:bash|sh|zsh|ash|ksh)-[0-9.]+[\#$]                              # bash-5.1$
          | (?:[A-Za-z0-9_.-]+:)?[~/][^\s\#$%>]*(?:\s[A-Za-z0-9_.-]+)?\s?[\#$%>]  # /app #   bk01:~ #
          | [A-Za-z0-9_.-]+:[A-Za-z0-9_.~/-]+\s[A-Za-z0-9_.-]+[\#$]           # MacBook-Pro:bk me$
        )\s{0,3})
        (?P<typed>(?:sudo\s+)?(?:\./|/\S*/)?(?:kubectl|helm|helmfile|oc|k|docker|crictl|nerdctl|ctr|podman|journalctl|systemctl|cat|tail|head|dmesg|curl|bash|sh)(?:\s.*)?|date(?:\s+[-+].*)?)$",
    )
    .expect("the pattern is constant")
});

/// Bytes that a prompt and what was typed may have, and the prompt alone.
const LONGEST: usize = 4096;
const LONGEST_PROMPT: usize = 240;

/// The prompts of one text.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    /// Bare prompts after which a known program was typed: after them anything may be typed, or nothing.
    seen: Vec<String>,
}

impl Prompts {
    /// The command behind a prompt, empty for a prompt alone; `None` if the line is no prompt.
    pub(super) fn typed<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        if let Some(typed) = typed(line) {
            if let Some(prompt) = typed.bare.filter(|prompt| tells(prompt) && self.seen.len() < 8)
                && !self.seen.iter().any(|seen| seen == prompt)
            {
                self.seen.push(prompt.to_owned());
            }
            return Some(typed.command);
        }
        self.seen.iter().find_map(|prompt| {
            if line.trim_end() == prompt.trim_end() { Some("") } else { line.strip_prefix(prompt.as_str()) }
        })
    }
}

/// Whether a bare prompt is more than a sign that begins other lines as well: of comments, quotes, diffs.
fn tells(prompt: &str) -> bool {
    !matches!(prompt.trim(), "#" | ">" | "+" | "%") && prompt.len() > 1
}

/// What a line that is a prompt says.
struct Typed<'l> {
    command: &'l str,
    /// The prompt itself, if it is a bare one.
    bare: Option<&'l str>,
}

/// Whether a line is a prompt by itself, with no others seen before.
pub(super) fn is_prompt(line: &str) -> bool {
    typed(line).is_some()
}

fn typed(line: &str) -> Option<Typed<'_>> {
    // Nearly all lines are no prompts, and the patterns are not cheap.
    let start = line.trim_start();
    let likely = start.starts_with([
        '│', '┃', '[', '(', '#', '$', '%', '>', '+', '❯', '»', '➜', 'λ', '╰', '└', '/', '~', '-',
    ]) || start.len() > 2 && start.as_bytes()[1] == b':'
        || start.starts_with("PS ")
        || start.split(' ').next().is_some_and(|word| word.contains(['@', ':', '-']))
        || start.starts_with(|c: char| c.is_ascii_digit()) && start.contains('@');
    if !likely || line.len() > LONGEST {
        return None;
    }
    let (found, bare) = match NAMED.captures(line) {
        Some(found) => (found, false),
        None => (BARE.captures(line)?, true),
    };
    let prompt = &line[found.name("prompt")?.range()];
    let command = line[found.name("typed")?.range()].trim();
    (prompt.len() <= LONGEST_PROMPT).then_some(Typed { command, bare: bare.then_some(prompt) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_many_shells_are_seen_and_other_lines_are_not() {
        let get = Some("kubectl get pods");
        for (line, expected) in [
            ("[root@VM-1-2 bkhelmfile]# helmfile -f x sync", Some("helmfile -f x sync")),
            ("root@node1:~# ls", Some("ls")),
            ("ubuntu@ip-10-0-0-1:~$ kubectl get po", Some("kubectl get po")),
            ("PS C:\\Users\\me> kubectl get pods", get),
            ("PS /home/me> kubectl get pods", get),
            ("C:\\>kubectl get pods", get),
            ("C:\\> kubectl get pods", get),
            ("$ kubectl get pods", get),
            ("+ kubectl get pods", get),
            ("➜  ~ kubectl get pods", get),
            ("➜  bk git:(main) ✗ kubectl get pods", get),
            ("(⎈ |kind-kind:default)➜  ~ kubectl get pods", get),
            ("[⎈ |prod:blueking] root@bk:~# kubectl get pods", get),
            ("λ kubectl get pods", get),
            ("❯ kubectl get pods", get),
            ("╰─# kubectl get pods", get),
            ("└─$ kubectl get pods", get),
            ("-> kubectl get pods", get),
            ("bash-5.1$ kubectl get pods", get),
            ("sh-4.4# kubectl get pods", get),
            ("/ # kubectl get pods", get),
            ("/app $ kubectl get pods", get),
            ("~/bk> kubectl get pods", get),
            ("bk01:/data # kubectl get pods", get),
            ("MacBook-Pro:bk me$ kubectl get pods", get),
            ("[10:15:32] root@bk:~# ls", Some("ls")),
            ("10:15:32 root@bk:~# ls", Some("ls")),
            ("[2026-11-30 10:15:32][root@bk-control ~]# ls", Some("ls")),
            ("2026-11-30 10:15:32 [root@bk-control ~]# ls", Some("ls")),
            ("(base) [root@a ~]# ", Some("")),
            ("│[root@a ~]# ls", Some("ls")),
            ("# kubernetes is great", None),
            ("> quoted text", None),
            ("/var/log > /dev/null", None),
            ("error: # kubectl get pods", None),
            ("[2026-01-01 00:00:00] INFO x", None),
            ("[ERROR] user@example.com failed", None),
            ("2026-01-01 INFO mail to a@b.c # 1", None),
            ("10:15:32 admin@example.com: 50% of the mails were sent", None),
            ("- name: x", None),
            ("", None),
        ] {
            assert_eq!(Prompts::default().typed(line), expected, "{line}");
        }
    }

    #[test]
    fn a_bare_prompt_is_known_once_a_program_followed_it() {
        let mut prompts = Prompts::default();
        assert_eq!(prompts.typed("bash-5.1$ ls"), None);
        assert_eq!(prompts.typed("bash-5.1$ kubectl get pods"), Some("kubectl get pods"));
        assert_eq!(prompts.typed("bash-5.1$ ls"), Some("ls"));
        assert_eq!(prompts.typed("bash-5.1$"), Some(""));
        // What begins comments and quotes is never taken for more than it is.
        assert_eq!(prompts.typed("# kubectl get pods"), Some("kubectl get pods"));
        assert_eq!(prompts.typed("# a comment"), None);
    }
}
