//! Archives and texts made to hurt: each is read and reported on without a panic, within bounds of memory and time, and
//! nothing is written anywhere.
//!
//! All of it runs in one test, one case after the other, so that the peak of memory is that of the worst case. Work is
//! counted as bytes allocated for each byte that was given or unpacked: the same on every machine, whatever else it does.

// Helpers of tests are tests to a reader, not to the lint.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use analyzer::lexicon::Lexicon;
use analyzer::report::{self, Dates, Report};
use analyzer::rules::RuleSet;
use analyzer::snapshot::Snapshot;
use analyzer::{intake, matching};
use shared::archive::Limits;
use shared::lang::Lang;

/// Bytes that may be in use at once, over what was in use before.
const MEMORY: usize = 512 << 20;
/// Bytes that may be allocated in all, over and over, for each byte of the input or of what is unpacked from it.
const WORK: usize = 100;
/// Bytes that any input may cost, such as one that is unpacked to its bound and then refused.
const LEAST: usize = 640 << 20;

#[global_allocator]
static ALLOCATOR: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

#[test]
fn every_class_of_hostile_input_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("a/b/c");
    fs::create_dir_all(&inside).unwrap();
    let mut faults = Vec::new();
    let rules = RuleSet::load(&[]).unwrap();
    for (name, make) in CASES {
        let file = inside.join(name);
        fs::write(&file, make()).unwrap();
        let before = listing(dir.path());
        let given = fs::metadata(&file).unwrap().len() as usize;
        let mut unpacked = 0;
        let in_use = ALLOCATOR.allocated();
        ALLOCATOR.set_limit(in_use + MEMORY).unwrap();
        let allocated = ALLOCATOR.total_allocated();
        match intake::load(std::slice::from_ref(&file), &Limits::default(), &Default::default()) {
            Ok(snapshot) => {
                assert_eq!(snapshot.inputs.len(), 1);
                assert!(snapshot.inputs[0].notes.len() < 100, "{name}: a flood of notes");
                for path in snapshot.files.iter().map(|file| &file.path) {
                    let plain = !path.starts_with('/') && path.split('/').all(|part| part != "..");
                    assert!(plain && path.len() <= 5000, "{name}: {path:.100}");
                }
                unpacked = snapshot.files.iter().map(|file| file.text.len()).sum::<usize>();
                reported(&rules, &snapshot, name);
            }
            // Refusing it is as good, if the reason is a sentence and no flood.
            Err(error) => assert!((1..2000).contains(&error.to_string().len()), "{name}"),
        }
        let allocated = ALLOCATOR.total_allocated() - allocated;
        let bound = LEAST + WORK * given.max(unpacked);
        if allocated > bound {
            faults.push(format!("{name}: {} MiB allocated, {} are enough", allocated >> 20, bound >> 20));
        }
        println!("{name}: {} MiB allocated for {} KiB", allocated >> 20, given.max(unpacked) >> 10);
        assert_eq!(listing(dir.path()), before, "{name} wrote something");
        fs::remove_file(file).unwrap();
    }
    assert_eq!(faults, Vec::<String>::new());
}

/// Every rule is tried on it, and the reports for people are written.
fn reported(rules: &RuleSet, snapshot: &Snapshot, name: &str) {
    let found = matching::run(rules, snapshot);
    let report = Report::build(snapshot, found).read_with(Lexicon::built_in().unwrap(), snapshot);
    let options =
        report::text::Options { lang: Lang::En, width: 80, color: false, dates: Dates::utc(), all: true };
    let text = report::text::render(&report, &options);
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2066}', '\u{9b}']), "{name}: a control character");
    let page = report::html::render(&report, snapshot, Lang::En);
    assert!(!page.contains("<script>alert"), "{name}: markup of the input's");
    assert!(text.len() < 4 << 20 && page.len() < 16 << 20, "{name}: a report of {} bytes", page.len());
}

/// Makes the bytes of a hostile input.
type Make = fn() -> Vec<u8>;

