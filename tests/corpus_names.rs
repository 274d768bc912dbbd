//! Holds names against tshark: of every TCP stream of the corpus's captures, the first SNI, HTTP host, status and alert
//! that tshark shows must be ours, but for the differences listed here, each with its reason.
//!
//! `SOCKSCOPE_CORPUS` names the corpus. Needs tshark; says so where it is not there. Streams are told apart by their
//! ports: which of a tunnel's addresses are the stream's, tshark's fields do not tell.
#![allow(clippy::print_stdout, reason = "what is skipped is what a reader of this test wants")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use sockscope::engine::{Config, Engine, FlowId, Query, QueryCache};
use sockscope::flow::Side;
use sockscope::journal::{CaptureReader, Intake};

#[path = "support/skip.rs"]
mod skip;
use skip::skip;

/// Field of tshark, and how many streams of all captures may differ in it, with what they are.
const DIFFER: [(&str, usize, &str); 4] = [
    ("tls.handshake.extensions_server_name", 0, ""),
    ("http.host", 2, "two heads of nDPI__1kxun.pcap take three segments"),
    ("http.response.code", 0, ""),
    ("tls.alert_message.desc", 0, ""),
];

/// Ports of a stream (the lower first), and field.
type Key = ([u16; 2], usize);

#[test]
fn first_names_are_those_of_tshark() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else { return skip("SOCKSCOPE_CORPUS is not set") };
    if Command::new("tshark").arg("--version").output().is_err() {
        return skip("no tshark");
    }
    let dir = Path::new(&corpus).join("dev");
    let manifest = fs::read_to_string(dir.join("MANIFEST.tsv")).expect("a manifest");
    let (mut same, mut apart) = ([0; 4], [0; 4]);
    for name in manifest.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        if !may_name(&dir.join(name)) {
            continue;
        }
        let theirs = theirs(&dir.join(name));
        let ours = if theirs.is_empty() { BTreeMap::new() } else { ours(&dir.join(name)) };
        for ((ports, field), value) in theirs {
            let known = ours.get(&(ports, field));
            if known.is_some_and(|known: &BTreeSet<String>| known.contains(&value)) {
                same[field] += 1;
            } else {
                apart[field] += 1;
                println!("{name}: ports {ports:?}: {} {value}, ours {known:?}", DIFFER[field].0);
            }
        }
    }
    println!("{same:?} streams are as tshark has them, {apart:?} are not");
    assert!(same.iter().all(|same| *same > 0), "every field was held against tshark");
    assert_eq!(apart, DIFFER.map(|(_, differ, _)| differ));
}

/// Whether a capture holds anything that begins like what is asked for: most do not, and tshark takes its time.
fn may_name(path: &Path) -> bool {
    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    let bytes = fs::read(path).expect("a capture");
    compressed
        || bytes
            .windows(6)
            .any(|part| matches!(part, b"HTTP/1" | [0x16, 3, 0..=4, _, _, 1 | 2] | [0x15, 3, 0..=4, 0, 2, 1..=2]))
}

/// What tshark shows first of each stream; of HTTP's interim responses, the one after.
fn theirs(path: &Path) -> BTreeMap<Key, String> {
    let wanted: Vec<&str> = DIFFER.iter().map(|(field, ..)| *field).collect();
    let fields = ["tcp.srcport", "tcp.dstport", "tcp.stream"].iter().chain(&wanted);
    let args = fields.flat_map(|field| ["-e", *field]);
    let filter = format!("tcp && ({})", wanted.join(" || "));
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=a", "-Y", &filter, "-r"]).arg(path).args(args);
    let text = String::from_utf8(tshark.output().expect("tshark runs").stdout).expect("UTF-8");
    let mut first: BTreeMap<(String, Key), String> = BTreeMap::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let port = |at: usize| columns[at].split(',').next_back()?.parse::<u16>().ok();
        let (Some(src), Some(dst)) = (port(0), port(1)) else { continue };
        for (field, values) in columns[3..].iter().enumerate() {
            for value in values.split(',').filter(|value| !value.is_empty() && *value != "100") {
                let key = (columns[2].to_owned(), ([src.min(dst), src.max(dst)], field));
                first.entry(key).or_insert_with(|| value.to_owned());
            }
        }
    }
    first.into_iter().map(|((_, key), value)| (key, value)).collect()
}

fn ours(path: &Path) -> BTreeMap<Key, BTreeSet<String>> {
    let mut reader = CaptureReader::open(Box::new(File::open(path).expect("a file"))).expect("a capture");
    let mut engine = Engine::new(Config::replay(1_000_000, 1));
    let (mut intake, mut inputs) = (Intake::default(), Vec::new());
    while let Ok(Some(frame)) = reader.next_frame() {
        intake.take(&frame, &mut inputs);
        inputs.drain(..).for_each(|input| engine.feed(&input));
    }
    let begun = engine.dashboard(&Query::default(), &mut QueryCache::default()).totals.flows_begun;
    let mut found: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
    for detail in (0..begun).filter_map(|id| engine.detail(FlowId(id))) {
        let Some(opening) = detail.opening.as_deref() else { continue };
        let [a, b] = Side::BOTH.map(|side| detail.row.end(side).endpoint.port());
        let (tls, http) = (opening.tls.as_ref(), opening.http.as_ref());
        let texts = [
            tls.and_then(|tls| tls.sni.as_ref()).map(ToString::to_string),
            http.and_then(|http| http.request.as_ref()?.host.as_ref()).map(ToString::to_string),
            http.and_then(|http| http.response.as_ref()).map(|response| response.status.to_string()),
            tls.and_then(|tls| tls.alert).map(|(alert, ..)| alert.description.to_string()),
        ];
        for (field, text) in texts.into_iter().enumerate() {
            found.entry(([a.min(b), a.max(b)], field)).or_default().extend(text);
        }
    }
    found
}
