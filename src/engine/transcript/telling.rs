//! The machines of one flow run once more, and an entry made of each segment.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Seq, Timestamp};
use crate::engine::connects::is_originators;
use crate::engine::join::{CONNECTIONS, patience};
use crate::flow::{Analysis, Around, Cause, Evidence, Flow, Side, Verdict};
use crate::kernel::{Close, Connect, Covers, LastWord, Process, Socket, SocketSample};
use crate::names::FlowName;
use crate::wire::{IcmpQuote, Segment};

use super::flight::Flight;
use super::{Arrow, Call, Entry, EntryKind, Fate, FlowKey, Known, Queues, TRANSCRIPT_KEPT, Transcript, said};

/// How many entries before a repeat its first copy is looked for.
const LOOK_BACK: usize = 4_096;
/// Sooner than this no SYN is sent again (RFC 6298 §2: 1 s; Linux's SYN-ACK timer may be set to 200 ms).
const SOONEST_REPEAT: Duration = Duration::from_millis(100);

/// The flow that is told.
#[derive(Debug, Clone)]
pub(super) struct Telling {
    key: FlowKey,
    /// The instant around which entries are kept, where they cannot all be.
    around: Timestamp,
    pub(super) flow: Flow,
    analysis: Analysis,
    verdict: Verdict,
    flights: [Flight; 2],
    entries: VecDeque<Entry>,
    /// Entries that had to go before those.
    dropped: usize,
    segments: u64,
    left_out: [u64; 2],
    /// What was sent again lately by each end: which entry that is, and those of the copies before it.
    again: VecDeque<Again>,
    /// What the kernel told last of each end, while it holds it.
    held: [Option<Held>; 2],
}

/// An end that the kernel holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    queues: Queues,
    /// A look-up of it alone has found it.
    looked_up: bool,
    /// Readings in a row that were without it.
    missed: u32,
}

/// A segment that was sent again, of which the cause may still be revised.
#[derive(Debug, Clone)]
struct Again {
    side: Side,
    entry: usize,
    /// The one that shows the repeat's first number first.
    copies: Vec<usize>,
}

impl Telling {
    /// Of a flow that begins with `segment`.
    pub(super) fn new(key: FlowKey, around: Timestamp, segment: &Segment, reuses: bool) -> Self {
        let from = key.side(segment.src);
        let mut flow = Flow::BLANK;
        flow.begin(segment, reuses);
        if from != Flow::side_of_first(segment) {
            // The kernel told who opened it.
            flow.turn_around();
        }
        let mut telling = Self {
            key,
            around,
            flow,
            analysis: if reuses { Analysis::reusing() } else { Analysis::new() },
            verdict: Verdict::new(),
            flights: Default::default(),
            entries: VecDeque::new(),
            dropped: 0,
            segments: 0,
            left_out: [0; 2],
            again: VecDeque::new(),
            held: [None; 2],
        };
        telling.segment(segment, true);
        telling
    }

    /// Takes in the next segment of the flow.
    pub(super) fn feed(&mut self, segment: &Segment) {
        self.expire(segment.ts);
        self.segment(segment, false);
    }

    fn segment(&mut self, segment: &Segment, first: bool) {
        let from = self.key.side(segment.src);
        let around = Around::of(&self.analysis, Some(&self.flow).filter(|_| !first), from);
        let cause = self.verdict.cause_of(segment, from, &around);
        self.verdict.feed(segment, from, || around);
        let marks = self.analysis.feed(segment, from);
        if !first {
            self.flow.feed(segment, from);
        }
        self.segments += 1;
        let relative = |side, number: Seq| self.analysis.base(side).map(|base| (number - base.0).0);
        let rtt = self.flights[from.peer().index()].acknowledge(segment);
        self.flights[from.index()].send(segment);
        let mut arrow = Arrow {
            number: self.segments,
            segment: *segment,
            from,
            seq: relative(from, segment.seq),
            ack: relative(from.peer(), segment.ack).filter(|_| segment.flags.ack()),
            window: self.flow.window_of(segment, from),
            marks,
            cause: Known::NOTHING,
            fate: Known::NOTHING,
            rtt,
            said: None,
        };
        arrow.cause.learn(segment.ts, cause);
        self.revise(segment.ts);
        if self.push(segment.ts, EntryKind::Segment(Box::new(arrow))) {
            self.note_copies(segment, from, cause);
        }
    }

