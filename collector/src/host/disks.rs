//! Room on the host's file systems, in bytes and inodes, and the directories that local volumes are made from.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::capture::{Capture, End, Section};
use super::facts::{Disk, Facts, LocalVolume};
use super::{Context, run};

const MOUNTS: &str = "cat /proc/self/mountinfo";
const BYTES: &str = "df -Pk";
const INODES: &str = "df -Pi";
const VOLUMES: &str = "ls -d local volumes";

/// File systems that hold no files of anybody.
const WITHOUT_ROOM: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.lxcfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
];

/// Mounts that the container runtime makes and takes away, one or more a container.
const OF_CONTAINERS: &[&str] =
    &["/var/lib/kubelet/", "/run/containerd/", "/var/lib/docker/", "/var/lib/containers/", "/run/user/"];

/// Where the provisioners of local volumes look by default.
const VOLUME_FOLDERS: &[&str] = &["/mnt/blueking", "/mnt/disks", "/mnt/fast-disks"];

const LIMIT: Duration = Duration::from_secs(3);

pub const SCRIPT: &str = "\
show /proc/self/mountinfo
run df -Pk
run df -Pi
begin 'ls -d local volumes'
for d in /mnt/blueking/* /mnt/disks/* /mnt/fast-disks/*; do [ -d \"$d\" ] && echo \"$d\"; done
end 0
";

pub async fn gather(context: Arc<Context>) -> Capture {
    let mounts = run::file("/proc/self/mountinfo", LIMIT).await;
    let wanted = wanted(&mounts.text);
    let room = join_all(wanted.iter().map(|mount| async move {
        let path = unescape(&mount.path);
        run::detached(LIMIT, move || rustix::fs::statvfs(&path)).await
    }))
    .await;

    let mut bytes = "Filesystem 1024-blocks Used Available Capacity Mounted on\n".to_owned();
    let mut inodes = "Filesystem Inodes IUsed IFree IUse% Mounted on\n".to_owned();
    let mut trouble = Vec::new();
    for (mount, room) in wanted.iter().zip(room) {
        let label = format!("statvfs {}", mount.path);
        match room {
            None => trouble.push(Section::new(label, "", End::TimedOut(LIMIT.as_secs()))),
            Some(Err(errno)) => trouble.push(Section::new(label, "", run::end_of(&errno.into()))),
            Some(Ok(room)) => {
                let blocks = |count: u64| count * room.f_frsize / 1024;
                let used = room.f_blocks - room.f_bfree;
                let _ = writeln!(
                    bytes,
                    "{} {} {} {} {}% {}",
                    mount.device,
                    blocks(room.f_blocks),
                    blocks(used),
                    blocks(room.f_bavail),
                    percent(used, room.f_bavail),
                    mount.path
                );
                let used = room.f_files - room.f_ffree;
                let _ = writeln!(
                    inodes,
                    "{} {} {used} {} {}% {}",
                    mount.device,
                    room.f_files,
                    room.f_ffree,
                    percent(used, room.f_ffree),
                    mount.path
                );
            }
        }
    }
    let folders: Vec<PathBuf> = VOLUME_FOLDERS
        .iter()
        .map(PathBuf::from)
        .chain(context.options.volume_folders.iter().cloned())
        .collect();
    let volumes = match run::detached(LIMIT, move || volumes(&folders)).await {
        Some(text) => Section::good(VOLUMES, text),
        None => Section::new(VOLUMES, "", End::TimedOut(LIMIT.as_secs())),
    };
    let mut sections = vec![mounts, Section::good(BYTES, bytes), Section::good(INODES, inodes), volumes];
    sections.extend(trouble);
    Capture { sections }
}

fn volumes(folders: &[PathBuf]) -> String {
    let mut found: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| folder.read_dir().ok())
        .flat_map(|entries| entries.flatten().take(500))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.iter().fold(String::new(), |mut text, path| {
        let _ = writeln!(text, "{}", path.display());
        text
    })
}

struct Mount {
    path: String,
    device: String,
    fs: String,
    read_only: bool,
    /// `major:minor`, the same for every mount of one file system.
    number: String,
}

/// Fields as in proc_pid_mountinfo(5): the fifth is the mount point, the sixth its options; after the lone `-` come
/// type and source. Paths keep the kernel's octal escapes.
fn mounts(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let (left, right) = line.split_once(" - ")?;
            let left: Vec<&str> = left.split(' ').collect();
            let right: Vec<&str> = right.split(' ').collect();
            Some(Mount {
                path: (*left.get(4)?).to_owned(),
                device: (*right.get(1)?).to_owned(),
                fs: (*right.first()?).to_owned(),
                read_only: left.get(5)?.split(',').any(|option| option == "ro"),
                number: (*left.get(2)?).to_owned(),
            })
        })
        .collect()
}

/// The first mount of each file system that has room to run out of.
fn wanted(text: &str) -> Vec<Mount> {
    let mut seen = HashSet::new();
    mounts(text)
        .into_iter()
        .filter(|m| !WITHOUT_ROOM.contains(&m.fs.as_str()) && (m.fs != "overlay" || m.path == "/"))
        .filter(|m| !OF_CONTAINERS.iter().any(|start| m.path.starts_with(start)))
        .filter(|m| seen.insert(m.number.clone()))
        .take(200)
        .collect()
}

/// Blanks, tabs and backslashes are written as three octal digits.
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
}

/// Rounded up, as df does, so that "full" is 100 and nothing else.
fn percent(used: u64, free: u64) -> u8 {
    if used + free == 0 { 0 } else { (used * 100).div_ceil(used + free).min(100) as u8 }
}

pub fn understand(capture: &Capture, facts: &mut Facts) {
    let mounts = capture.text(MOUNTS).map(mounts).unwrap_or_default();
    let Some(bytes) = capture.text(BYTES) else { return };
    let inodes: Vec<Row> = capture.text(INODES).map(rows).unwrap_or_default();
    let mut disks = Vec::new();
    for row in rows(bytes) {
        let mount = mounts.iter().rev().find(|mount| mount.path == row.mount);
        if mount.is_some_and(|m| WITHOUT_ROOM.contains(&m.fs.as_str())) {
            continue;
        }
        let inodes = inodes.iter().find(|other| other.mount == row.mount);
        disks.push(Disk {
            mount: unescape(row.mount),
            device: row.device.to_owned(),
            fs: mount.map_or_else(String::new, |m| m.fs.clone()),
            bytes_total: row.total * 1024,
            bytes_free: row.free * 1024,
            used_percent: row.percent,
            inodes_total: inodes.map_or(0, |row| row.total),
            inodes_free: inodes.map_or(0, |row| row.free),
            inodes_used_percent: inodes.map_or(0, |row| row.percent),
            read_only: mount.is_some_and(|m| m.read_only),
        });
    }
    let volumes = capture.text(VOLUMES).unwrap_or_default().lines().map(|path| {
        let is_mount_point = mounts.iter().any(|mount| unescape(&mount.path) == path);
        let room = room_below(path, &disks, &mounts);
        LocalVolume {
            path: path.to_owned(),
            is_mount_point,
            bytes_total: room.map(|disk| disk.bytes_total),
            bytes_free: room.map(|disk| disk.bytes_free),
        }
    });
    facts.local_volumes = Some(volumes.collect());
    facts.disks = Some(disks);
}

/// The file system that a directory lies on: that of the longest mount point above it.
fn room_below<'a>(path: &str, disks: &'a [Disk], mounts: &[Mount]) -> Option<&'a Disk> {
    let above = |mount: &str| mount == "/" || path == mount || path.starts_with(&format!("{mount}/"));
    let nearest = mounts.iter().filter(|m| above(&unescape(&m.path))).max_by_key(|m| m.path.len())?;
    let same =
        |disk: &&Disk| mounts.iter().any(|m| m.number == nearest.number && unescape(&m.path) == disk.mount);
    disks.iter().find(same)
}

struct Row<'a> {
    device: &'a str,
    total: u64,
    free: u64,
    percent: u8,
    mount: &'a str,
}

/// The six columns of `df -P`; the last may hold blanks.
fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines().skip(1).filter_map(row).collect()
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut rest = line.trim_start();
    let mut next = || {
        let (word, tail) = rest.split_once(char::is_whitespace)?;
        rest = tail.trim_start();
        Some(word)
    };
    let device = next()?;
    let total = next()?.parse().ok()?;
    next()?;
    let free = next()?.parse().ok()?;
    // `-` where a file system does not count inodes.
    let percent = next()?.trim_end_matches('%').parse().unwrap_or(0);
    Some(Row { device, total, free, percent, mount: rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /proc rw - proc proc rw
30 22 8:17 / /data ro,noatime - xfs /dev/sdb1 rw
31 22 8:17 /bcs/vol01 /mnt/blueking/vol01 rw - xfs /dev/sdb1 rw
32 22 0:40 / /mnt/with\\040blank rw - tmpfs tmpfs rw
33 22 0:50 / /var/lib/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
";

    #[test]
    fn one_row_a_file_system_and_local_volumes_know_theirs() {
        assert_eq!(
            wanted(MOUNTINFO).iter().map(|m| m.path.as_str()).collect::<Vec<_>>(),
            ["/", "/data", "/mnt/with\\040blank"]
        );
        let capture = Capture {
            sections: vec![
                Section::good(MOUNTS, MOUNTINFO),
                Section::good(
                    BYTES,
                    "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                     /dev/sda1 100 40 60 40% /\n/dev/sdb1 1000 1000 0 100% /data\ntmpfs 8 0 8 0% /mnt/with\\040blank\n",
                ),
                Section::good(
                    INODES,
                    "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 10 10 0 100% /\n",
                ),
                Section::good(VOLUMES, "/mnt/blueking/vol01\n/mnt/blueking/vol02\n"),
            ],
        };
        let mut facts = Facts::default();
        understand(&capture, &mut facts);
        let disks = facts.disks.unwrap();
        assert_eq!((disks[0].inodes_used_percent, disks[0].bytes_free), (100, 61_440));
        assert_eq!((disks[1].used_percent, disks[1].read_only, disks[1].fs.as_str()), (100, true, "xfs"));
        assert_eq!(disks[2].mount, "/mnt/with blank");
        let volumes = facts.local_volumes.unwrap();
        assert_eq!((volumes[0].is_mount_point, volumes[0].bytes_total), (true, Some(1_024_000)));
        assert_eq!((volumes[1].is_mount_point, volumes[1].bytes_total), (false, Some(102_400)));
    }

    #[test]
    fn a_nearly_full_disk_is_not_called_empty_nor_a_used_one_free() {
        assert_eq!(percent(0, 10), 0);
        assert_eq!(percent(1, 999), 1);
        assert_eq!(percent(10, 0), 100);
        assert_eq!(percent(0, 0), 0);
    }

    #[tokio::test]
    async fn agrees_with_df() {
        let mut facts = Facts::default();
        understand(&gather(Arc::new(Context::default())).await, &mut facts);
        let root = facts.disks.unwrap().into_iter().find(|disk| disk.mount == "/").unwrap();
        let df = run::command(&["df", "-Pk", "/"], LIMIT).await;
        assert_eq!(root.bytes_total / 1024, rows(&df.text)[0].total);
    }
}
