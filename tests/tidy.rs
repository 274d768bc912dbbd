//! Holds the layers: which room may import which (the table in the architecture text of src/lib.rs), how long files
//! are, that every module says its charter. Reads source text, so that a layer cannot rot unseen.

use std::fs;
use std::path::{Path, PathBuf};

/// Room, what of the crate it may name, and which outside crates mark what it must not touch.
const ROOMS: [(&str, &[&str], &[&str]); 13] = [
    ("base", &["base"], &["std::fs", "std::thread", "std::time::Instant", "SystemTime"]),
    ("wire", &["wire", "base"], &["std::fs", "std::thread", "Instant", "SystemTime"]),
    ("names", &["names", "base", "wire"], &["std::fs", "std::thread", "Instant", "SystemTime"]),
    ("kernel", &["kernel", "base"], &["std::fs", "std::net::Tcp", "std::thread", "Instant", "SystemTime", "rustix"]),
    ("flow", &["flow", "base", "wire"], &["std::fs", "std::thread", "Instant", "SystemTime"]),
    (
        "findings",
        &["findings", "base", "flow", "kernel"],
        &["std::fs", "std::thread", "Instant", "SystemTime", "ratatui", "crossterm"],
    ),
    (
        "engine",
        &["engine", "base", "wire", "names", "flow", "kernel", "findings"],
        &["std::fs", "std::thread", "Instant", "SystemTime", "ratatui", "crossterm", "Mutex", "RwLock"],
    ),
    (
        "journal",
        &["journal", "base", "wire", "names", "kernel", "engine"],
        &["std::fs", "std::thread", "Instant", "SystemTime", "ratatui", "crossterm"],
    ),
    ("ui", &["ui", "base", "engine", "flow"], &["std::fs", "std::thread", "Instant::now", "SystemTime"]),
    (
        "view",
        &["view", "ui", "base", "engine", "findings", "flow", "kernel", "wire", "names"],
        &["std::fs", "std::thread", "Instant::now", "SystemTime", "crossterm::"],
    ),
    (
        "export",
        &["export", "base", "engine", "findings", "flow", "kernel", "wire", "names"],
        &["std::fs", "std::thread", "Instant::now", "SystemTime", "crossterm::"],
    ),
    ("io", &["io", "base", "wire", "kernel"], &[]),
    (
        "app",
        &["app", "io", "base", "wire", "kernel", "flow", "findings", "engine", "journal", "ui", "view", "export"],
        &["rustix::", "pcap::Capture", "netlink_"],
    ),
];

/// Lines of a file before its tests.
const LONGEST: usize = 500;
/// Leaves that may allow unsafe code: a hint to the processor, for which stable std has no safe name yet
/// (`std::hint::prefetch_read`).
const MAY_BE_UNSAFE: [&str; 1] = ["base/prefetch.rs"];

#[test]
fn rooms_import_only_what_their_charter_allows() {
    let mut wrong = Vec::new();
    for (room, allowed, forbidden) in ROOMS {
        for file in sources(&source_dir().join(room)) {
            let text = fs::read_to_string(&file).expect("a source file");
            let code = without_tests(&file, &text);
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for other in named_rooms(line).filter(|other| !allowed.contains(&other.as_str())) {
                    wrong.push(format!("{}: {room} may not name crate::{other}: {line}", file.display()));
                }
                for word in forbidden.iter().filter(|word| line.contains(**word)) {
                    wrong.push(format!("{}: {room} may not touch {word}: {line}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_is_in_the_table() {
    for entry in fs::read_dir(source_dir()).expect("src") {
        let entry = entry.expect("an entry of src");
        let name = entry.file_name().into_string().expect("a plain name");
        if entry.path().is_dir() {
            assert!(ROOMS.iter().any(|(room, ..)| *room == name), "src/{name} has no row in the table of rooms");
        }
    }
}

#[test]
fn every_module_says_its_charter_and_keeps_to_a_length() {
    let mut wrong = Vec::new();
    for file in sources(&source_dir()) {
        let text = fs::read_to_string(&file).expect("a source file");
        if !is_test(&file) && !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with its charter (//!)", file.display()));
        }
        let lines = without_tests(&file, &text).lines().count();
        if lines > LONGEST {
            wrong.push(format!("{}: {lines} lines before its tests, over {LONGEST}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_allowed_only_where_listed() {
    for file in sources(&source_dir()) {
        let text = fs::read_to_string(&file).expect("a source file");
        let listed = MAY_BE_UNSAFE.iter().any(|leaf| file.ends_with(leaf));
        assert!(listed || !text.contains("allow(unsafe_code)"), "{} allows unsafe code", file.display());
    }
    let root = fs::read_to_string(source_dir().join("lib.rs")).expect("src/lib.rs");
    assert!(root.contains("#![deny(unsafe_code)]"));
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    for file in sources(&source_dir()) {
        let text = fs::read_to_string(&file).expect("a source file");
        for word in ["todo!(", "unimplemented!(", "FIXME", "XXX", "TODO"] {
            assert!(!text.contains(word), "{} holds {word}", file.display());
        }
    }
}

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code that ships: without a file's own tests, and nothing of files that are only tests.
fn without_tests<'a>(file: &Path, text: &'a str) -> &'a str {
    if is_test(file) {
        return "";
    }
    text.find("\n#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at])
}

/// Whether a file holds nothing but tests.
fn is_test(file: &Path) -> bool {
    let only_tests = ["tests", "properties", "fixture"];
    let case_language = [source_dir().join("flow/trace.rs"), source_dir().join("flow/zeek/trace.rs")];
    case_language.iter().any(|trace| trace == file)
        || file.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| only_tests.contains(&stem))
        || file.strip_prefix(source_dir()).is_ok_and(|inner| inner.components().any(|part| part.as_os_str() == "tests"))
}

/// The rooms that a line of code names as `crate::room`.
fn named_rooms(line: &str) -> impl Iterator<Item = String> {
    line.match_indices("crate::").map(|(at, _)| {
        line[at + "crate::".len()..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    })
}
