//! Our own verdict beside the sequence analysis: why numbers come again or late, each with its evidence; loss told as
//! episodes; and what the capture cannot tell.
//!
//! May touch `base` and `wire::Segment`. [`super::Analysis`] counts as Wireshark does, with a threshold of one round
//! trip and without SACK, DSACK or timestamps; here a claim is made where what passed the capture point supports it,
//! revised when later evidence speaks against it, and else not made ("unexplained"). The observer may stand on the
//! sender's host, on the receiver's or between: the copy before a repeat may have been lost before it was captured
//! (then it leaves a hole) or after (then only the receiver's ACKs tell). SYNs are the handshake's business and have no
//! verdict. Read first: RFC 5681 §3.2, RFC 6298 §5, RFC 6675 §4, RFC 2883 §4, RFC 3522 §3.2, RFC 8985 §7. Then `cause`
//! (the words), `judge` (a segment's cause), `prove` (what an ACK shows), `episode`, `sight` (limits), `telling` (of
//! one segment); `edge` and `trail` are what is kept, `view` what is told.

mod cause;
mod edge;
mod episode;
mod judge;
mod plain;
mod prove;
mod ranges;
mod sight;
mod telling;
mod trail;
mod view;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use cause::{Cause, CauseCounts, Evidence};
pub use episode::{Episode, Recovery};
pub use sight::{Injected, Limit};
pub use telling::{InVain, SentAgain, Unmoved};
pub use view::{HalfVerdict, VerdictView};

use std::time::Duration;

use super::{Analysis, Flow, Side};
use crate::base::{Packing, Timestamp};
use crate::wire::Segment;
use edge::{Edge, fact};
use judge::Look;
use prove::Proof;
use trail::{Hole, Trail, tsval};

/// What is kept of a flow to judge its next segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    edges: [Edge; 2],
    /// Made at the first segment that needs a second look, so that a quiet flow costs nothing.
    trouble: Option<Box<Trouble>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Trouble {
    trails: [Trail; 2],
    injected: Option<Injected>,
}

/// What stands elsewhere of the flow as it was before a segment, for its sender and its peer; asked for only where a
/// segment needs a second look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    /// The window field of the latest segment of the sender, and of its peer.
    own_window: Option<u16>,
    peer_window: Option<u16>,
    /// When each last sent a segment, and when the sender last sent something new.
    sent_at: Option<Timestamp>,
    peer_sent_at: Option<Timestamp>,
    high_at: Option<Timestamp>,
    /// The round trip, and that part of it which is the sender's side of the capture point.
    rtt: Option<Duration>,
    own_side: Option<Duration>,
}

impl Around {
    /// What the analysis and the handshake tell for a segment that `from` sends.
    pub fn of(analysis: &Analysis, flow: Option<&Flow>, from: Side) -> Self {
        let (own, peer) = (analysis.latest(from), analysis.latest(from.peer()));
        let handshake = flow.map(Flow::handshake);
        let own_side = handshake.and_then(|handshake| match from {
            Side::Orig => handshake.syn_ack_to_ack,
            Side::Resp => handshake.syn_to_syn_ack,
        });
        Self {
            own_window: own.map(|latest| latest.window),
            peer_window: peer.map(|latest| latest.window),
            sent_at: own.map(|latest| latest.sent_at),
            peer_sent_at: peer.map(|latest| latest.sent_at),
            high_at: own.map(|latest| latest.high_at),
            rtt: handshake.and_then(|handshake| handshake.rtt),
            own_side,
        }
    }
}

impl Default for Verdict {
    fn default() -> Self {
        Self::new()
    }
}

impl Verdict {
    /// Of a flow that has no segment yet.
    pub const fn new() -> Self {
        Self { edges: [Edge::NEW; 2], trouble: None }
    }

    /// Takes in a segment sent by `from`, in the order of the capture. `around` tells of the flow before it.
    pub fn feed(&mut self, segment: &Segment, from: Side, around: impl FnOnce() -> Around) {
        if segment.malformed {
            return;
        }
        let (own, peer) = (&self.edges[from.index()], &self.edges[from.peer().index()]);
        let plain = own.goes_on(segment) && peer.is_acked_plainly_by(segment);
        let probe = match &self.trouble {
            None if plain => false,
            // Of it nothing is asked but what it acknowledges.
            Some(_) if plain => self.look_closely(segment, from, &Around::default()),
            _ => self.look_closely(segment, from, &around()),
        };
        let [orig, resp] = &mut self.edges;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        own.send(segment, probe);
        peer.acknowledge(segment, own.has(fact::SYN));
    }

    /// Returns whether the segment is a byte into a window of 0.
    fn look_closely(&mut self, segment: &Segment, from: Side, around: &Around) -> bool {
        if segment.flags.rst() {
            self.take_rst(segment, from);
            return false;
        }
        let probe = !segment.flags.syn() && self.take_numbers(segment, from, around);
        self.take_ack(segment, from.peer(), around);
        if let Some(trouble) = &mut self.trouble {
            trouble.trails[from.index()].remember(segment);
        }
        probe
    }

    /// A RST over another number of hops than every segment of its sender so far. Nothing is claimed where that end
    /// showed no other segment, or where its TTL varies anyway.
    fn take_rst(&mut self, segment: &Segment, side: Side) {
        let own = &self.edges[side.index()];
        if own.has(fact::SENT) && !own.has(fact::TTL_VARIES) && segment.ttl != own.ttl {
            let injected = Injected { side, ttl: segment.ttl, usual: own.ttl };
            self.trouble.get_or_insert_default().injected.get_or_insert(injected);
        }
    }

