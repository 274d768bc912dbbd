//! Connections of which nothing that one end sends is answered: by the wire its oldest segment, or a keepalive probe,
//! comes again and nothing comes from its peer; by the kernel its retransmission timer runs out again and again, or its
//! keepalive timer.

use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::findings::{Backoff, Holder, Run, SENT_IN_VAIN, Sent, Silences, Silent, has_waited};
use crate::flow::{InVain, Side};
use crate::kernel::{Limits, Socket, TimerKind};

use super::super::Engine;
use super::super::course::Course;
use super::super::end::End;
use super::super::record::Record;
use super::super::table::{Slot, side_of};
use super::bounded::Bounded;
use super::holder;
use super::probed::probed_in_vain;

/// What every link takes (RFC 8200 §5), bytes, and what of it IPv6's and TCP's headers are.
pub(super) const LEAST_MTU: u32 = 1_280;
pub(super) const HEADERS: u32 = 60;

/// Halves of which the wire alone shows that they send in vain, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(super) struct InVainByWire(Bounded<(Slot, Side, InVain, Sent)>);

impl InVainByWire {
    /// Takes in those of a flow.
    pub(super) fn offer(&mut self, slot: Slot, record: &Record, now: Timestamp) {
        if self.0.more() {
            return;
        }
        for side in Side::BOTH {
            self.0.extend(by_wire_alone(record, side, now).map(|(again, sent)| (slot, side, again, sent)));
        }
    }
}

impl Engine {
    pub(super) fn silent(&self, by_wire: &InVainByWire, now: Timestamp) -> Silences {
        let by_kernel = |(record, end): (&Record, &End)| self.silent_by_kernel(record, end, now);
        let mut all = Bounded::default();
        all.extend(self.present_ends().filter_map(by_kernel).filter(|silent| silent.is_late(now)));
        let more = all.more() || by_wire.0.more();
        let told = |&(slot, side, again, sent): &(Slot, Side, InVain, Sent)| {
            self.silent_by_wire(self.table.get(slot), side, &again, sent)
        };
        let mut all: Vec<Silent> = all.into_iter().chain(by_wire.0.iter().map(told)).collect();
        self.note_heard_elsewhere(&mut all);
        Silences { all, more }
    }

    /// Whether the peer of `side` is silent, by the rule of which the findings tell.
    pub(in super::super) fn is_silent_to(&self, record: &Record, side: Side) -> bool {
        let now = self.now.unwrap_or_default();
        match record.end(side).filter(|end| end.is_there()) {
            Some(end) => self.silent_by_kernel(record, end, now).is_some_and(|silent| silent.is_late(now)),
            None => by_wire_alone(record, side, now).is_some(),
        }
    }

    fn silent_by_wire(&self, record: &Record, side: Side, again: &InVain, sent: Sent) -> Silent {
        let who = holder(&self.owner(record, side));
        let never_as_long = never_as_long(record, side, again.len);
        Silent { wire: Some(again.times), never_as_long, ..silent(record, side, sent, again.since, who) }
    }

    fn silent_by_kernel(&self, record: &Record, end: &End, now: Timestamp) -> Option<Silent> {
        self.unacked_by_kernel(record, end, now).or_else(|| self.probed_by_kernel(record, end, now))
    }

