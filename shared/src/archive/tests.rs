use std::fs;
use std::io::Write;

use super::*;
use crate::bundle::writer::{BundleWriter, Format, Item};

/// A tar archive made field by field, as no well-behaved writer would.
pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        let name = path.as_bytes();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, *data).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(super) fn gz(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn paths(contents: &Contents) -> Vec<&str> {
    contents.entries.iter().map(|entry| entry.path.as_str()).collect()
}

#[test]
fn what_the_writer_writes_is_read_from_every_container() {
    let dir = tempfile::tempdir().unwrap();
    let time = "2026-03-04T05:06:08Z".parse().unwrap();
    let log: Vec<u8> = (0..400_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let long = format!("describe/a/role/{}.txt", "n".repeat(150));
    let files: [(&str, &[u8]); 4] =
        [("texts/终端.txt", "你好".as_bytes()), ("e", b""), ("a/b.log", &log), (&long, b"x")];
    for (name, format, container) in [
        ("b.tar.gz", Format::TarGz, "gzip"),
        ("b.tar", Format::Tar, "tar"),
        ("b.zip", Format::Zip, "zip"),
        ("b", Format::Directory, "directory"),
    ] {
        let target = dir.path().join(name);
        let mut bundle = BundleWriter::create(&target, format, "top").unwrap();
        for (path, data) in files {
            bundle.append(&Item::from_bytes(path, time, data)).unwrap();
        }
        bundle.finish(&crate::bundle::writer::tests::manifest(&[])).unwrap();
        let contents = read(&target, &Limits::default(), &Identities::default()).unwrap();
        assert_eq!(contents.notes, [], "{name}");
        assert_eq!(contents.container, container);
        let top = if format == Format::Directory { "" } else { "top/" };
        for (path, data) in files {
            let found = contents.entries.iter().find(|entry| entry.path == format!("{top}{path}")).unwrap();
            assert!(found.data == data && !found.cut, "{name} {path}");
        }
        assert_eq!(contents.entries.len(), files.len() + 1);
    }
}

#[test]
fn ordinary_gzip_and_plain_files_are_read_under_their_names() {
    let contents = read_bytes("pod.log.gz", &gz(b"hello\n"), &Limits::default()).unwrap();
    assert_eq!(paths(&contents), ["pod.log"]);
    assert_eq!(contents.entries[0].data, b"hello\n");
    let contents = read_bytes("a.txt", b"hello\n", &Limits::default()).unwrap();
    assert_eq!((contents.container, paths(&contents)), ("file", vec!["a.txt"]));
}

/// What the programs themselves make; they are part of every system that builds this.
fn through(program: &[&str], data: &[u8]) -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let data = data.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&data).unwrap());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success(), "{program:?}");
    output.stdout
}

#[test]
fn every_compression_is_told_by_its_bytes_and_read() {
    let log = b"a line of a log\n".repeat(100_000);
    let archive = tar(&[("a/x.log", &log), ("a/y", b"hello")]);
    for (program, container) in
        [(["xz", "-c"], "xz"), (["zstd", "-c"], "zstd"), (["bzip2", "-c"], "bzip2"), (["gzip", "-c"], "gzip")]
    {
        let packed = through(&program, &archive);
        let contents = read_bytes("upload.bin", &packed, &Limits::default()).unwrap();
        assert_eq!(contents.notes, []);
        assert_eq!((contents.container, paths(&contents)), (container, vec!["a/x.log", "a/y"]));
        assert!(contents.entries[0].data == log);
        let twice = [packed.clone(), through(&program, b"")].concat();
        assert_eq!(read_bytes("upload.bin", &twice, &Limits::default()).unwrap().entries.len(), 2);
        let cut = read_bytes("upload.bin", &packed[..packed.len() * 2 / 3], &Limits::default()).unwrap();
        assert!(!cut.notes.is_empty(), "{container}");
    }
}

#[test]
fn seven_zip_archives_are_read() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a/x.log"), b"hello\n").unwrap();
    let mut packed = io::Cursor::new(Vec::new());
    sevenz_rust2::compress(dir.path(), &mut packed).unwrap();
    let contents = read_bytes("upload.7z", packed.get_ref(), &Limits::default()).unwrap();
    assert_eq!((contents.container, paths(&contents)), ("7z", vec!["a/x.log"]));
    assert_eq!(contents.entries[0].data, b"hello\n");
}

#[test]
fn a_cut_stream_keeps_what_came_before() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("b.tar.gz");
    let time = "2026-03-04T05:06:08Z".parse().unwrap();
    let mut bundle = BundleWriter::create(&target, Format::TarGz, "top").unwrap();
    let mut noise = 7u64;
    for n in 0..40 {
        let mut data = Vec::new();
        for _ in 0..20_000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            data.extend_from_slice(&noise.to_be_bytes());
        }
        bundle.append(&Item::from_bytes(format!("{n}"), time, &data)).unwrap();
    }
    bundle.finish(&crate::bundle::writer::tests::manifest(&[])).unwrap();
    let bytes = fs::read(&target).unwrap();
    let contents = read_bytes("b.tar.gz", &bytes[..bytes.len() / 2], &Limits::default()).unwrap();
    assert!((15..=21).contains(&contents.entries.len()), "{}", contents.entries.len());
    assert!(contents.entries.last().unwrap().cut);
    assert!(!contents.notes.is_empty());
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 0xff;
    let contents = read_bytes("b.tar.gz", &damaged, &Limits::default()).unwrap();
    assert!((10..=21).contains(&contents.entries.len()));
    assert!(contents.notes.iter().any(|note| matches!(note.fault, Fault::Damaged { .. })));
}

