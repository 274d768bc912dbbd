//! Holds `journal` and `wire` against a corpus of captures: every one opens and reads to its end or to a damage, and
//! we see as many TCP frames and payload bytes as tshark, but where we hold our reading to be better.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`, each `F` beside `F.streams.tsv` of tshark's counts.
#![allow(clippy::print_stdout, reason = "the table of counts is what a reader of this test wants")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use sockscope::journal::{CaptureReader, Damage, OpenError};
use sockscope::wire::{Decoded, Decoder, FrameCounts, Segment, Undecoded};

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/skip.rs"]
mod skip;
use corpus::captures;
use skip::skip;

type Columns = HashMap<String, usize>;

/// Captures of which we read more than tshark, and hold that to be right: an IPv6 header without a payload length in a
/// frame of 80,000 bytes, as Linux sends it before segmentation ("BIG TCP").
const BETTER: [&str; 1] = ["tcpdump__bigtcp-ipv6-vxlan-ipv4.pcap"];

struct Ours {
    counts: FrameCounts,
    payload: u64,
    damage: Option<Damage>,
}

#[test]
fn every_capture_of_the_corpus() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        skip("SOCKSCOPE_CORPUS is not set");
        return;
    };
    let captures = captures(&Path::new(&corpus).join("dev"));
    assert!(!captures.is_empty(), "no capture in {}", corpus.display());
    let mut unexplained = Vec::new();
    let mut held = 0;
    for path in &captures {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = match read(path) {
            Ok(ours) => ours,
            Err(OpenError::NotACapture { first }) => {
                println!("{name}: not a capture: {first:02x?}");
                continue;
            }
            Err(OpenError::Io(error)) => panic!("{name}: {error}"),
        };
        println!("{}", line(&name, &ours));
        held += hold_against_packets(path);
        if let Some((frames, payload)) = truth(path) {
            let equal = (ours.counts.segments, ours.payload) == (frames, payload);
            if !equal {
                println!("  differs: tshark sees {frames} TCP frames, {payload} bytes of payload");
            }
            if !equal && !BETTER.contains(&&*name) {
                unexplained.push(name.into_owned());
            }
        }
    }
    println!("{held} segments held against tshark's, field by field");
    assert!(held > 0, "no capture with tshark's packets");
    assert!(unexplained.is_empty(), "differences without a reason: {unexplained:?}");
}

fn read(path: &Path) -> Result<Ours, OpenError> {
    let mut reader = CaptureReader::open(Box::new(File::open(path)?))?;
    let mut decoder = Decoder::default();
    let mut ours = Ours { counts: FrameCounts::default(), payload: 0, damage: None };
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                let decoded = decoder.decode(&frame);
                ours.counts = decoder.counts();
                if let Decoded::Tcp(segment) = decoded {
                    ours.payload += u64::from(segment.payload_len);
                }
            }
            Ok(None) => return Ok(ours),
            Err(damage) => ours.damage = Some(damage),
        }
    }
}

/// Every frame of `F.packets.tsv` (tshark's reading of it) must say the same of ours. How many were held.
fn hold_against_packets(path: &Path) -> usize {
    let Some((columns, rows)) = table(path, ".packets.tsv") else { return 0 };
    let fields =
        ["frame", "src", "sport", "dst", "dport", "flags_hex", "seq_raw", "ack_raw", "len"].map(|name| columns[name]);
    let mut theirs: HashMap<u64, String> =
        rows.iter().map(|row| (row[fields[0]].parse().expect("a frame number"), join(fields, row))).collect();
    let mut held = 0;
    let mut reader = CaptureReader::open(Box::new(File::open(path).expect("a file"))).expect("a capture");
    let mut decoder = Decoder::default();
    for number in 1_u64.. {
        let Ok(Some(frame)) = reader.next_frame() else { break };
        let Decoded::Tcp(segment) = decoder.decode(&frame) else { continue };
        let Some(theirs) = theirs.remove(&number) else { continue };
        assert_eq!(row(number, &segment), theirs, "{}", path.display());
        held += 1;
    }
    assert!(theirs.is_empty(), "{}: no segment where tshark has {theirs:?}", path.display());
    held
}

fn row(number: u64, segment: &Segment) -> String {
    let Segment { src, dst, flags, seq, ack, payload_len, .. } = segment;
    let (src, sport, dst, dport) = (src.ip(), src.port(), dst.ip(), dst.port());
    format!("{number} {src} {sport} {dst} {dport} 0x{:04x} {seq} {ack} {payload_len}", flags.0)
}

/// A row of tshark's, as ours are written; its flags show the reserved bits too.
fn join(fields: [usize; 9], row: &[String]) -> String {
    let mut values = fields.map(|field| row[field].clone());
    let flags = u16::from_str_radix(values[5].trim_start_matches("0x"), 16).expect("flags");
    values[5] = format!("0x{:04x}", flags & 0x1ff);
    // It tells no length where a header ends past its segment.
    if values[8].is_empty() {
        "0".clone_into(&mut values[8]);
    }
    values.join(" ")
}

/// A table of tab-separated values beside a capture: where its columns are, and its rows.
fn table(path: &Path, suffix: &str) -> Option<(Columns, Vec<Vec<String>>)> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    let text = fs::read_to_string(name).ok()?;
    let mut rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let columns = rows.next()?.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
    Some((columns, rows.collect()))
}

fn line(name: &str, ours: &Ours) -> String {
    let mut line = format!(
        "{name}: {} frames, {} segments, {} bytes, {} not TCP",
        ours.counts.frames, ours.counts.segments, ours.payload, ours.counts.not_tcp
    );
    for reason in Undecoded::ALL.into_iter().filter(|reason| ours.counts.undecoded(*reason) > 0) {
        line += &format!(", {} {}", ours.counts.undecoded(reason), reason.name());
    }
    if let Some(damage) = &ours.damage {
        line += &format!(", {damage}");
    }
    line
}

/// TCP frames and payload bytes by tshark: the sums of its streams.
fn truth(path: &Path) -> Option<(u64, u64)> {
    let (columns, rows) = table(path, ".streams.tsv")?;
    let sum = |names: [&str; 2]| {
        let columns = names.map(|name| columns[name]);
        rows.iter().flat_map(|row| columns.map(|at| row[at].parse::<u64>().expect("a count"))).sum()
    };
    Some((sum(["pkts_ab", "pkts_ba"]), sum(["bytes_ab", "bytes_ba"])))
}
