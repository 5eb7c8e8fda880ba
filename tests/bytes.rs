//! Whatever the bytes, loading neither panics nor takes long: hostile files, and thousands of slips in good ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use lacuna::suite::{Diagnostics, SuiteSource, load};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The places where a folder of suites has files.
const PLACES: [&str; 4] = ["area/topic.yaml", "requirements.yaml", "expectations.yaml", "content/graph.yaml"];

/// Far above what is needed, far below what a person would wait.
const LIMIT: Duration = Duration::from_secs(20);

/// Writes the bytes at each place in turn, and loads.
fn everywhere(name: &str, bytes: &[u8]) {
    for place in PLACES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let begin = Instant::now();
        let result = load(&SuiteSource::Folder(folder.path().to_owned()));
        assert!(begin.elapsed() < LIMIT, "{name} as {place} took {:?}", begin.elapsed());
        if let Err(diagnostics) = result {
            readable(name, &diagnostics);
        }
    }
}

/// Diagnostics are there, in order, printable and bounded.
fn readable(name: &str, diagnostics: &Diagnostics) {
    assert!(!diagnostics.0.is_empty(), "{name}: refused without a reason");
    assert!(diagnostics.0.is_sorted_by_key(|d| (d.source.file.clone(), d.source.line, d.source.column)), "{name}");
    for diagnostic in &diagnostics.0 {
        assert!(diagnostic.source.line > 0 && diagnostic.source.column > 0, "{name}: {diagnostic:?}");
        let text = diagnostic.render(false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}: {text:?}");
        assert!(text.lines().all(|line| line.chars().count() < 3000), "{name}: {text}");
    }
}

#[test]
fn hostile_files() {
    let mebibytes = |piece: &str, count: usize| piece.repeat((count << 20) / piece.len());
    let deep = |open: &str, count: usize| open.repeat(count);
    let laughs = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        format!("{text}a{}: &a{} [*a{i}, *a{i}, *a{i}, *a{i}, *a{i}, *a{i}, *a{i}, *a{i}, *a{i}]\n", i + 1, i + 1)
    });
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("no byte", vec![]),
        ("white space", b" \n\t\n  ".to_vec()),
        ("every byte", (0..=255).collect()),
        ("NULs", vec![0; 1 << 20]),
        ("0xff", vec![0xff; 1 << 20]),
        ("UTF-16", "\u{feff}title: A topic\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("half a character", "title: \u{1f600}".as_bytes()[..9].to_vec()),
        ("one line", mebibytes("a", 1).into_bytes()),
        ("one key", format!("{}: x\n", mebibytes("k", 1)).into_bytes()),
        ("brackets", deep("[", 10_000).into_bytes()),
        ("braces", deep("{a: ", 3000).into_bytes()),
        ("lists in lines", (0..2000).map(|i| format!("{}-\n", " ".repeat(i))).collect::<String>().into_bytes()),
        ("maps in lines", (0..2000).map(|i| format!("{}a:\n", " ".repeat(i))).collect::<String>().into_bytes()),
        ("dashes", deep("- ", 5000).into_bytes()),
        ("question marks", deep("? ", 5000).into_bytes()),
        ("items", mebibytes("- a\n", 3).into_bytes()),
        ("entries", (0..200_000).map(|i| format!("k{i}: v\n")).collect::<String>().into_bytes()),
        ("one key over and over", mebibytes("a: b\n", 3).into_bytes()),
        ("comments", mebibytes("# x\n", 3).into_bytes()),
        ("open quote", format!("title: \"{}", mebibytes("x\n", 2)).into_bytes()),
        ("documents", mebibytes("---\n", 2).into_bytes()),
        ("laughs", laughs.into_bytes()),
        ("an alias of itself", b"a: &a [*a]\n".to_vec()),
        ("merge", b"a: &a {b: c}\nd: {<<: *a}\n".to_vec()),
        ("block scalar", format!("title: |\n{}", mebibytes("  x\n", 2)).into_bytes()),
        ("escapes", b"title: \"\\ud800\\x00\\e[31m\\u202e\"\ncases: []\n".to_vec()),
        ("keys that hide", b"\"\\u202e\\x1b[31mtitle\": x\n".to_vec()),
        ("number", format!("title: {}\n", "9".repeat(10_000)).into_bytes()),
        ("too many bytes", mebibytes("# x\n", 5).into_bytes()),
    ];
    for (name, bytes) in files {
        everywhere(name, &bytes);
    }
}

