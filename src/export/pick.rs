//! Which flows a report tells about: those that went wrong, worst first, then the largest. Bounded; pure.

use std::collections::HashSet;
use std::time::Duration;

use crate::base::{Scope, TcpState, Timestamp};
use crate::engine::{FlowDetail, FlowId, Gist};
use crate::findings::Finding;
use crate::flow::{HalfView, HandshakeOutcome, HandshakeView, LifeEventKind, Mark, Side};

use super::covered::{Told, Wrong};

/// How a flow went wrong, in the order reports list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    Refused,
    /// By an ICMP error.
    Rejected,
    NoAnswer,
    /// No answer, and its process let go.
    GivenUp,
    HalfOpen,
    /// Reset before its handshake completed.
    HandshakeReset,
    /// Wire and kernel disagree on the state of an end.
    Mismatch,
    /// A receiver advertises a window of 0: its process is not reading.
    WindowClosed,
    /// The peer closed more than [`CLOSE_WAIT_PATIENCE`] ago and this end has not.
    CloseWait,
    /// A SYN was sent again and is still not answered.
    NoAnswerYet,
    /// Segments were sent again, and the sender's last bytes were never acknowledged.
    Unanswered,
    /// Ended by a RST after its handshake.
    Reset,
    /// Many segments of one end were sent again: at least [`MANY`], and 5 % of all that it sent.
    SentAgain,
    /// Its SYN or SYN-ACK was sent again before the handshake completed.
    Retried,
}

/// How long an end may stay in CLOSE-WAIT before a report calls it trouble.
pub const CLOSE_WAIT_PATIENCE: Duration = Duration::from_secs(1);
/// Segments sent again that are trouble if they are also 5 % of all that the end sent.
const MANY: u64 = 3;
/// Live, bytes are on their way to be acknowledged until the flow has been silent for so long.
const IN_FLIGHT: Duration = Duration::from_secs(1);

impl Trouble {
    /// Every kind, in order.
    pub const ALL: [Self; 14] = [
        Self::Refused,
        Self::Rejected,
        Self::NoAnswer,
        Self::GivenUp,
        Self::HalfOpen,
        Self::HandshakeReset,
        Self::Mismatch,
        Self::WindowClosed,
        Self::CloseWait,
        Self::NoAnswerYet,
        Self::Unanswered,
        Self::Reset,
        Self::SentAgain,
        Self::Retried,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::NoAnswer => "unanswered",
            Self::GivenUp => "given up",
            Self::NoAnswerYet => "no answer yet",
            Self::HalfOpen => "half-open",
            Self::HandshakeReset => "reset in handshake",
            Self::Mismatch => "wire and kernel disagree",
            Self::WindowClosed => "window closed",
            Self::CloseWait => "stays in CLOSE-WAIT",
            Self::Unanswered => "sent again, not all acknowledged",
            Self::Reset => "reset",
            Self::SentAgain => "much sent again",
            Self::Retried => "handshake retried",
        }
    }
}

/// What went wrong with the flow as it stands at `now`, the worst of it; `None` if nothing that can be seen.
pub fn trouble(detail: &FlowDetail, now: Timestamp) -> Option<Trouble> {
    trouble_of(detail.handshake.as_ref(), || since_then(detail, now))
}

/// The same of a flow with this handshake; `since_then`: what went wrong with it otherwise.
fn trouble_of(handshake: Option<&HandshakeView>, since_then: impl FnOnce() -> Option<Trouble>) -> Option<Trouble> {
    let failed = handshake.and_then(|handshake| match handshake.outcome {
        HandshakeOutcome::Refused => Some(Trouble::Refused),
        HandshakeOutcome::Rejected => Some(Trouble::Rejected),
        HandshakeOutcome::Unanswered => Some(Trouble::NoAnswer),
        HandshakeOutcome::GivenUp => Some(Trouble::GivenUp),
        HandshakeOutcome::Waiting if handshake.syn_retries > 0 => Some(Trouble::NoAnswerYet),
        HandshakeOutcome::HalfOpen => Some(Trouble::HalfOpen),
        HandshakeOutcome::Reset => Some(Trouble::HandshakeReset),
        _ => None,
    });
    failed.or_else(since_then).or_else(|| {
        let retried = |handshake: &HandshakeView| handshake.syn_retries > 0 || handshake.syn_ack_retries > 0;
        handshake.filter(|handshake| retried(handshake)).map(|_| Trouble::Retried)
    })
}