#[test]
fn paths_that_leave_their_folder_are_names_only_and_later_twins_count() {
    let archive = tar(&[("../../etc/x", b"1"), ("/abs", b"2"), ("a/b", b"old"), ("./a//b", b"new")]);
    let contents = read_bytes("x.tar", &archive, &Limits::default()).unwrap();
    assert_eq!(paths(&contents), ["etc/x", "abs", "a/b"]);
    assert_eq!(contents.entries[2].data, b"new");
    let faults: Vec<_> = contents.notes.iter().map(|note| (note.path.as_str(), &note.fault)).collect();
    assert_eq!(
        faults,
        [
            ("etc/x", &Fault::Unsafe { original: "../../etc/x".into() }),
            ("abs", &Fault::Unsafe { original: "/abs".into() }),
            ("a/b", &Fault::Duplicate),
        ]
    );
}

#[test]
fn archives_in_archives_are_opened_to_a_depth() {
    let mut inner = gz(b"deep\n");
    for _ in 0..6 {
        inner = tar(&[("in.tar", &inner)]);
    }
    let contents = read_bytes("x.tar", &inner, &Limits::default()).unwrap();
    assert_eq!(contents.entries, []);
    assert_eq!(contents.notes[0].fault, Fault::TooDeep { limit: 4 });
    let contents = read_bytes("x.tar", &inner, &Limits { nesting: 10, ..Limits::default() }).unwrap();
    assert_eq!(contents.entries[0].data, b"deep\n");
    assert_eq!(contents.entries[0].path, "in.tar/".repeat(5) + "in.tar");
}

#[test]
fn limits_end_the_reading_and_keep_what_was_read() {
    let zeros = vec![0u8; 3 << 20];
    let archive = gz(&tar(&[("first", b"ok"), ("zeros", &zeros), ("last", b"ok")]));
    let small = Limits { ratio: 50, ratio_from: 1 << 20, ..Limits::default() };
    let contents = read_bytes("x.tgz", &archive, &small).unwrap();
    assert_eq!(paths(&contents), ["first", "zeros"]);
    let zeros = &contents.entries[1];
    assert!(zeros.cut, "{}", zeros.data.len());
    assert!(zeros.data.len() <= (1 << 20) + (64 << 10), "{}", zeros.data.len());
    assert_eq!(contents.notes.last().unwrap().fault, Fault::Limit(Exceeded::Ratio(50)));

    let contents =
        read_bytes("x.tgz", &archive, &Limits { total_bytes: 1 << 20, ..Limits::default() }).unwrap();
    assert_eq!(contents.notes.last().unwrap().fault, Fault::Limit(Exceeded::Total(1 << 20)));

    let contents = read_bytes("x.tgz", &archive, &Limits { file_bytes: 1000, ..Limits::default() }).unwrap();
    assert_eq!(paths(&contents), ["first", "zeros", "last"]);
    assert_eq!((contents.entries[1].data.len(), contents.entries[1].cut), (1000, true));

    let contents = read_bytes("x.tgz", &archive, &Limits { entries: 2, ..Limits::default() }).unwrap();
    assert_eq!(paths(&contents), ["first", "zeros"]);
    assert_eq!(contents.notes.last().unwrap().fault, Fault::Limit(Exceeded::Entries(2)));
}

