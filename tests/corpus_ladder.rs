//! A flow told segment by segment beside tshark's list of its stream: order, times, flags, numbers, lengths, windows,
//! and Wireshark's marks, of the busiest flow of every capture of a corpus; relative numbers of the twenty busiest by
//! tshark itself, where it is installed.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`, with tshark's packets beside them.
#![allow(clippy::print_stdout, reason = "how much was compared is what a reader of this test wants")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sockscope::base::Endpoint;
use sockscope::engine::{Arrow, Collector, Config, Engine, EntryKind, FlowId, Input, Transcript};
use sockscope::wire::Segment;

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/skip.rs"]
mod skip;
use corpus::{Key, captures_with, key, segments};
use skip::skip;

/// tshark's row of a segment, as truth.py prints it.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    time: String,
    src: Endpoint,
    flags: u16,
    seq: u32,
    ack: u32,
    window: u32,
    len: u32,
    marks: Vec<String>,
}

/// Where our marks differ from tshark's by intent (see `flow::analysis`): it marks a first SYN-ACK in its second pass,
/// and takes the number 0 for "not known".
const OTHERWISE_MARKED: [&str; 2] = ["nDPI__tls_multiple_synack_different_seq.pcapng", "zeek__cisco-fabric-path.pcap"];
/// The header's flags; the bits before them are reserved.
const FLAGS: u16 = 0x1ff;

/// A stream of a stored table.
struct Stream {
    key: Key,
    number: String,
    rows: Vec<Row>,
}

/// The streams of a stored table, in order of first appearance.
fn streams(table: &Path) -> Vec<Stream> {
    let text = fs::read_to_string(table).expect("a table");
    let mut seen = HashMap::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Stream> = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| cells[at].parse().unwrap_or(0);
        let end =
            |at: usize| Some(Endpoint::new(cells[at].parse::<std::net::IpAddr>().ok()?, cells[at + 1].parse().ok()?));
        let (Some(src), Some(dst)) = (end(4), end(6)) else { continue };
        let place = *places.entry(cells[2].to_owned()).or_insert_with(|| {
            all.push(Stream { key: key(&mut seen, src, dst), number: cells[2].to_owned(), rows: Vec::new() });
            all.len() - 1
        });
        all[place].rows.push(Row {
            time: cells[1].to_owned(),
            src,
            flags: u16::from_str_radix(cells[8].trim_start_matches("0x"), 16).unwrap_or(0) & FLAGS,
            seq: number(9),
            ack: number(10),
            window: number(11),
            len: number(12),
            marks: cells[13].split(',').filter(|mark| !mark.is_empty()).map(str::to_owned).collect(),
        });
    }
    all
}

fn transcript(engine: &Engine, id: FlowId, segments: &[Segment]) -> Transcript {
    let mut collector = Collector::new(engine.flow_key(id).expect("a key"), engine.now().expect("a time"));
    segments.iter().for_each(|segment| collector.take(&Input::Segment(*segment)));
    collector.finish().expect("the flow")
}

fn arrows(transcript: &Transcript) -> Vec<&Arrow> {
    let entries = transcript.entries.iter();
    entries
        .filter_map(|entry| if let EntryKind::Segment(arrow) = &entry.what { Some(&**arrow) } else { None })
        .collect()
}

/// How we would print the segment.
fn row_of(arrow: &Arrow, like: &Row) -> Row {
    let segment = &arrow.segment;
    let nanos = segment.ts.nanos();
    // Marks of a header that the snap length cut are not shown by tshark; nor is the window of an unknown scale scaled.
    let marks = arrow.marks.iter().map(|mark| mark.name().to_owned());
    Row {
        time: format!("{}.{:09}", nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000)),
        src: segment.src,
        flags: segment.flags.0,
        seq: segment.seq.0,
        ack: segment.ack.0,
        window: arrow.window.unwrap_or(like.window),
        len: segment.payload_len,
        marks: marks.collect(),
    }
}

/// A flow as both tell it.
struct Told {
    capture: PathBuf,
    transcript: Transcript,
    stream: Stream,
}

impl Told {
    fn name(&self) -> String {
        self.capture.file_name().expect("a name").to_string_lossy().into_owned()
    }
}

