//! One half: the numbers of what one end sent, as far as they were seen or its peer's acknowledgments tell them.
//!
//! May touch `base`. It knows nothing of states' rules; those are in `feed`, `handshake` and `close`.
//! Read first: RFC 9293 §3.3.1 (SND.UNA, SND.NXT), §3.4.

use super::stamp::{Marks, Offset, Stamp};
use super::view::Negotiated;
use crate::base::{Seq, TcpState, Timestamp};
use crate::wire::Segment;

/// How far from what is known a number may lie and still belong to the connection: the largest window (RFC 7323 §2.3).
/// Within it, a jump forward is taken for segments that the capture missed.
pub(super) const REACH: u32 = 1 << 30;

/// Bits of [`Half::marks`].
pub(super) mod mark {
    /// `iss` holds a number: the ISS, or a guess from mid-stream that only tells incarnations apart.
    pub(in super::super) const BASE: u8 = 1;
    /// `iss` is the ISS: its SYN was seen, or the SYN-ACK that acknowledges it.
    pub(in super::super) const ISS: u8 = 2;
    /// `nxt`, `contig` and `tail` hold numbers.
    pub(in super::super) const SENT: u8 = 4;
    /// `una` holds a number: an acknowledgment by the peer was seen.
    pub(in super::super) const ACKED: u8 = 8;
    /// `window` holds a window; with the next bit, that of a SYN, which is never scaled.
    pub(in super::super) const WINDOW: u8 = 16;
    pub(in super::super) const WINDOW_OF_SYN: u8 = 32;
    /// Its FIN was seen; `nxt` is just past it.
    pub(in super::super) const FIN: u8 = 64;
    /// A FIN beyond the peer's window was seen; `tail` is just past it. Only the peer's acknowledgment makes it real.
    pub(in super::super) const DOUBTFUL_FIN: u8 = 128;
}

/// Bits of [`Half::offer`]: what its SYN offered.
mod offer {
    pub(super) const SEEN: u8 = 1;
    pub(super) const MSS: u8 = 2;
    pub(super) const WSCALE: u8 = 4;
    pub(super) const SACK: u8 = 8;
    pub(super) const TIMESTAMPS: u8 = 16;
    pub(super) const FAST_OPEN: u8 = 32;
    pub(super) const MPTCP: u8 = 64;
    pub(super) const CUT: u8 = 128;
}

/// What one end sent. What a plain segment reads or writes stands first, so that of both halves it is two lines of the
/// processor's cache.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Half {
    pub(super) segments: u64,
    pub(super) payload_bytes: u64,
    pub(super) una: Seq,
    pub(super) nxt: Seq,
    /// The end of what was seen, or acknowledged, without a hole.
    pub(super) contig: Seq,
    /// The start of the run without a hole that ends at `nxt`.
    tail: Seq,
    pub(super) zero_window: Offset,
    pub(super) first_data_at: Offset,
    pub(super) window: u16,
    pub(super) state: Option<TcpState>,
    pub(super) marks: Marks,
    pub(super) iss: Seq,
    /// When this end's timer runs out: SYN's or SYN-ACK's answer overdue, TIME-WAIT over. Kept after TIME-WAIT's end.
    pub(super) timer: Stamp,
    pub(super) fin_at: Offset,
    pub(super) fin_acked_at: Offset,
    pub(super) time_wait_at: Offset,
    /// These four stop at their highest value.
    pub(super) syns: u16,
    pub(super) syn_acks: u16,
    pub(super) fins: u16,
    pub(super) rsts: u16,
    mss: u16,
    wscale: u8,
    offer: Marks,
}

impl Half {
    pub(super) const fn new() -> Self {
        const ZERO: Seq = Seq(0);
        Self {
            timer: Stamp::NONE,
            segments: 0,
            payload_bytes: 0,
            iss: ZERO,
            una: ZERO,
            nxt: ZERO,
            contig: ZERO,
            tail: ZERO,
            zero_window: Offset::NONE,
            fin_at: Offset::NONE,
            fin_acked_at: Offset::NONE,
            time_wait_at: Offset::NONE,
            first_data_at: Offset::NONE,
            syns: 0,
            syn_acks: 0,
            fins: 0,
            rsts: 0,
            window: 0,
            mss: 0,
            wscale: 0,
            state: None,
            marks: Marks::NONE,
            offer: Marks::NONE,
        }
    }

    pub(super) fn has(&self, bit: u8) -> bool {
        self.marks.has(bit)
    }

    fn known(&self, bit: u8, number: Seq) -> Option<Seq> {
        self.has(bit).then_some(number)
    }

    /// The number before its first byte that is known of (see [`mark::BASE`]).
    pub(super) fn base(&self) -> Option<Seq> {
        self.known(mark::BASE, self.iss)
    }

    pub(super) fn iss(&self) -> Option<Seq> {
        self.known(mark::ISS, self.iss)
    }

    pub(super) fn una(&self) -> Option<Seq> {
        self.known(mark::ACKED, self.una)
    }

    pub(super) fn nxt(&self) -> Option<Seq> {
        self.known(mark::SENT, self.nxt)
    }

