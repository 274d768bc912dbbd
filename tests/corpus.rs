//! Holds the program's reports against what tshark and Zeek say of a corpus of captures: the corpus's own `compare.py`
//! scores them, and here the scores may not fall.
//!
//! `SOCKSCOPE_CORPUS` names the corpus. This build without optimisation keeps the limit of 2 s a capture, with much to
//! spare (the whole corpus takes less than that on one core), so that it is this build that is held against it.
#![cfg(all(feature = "live", feature = "tui"))]
#![allow(clippy::print_stdout, reason = "the scores are what a reader of this test wants")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[path = "support/skip.rs"]
mod skip;
use skip::skip;

/// Score, and what it must reach: percent, a mean over the captures.
const WANTED: [(&str, f64); 7] = [
    ("streams", 99.5),
    ("core", 99.0),
    ("completeness", 98.0),
    ("analysis", 99.0),
    ("common", 98.0),
    ("conn_state", 98.0),
    ("history", 96.0),
];
/// What `compare.py` says of a capture on which the program was slow, failed, or wrote what is not JSON.
const FAILURES: [&str; 3] = [": took ", ": exit ", ": not JSON"];

#[test]
fn the_scores_do_not_fall() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS").map(PathBuf::from) else {
        skip("SOCKSCOPE_CORPUS is not set");
        return;
    };
    if Command::new("python3").arg("--version").output().is_err() {
        skip("no python3");
        return;
    }
    let scores = compare(&corpus, &["--json"]);
    println!("{}", scores.trim());
    let scores: Value = serde_json::from_str(&scores).expect("scores in JSON");
    assert!(scores["captures"].as_u64().is_some_and(|captures| captures > 0), "captures were compared");
    for (score, wanted) in WANTED {
        let reached = scores[score].as_f64().expect("a score");
        assert!(reached >= wanted, "{score}: {reached}, not {wanted}");
    }
    let lines = compare(&corpus, &["--show", "1000000"]);
    let failed: Vec<&str> = lines.lines().filter(|line| FAILURES.iter().any(|mark| line.contains(mark))).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn compare(corpus: &Path, args: &[&str]) -> String {
    let output = Command::new("python3")
        .arg(corpus.join("compare.py"))
        .args(["--bin", env!("CARGO_BIN_EXE_sockscope")])
        .args(args)
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "compare.py: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