/// The busiest flow of each capture, told by both; the busiest of all first.
fn busiest(corpus: &Path) -> Vec<Told> {
    let captures = captures_with(&corpus.join("dev"), ".packets.tsv").into_iter();
    let told = captures.filter_map(|(capture, table)| {
        let stream = streams(&table).into_iter().max_by_key(|stream| stream.rows.len())?;
        let segments = segments(&capture);
        let mut engine = Engine::new(Config::replay(1_000_000, 1));
        segments.iter().for_each(|segment| engine.feed(&Input::Segment(*segment)));
        let mut seen = HashMap::new();
        let mut rows = (0..).map_while(|id| Some(engine.detail(FlowId(id))?.row));
        let ours = rows.find(|row| key(&mut seen, row.orig.endpoint, row.resp.endpoint) == stream.key);
        let transcript = transcript(&engine, ours.expect("a flow of ours").id, &segments);
        Some(Told { transcript, capture, stream })
    });
    let mut all: Vec<Told> = told.collect();
    all.sort_by_key(|told| std::cmp::Reverse(told.stream.rows.len()));
    all
}

fn corpus_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SOCKSCOPE_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        skip("SOCKSCOPE_CORPUS not set");
    }
    folder
}

#[test]
fn the_busiest_flow_of_every_capture_is_told_as_tshark_lists_it() {
    let Some(corpus) = corpus_folder() else { return };
    let (mut equal, mut differing) = (0, Vec::new());
    for told in busiest(&corpus) {
        let (arrows, name) = (arrows(&told.transcript), told.name());
        if arrows.len() != told.stream.rows.len() {
            differing.push(format!("{name}: {} segments, tshark has {}", arrows.len(), told.stream.rows.len()));
        }
        for (arrow, row) in arrows.into_iter().zip(&told.stream.rows) {
            let (mut ours, mut theirs) = (row_of(arrow, row), row.clone());
            ours.marks.sort();
            theirs.marks.sort();
            if OTHERWISE_MARKED.contains(&name.as_str()) {
                ours.marks.clone_from(&theirs.marks);
            }
            if ours == theirs {
                equal += 1;
            } else {
                differing.push(format!("{name} {}:\n  {ours:?}\n  {theirs:?}", arrow.number));
            }
        }
    }
    println!("{equal} segments equal, {} not", differing.len());
    assert!(equal > 1_000 && differing.is_empty(), "{}", differing.join("\n"));
}

/// tshark's relative numbers and length of each segment of a stream.
fn by_tshark(told: &Told) -> Vec<[Option<u32>; 3]> {
    const OPTIONS: [&str; 4] = [
        "tcp.desegment_tcp_streams:FALSE",
        "tcp.relative_sequence_numbers:TRUE",
        "ip.defragment:TRUE",
        "tcp.check_checksum:FALSE",
    ];
    let filter = format!("tcp.stream=={} && !icmp && !icmpv6 && !sflow && tcp.hdr_len >= 20", told.stream.number);
    let output = Command::new("tshark")
        .args(["-n", "-2", "-r"])
        .arg(&told.capture)
        .args(OPTIONS.iter().flat_map(|option| ["-o", option]))
        .args(["-Y", &filter, "-T", "fields", "-E", "occurrence=l"])
        .args(["-e", "tcp.seq", "-e", "tcp.ack", "-e", "tcp.len"])
        .output()
        .expect("tshark runs");
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    let row = |line: &str| {
        let mut cells = line.split('\t').map(|cell| cell.parse().ok());
        [cells.next().flatten(), cells.next().flatten(), cells.next().flatten()]
    };
    text.lines().map(row).collect()
}

#[test]
fn relative_numbers_of_twenty_flows_are_tsharks() {
    let Some(corpus) = corpus_folder() else { return };
    if Command::new("tshark").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return skip("the comparison with tshark, which is not installed");
    }
    let mut segments = 0;
    for told in busiest(&corpus).iter().take(20) {
        // Of a segment without ACK tshark tells an acknowledgment number all the same.
        let ours = |arrow: &&Arrow| [arrow.seq, arrow.ack, Some(arrow.segment.payload_len)];
        let theirs =
            |(row, arrow): (&[Option<u32>; 3], &&Arrow)| [row[0], row[1].filter(|_| arrow.ack.is_some()), row[2]];
        let (arrows, rows) = (arrows(&told.transcript), by_tshark(told));
        assert_eq!(rows.len(), arrows.len(), "{}", told.name());
        let told_by_tshark: Vec<_> = rows.iter().zip(&arrows).map(theirs).collect();
        for (arrow, theirs) in arrows.iter().zip(told_by_tshark) {
            assert_eq!(ours(arrow), theirs, "{} segment {}", told.name(), arrow.number);
        }
        segments += arrows.len();
    }
    println!("{segments} segments of twenty flows have tshark's relative numbers");
    assert!(segments > 1_000);
}
