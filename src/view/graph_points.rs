//! What a flow's graph shows of one direction: numbers sent, acknowledged and allowed, and what goes with them, over
//! time.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{Arrow, Entry, EntryKind, Fate};
use crate::flow::{Cause, Mark, Side};

/// Numbers that a segment carried, from the first to the one past the last, relative to where its half began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) at: Timestamp,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) again: bool,
    pub(super) lost: bool,
    /// A letter for what begins or ends the half: F for a FIN, X for a RST.
    pub(super) ends: Option<char>,
}

/// One direction over time. Each list is in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Points {
    pub(super) sent: Vec<Sent>,
    /// What the receiver acknowledged, and up to where its window allowed to send, where that is known.
    pub(super) acked: Vec<(Timestamp, i64)>,
    pub(super) edge: Vec<(Timestamp, i64)>,
    pub(super) sacked: Vec<(Timestamp, i64, i64)>,
    /// When the receiver closed its window.
    pub(super) closed: Vec<(Timestamp, i64)>,
    pub(super) rtt: Vec<(Timestamp, Duration)>,
    pub(super) in_flight: Vec<(Timestamp, u64)>,
    /// The sender's Send-Q and the receiver's Recv-Q, where they were recorded.
    pub(super) send_q: Vec<(Timestamp, u64)>,
    pub(super) recv_q: Vec<(Timestamp, u64)>,
}

impl Points {
    /// Of what `side` sends, as was known at `now`.
    pub(super) fn of(entries: &[Entry], side: Side, now: Timestamp) -> Self {
        let mut points = Self::default();
        let mut last = 0;
        for entry in entries {
            match &entry.what {
                EntryKind::Segment(arrow) if arrow.from == side => points.send(entry.at, arrow, now, &mut last),
                EntryKind::Segment(arrow) => points.acknowledge(entry.at, arrow, &mut last),
                EntryKind::Queues(queues) if queues.side == side => {
                    points.send_q.extend(queues.send_q.map(|bytes| (entry.at, u64::from(bytes))));
                }
                EntryKind::Queues(queues) => points.recv_q.push((entry.at, queues.recv_q.into())),
                _ => {}
            }
            points.in_flight.extend(entry.in_flight[side.index()].map(|bytes| (entry.at, u64::from(bytes))));
        }
        points
    }

    fn send(&mut self, at: Timestamp, arrow: &Arrow, now: Timestamp, last: &mut i64) {
        let Some(seq) = arrow.seq.filter(|_| !arrow.segment.malformed) else { return };
        let from = unwrapped(seq, last);
        let flags = arrow.segment.flags;
        let ends = if flags.rst() { Some('X') } else { flags.fin().then_some('F') };
        let to = from + i64::from(arrow.segment.seg_len());
        if to == from && ends.is_none() {
            return;
        }
        let again = match arrow.cause(now) {
            Some((cause, _)) => cause != Cause::Reordered,
            None => arrow.marks.has(Mark::Retransmission),
        };
        self.sent.push(Sent { at, from, to, again, lost: arrow.fate(now) == Some(Fate::Lost), ends });
    }

    fn acknowledge(&mut self, at: Timestamp, arrow: &Arrow, last: &mut i64) {
        let Some(ack) = arrow.ack.filter(|_| !arrow.segment.malformed && !arrow.segment.flags.rst()) else { return };
        let number = unwrapped(ack, last);
        self.acked.push((at, number));
        self.edge.extend(arrow.window.map(|window| (at, number + i64::from(window))));
        self.rtt.extend(arrow.rtt.map(|rtt| (at, rtt)));
        if arrow.marks.has(Mark::ZeroWindow) {
            self.closed.push((at, number));
        }
        let base = arrow.segment.ack - ack;
        for (left, right) in arrow.segment.options.sack() {
            let near = |edge: crate::base::Seq| number + i64::from(edge.offset_from(base + ack));
            self.sacked.push((at, near(left), near(right)));
        }
    }

    /// The lowest and the highest number that was sent or acknowledged in a span of time.
    pub(super) fn range(&self, (from, to): (Timestamp, Timestamp)) -> Option<(i64, i64)> {
        let within = |at: Timestamp| from <= at && at <= to;
        let sent = self.sent.iter().filter(|sent| within(sent.at)).flat_map(|sent| [sent.from, sent.to]);
        let acked = self.acked.iter().filter(|(at, _)| within(*at)).map(|(_, number)| *number);
        sent.chain(acked).fold(None, |range: Option<(i64, i64)>, number| {
            Some(range.map_or((number, number), |(low, high)| (low.min(number), high.max(number))))
        })
    }
}

/// A relative number that may have gone round, near the one before it.
fn unwrapped(number: u32, last: &mut i64) -> i64 {
    let distance = number.wrapping_sub(*last as u32).cast_signed();
    *last += i64::from(distance);
    *last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_past_the_largest() {
        let mut last = 0;
        let told: Vec<i64> = [1, 4_000, u32::MAX / 2, u32::MAX - 9, 90, 80].map(|n| unwrapped(n, &mut last)).to_vec();
        assert_eq!(told, [1, 4_000, 2_147_483_647, 4_294_967_286, 4_294_967_386, 4_294_967_376]);
    }
}
