//! What runs on the node before this program does: a few lines of POSIX shell, given to ssh as its command.

use std::fmt::Write as _;

use crate::host::HostOptions;

/// Begins the line with which the node says what it is.
pub const HELLO: &str = "casebook-node ";
/// Status with which the lines end where the program cannot run: no folder has room for it or may hold programs, or
/// the C library is too old.
pub const CANNOT_RUN: i32 = 93;

/// The lines say what machine this is, then wait for one word on standard input:
/// - `binary SIZE`: the program follows. It goes into a file in memory if that may hold programs, else to a
///   temporary folder. The file is opened and removed, and only then run through the open descriptor, so that nothing is
///   left whatever happens to it. A connection that breaks while it is sent leaves too few bytes, and the file goes.
/// - `script`: a shell script follows, which is read whole and run.
///
/// No single quotation mark may stand in here: the whole is one quoted argument, for any login shell.
const LINES: &str = r#"umask 077
LC_ALL=C; export LC_ALL
echo "casebook-node $(uname -s) $(uname -m)"
read -r mode size || exit 90
if [ "$mode" = script ]; then
  script=$(cat)
  exec sh -c "$script" </dev/null
fi
[ "$mode" = binary ] || exit 90
f=
trap "rm -f \"\$f\"" EXIT
trap "exit 91" HUP INT TERM PIPE
need=$((size / 1024 + 1024))
for d in /dev/shm "${XDG_RUNTIME_DIR:-/dev/shm}" /run /tmp /var/tmp "$HOME"; do
  [ -d "$d" ] && [ -w "$d" ] || continue
  room=$(df -Pk "$d" 2>/dev/null | while read -r a b c free rest; do echo "$free"; done | tail -n 1)
  [ "${room:-0}" -ge "$need" ] 2>/dev/null || continue
  n="$d/.casebook-$$-NONCE"
  if [ -z "$f" ]; then
    (set -C; : >"$n") 2>/dev/null || continue
    f=$n
    cat >"$f" 2>/dev/null
    [ "$(wc -c <"$f")" -eq "$size" ] || break
  else
    (set -C; cat "$f" >"$n") 2>/dev/null || { rm -f "$n"; continue; }
    rm -f "$f"
    f=$n
  fi
  chmod 700 "$f"
  if "$f" --version >/dev/null 2>&1; then
    exec 3<"$f"
    rm -f "$f"
    exec /proc/self/fd/3 ARGUMENTS </dev/null
  fi
done
echo "casebook-node cannot run the program" >&2
exit 93"#;

/// The command for ssh: [`LINES`] for this run.
pub fn command(nonce: u64, options: &HostOptions) -> String {
    let lines = LINES.replace("NONCE", &format!("{nonce:016x}")).replace("ARGUMENTS", &arguments(options));
    debug_assert!(!lines.contains('\''), "the lines stand between single quotation marks");
    format!("sh -c '{lines}'")
}

/// `host --stream …`, of words that no shell takes for anything else. A name that is no such word is left out.
fn arguments(options: &HostOptions) -> String {
    let mut words = String::from("host --stream");
    let mut add = |flag: &str, value: &str| {
        if is_plain(value) {
            let _ = write!(words, " {flag}={value}");
        }
    };
    for name in &options.names {
        add("--resolve", name);
    }
    for server in &options.cluster_dns {
        add("--cluster-dns", &server.to_string());
    }
    for name in &options.cluster_names {
        add("--cluster-name", name);
    }
    for endpoint in &options.endpoints {
        add("--connect", &endpoint.to_string());
    }
    for folder in options.volume_folders.iter().filter_map(|folder| folder.to_str()) {
        add("--volume-folder", folder);
    }
    words
}

fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.len() < 300
        && word.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:/[]".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_the_cluster_cannot_become_a_command() {
        let options = HostOptions {
            names: vec!["a.example".into(), "$(reboot)".into(), "x;y".into()],
            cluster_dns: vec!["fd00::a".parse().unwrap()],
            ..HostOptions::default()
        };
        assert_eq!(arguments(&options), "host --stream --resolve=a.example --cluster-dns=fd00::a");
        let command = command(1, &options);
        assert_eq!(command.matches('\'').count(), 2);
    }
}
