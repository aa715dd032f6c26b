//! Which tools the host has, where, for which machine they were built, and which version they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::capture::{Capture, Section};
use super::facts::{Facts, Tool};
use super::{Context, run};

/// Name, and the arguments that make it print its version without asking anything of a cluster or daemon.
const TOOLS: &[(&str, &[&str])] = &[
    ("helm", &["version", "--short"]),
    ("helmfile", &["--version"]),
    ("kubectl", &["version", "--client"]),
    ("kubeadm", &["version", "-o", "short"]),
    ("kubelet", &["--version"]),
    ("docker", &["--version"]),
    ("containerd", &["--version"]),
    ("crictl", &["--version"]),
    ("nerdctl", &["--version"]),
    ("runc", &["--version"]),
    ("yq", &["--version"]),
    ("jq", &["--version"]),
    ("curl", &["--version"]),
    ("git", &["--version"]),
    ("tar", &["--version"]),
    ("chronyc", &["--version"]),
    ("timedatectl", &["--version"]),
    ("iptables", &["--version"]),
    ("nft", &["--version"]),
];

const FILES: &str = "which -a";

pub const SCRIPT: &str = "\
begin 'which -a'
for t in helm helmfile kubectl kubeadm kubelet docker containerd crictl runc yq jq curl chronyc timedatectl; do
  p=$(command -v $t 2>/dev/null)
  if [ -n \"$p\" ]; then echo \"$t $p executable -\"
  elif [ -e /usr/local/bin/$t ]; then [ -x /usr/local/bin/$t ] && echo \"$t /usr/local/bin/$t executable -\" || echo \"$t /usr/local/bin/$t not-executable -\"
  else echo \"$t -\"; fi
done
end 0
run helm version --short
run helmfile --version
run kubectl version --client
run kubelet --version
run docker --version
run containerd --version
";

pub async fn gather(context: Arc<Context>) -> Capture {
    let login = context.login_path().await;
    let mut folders = login.clone().unwrap_or_default();
    for folder in run::search_directories() {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let scan = move || scan(&folders);
    let Some((text, runnable)) = run::detached(Duration::from_secs(5), scan).await else {
        return Capture { sections: vec![Section::new(FILES, "", super::capture::End::TimedOut(5))] };
    };
    let mut capture = Capture { sections: vec![Section::good(FILES, text)] };
    let versions = runnable.into_iter().map(|(name, path, args)| async move {
        let mut command = tokio::process::Command::new(path);
        command.args(args).env("LC_ALL", "C").env_remove("KUBECONFIG");
        run::run(command, format!("{name} {}", args.join(" ")), Duration::from_secs(5)).await
    });
    capture.sections.extend(join_all(versions).await);
    capture
}

type Runnable = (&'static str, PathBuf, &'static [&'static str]);

/// A line for each file, and the files that can be asked for their version.
fn scan(folders: &[PathBuf]) -> (String, Vec<Runnable>) {
    let mut text = String::new();
    let mut runnable = Vec::new();
    let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
    for (name, args) in TOOLS {
        let mut seen = Vec::new();
        for path in folders.iter().map(|folder| folder.join(name)).filter(|path| path.is_file()) {
            // `/bin` is often a link to `/usr/bin`.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            if seen.contains(&real) {
                continue;
            }
            let executable = run::is_executable(&path);
            let arch = elf_machine(&path);
            let mode = if executable { "executable" } else { "not-executable" };
            let _ = writeln!(text, "{name} {} {mode} {}", path.display(), arch.as_deref().unwrap_or("-"));
            if seen.is_empty() && executable && arch.as_deref().is_none_or(|arch| arch == machine) {
                runnable.push((*name, path, *args));
            }
            seen.push(real);
        }
        if seen.is_empty() {
            let _ = writeln!(text, "{name} -");
        }
    }
    (text, runnable)
}

/// The architecture in an ELF header, as `uname -m` names it; `None` for anything that is no ELF file.
///
/// Offsets and numbers as in elf(5): byte 4 the class, byte 5 the byte order, bytes 18 and 19 the machine.
fn elf_machine(path: &Path) -> Option<String> {
    let mut header = [0u8; 20];
    std::fs::File::open(path).ok()?.read_exact(&mut header).ok()?;
    elf_machine_of(&header)
}

fn elf_machine_of(header: &[u8; 20]) -> Option<String> {
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let little = header[5] == 1;
    let number = [header[18], header[19]];
    let number = if little { u16::from_le_bytes(number) } else { u16::from_be_bytes(number) };
    Some(match (number, header[4]) {
        (62, _) => "x86_64".to_owned(),
        (3, _) => "i686".to_owned(),
        (183, _) => "aarch64".to_owned(),
        (40, _) => "armv7l".to_owned(),
        (243, 2) => "riscv64".to_owned(),
        (258, 2) => "loongarch64".to_owned(),
        (21, _) if little => "ppc64le".to_owned(),
        (22, _) => "s390x".to_owned(),
        (other, _) => format!("elf-{other}"),
    })
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let Some(text) = capture.text(FILES) else { return };
    let mut tools: BTreeMap<String, Tool> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, path, rest @ ..] = &words[..] else { continue };
        let tool = tools.entry((*name).to_owned()).or_default();
        if *path == "-" {
            continue;
        }
        if !tool.found {
            tool.found = true;
            tool.executable = rest.first() == Some(&"executable");
            tool.elf_arch = rest.get(1).filter(|arch| **arch != "-").map(|arch| (*arch).to_owned());
        }
        tool.paths.push((*path).to_owned());
    }
    for (name, args) in TOOLS {
        if let Some(tool) = tools.get_mut(*name) {
            tool.version = capture.text(&format!("{name} {}", args.join(" "))).and_then(version);
        }
    }
    facts.tools = Some(tools);
}

/// What needs facts of other probes: whether the login shell finds a tool, whether it was built for this machine.
pub fn relate(facts: &mut Facts) {
    let login = facts.path.as_ref().and_then(|path| path.login.clone());
    let arch = facts.arch.clone();
    for tool in facts.tools.iter_mut().flat_map(|tools| tools.values_mut()) {
        tool.in_login_path = login.as_ref().map(|folders| {
            tool.executable
                && tool.paths.iter().any(|path| {
                    Path::new(path)
                        .parent()
                        .is_some_and(|folder| folders.iter().any(|f| Path::new(f) == folder))
                })
        });
        tool.arch_matches = tool.elf_arch.as_ref().zip(arch.as_ref()).map(|(file, host)| file == host);
    }
}

/// The first word that begins like `1.2` or `v1.2`, without the `v`.
fn version(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-+~_".contains(c);
    text.split(|c: char| !is_part(c))
        .flat_map(|word| [Some(word), word.rsplit_once('-').map(|(_, tail)| tail)])
        .flatten()
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| {
            let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
            digits > 0
                && word[digits..].starts_with('.')
                && word[digits + 1..].starts_with(|c: char| c.is_ascii_digit())
        })
        .map(|word| word.trim_end_matches(['.', '-', '+']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_the_tools_print_them() {
        let cases = [
            ("v3.17.2+gcc0bbbd\n", "3.17.2+gcc0bbbd"),
            ("helmfile version v0.140.0", "0.140.0"),
            ("Client Version: version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.2\"}", "1.20.2"),
            ("Docker version 20.10.5+dfsg1, build 55c4c88", "20.10.5+dfsg1"),
            ("containerd github.com/containerd/containerd v1.6.24 61f9fd8", "1.6.24"),
            ("yq (https://github.com/mikefarah/yq/) version v4.30.6", "4.30.6"),
            ("jq-1.6", "1.6"),
            ("Kubernetes v1.20.2", "1.20.2"),
        ];
        for (text, expected) in cases {
            assert_eq!(version(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(version("error: no such flag"), None);
    }

    #[test]
    fn a_file_for_another_machine_is_told_apart_from_a_script() {
        let mut header = [0u8; 20];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = 183;
        assert_eq!(elf_machine_of(&header).as_deref(), Some("aarch64"));
        assert_eq!(elf_machine_of(b"#!/bin/bash\n# 45678\n"), None);
    }

    #[test]
    fn a_tool_outside_the_login_path_is_found_but_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("helmfile");
        std::fs::copy("/bin/true", &file).unwrap();
        let (text, runnable) = scan(&[folder.path().to_owned()]);
        assert_eq!(runnable.len(), 1);
        let capture = Capture { sections: vec![Section::good(FILES, text)] };
        let mut facts = Facts { arch: Some(std::env::consts::ARCH.into()), ..Facts::default() };
        facts.path = Some(super::super::facts::SearchPath {
            login: Some(vec!["/usr/bin".into()]),
            ..Default::default()
        });
        understand(&capture, &mut facts);
        relate(&mut facts);
        let tools = facts.tools.unwrap();
        let helmfile = &tools["helmfile"];
        assert!(helmfile.found && helmfile.executable);
        assert_eq!((helmfile.in_login_path, helmfile.arch_matches), (Some(false), Some(true)));
        assert!(!tools["helm"].found);
    }
}