    /// Fires what is due at `now`; what changes by it is told.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some(at) = self.flow.next_deadline().filter(|at| *at <= now) {
            self.time_passes(at, |flow| flow.expire(at));
        }
    }

    /// A newer connection took the tuple.
    pub(super) fn supersede(&mut self, at: Timestamp) {
        self.expire(at);
        self.time_passes(at, |flow| flow.superseded(at));
    }

    fn time_passes(&mut self, at: Timestamp, change: impl FnOnce(&mut Flow)) {
        let states = |flow: &Flow| Side::BOTH.map(|side| flow.state(side));
        let before = states(&self.flow);
        change(&mut self.flow);
        if before != states(&self.flow) {
            self.push(at, EntryKind::Time);
        }
    }

    /// What the payload of the latest segment says.
    pub(super) fn name(&mut self, name: &FlowName) {
        let latest = self.entries.iter_mut().rev().find_map(|entry| match &mut entry.what {
            EntryKind::Segment(arrow) => Some(arrow),
            _ => None,
        });
        if let Some(arrow) = latest.filter(|arrow| arrow.segment.src == name.src && arrow.segment.end() == name.end) {
            arrow.said.get_or_insert_with(|| said::words(&name.message));
        }
    }

    /// A reading of the socket table.
    pub(super) fn sample(&mut self, sample: &SocketSample) {
        for (side, end, peer) in
            [(Side::Orig, self.key.orig, self.key.resp), (Side::Resp, self.key.resp, self.key.orig)]
        {
            let row = sample.sockets.iter().find(|socket| (socket.local, socket.peer) == (end, peer));
            match row {
                Some(socket) => self.queues_of(side, socket, sample),
                None if !sample.incomplete && looks_at(&sample.covers, end, peer) => self.missed(side, sample),
                None => {}
            }
        }
    }

    /// The kernel told that it has let go of a socket.
    pub(super) fn last_word(&mut self, word: &LastWord) {
        self.gone(self.key.side(word.local), word.ts);
    }

    /// A reading is without an end: by the engine's own rules that tells that it is gone, or not yet.
    fn missed(&mut self, side: Side, sample: &SocketSample) {
        let by_look_up = matches!(sample.covers, Covers::Sockets(_));
        let Some(held) = self.held[side.index()].as_mut().filter(|held| held.looked_up || !by_look_up) else { return };
        held.missed += 1;
        if held.missed >= patience(sample) {
            self.gone(side, sample.ts);
        }
    }

    /// The kernel holds an end no more, of which it had told before.
    fn gone(&mut self, side: Side, at: Timestamp) {
        if self.held[side.index()].take().is_some() {
            self.expire(at);
            if side == Side::Orig {
                self.flow.abandon(at, false);
            }
            self.push(at, EntryKind::Gone(side));
        }
    }

    fn queues_of(&mut self, side: Side, socket: &Socket, sample: &SocketSample) {
        let Socket { recv_q, send_q, state, .. } = *socket;
        let queues = Queues { side, recv_q, send_q, state: state.0 };
        let before = self.held[side.index()];
        let looked_up = matches!(sample.covers, Covers::Sockets(_)) || before.is_some_and(|held| held.looked_up);
        self.held[side.index()] = Some(Held { queues, looked_up, missed: 0 });
        if before.map(|held| held.queues) != Some(queues) {
            self.push(sample.ts, EntryKind::Queues(queues));
        }
    }

    pub(super) fn connected(&mut self, connect: &Connect) {
        self.expire(connect.end);
        if is_originators(connect, self.key.orig, self.key.first) {
            match connect.connected {
                Some(true) => self.flow.take_word_of_syn_ack(connect.end),
                _ => self.flow.abandon(connect.end, false),
            }
        }
        self.called(connect.end, connect.local, Call::Connect(connect.connected), connect.process.clone());
    }

    pub(super) fn closed(&mut self, close: &Close) {
        self.called(close.ts, close.local, Call::Close, Some(close.process.clone()));
    }

    fn called(&mut self, at: Timestamp, local: Endpoint, call: Call, process: Option<Arc<Process>>) {
        self.push(at, EntryKind::Called(self.key.side(local), call, process));
    }

    pub(super) fn icmp(&mut self, quote: &IcmpQuote) {
        self.push(quote.ts, EntryKind::Icmp(self.key.side(quote.src), *quote));
    }

    /// Keeps what happened; false if it comes too long after what is kept.
    fn push(&mut self, at: Timestamp, what: EntryKind) -> bool {
        let is_segment = u64::from(matches!(what, EntryKind::Segment(_)));
        if self.entries.len() == TRANSCRIPT_KEPT {
            // Of what comes later, half as many as of what came before.
            let middle = &self.entries[TRANSCRIPT_KEPT / 2];
            if self.left_out[1] > 0 || middle.at > self.around {
                self.left_out[1] += is_segment;
                return false;
            }
            let gone = self.entries.pop_front();
            self.dropped += 1;
            self.left_out[0] += u64::from(gone.is_some_and(|gone| matches!(gone.what, EntryKind::Segment(_))));
        }
        let flow = &self.flow;
        let in_flight = Side::BOTH.map(|side| flow.half(side).una.map(|_| flow.unacked(side)));
        let at = self.entries.back().map_or(at, |last| last.at.max(at));
        self.entries.push_back(Entry { at, what, states: Side::BOTH.map(|side| flow.state(side)), in_flight });
        true
    }

    fn arrow(&mut self, entry: usize) -> Option<&mut Arrow> {
        match &mut self.entries.get_mut(entry.checked_sub(self.dropped)?)?.what {
            EntryKind::Segment(arrow) => Some(arrow),
            _ => None,
        }
    }

    /// The segment that was pushed last was sent again: what that tells of the copies before it.
    fn note_copies(&mut self, segment: &Segment, side: Side, cause: Option<(Cause, Evidence)>) {
        let entry = self.dropped + self.entries.len() - 1;
        let repeats = cause.is_some() || segment.flags.syn();
        let copies = if repeats { self.copies_before(entry, segment, side) } else { Vec::new() };
        if cause.is_none() && copies.first().is_some_and(|copy| self.is_frame_twice(*copy, segment)) {
            // The verdict leaves SYNs to the handshake, which tells nothing of frames that came twice.
            let twice = (Cause::DuplicateFrame, Evidence::SameDatagram);
            if let Some(arrow) = self.arrow(entry) {
                arrow.cause.learn(segment.ts, Some(twice));
            }
            return;
        }
        if !(segment.flags.pure_syn() && self.flow.handshake().syn_ack_at.is_some()) {
            self.tell_fates(&copies, cause, segment.ts, |arrow, fate| {
                // What was lost stays so, whatever comes of its repeats.
                if fate.is_some() && arrow.fate(segment.ts) != Some(Fate::Lost) {
                    arrow.fate.learn(segment.ts, fate);
                }
            });
        }
        if cause.is_some() {
            self.again.push_back(Again { side, entry, copies });
            // As many as the verdict may still revise, of both halves.
            if self.again.len() > 32 {
                self.again.pop_front();
            }
        }
    }

    /// Has each of the copies of what was sent again at `again` learn what became of it.
    fn tell_fates(
        &mut self,
        copies: &[usize],
        cause: Option<(Cause, Evidence)>,
        again: Timestamp,
        mut learn: impl FnMut(&mut Arrow, Option<Fate>),
    ) {
        for (at, copy) in copies.iter().enumerate() {
            let Some(arrow) = self.arrow(*copy) else { continue };
            let unanswered = Fate::Unanswered(again.since(arrow.segment.ts));
            let told = |(cause, evidence)| fate_by(cause, evidence, at == 0, unanswered);
            learn(arrow, cause.map_or(Some(unanswered), told));
        }
    }

    /// Whether `segment` shows the very datagram of an earlier entry, sooner than any timer sends it again.
    fn is_frame_twice(&mut self, copy: usize, segment: &Segment) -> bool {
        self.arrow(copy).is_some_and(|arrow| {
            arrow.segment.digest == segment.digest && segment.ts.since(arrow.segment.ts) < SOONEST_REPEAT
        })
    }

    /// The latest entries before `entry` that show the numbers of `segment` on their way from the same end: one repeat
    /// may hold what several segments held. The one that shows its first number comes first; none without that.
    fn copies_before(&self, entry: usize, segment: &Segment, side: Side) -> Vec<usize> {
        let (start, len) = (segment.seq, segment.seg_len().max(1));
        let last = entry - self.dropped;
        let first = last.saturating_sub(LOOK_BACK);
        let before = self.entries.range(first..last).enumerate().rev();
        let mut copies: Vec<usize> = Vec::new();
        // From here on each number was found in a later copy.
        let mut missing = len;
        for (at, entry) in before {
            let EntryKind::Segment(arrow) = &entry.what else { continue };
            let copy = &arrow.segment;
            let holds_first = start.within(copy.seq, copy.seg_len());
            let begins_within = copy.seq.within(start, missing);
            if arrow.from != side || copy.malformed || copy.seg_len() == 0 || !(holds_first || begins_within) {
                continue;
            }
            copies.push(self.dropped + first + at);
            if holds_first {
                copies.reverse();
                return copies;
            }
            missing = (copy.seq - start.0).0;
        }
        Vec::new()
    }

    /// Later evidence may have shown another cause of what was sent again before.
    fn revise(&mut self, now: Timestamp) {
        for at in 0..self.again.len() {
            let Again { side, entry, .. } = self.again[at];
            let Some(arrow) = self.arrow(entry) else { continue };
            let sent = (arrow.segment.ts, arrow.segment.seq);
            let is = self.verdict.sent_again(side).find(|again| (again.at, again.seq) == sent);
            let Some((cause, evidence)) = is.map(|again| (again.cause, again.evidence)) else { continue };
            let news = self.arrow(entry).is_some_and(|arrow| arrow.cause.learn(now, Some((cause, evidence))));
            if news {
                let copies = std::mem::take(&mut self.again[at].copies);
                self.tell_fates(&copies, Some((cause, evidence)), sent.0, |arrow, fate| {
                    arrow.fate.learn(now, fate);
                });
                self.again[at].copies = copies;
            }
        }
    }

    /// All that is kept, as of `now`.
    pub(super) fn finish(mut self, now: Timestamp, late: bool) -> Transcript {
        self.expire(now);
        Transcript { key: self.key, entries: self.entries.into(), left_out: self.left_out, late }
    }

    /// How many entries were made so far, kept or not.
    pub(super) fn entries(&self) -> usize {
        self.dropped + self.entries.len() + usize::try_from(self.left_out[1]).unwrap_or(usize::MAX / 2)
    }
}

/// Whether a reading would have shown the socket with these ends, whatever its state.
fn looks_at(covers: &Covers, end: Endpoint, peer: Endpoint) -> bool {
    match covers {
        Covers::States(states) => states.has_all(CONNECTIONS),
        Covers::Sockets(asked) => asked.contains(&(end, peer)),
    }
}

/// What the cause of a repeat tells of a copy before it: of the first, which shows the number that the receiver asked
/// for, or of one behind it.
const fn fate_by(cause: Cause, evidence: Evidence, first: bool, unanswered: Fate) -> Option<Fate> {
    match (cause, evidence) {
        // A SACK lies above all of it.
        (Cause::Lost, Evidence::SackHole) => Some(Fate::Lost),
        (Cause::Lost, Evidence::DuplicateAcks(_) | Evidence::PartialAck) if first => Some(Fate::Lost),
        // It had arrived, and its answer came late.
        (Cause::TailLossProbe, Evidence::Dsack | Evidence::TimestampEcho) => None,
        (Cause::Lost | Cause::TailLossProbe | Cause::Unexplained, _) => Some(unanswered),
        _ => None,
    }
}
