//! Commands that print a secret to the terminal, and the word that they print: it stands beside no label.

use std::ops::Range;

/// Commands that people type to see a secret.
pub(crate) const PRINTERS: &[&str] = &[
    "base64 -d",
    "base64 --decode",
    "base64 -D",
    "yq ",
    "jq ",
    "printenv ",
    "echo $",
    "echo \"$",
    "jsonpath=",
    "go-template=",
    "cat ",
    "vault kv get",
    "vault read",
    "> get ",
    "> GET ",
    "kubeadm token create",
    "kubeadm init phase upload-certs",
    "openssl rand",
    "consul keygen",
    "create token ",
];

/// Whether this is a command that prints a secret to the terminal: `kubectl get secret … | base64 -d`.
pub(crate) fn prints_secret(line: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    let prompted = line.starts_with(b"$ ")
        || line.starts_with(b"# ")
        || line.starts_with(b"> ")
        || has(b"]# ")
        || has(b"]$ ")
        || has(b":~# ")
        || has(b":~$ ")
        || has(b"> get ")
        || has(b"> GET ");
    let makes = [b"kubeadm ".as_slice(), b"openssl rand", b"consul keygen", b"create token "];
    if prompted && makes.iter().any(|word| has(word)) {
        return !has(b"> ") || line.starts_with(b"> ");
    }
    let decodes = has(b"base64 -d") || has(b"base64 --decode") || has(b"base64 -D");
    let reads = decodes || has(b"yq ") || has(b"jq ") || has(b"jsonpath=") || has(b"go-template=");
    let telling =
        [b"secret".as_slice(), b"Secret", b"SECRET", b"assw", b"ASSW", b"oken", b"OKEN", b"get pass"];
    if !(telling.iter().any(|word| has(word)) || prompted && decodes) || has(b"$(") || has(b"`") {
        return false;
    }
    // What goes into a file is not printed; a client's prompt is no redirection.
    reads && !has(b">")
        || prompted && (!has(b"> ") || has(b"> get ") || has(b"> GET ") || line.starts_with(b"> "))
}

/// The word that a command printed, where in `text` it stands: with its number, in quotes, in a map.
pub(crate) fn word(text: &[u8]) -> Option<Range<usize>> {
    let marks = |b: &u8| b"\"' \t".contains(b);
    let mut start = 0;
    // `2) "x"`
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && text[digits..].starts_with(b") ") {
        start = digits + 2;
    }
    // `map[key:x]`, `{"key":"x"}`
    if text.starts_with(b"map[") || text.starts_with(b"{\"") {
        start = text.iter().position(|b| *b == b':')? + 1;
    }
    start += text[start..].iter().take_while(|b| marks(b)).count();
    let end = text.iter().rposition(|b| !b"\"' ]},".contains(b))? + 1;
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_print_a_secret_are_told_from_others() {
        for line in [
            "$ printenv DB_PASSWORD",
            "[root@bk ~]# echo $API_TOKEN",
            "kubectl get secret x -o jsonpath='{.data.a}' | base64 -d",
            "$ kubeadm token create",
            "127.0.0.1:6379> get pass",
        ] {
            assert!(prints_secret(line.as_bytes()), "{line}");
        }
        for line in [
            "$ echo $HOME",
            "$ cat pods.txt",
            "$ kubectl get secret x -o jsonpath='{.data.a}' > a",
            "password=$(kubectl get secret x | base64 -d)",
            "the token of cat ",
        ] {
            assert!(!prints_secret(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn the_word_is_found_behind_its_number_and_in_maps() {
        for text in ["x1y2", "2) \"x1y2\"", "map[key:x1y2]", "{\"key\":\"x1y2\"}", "\"x1y2\""] {
            assert_eq!(word(text.as_bytes()).map(|place| &text[place]), Some("x1y2"), "{text}");
        }
    }
}