    /// The numbers of the segment, for its sender's half. Returns whether it is a byte into a window of 0.
    fn take_numbers(&mut self, segment: &Segment, from: Side, around: &Around) -> bool {
        let [own, peer] = [self.edges[from.index()], self.edges[from.peer().index()]];
        if !own.has(fact::SENT) {
            return false;
        }
        if segment.seq.offset_from(own.high).unsigned_abs() > super::half::REACH {
            self.trail(from).restart();
            return false;
        }
        let probes = segment.payload_len == 1 && around.peer_window == Some(0) && segment.seq == own.high;
        if probes {
            self.trail(from).count(Cause::ZeroWindowProbe, Evidence::ZeroWindow);
        } else if segment.seq.after(own.high) {
            let hole = Hole { at: segment.ts, tsval: tsval(segment), told: None };
            let trail = self.trail(from);
            trail.begin_episode(segment.ts, segment.end());
            trail.push_hole(own.high, segment.seq, hole);
        } else if segment.seq.before(own.high) {
            self.judge(segment, from, (&own, &peer), around);
        }
        probes
    }

    /// A segment with numbers below the highest of its half.
    fn judge(&mut self, segment: &Segment, from: Side, (own, peer): (&Edge, &Edge), around: &Around) {
        let quiet = Trail::default();
        let trail = self.trouble.as_ref().map_or(&quiet, |trouble| &trouble.trails[from.index()]);
        let look = Look { segment, own, peer, trail, around };
        let Some((cause, evidence)) = look.judge() else { return };
        let how = look.recovery(evidence);
        let end = segment.end();
        let trail = self.trail(from);
        trail.count(cause, evidence);
        if cause == Cause::KeepAlive {
            trail.probe(segment.ts, around.peer_sent_at);
        }
        if cause == Cause::Reordered
            && let Some(at) = trail.latest_resent(segment.seq, end)
            && !matches!(trail.resent[at].cause, Cause::Spurious | Cause::Reordered)
        {
            trail.revise(at, Cause::Spurious, Evidence::OriginalCame);
        }
        trail.holes.remove(segment.seq, end);
        if cause == Cause::Reordered {
            let captured = trail.missed.remove(segment.seq, end);
            trail.missed_bytes = trail.missed_bytes.saturating_sub(captured.into());
        }
        if matches!(cause, Cause::Lost | Cause::Spurious | Cause::TailLossProbe | Cause::Unexplained) {
            // A needless repeat of what was acknowledged is no loss that must be recovered from.
            if !own.acked(end) {
                trail.begin_episode(evidence.since(segment.ts), own.high);
            }
            trail.keep(segment, end, cause, evidence, how);
        }
    }

    /// The acknowledgment of the segment, for the half of `to`.
    fn take_ack(&mut self, segment: &Segment, to: Side, around: &Around) {
        let own = &self.edges[to.index()];
        if !segment.flags.ack() || segment.flags.syn() || !own.has(fact::SENT) {
            return;
        }
        if let Some(trouble) = &mut self.trouble {
            let trail = &mut trouble.trails[to.index()];
            return Proof { segment, own, trail, around }.take();
        }
        // Only what tells something makes a trail.
        let mut trail = Trail::default();
        Proof { segment, own, trail: &mut trail, around }.take();
        if trail != Trail::default() {
            *self.trail(to) = trail;
        }
    }

    fn trail(&mut self, side: Side) -> &mut Trail {
        &mut self.trouble.get_or_insert_default().trails[side.index()]
    }

    /// Whether something irregular was seen, so that each segment is looked at closely.
    pub const fn is_troubled(&self) -> bool {
        self.trouble.is_some()
    }

    /// What is packed first of a flow in which nothing irregular was seen: all that [`Verdict::view`] rests on.
    pub fn pack_outline(&mut self, into: &mut impl Packing) {
        self.edges.iter_mut().for_each(|edge| edge.facts.pack(into));
    }

    /// Packs, or unpacks, all else that is kept of it.
    pub fn pack(&mut self, into: &mut impl Packing) {
        let Self { edges, trouble: _ } = self;
        for (side, edge) in edges.iter_mut().enumerate() {
            edge.pack(into.known().sent(side), into);
        }
    }

    /// Gives back what it holds and does not need just now.
    pub fn shrink(&mut self) {
        self.trouble.iter_mut().flat_map(|trouble| &mut trouble.trails).for_each(Trail::shrink);
    }

    /// What it holds beside itself, bytes.
    pub fn held(&self) -> usize {
        let trails = |trouble: &Trouble| trouble.trails.iter().map(Trail::held).sum::<usize>();
        self.trouble.as_ref().map_or(0, |trouble| size_of::<Trouble>() + trails(trouble))
    }

    /// Segments found to have been lost, of both halves.
    pub fn lost(&self) -> u64 {
        let trails = self.trouble.iter().flat_map(|trouble| &trouble.trails);
        trails.map(|trail| u64::from(trail.counts.of(Cause::Lost))).sum()
    }

    /// Exchanges originator and responder, with [`super::Flow::turn_around`].
    pub fn turn_around(&mut self) {
        self.edges.swap(0, 1);
        if let Some(trouble) = &mut self.trouble {
            trouble.trails.swap(0, 1);
            if let Some(injected) = &mut trouble.injected {
                injected.side = injected.side.peer();
            }
        }
    }
}
