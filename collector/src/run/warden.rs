//! What is unfinished goes away even where this program gets no chance to do it: when it is killed outright, or the
//! system takes it for want of memory.
//!
//! A shell waits for the end of a pipe that nobody but this program holds. Whatever ends this program closes the pipe.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use std::os::unix::process::CommandExt;

/// `read` succeeds when it is told that there is nothing to do, and ends without a line when the pipe does.
const WAIT: &str = "read _ || rm -rf -- \"$0\"";

/// Watches over one folder until dropped, and removes it then.
#[derive(Debug)]
pub struct Warden {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Warden {
    /// Sees to it that `folder` is gone when this program is; called before there is one, so that there is no moment at
    /// which nobody watches. `None` where there is no shell: then the folder goes away in all ends but that one.
    pub fn over(folder: &Path) -> Option<Self> {
        // Absolute, and from the root: the shell must not keep a disk from being unmounted.
        let folder = std::path::absolute(folder).ok()?;
        let mut child = Command::new("sh")
            .args(["-c", WAIT])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal is for this program alone.
            .process_group(0)
            .spawn()
            .ok()?;
        let pipe = child.stdin.take();
        Some(Self { child, pipe })
    }

    /// Ends the watch and leaves the folder, which is somebody else's.
    pub fn call_off(mut self) {
        if let Some(pipe) = &mut self.pipe {
            // Where the shell is gone already, nobody removes anything.
            let _ = pipe.write_all(b"\n");
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It has a moment's work; a zombie would be left otherwise.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_when_its_maker_does() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("-a \"$HOME\" b");
        let warden = Warden::over(&folder).unwrap();
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("first"), "x").unwrap();
        drop(warden);
        assert!(!folder.exists());
        assert!(place.path().exists());
    }

    #[test]
    fn a_folder_of_somebody_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        Warden::over(folder.path()).unwrap().call_off();
        assert!(folder.path().exists());
    }
}