/// What went wrong with a flow whose handshake did not.
fn since_then(detail: &FlowDetail, now: Timestamp) -> Option<Trouble> {
    let any = |test: &dyn Fn(Side) -> bool| Side::BOTH.into_iter().any(test);
    let closed = detail.row.closed;
    let zero_window = |half: &HalfView| half.zero_window_since.is_some();
    if any(&|side| waits_for_syn_ack(detail, side)) {
        Some(Trouble::NoAnswerYet)
    } else if any(&|side| detail.row.end(side).mismatch_since.is_some()) {
        Some(Trouble::Mismatch)
    } else if !closed && detail.halves.iter().flatten().any(zero_window) {
        Some(Trouble::WindowClosed)
    } else if !closed && any(&|side| is_unanswered(detail, side, now)) {
        Some(Trouble::Unanswered)
    } else if any(&|side| stays_in_close_wait(detail, side, now)) {
        Some(Trouble::CloseWait)
    } else if ended_by_rst(detail) {
        Some(Trouble::Reset)
    } else if any(&|side| is_many(detail, side)) {
        Some(Trouble::SentAgain)
    } else {
        None
    }
}

/// Whether the kernel has sent the SYN of the end on `side` again, and still waits.
fn waits_for_syn_ack(detail: &FlowDetail, side: Side) -> bool {
    let there = detail.sockets[side.index()].as_ref().filter(|socket| socket.is_there());
    there.is_some_and(|there| {
        there.socket.state.0 == TcpState::SynSent && there.socket.timer.is_some_and(|timer| timer.retries > 0)
    })
}

/// How many segments with data `side` sent again, as far as the wire shows: those with SYN or FIN do not count, nor
/// what came late or was captured twice.
pub(super) fn sent_again(detail: &FlowDetail, side: Side) -> u64 {
    if let Some(view) = &detail.verdict {
        let fins = detail.halves.as_ref().map_or(0, |halves| halves[side.index()].fins.saturating_sub(1));
        return view.halves[side.index()].counts.sent_again().saturating_sub(fins).into();
    }
    let all = detail.analysis.as_ref().map_or(0, |halves| halves[side.index()].of(Mark::Retransmission));
    let Some(half) = detail.halves.as_ref().map(|halves| &halves[side.index()]) else { return all };
    let control = [half.syns + half.syn_acks, half.fins].map(|seen| u64::from(seen.saturating_sub(1)));
    all.saturating_sub(control.iter().sum())
}

/// What of `side`'s bytes its peer has not acknowledged: `Some(None)` if no acknowledgment was seen at all, so that it
/// cannot be told how many; `None` if all were, or it sent none.
pub(super) fn unacknowledged(detail: &FlowDetail, side: Side) -> Option<Option<u32>> {
    let half = &detail.halves.as_ref()?[side.index()];
    let (Some(nxt), true) = (half.nxt, half.payload_bytes > 0) else { return None };
    let Some(una) = half.una else { return Some(None) };
    let left = u32::try_from(nxt.offset_from(una)).unwrap_or(0).saturating_sub(u32::from(half.fins > 0));
    (left > 0).then_some(Some(left))
}

/// Whether `side` has sent data again and its last bytes were not acknowledged. Live, only once no answer can be on its
/// way any more; a capture ends as it ends.
fn is_unanswered(detail: &FlowDetail, side: Side, now: Timestamp) -> bool {
    let quiet = detail.row.scope == Scope::FILE || now.since(detail.row.last) > IN_FLIGHT;
    match unacknowledged(detail, side) {
        Some(None) => sent_again(detail, side) > 0,
        Some(Some(_)) => quiet && sent_again(detail, side) > 0,
        None => false,
    }
}

fn is_many(detail: &FlowDetail, side: Side) -> bool {
    let sent = detail.halves.as_ref().map_or(0, |halves| halves[side.index()].segments);
    let again = sent_again(detail, side);
    again >= MANY && again.saturating_mul(20) >= sent
}

/// Whether a RST that its receiver believed ended the flow, before both FINs were acknowledged.
fn ended_by_rst(detail: &FlowDetail) -> bool {
    let Some(at) = detail.life.iter().position(|event| event.kind == LifeEventKind::Rst) else { return false };
    let closed =
        |side| detail.life[..at].iter().any(|event| (event.side, event.kind) == (side, LifeEventKind::FinAcked));
    !Side::BOTH.into_iter().all(closed)
}

