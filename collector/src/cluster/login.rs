//! The program that a kubeconfig names for logging in (`exec`): what it may do wrong, and how long it may take.
//!
//! It may ask the user something, so it gets more time than any request; but one that hangs must not hang a run that
//! nobody watches. What it prints is a credential and never shown.

use std::time::Duration;

use kube::client::AuthError;

/// Time for somebody to type a password or to log in with a browser.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the client, for which the program is run once.
///
/// # Errors
/// In words for the user.
pub async fn client(config: kube::Config, patience: Duration) -> Result<kube::Client, String> {
    let program = program(&config).map(str::to_owned);
    let made = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
    match tokio::time::timeout(patience, made).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(kube::Error::Auth(error)))) => Err(words(&error, program.as_deref())),
        Ok(Ok(Err(error))) => Err(first_line(&error)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => {
            end_children();
            let program = program.as_deref().unwrap_or("the login");
            Err(format!(
                "{program} gave no answer within {} s\nhint: run `kubectl get nodes` to see what it waits for",
                patience.as_secs()
            ))
        }
    }
}

/// The program that logs in, if one does.
fn program(config: &kube::Config) -> Option<&str> {
    config.auth_info.exec.as_ref()?.command.as_deref()
}

/// What went wrong with logging in, without anything that was printed on standard output.
pub fn words(error: &AuthError, program: Option<&str>) -> String {
    let program = program.unwrap_or("the login program of the kubeconfig");
    match error {
        AuthError::AuthExecStart(cause) => format!(
            "{program}, by which the kubeconfig logs in, cannot be started: {cause}\n\
             hint: kubectl needs it too; install it, or run this where it is on the PATH"
        ),
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = said.lines().next_back().map(|line| format!(": {line}")).unwrap_or_default();
            format!(
                "{program}, by which the kubeconfig logs in, ended with {}{said}\n\
                 hint: log in again; `kubectl get nodes` must work",
                out.status
            )
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => format!(
            "{program}, by which the kubeconfig logs in, printed no ExecCredential\n\
             hint: log in again; `kubectl get nodes` must work"
        ),
        AuthError::ReadTokenFile(cause, path) => {
            format!("cannot read the token file {}: {cause}", path.display())
        }
        other => first_line(other),
    }
}

/// Messages of parsers come with a drawing of what they read.
fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Ends the program that hangs: it would outlive this one. No other children have been started by now.
fn end_children() {
    let own = std::process::id() as i32;
    let Ok(all) = procfs::process::all_processes() else { return };
    for child in all.flatten().filter_map(|process| process.stat().ok()).filter(|stat| stat.ppid == own) {
        if let Some(pid) = rustix::process::Pid::from_raw(child.pid) {
            // One that has just ended needs no ending.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(script: &str) -> kube::Config {
        let mut config = kube::Config::new("https://127.0.0.1:1".parse().unwrap());
        let exec = serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script],
            "interactiveMode": "Never",
        });
        config.auth_info.exec = Some(serde_json::from_value(exec).unwrap());
        config
    }

    async fn refusal(script: &str) -> String {
        client(config(script), Duration::from_millis(700)).await.err().unwrap()
    }

    #[tokio::test]
    async fn what_a_program_prints_is_used_and_never_shown() {
        let good = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"abc"}}'"#;
        assert!(client(config(good), PATIENCE).await.is_ok());
        let garbage = refusal("echo 'token: {very-secret'").await;
        assert!(
            garbage.contains("printed no ExecCredential") && !garbage.contains("very-secret"),
            "{garbage}"
        );
        let failed = refusal("echo very-secret; echo 'session expired' >&2; exit 4").await;
        assert!(
            failed.contains("exit status: 4: session expired") && !failed.contains("very-secret"),
            "{failed}"
        );
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let mut config = config("");
        config.auth_info.exec.as_mut().unwrap().command = Some("no-such-login".into());
        let error = client(config, PATIENCE).await.err().unwrap();
        assert!(error.contains("no-such-login") && error.contains("hint: "), "{error}");
    }
}
