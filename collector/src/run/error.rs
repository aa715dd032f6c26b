//! Why there is no bundle, in English for logs and in Chinese for whoever sits at the terminal.

use shared::bundle::writer::WriteError;

use super::deliver::DeliverError;
use crate::cluster::connect::ConnectError;
use crate::gather::text::TextError;
use crate::keyring::KeyringError;
use crate::messages::for_terminal;
use crate::watch::command::CommandError;

/// Why no bundle could be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("there is no namespace {name:?} in {server}\nhint: `kubectl get namespaces` lists them")]
    NoNamespace { name: String, server: String },
    #[error(
        "--only {part}: the server lists no resource of this name, so there is nothing to collect\nhint: `kubectl \
         api-resources` lists their names; write the plural, such as pods/NAMESPACE"
    )]
    NoResource { part: String },
    #[error(
        "the server does not understand -l {selector:?}: {words}\nhint: write it as for kubectl, such as -l app=web or \
         -l 'app in (web, api)'"
    )]
    Selector { selector: String, words: String },
    #[error("the API server {server} cannot be asked: {words}\nhint: try `kubectl version` on this machine")]
    Unreachable { server: String, words: String },
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("cannot handle signals: {0}")]
    Signals(std::io::Error),
    #[error("stopped twice: nothing was written")]
    Abandoned,
}

impl RunError {
    /// The text for a Chinese reader, of what users meet most; `None` for the rest.
    pub fn in_chinese(&self) -> Option<String> {
        Some(match self {
            Self::Connect(error) => connect(error)?,
            Self::Write(error) | Self::Deliver(DeliverError::Write(error)) => write(error)?,
            Self::NoNamespace { name, server } => {
                format!(
                    "{server} 中没有命名空间 {name:?}\n提示：用 `kubectl get namespaces` 查看已有的命名空间"
                )
            }
            Self::NoResource { part } => format!(
                "--only {part}：server 中没有这种资源，没有可收集的内容\n提示：用 `kubectl api-resources` 查看资源名；请写复数，例如 pods/NAMESPACE"
            ),
            Self::Selector { selector, words } => format!(
                "server 无法理解 -l {selector:?}：{}\n提示：写法与 kubectl 相同，例如 -l app=web 或 -l 'app in (web, api)'",
                for_terminal(words, 400)
            ),
            Self::Unreachable { server, words } => format!(
                "无法访问 API server {server}：{}\n提示：在本机执行 `kubectl version` 验证；检查 hosts 解析、网络与端口",
                for_terminal(words, 400)
            ),
            Self::Abandoned => "两次中断：未写入任何内容".to_owned(),
            _ => return None,
        })
    }
}

fn connect(error: &ConnectError) -> Option<String> {
    Some(match error {
        ConnectError::NoConfig { looked_at } => format!(
            "没有可用的集群配置：{looked_at} 不存在，当前也不在 pod 中\n\
             提示：用 --kubeconfig FILE 指定，或在 kubectl 可用的机器上执行；没有集群时用 `casebook-collect host -o FILE --text FILE`"
        ),
        ConnectError::NoFile { path } => format!(
            "kubeconfig {path} 不存在\n提示：用 --kubeconfig FILE 指定存在的文件；不指定时与 kubectl 一样使用 $KUBECONFIG 或 ~/.kube/config"
        ),
        ConnectError::Kubeconfig { path, words } => format!(
            "无法使用 kubeconfig {path}：{}\n提示：用 `kubectl config view` 检查该文件",
            for_terminal(words, 400)
        ),
        ConnectError::NoContext { path, context, known } => {
            format!(
                "kubeconfig {path} 中没有 context {context:?}，已有：{known}\n提示：用 --context NAME 选择其一"
            )
        }
        _ => return None,
    })
}

fn write(error: &WriteError) -> Option<String> {
    Some(match error {
        WriteError::Exists { path } => {
            format!("{} 已存在\n提示：换一个文件名，或先删除它", path.display())
        }
        WriteError::NoFolder { folder } => {
            format!("目录 {} 不存在\n提示：先用 mkdir -p 创建，或换一个已有的目录", folder.display())
        }
        WriteError::Unwritable { folder, source } => {
            format!("无法写入目录 {}：{source}\n提示：用 -o 指定一个可写的目录", folder.display())
        }
        WriteError::DiskFull { path, kib } => format!(
            "{} 所在磁盘空间不足，至少还需要 {kib} KiB\n提示：清理空间，或用 -o FILE 写到其他磁盘",
            path.display()
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_meet_most_has_a_hint_in_both_languages() {
        let path = || "x/y".into();
        let io = || std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let all: [RunError; 10] = [
            RunError::NoResource { part: "x".into() },
            RunError::Selector { selector: "x".into(), words: "y".into() },
            ConnectError::NoConfig { looked_at: "x".into() }.into(),
            ConnectError::NoFile { path: "x".into() }.into(),
            ConnectError::NoContext { path: "x".into(), context: "y".into(), known: "z".into() }.into(),
            RunError::NoNamespace { name: "x".into(), server: "y".into() },
            WriteError::Exists { path: path() }.into(),
            WriteError::NoFolder { folder: path() }.into(),
            WriteError::Unwritable { folder: path(), source: io() }.into(),
            WriteError::DiskFull { path: path(), kib: 64 }.into(),
        ];
        for error in all {
            let chinese = error.in_chinese().unwrap();
            assert!(chinese.contains("提示：") && error.to_string().contains("hint: "), "{error}");
        }
    }
}
