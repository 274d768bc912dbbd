//! Holds measured round trips against tshark's (tcp.analysis.ack_rtt), half by half, over a corpus of captures: the
//! least and the longest that we tell of a half must be among the times that tshark measured of its data; and of the
//! halves that tshark measured and that nothing sent twice forbids (Karn), most must have a time of ours.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`, each `F` beside `F.packets.tsv` of tshark's
//! segments.
#![allow(clippy::print_stdout, reason = "how much was held is what a reader of this test wants")]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use sockscope::base::Endpoint;
use sockscope::engine::FlowDetail;
use sockscope::flow::{HandshakeOutcome, Mark, Side};

#[path = "support/corpus.rs"]
mod corpus;
use corpus::{Key, captures_with, flows, key};

/// What tshark says of a stream.
#[derive(Default)]
struct Stream {
    packets: u64,
    /// Where the data of each end ended.
    data_ends: HashSet<(Endpoint, u32)>,
    /// Round trips in nanoseconds of the data of each end: not of its SYN, nor of a FIN without data.
    round_trips: HashMap<Endpoint, Vec<u64>>,
}

/// Of a hundred halves that tshark measured and Karn allows, so many must have a time of ours: we time two segments at
/// once, and tshark all.
const MEASURED_AT_LEAST: usize = 98;

#[test]
fn round_trips_are_among_tsharks() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        println!("skipped: SOCKSCOPE_CORPUS not set");
        return;
    };
    let (mut samples, mut measured, mut missing, mut apart) = (0, 0, Vec::new(), Vec::new());
    for (capture, table) in captures_with(&Path::new(&corpus).join("dev"), ".packets.tsv") {
        let streams = streams(&fs::read_to_string(&table).expect("tshark's table"));
        for (key, ours) in flows(&capture) {
            let Some(theirs) = streams.get(&key).filter(|stream| Some(stream.packets) == ours.row.segments) else {
                continue;
            };
            for side in Side::BOTH {
                let end = ours.row.end(side).endpoint;
                let known = theirs.round_trips.get(&end).map_or(&[][..], Vec::as_slice);
                let half = ours.timing.map(|timing| timing.halves[side.index()]).unwrap_or_default();
                let place = || format!("{} {end} of {key:?}", capture.display());
                match half.rtt_by_ack {
                    Some(told) => {
                        measured += 1;
                        samples += told.samples;
                        let bounds = [told.min, told.max].map(|time| time.as_nanos() as u64);
                        // A length beyond a second is kept to the microsecond, as some captures' clocks are.
                        let close = |time: u64| known.iter().any(|known| known.abs_diff(time) < 1 + known / 1_000_000);
                        if !bounds.into_iter().all(close) {
                            apart.push(format!("{}: {bounds:?} not among {known:?}", place()));
                        }
                    }
                    None if !known.is_empty() && !was_disturbed(&ours) => missing.push(place()),
                    None => {}
                }
            }
        }
    }
    println!("{samples} samples of {measured} halves held against tshark's; {} halves without", missing.len());
    for place in &missing {
        println!("no time of {place}");
    }
    assert!(measured > 0, "nothing to hold it against");
    assert!(apart.is_empty(), "{apart:#?}");
    assert!(measured * 100 >= (measured + missing.len()) * MEASURED_AT_LEAST, "{missing:#?}");
}

/// Whether anything of the flow was sent twice, or not captured in order; or may have been, mid-stream's first data.
fn was_disturbed(flow: &FlowDetail) -> bool {
    if flow.handshake.is_none_or(|handshake| handshake.outcome == HandshakeOutcome::Partial) {
        return true;
    }
    let counts = flow.analysis.as_ref().expect("segments were seen");
    let marks = [Mark::Retransmission, Mark::OutOfOrder, Mark::LostSegment, Mark::AckLostSegment];
    counts.iter().any(|counts| marks.iter().any(|mark| counts.of(*mark) > 0))
}

/// Tshark's streams.
fn streams(table: &str) -> HashMap<Key, Stream> {
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().expect("a heading").split('\t').collect();
    let (mut seen, mut keys) = (HashMap::new(), HashMap::<&str, Key>::new());
    let mut streams = HashMap::<Key, Stream>::new();
    for line in lines {
        let row: HashMap<&str, &str> = columns.iter().copied().zip(line.split('\t')).collect();
        let end = |address: &str, port: &str| -> Option<Endpoint> {
            Some(Endpoint::new(row[address].parse::<IpAddr>().ok()?, row[port].parse().ok()?))
        };
        let Some((src, dst)) = end("src", "sport").zip(end("dst", "dport")) else { continue };
        let key = *keys.entry(row["stream"]).or_insert_with(|| key(&mut seen, src, dst));
        let stream = streams.entry(key).or_default();
        stream.packets += 1;
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        let (seq, len, ack) = (number(row["seq_raw"]) as u32, number(row["len"]) as u32, number(row["ack_raw"]) as u32);
        if len > 0 {
            let fin = u32::from(row["flags_hex"].ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']));
            stream.data_ends.insert((src, seq.wrapping_add(len + fin)));
        }
        if let Some((secs, nanos)) = row.get("ack_rtt").and_then(|rtt| rtt.split_once('.'))
            && stream.data_ends.contains(&(dst, ack))
        {
            stream.round_trips.entry(dst).or_default().push(number(secs) * 1_000_000_000 + number(nanos));
        }
    }
    streams
}
