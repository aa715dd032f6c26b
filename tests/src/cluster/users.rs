//! Who may talk to the API server: tokens and kubeconfigs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::API_SERVER;

/// A user with a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// In the group `viewers`, which has the rights that a test binds to it, and none before.
    Viewer,
    /// Known, but without any right beyond what every user has.
    Nobody,
    /// The token in this kubeconfig is unknown to the server.
    Stranger,
    ControllerManager,
    Scheduler,
}

const ALL: &[User] =
    &[User::Admin, User::Viewer, User::Nobody, User::Stranger, User::ControllerManager, User::Scheduler];

impl User {
    fn file(self) -> &'static str {
        match self {
            User::Admin => "admin.kubeconfig",
            User::Viewer => "viewer.kubeconfig",
            User::Nobody => "nobody.kubeconfig",
            User::Stranger => "stranger.kubeconfig",
            User::ControllerManager => "controller-manager.kubeconfig",
            User::Scheduler => "scheduler.kubeconfig",
        }
    }

    fn token(self) -> &'static str {
        match self {
            User::Admin => "admin-token",
            User::Viewer => "viewer-token",
            User::Nobody => "nobody-token",
            User::Stranger => "stranger-token",
            User::ControllerManager => "controller-manager-token",
            User::Scheduler => "scheduler-token",
        }
    }

    /// User name and groups as the API server shall see them; `None` for the one it shall not know.
    fn identity(self) -> Option<(&'static str, &'static str)> {
        match self {
            User::Admin => Some(("admin", "system:masters")),
            User::Viewer => Some(("viewer", "viewers")),
            User::Nobody => Some(("nobody", "")),
            User::Stranger => None,
            User::ControllerManager => Some(("system:kube-controller-manager", "")),
            User::Scheduler => Some(("system:kube-scheduler", "")),
        }
    }
}

/// The API server's token file.
pub fn tokens(dir: &Path) -> PathBuf {
    dir.join("tokens.csv")
}

/// Folder in which the API server makes its certificate.
pub fn certificates(dir: &Path) -> PathBuf {
    dir.join("certificates")
}

pub fn kubeconfig(dir: &Path, user: User) -> PathBuf {
    dir.join(user.file())
}

/// Writes the token file and every kubeconfig.
pub fn write(dir: &Path) -> Result<()> {
    let rows: String = ALL
        .iter()
        .filter_map(|user| user.identity().map(|(name, groups)| (user.token(), name, groups)))
        .map(|(token, name, groups)| format!("{token},{name},{name},\"{groups}\"\n"))
        .collect();
    fs::write(tokens(dir), rows).context("cannot write the token file")?;
    for user in ALL {
        let path = kubeconfig(dir, *user);
        let text = text(&certificates(dir).join("apiserver.crt"), API_SERVER, *user);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A kubeconfig for the server at `address`. `authority` need not exist yet.
pub fn text(authority: &Path, address: &str, user: User) -> String {
    let token = user.token();
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: test, cluster: {{server: \"https://{address}\", certificate-authority: \"{}\"}}}}]\n\
         users: [{{name: user, user: {{token: {token}}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: user}}}}]\n\
         current-context: test\n",
        authority.display()
    )
}
