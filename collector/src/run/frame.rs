//! The files that say what the bundle is.

use jiff::Timestamp;
use shared::bundle::paths;

use crate::sink::{Draft, Sink};
use shared::bundle::manifest::Outcome;

const README: &str = "\
casebook 收集包
================
本文件由 casebook-collect 生成，供排查问题使用。
  manifest.json            清单：收集了什么、缺了什么、为什么、脱敏了多少处
  cluster-resources/       集群对象（JSON 列表，每行一个对象）；pods/logs/ 下为容器日志
  tables/ describe/        与 kubectl get -o wide、kubectl describe 的输出相同
  helm/                    helm release 及其历史（仅元数据，不含 values）
  hosts/ probes/ install/  中控机信息、探测结果、安装目录
  texts/                   用户提供的文本
未收集：Secret 的内容、managedFields。密码、密钥、令牌等已替换为 ***kind:hash*** 形式的标记，同一个值的标记相同。
过长的日志保留开头与结尾，中间有一行说明缺少的字节数。
清单中的哈希只能发现损坏，不能防止伪造：任何人都可以连同哈希一起改写。
查看内容：casebook-collect inspect 文件名

casebook bundle
===============
Made by casebook-collect for whoever looks into a problem.
  manifest.json            what was collected, what is missing and why, how much was masked
  cluster-resources/       objects of the cluster (JSON Lists, one object a line); container logs under pods/logs/
  tables/ describe/        what kubectl get -o wide and kubectl describe print
  helm/                    helm releases with their histories (metadata only, no values)
  hosts/ probes/ install/  facts of the control machine, measurements, the installation directory
  texts/                   texts that the user gave
Left out: the content of Secrets, managedFields. Passwords, keys and tokens are replaced by marks of the form
***kind:hash***; equal values have equal marks. A log that is too long keeps its head and its tail, with a line between
them that counts the missing bytes.
The hashes in the manifest show damage and do not keep anybody from forging: whoever changes a file can change its hash.
To look into it: casebook-collect inspect FILE
";

/// Writes `version.yaml` and `README.txt`.
pub fn put(sink: &Sink) {
    let version = format!(
        "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\nspec:\n  versionNumber: casebook-{}\n# collected {}\n",
        env!("CARGO_PKG_VERSION"),
        Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    );
    for (path, text) in [(paths::VERSION, version.as_str()), (paths::README, README)] {
        let mut draft = Draft::new(path, "casebook-collect");
        draft.push(text.as_bytes());
        sink.put(draft.finish(Outcome::Collected, None));
    }
}