#[test]
fn what_is_sealed_opens_with_its_key_wherever_it_lies() {
    use crate::encryption::{Identities, NewKey, Recipients, Seal};
    let dir = tempfile::tempdir().unwrap();
    let key = NewKey::generate("2026-03-04T05:06:08Z".parse().unwrap());
    fs::write(dir.path().join("key"), &key.file).unwrap();
    let seal = Seal::new(Recipients::read(&[key.public]).unwrap());
    let sealed = |data: &[u8]| {
        let mut writer = seal.begin(Vec::new()).unwrap();
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    };
    let zip = {
        let target = dir.path().join("b.zip");
        let mut bundle = BundleWriter::create(&target, Format::Zip, "top").unwrap();
        bundle.append(&Item::from_bytes("x", "2026-03-04T05:06:08Z".parse().unwrap(), b"5")).unwrap();
        bundle.finish(&crate::bundle::writer::tests::manifest(&[])).unwrap();
        fs::read(target).unwrap()
    };
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    for (name, data) in [
        ("a.tar.gz.age", sealed(&gz(&tar(&[("x", b"1"), ("y", b"2")])))),
        ("b.log.age", sealed(b"3\n")),
        ("c.age", sealed(&sealed(&tar(&[("x", b"4")])))),
        ("d.zip.age", sealed(&zip)),
        ("e.7z", sealed(b"not a 7z\n")),
    ] {
        fs::write(folder.join(name), data).unwrap();
    }
    let own = Identities::read(&[dir.path().join("key")]).unwrap();
    let contents = read(&folder, &Limits::default(), &own).unwrap();
    assert_eq!(contents.notes, []);
    // As if they had been opened where they lie.
    let expected =
        ["a.tar.gz/x", "a.tar.gz/y", "b.log", "c/x", "d.zip/top/x", "d.zip/top/manifest.json", "e.7z"];
    assert_eq!(paths(&contents), expected);
    let one = read(&folder.join("a.tar.gz.age"), &Limits::default(), &own).unwrap();
    assert_eq!((one.container, paths(&one)), ("age", vec!["x", "y"]));

    let closed = read(&folder, &Limits::default(), &Identities::default()).unwrap();
    assert_eq!(closed.entries, []);
    assert_eq!(closed.notes.len(), 5);
    assert!(closed.notes.iter().all(|note| note.fault == Fault::Locked(Locked::NoIdentity)));
    // A swelling archive is no better for being sealed.
    fs::write(folder.join("f.age"), sealed(&gz(&vec![0; 3 << 20]))).unwrap();
    let small = Limits { ratio: 50, ratio_from: 1 << 20, ..Limits::default() };
    let contents = read(&folder.join("f.age"), &small, &own).unwrap();
    assert_eq!(contents.notes.last().unwrap().fault, Fault::Limit(Exceeded::Ratio(50)));
}

/// A zip whose files are packed by this method.
fn zip(method: zip::CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (path, data) in files {
        writer.start_file(*path, options).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn zips_of_every_method_are_read_and_what_is_not_is_named() {
    use zip::CompressionMethod as Method;
    for method in [Method::Stored, Method::Deflated, Method::Bzip2] {
        let contents = read_bytes("x.zip", &zip(method, &[("a", b"hello\n")]), &Limits::default()).unwrap();
        assert_eq!((&contents.notes[..], paths(&contents)), (&[][..], vec!["a"]), "{method}");
    }
    // A method that nobody has: its number stands in both headers.
    let mut odd = zip(Method::Stored, &[("a", b"hello\n"), ("b", b"hello\n")]);
    for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let place = odd.windows(4).position(|bytes| bytes == mark).unwrap() + at;
        odd[place..place + 2].copy_from_slice(&77u16.to_le_bytes());
    }
    let contents = read_bytes("x.zip", &odd, &Limits::default()).unwrap();
    assert_eq!((paths(&contents), contents.entries[0].cut), (vec!["a", "b"], true));
    assert_eq!((contents.notes.len(), &contents.notes[0].path[..]), (1, "a"));
}

#[test]
fn a_zip_without_its_end_is_read_from_its_beginning() {
    let noise: Vec<u8> = (0..40_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let whole = zip(zip::CompressionMethod::Deflated, &[("a", b"hello\n"), ("b", &noise), ("c", b"x")]);
    let contents = read_bytes("x.zip", &whole[..whole.len() / 2], &Limits::default()).unwrap();
    assert_eq!(paths(&contents), ["a", "b"]);
    assert_eq!((&contents.entries[0].data[..], contents.entries[1].cut), (&b"hello\n"[..], true));
    assert!(matches!(&contents.notes[0], Note { path, fault: Fault::Damaged { .. } } if path == "x.zip"));
}

#[test]
fn archives_behind_one_another_are_all_read() {
    let two = [tar(&[("a", b"1")]), tar(&[("b", b"2")])];
    assert_eq!(paths(&read_bytes("x.tar", &two.concat(), &Limits::default()).unwrap()), ["a", "b"]);
    let packed = [gz(&two[0]), gz(&two[1])].concat();
    assert_eq!(paths(&read_bytes("x.tar.gz", &packed, &Limits::default()).unwrap()), ["a", "b"]);
}

#[test]
fn formats_that_are_not_read_are_named() {
    for (head, said) in [
        (&b"Rar!\x1a\x07\x01\0"[..], "RAR"),
        (b"\x04\x22\x4d\x18\x64", "LZ4"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"%PDF-1.4\n", "a PDF"),
    ] {
        let contents = read_bytes("upload", head, &Limits::default()).unwrap();
        assert_eq!(contents.entries, []);
        assert!(contents.notes[0].fault.to_string().contains(said), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_a_folder_are_told_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("in");
    fs::create_dir(&inside).unwrap();
    fs::write(dir.path().join("secret.txt"), b"x").unwrap();
    fs::write(inside.join("a.txt"), b"x").unwrap();
    for (name, target) in
        [("b.txt", "a.txt"), ("self", "."), ("loop", "loop"), ("out.txt", "../secret.txt"), ("up", "..")]
    {
        std::os::unix::fs::symlink(target, inside.join(name)).unwrap();
    }
    let contents = read(&inside, &Limits::default(), &Identities::default()).unwrap();
    assert_eq!(paths(&contents), ["a.txt"]);
    let told = Fault::LinksOut { count: 2, first: "out.txt".into() };
    assert_eq!(contents.notes.last().unwrap().fault, told);
}
