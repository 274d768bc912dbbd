//! The rules: why a segment carries numbers that were sent before. The first that fits tells the cause.
//!
//! May touch `base` and `wire::Segment`. Each rule stands beside the words of its source. A rule sees the half as it
//! was before the segment; it claims no more than what went by the capture point shows, wherever on the path that is.

use std::time::Duration;

use super::Around;
use super::cause::{Cause, Evidence};
use super::edge::{Edge, fact};
use super::episode::Recovery;
use super::trail::{Hole, Trail, tsval};
use crate::base::Timestamp;
use crate::wire::Segment;

/// The same datagram within this time is one that was captured, or delivered, twice; with timestamps, which a repeat
/// has newer ones of, it may take longer.
pub(super) const TWICE: Duration = Duration::from_millis(1);
const TWICE_BY_TIMESTAMPS: Duration = Duration::from_millis(100);
/// Nothing acknowledged is repeated to keep a connection alive sooner than this after the last segment. (RFC 9293
/// §3.8.4 has two hours, Linux allows 1 s.)
const SILENCE: Duration = Duration::from_millis(500);
/// The shortest retransmission timeout in wide use (Linux: 200 ms, TCP_RTO_MIN), less what timers and captures jitter.
const LEAST_RTO: Duration = Duration::from_millis(190);
/// The shortest probe timeout in wide use (Linux: two jiffies, TCP_TIMEOUT_MIN, at 1,000 a second).
const LEAST_PTO: Duration = Duration::from_millis(2);
/// Below this the time that hosts take blurs the way's.
const JITTER: Duration = Duration::from_millis(1);
/// Duplicate ACKs that make a sender repeat (RFC 5681 §3.2).
pub(super) const MANY: u32 = 3;

/// A segment with old numbers, and what was known before it.
pub(super) struct Look<'a> {
    pub(super) segment: &'a Segment,
    pub(super) own: &'a Edge,
    pub(super) peer: &'a Edge,
    pub(super) trail: &'a Trail,
    pub(super) around: &'a Around,
}

pub(super) type Judgement = Option<(Cause, Evidence)>;

