//! The same datagram seen on another interface a moment later (`any`, veth, bridges) is one segment when live.

use std::time::Duration;

use crate::base::{Seq, Timestamp};
use crate::wire::Segment;

/// How long after the first sight another interface may show the same datagram.
const WINDOW: Duration = Duration::from_millis(1);
const PLACES: usize = 2048;

/// What was seen lately, one place for each digest's lower bits: a collision only lets a repeat pass as new.
#[derive(Debug, Clone)]
pub(super) struct Dedupe {
    places: Vec<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    digest: u64,
    seq: Seq,
    ack: Seq,
    iface: u32,
    ts: Timestamp,
}

impl Dedupe {
    pub(super) fn new() -> Self {
        Self { places: vec![None; PLACES] }
    }

    /// Whether `segment` shows a datagram that another interface has just shown.
    pub(super) fn is_repeat(&mut self, segment: &Segment) -> bool {
        let place = &mut self.places[segment.digest as usize % PLACES];
        let repeat = place.is_some_and(|seen| {
            seen.digest == segment.digest
                && (seen.seq, seen.ack) == (segment.seq, segment.ack)
                && seen.iface != segment.iface
                && segment.ts.since(seen.ts).max(seen.ts.since(segment.ts)) <= WINDOW
        });
        if !repeat {
            let Segment { digest, seq, ack, iface, ts, .. } = *segment;
            *place = Some(Seen { digest, seq, ack, iface, ts });
        }
        repeat
    }
}