    fn unacked_by_kernel(&self, record: &Record, end: &End, now: Timestamp) -> Option<Silent> {
        let limits = self.kernel.readings.limits();
        let backoff = BackedOff::of(&end.socket, limits.map_or(Limits::RTO_MAX, |limits| limits.rto_max()))?;
        let side = side_of(record, end.socket.local);
        let again = in_vain(record, side, now);
        let heard = heard(record, end, side);
        if heard.is_some_and(|heard| heard > end.at - backoff.tries_lasted()) {
            return None;
        }
        let begun = again.map_or_else(|| end.at - backoff.lasted(), |again| again.since);
        // How long a timer has run is inferred from its timeout as it is now: nobody was silent before he was heard.
        let since = heard.map_or(begun, |heard| begun.max(heard));
        // A kernel that finishes alone what no process holds gives up sooner, by its own rules (tcp_orphan_retries).
        let limits = limits.filter(|_| end.socket.inode.is_some());
        // The latest try, or the one before it, which a capture may have lost.
        let shown = again.filter(|again| again.last >= end.at - backoff.idle() - backoff.rto);
        Some(Silent {
            wire: shown.map(|again| again.times),
            kernel: Some(Backoff {
                retries: u8::try_from(backoff.retries).unwrap_or(u8::MAX),
                unheard: unheard(end).map(|ago| ago + now.since(end.at)),
                next: Some(end.at + backoff.left),
                gives_up: limits.and_then(|limits| backoff.gives_up(begun, end.at, limits)),
                unsent: backoff.unsent,
            }),
            never_as_long: again.and_then(|again| never_as_long(record, side, again.len)),
            ..silent(record, side, Sent::Data, since, holder(&end.owner))
        })
    }
}

/// The length of a segment that is sent again, where less than that was acknowledged in all since the SYN, and the path
/// may take no longer ones: every link takes packets of [`LEAST_MTU`].
fn never_as_long(record: &Record, side: Side, len: u32) -> Option<u32> {
    let half = record.wire.as_ref()?.half(side);
    let acked = half.una?.offset_from(half.iss? + 1);
    (len + HEADERS > LEAST_MTU && u32::try_from(acked).is_ok_and(|acked| acked < len)).then_some(len)
}

/// When the peer of an end was last heard, by its kernel or by the wire.
pub(super) fn heard(record: &Record, end: &End, side: Side) -> Option<Timestamp> {
    let on_wire = record.course().and_then(|course| course.analysis.heard_at(side.peer()));
    unheard(end).map(|ago| end.at - ago).max(on_wire)
}

/// For how long its kernel had heard nothing of the peer of an end when it was read.
pub(super) fn unheard(end: &End) -> Option<Duration> {
    end.socket.info.as_ref()?.last_ack_recv
}

/// That the peer of `side` is silent, as nobody shows yet.
pub(super) fn silent(record: &Record, side: Side, sent: Sent, since: Timestamp, who: Option<Holder>) -> Silent {
    Silent {
        sent,
        flow: record.id,
        local: record.endpoint(side),
        peer: record.endpoint(side.peer()),
        since,
        wire: None,
        kernel: None,
        never_as_long: None,
        elsewhere: None,
        arrives: record.local[side.peer().index()],
        who,
    }
}

/// What `side` of a flow sends in vain for long enough to be told, where the wire alone shows it: where the kernel shows
/// the end, its timer has the word.
fn by_wire_alone(record: &Record, side: Side, now: Timestamp) -> Option<(InVain, Sent)> {
    let data = || in_vain(record, side, now).map(|again| (again, Sent::Data));
    let probes = || probed_in_vain(record, side, now).map(|again| (again, Sent::Probes { every: Some(again.gap) }));
    let told = data().or_else(probes).filter(|(again, _)| has_waited(again.times, again.since, now))?;
    record.end(side).is_none_or(|end| !end.is_there()).then_some(told)
}

/// What `side` of a flow sends in vain, by the wire; nothing once it seems to have given up.
fn in_vain(record: &Record, side: Side, now: Timestamp) -> Option<InVain> {
    let again = record.in_vain(side)?;
    // The next try comes after twice the last gap at most, and what is over is told for a while.
    let waits = (again.gap * 5 / 2).min(Limits::RTO_MAX * 5 / 4) + Run::PAUSE;
    (now.since(again.last) <= waits).then_some(again)
}

impl Record {
    /// What `side` sends again while nothing comes from its peer, by the wire.
    pub(in super::super) fn in_vain(&self, side: Side) -> Option<InVain> {
        let course = self.troubled_course()?;
        course.verdict.in_vain(&course.analysis, side)
    }

    /// The course of a flow that goes on and of which a segment needed a second look; then none waits to be taken in.
    pub(super) fn troubled_course(&self) -> Option<&Course> {
        self.known_course().filter(|course| course.verdict.is_troubled() && !self.is_closed())
    }
}