    /// Remembers the number before its first byte, unless one is known (see [`mark::BASE`]).
    pub(super) fn learn_base(&mut self, base: Seq) {
        if !self.has(mark::BASE) {
            self.iss = base;
            self.marks.set(mark::BASE);
        }
    }

    /// Its numbers begin with a SYN `iss`, and it has sent up to `nxt`.
    pub(super) fn begin(&mut self, iss: Seq, nxt: Seq) {
        (self.iss, self.nxt, self.contig, self.tail) = (iss, nxt, nxt, nxt);
        self.marks.set(mark::BASE | mark::ISS | mark::SENT);
        self.marks.clear(mark::ACKED | mark::FIN | mark::DOUBTFUL_FIN);
    }

    /// What its SYN says besides its number: options and an unscaled window.
    pub(super) fn note_offer(&mut self, segment: &Segment) {
        let options = &segment.options;
        self.offer = Marks::NONE;
        self.offer.set(offer::SEEN);
        self.offer.put(offer::MSS, options.mss().is_some());
        self.offer.put(offer::WSCALE, options.wscale().is_some());
        self.offer.put(offer::SACK, options.sack_permitted());
        self.offer.put(offer::TIMESTAMPS, options.timestamps().is_some());
        self.offer.put(offer::FAST_OPEN, options.fast_open());
        self.offer.put(offer::MPTCP, options.mptcp().is_some());
        self.offer.put(offer::CUT, options.cut());
        self.mss = options.mss().unwrap_or(0);
        self.wscale = options.wscale().unwrap_or(0).min(14);
        self.window = segment.window;
        self.marks.set(mark::WINDOW | mark::WINDOW_OF_SYN);
    }

    pub(super) fn offered(&self) -> Option<Negotiated> {
        let has = |bit| self.offer.has(bit);
        has(offer::SEEN).then(|| Negotiated {
            mss: has(offer::MSS).then_some(self.mss),
            wscale: has(offer::WSCALE).then_some(self.wscale),
            sack: has(offer::SACK),
            timestamps: has(offer::TIMESTAMPS),
            fast_open: has(offer::FAST_OPEN),
            mptcp: has(offer::MPTCP),
            cut: has(offer::CUT),
        })
    }

    pub(super) fn offered_fast_open(&self) -> bool {
        self.offer.has(offer::FAST_OPEN)
    }

    /// Whether its SYN certainly offered no window scale.
    fn refuses_scaling(&self) -> bool {
        self.offer.has(offer::SEEN) && !self.offer.has(offer::WSCALE | offer::CUT)
    }

    /// By how much its windows are scaled, where the SYNs tell: only if both offered it (RFC 7323 §2.2).
    pub(super) fn shift(&self, peer: &Self) -> Option<u8> {
        if self.refuses_scaling() || peer.refuses_scaling() {
            return Some(0);
        }
        (self.offer.has(offer::WSCALE) && peer.offer.has(offer::WSCALE)).then_some(self.wscale)
    }

    pub(super) fn window_raw(&self) -> Option<u16> {
        self.has(mark::WINDOW).then_some(self.window)
    }

    /// Its last window in bytes. A window of 0 is 0 at any scale.
    pub(super) fn window_bytes(&self, peer: &Self) -> Option<u32> {
        self.scaled(self.window_raw()?, self.has(mark::WINDOW_OF_SYN), peer)
    }

    /// The window that `segment` of it advertises, in bytes, where its scale is known.
    pub(super) fn window_of(&self, segment: &Segment, peer: &Self) -> Option<u32> {
        self.scaled(segment.window, segment.flags.syn(), peer)
    }

    /// A window field of it in bytes; `of_syn`: that of a SYN, which is never scaled (RFC 7323 §2.2).
    fn scaled(&self, raw: u16, of_syn: bool, peer: &Self) -> Option<u32> {
        let shift = if raw == 0 || of_syn { 0 } else { self.shift(peer)? };
        Some(u32::from(raw) << shift)
    }

    /// It advertised a window at `now`, which is kept after `first`. Of a peer that has sent all it will, and whose FIN
    /// arrived (`peer_is_done`), no window keeps anything back.
    #[inline]
    pub(super) fn take_window(&mut self, window: u16, now: Timestamp, first: Timestamp, peer_is_done: bool) {
        self.window = window;
        self.marks.set(mark::WINDOW);
        self.marks.clear(mark::WINDOW_OF_SYN);
        if window > 0 || peer_is_done {
            self.zero_window = Offset::NONE;
        } else {
            self.zero_window.set_once(now, first);
        }
    }

    /// The most that its last window can be, in bytes, whatever its scale.
    pub(super) fn window_at_most(&self, peer: &Self) -> u32 {
        let widest = u32::from(self.window) << 14;
        if self.has(mark::WINDOW) { self.window_bytes(peer).unwrap_or(widest) } else { REACH }
    }

    /// Whether a segment with this number can be of this connection at all.
    pub(super) fn reaches(&self, seq: Seq) -> bool {
        !self.has(mark::SENT) || seq.offset_from(self.nxt).unsigned_abs() <= REACH
    }

