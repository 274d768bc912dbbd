//! Each filter of the README's table, tried in dashboard, report and snap: all three show the same flows.
//!
//! May touch ptys, child processes and files in temporary directories.
#![cfg(all(feature = "live", feature = "tui"))]

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

#[path = "support/command.rs"]
mod command;
#[path = "support/incident.rs"]
mod incident;
#[path = "support/pty.rs"]
mod pty;

use command::run;
use incident::INCIDENT;
use pty::{Pty, sockscope};

/// Those of the table that ask for what a capture does not tell.
const OF_THE_KERNEL: [&str; 3] = ["proc:nginx", "recvq>0", "rtt>100ms retrans>0"];

/// The filters of the table under the README's heading "Filter".
fn filters() -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let section = readme.split("\n## Filter\n").nth(1).expect("a section");
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let first = rows.skip(2).map(|row| row.split('`').nth(1).expect("a filter").to_owned());
    first.collect()
}

/// Of the incident: the numbers of flows that are reported, and left out.
fn reported(filter: &str) -> (u64, u64) {
    let (code, out, err) = run(&["report", "-r", INCIDENT, "--format", "ndjson", "--filter", filter]);
    assert_eq!((code, err.as_str()), (0, ""), "{filter}");
    let objects: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (summary, others) = objects.split_last().expect("a summary");
    let flows: Vec<&Value> = others.iter().filter(|object| object["type"] == "flow").collect();
    assert_eq!(summary["filter"], filter);
    let left_out = summary["flows"]["left_out"].as_u64().expect("a number");
    assert_eq!(summary["flows"]["reported"].as_u64(), Some(flows.len() as u64), "{filter}");
    (flows.len() as u64, left_out)
}

#[test]
fn each_shows_the_same_flows_everywhere() {
    let filters = filters();
    assert!(filters.len() >= 17, "{filters:?}");
    let dir = TempDir::new().expect("a directory");
    let picture = dir.path().join("flows.txt");
    let picture = picture.to_str().expect("a plain name");
    let mut pty = Pty::start(sockscope(&["-r", INCIDENT]), 240, 40);
    pty.shows(&["at the end", "quit"]);
    for filter in &filters {
        let (fit, left_out) = reported(filter);
        let all = fit + left_out;
        let of_the_kernel = OF_THE_KERNEL.iter().any(|part| filter.contains(part));
        assert!(if of_the_kernel { fit == 0 } else { fit > 0 && fit < all }, "{filter}: {fit} of {all}");
        let (others, _) = reported(&format!("not ({filter})"));
        assert!(others <= left_out, "{filter}: what is unknown fits neither");

        let shown = format!("{fit} of {all}");
        let (code, _, err) =
            run(&["snap", "-r", INCIDENT, "--view", "flows", "--size", "240x40", "--filter", filter, "-o", picture]);
        let warning = format!("sockscope: no flow fits the filter {filter}\n");
        assert_eq!((code, err.as_str()), (0, if fit == 0 { &warning } else { "" }), "{filter}");
        let text = fs::read_to_string(picture).expect("a picture");
        assert!(text.contains(&format!("filter {filter}  {shown}")), "{filter}: {shown}\n{text}");

        pty.keys("/");
        pty.shows(&["Enter keeps"]);
        pty.keys(filter);
        pty.shows(&[&format!("/{filter}"), &format!("filter {filter}  {shown}")]);
        pty.keys("\r");
        pty.shows_no("Enter keeps");
    }
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
}

#[test]
fn errors_point_at_the_word_everywhere() {
    let picture = std::env::temp_dir().join("never-written.txt");
    let picture = picture.to_str().expect("a plain name");
    let wrong = "port:80 sate:time-wait";
    let message = "unknown field \"sate\": did you mean state?";
    for args in [
        &["report", "-r", INCIDENT, "--filter", wrong][..],
        &["snap", "-r", INCIDENT, "-o", picture, "--filter", wrong],
    ] {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        assert!(err.contains(&format!("{message}\n  {wrong}\n          ^^^^\n")), "{err}");
    }
    assert!(!Path::new(picture).exists());
    // What acts on a terminal is told, not done.
    let (_, _, err) = run(&["report", "-r", INCIDENT, "--filter", "port:\u{1b}[31mé\u{202e}"]);
    assert!(err.contains("·[31m") && !err.contains(['\u{1b}', '\u{202e}']), "{err}");

    let mut pty = Pty::start(sockscope(&["demo"]), 120, 40);
    pty.shows(&["DEMO"]);
    pty.keys(&format!("/{wrong}"));
    pty.shows(&[&format!("/{wrong}"), &format!("^^^^ {message}"), "filter port:80 "]);
    let column = |text: &str, word: &str| text.lines().find_map(|line| line.find(word)).expect("a column");
    let text = pty.text();
    assert_eq!(column(&text, "^^^^"), column(&text, "sate:time-wait"), "{text}");
    pty.keys("\x1b");
    pty.shows_no("^^^^");
    pty.keys("/sta\tti\t");
    pty.shows(&["/state:time-wait", "filter state:ti"]);
    pty.keys("\x1b");
    pty.shows_no("Enter keeps");
    pty.keys("q");
    assert_eq!(pty.end().exit_code(), 0);
}

#[test]
fn help_lists_every_field() {
    let (code, out, _) = run(&["report", "--help"]);
    assert_eq!(code, 0);
    for words in ["--filter <EXPR>", "state:time-wait", "Fields:", "conn_state:", "recvq>", "not known of a flow"] {
        assert!(out.contains(words), "{words}: {out}");
    }
}
