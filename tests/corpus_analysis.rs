//! Holds the sequence analysis against tshark's, stream by stream, over a corpus of captures: every mark of every
//! stream of which we decode the same segments must be counted the same.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`, each `F` beside `F.streams.tsv` of tshark's counts.
#![allow(clippy::print_stdout, reason = "how much was held is what a reader of this test wants")]

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use sockscope::base::{Endpoint, Seq};
use sockscope::flow::Mark;

#[path = "support/corpus.rs"]
mod corpus;
use corpus::{Key, captures_with, flows, key};

struct Stream {
    packets: u64,
    marks: HashMap<String, u64>,
}

#[test]
fn every_mark_of_every_stream() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        println!("skipped: SOCKSCOPE_CORPUS not set");
        return;
    };
    let (mut held, mut marks, mut apart) = (0_u64, 0_u64, Vec::new());
    for (capture, table) in captures_with(&Path::new(&corpus).join("dev"), ".streams.tsv") {
        let streams = streams(&fs::read_to_string(&table).expect("tshark's table"));
        for (key, ours) in flows(&capture) {
            let Some(theirs) = streams.get(&key).filter(|stream| Some(stream.packets) == ours.row.segments) else {
                continue;
            };
            let counts = ours.analysis.expect("segments were seen");
            // tshark keeps numbers in fields in which 0 means unset, and so misses what follows a SYN of number 0; here
            // 0 is a number as any other (RFC 9293 §3.4).
            if ours.halves.expect("segments were seen").iter().any(|half| half.iss == Some(Seq(0))) {
                continue;
            }
            held += 1;
            // In its second pass tshark marks reused ports by what comes later; ours rest on what came before.
            for mark in Mark::ALL.into_iter().filter(|mark| *mark != Mark::ReusedPorts) {
                let (have, want) = (counts[0].of(mark) + counts[1].of(mark), theirs.marks[mark.name()]);
                marks += want;
                if have != want {
                    apart.push(format!("{} {key:?}: {} {have}, tshark {want}", capture.display(), mark.name()));
                }
            }
        }
    }
    println!("{marks} marks of {held} streams held against tshark's");
    assert!(held > 0 && marks > 0, "nothing to hold it against");
    assert!(apart.is_empty(), "{apart:#?}");
}

/// Tshark's streams.
fn streams(table: &str) -> HashMap<Key, Stream> {
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().expect("a heading").split('\t').collect();
    let mut seen = HashMap::new();
    let mut streams = HashMap::new();
    for line in lines {
        let row: HashMap<&str, &str> = columns.iter().copied().zip(line.split('\t')).collect();
        let number = |name: &str| row[name].parse::<u64>().unwrap_or(0);
        let end = |address: &str, port: &str| -> Option<Endpoint> {
            Some(Endpoint::new(row[address].parse::<IpAddr>().ok()?, row[port].parse().ok()?))
        };
        let Some((src, dst)) = end("src", "sport").zip(end("dst", "dport")) else { continue };
        let marks = Mark::ALL.map(|mark| (mark.name().to_owned(), number(mark.name())));
        let packets = number("pkts_ab") + number("pkts_ba");
        streams.insert(key(&mut seen, src, dst), Stream { packets, marks: HashMap::from(marks) });
    }
    streams
}
