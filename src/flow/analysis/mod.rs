//! Sequence analysis of a flow: each half's segments marked with the words of Wireshark's tcp.analysis, and counted.
//!
//! May touch `base` and `wire::Segment`. A machine of its own beside [`super::Flow`]: it says what Wireshark says of
//! the same segments, questionable readings included, and knows nothing of RFC 9293's states. Nothing is buffered. Read
//! first: Wireshark's packet-tcp.c (tcp_analyze_sequence_number, tcp_analyze_get_acked_struct, dissect_tcpopt_wscale)
//! and its User's Guide, §7.5 "TCP Analysis". Then `mark` (the words), `rules` (when each is said), `half` (what is
//! kept).
//!
//! Where it differs from Wireshark 4.0 by intent:
//! - Wireshark takes 0 for "not known yet", and so misreads a number that really is 0. Here unknown is unknown, so
//!   where the numbers start does not matter.
//! - With 10,000 segments outstanding Wireshark forgets that a SYN or FIN has a number. Here no list is kept.
//! - In its second pass Wireshark marks a first SYN-ACK as reused ports if a later one had another number. Here a mark
//!   rests on what came before.
//! - Of the subflows of a Multipath TCP connection each is judged by what it alone has shown; and an MP_CAPABLE without
//!   a key, which Wireshark does not count before another Multipath TCP option was seen, counts like any.

mod half;
mod mark;
mod plain;
mod rules;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use mark::{AnalysisCounts, Mark, Marks};

use super::Side;
use super::stamp::Stamp;
use crate::base::{Packing, Seq, Timestamp};
use crate::wire::{Options, Segment};
pub(super) use half::Latest;
use half::{Half, Shift};
use rules::Look;

/// What is kept of a flow to analyse its next segment, and what was said of it so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    halves: [Half; 2],
    /// When the latest SYN without ACK was sent, by either end.
    syn_at: Stamp,
    /// From that SYN to the first segment with ACK and without SYN, nanoseconds; 0 while it is not known. It is
    /// negative where the capture's time ran backwards.
    initial_rtt: i64,
    /// Made when the first segment is marked, so that a quiet flow costs nothing.
    counts: Option<Box<[AnalysisCounts; 2]>>,
    /// The option subtypes of Multipath TCP that were seen, a bit each.
    mptcp: u8,
    /// The first segment will be a SYN on a tuple that had a flow before.
    reuses: bool,
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

impl Analysis {
    /// What it holds beside itself, bytes.
    pub fn held(&self) -> usize {
        self.counts.as_ref().map_or(0, |counts| size_of_val(&**counts))
    }

    /// Of a flow that has no segment yet.
    pub const fn new() -> Self {
        Self { halves: [Half::new(); 2], syn_at: Stamp::NONE, initial_rtt: 0, counts: None, mptcp: 0, reuses: false }
    }

    /// Of a flow that will begin with a SYN on a tuple that had a flow before.
    pub fn reusing() -> Self {
        Self { reuses: true, ..Self::new() }
    }

    /// What is packed first: how often segments were marked.
    pub fn pack_counts(&mut self, into: &mut impl Packing) {
        into.option(&mut self.counts, Box::default, |into, counts| counts.iter_mut().for_each(|half| half.pack(into)));
    }

    /// Packs, or unpacks, all else.
    pub fn pack(&mut self, into: &mut impl Packing) {
        let Self { halves, syn_at, initial_rtt, counts: _, mptcp, reuses } = self;
        for (side, half) in halves.iter_mut().enumerate() {
            let (own, peer) = (into.known().sent(side), into.known().sent(1 - side));
            half.pack(own, peer, into);
        }
        syn_at.pack(into);
        let mut rtt = initial_rtt.cast_unsigned();
        into.nanos(&mut rtt);
        *initial_rtt = rtt.cast_signed();
        into.unless(mptcp, 0, Packing::byte);
        into.flag(reuses);
    }

    /// Takes in a segment sent by `from`, in the order of the capture, and tells what it is marked with; its sender's
    /// half is what the marks count for.
    pub fn feed(&mut self, segment: &Segment, from: Side) -> Marks {
        if self.feed_plain(segment, from) {
            return Marks::default();
        }
        self.feed_any(segment, from)
    }

    fn feed_any(&mut self, segment: &Segment, from: Side) -> Marks {
        // Shorter than its own header: of its stream, but it has no length to analyse (§8).
        if segment.malformed {
            return Marks::default();
        }
        let reused = self.claim_base(segment, from);
        let [orig, resp] = &mut self.halves;
        let (own, peer) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        let mut look = Look { segment, own, peer, initial_rtt: self.initial_rtt, mptcp: self.mptcp };
        let mut marks = look.marks();
        marks.put(Mark::ReusedPorts, reused);
        own.take(segment, marks);
        own.mptcp = self.mptcp;
        self.learn(segment, from);
        // Without its options a segment is taken in, but nothing is said of it.
        if segment.options.cut() {
            return Marks::default();
        }
        self.count(marks, from);
        marks
    }

