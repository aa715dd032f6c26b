//! Container images made of Debian packages, without a registry.
//!
//! An image is one layer: the packages with everything they depend on, unpacked, and busybox for a shell. Nothing is
//! installed, so no script of a package runs; what such a script would make (users, a few links) is made here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Cache;
use crate::run::succeed;

/// Changes when images are made in another way.
const RECIPE: &str = "2";

/// Users that the packages' scripts would make; the numbers are those of the images that people know.
const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n\
                     postgres:x:70:70::/var/lib/postgresql:/bin/sh\n\
                     www-data:x:33:33::/var/www:/bin/sh\n\
                     mysql:x:999:999::/var/lib/mysql:/bin/sh\n\
                     redis:x:998:998::/var/lib/redis:/bin/sh\n\
                     rabbitmq:x:997:997::/var/lib/rabbitmq:/bin/sh\n\
                     haproxy:x:99:99::/var/lib/haproxy:/bin/sh\n\
                     memcache:x:11211:11211::/tmp:/bin/sh\n\
                     nobody:x:65534:65534::/:/bin/sh\n";

/// An image by the name that pods give it.
#[derive(Debug, Clone)]
pub struct Image {
    pub name: String,
    /// Debian packages; none for busybox alone.
    pub packages: Vec<String>,
}

/// An image that has been made.
#[derive(Debug, Clone)]
pub struct Archive {
    /// As `ctr images import` takes it.
    pub path: PathBuf,
    /// `package version`, of the packages that were asked for.
    pub versions: Vec<String>,
}

impl Image {
    /// The image's archive; made, if it is not there yet.
    ///
    /// # Errors
    /// When a package cannot be had or unpacked.
    pub fn make(&self, cache: &Cache) -> Result<Archive> {
        let mut hash = Sha256::new();
        hash.update(RECIPE);
        hash.update(&self.name);
        for package in &self.packages {
            hash.update([0]);
            hash.update(package);
        }
        let id = hex(&hash.finalize()[..6]);
        let folder = cache.images().join(id);
        let archive = folder.join("image.tar");
        let versions = folder.join("versions");
        if !archive.is_file() {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let lock = fs::File::create(folder.join("lock"))?;
            lock.lock()?;
            if !archive.is_file() {
                eprintln!("image {}", self.name);
                let work = folder.join("work");
                // What an earlier run was cut off in.
                let _ = fs::remove_dir_all(&work);
                fs::create_dir(&work)?;
                self.build(cache, &work, &versions)?;
                fs::rename(work.join("image.tar"), &archive)?;
                fs::remove_dir_all(&work)?;
            }
        }
        let versions = fs::read_to_string(&versions).unwrap_or_default();
        Ok(Archive { path: archive, versions: versions.lines().map(str::to_owned).collect() })
    }

    fn build(&self, cache: &Cache, work: &Path, versions: &Path) -> Result<()> {
        let root = work.join("root");
        for folder in ["bin", "tmp", "etc", "proc", "sys", "dev", "root", "run", "usr/bin", "var/run"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(versions, self.unpack(work, &root)?)?;
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
        let busybox = cache.node().join("bin/busybox");
        fs::copy(&busybox, root.join("bin/busybox"))?;
        for applet in succeed(Command::new(&busybox).arg("--list"))?.stdout.lines() {
            let link = root.join("bin").join(applet);
            let other = root.join("usr/bin").join(applet);
            if link.symlink_metadata().is_err() && other.symlink_metadata().is_err() {
                symlink("busybox", link)?;
            }
        }
        fs::write(root.join("etc/passwd"), USERS)?;
        let groups = USERS.lines().filter_map(|line| {
            let mut fields = line.split(':');
            Some(format!("{}:x:{}:\n", fields.next()?, fields.nth(2)?))
        });
        fs::write(root.join("etc/group"), groups.collect::<String>())?;
        self.pack(work)
    }

    /// Fetches and unpacks the packages, and tells their versions, a line each.
    fn unpack(&self, work: &Path, root: &Path) -> Result<String> {
        if self.packages.is_empty() {
            return Ok(String::new());
        }
        let archives = work.join("packages");
        fs::create_dir_all(archives.join("partial"))?;
        // A machine on which nothing is installed: everything that a package needs is fetched.
        let status = work.join("status");
        fs::write(&status, "")?;
        succeed(
            Command::new("apt-get")
                .args(["-qq", "-y", "--no-install-recommends", "--download-only"])
                .args(["-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"])
                .arg("-o")
                .arg(format!("Dir::State::status={}", status.display()))
                .arg("-o")
                .arg(format!("Dir::Cache::archives={}", archives.display()))
                .arg("install")
                .args(&self.packages),
        )?;
        let mut packages: Vec<PathBuf> = fs::read_dir(&archives)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        packages.sort();
        let mut versions = String::new();
        for package in &packages {
            succeed(Command::new("dpkg-deb").arg("-x").arg(package).arg(root))?;
            let shown = succeed(
                Command::new("dpkg-deb").arg("-W").arg("--showformat=${Package} ${Version}").arg(package),
            )?
            .stdout;
            if shown.split(' ').next().is_some_and(|name| self.packages.iter().any(|wanted| wanted == name)) {
                versions.push_str(&shown);
                versions.push('\n');
            }
        }
        fs::remove_dir_all(&archives)?;
        Ok(versions)
    }

    /// Writes `work/image.tar`: one layer, its description, and the list of both.
    fn pack(&self, work: &Path) -> Result<()> {
        let layer = work.join("layer.tar");
        succeed(
            Command::new("tar")
                .args(["--sort=name", "--mtime=@0", "--numeric-owner", "-cf"])
                .arg(&layer)
                .arg("-C")
                .arg(work.join("root"))
                .arg("."),
        )?;
        let mut hash = Sha256::new();
        std::io::copy(&mut fs::File::open(&layer)?, &mut hash)?;
        let layer_id = hex(&hash.finalize());
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Cmd": ["sleep", "1000000"],
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            },
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_id}")]},
            "history": [],
        })
        .to_string();
        let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
        let manifest = json!([{"Config": config_name, "RepoTags": [self.name], "Layers": ["layer.tar"]}]);
        fs::write(work.join(&config_name), config)?;
        fs::write(work.join("manifest.json"), manifest.to_string())?;
        succeed(Command::new("tar").arg("-cf").arg(work.join("image.tar")).arg("-C").arg(work).args([
            &config_name,
            "layer.tar",
            "manifest.json",
        ]))?;
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
