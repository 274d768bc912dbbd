//! A run: plain segments of one flow, one behind the other, which the analysis, the verdict and Zeek's view take in
//! together.
//!
//! May touch `base` and `wire::Segment`. Of a segment that is next in line each of the three would only move its
//! numbers along, to where the flow's own stand; so each takes over from the flow where the run has come to. Gives
//! exactly what the three give one by one.
//!
//! When it holds: where it begins, the three agree with the flow on its numbers, nothing irregular was seen, no hole is
//! open, no window is 0 ([`Analysis::joins`], [`Verdict::joins`], [`Zeek::joins`]); and each segment of it is plain
//! ([`Flow::is_plain`]), says nothing but numbers ([`Brief::tells`]), brings new bytes or acknowledges some, fills no
//! window, is no probe, comes within a minute of the one before, and writes no new letter ([`Run::takes`]). An end that
//! was never seen to send has no part in it but its acknowledged numbers. Whatever else the flow takes in ends the run.

use super::half::Half;
use super::machine::Flow;
use super::plain::is_text;
use super::{Analysis, Brief, Side, Verdict, Zeek};
use crate::base::{Seq, TcpState, Timestamp};
use crate::wire::Segment;

/// Bytes sent and not acknowledged at most: Zeek gives up on a stream with more.
pub(super) const LITTLE: u32 = 10 << 20;
/// No silence shorter than this ends a row of Zeek's: 60 s, nanoseconds.
pub(super) const SHORTEST: i64 = 60_000_000_000;

/// What decides whether a run goes on, beside its flow.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// When its last segment came.
    last: Timestamp,
    may: [May; 2],
}

/// What an end may send in the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct May {
    /// Whether its data, its acks write no letter, and some of its data was acknowledged (or its peer was never seen).
    pub(super) send: bool,
    pub(super) ack: bool,
    pub(super) is_heard: bool,
    /// By how much its windows are scaled, where that is known.
    pub(super) scale: Option<u8>,
}

/// Where one end has come to, and what it did in a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Just past what it sent, and past what its peer acknowledged of that.
    pub(super) nxt: Seq,
    pub(super) una: Seq,
    /// It was seen to send, and its peer to acknowledge.
    pub(super) is_seen: bool,
    pub(super) is_acked: bool,
    /// What it sent last.
    pub(super) window: u16,
    pub(super) digest: u16,
    pub(super) ttl: u8,
    /// What it sent first in the run.
    pub(super) first_ttl: u8,
    pub(super) sent_at: Timestamp,
    /// When it last sent data in the run.
    pub(super) high_at: Timestamp,
    /// How many segments it sent in the run, and whether with one TTL.
    pub(super) segments: u32,
    pub(super) ttl_varies: bool,
}

/// Bytes that an end sent and its peer, if it was seen to acknowledge, has not acknowledged.
#[inline]
fn outstanding(half: &Half) -> u32 {
    half.una().map_or(0, |una| half.nxt.0.wrapping_sub(una.0))
}

impl Line {
    /// Where `side` of `flow` stands.
    fn of(flow: &Flow, side: Side) -> Self {
        let half = &flow.halves[side.index()];
        Self {
            nxt: half.nxt,
            una: half.una().unwrap_or(half.nxt),
            is_seen: half.segments > 0,
            is_acked: flow.halves[side.peer().index()].segments > 0,
            window: half.window,
            digest: 0,
            ttl: 0,
            first_ttl: 0,
            sent_at: Timestamp::MIN,
            high_at: Timestamp::MIN,
            segments: 0,
            ttl_varies: false,
        }
    }

    #[inline]
    fn note(&mut self, brief: &Brief) {
        if self.segments == 0 {
            (self.first_ttl, self.ttl) = (brief.ttl, brief.ttl);
        }
        self.ttl_varies |= brief.ttl != self.ttl;
        (self.ttl, self.digest, self.sent_at) = (brief.ttl, brief.digest as u16, brief.ts);
        if brief.payload_len > 0 {
            self.high_at = brief.ts;
        }
        self.segments += 1;
    }
}

impl Run {
    /// A run that the next plain segment of `flow` may begin; `None` where segments must go the long way.
    pub fn begin(flow: &Flow, analysis: &Analysis, verdict: &Verdict, zeek: &Zeek) -> Option<Self> {
        let lines = Side::BOTH.map(|side| Line::of(flow, side));
        let little = flow.halves.iter().all(|half| outstanding(half) <= LITTLE);
        let open = Side::BOTH.into_iter().all(|side| !lines[side.index()].is_seen || flow.is_open(side));
        let joined = little && open && analysis.joins(&lines) && verdict.joins(&lines);
        let (last, mut may) = zeek.joins(&lines).filter(|_| joined)?;
        for side in Side::BOTH {
            may[side.index()].scale = analysis.scale(side);
        }
        Some(Self { last, may })
    }

    /// Whether a segment goes on with the run, and so is plain; `flow` is as it was before it.
    #[inline]
    pub fn takes(&mut self, segment: &Segment, from: Side, flow: &Flow) -> bool {
        let Segment { ts, seq, ack, payload_len: len, window, .. } = *segment;
        let (own, peer) = (&flow.halves[from.index()], &flow.halves[from.peer().index()]);
        let reach = if peer.segments > 0 { peer.nxt.0.wrapping_sub(peer.una.0) } else { LITTLE };
        let in_line = (seq == own.nxt) & (ack.0.wrapping_sub(peer.una.0) <= reach);
        let open = is_text(segment) & Brief::tells(segment) & (own.state == Some(TcpState::Estab));
        if !(open & in_line) {
            return false;
        }
        let [orig, resp] = &mut self.may;
        let (may, peer_may) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        peer_may.is_heard |= ack != peer.una;
        let in_time = ts.nanos().saturating_sub(self.last.nanos()) < SHORTEST;
        self.last = ts;
        let brings = if len == 0 {
            may.ack & (ack != peer.una)
        } else {
            let outstanding = outstanding(own);
            let full = peer_may.scale.is_some_and(|scale| u32::from(peer.window) << scale == outstanding + len);
            may.send & may.is_heard & (len != 1) & (len <= LITTLE - outstanding) & !full
        };
        brings & in_time & (window != 0) & (ack != Seq(0))
    }

    /// Has the three take over where the run has come to: `briefs` are its segments, `flow` is as it is after them.
    pub fn end(briefs: &[Brief], flow: &Flow, analysis: &mut Analysis, verdict: &mut Verdict, zeek: &mut Zeek) {
        let Some(last) = briefs.last() else { return };
        let mut lines = Side::BOTH.map(|side| Line::of(flow, side));
        for brief in briefs {
            lines[brief.from().index()].note(brief);
        }
        analysis.take_run(&lines);
        verdict.take_run(&lines);
        zeek.take_run(&lines, last.ts);
    }
}
