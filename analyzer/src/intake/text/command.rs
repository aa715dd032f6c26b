//! Commands on a terminal: what was asked for tells what an output covers.

/// A command line, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Command {
    /// Name of the program without its folder; `k` and `oc` count as `kubectl`.
    pub(super) tool: String,
    /// `get`, `describe`, `logs`, `list`, `history`, …
    pub(super) verb: String,
    /// Resources as typed, such as `po`, `deployments.apps`.
    pub(super) resources: Vec<String>,
    /// Names of objects or of a release.
    pub(super) names: Vec<String>,
    pub(super) namespace: Option<String>,
    pub(super) all_namespaces: bool,
    pub(super) container: Option<String>,
    pub(super) previous: bool,
    /// Only the newest lines of a log were asked for.
    pub(super) tailed: bool,
    /// Selectors, a pipe or names narrow the output.
    pub(super) filtered: bool,
}

/// Flags of kubectl and helm that take a value; of others the next word is a name.
const WITH_VALUE: &[&str] = &[
    "-n",
    "--namespace",
    "-l",
    "--selector",
    "-o",
    "--output",
    "-c",
    "--container",
    "--tail",
    "--since",
    "--since-time",
    "--context",
    "--kubeconfig",
    "--kube-context",
    "--field-selector",
    "--sort-by",
    "-f",
    "--filename",
    "--cluster",
    "--user",
    "-s",
    "--server",
    "--request-timeout",
    "--max",
    "-m",
    "--template",
    "--timeout",
    "--chunk-size",
    "--limit-bytes",
    "-L",
    "--label-columns",
    "--as",
    "--filter",
    "-t",
];

impl Command {
    /// Reads what stands after a prompt.
    pub(super) fn parse(line: &str) -> Command {
        let (line, piped) = match line.split_once('|') {
            Some((line, _)) => (line, true),
            None => (line, false),
        };
        let line = line.split(" 2>").next().unwrap_or(line);
        let line = line.split(" >").next().unwrap_or(line);
        let mut words = line.split_whitespace().peekable();
        while words.peek().is_some_and(|word| *word == "sudo" || *word == "watch" || is_assignment(word)) {
            words.next();
        }
        let program = words.next().unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
        let tool = match program.trim_end_matches(".exe") {
            "k" | "oc" | "kubectl" | "kubecolor" => "kubectl",
            other => other,
        };
        let mut command = Command { tool: tool.to_owned(), filtered: piped, ..Command::default() };
        if !matches!(tool, "kubectl" | "helm") {
            return command;
        }
        let mut plain = Vec::new();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            if !word.starts_with('-') || word == "-" {
                plain.push(word.trim_matches(['"', '\'']));
                continue;
            }
            let (flag, mut value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word, None),
            };
            if value.is_none() && WITH_VALUE.contains(&flag) {
                value = words.next();
            }
            // As the names of sos's files have it.
            if flag == "--all-namespaces" && words.peek() == Some(&"true") {
                words.next();
            }
            command.flag(flag, value.map(|value| value.trim_matches(['"', '\''])));
        }
        command.words(&plain);
        command
    }

    fn flag(&mut self, flag: &str, value: Option<&str>) {
        match flag {
            "-n" | "--namespace" => self.namespace = value.map(str::to_owned),
            "-A" | "--all-namespaces" => self.all_namespaces = true,
            "-c" | "--container" => self.container = value.map(str::to_owned),
            "-p" | "--previous" => self.previous = true,
            "--tail" | "--since" | "--since-time" => self.tailed = true,
            "-l" | "--selector" | "--field-selector" | "-f" | "--filename" | "--filter" => {
                self.filtered = true
            }
            // helm's short flags in one word: `helm list -aA`.
            short if !short.starts_with("--") && self.tool == "helm" => {
                self.all_namespaces |= short.contains('A');
            }
            attached if attached.starts_with("-n") && !attached.starts_with("--") => {
                self.namespace = Some(attached[2..].to_owned());
            }
            _ => {}
        }
    }

    fn words(&mut self, plain: &[&str]) {
        let Some((verb, rest)) = plain.split_first() else { return };
        self.verb = match *verb {
            "log" => "logs",
            "ls" => "list",
            "hist" => "history",
            verb => verb,
        }
        .to_owned();
        if self.tool == "helm" || self.verb == "logs" {
            self.names = rest.iter().map(|name| (*name).to_owned()).collect();
            if self.verb == "logs" && self.container.is_none() {
                self.container = self.names.get(1).cloned();
            }
            return;
        }
        for (at, word) in rest.iter().enumerate() {
            match word.split_once('/') {
                Some((resource, name)) => {
                    self.resources.push(resource.to_owned());
                    self.names.push(name.to_owned());
                }
                None if at == 0 => self.resources = word.split(',').map(str::to_owned).collect(),
                None => self.names.push((*word).to_owned()),
            }
        }
    }

    /// `helm list` that hides nothing: of all namespaces and, in Helm 3, in all states.
    pub(super) fn lists_everything(&self) -> bool {
        self.tool == "helm"
            && self.verb == "list"
            && self.all_namespaces
            && !self.filtered
            && self.names.is_empty()
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_people_type_them() {
        let get = Command::parse("kubectl get po,svc -n blueking -o wide");
        assert_eq!(
            (get.resources, get.namespace.as_deref(), get.filtered),
            (vec!["po".into(), "svc".into()], Some("blueking"), false)
        );
        let all = Command::parse("sudo /usr/bin/kubectl get pods -A | grep -v Running");
        assert!(all.all_namespaces && all.filtered && all.tool == "kubectl");
        let logs = Command::parse("k logs -nblueking web-0 -c nginx -p --tail=100");
        assert_eq!(
            (logs.names, logs.container.as_deref(), logs.namespace.as_deref(), logs.previous, logs.tailed),
            (vec!["web-0".to_owned()], Some("nginx"), Some("blueking"), true, true)
        );
        let describe = Command::parse("kubectl -n a describe pod/web-0");
        assert_eq!((describe.resources, describe.names), (vec!["pod".to_owned()], vec!["web-0".to_owned()]));
        let history = Command::parse("helm history bk-paas --namespace=blueking");
        assert_eq!(
            (history.verb.as_str(), history.names, history.namespace.as_deref()),
            ("history", vec!["bk-paas".to_owned()], Some("blueking"))
        );
        assert!(Command::parse("helm list -aA").lists_everything());
        assert!(Command::parse("KUBECONFIG=/x kubectl get nodes").verb == "get");
        assert_eq!(Command::parse(""), Command::default());
    }
}
