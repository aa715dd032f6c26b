use std::io::Read;
use std::process::Command;

use super::*;
use crate::bundle::manifest::{FORMAT, Outcome, Tool};

fn time() -> Timestamp {
    "2026-03-04T05:06:08Z".parse().unwrap()
}

pub(crate) fn manifest(items: &[Item]) -> Manifest {
    Manifest {
        format: FORMAT.to_owned(),
        tool: Tool { name: "casebook-collect".into(), version: "0.1.0".into() },
        started: time(),
        finished: time(),
        options: Default::default(),
        cluster: None,
        host: None,
        clocks: Vec::new(),
        stopped: None,
        ledger: items.iter().map(|item| item.entry("GET /x", Outcome::Collected)).collect(),
    }
}

/// Small, empty, long, and with names that a plain tar header cannot hold.
fn items() -> Vec<Item> {
    let big: Vec<u8> =
        (0..600_000u32).flat_map(|n| format!("line {} of a log\n", n % 977).into_bytes()).collect();
    let long = format!("describe/a/clusterrole/{}.txt", "n".repeat(150));
    [
        ("version.yaml", b"kind: SupportBundle\n".as_slice()),
        ("texts/终端.txt", "你好\n".as_bytes()),
        ("empty.txt", b""),
        ("cluster-resources/pods/logs/a/b/c.log", &big),
        (long.as_str(), b"text"),
        ("block.txt", &[b'x'; 512]),
        ("middle.txt", &[b'y'; 100_001]),
    ]
    .into_iter()
    .map(|(path, bytes)| Item::from_bytes(path, time(), bytes))
    .collect()
}

fn write(target: &Path, format: Format) -> Written {
    let items = items();
    let mut bundle = BundleWriter::create(target, format, "casebook-test").unwrap();
    for item in &items {
        bundle.append(item).unwrap();
    }
    bundle.finish(&manifest(&items)).unwrap()
}

fn python(script: &str, file: &Path) -> String {
    let output = Command::new("python3").arg("-c").arg(script).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn expected_listing() -> String {
    let items = items();
    let mut lines: Vec<String> =
        items.iter().map(|item| format!("casebook-test/{} {}", item.path(), item.bytes())).collect();
    let json = manifest_json::render(&manifest(&items));
    lines.push(format!("casebook-test/manifest.json {}", json.len()));
    lines.join("\n") + "\n"
}

#[test]
fn python_lists_and_reads_every_container() {
    let dir = tempfile::tempdir().unwrap();
    let tar = "import sys,tarfile\nwith tarfile.open(sys.argv[1]) as t:\n for m in t: print(m.name, len(t.extractfile(m).read()))";
    let zip = "import sys,zipfile\nwith zipfile.ZipFile(sys.argv[1]) as z:\n assert z.testzip() is None\n for m in z.infolist(): print(m.filename, m.file_size)";
    for (name, format, script) in
        [("a.tar.gz", Format::TarGz, tar), ("a.tar", Format::Tar, tar), ("a.zip", Format::Zip, zip)]
    {
        let target = dir.path().join(name);
        let written = write(&target, format);
        assert_eq!(written.bytes, fs::metadata(&target).unwrap().len());
        assert_eq!(python(script, &target), expected_listing(), "{name}");
    }
}

#[test]
fn tar_itself_unpacks_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("a.tar.gz");
    write(&target, Format::TarGz);
    let status = Command::new("tar").arg("-xzf").arg(&target).arg("-C").arg(dir.path()).status().unwrap();
    assert!(status.success());
    for item in items() {
        let mut expected = Vec::new();
        item.copy_to(&mut expected).unwrap();
        let path = dir.path().join("casebook-test").join(item.path());
        assert!(fs::read(&path).unwrap() == expected, "{}", item.path());
    }
}

#[test]
fn a_directory_holds_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("bundle");
    write(&target, Format::Directory);
    for item in items() {
        assert_eq!(fs::metadata(target.join(item.path())).unwrap().len(), item.bytes());
    }
    assert!(target.join("manifest.json").is_file());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary folder is left");
}

#[test]
fn the_same_items_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for format in [Format::TarGz, Format::Tar, Format::Zip] {
        let (one, two) = (dir.path().join("1"), dir.path().join("2"));
        write(&one, format);
        write(&two, format);
        assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap(), "{format:?}");
        fs::remove_file(one).unwrap();
        fs::remove_file(two).unwrap();
    }
}

