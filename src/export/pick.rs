//! Which flows a report tells about: those that went wrong, worst first, then the largest. Bounded; pure.

use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::engine::FlowDetail;
use crate::flow::{HandshakeOutcome, LifeEventKind, Side};

/// How a flow went wrong, in the order reports list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    Refused,
    TimedOut,
    /// A SYN was sent again and is still not answered.
    NoAnswerYet,
    HalfOpen,
    /// Reset before its handshake completed.
    HandshakeReset,
    /// Wire and kernel disagree on the state of an end.
    Mismatch,
    /// A receiver advertises a window of 0: its process is not reading.
    WindowClosed,
    /// The peer closed more than [`CLOSE_WAIT_PATIENCE`] ago and this end has not.
    CloseWait,
    /// Reset after its handshake.
    Reset,
    /// Its handshake completed only after retries.
    Retried,
}

/// How long an end may stay in CLOSE-WAIT before a report calls it trouble.
pub const CLOSE_WAIT_PATIENCE: Duration = Duration::from_secs(1);

impl Trouble {
    /// Every kind, in order.
    pub const ALL: [Self; 10] = [
        Self::Refused,
        Self::TimedOut,
        Self::NoAnswerYet,
        Self::HalfOpen,
        Self::HandshakeReset,
        Self::Mismatch,
        Self::WindowClosed,
        Self::CloseWait,
        Self::Reset,
        Self::Retried,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::NoAnswerYet => "no answer yet",
            Self::HalfOpen => "half-open",
            Self::HandshakeReset => "reset in handshake",
            Self::Mismatch => "wire and kernel disagree",
            Self::WindowClosed => "window closed",
            Self::CloseWait => "stays in CLOSE-WAIT",
            Self::Reset => "reset",
            Self::Retried => "SYN retried",
        }
    }
}

/// What went wrong with the flow as it stands at `now`, the worst of it; `None` if nothing that can be seen.
pub fn trouble(detail: &FlowDetail, now: Timestamp) -> Option<Trouble> {
    let handshake = detail.handshake.as_ref();
    let failed = handshake.and_then(|handshake| match handshake.outcome {
        HandshakeOutcome::Refused => Some(Trouble::Refused),
        HandshakeOutcome::TimedOut => Some(Trouble::TimedOut),
        HandshakeOutcome::Waiting if handshake.syn_retries > 0 => Some(Trouble::NoAnswerYet),
        HandshakeOutcome::HalfOpen => Some(Trouble::HalfOpen),
        HandshakeOutcome::Reset => Some(Trouble::HandshakeReset),
        _ => None,
    });
    if failed.is_some() {
        return failed;
    }
    let halves = detail.halves.iter().flatten();
    if Side::BOTH.iter().any(|side| detail.row.end(*side).mismatch_since.is_some()) {
        return Some(Trouble::Mismatch);
    }
    if !detail.row.closed && halves.clone().any(|half| half.zero_window_since.is_some()) {
        return Some(Trouble::WindowClosed);
    }
    if Side::BOTH.iter().any(|side| stays_in_close_wait(detail, *side, now)) {
        return Some(Trouble::CloseWait);
    }
    if halves.map(|half| half.rsts).any(|rsts| rsts > 0) {
        return Some(Trouble::Reset);
    }
    handshake.filter(|handshake| handshake.syn_retries > 0).map(|_| Trouble::Retried)
}

/// Whether the end on `side` has been in CLOSE-WAIT for longer than patience: by the kernel's word where it is there,
/// and since the peer's FIN, or where that was not captured since the flow's latest sign.
fn stays_in_close_wait(detail: &FlowDetail, side: Side, now: Timestamp) -> bool {
    let end = detail.row.end(side);
    let fin = |event: &&crate::flow::LifeEvent| event.side == side.peer() && event.kind == LifeEventKind::Fin;
    let since = detail.life.iter().find(fin).map_or(detail.row.last, |event| event.ts);
    end.reported.or(end.inferred) == Some(TcpState::CloseWait)
        && !detail.row.closed
        && now.since(since) > CLOSE_WAIT_PATIENCE
}