/// Whether the end on `side` has been in CLOSE-WAIT for longer than patience: by the kernel's word where it is there,
/// and since the peer's FIN; where that was not captured, the flow must have been watched for so long.
fn stays_in_close_wait(detail: &FlowDetail, side: Side, now: Timestamp) -> bool {
    let end = detail.row.end(side);
    let fin = |event: &&crate::flow::LifeEvent| event.side == side.peer() && event.kind == LifeEventKind::Fin;
    let since = detail.life.iter().find(fin).map_or(detail.row.first, |event| event.ts);
    end.state() == Some(TcpState::CloseWait) && !detail.row.closed && now.since(since) > CLOSE_WAIT_PATIENCE
}

/// Picks, from every flow offered in turn, those that the text report tells about.
#[derive(Debug, Clone)]
pub struct Pick {
    now: Timestamp,
    /// Of each kind of trouble in order, all its flows.
    wrong: [Vec<Wrong>; Trouble::ALL.len()],
    /// With their payload bytes.
    largest: Vec<(u64, FlowId)>,
    each: usize,
    keep_largest: usize,
}

impl Pick {
    /// At most `each` flows of a kind of trouble, and the `largest` by payload; `now` is the engine's clock at the end.
    pub fn new(now: Timestamp, each: usize, largest: usize) -> Self {
        Self { now, wrong: Default::default(), largest: Vec::new(), each, keep_largest: largest }
    }

    /// Looks at one flow; `outline` tells more of it, where that is needed. Call it in order of first appearance.
    pub fn offer(&mut self, gist: &Gist, outline: impl FnOnce() -> Option<FlowDetail>) {
        let mut in_vain = [false; 2];
        let since_then = || {
            let outline = if gist.is_regular { None } else { outline() }?;
            in_vain = outline.in_vain;
            since_then(&outline, self.now)
        };
        if let Some(kind) = trouble_of(gist.handshake.as_ref(), since_then) {
            self.wrong[kind as usize].push(Wrong::of(gist, in_vain));
        }
        self.offer_largest(gist.payload_bytes.unwrap_or(0), gist.id);
    }

    /// Keeps the flow if it is among the largest; of equal ones the first stays.
    fn offer_largest(&mut self, bytes: u64, flow: FlowId) {
        let place = self.largest.partition_point(|(kept, _)| *kept >= bytes);
        if bytes > 0 && place < self.keep_largest {
            self.largest.insert(place, (bytes, flow));
            self.largest.truncate(self.keep_largest);
        }
    }

    /// Takes in what was picked from the flows that come after all that were offered here.
    pub fn append(&mut self, later: Self) {
        self.wrong.iter_mut().zip(later.wrong).for_each(|(all, more)| all.extend(more));
        later.largest.into_iter().for_each(|(bytes, flow)| self.offer_largest(bytes, flow));
    }

    /// The flows that were picked, without what the findings tell already; `detail` tells a flow in full.
    pub fn picked(
        self,
        findings: &[Finding],
        outline: &dyn Fn(FlowId) -> Option<FlowDetail>,
        detail: impl Fn(FlowId) -> Option<FlowDetail>,
    ) -> Picked {
        let told = Told::by(findings);
        let wrong = Trouble::ALL.into_iter().zip(self.wrong).map(|(kind, mut all)| {
            all.retain(|wrong| !told.covers(kind, wrong, outline));
            let first = all.iter().take(self.each).filter_map(|wrong| detail(wrong.id));
            (kind, all.len() as u64, first.collect())
        });
        let wrong = wrong.filter(|(_, count, _)| *count > 0).collect();
        let largest: Vec<FlowDetail> = self.largest.iter().filter_map(|(_, flow)| detail(*flow)).collect();
        let is_told = |flow: &&FlowDetail| {
            let wrong = Wrong::of(&Gist::from(*flow), flow.in_vain);
            trouble(flow, self.now).is_some_and(|kind| told.covers(kind, &wrong, outline))
        };
        let left = largest.iter().filter(is_told).map(|flow| flow.row.id).collect();
        Picked { wrong, largest, left }
    }
}

/// What the text report tells about.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    wrong: Vec<(Trouble, u64, Vec<FlowDetail>)>,
    largest: Vec<FlowDetail>,
    /// Of those, the ones of which a finding tells what is wrong.
    left: HashSet<FlowId>,
}

impl Picked {
    /// Whether a finding tells what is wrong with one of the largest flows.
    pub fn is_left(&self, flow: FlowId) -> bool {
        self.left.contains(&flow)
    }

