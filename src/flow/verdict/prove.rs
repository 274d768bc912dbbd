//! What an acknowledgment proves of the numbers it acknowledges: SACK, DSACK, timestamp echo, what was never captured.
//!
//! May touch `base` and `wire::Segment`. Read first: RFC 2018, RFC 2883, RFC 3522.

use super::Around;
use super::cause::{Cause, Evidence};
use super::edge::{Edge, fact};
use super::judge::MANY;
use super::trail::Trail;
use crate::base::Seq;
use crate::flow::half::REACH;
use crate::wire::Segment;

/// An acknowledgment, and what was known of the half that it acknowledges.
pub(super) struct Proof<'a> {
    pub(super) segment: &'a Segment,
    pub(super) own: &'a Edge,
    pub(super) trail: &'a mut Trail,
    pub(super) around: &'a Around,
}

impl Proof<'_> {
    /// Takes in the acknowledgment: what it says twice first, so that nothing is called lost that arrived.
    pub(super) fn take(&mut self) {
        let segment = self.segment;
        let una = self.own.has(fact::ACKED).then_some(self.own.una);
        let far = una.is_some_and(|una| segment.ack.offset_from(una).unsigned_abs() > REACH);
        if far {
            return self.trail.restart();
        }
        let news = self.take_blocks();
        if una.is_none_or(|una| segment.ack.after(una)) {
            self.echo(una.unwrap_or(segment.ack));
            self.advance();
        } else if una == Some(segment.ack) {
            self.repeat(news);
        }
        if self.trail.sacked.reach_above(segment.ack) {
            self.tell_holes(|hole_end, trail| trail.sacked.reach_above(hole_end));
        }
    }

    /// SACK blocks; whether any names something new that arrived.
    fn take_blocks(&mut self) -> bool {
        let blocks = self.segment.options.sack();
        let mut news = false;
        for (at, (left, right)) in blocks.clone().enumerate() {
            if !left.before(right) {
                continue;
            }
            if at == 0 && self.is_duplicate(left, right, blocks.clone().nth(1)) {
                self.duplicate(left, right);
            } else if right.after(self.segment.ack) && !right.after(self.own.high) {
                news |= !self.trail.sacked.hold(left, right);
                if self.trail.sacked.is_empty() {
                    self.trail.begin_episode(self.segment.ts, self.own.high);
                }
                self.trail.sacked.join(left, right, ());
            }
        }
        news || !self.segment.options.has_sack()
    }

    /// "If the D-SACK block [...] is reporting a duplicate contiguous sequence of data", it is the first block and lies
    /// below the cumulative ACK or within the second block (RFC 2883 §4).
    fn is_duplicate(&self, left: Seq, right: Seq, second: Option<(Seq, Seq)>) -> bool {
        let within = |(start, end)| !left.before(start) && !right.after(end);
        !right.after(self.segment.ack) || second.is_some_and(within)
    }

    /// The receiver got `left..right` twice: what was sent again was not needed.
    fn duplicate(&mut self, left: Seq, right: Seq) {
        let mut copies = self.trail.resent.iter();
        let needless = |cause| !matches!(cause, Cause::Spurious | Cause::Reordered);
        let found = copies.rposition(|copy| copy.start.before(right) && left.before(copy.end) && needless(copy.cause));
        let Some(at) = found else { return };
        self.trail.revise(at, needless_as(self.trail.resent[at].cause), Evidence::Dsack);
    }

    /// "If the value of the Timestamp Echo Reply field [...] is smaller than the value of RetransmitTS", the original
    /// had arrived (RFC 3522 §3.2). The echo is of the segment at the left edge (RFC 7323 §4.3), so only that one is
    /// judged.
    fn echo(&mut self, una: Seq) {
        let Some((_, echoed)) = self.segment.options.timestamps().filter(|(_, echoed)| *echoed != 0) else { return };
        for at in 0..self.trail.resent.len() {
            let copy = self.trail.resent[at];
            let first = !copy.start.after(una) && copy.end.after(una) && !copy.end.after(self.segment.ack);
            let Some(tsval) = copy.tsval.filter(|_| first) else { continue };
            match copy.cause {
                Cause::Lost | Cause::TailLossProbe | Cause::Unexplained if Seq(echoed).before(tsval) => {
                    self.trail.revise(at, needless_as(copy.cause), Evidence::TimestampEcho);
                }
                Cause::TailLossProbe | Cause::Unexplained if copy.newest => {
                    self.trail.revise(at, Cause::Lost, Evidence::TimestampEcho);
                }
                _ => {}
            }
        }
    }

    /// All before the acknowledgment has arrived. What of it was not captured, the capture missed and not the path.
    fn advance(&mut self) {
        let (ack, now, high) = (self.segment.ack, self.segment.ts, self.own.high);
        let trail = &mut *self.trail;
        trail.duplicate_acks = 0;
        trail.sacked.remove_below(ack, |_, _| {});
        let mut bytes = trail.arrived_unseen(ack);
        let missed = &mut trail.missed;
        bytes += u64::from(trail.holes.remove_below(ack, |start, end| {
            let _oldest = missed.push(start, end, now);
        }));
        if ack.after(high) {
            let _oldest = trail.missed.push(high, ack, now);
            // The one number past a probe's is the probe's own byte.
            let probe = u32::from(self.own.has(fact::PROBED));
            bytes += u64::from(ack.offset_from(high).unsigned_abs() - probe);
        }
        trail.missed_bytes = trail.missed_bytes.saturating_add(bytes);
        trail.end_episode(now, ack);
    }

    /// "An acknowledgment is considered a 'duplicate' [...] when (a) the receiver of the ACK has outstanding data, (b)
    /// the incoming acknowledgment carries no data, (c) the SYN and FIN bits are both off, (d) the acknowledgment
    /// number is equal to the greatest acknowledgment received [...] and (e) the advertised window in the incoming
    /// acknowledgment equals the advertised window in the last" (RFC 5681 §2); or, with SACK, it names something new
    /// (RFC 6675 §2).
    fn repeat(&mut self, news: bool) {
        let segment = self.segment;
        let sacks = segment.options.has_sack();
        let same_window = self.around.own_window == Some(segment.window);
        let bare = segment.payload_len == 0 && !segment.flags.fin() && !segment.flags.rst();
        if !(self.own.is_outstanding() && bare && news && (sacks || same_window)) {
            return;
        }
        self.trail.duplicate_acks = self.trail.duplicate_acks.saturating_add(1);
        if self.trail.duplicate_acks == MANY {
            self.trail.begin_episode(segment.ts, self.own.high);
        }
        let ack = segment.ack;
        self.tell_holes(|hole_end, _| !hole_end.before(ack));
    }

    /// An ACK passed by that tells the sender of the holes that `meant` picks.
    fn tell_holes(&mut self, meant: impl Fn(Seq, &Trail) -> bool) {
        let now = self.segment.ts;
        let mut holes = std::mem::take(&mut self.trail.holes);
        for hole in holes.iter_mut().filter(|hole| hole.with.told.is_none() && meant(hole.end, self.trail)) {
            hole.with.told = Some(now);
        }
        self.trail.holes = holes;
    }
}

/// What a segment is that was sent again and turns out not to have been needed. A tail-loss probe stays one: it is sent
/// in case (RFC 8985 §7.4).
fn needless_as(cause: Cause) -> Cause {
    if cause == Cause::TailLossProbe { cause } else { Cause::Spurious }
}