    /// Whose numbers begin where (streams and port reuse): returns whether the segment reuses the ports. A SYN-ACK with
    /// another number than its sender began with does so within the flow; a SYN without ACK begins a new flow, unless
    /// its number is the same: then it is the old SYN again, and what a RST moved is moved back.
    fn claim_base(&mut self, segment: &Segment, from: Side) -> bool {
        let flags = segment.flags;
        let own = &mut self.halves[from.index()];
        let differs = own.base().is_some_and(|base| base != segment.seq);
        let reused = std::mem::take(&mut self.reuses) || (flags.syn_ack() && differs);
        if flags.pure_syn() && own.base() == Some(segment.seq) {
            own.retreat();
        }
        if reused || own.base().is_none() {
            own.begin(if flags.syn() { segment.seq } else { segment.seq - 1 });
        }
        let peer = &mut self.halves[from.peer().index()];
        if flags.ack() && peer.base().is_none() {
            peer.begin(segment.ack - 1);
        }
        reused
    }

    /// What the segment teaches for the next ones: the window's scale, the initial round trip, Multipath TCP.
    fn learn(&mut self, segment: &Segment, from: Side) {
        let flags = segment.flags;
        self.learn_scale(segment, from);
        self.halves[from.index()].note_syn(flags);
        if flags.pure_syn() {
            self.syn_at = Stamp::at(segment.ts);
        } else if let Some(syn_at) = self.syn_at.get()
            && flags.ack()
            && !flags.syn()
            && self.initial_rtt == 0
        {
            self.initial_rtt = signed_span(syn_at, segment.ts);
        }
        self.mptcp |= mptcp_bit(&segment.options);
    }

    /// Window scale (RFC 7323 §2.2). It is taken from any segment that has the option; a SYN without it tells that
    /// neither end scales. Of a SYN whose options were cut nothing is concluded.
    fn learn_scale(&mut self, segment: &Segment, from: Side) {
        let Segment { flags, options, .. } = segment;
        let refused = self.halves[from.peer().index()].shift == Shift::Refused;
        let own = &mut self.halves[from.index()];
        if let Some(count) = options.wscale() {
            own.shift = Shift::By(count.min(14));
        }
        if flags.syn() && !options.cut() {
            if own.shift == Shift::Unknown {
                for half in &mut self.halves {
                    half.shift = Shift::Refused;
                }
            } else if flags.ack() && refused {
                own.shift = Shift::Refused;
            }
        }
    }

    fn count(&mut self, marks: Marks, from: Side) {
        if !marks.is_empty() {
            self.counts.get_or_insert_default()[from.index()].add(marks);
        }
    }

    /// How often each half's segments were marked, the originator's first.
    pub fn counts(&self) -> [AnalysisCounts; 2] {
        self.counts.as_deref().copied().unwrap_or_default()
    }

    /// Retransmissions of both halves, fast and spurious ones included.
    pub fn retransmissions(&self) -> u64 {
        let both = |counts: &[AnalysisCounts; 2]| counts.iter().map(|half| half.of(Mark::Retransmission)).sum();
        self.counts.as_deref().map_or(0, both)
    }

    /// The number that relative ones of `side` count from: its SYN's, or the one before the first seen of it.
    pub fn base(&self, side: Side) -> Option<Seq> {
        self.halves[side.index()].base()
    }

    /// What was last seen of the half whose sender is `side`; `None` before its first segment.
    pub(super) fn latest(&self, side: Side) -> Option<Latest> {
        self.halves[side.index()].latest()
    }

    /// When the end on `side` last sent a segment of any kind; `None` before its first.
    pub fn heard_at(&self, side: Side) -> Option<Timestamp> {
        self.latest(side).map(|latest| latest.sent_at)
    }

    /// Exchanges originator and responder, with [`super::Flow::turn_around`].
    pub fn turn_around(&mut self) {
        self.halves.swap(0, 1);
        if let Some(counts) = &mut self.counts {
            counts.swap(0, 1);
        }
    }
}

/// From `earlier` to `later` in nanoseconds, negative if time ran backwards.
fn signed_span(earlier: Timestamp, later: Timestamp) -> i64 {
    later.nanos().wrapping_sub(earlier.nanos())
}

/// The bit of the segment's Multipath TCP subtype (RFC 8684 §3), if it is one of those that are told apart.
fn mptcp_bit(options: &Options) -> u8 {
    options.mptcp().filter(|subtype| *subtype < 8).map_or(0, |subtype| 1 << subtype)
}