/// A retransmission timer that has run out several times in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BackedOff {
    retries: u32,
    /// The timeout before it was doubled, at least, and the longest that it may be.
    first: Duration,
    most: Duration,
    /// The timeout as it is now, and what is left of it, where that is told.
    rto: Duration,
    left: Duration,
    /// None of the tries left this host.
    unsent: bool,
}

impl BackedOff {
    /// No timeout is shorter (one jiffy, at most of them).
    const LEAST: Duration = Duration::from_millis(1);

    /// That of a socket on a host where a timeout grows to `most`.
    fn of(socket: &Socket, most: Duration) -> Option<Self> {
        let unsent = socket.fails_to_send();
        let timer = socket.timer.filter(|timer| timer.kind == TimerKind::On || unsent)?;
        let retries = u32::from(timer.retries);
        let opening = matches!(socket.state.0, TcpState::SynSent | TcpState::SynRecv);
        if opening || retries < SENT_IN_VAIN {
            return None;
        }
        let told = socket.info.as_ref().and_then(|info| info.rto);
        // A socket keeps the bound of its beginning.
        let most = if told > Some(most) { Limits::RTO_MAX } else { most };
        // That of probes does not show their doublings (`tcp_probe0_base`).
        let rto = told.map(|rto| if unsent { Limits::doubled(rto, retries, most) } else { rto });
        // What the host lets grow no longer, or what so many doublings cannot have made: the socket may have a bound of its
        // own.
        let whole = |rto: Duration| rto.checked_div(1_u32.checked_shl(retries)?).filter(|first| *first >= Self::LEAST);
        let doubled = rto.filter(|rto| *rto < most).and_then(whole);
        let most = rto.filter(|_| doubled.is_none()).unwrap_or(most);
        let first = doubled.unwrap_or(Limits::RTO_MIN.min(most));
        let rto = rto.unwrap_or_else(|| Limits::doubled(first, retries, most));
        Some(Self { retries, first, most, rto, left: timer.left, unsent })
    }

    /// The timeout after so many doublings.
    fn after(&self, doublings: u32) -> Duration {
        Limits::doubled(self.first, doublings, self.most)
    }

    /// Since the last try.
    fn idle(&self) -> Duration {
        self.rto.saturating_sub(self.left)
    }

    /// Since the segment was sent for the first time, at least.
    fn lasted(&self) -> Duration {
        (0..self.retries).map(|nth| self.after(nth)).sum::<Duration>() + self.idle()
    }

    /// Since the first of the last [`SENT_IN_VAIN`] tries.
    fn tries_lasted(&self) -> Duration {
        let gaps = (self.retries + 1 - SENT_IN_VAIN)..self.retries;
        gaps.map(|nth| self.after(nth)).sum::<Duration>() + self.idle()
    }