const CASES: &[(&str, Make)] = &[
    ("paths.tar", paths),
    ("links-and-devices.tar", links_and_devices),
    ("twins.tar", twins),
    ("swelling.gz", swelling_gzip),
    ("swelling.zst", || through(&["zstd", "-c"], 512 << 20)),
    ("swelling.xz", || through(&["xz", "-0", "-c"], 128 << 20)),
    ("swelling.bz2", || through(&["bzip2", "-1", "-c"], 128 << 20)),
    ("swelling.7z", swelling_seven_zip),
    ("many.tar.gz", many_entries),
    ("many-faults.tar.gz", many_faults),
    ("nested.zip", || nested(|data| zip(&[("in.zip", data)]))),
    ("nested.gz", || nested(gzip)),
    ("overlapping.zip", overlapping_zip),
    ("long-name.tar", long_name),
    ("lying-size.tar", lying_size),
    ("lying-size.zip", lying_zip),
    ("sparse.tar", sparse),
    ("odd-pax.tar", odd_pax),
    ("cut.tar.gz", || cut(gzip(&bundle()))),
    ("cut.zip", || cut(zip(&[("a.txt", b"hello\n".repeat(1000).as_slice())]))),
    ("noise.tar.gz", || noisy(gzip(&bundle()))),
    ("noise.tar", || noisy(bundle())),
    ("noise.7z", || noisy(seven_zip(&b"hello\n".repeat(10_000)))),
    ("cut.7z", || cut(seven_zip(&b"hello\n".repeat(10_000)))),
    ("noise.zip", || noisy(zip(&[("a.txt", b"hello\n".repeat(10_000).as_slice())]))),
    ("deep.json", || deep_json(100_000)),
    ("deep-list.json", || {
        [br#"{"kind":"List","items":[{"a":"#.as_slice(), &deep_json(100_000), b"}]}"].concat()
    }),
    ("aliases.yaml", aliases),
    ("deep.yaml", || [b"kind: Pod\napiVersion: v1\nx: ".to_vec(), b"[".repeat(100_000)].concat()),
    ("one-line.log", || vec![b'x'; 100 << 20]),
    ("one-line-of-errors.log", || b"Error: ImagePullBackOff connection refused ".repeat(1 << 19)),
    ("errors.txt", || {
        b"Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n"
            .repeat(200_000)
    }),
    ("spaces.txt", || b" ".repeat(8 << 20)),
    ("headers.txt", || b"NAME   READY   STATUS   RESTARTS   AGE\n".repeat(100_000)),
    ("braces.txt", || b"{\n".repeat(300_000)),
    ("broken-json-lines.txt", || b"{\"kind\":\"Pod\",\n".repeat(200_000)),
    ("brackets.txt", || b"[\n".repeat(300_000)),
    ("names.txt", || b"Name:  x\nNamespace: y\n".repeat(150_000)),
    ("deep-describe.txt", deep_describe),
    ("prompts.txt", || b"[root@a ~]# kubectl get pods\n".repeat(100_000)),
    ("almost-prompts.txt", || {
        b"[aaaaaaaaaaaaaaaaaaaaaaaa@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n".repeat(150_000)
    }),
    ("almost-directories.txt", || b"~/aaaaaaaaa/bbbbbbbbb/ccccccccccc ddddddddd eeeeeeeee\n".repeat(150_000)),
    ("arrows.txt", || ["➜  ".repeat(1000).as_bytes(), b"\n"].concat().repeat(1000)),
    ("quotations.txt", || [b">".repeat(1 << 20).as_slice(), b"\n"].concat().repeat(4)),
    ("returns.txt", || b"x\r\x08".repeat(2 << 20)),
    ("columns.txt", || {
        [b"NAME   ".to_vec(), b"A   ".repeat(900), b"\n".to_vec(), b"a   ".repeat(1_000_000)].concat()
    }),
    ("control.txt", control_characters),
    ("zeros.txt", || vec![0; 4 << 20]),
    ("half-utf16.txt", || [b"\xff\xfe".as_slice(), &b"\xd8\x00".repeat(1 << 20), b"\x00"].concat()),
    ("not-utf8.txt", || (0..=255u8).cycle().filter(|byte| *byte != 0).take(8 << 20).collect()),
];

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, data) in files {
        writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A tar header as no well-behaved writer makes it.
fn header(path: &[u8], kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.set_cksum();
    header
}

fn block(header: &tar::Header, data: &[u8]) -> Vec<u8> {
    let mut out = header.as_bytes().to_vec();
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn file(path: &str, data: &[u8]) -> Vec<u8> {
    block(&header(path.as_bytes(), tar::EntryType::Regular, data.len() as u64), data)
}

fn tar(blocks: &[Vec<u8>]) -> Vec<u8> {
    [blocks.concat(), vec![0; 1024]].concat()
}

/// A small bundle as other collectors make it.
fn bundle() -> Vec<u8> {
    let pods = br#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a","namespace":"n"}}]}"#;
    let log = b"2026-01-01T00:00:00Z something happened\n".repeat(2000);
    tar(&[
        file("top/version.yaml", b"kind: SupportBundle\n"),
        file("top/cluster-resources/pods/n.json", pods),
        file("top/cluster-resources/pods/logs/n/a/c.log", &log),
        file(
            "top/notes.txt",
            b"NAME   READY   STATUS    RESTARTS   AGE\na      1/1     Running   0          1d\n",
        ),
    ])
}

fn paths() -> Vec<u8> {
    let names = [
        "../../../../../../etc/cron.d/x",
        "/etc/passwd",
        "C:\\Windows\\x",
        "..\\..\\x",
        "a/../../../x",
        "....//x",
        "\\\\server\\share\\x",
        "a\u{202e}txt.exe",
        "a\nb",
        "~/x",
        "CON",
        "a/./../..",
        "/",
    ];
    tar(&names.iter().map(|name| file(name, b"text\n")).collect::<Vec<_>>())
}

fn links_and_devices() -> Vec<u8> {
    use tar::EntryType as Kind;
    let mut blocks = Vec::new();
    for (name, kind, target) in [
        ("out", Kind::Symlink, "/etc"),
        ("up", Kind::Symlink, "../../.."),
        ("hard", Kind::Link, "/etc/shadow"),
        ("self", Kind::Symlink, "self"),
        ("dev", Kind::Char, ""),
        ("disk", Kind::Block, ""),
        ("pipe", Kind::Fifo, ""),
        ("odd", Kind::new(b'Q'), ""),
    ] {
        let mut header = header(name.as_bytes(), kind, 0);
        header.set_link_name_literal(target).unwrap();
        header.set_cksum();
        blocks.push(block(&header, b""));
    }
    // Through the link.
    blocks.push(file("out/passwd", b"x\n"));
    blocks.push(file("up/x", b"x\n"));
    tar(&blocks)
}

fn twins() -> Vec<u8> {
    let twins =
        (0..2000).map(|n| file(["a.txt", "./a.txt", "x/../a.txt"][n % 3], format!("{n}\n").as_bytes()));
    tar(&twins.collect::<Vec<_>>())
}

/// Thirteen gigabytes in thirteen megabytes.
fn swelling_gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    encoder.finish().unwrap().repeat(200)
}

fn through(program: &[&str], zeros: usize) -> Vec<u8> {
    use std::process::{Command, Stdio};
    let mut child = Command::new(program[0])
        .args(&program[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        let chunk = vec![0; 1 << 20];
        (0..zeros >> 20).for_each(|_| stdin.write_all(&chunk).unwrap());
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output.stdout
}

fn many_entries() -> Vec<u8> {
    let part: Vec<u8> = (0..10_000).flat_map(|n| file(&format!("f/{n}"), b"")).collect();
    gzip(&part).repeat(60)
}

/// Each has a path that is told to the user.
fn many_faults() -> Vec<u8> {
    gzip(&(0..200_000).flat_map(|n| file(&format!("../{n}"), b"")).collect::<Vec<u8>>())
}

fn seven_zip(data: &[u8]) -> Vec<u8> {
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderMethod};
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    // LZMA takes long when it is not optimised, as in tests.
    writer.set_content_methods(vec![EncoderMethod::DEFLATE.into()]);
    writer.push_archive_entry(ArchiveEntry::new_file("a.txt"), Some(data)).unwrap();
    writer.finish().unwrap().into_inner()
}

fn swelling_seven_zip() -> Vec<u8> {
    seven_zip(&vec![0; 100 << 20])
}

fn nested(wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    (0..30).fold(b"deep\n".to_vec(), |data, _| wrap(&data))
}

fn overlapping_zip() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("0", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(&vec![0; 32 << 20]).unwrap();
    for n in 1..2000 {
        writer.shallow_copy_file("0", &n.to_string()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn pax(records: &str) -> Vec<u8> {
    block(&header(b"PaxHeaders/x", tar::EntryType::XHeader, records.len() as u64), records.as_bytes())
}

fn record(key: &str, value: &str) -> String {
    let body = format!(" {key}={value}\n");
    let length = (1..).find(|length| length.to_string().len() + body.len() == *length).unwrap_or_default();
    format!("{length}{body}")
}

fn long_name() -> Vec<u8> {
    let name = "n/".repeat(2 << 20);
    let gnu =
        block(&header(b"././@LongLink", tar::EntryType::GNULongName, name.len() as u64), name.as_bytes());
    tar(&[
        gnu,
        file("short", b"1\n"),
        pax(&record("path", &name)),
        file("short2", b"2\n"),
        file("good.txt", b"3\n"),
    ])
}

fn lying_size() -> Vec<u8> {
    let mut header = header(b"big.log", tar::EntryType::Regular, 0);
    header.set_size(1 << 43);
    header.set_cksum();
    [file("good.txt", b"text\n"), block(&header, b"short\n")].concat()
}

/// The central directory and the local header promise what is not there.
fn lying_zip() -> Vec<u8> {
    let mut archive = zip(&[("a.txt", b"hello\n".as_slice())]);
    for at in 0..archive.len() - 4 {
        if archive[at..at + 4] == 6u32.to_le_bytes() {
            archive[at..at + 4].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
        }
    }
    archive
}

fn sparse() -> Vec<u8> {
    let mut header = header(b"holes", tar::EntryType::GNUSparse, 512);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1 << 40);
    gnu.sparse[0].set_offset(0);
    gnu.sparse[0].set_length(512);
    gnu.sparse[1].set_offset(1 << 40);
    gnu.sparse[1].set_length(0);
    header.set_cksum();
    tar(&[block(&header, &[b'x'; 512]), file("good.txt", b"text\n")])
}

fn odd_pax() -> Vec<u8> {
    tar(&[
        pax(&record("size", "99999999999999")),
        file("a", b"1\n"),
        pax("99999999 path=x\n"),
        file("b", b"2\n"),
        pax("no record at all"),
        file("c", b"3\n"),
        pax(&record("path", "../../x")),
        file("d", b"4\n"),
        pax(&[record("GNU.sparse.major", "1"), record("GNU.sparse.realsize", "1099511627776")].concat()),
        file("e", b"5\n"),
    ])
}

fn cut(mut data: Vec<u8>) -> Vec<u8> {
    data.truncate(data.len() * 2 / 3);
    data
}

/// Every hundredth byte is another.
fn noisy(mut data: Vec<u8>) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for byte in data.iter_mut().skip(20).step_by(97) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    data
}

fn deep_json(depth: usize) -> Vec<u8> {
    [b"[".repeat(depth), b"]".repeat(depth)].concat()
}

fn aliases() -> Vec<u8> {
    let mut text = "apiVersion: v1\nkind: Pod\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..30 {
        let all = vec![format!("*a{}", n - 1); 9].join(",");
        text.push_str(&format!("a{n}: &a{n} [{all}]\n"));
    }
    text.into_bytes()
}

fn deep_describe() -> Vec<u8> {
    let mut text = "Name:  x\nNamespace:  y\nContainers:\n".to_owned();
    for depth in 1..3000 {
        text.push_str(&" ".repeat(depth));
        text.push_str("k:\n");
    }
    text.into_bytes()
}

fn control_characters() -> Vec<u8> {
    let line = "\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}gnp.exe\u{2066}\u{0}\u{8}\u{9b}31m <script>alert(1)</script>\r\n";
    [line.repeat(10_000).as_bytes(), b"\x1b[", b"\x1b]never closed"].concat()
}

fn listing(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}