/// Picks, from every flow offered in turn, what the text report tells about.
#[derive(Debug, Clone)]
pub struct Pick {
    now: Timestamp,
    wrong: Vec<(Trouble, u64, Vec<FlowDetail>)>,
    largest: Vec<FlowDetail>,
    each: usize,
    keep_largest: usize,
}

impl Pick {
    /// At most `each` flows of a kind of trouble, and the `largest` by payload; `now` is the engine's clock at the end.
    pub fn new(now: Timestamp, each: usize, largest: usize) -> Self {
        let wrong = Trouble::ALL.map(|kind| (kind, 0, Vec::new())).to_vec();
        Self { now, wrong, largest: Vec::new(), each, keep_largest: largest }
    }

    /// Looks at one flow and keeps a copy if it is to be told about. Call it in order of first appearance.
    pub fn offer(&mut self, detail: &FlowDetail) {
        if let Some(kind) = trouble(detail, self.now)
            && let Some((_, count, kept)) = self.wrong.iter_mut().find(|(of, _, _)| *of == kind)
        {
            *count += 1;
            if kept.len() < self.each {
                kept.push(detail.clone());
            }
        }
        let bytes = |detail: &FlowDetail| detail.row.payload_bytes.unwrap_or(0);
        let place = self.largest.partition_point(|kept| bytes(kept) >= bytes(detail));
        if bytes(detail) > 0 && place < self.keep_largest {
            self.largest.insert(place, detail.clone());
            self.largest.truncate(self.keep_largest);
        }
    }

    /// The kinds of trouble that occurred, with their count and the first flows of each.
    pub fn wrong(&self) -> impl Iterator<Item = (Trouble, u64, &[FlowDetail])> {
        self.wrong.iter().filter(|(_, count, _)| *count > 0).map(|(kind, count, kept)| (*kind, *count, kept.as_slice()))
    }

    /// The flows that carried most payload, most first.
    pub fn largest(&self) -> &[FlowDetail] {
        &self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn the_worst_that_can_be_seen_names_the_flow() {
        let now = fixture::at(60.0);
        for (detail, expected) in [
            (fixture::completed(1), None),
            (fixture::refused(2), Some(Trouble::Refused)),
            (fixture::timed_out(3), Some(Trouble::TimedOut)),
            (fixture::window_closed(4), Some(Trouble::WindowClosed)),
            (fixture::close_wait(5), Some(Trouble::CloseWait)),
            (fixture::kernel_only(6), None),
            (fixture::partial(7), None),
        ] {
            assert_eq!(trouble(&detail, now), expected, "{}", detail.row.id);
        }
    }

    #[test]
    fn close_wait_in_passing_is_no_trouble() {
        let detail = fixture::close_wait(1);
        let fin = detail.life.iter().find(|event| event.kind == LifeEventKind::Fin).unwrap().ts;
        assert_eq!(trouble(&detail, fin + CLOSE_WAIT_PATIENCE), None);
        assert_eq!(trouble(&detail, fin + CLOSE_WAIT_PATIENCE * 2), Some(Trouble::CloseWait));
    }

    #[test]
    fn keeps_the_first_of_a_kind_and_the_largest_of_all() {
        let mut pick = Pick::new(fixture::at(60.0), 2, 2);
        for id in 0..5 {
            pick.offer(&fixture::refused(id));
        }
        for (id, bytes) in [(10, 5), (11, 50), (12, 50), (13, 7)] {
            let mut detail = fixture::completed(id);
            detail.row.payload_bytes = Some(bytes);
            pick.offer(&detail);
        }
        let wrong: Vec<_> = pick.wrong().map(|(kind, count, kept)| (kind, count, kept.len())).collect();
        assert_eq!(wrong, [(Trouble::Refused, 5, 2)]);
        assert_eq!(pick.largest().iter().map(|detail| detail.row.id.0).collect::<Vec<_>>(), [11, 12]);
    }
}