#[test]
fn parameters_without_end() {
    let values = (0..1000).map(|i| format!("v{i}")).collect::<Vec<_>>().join(", ");
    let each: String = (b'a'..=b'z').map(|name| format!("      {}: [{values}]\n", char::from(name))).collect();
    let uses: String = (b'a'..=b'z').map(|name| format!("{{{}}}", char::from(name))).collect();
    let case = format!(
        "title: A topic\nfixture: pair\ncases:\n  - name: one\n    each:\n{each}    steps:\n      \
         - put: {{manifest: index, tag: \"{uses}\", expect: created}}\n    caught-by: [put-answers-200]\n"
    );
    everywhere("parameters", case.as_bytes());
    let braces = format!("title: \"{}\"\n", "{a".repeat(7000));
    everywhere("braces in text", braces.as_bytes());
}

/// A byte order mark and Windows' line ends are no faults, and move no column.
#[test]
fn marks_and_line_ends_are_taken() {
    let good = "title: A topic\r\nfixture: pair\r\ncases:\r\n  - name: one\r\n    steps:\r\n      \
                - put: {manifest: index, expect: created}\r\n    caught-by: [put-answers-200]\r\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topic.yaml");
    std::fs::write(&path, format!("\u{feff}{good}")).unwrap();
    let library = load(&SuiteSource::Folder(path.clone())).unwrap();
    assert_eq!(library.instances.len(), 1);
    std::fs::write(&path, format!("\u{feff}{}", good.replace("title", "tilte"))).unwrap();
    let diagnostics = load(&SuiteSource::Folder(path)).unwrap_err();
    assert_eq!((diagnostics.0[0].source.line, diagnostics.0[0].source.column), (1, 1));
    assert!(!diagnostics.render(false).contains('\r'));
}

/// What is no file is refused without being read: a pipe would never end.
#[cfg(unix)]
#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("area")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("area/zero.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("area/dangling.yaml")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("area/loop")).unwrap();
    let diagnostics = load(&SuiteSource::Folder(folder.path().to_owned())).unwrap_err();
    assert_eq!(diagnostics.0.len(), 3, "{}", diagnostics.render(false));
    let missing = load(&SuiteSource::Folder("/no/such/folder".into())).unwrap_err();
    readable("missing", &missing);
}

/// Good files with a few bytes changed, cut, doubled or swapped for what means something in YAML.
#[test]
fn slips() {
    let mut random = ChaCha8Rng::seed_from_u64(0x1acc);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = [
        ("area/topic.yaml", "suites/sparse/push.yaml"),
        ("area/topic.yaml", "suites/pull/head.yaml"),
        ("expectations.yaml", "suites/expectations.yaml"),
        ("requirements.yaml", "suites/requirements.yaml"),
        ("content/shapes.yaml", "fixtures/content/shapes.yaml"),
    ];
    const PIECES: [&str; 22] = [
        ":", "- ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "!!", "\n", "\t", "#", "|", "%", "---\n", "\0",
        "\u{feff}", "{x}", "é", "null",
    ];
    let folder = tempfile::tempdir().unwrap();
    for (place, source) in sources {
        let good = std::fs::read(root.join(source)).unwrap();
        let path = folder.path().join(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for _ in 0..60 {
            let mut bytes = good.clone();
            for _ in 0..=random.next_u32() % 4 {
                let at = random.next_u32() as usize % bytes.len();
                let piece = PIECES[random.next_u32() as usize % PIECES.len()].bytes();
                match random.next_u32() % 4 {
                    0 => drop(bytes.splice(at..at, piece)),
                    1 => drop(bytes.remove(at)),
                    2 => bytes[at] = random.next_u32().to_le_bytes()[0],
                    _ => {
                        let end = (at + random.next_u32() as usize % 40).min(bytes.len());
                        bytes.drain(at..end);
                    }
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            let begin = Instant::now();
            if let Err(diagnostics) = load(&SuiteSource::Folder(folder.path().to_owned())) {
                readable(source, &diagnostics);
            }
            assert!(begin.elapsed() < LIMIT);
        }
        std::fs::remove_file(&path).unwrap();
    }
}
