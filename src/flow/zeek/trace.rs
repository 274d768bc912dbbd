//! Traces of segments (written as in the flow room's) with the rows that Zeek would log of them.
//!
//! ```text
//! ports 40000 80                     of > and < (these unless given)
//! at 90                              the rows are asked for at this time (the last segment's unless given)
//! row SF ShADadFf closed             each row in order: conn_state, history, why it ended (- if it would go on), then
//!                                    any of: bytes 1 2, bytes -, packets 3 4, missed 5, by resp (of the flow), for 1.5
//! ```

use std::time::Duration;

use super::super::trace::{Variation, segment_of, time_of};
use super::{Zeek, ZeekRow};
use crate::base::{Endpoint, Timestamp};
use crate::wire::Segment;

/// Runs a case; every row must be told by it.
pub(super) fn run(text: &str, how: Variation) -> Zeek {
    let mut zeek: Option<Zeek> = None;
    let mut ports = [40_000, 80];
    let mut now = Timestamp::MIN;
    let mut told = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["ports", orig, resp] => ports = [orig, resp].map(|port| port.parse().expect("a port")),
            ["at", time] => now = time_of(time),
            ["row", rest @ ..] => told.push(rest.join(" ")),
            _ => {
                let (segment, from) = segment_of(&words, how);
                let port = |side: super::Side| ports[side.index()];
                let src = Endpoint::new(segment.src.ip(), port(from));
                let dst = Endpoint::new(segment.dst.ip(), port(from.peer()));
                let segment = Segment { src, dst, ..segment };
                now = now.max(segment.ts);
                match &mut zeek {
                    None => zeek = Some(Zeek::new(&segment, from)),
                    Some(zeek) => zeek.feed(&segment, from),
                }
            }
        }
    }
    let zeek = zeek.expect("a segment");
    let rows = zeek.rows(now).rows;
    let ours: Vec<String> = rows.iter().zip(told.iter().chain(std::iter::repeat(&String::new()))).map(row).collect();
    assert_eq!(ours, told, "{text}");
    zeek
}

/// A row as the line that tells it would have it.
fn row((row, line): (&ZeekRow, &String)) -> String {
    let mut text = format!("{} {} {}", row.conn_state.name(), row.history, row.ended.map_or("-", super::RowEnd::name));
    for word in line.split_whitespace().skip(3) {
        let [a, b] = row.packets;
        text += &match word {
            "bytes" => row.bytes.map_or_else(|| " bytes -".to_owned(), |[a, b]| format!(" bytes {a} {b}")),
            "packets" => format!(" packets {a} {b}"),
            "missed" => format!(" missed {}", row.missed_bytes),
            "for" => format!(" for {}", row.duration.map_or(0.0, |time: Duration| time.as_secs_f64())),
            "by" => format!(" by {}", row.orig.name()),
            _ => String::new(),
        };
    }
    text
}
