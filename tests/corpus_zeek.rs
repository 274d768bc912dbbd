//! Holds the Zeek machine against Zeek: every TCP row of a connection log beside a capture of the corpus must be one of
//! ours, in conn_state, history, originator, bytes, packets, missed bytes and duration.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`, some `F` beside `F.zeek.conn.log`.
#![allow(clippy::print_stdout, reason = "what is left out is what a reader of this test wants")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use sockscope::engine::{Config, Engine, FlowDetail, FlowId, Input, Query, QueryCache};
use sockscope::flow::{Side, ZeekRow};
use sockscope::journal::CaptureReader;
use sockscope::wire::{Decoded, Decoder};

const SUFFIX: &str = ".zeek.conn.log";

#[test]
fn every_row_of_zeek() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        println!("skipped: SOCKSCOPE_CORPUS not set");
        return;
    };
    let dir = Path::new(&corpus).join("dev");
    let mut names: Vec<String> = fs::read_dir(&dir)
        .expect("the corpus")
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(SUFFIX)?.to_owned()))
        .collect();
    names.sort();
    let (mut held, mut apart) = (0, Vec::new());
    for name in names {
        let (ours, undecoded) = rows_of(&dir.join(&name));
        let log = fs::read_to_string(dir.join(name.clone() + SUFFIX)).expect("a log");
        for theirs in rows_in(&log) {
            let same_tuple = |row: &&String| row.split(' ').take(4).eq(theirs.split(' ').take(4));
            match ours.iter().filter(same_tuple).collect::<Vec<_>>().as_slice() {
                [] => println!("{name}: not decoded: {theirs}"),
                rows if rows.contains(&&theirs) => held += 1,
                rows if undecoded > 0 => {
                    println!("{name}: {undecoded} frames not decoded: Zeek {theirs}, ours {rows:?}");
                }
                rows => apart.push(format!("{name}: Zeek {theirs}, ours {rows:?}")),
            }
        }
    }
    println!("{held} rows are as Zeek has them");
    assert!(held > 0, "no row to hold against");
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}

/// Ours, as text: tuple, conn_state, history, bytes, missed bytes, packets, duration. And how many frames are not
/// decoded.
fn rows_of(path: &Path) -> (Vec<String>, u64) {
    let mut reader = CaptureReader::open(Box::new(File::open(path).expect("a file"))).expect("a capture");
    let mut engine = Engine::new(Config::replay(100_000, 1));
    let mut decoder = Decoder::default();
    while let Ok(Some(frame)) = reader.next_frame() {
        if let Decoded::Tcp(segment) = decoder.decode(&frame) {
            engine.feed(&Input::Segment(segment));
        }
    }
    let begun = engine.dashboard(&Query::default(), &mut QueryCache::default()).totals.flows_begun;
    let rows = (0..=begun).filter_map(|id| engine.detail(FlowId(id))).flat_map(|detail| {
        let rows: Vec<_> = detail.zeek.iter().flat_map(|view| &view.rows).map(|row| text(&detail, row)).collect();
        rows
    });
    (rows.collect(), decoder.counts().undecoded_total())
}

fn text(detail: &FlowDetail, row: &ZeekRow) -> String {
    let end = |side: Side| detail.row.end(side).endpoint;
    let (orig, resp) = (end(row.orig), end(row.orig.peer()));
    let bytes = row.bytes.map_or_else(|| "- -".to_owned(), |[orig, resp]| format!("{orig} {resp}"));
    let duration = row.duration.map_or_else(|| "-".to_owned(), |time| format!("{:.6}", time.as_secs_f64()));
    format!(
        "{} {} {} {} {} {} {bytes} {} {} {} {duration}",
        orig.ip(),
        orig.port(),
        resp.ip(),
        resp.port(),
        row.conn_state.name(),
        row.history,
        row.missed_bytes,
        row.packets[0],
        row.packets[1],
    )
}

/// The TCP rows of a log, as the same text.
fn rows_in(log: &str) -> Vec<String> {
    const COLUMNS: [&str; 12] = [
        "id.orig_h",
        "id.orig_p",
        "id.resp_h",
        "id.resp_p",
        "conn_state",
        "history",
        "orig_bytes",
        "resp_bytes",
        "missed_bytes",
        "orig_pkts",
        "resp_pkts",
        "duration",
    ];
    let mut at: HashMap<&str, usize> = HashMap::new();
    let mut rows = Vec::new();
    for line in log.lines() {
        if let Some(fields) = line.strip_prefix("#fields\t") {
            at = fields.split('\t').enumerate().map(|(at, name)| (name, at)).collect();
        } else if !line.starts_with('#') && at.contains_key("id.orig_h") {
            let values: Vec<&str> = line.split('\t').collect();
            if values[at["proto"]] == "tcp" {
                rows.push(COLUMNS.map(|name| values[at[name]]).join(" "));
            }
        }
    }
    rows
}