    /// When the timer next runs out after tcp_retries2's time is over, which began with the first repeat; of what is not
    /// sent at all, once it has been tried so often (`tcp_probe_timer`).
    fn gives_up(&self, since: Timestamp, at: Timestamp, limits: &Limits) -> Option<Timestamp> {
        if self.unsent {
            let tries = self.retries + 1..=limits.tcp_retries2?.min(255);
            return Some(at + self.left + tries.map(|nth| self.after(nth)).sum::<Duration>());
        }
        let over = since + self.first + limits.gives_up_after(self.most)?;
        let (mut next, mut rto) = (at + self.left, self.rto);
        while next < over {
            rto = (rto * 2).max(Limits::RTO_MIN).min(self.most);
            next = next + rto;
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::*;
    use super::super::super::{Config, Engine, Input};
    use super::*;
    use crate::findings::{Confidence, Finding, Kind, Severity};
    use crate::kernel::{SocketSample, TcpInfo, Timer};
    use crate::wire::Segment;
    use std::sync::Arc;

    fn found(engine: &Engine) -> Vec<Finding> {
        show(engine).findings
    }

    fn told(engine: &Engine) -> Vec<String> {
        let silent = found(engine).into_iter().filter(|finding| finding.kind == Kind::PeerSilent);
        silent.map(|finding| format!("{}: {}", finding.subject, finding.told)).collect()
    }

    /// The client's request, so often sent again at gaps that double from 300 ms on.
    fn request(again: u32) -> impl Iterator<Item = Segment> {
        let at = |nth: u32| 1_000 + 300 * ((1 << nth) - 1);
        (0..=again).map(move |nth| segment(at(nth), CLIENT, SERVER, "P.", 101, 501, 100))
    }

    #[test]
    fn by_the_wire_until_the_peer_is_heard() {
        let mut engine = fed(handshake(0).into_iter().chain(request(3)));
        engine.feed(&Input::Tick(at(5_999)));
        assert_eq!(told(&engine), [""; 0]);
        engine.feed(&Input::Tick(at(6_000)));
        let line = "10.0.0.2 → 10.0.0.5: nothing back for 5 s, sent again 3 times";
        assert_eq!(told(&engine), [line]);
        let finding = found(&engine).remove(0);
        assert_eq!((finding.since, finding.confidence), (at(1_000), Confidence::Medium));
        // A segment that acknowledges nothing new: the path is there.
        let mut heard = engine.fork();
        heard.feed(&Input::Segment(segment(6_100, SERVER, CLIENT, ".", 501, 101, 0)));
        assert_eq!(told(&heard), [""; 0]);
        engine.feed(&Input::Tick(at(3_100 + 3_000 + 60_001)));
        assert_eq!(told(&engine), [""; 0], "nobody tries any more");
    }

    #[test]
    fn what_is_not_heard_from_the_beginning_may_go_another_way() {
        let alone = handshake(0).into_iter().filter(|segment| segment.src == end(CLIENT));
        let mut engine = fed(alone.chain(request(4)));
        engine.feed(&Input::Tick(at(9_000)));
        assert_eq!(told(&engine), [""; 0]);
        // New data each time is nothing sent again; a reset is an answer.
        let new =
            (0..9).map(|nth| segment(1_000 + nth * 1_000, CLIENT, SERVER, "P.", 101 + nth as u32 * 100, 501, 100));
        let mut engine = fed(handshake(0).into_iter().chain(new));
        engine.feed(&Input::Tick(at(12_000)));
        assert_eq!(told(&engine), [""; 0]);
        let mut engine = fed(handshake(0).into_iter().chain(request(4)));
        engine.feed(&Input::Segment(segment(9_000, SERVER, CLIENT, "R", 501, 0, 0)));
        assert_eq!(told(&engine), [""; 0]);
    }

    /// A reading of the client's socket: how often its timer ran out, and how long ago its kernel heard its peer.
    fn reading(millis: i64, state: TcpState, retries: u8, unheard: Option<u64>) -> Input {
        let timer = Timer { kind: TimerKind::On, left: Duration::from_millis(1_400), retries };
        let rto = Some(Duration::from_millis((200 << retries.min(10)).min(120_000)));
        let info = TcpInfo { rto, last_ack_recv: unheard.map(Duration::from_millis), ..TcpInfo::default() };
        let plain = socket(CLIENT, SERVER, state, (0, 100), 7, 1);
        let row = Socket { timer: Some(timer), info: Some(Box::new(info)), ..plain };
        let Input::Sample(plain) = sample(millis, vec![row], &[(7, 70, 3, "app")]) else { unreachable!("a sample") };
        let limits = Arc::new(Limits { tcp_retries2: Some(15), ..Limits::default() });
        Input::Sample(Arc::new(SocketSample { limits, ..SocketSample::clone(&plain) }))
    }

    #[test]
    fn by_the_kernel_alone() {
        use TcpState::{Estab, SynSent};
        for (state, retries, unheard, expected) in [
            (
                Estab,
                5,
                Some(11_200),
                "10.0.0.2 → 10.0.0.5: nothing back for 11 s, tried again 5 times, default give-up in 17 min",
            ),
            (
                Estab,
                5,
                None,
                "10.0.0.2 → 10.0.0.5: nothing back for 11 s, tried again 5 times, default give-up in 17 min",
            ),
            (
                Estab,
                5,
                Some(10_000),
                "10.0.0.2 → 10.0.0.5: nothing back for 10 s, tried again 5 times, default give-up in 17 min",
            ),
            (
                Estab,
                14,
                Some(400_000),
                "10.0.0.2 → 10.0.0.5: nothing back for 6 min, tried again 14 times, default give-up in 4 min",
            ),
            (
                Estab,
                14,
                None,
                "10.0.0.2 → 10.0.0.5: nothing back for 13 min, tried again 14 times, default give-up in 4 min",
            ),
            (Estab, 5, Some(9_700), ""),
            (Estab, 5, Some(4_000), ""),
            (Estab, 2, Some(11_200), ""),
            (Estab, 3, Some(11_200), ""),
            (SynSent, 5, None, ""),
        ] {
            let mut engine = engine();
            engine.feed(&reading(20_000, state, retries, unheard));
            assert_eq!(told(&engine).concat(), expected, "{state} {retries} {unheard:?}");
        }
        let mut engine = engine();
        engine.feed(&reading(20_000, TcpState::Estab, 5, Some(11_200)));
        let finding = found(&engine).remove(0);
        assert_eq!(
            (finding.confidence, finding.who.map(|who| who.to_string()).as_deref()),
            (Confidence::Medium, Some("app[70] fd 3"))
        );
        engine.feed(&reading(21_000, TcpState::Estab, 0, Some(900)));
        assert_eq!(told(&engine), [""; 0], "it came back");
    }

    #[test]
    fn what_is_told_is_as_old_as_the_last_word_of_the_peer() {
        let Input::Sample(plain) = reading(20_000, TcpState::Estab, 8, Some(59_000)) else { unreachable!() };
        let mut sample = SocketSample::clone(&plain);
        let timer = &mut sample.sockets[0].timer;
        *timer = timer.map(|timer| Timer { left: Duration::from_secs(40), ..timer });
        let mut engine = engine();
        engine.feed(&Input::Sample(Arc::new(sample)));
        // By its timer since 62 s.
        let finding = found(&engine).remove(0);
        assert_eq!((finding.since, finding.severity), (at(-39_000), Severity::Warning), "{}", finding.told);
        let unanswered = finding.evidence.iter().find(|fact| fact.name == "unanswered_for_ns").map(|fact| &fact.value);
        let unheard = finding.evidence.iter().find(|fact| fact.name == "peer_unheard_for_ns").map(|fact| &fact.value);
        assert_eq!(unanswered, unheard);
    }

    #[test]
    fn a_flow_tells_whether_a_finding_is_of_it() {
        let in_vain = |engine: &Engine| engine.outline(crate::flow::FlowId(0)).unwrap().in_vain;
        let mut engine = fed(handshake(0).into_iter().chain(request(3)));
        engine.feed(&Input::Tick(at(5_999)));
        assert_eq!(in_vain(&engine), [false; 2]);
        engine.feed(&Input::Tick(at(6_000)));
        assert_eq!(in_vain(&engine), [true, false]);
        for (retries, unheard, expected) in [(5, 11_200, true), (5, 9_700, false), (2, 11_200, false)] {
            let mut engine = super::super::super::tests::engine();
            engine.feed(&reading(20_000, TcpState::Estab, retries, Some(unheard)));
            assert_eq!((in_vain(&engine)[0], told(&engine).len()), (expected, expected.into()), "{retries} {unheard}");
        }
    }

    #[test]
    fn more_than_are_kept_are_told_to_be_more() {
        let among = |count: u16| {
            let Input::Sample(plain) = reading(20_000, TcpState::Estab, 5, Some(11_200)) else { unreachable!() };
            let mut sample = SocketSample::clone(&plain);
            let row = sample.sockets.remove(0);
            let local = |nth| crate::base::Endpoint::new(row.local.ip(), 1_024 + nth);
            sample.sockets = (0..count).map(|nth| Socket { local: local(nth), ..row.clone() }).collect();
            let mut engine = Engine::new(Config::replay(10_000, 1));
            engine.feed(&Input::Sample(Arc::new(sample)));
            told(&engine).concat()
        };
        let most = u16::try_from(Bounded::<Slot>::MOST).unwrap();
        let line = "8,192 connections, nothing back for 11 s";
        assert!(among(most).starts_with(&format!("10.0.0.2 → 10.0.0.5: {line}")), "{}", among(most));
        assert!(among(most + 1).starts_with(&format!("10.0.0.2 → 10.0.0.5: at least {line}")), "{}", among(most + 1));

        let mut engine = fed(handshake(0).into_iter().chain(request(3)));
        engine.feed(&Input::Tick(at(6_000)));
        let (slot, record) = engine.table.iter().next().unwrap();
        let mut by_wire = InVainByWire::default();
        (0..Bounded::<Slot>::MOST).for_each(|_| by_wire.offer(slot, record, at(6_000)));
        by_wire.offer(slot, record, at(5_999));
        assert!(!by_wire.0.more(), "what has not waited for long enough is not cut");
        by_wire.offer(slot, record, at(6_000));
        assert!(by_wire.0.more() && by_wire.0.iter().count() == Bounded::<Slot>::MOST);
        assert!(engine.silent(&by_wire, at(6_000)).more);
    }

    #[test]
    fn a_window_that_is_open_is_not_probed() {
        let row = |snd_wnd, retries| {
            let Input::Sample(sample) = reading(20_000, TcpState::Estab, retries, Some(30_000)) else { unreachable!() };
            let mut sample = SocketSample::clone(&sample);
            let row = &mut sample.sockets[0];
            row.timer = row.timer.map(|timer| Timer { kind: TimerKind::Persist, ..timer });
            let info =
                TcpInfo { snd_wnd, snd_mss: Some(1_448), rto: Some(Duration::from_millis(204)), ..TcpInfo::default() };
            row.info = Some(Box::new(info));
            Input::Sample(Arc::new(sample))
        };
        let after = |snd_wnd, retries| {
            let mut engine = engine();
            engine.feed(&row(snd_wnd, retries));
            engine.feed(&Input::Tick(at(30_000)));
            found(&engine).into_iter().map(|finding| (finding.kind, finding.told)).collect::<Vec<_>>()
        };
        let [(kind, told)] = &after(Some(65_000), 5)[..] else { panic!("one finding") };
        assert!(*kind == Kind::PeerSilent && told.starts_with("nothing sent for 21 s, tried 5 times"), "{told}");
        assert_eq!(after(Some(65_000), 2), [], "it may leave with the next try");
        for closed in [Some(0), Some(1_447), None] {
            let [(kind, _)] = &after(closed, 5)[..] else { panic!("one finding") };
            assert_eq!(*kind, Kind::NotReading, "{closed:?}");
        }
    }

    #[test]
    fn by_both_it_is_told_once() {
        let mut engine = fed(handshake(0).into_iter().chain(request(4)));
        engine.feed(&reading(9_000, TcpState::Estab, 4, Some(8_900)));
        assert_eq!(
            told(&engine),
            ["10.0.0.2 → 10.0.0.5: nothing back for 8 s, sent again 4 times, default give-up in 15 min"]
        );
        let finding = found(&engine).remove(0);
        assert!(finding.why.contains("by the kernel as by the wire"), "{}", finding.why);
        assert_eq!(finding.confidence, Confidence::High);
        // The wire shows no more of them: no route, since.
        let mut engine = fed(handshake(0).into_iter().chain(request(4)));
        engine.feed(&reading(60_000, TcpState::Estab, 7, Some(59_900)));
        let finding = found(&engine).remove(0);
        assert!(finding.told.contains("tried again 7 times"), "{}", finding.told);
        assert_eq!(finding.confidence, Confidence::Medium);
    }

    #[test]
    fn a_timer_tells_how_long_it_has_run() {
        let millis = Duration::from_millis;
        // 200 ms doubled five times, of which 1.4 s are left: tries after 0.2, 0.6, 1.4, 3.0 and 6.2 s.
        let timer = BackedOff {
            retries: 5,
            first: millis(200),
            rto: millis(6_400),
            left: millis(1_400),
            unsent: false,
            most: Limits::RTO_MAX,
        };
        assert_eq!(timer.lasted(), millis(6_200 + 5_000));
        assert_eq!(timer.tries_lasted(), millis(6_200 - 1_400 + 5_000));
        let limits = |tcp_retries2| Limits { tcp_retries2, ..Limits::default() };
        let at = Timestamp::from_secs_nanos(1_000, 0);
        let gives_up = |retries2| {
            timer.gives_up(at - timer.lasted(), at, &limits(retries2)).map(|up| up.since(at - timer.lasted()))
        };
        // As ip-sysctl has it: 924.6 s after the first repeat, at the first timeout from then on.
        assert_eq!(gives_up(Some(15)), Some(millis(1_044_600)));
        assert_eq!(gives_up(Some(5)), Some(millis(25_400)));
        assert_eq!(gives_up(None), None);
        let unsent = BackedOff { unsent: true, ..timer };
        assert_eq!(unsent.gives_up(at, at, &limits(Some(7))), Some(at + millis(1_400 + 12_800 + 25_600)));
    }

    #[test]
    fn a_timeout_that_grows_no_longer_does_not_shorten_the_silence() {
        let millis = Duration::from_millis;
        let timer = |rto, retries, most| {
            let plain = socket(CLIENT, SERVER, TcpState::Estab, (0, 100), 7, 1);
            let timer = Timer { kind: TimerKind::On, left: millis(rto / 2), retries };
            let info = TcpInfo { rto: Some(millis(rto)), ..TcpInfo::default() };
            let socket = Socket { timer: Some(timer), info: Some(Box::new(info)), ..plain };
            BackedOff::of(&socket, millis(most)).unwrap()
        };
        for (rto, retries, most, lasted) in [
            // net.ipv4.tcp_rto_max_ms: 0.2, 0.4 and 0.8 s, then 1 s each.
            (1_000, 12, 1_000, 1_400 + 9 * 1_000 + 500),
            // TCP_RTO_MAX_MS, which nothing tells: doubled so often, it would have begun below 1 ms.
            (1_000, 12, 120_000, 1_400 + 9 * 1_000 + 500),
            // As likely begun at 50 ms (`rto_min` of the route).
            (1_600, 5, 120_000, 31 * 50 + 800),
            // Older than the limit.
            (6_400, 5, 1_000, 6_200 + 3_200),
            (120_000, 14, 120_000, 204_600 + 4 * 120_000 + 60_000),
        ] {
            let told = timer(rto, retries, most).lasted();
            assert_eq!(told, millis(lasted), "{rto} {retries} {most}");
        }
        let at = Timestamp::from_secs_nanos(1_000, 0);
        let limits = Limits { tcp_retries2: Some(15), tcp_rto_max_ms: Some(1_000), ..Limits::default() };
        let timer = timer(1_000, 12, 1_000);
        let gives_up = timer.gives_up(at - timer.lasted(), at, &limits);
        // 14.4 s after the first repeat, at the next timeout.
        assert_eq!(gives_up.map(|up| up.since(at - timer.lasted())), Some(millis(15_400)));
    }

    #[test]
    fn a_host_that_bounds_its_timeouts_is_found_silent() {
        let read = |tcp_rto_max_ms| {
            let Input::Sample(plain) = reading(20_000, TcpState::Estab, 9, Some(9_000)) else { unreachable!() };
            let mut sample = SocketSample::clone(&plain);
            sample.sockets[0].info.as_mut().unwrap().rto = Some(Duration::from_millis(1_000));
            let timer = &mut sample.sockets[0].timer;
            *timer = timer.map(|timer| Timer { left: Duration::from_millis(600), ..timer });
            sample.limits = Arc::new(Limits { tcp_rto_max_ms, ..Limits::clone(&sample.limits) });
            let mut engine = engine();
            engine.feed(&Input::Sample(Arc::new(sample)));
            told(&engine).concat()
        };
        assert!(read(Some(1_000)).contains("nothing back for 7 s, tried again 9 times"), "{}", read(Some(1_000)));
        assert_eq!(read(Some(120_000)), "", "since 2.4 s, perhaps");
    }
}