    /// The kinds of trouble that occurred, with their count and the first flows of each.
    pub fn wrong(&self) -> impl Iterator<Item = (Trouble, u64, &[FlowDetail])> {
        self.wrong.iter().map(|(kind, count, first)| (*kind, *count, first.as_slice()))
    }

    /// The flows that carried most payload, most first.
    pub fn largest(&self) -> &[FlowDetail] {
        &self.largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Seq;
    use crate::export::fixture;
    use crate::flow::{AnalysisCounts, LifeEvent};
    use crate::kernel::Reported;

    fn offer(pick: &mut Pick, detail: &FlowDetail) {
        pick.offer(&Gist::from(detail), || Some(detail.clone()));
    }

    #[test]
    fn the_worst_that_can_be_seen_names_the_flow() {
        let now = fixture::at(60.0);
        for (detail, expected) in [
            (fixture::completed(1), None),
            (fixture::refused(2), Some(Trouble::Refused)),
            (fixture::timed_out(3), Some(Trouble::NoAnswer)),
            (fixture::window_closed(4), Some(Trouble::WindowClosed)),
            (fixture::close_wait(5), Some(Trouble::CloseWait)),
            (fixture::kernel_only(6), None),
            (fixture::partial(7), None),
        ] {
            assert_eq!(trouble(&detail, now), expected, "{}", detail.row.id);
        }
    }

    #[test]
    fn two_parts_pick_what_the_whole_picks() {
        let now = fixture::at(60.0);
        let flow = |n: u64| {
            let mut detail = if n.is_multiple_of(3) { fixture::refused(n) } else { fixture::completed(n) };
            detail.row.payload_bytes = Some(n * 7 % 5);
            detail
        };
        let picked = |pick: Pick| pick.picked(&[], &|_| None, |id| Some(flow(id.0)));
        for split in 0..=20 {
            let (mut whole, mut first, mut later) = (Pick::new(now, 4, 6), Pick::new(now, 4, 6), Pick::new(now, 4, 6));
            for n in 0..20 {
                offer(&mut whole, &flow(n));
                offer(if n < split { &mut first } else { &mut later }, &flow(n));
            }
            first.append(later);
            assert_eq!(picked(first), picked(whole), "split at {split}");
        }
    }

    #[test]
    fn what_a_finding_tells_of_a_large_flow_is_left_to_it() {
        use crate::findings::{Kind, Subject};
        let (now, any) = (fixture::at(60.0), fixture::live_dashboard().findings.remove(0));
        let (waits, other) = (fixture::close_wait(1), fixture::completed(2));
        let process = waits.row.orig.owner.process().expect("a process");
        let leak = Finding { kind: Kind::CloseWaitLeak, subject: Subject::process(process), ..any };
        let flows = [waits.clone(), other];
        let detail = |id| flows.iter().find(|detail| detail.row.id == id).cloned();
        for (findings, left) in [(vec![leak], [true, false]), (vec![], [false; 2])] {
            let mut pick = Pick::new(now, 4, 4);
            flows.iter().for_each(|detail| offer(&mut pick, detail));
            let picked = pick.picked(&findings, &detail, detail);
            assert_eq!([1, 2].map(|id| picked.is_left(FlowId(id))), left);
        }
    }

    #[test]
    fn close_wait_in_passing_is_no_trouble() {
        let detail = fixture::close_wait(1);
        let fin = detail.life.iter().find(|event| event.kind == LifeEventKind::Fin).unwrap().ts;
        assert_eq!(trouble(&detail, fin + CLOSE_WAIT_PATIENCE), None);
        assert_eq!(trouble(&detail, fin + CLOSE_WAIT_PATIENCE * 2), Some(Trouble::CloseWait));
    }

    /// `completed`, whose originator sent ten segments, `again` of them twice, up to `nxt`, of which `una` was taken.
    fn sent_again_up_to(again: u32, una: Option<u32>, nxt: u32) -> FlowDetail {
        let mut detail = fixture::completed(1);
        detail.row.closed = false;
        detail.analysis = Some([AnalysisCounts::from_iter([(Mark::Retransmission, again)]), AnalysisCounts::default()]);
        let half = &mut detail.halves.as_mut().unwrap()[0];
        (half.una, half.nxt, half.segments, half.payload_bytes) = (una.map(Seq), Some(Seq(nxt)), 10, 500);
        detail
    }

    #[test]
    fn what_is_sent_again_is_trouble_without_answer_or_in_number() {
        let now = fixture::at(60.0);
        for (detail, expected) in [
            (sent_again_up_to(0, Some(100), 600), None),
            (sent_again_up_to(1, Some(600), 600), None),
            (sent_again_up_to(1, Some(599), 600), Some(Trouble::Unanswered)),
            (sent_again_up_to(1, Some(u32::MAX), 5), Some(Trouble::Unanswered)),
            (sent_again_up_to(1, None, 600), Some(Trouble::Unanswered)),
            (sent_again_up_to(2, Some(600), 600), None),
            (sent_again_up_to(3, Some(600), 600), Some(Trouble::SentAgain)),
        ] {
            assert_eq!(trouble(&detail, now), expected, "{:?}", detail.halves);
        }
        let mut fin = sent_again_up_to(1, Some(599), 600);
        fin.halves.as_mut().unwrap()[0].fins = 2;
        assert_eq!(trouble(&fin, now), None, "the FIN alone waits, and it alone was sent again");
        let mut live = sent_again_up_to(1, Some(599), 600);
        live.row.scope = Scope(7);
        assert_eq!(trouble(&live, live.row.last + IN_FLIGHT), None, "its answer may be on its way");
        assert_eq!(trouble(&live, now), Some(Trouble::Unanswered));
        let mut many = sent_again_up_to(3, Some(600), 600);
        many.halves.as_mut().unwrap()[0].segments = 61;
        assert_eq!(trouble(&many, now), None, "less than 5 %");
    }

    #[test]
    fn a_rst_is_trouble_where_it_ended_the_flow() {
        let now = fixture::at(60.0);
        let event = |secs, side, kind| LifeEvent { ts: fixture::at(secs), side, kind };
        let mut detail = fixture::completed(1);
        detail.halves.as_mut().unwrap()[1].rsts = 1;
        assert_eq!(trouble(&detail, now), None, "its receiver did not believe it");
        detail.life = vec![event(2.0, Side::Resp, LifeEventKind::Rst)];
        assert_eq!(trouble(&detail, now), Some(Trouble::Reset));
        detail.life.insert(0, event(1.0, Side::Orig, LifeEventKind::FinAcked));
        assert_eq!(trouble(&detail, now), Some(Trouble::Reset), "one end had not closed");
        detail.life.insert(1, event(1.5, Side::Resp, LifeEventKind::FinAcked));
        assert_eq!(trouble(&detail, now), None, "both ends had closed");
    }

    #[test]
    fn the_kernel_alone_tells_of_close_wait_and_of_a_connect_that_waits() {
        let mut detail = fixture::kernel_only(6);
        detail.row.orig.reported = Some(TcpState::CloseWait);
        assert_eq!(trouble(&detail, detail.row.first + CLOSE_WAIT_PATIENCE), None);
        assert_eq!(trouble(&detail, fixture::at(60.0)), Some(Trouble::CloseWait));
        let mut detail = fixture::kernel_only(6);
        let socket = detail.sockets[0].as_mut().unwrap();
        socket.socket.state = Reported(TcpState::SynSent);
        assert_eq!(trouble(&detail, fixture::at(60.0)), None, "no SYN was sent again yet");
        detail.sockets[0].as_mut().unwrap().socket.timer.as_mut().unwrap().retries = 1;
        assert_eq!(trouble(&detail, fixture::at(60.0)), Some(Trouble::NoAnswerYet));
        detail.sockets[0].as_mut().unwrap().gone = Some(fixture::at(59.0));
        assert_eq!(trouble(&detail, fixture::at(60.0)), None, "it was given up");
    }

    #[test]
    fn keeps_the_first_of_a_kind_and_the_largest_of_all() {
        let large = |(id, bytes)| {
            let mut detail = fixture::completed(id);
            detail.row.payload_bytes = Some(bytes);
            detail
        };
        let large = [(10, 5), (11, 50), (12, 50), (13, 7)].map(large);
        let flows: Vec<FlowDetail> = (0..5).map(fixture::refused).chain(large).collect();
        let mut pick = Pick::new(fixture::at(60.0), 2, 2);
        flows.iter().for_each(|detail| offer(&mut pick, detail));
        let detail = |id| flows.iter().find(|detail| detail.row.id == id).cloned();
        let picked = pick.picked(&[], &detail, detail);
        let wrong: Vec<_> = picked.wrong().map(|(kind, count, first)| (kind, count, first.len())).collect();
        assert_eq!(wrong, [(Trouble::Refused, 5, 2)]);
        assert_eq!(picked.largest().iter().map(|detail| detail.row.id.0).collect::<Vec<_>>(), [11, 12]);
    }
}