    /// Whether the peer may acknowledge `ack`: nothing before its SYN, nothing past its FIN, nothing out of reach.
    pub(super) fn may_be_acked(&self, ack: Seq) -> bool {
        if !self.has(mark::SENT) {
            return true;
        }
        let unanswered = self.has(mark::ISS) && !self.has(mark::ACKED);
        let unsent =
            ack.after(self.nxt) && (self.has(mark::FIN) || (unanswered && self.state == Some(TcpState::SynSent)));
        !unsent && (!unanswered || ack.after(self.iss)) && self.reaches(ack)
    }

    /// The capture lost more than can be told from nothing: its numbers go on at `seq`.
    pub(super) fn resume(&mut self, seq: Seq) {
        (self.nxt, self.contig, self.tail) = (seq, seq, seq);
        self.marks.clear(mark::ACKED | mark::DOUBTFUL_FIN);
    }

    /// It sent the numbers from `seq` up to `end` (none, if they are equal).
    pub(super) fn advance(&mut self, seq: Seq, end: Seq) {
        if !self.has(mark::SENT) {
            (self.nxt, self.contig, self.tail) = (end, end, end);
            self.marks.set(mark::SENT);
            return;
        }
        if self.has(mark::FIN) && end.after(self.nxt) {
            return;
        }
        if !self.has(mark::DOUBTFUL_FIN) {
            let begins_run = seq.after(self.nxt);
            let extends_run = seq.before(self.tail) && !end.before(self.tail);
            if begins_run || extends_run {
                self.tail = seq;
            }
        }
        self.nxt = self.nxt.latest(end);
        if !seq.after(self.contig) {
            self.contig = self.contig.latest(end);
        }
        self.join_runs();
    }

    /// The same from what it sent last, of one that is open both ways.
    #[inline]
    pub(super) fn advance_next(&mut self, end: Seq) {
        if !self.is_whole() {
            return self.advance(self.nxt, end);
        }
        let nxt = self.nxt.latest(end);
        (self.nxt, self.contig, self.tail) = (nxt, nxt, nxt);
    }

    /// Whether all that it sent was seen, or acknowledged.
    #[inline]
    fn is_whole(&self) -> bool {
        (self.contig == self.nxt) & (self.tail == self.nxt)
    }

    /// If no hole is left below the last run, all of it is in order.
    fn join_runs(&mut self) {
        if !self.has(mark::DOUBTFUL_FIN) && !self.contig.before(self.tail) {
            (self.contig, self.tail) = (self.nxt, self.nxt);
        }
    }

    /// The peer acknowledged everything before `ack`, which [`Self::may_be_acked`].
    pub(super) fn acknowledge(&mut self, ack: Seq) {
        if !self.has(mark::SENT) {
            self.advance(ack, ack);
        }
        if self.has(mark::ACKED) && !ack.after(self.una) {
            return;
        }
        self.una = ack;
        self.marks.set(mark::ACKED);
        if ack.after(self.nxt) {
            self.nxt = ack;
            if !self.has(mark::DOUBTFUL_FIN) {
                self.tail = ack;
            }
        }
        self.contig = self.contig.latest(ack);
        self.join_runs();
    }

    /// The same of what was not acknowledged before, of one that is open both ways.
    #[inline]
    pub(super) fn acknowledge_next(&mut self, ack: Seq) {
        if !self.is_whole() || ack.after(self.nxt) {
            return self.acknowledge(ack);
        }
        self.una = ack;
    }

    /// It sent a FIN whose end is `end`; the numbers before it were taken in.
    pub(super) fn finish(&mut self, end: Seq) {
        if self.has(mark::DOUBTFUL_FIN) {
            self.marks.clear(mark::DOUBTFUL_FIN);
            self.tail = self.nxt;
        }
        self.advance(end - 1, end);
        self.marks.set(mark::FIN);
    }

    /// It seems to have sent a FIN up to `end`, which its peer would not take.
    pub(super) fn doubt_fin(&mut self, end: Seq) {
        self.marks.set(mark::DOUBTFUL_FIN);
        self.tail = end;
    }

    /// Whether its peer's acknowledgment proves the doubtful FIN.
    pub(super) fn doubtful_fin_acked(&self) -> bool {
        self.has(mark::DOUBTFUL_FIN) && self.has(mark::ACKED) && self.una == self.tail
    }

    /// Whether its FIN, and all before it, has reached the capture point or was acknowledged.
    pub(super) fn fin_in_order(&self) -> bool {
        self.has(mark::FIN) && self.contig == self.nxt
    }

    /// Whether its FIN was acknowledged: an acknowledgment past the FIN's own number.
    pub(super) fn fin_acked(&self) -> bool {
        self.has(mark::FIN) && self.has(mark::ACKED) && self.una == self.nxt
    }

    /// Payload bytes sent and not acknowledged; 0 where no acknowledgment was seen.
    pub(super) fn unacked(&self) -> u32 {
        let Some(una) = self.una() else { return 0 };
        let outstanding = u32::try_from(self.nxt.offset_from(una)).unwrap_or(0);
        outstanding.saturating_sub(u32::from(self.has(mark::FIN)))
    }
}
