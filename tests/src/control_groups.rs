//! The control groups of a run: below one folder in each hierarchy, named after the run, and removed with it.
//!
//! They are the only thing that a run has outside its namespaces. Whoever started the run removes them when it has
//! ended; what a killed one left is removed by the next.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const ROOT: &str = "/sys/fs/cgroup";
const PREFIX: &str = "casebook-tests-";

/// The hierarchies that kubelets use: one a controller in version 1, a single one in version 2.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").is_file() {
        return vec![root.to_owned()];
    }
    let mut found: Vec<PathBuf> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("cgroup.procs").is_file() && !path.is_symlink())
        .collect();
    found.sort();
    found
}

/// Why a run cannot have control groups here; `None` where it can.
pub fn hindrance() -> Option<String> {
    let hierarchies = hierarchies();
    if hierarchies.is_empty() {
        return Some(format!("no control groups are mounted at {ROOT}"));
    }
    let version_2 = hierarchies.len() == 1;
    if !version_2 && !hierarchies.iter().any(|path| path.ends_with("memory")) {
        return Some(format!("{ROOT} has no controller of memory"));
    }
    hierarchies.iter().find_map(|hierarchy| {
        let probe = hierarchy.join(format!("{PREFIX}probe-{}", std::process::id()));
        match fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)) {
            Ok(()) => None,
            Err(error) => Some(format!("cannot make control groups in {}: {error}", hierarchy.display())),
        }
    })
}

fn name(run: &str) -> String {
    format!("{PREFIX}{run}")
}

/// Makes the group of a node of this run in each hierarchy and returns its path as kubelets take it.
///
/// # Errors
/// Where that is not allowed.
pub fn make(node: &str) -> Result<String> {
    let run = crate::isolation::run_id().context("only an isolated run has control groups")?;
    let path = format!("{}/{node}", name(&run));
    for hierarchy in hierarchies() {
        let mut folder = hierarchy;
        for part in path.split('/') {
            delegate(&folder);
            let parent = folder.clone();
            folder.push(part);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(value) = fs::read(parent.join(file)) {
                    // Version 1 starts a group without a processor.
                    let _ = fs::write(folder.join(file), value);
                }
            }
        }
        delegate(&folder);
    }
    Ok(format!("/{path}"))
}

/// Version 2 has to be told which controllers the groups below may use; version 1 has no such file.
fn delegate(folder: &Path) {
    let file = folder.join("cgroup.subtree_control");
    if file.is_file() {
        for controller in ["+cpu", "+cpuset", "+memory", "+pids", "+io"] {
            let _ = fs::write(&file, controller);
        }
    }
}

/// Removes the groups of a run, and those of runs whose process is gone.
pub fn remove(run: &str) {
    let own = name(run);
    for hierarchy in hierarchies() {
        for entry in fs::read_dir(&hierarchy).into_iter().flatten().flatten() {
            let found = entry.file_name().to_string_lossy().into_owned();
            let Some(id) = found.strip_prefix(PREFIX) else { continue };
            let dead = id.bytes().all(|byte| byte.is_ascii_digit()) && !Path::new("/proc").join(id).exists();
            if found == own || dead {
                remove_tree(&entry.path());
            }
        }
    }
}

/// From the leaves up; one whose last process the kernel has not buried yet stays for the next run.
fn remove_tree(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    for _ in 0..50 {
        match fs::remove_dir(folder) {
            Err(error) if error.raw_os_error() == Some(16) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            _ => return,
        }
    }
}