#[test]
fn every_member_states_its_length_and_holds_about_a_mebibyte() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("a.tar.gz");
    write(&target, Format::TarGz);
    let mut bytes = Vec::new();
    File::open(&target).unwrap().read_to_end(&mut bytes).unwrap();
    let (mut at, mut members) = (0, 0);
    while at < bytes.len() {
        let lengths = member::lengths(&bytes[at..]).unwrap();
        assert!(lengths.data <= member::DATA + BLOCK * 3);
        at += lengths.member;
        members += 1;
    }
    assert_eq!(at, bytes.len());
    assert!(members > 10);
}

#[test]
fn each_ledger_entry_stands_on_one_line() {
    let items = items();
    let json = String::from_utf8(manifest_json::render(&manifest(&items))).unwrap();
    let back: Manifest = serde_json::from_str(&json).unwrap();
    assert_eq!(back, manifest(&items));
    let lines = json.lines().filter(|line| line.trim_start().starts_with(r#"{"path":"#)).count();
    assert_eq!(lines, items.len());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    for (name, format) in [("a.tar.gz", Format::TarGz), ("a.zip", Format::Zip)] {
        let target = dir.path().join(name);
        write(&target, format);
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let target = dir.path().join("d");
    write(&target, Format::Directory);
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(target.join("version.yaml")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_dropped_writer_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for format in [Format::TarGz, Format::Tar, Format::Zip, Format::Directory] {
        let mut bundle = BundleWriter::create(&dir.path().join("a"), format, "t").unwrap();
        bundle.append(&items()[3]).unwrap();
        drop(bundle);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{format:?}");
    }
}

#[test]
fn bad_targets_and_paths_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("a.tar.gz");
    fs::write(&target, "precious").unwrap();
    assert!(matches!(BundleWriter::create(&target, Format::TarGz, "t"), Err(WriteError::Exists { .. })));
    let nowhere = dir.path().join("no/such/folder/a.tar.gz");
    assert!(matches!(BundleWriter::create(&nowhere, Format::TarGz, "t"), Err(WriteError::NoFolder { .. })));
    let mut bundle = BundleWriter::create(&dir.path().join("b.tar.gz"), Format::TarGz, "t").unwrap();
    for path in ["", "/etc/passwd", "a/../b", "a//b", "./a", "a\\b", "c:x", "a\nb"] {
        let item = Item::from_bytes(path, time(), b"x");
        assert!(matches!(bundle.append(&item), Err(WriteError::BadPath { .. })), "{path:?}");
    }
    bundle.append(&items()[0]).unwrap();
    assert!(matches!(bundle.append(&items()[0]), Err(WriteError::Duplicate { .. })));
    assert_eq!(fs::read(&target).unwrap(), b"precious");
}

#[test]
fn a_sealed_bundle_is_the_same_bundle_in_every_container() {
    let dir = tempfile::tempdir().unwrap();
    let key = encryption::NewKey::generate(time());
    let seal = Seal::new(encryption::Recipients::read(&[key.public]).unwrap());
    for format in [Format::TarGz, Format::Tar, Format::Zip] {
        let packing = Packing { format, seal: Some(seal.clone()) };
        let target = dir.path().join(format!("a{}", packing.extension()));
        let mut bundle = BundleWriter::create(&target, packing.clone(), "casebook-test").unwrap();
        items().iter().for_each(|item| bundle.append(item).unwrap());
        let written = bundle.finish(&manifest(&items())).unwrap();
        let bytes = fs::read(&target).unwrap();
        assert_eq!(written.bytes, bytes.len() as u64);
        assert!(encryption::is_sealed(&bytes));
        assert_eq!(memchr::memmem::find(&bytes, b"SupportBundle"), None);
        let mut found = Vec::new();
        crate::bundle::items::visit(&target, &packing, |path, _, data| {
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes)?;
            found.push(format!("casebook-test/{path} {}\n", bytes.len()));
            Ok::<_, io::Error>(())
        })
        .unwrap();
        assert_eq!(found.concat(), expected_listing(), "{format:?}");
    }
    let folder = Packing { format: Format::Directory, seal: Some(seal) };
    let refused = BundleWriter::create(&dir.path().join("d"), folder, "t");
    assert!(matches!(refused, Err(WriteError::OpenFolder)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn a_full_disk_is_told_with_what_is_missing() {
    let error = fault(Path::new("a"), io::Error::from(io::ErrorKind::StorageFull), 1500);
    assert!(matches!(error, WriteError::DiskFull { kib: 2, .. }));
}