impl Look<'_> {
    /// Why the segment is there; `None` for an acknowledgment without data that is merely late.
    pub(super) fn judge(&self) -> Judgement {
        let rules: [fn(&Self) -> Judgement; 5] = [
            Self::duplicate_frame,
            Self::zero_window_probe,
            Self::keep_alive,
            Self::acknowledged_unseen,
            Self::fills_a_hole,
        ];
        rules.iter().find_map(|rule| rule(self)).or_else(|| self.takes_numbers().then(|| self.sent_again()))
    }

    fn takes_numbers(&self) -> bool {
        self.segment.seg_len() > 0
    }

    /// "The Identification field [...] for a given source address, destination address, and protocol MUST NOT repeat
    /// within one MDL" (RFC 6864 §4.3; not so of atomic datagrams): equal bytes from the IP header on, TSval with them.
    /// A sender that leaves the identification 0 could repeat itself so, but not at once without being asked, and not
    /// with another TTL: that tells of another hop.
    fn duplicate_frame(&self) -> Judgement {
        let within = if tsval(self.segment).is_some() { TWICE_BY_TIMESTAMPS } else { TWICE };
        let asked = self.trail.duplicate_acks > 0 || self.trail.sacked.reach_above(self.segment.seq);
        let last = self.own.is_last(self.segment) && self.is_at_the_end();
        let at_once = self.silent_for().is_some_and(|silence| silence <= within);
        let another_hop = self.trail.has_seen_at_another_hop(self.segment);
        let seen = another_hop || (last && self.segment.ttl != self.own.ttl);
        let seen_here = self.trail.has_seen(self.segment, within) || (last && at_once);
        (self.takes_numbers() && (seen || (seen_here && !asked)))
            .then_some((Cause::DuplicateFrame, Evidence::SameDatagram))
    }

    /// "The transmitting host [...] SHOULD send the first zero-window probe when a zero window has existed for the
    /// retransmission timeout period" (RFC 9293 §3.8.6.1). Linux probes with the number before SND.UNA and no data.
    fn zero_window_probe(&self) -> Judgement {
        let una = self.own.una;
        let probes = self.own.has(fact::ACKED)
            && (self.segment.seq == una || (self.segment.payload_len <= 1 && self.segment.seq == una - 1));
        let closed = self.around.peer_window == Some(0);
        (closed && probes && !self.controls()).then_some((Cause::ZeroWindowProbe, Evidence::ZeroWindow))
    }

    /// "Such a segment generally contains SEG.SEQ = SND.NXT-1 and may or may not contain one garbage octet of data"
    /// (RFC 9293 §3.8.4). A last byte that was not acknowledged is no garbage: that is sent again.
    fn keep_alive(&self) -> Judgement {
        let own = self.own;
        let before_next = self.segment.payload_len <= 1 && self.segment.seq == own.high - 1;
        let all_acked = own.acked(own.high) || (self.segment.payload_len == 0 && !self.peer.has(fact::SENT));
        let acks_last = self.peer.has(fact::ACKED) && self.peer.una == self.segment.ack;
        let current = !self.peer.has(fact::SENT) || acks_last;
        let silent = self.silent_for().filter(|silence| *silence >= SILENCE)?;
        (before_next && all_acked && current && !own.has(fact::FIN) && !self.controls())
            .then_some((Cause::KeepAlive, Evidence::Idle(silent)))
    }

    /// It was acknowledged and not seen: the capture shows the two in the wrong order, unless so late that it must have
    /// been sent again. Then its receiver had it.
    fn acknowledged_unseen(&self) -> Judgement {
        if !self.takes_numbers() {
            return None;
        }
        let acked_at = self.trail.missed.touching(self.segment.seq, self.segment.end())?.with;
        let late = self.segment.ts.since(acked_at) > self.around.rtt.unwrap_or(TWICE);
        Some(if late { (Cause::Spurious, Evidence::AckedBefore) } else { (Cause::Reordered, Evidence::AckFirst) })
    }

    /// It fills a hole: the path delivered it late, or lost the copy before it on the way to the capture point.
    fn fills_a_hole(&self) -> Judgement {
        if !self.takes_numbers() {
            return None;
        }
        let hole = self.trail.holes.touching(self.segment.seq, self.segment.end())?.with;
        Some(self.by_order_of_sending(&hole).unwrap_or_else(|| self.by_time(&hole)))
    }

    /// "The timestamp value to be sent in TSval is to be obtained from a (virtual) clock [...] Its values MUST be at
    /// least approximately proportional to real time" (RFC 7323 §5.4): older means sent earlier.
    fn by_order_of_sending(&self, hole: &Hole) -> Judgement {
        let (own, above) = (tsval(self.segment)?, hole.tsval?);
        if own.before(above) {
            Some((Cause::Reordered, Evidence::OlderTsval))
        } else {
            own.after(above).then_some((Cause::Lost, Evidence::NewerTsval))
        }
    }

    /// A sender repeats when ACKs tell it to, which takes them the way from here to it and the repeat the way back; or
    /// when its timer runs out.
    fn by_time(&self, hole: &Hole) -> (Cause, Evidence) {
        let now = self.segment.ts;
        let waited = now.since(hole.at);
        let too_soon = (Cause::Reordered, Evidence::TooSoon(waited));
        let seen_both = self.peer.has(fact::SENT);
        match hole.told {
            Some(told) if self.sooner_than(now.since(told), 4) && self.around.own_side >= Some(JITTER) => too_soon,
            Some(told) if self.sooner_than(now.since(told), 2) => (Cause::Unexplained, Evidence::Nothing),
            Some(_) if self.asked().is_some() => (Cause::Lost, self.asked().unwrap_or(Evidence::Nothing)),
            Some(_) if self.around.rtt.is_some_and(|rtt| waited < rtt) => too_soon,
            Some(_) if waited >= LEAST_RTO => (Cause::Lost, Evidence::Timeout(waited)),
            None if waited < self.around.rtt.unwrap_or(TWICE) => too_soon,
            None if seen_both && waited < LEAST_RTO => too_soon,
            None if seen_both => (Cause::Lost, Evidence::Timeout(waited)),
            _ => (Cause::Unexplained, Evidence::Nothing),
        }
    }

    /// Whether `time` is less than a `part` of what the way to the sender and back takes: the handshake's time may have
    /// been longer than others.
    fn sooner_than(&self, time: Duration, part: u32) -> bool {
        self.around.own_side.is_some_and(|trip| time < trip / part)
    }

    /// What went by the capture point before goes by again.
    fn sent_again(&self) -> (Cause, Evidence) {
        let rules: [fn(&Self) -> Judgement; 6] = [
            Self::late_original,
            Self::had_by_receiver,
            Self::timed_out,
            Self::asked_again,
            Self::tail_loss_probe,
            Self::after_timeout,
        ];
        let told = rules.iter().find_map(|rule| rule(self)).unwrap_or((Cause::Unexplained, Evidence::Nothing));
        // Where the receiver is not heard, its ACKs may have gone another way.
        if self.peer.has(fact::SENT) { told } else { (Cause::Unexplained, told.1) }
    }

    /// The copy that was sent again came first; this one is older, by TSval.
    fn late_original(&self) -> Judgement {
        let copy = self.trail.resent.get(self.trail.latest_resent(self.segment.seq, self.segment.end())?)?;
        let older = tsval(self.segment)?.before(copy.tsval?);
        older.then_some((Cause::Reordered, Evidence::OlderTsval))
    }

    /// The receiver said before that it has it, by ACK or by SACK.
    fn had_by_receiver(&self) -> Judgement {
        let (start, end) = (self.segment.seq, self.end());
        if self.own.acked(end) {
            return Some((Cause::Spurious, Evidence::AckedBefore));
        }
        self.trail.sacked.hold(start, end).then_some((Cause::Spurious, Evidence::SackedBefore))
    }

    /// The receiver asked for it.
    fn asked_again(&self) -> Judgement {
        self.asked().map(|evidence| (Cause::Lost, evidence))
    }

    fn asked(&self) -> Option<Evidence> {
        // RFC 6675 §4: what lies below a SACK is missing.
        if self.trail.sacked.reach_above(self.end()) {
            return Some(Evidence::SackHole);
        }
        // RFC 5681 §3.2: "The TCP sender SHOULD use the fast retransmit algorithm [...] based on incoming duplicate
        // ACKs".
        let next = self.own.has(fact::ACKED) && self.segment.seq == self.own.una;
        if next && self.trail.duplicate_acks >= MANY {
            return Some(Evidence::DuplicateAcks(self.trail.duplicate_acks));
        }
        // RFC 6582 §3.2: "If this ACK does not acknowledge all of the data up to and including recover, then this is a
        // partial ACK. In this case, retransmit the first unacknowledged segment."
        let fast = self.trail.open.is_some_and(|open| open.told.how == Some(Recovery::FastRetransmission));
        (next && fast).then_some(Evidence::PartialAck)
    }

    /// "TLP [...] transmit a single data segment: [...] the highest-sequence segment sent so far" (RFC 8985 §7.3),
    /// after "2 * SRTT" (§7.2). A timeout would repeat the first one, so where only one is in flight nothing tells them
    /// apart.
    fn tail_loss_probe(&self) -> Judgement {
        let (trip, waited) = (self.around.rtt?, self.since_highest()?);
        let quiet = self.trail.duplicate_acks == 0 && !self.timed_out_before();
        let last = self.is_at_the_end() && self.own.is_outstanding() && self.segment.seq.after(self.own.una);
        let probes = last && quiet && waited >= (trip * 3 / 2).max(LEAST_PTO);
        probes.then_some((Cause::TailLossProbe, Evidence::Probe(waited)))
    }

    /// "When the retransmission timer expires [...] Retransmit the earliest segment that has not been acknowledged by
    /// the TCP receiver" (RFC 6298 §5.4).
    fn timed_out(&self) -> Judgement {
        let waited = self.waited()?;
        let first = !self.own.has(fact::ACKED) || !self.segment.seq.after(self.own.una);
        let long = waited >= LEAST_RTO && self.around.rtt.is_none_or(|rtt| waited >= rtt);
        (first && long).then_some((Cause::Lost, Evidence::Timeout(waited)))
    }

    /// After a timeout a sender repeats what else it has not been acknowledged; whether that was lost is not known yet.
    fn after_timeout(&self) -> Judgement {
        self.timed_out_before().then_some((Cause::Unexplained, Evidence::AfterTimeout))
    }

    fn timed_out_before(&self) -> bool {
        self.trail.open.is_some_and(|open| open.told.how == Some(Recovery::Timeout))
    }

    /// The end of what it repeats: new data behind that does not count.
    fn end(&self) -> crate::base::Seq {
        let end = self.segment.end();
        if end.after(self.own.high) { self.own.high } else { end }
    }

    fn is_at_the_end(&self) -> bool {
        self.segment.end() == self.own.high
    }

    fn controls(&self) -> bool {
        self.segment.flags.fin() || self.segment.flags.syn() || self.segment.flags.rst()
    }

    /// Since the sender's latest segment; `None` if time ran backwards.
    fn silent_for(&self) -> Option<Duration> {
        since(self.around.sent_at?, self.segment.ts)
    }

    /// Since the sender sent the last of what it sent for the first time.
    fn since_highest(&self) -> Option<Duration> {
        since(self.around.high_at?, self.segment.ts)
    }

    /// The time in which neither something new was sent, nor this sent again, nor anything came from the peer: the
    /// timer's, at least.
    fn waited(&self) -> Option<Duration> {
        let again = self.trail.latest_resent(self.segment.seq, self.end()).map(|at| self.trail.resent[at].at);
        let latest = [self.around.high_at, self.around.peer_sent_at, again].into_iter().flatten().max()?;
        since(latest, self.segment.ts)
    }

    /// How the sender learned of a loss, where the evidence for it is the order of sending.
    pub(super) fn recovery(&self, evidence: Evidence) -> Option<Recovery> {
        let Evidence::NewerTsval = evidence else { return Recovery::of(evidence) };
        let hole = self.trail.holes.touching(self.segment.seq, self.segment.end())?.with;
        let both_silent = self.waited() >= Some(LEAST_RTO);
        let long = self.peer.has(fact::SENT) && since(hole.at, self.segment.ts) >= Some(LEAST_RTO);
        let by_timer = Some(Recovery::Timeout);
        let by_ack = self.asked().and_then(Recovery::of);
        by_timer.filter(|_| both_silent && long).or(by_ack).or(by_timer.filter(|_| long))
    }
}

fn since(earlier: Timestamp, later: Timestamp) -> Option<Duration> {
    (later >= earlier).then(|| later.since(earlier))
}
