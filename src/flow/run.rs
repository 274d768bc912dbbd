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

use std::num::NonZeroU8;

use super::half::Half;
use super::machine::Flow;
use super::plain::is_text;
use super::zeek::{LITTLE, SHORTEST};
use super::{Analysis, Brief, Side, Verdict, Zeek};
use crate::base::{Seq, TcpState, Timestamp};
use crate::wire::Segment;

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
    pub(super) scale: Scale,
}

/// By how much windows are scaled, if that is known: one more than the count, in a byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale(Option<NonZeroU8>);

impl Scale {
    pub(super) const UNKNOWN: Self = Self(None);

    fn of(count: Option<u8>) -> Self {
        Self(count.and_then(|count| NonZeroU8::MIN.checked_add(count)))
    }

    #[inline]
    fn count(self) -> Option<u8> {
        self.0.map(|more| more.get() - 1)
    }
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
            is_seen: half.segments > 0,
            is_acked: flow.halves[side.peer().index()].segments > 0,
            ..Self::at(half.nxt, half.una().unwrap_or(half.nxt), half.window)
        }
    }

    /// Where an end stands whose window was this, of two that were both seen to send and to acknowledge.
    pub(super) fn at(nxt: Seq, una: Seq, window: u16) -> Self {
        Self {
            nxt,
            una,
            is_seen: true,
            is_acked: true,
            window,
            digest: 0,
            ttl: 0,
            first_ttl: 0,
            sent_at: Timestamp::MIN,
            high_at: Timestamp::MIN,
            segments: 0,
            ttl_varies: false,
        }
    }

    /// Moves both along by a segment of the run.
    #[inline]
    pub(super) fn pass(lines: &mut [Self; 2], brief: &Brief) {
        let [orig, resp] = lines;
        let (own, peer) = if brief.from() == Side::Orig { (orig, resp) } else { (resp, orig) };
        (own.nxt, own.window, peer.una) = (brief.end(), brief.window, brief.ack);
        own.note(brief);
    }

    #[inline]
    fn note(&mut self, brief: &Brief) {
        if self.segments == 0 {
            (self.first_ttl, self.ttl) = (brief.ttl, brief.ttl);
        }
        self.ttl_varies |= brief.ttl != self.ttl;
        (self.ttl, self.digest, self.sent_at) = (brief.ttl, brief.digest, brief.ts);
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
        let open = Side::BOTH.into_iter().all(|side| !lines[side.index()].is_seen || flow.is_open(side));
        if open { Self::begin_at(&lines, analysis, verdict, zeek) } else { None }
    }

    /// The same of a flow that stands so, and whose ends are open.
    pub(super) fn begin_at(lines: &[Line; 2], analysis: &Analysis, verdict: &Verdict, zeek: &Zeek) -> Option<Self> {
        let little = lines.iter().all(|line| line.nxt.0.wrapping_sub(line.una.0) <= LITTLE);
        let joined = little && analysis.joins(lines) && verdict.joins(lines);
        let (last, mut may) = zeek.joins(lines).filter(|_| joined)?;
        for side in Side::BOTH {
            may[side.index()].scale = Scale::of(analysis.scale(side));
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
        let goes_on = self.goes_on(ts) & self.brings(from, ack != peer.una, len, outstanding(own), peer.window);
        goes_on & (window != 0) & (ack != Seq(0))
    }

    /// Whether it goes on with a segment at `ts`, for its time.
    #[inline]
    pub(super) fn goes_on(&mut self, ts: Timestamp) -> bool {
        let in_time = ts.nanos().saturating_sub(self.last.nanos()) < SHORTEST;
        self.last = ts;
        in_time
    }

    /// Whether a segment of `from`, of `len` bytes behind so many that are `outstanding`, brings new bytes or
    /// acknowledges some (`news`), and neither writes a letter nor fills the window of its peer.
    #[inline]
    pub(super) fn brings(&mut self, from: Side, news: bool, len: u32, outstanding: u32, window: u16) -> bool {
        let [orig, resp] = &mut self.may;
        let (may, peer_may) = if from == Side::Orig { (orig, resp) } else { (resp, orig) };
        peer_may.is_heard |= news;
        if len == 0 {
            return may.ack & news;
        }
        let full =
            peer_may.scale.count().is_some_and(|scale| u32::from(window) << scale == outstanding.wrapping_add(len));
        may.send & may.is_heard & (len != 1) & (len <= LITTLE.saturating_sub(outstanding)) & !full
    }

    /// Has the three take over where the run has come to: `briefs` are its segments, `flow` is as it is after them.
    pub fn end(
        briefs: impl Iterator<Item = Brief>,
        flow: &Flow,
        analysis: &mut Analysis,
        verdict: &mut Verdict,
        zeek: &mut Zeek,
    ) {
        let (mut lines, mut last) = (Side::BOTH.map(|side| Line::of(flow, side)), None);
        for brief in briefs {
            lines[brief.from().index()].note(&brief);
            last = Some(brief.ts);
        }
        Self::take_over(&lines, last, analysis, verdict, zeek);
    }

    /// The same, of a flow that has gone on since, and of which both ends were seen before the run.
    pub fn end_before_more(
        briefs: impl Iterator<Item = Brief>,
        analysis: &mut Analysis,
        verdict: &mut Verdict,
        zeek: &mut Zeek,
    ) {
        let mut lines = Side::BOTH.map(|side| {
            let (nxt, una) = verdict.stands(side);
            Line::at(nxt, una, analysis.latest(side).map_or(0, |latest| latest.window))
        });
        let mut last = None;
        for brief in briefs {
            Line::pass(&mut lines, &brief);
            last = Some(brief.ts);
        }
        Self::take_over(&lines, last, analysis, verdict, zeek);
    }

    /// Has the three take over at these lines, the last segment of which came at `last`, if any did.
    pub(super) fn take_over(
        lines: &[Line; 2],
        last: Option<Timestamp>,
        analysis: &mut Analysis,
        verdict: &mut Verdict,
        zeek: &mut Zeek,
    ) {
        let Some(last) = last else { return };
        analysis.take_run(lines);
        verdict.take_run(lines);
        zeek.take_run(lines, last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Around;
    use super::super::trace::{Variation, lines, said, time_of};
    use super::*;

    /// Both ends are heard, and have written their letters; the originator goes on at 201, the responder at 401.
    const TALK: &str = "0.00 > S 100 ws 3
        0.01 < S. 300 ack 101 ws 2
        0.02 > . 101 ack 301
        0.03 > P. 101 ack 301 len 100
        0.04 < . 301 ack 201
        0.05 < P. 301 ack 201 len 100
        0.06 > . 201 ack 401";
    /// The same without windows that are scaled, and where nobody knows whether they are.
    const UNSCALED: &str = "0.00 > S 100
        0.01 < S. 300 ack 101
        0.02 > . 101 ack 301
        0.03 > P. 101 ack 301 len 100
        0.04 < . 301 ack 201
        0.05 < P. 301 ack 201 len 100
        0.06 > . 201 ack 401";
    const MID_STREAM: &str = "0.03 > P. 101 ack 301 len 100
        0.04 < . 301 ack 201
        0.05 < P. 301 ack 201 len 100
        0.06 > P. 201 ack 401 len 100
        0.07 < . 401 ack 301";
    /// The originator has sent data of which none is acknowledged, the responder no mere ack since its SYN.
    const UNHEARD: &str = "0.00 > S 100
        0.01 < S. 300 ack 101
        0.02 > . 101 ack 301
        0.03 < P. 301 ack 101 len 100
        0.04 > . 101 ack 401
        0.05 > P. 101 ack 401 len 100";
    /// The responder was never seen to send.
    const ONE_SIDED: &str = "0.00 > . 101 ack 301
        0.01 > P. 101 ack 301 len 100
        0.02 > . 201 ack 401";
    /// The same, and the originator has sent nothing but acks.
    const ONLY_ACKS: &str = "0.00 > . 101 ack 301
        0.01 > . 101 ack 401";

    /// What guards, how the flow begins, what the run takes first, what it then does not take, and what it would.
    type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

    const ROWS: &[Row] = &[
        ("next in line", TALK, "", "0.1 > . 202 ack 401 len 10", "0.1 > . 201 ack 401 len 10"),
        ("nothing twice", TALK, "", "0.1 > . 200 ack 401 len 10", "0.1 > . 201 ack 401 len 10"),
        ("acks what was sent", TALK, "", "0.1 > . 201 ack 402 len 10", "0.1 > . 201 ack 401 len 10"),
        ("acks no less", TALK, "", "0.1 > . 201 ack 400 len 10", "0.1 > . 201 ack 401 len 10"),
        ("acks near", ONE_SIDED, "", "0.1 > . 201 ack 10486162", "0.1 > . 201 ack 10486161"),
        ("no FIN", TALK, "", "0.1 > F. 201 ack 401 len 10", "0.1 > P. 201 ack 401 len 10"),
        ("no RST", TALK, "", "0.1 > R. 201 ack 401 len 10", "0.1 > . 201 ack 401 len 10"),
        ("no SYN", TALK, "", "0.1 > S. 201 ack 401 len 10", "0.1 > . 201 ack 401 len 10"),
        ("well formed", TALK, "", "0.1 > . 201 ack 401 len 10 malformed", "0.1 > . 201 ack 401 len 10"),
        ("no MSS", TALK, "", "0.1 > . 201 ack 401 len 10 mss 9", "0.1 > . 201 ack 401 len 10 ts"),
        ("no scale", TALK, "", "0.1 > . 201 ack 401 len 10 ws 3", "0.1 > . 201 ack 401 len 10"),
        ("no SACK offer", TALK, "", "0.1 > . 201 ack 401 len 10 sack", "0.1 > . 201 ack 401 len 10"),
        ("no SACK", TALK, "", "0.1 > . 201 ack 401 len 10 block 411 421", "0.1 > . 201 ack 401 len 10"),
        ("no Fast Open", TALK, "", "0.1 > . 201 ack 401 len 10 tfo", "0.1 > . 201 ack 401 len 10"),
        ("no MPTCP", TALK, "", "0.1 > . 201 ack 401 len 10 mptcp 2", "0.1 > . 201 ack 401 len 10"),
        ("whole options", TALK, "", "0.1 > . 201 ack 401 len 10 cut", "0.1 > . 201 ack 401 len 10"),
        ("who was seen", ONE_SIDED, "", "0.1 < . 401 ack 201 len 10", "0.1 > . 201 ack 401 len 10"),
        ("open", TALK, "superseded 0.09", "0.1 > . 201 ack 401 len 10", ""),
        ("no ack again", TALK, "0.09 < . 401 ack 201 len 10", "0.1 > . 201 ack 401", "0.1 > . 201 ack 402"),
        ("data's letter", ONLY_ACKS, "", "0.1 > . 101 ack 401 len 10", "0.1 > . 101 ack 402"),
        ("an ack's letter", UNHEARD, "", "0.1 < . 401 ack 201", "0.1 < . 401 ack 201 len 10"),
        ("heard", UNHEARD, "", "0.1 > . 201 ack 401 len 10", "0.1 < . 401 ack 201 len 10"),
        ("heard by now", UNHEARD, "0.09 < . 401 ack 201 len 10", "", "0.1 > . 201 ack 401 len 10"),
        ("no probe", TALK, "", "0.1 > . 201 ack 401 len 1", "0.1 > . 201 ack 401 len 2"),
        ("little", TALK, "", "0.1 > . 201 ack 401 len 10485761", "0.1 > . 201 ack 401 len 10485760"),
        (
            "little behind some",
            TALK,
            "0.09 > . 201 ack 401 len 1000",
            "0.1 > . 1201 ack 401 len 4294967295",
            "0.1 > . 1201 ack 401 len 10",
        ),
        (
            "little unheard",
            TALK,
            "0.09 > . 201 ack 401 len 10485000",
            "0.1 > . 10485201 ack 401 len 761",
            "0.1 > . 10485201 ack 401 len 760",
        ),
        ("fills no window", TALK, "", "0.1 > . 201 ack 401 len 4000", "0.1 > . 201 ack 401 len 3999"),
        ("passes a window", TALK, "", "0.1 < . 401 ack 201 len 8000", "0.1 < . 401 ack 201 len 8001"),
        ("unscaled", UNSCALED, "", "0.1 > . 201 ack 401 len 1000", "0.1 > . 201 ack 401 len 4000"),
        ("unknown scale", MID_STREAM, "", "", "0.1 > . 301 ack 401 len 1000"),
        (
            "fills no new window",
            TALK,
            "0.08 > . 201 ack 401 len 100\n0.09 < . 401 ack 251 win 50",
            "0.1 > . 301 ack 401 len 150",
            "0.1 > . 301 ack 401 len 200",
        ),
        ("in time", TALK, "", "60.06 > . 201 ack 401 len 10", "60.059999999 > . 201 ack 401 len 10"),
        (
            "in time by now",
            TALK,
            "50.0 < . 401 ack 201 len 10",
            "110.0 > . 201 ack 401 len 10",
            "109.999999999 > . 201 ack 401 len 10",
        ),
        ("open window", TALK, "", "0.1 > . 201 ack 401 len 10 win 0", "0.1 > . 201 ack 401 len 10 win 1"),
    ];

    /// Who is told of the segments of a flow.
    #[derive(Debug, Clone)]
    struct Told {
        flow: Flow,
        analysis: Analysis,
        verdict: Verdict,
        zeek: Zeek,
    }

    impl Told {
        /// Each segment goes the long way.
        fn of(text: &str, how: Variation) -> Self {
            let mut segments = lines(text).map(|line| said(line, how));
            let (first, from) = segments.next().expect("a segment");
            let (mut analysis, mut verdict, zeek) = (Analysis::new(), Verdict::new(), Zeek::new(&first, from));
            verdict.feed(&first, from, || Around::of(&analysis, None, from));
            analysis.feed(&first, from);
            let mut told = Self { flow: Flow::new(&first), analysis, verdict, zeek };
            segments.for_each(|(segment, from)| told.feed(&segment, from));
            told
        }

        fn feed(&mut self, segment: &Segment, from: Side) {
            self.verdict.feed(segment, from, || Around::of(&self.analysis, Some(&self.flow), from));
            self.zeek.feed(segment, from);
            self.analysis.feed(segment, from);
            self.flow.feed(segment, from);
        }

        fn begin(&self) -> Option<Run> {
            Run::begin(&self.flow, &self.analysis, &self.verdict, &self.zeek)
        }
    }

    /// Goes through a row: what is taken leaves all where the long way leaves it.
    fn check((what, opening, before, trigger, miss): &Row, how: Variation) {
        let mut long = Told::of(opening, how);
        let mut short = long.clone();
        let mut run = long.begin().unwrap_or_else(|| panic!("{what}: no run begins"));
        let mut briefs = Vec::new();
        for line in lines(before).chain(lines(miss)) {
            if let Some(time) = line.strip_prefix("superseded ") {
                short.flow.superseded(time_of(time));
                continue;
            }
            if line == *miss {
                refuses(what, run, trigger, &short.flow, how);
            }
            let (segment, from) = said(line, how);
            assert!(run.takes(&segment, from, &short.flow), "{what}: {line} is taken, {how:?}");
            briefs.push(Brief::of(&segment, from));
            short.flow.feed_plain(&segment, from);
            long.feed(&segment, from);
        }
        if miss.is_empty() {
            return refuses(what, run, trigger, &short.flow, how);
        }
        Run::end(briefs.into_iter(), &short.flow, &mut short.analysis, &mut short.verdict, &mut short.zeek);
        assert_eq!(
            (&short.analysis, &short.verdict, &short.zeek),
            (&long.analysis, &long.verdict, &long.zeek),
            "{what}"
        );
    }

    fn refuses(what: &str, mut run: Run, line: &str, flow: &Flow, how: Variation) {
        for (segment, from) in lines(line).map(|line| said(line, how)) {
            assert!(!run.takes(&segment, from, flow), "{what}: {line} is not taken, {how:?}");
        }
    }

    /// Where numbers come round, and where they change their sign, amid what the rows say.
    const SHIFTS: [[u32; 2]; 4] =
        [[0, 0], [205_u32.wrapping_neg(), 405_u32.wrapping_neg()], [(1 << 31) - 205; 2], [u32::MAX - 150; 2]];

    #[test]
    fn a_run_takes_what_needs_no_second_look() {
        for shift in SHIFTS {
            ROWS.iter().for_each(|row| check(row, Variation { shift, ..Variation::default() }));
        }
    }

    #[test]
    fn an_ack_of_0_is_no_ack_to_zeek() {
        let line = "0.1 > . 201 ack 411";
        for (to, taken) in [(0_u32, false), (1, true), (u32::MAX, true)] {
            let how = Variation { shift: [0, to.wrapping_sub(411)], ..Variation::default() };
            let before = "0.09 < . 401 ack 201 len 20";
            let row = if taken { ("ack", TALK, before, "", line) } else { ("ack", TALK, before, line, "") };
            check(&row, how);
        }
    }

    #[test]
    fn no_run_begins_with_much_unacknowledged() {
        for (opening, unacked) in [(TALK, 0), (UNHEARD, 100)] {
            let sent = |len: u32| format!("{opening}\n0.1 > . 201 ack 401 len {len}");
            for (len, begins) in [(LITTLE - unacked, true), (LITTLE - unacked + 1, false)] {
                assert_eq!(Told::of(&sent(len), Variation::default()).begin().is_some(), begins, "{len}\n{opening}");
            }
        }
    }
}
