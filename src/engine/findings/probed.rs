//! Connections at rest whose keepalive probes go unanswered: by the kernel's keepalive timer, or by the wire.
//!
//! Read first: RFC 9293 §3.8.4, net/ipv4/tcp_timer.c (`tcp_keepalive_timer`).

use crate::base::Timestamp;
use crate::findings::{Backoff, Run, SENT_IN_VAIN, Sent, Silent};
use crate::flow::{Flow, InVain, Side};

use super::super::Engine;
use super::super::end::End;
use super::super::probing;
use super::super::record::Record;
use super::super::table::side_of;
use super::holder;
use super::silent::{heard, silent, unheard};

impl Engine {
    /// Its keepalive timer has run out often enough since its peer was heard.
    pub(super) fn probed_by_kernel(&self, record: &Record, end: &End, now: Timestamp) -> Option<Silent> {
        let timer = probing::probes(&end.socket).filter(|timer| u32::from(timer.retries) >= SENT_IN_VAIN)?;
        let probing = end.probing?;
        let side = side_of(record, end.socket.local);
        let again = probed_in_vain(record, side, now);
        let next = end.at + timer.left;
        // By the wire, and as many times before the next as were sent: it may have been watched from later on only.
        let by_timer = probing.every.map(|every| next - every * timer.retries.into());
        let first = again.map(|again| again.since).into_iter().chain(by_timer).min().unwrap_or(probing.since);
        if heard(record, end, side).is_some_and(|heard| heard > first) {
            return None;
        }
        let limits = self.kernel.readings.limits();
        let every = probing.every.or_else(|| again.map(|again| again.gap));
        // The latest of them, or the one before it, which a capture may have lost.
        let shown = again.filter(|again| every.is_some_and(|every| again.last >= next - every * 2));
        Some(Silent {
            wire: shown.map(|again| again.times),
            kernel: Some(Backoff {
                retries: timer.retries,
                unheard: unheard(end).map(|ago| ago + now.since(end.at)),
                next: Some(next),
                gives_up: limits.and_then(|limits| probing::gives_up(&end.socket, end.at, probing.every?, limits)),
                unsent: self.probes_do_not_leave(record, side, by_timer),
            }),
            ..silent(record, side, Sent::Probes { every }, first, holder(&end.owner))
        })
    }

    /// Whether the capture shows the connection, and of the probes since the first none: its kernel counts also those
    /// that fail on this host (`tcp_write_wakeup`).
    fn probes_do_not_leave(&self, record: &Record, side: Side, first: Option<Timestamp>) -> bool {
        let Some((course, first)) = record.course().zip(first).filter(|_| self.losing.is_none()) else {
            return false;
        };
        let shown = course.analysis.heard_at(side).is_some_and(|heard| heard < first);
        shown && course.verdict.probes_unanswered(&course.analysis, side).is_none()
    }
}

/// The keep-alives that `side` of a flow sends in vain, by the wire; nothing once it seems to have given up.
pub(super) fn probed_in_vain(record: &Record, side: Side, now: Timestamp) -> Option<InVain> {
    let probes = record.probes_in_vain(side)?;
    (now.since(probes.last) <= probes.gap * 3 / 2 + Run::PAUSE).then_some(probes)
}

impl Record {
    /// The keep-alives that `side` sends while nothing comes from its peer, by the wire.
    pub(in super::super) fn probes_in_vain(&self, side: Side) -> Option<InVain> {
        let course = self.troubled_course()?;
        course.verdict.probes_in_vain(&course.analysis, side)
    }

    /// The keep-alives after which `side` gave up, where the wire shows that: nothing has come from its peer since.
    pub(in super::super) fn gave_up_after(&self, side: Side) -> Option<InVain> {
        let reset = self.wire.as_ref().and_then(Flow::reset_by) == Some(side);
        let course = self.known_course().filter(|course| reset && course.verdict.is_troubled())?;
        course.verdict.probes_unanswered(&course.analysis, side)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::*;
    use super::super::super::{Engine, Input};
    use crate::base::TcpState;
    use crate::findings::{Confidence, Finding};
    use crate::kernel::{Limits, Socket, SocketSample, TcpInfo, Timer, TimerKind};
    use std::sync::Arc;
    use std::time::Duration;

    const PATH: &str = "10.0.0.2 → 10.0.0.5";

    fn found(engine: &Engine) -> Vec<Finding> {
        show(engine).findings
    }

    fn told(engine: &Engine) -> Vec<String> {
        found(engine).into_iter().map(|finding| format!("{}: {}", finding.subject, finding.told)).collect()
    }

    /// The client's keep-alives, so many of them 15 s apart.
    fn probes(times: i64) -> impl Iterator<Item = crate::wire::Segment> {
        (1..=times).map(|nth| segment(nth * 15_000, CLIENT, SERVER, ".", 100, 501, 0))
    }

    #[test]
    fn by_the_wire_until_the_peer_is_heard() {
        let answer = |millis| segment(millis, SERVER, CLIENT, ".", 501, 101, 0);
        let alive = handshake(0).into_iter().chain([answer(20)]);
        assert_eq!(told(&fed(alive.clone().chain(probes(2)))), [""; 0], "one may be lost, and one on its way");
        let mut engine = fed(alive.clone().chain(probes(3)));
        let line = "3 keepalive probes unanswered, every 15 s";
        assert_eq!(told(&engine), [format!("{PATH}: {line}")]);
        let finding = found(&engine).remove(0);
        assert_eq!((finding.since, finding.confidence), (at(15_000), Confidence::Medium));
        let outline = engine.outline(crate::flow::FlowId(0)).unwrap();
        assert_eq!(outline.in_vain, [true, false]);
        let story = engine.detail(crate::flow::FlowId(0)).unwrap().story;
        assert!(story.starts_with("At rest, and 10.0.0.5:80 may be gone: 10.0.0.2:40000 has sent 3"), "{story}");
        let mut gave_up = engine.fork();
        gave_up.feed(&Input::Segment(segment(60_000, CLIENT, SERVER, "R.", 101, 501, 0)));
        let story = gave_up.detail(crate::flow::FlowId(0)).unwrap().story;
        let end = "Over: ended by a RST from 10.0.0.2:40000, which had sent 3 keepalive probes for 30 s in vain.";
        assert_eq!((told(&gave_up).len(), story.as_str()), (0, end));
        engine.feed(&Input::Segment(answer(45_001)));
        assert_eq!(told(&engine), [""; 0], "answered");
        engine.feed(&Input::Segment(segment(60_000, CLIENT, SERVER, "R.", 101, 501, 0)));
        let story = engine.detail(crate::flow::FlowId(0)).unwrap().story;
        assert_eq!(story, "Over: ended by a RST from 10.0.0.2:40000.");
        let mut engine = fed(alive.chain(probes(9)));
        assert_eq!(told(&engine).len(), 1);
        engine.feed(&Input::Tick(at(9 * 15_000 + 15_000 * 3 / 2 + 60_001)));
        assert_eq!(told(&engine), [""; 0], "nobody asks any more");
        assert_eq!(told(&fed(handshake(0).into_iter().take(1).chain(probes(9)))), [""; 0], "a peer never heard");
    }

    /// The client's socket, which has tried so many probes since it heard its peer so many seconds ago.
    fn row(state: TcpState, probes: u8, left: u64, unheard: u64) -> Socket {
        let timer = Timer { kind: TimerKind::Keepalive, left: Duration::from_millis(left), retries: probes };
        let info = TcpInfo { last_ack_recv: Some(Duration::from_millis(unheard)), ..TcpInfo::default() };
        Socket { timer: Some(timer), info: Some(Box::new(info)), ..socket(CLIENT, SERVER, state, (0, 0), 7, 1) }
    }

    fn reading(millis: i64, row: Socket) -> Input {
        let Input::Sample(plain) = sample(millis, vec![row], &[(7, 70, 3, "app")]) else { unreachable!("a sample") };
        let limits = Arc::new(Limits {
            tcp_keepalive_time: Some(7_200),
            tcp_keepalive_intvl: Some(75),
            tcp_keepalive_probes: Some(9),
            ..Limits::default()
        });
        Input::Sample(Arc::new(SocketSample { limits, ..SocketSample::clone(&plain) }))
    }

    /// What is told after readings a second apart, of which the second shows the probe that was just sent; each tells the
    /// probes, what is left of the timer and how long nothing was heard, in milliseconds.
    fn after(first: (u8, u64, u64), second: (u8, u64, u64)) -> Engine {
        let mut engine = engine();
        for (millis, (probes, left, unheard)) in [(10_000, first), (11_000, second)] {
            engine.feed(&reading(millis, row(TcpState::Estab, probes, left, unheard)));
        }
        engine.feed(&Input::Tick(at(16_500)));
        engine
    }

    #[test]
    fn by_the_kernel_with_what_a_reading_catches() {
        // 7,200 s at rest, three probes 75 s apart: the third was sent 0.4 s ago.
        let usual = after((2, 600, 7_349_400), (3, 74_600, 7_350_400));
        let line = "3 keepalive probes tried in vain, every 75 s, default give-up in 8 min";
        assert_eq!(told(&usual), [format!("{PATH}: {line}")]);
        let finding = found(&usual).remove(0);
        assert_eq!((finding.confidence, finding.since), (Confidence::Medium, at(11_000 - 150_400)));
        assert_eq!(finding.who.as_ref().map(ToString::to_string).as_deref(), Some("app[70] fd 3"));
        let gives_up = finding.evidence.iter().find(|fact| fact.name == "gives_up_ts_ns").map(|fact| &fact.value);
        // Six more, and the wait for an answer to the last.
        assert_eq!(gives_up, Some(&crate::findings::Value::At(at(11_000 + 74_600 + 6 * 75_000))));
        let story = usual.detail(crate::flow::FlowId(0)).unwrap().story;
        assert!(story.contains("app[70] fd 3 has tried 3 keepalive probes, and has heard nothing for 2 h"), "{story}");
        for (first, second, expected) in [
            // Its own interval, or rest: so its own number of probes too, may be.
            ((2, 600, 74_400), (3, 14_600, 75_400), "3 keepalive probes tried in vain, every 15 s"),
            ((2, 600, 749_400), (3, 74_600, 750_400), "3 keepalive probes tried in vain, every 75 s"),
            ((9, 600, 7_874_400), (10, 74_600, 7_875_400), "10 keepalive probes tried in vain, every 75 s"),
            // What no reading caught.
            ((3, 70_000, 7_355_000), (3, 69_000, 7_356_000), "3 keepalive probes tried in vain"),
        ] {
            assert_eq!(told(&after(first, second)), [format!("{PATH}: {expected}")], "{first:?} {second:?}");
        }
        assert_eq!(told(&after((1, 600, 7_274_400), (2, 74_600, 7_275_400))), [""; 0], "two");
        let mut engine = usual;
        engine.feed(&reading(17_000, row(TcpState::Estab, 0, 7_200_000, 20)));
        assert_eq!(told(&engine), [""; 0], "it came back");
    }

    #[test]
    fn probes_that_the_capture_does_not_show_are_not_told_to_be_sent() {
        // Three probes 15 s apart, the third 0.4 s before the second reading: the first 30.4 s before it.
        let read = |engine: &mut Engine| {
            for (millis, probes, left) in [(60_000, 2, 600), (61_000, 3, 14_600)] {
                engine.feed(&reading(millis, row(TcpState::Estab, probes, left, millis as u64 - 20)));
            }
        };
        let answer = segment(20, SERVER, CLIENT, ".", 501, 101, 0);
        let shown = |extra: &[crate::wire::Segment]| {
            let mut engine = fed(handshake(0).into_iter().chain([answer]).chain(extra.iter().cloned()));
            read(&mut engine);
            (told(&engine).concat(), found(&engine).remove(0))
        };
        let (line, finding) = shown(&[]);
        assert_eq!(line, format!("{PATH}: 3 keepalive probes tried, none on the wire, every 15 s"));
        assert!(finding.why.contains("fail on this host itself"), "{}", finding.why);
        assert!(finding.remedy.contains("ip rule"), "{}", finding.remedy);
        assert_eq!(finding.confidence, Confidence::Medium);
        // All of them; the first alone, before the route went away.
        let sent = [30_600, 45_600, 60_600].map(|millis| segment(millis, CLIENT, SERVER, ".", 100, 501, 0));
        let (line, finding) = shown(&sent);
        assert_eq!(line, format!("{PATH}: 3 keepalive probes unanswered, every 15 s"));
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(shown(&sent[..1]).0, format!("{PATH}: 3 keepalive probes tried in vain, every 15 s"));
        // No capture; one that shows the peer's half alone.
        for segments in [vec![], vec![answer]] {
            let mut engine = fed(segments);
            read(&mut engine);
            let line = format!("{PATH}: 3 keepalive probes tried in vain, every 15 s");
            assert_eq!(told(&engine), [line]);
        }
    }

    #[test]
    fn a_timer_of_nobodys_socket_probes_nothing() {
        let mut engine = engine();
        for millis in [10_000, 20_000] {
            let nobodys = Socket { inode: None, ..row(TcpState::FinWait2, 5, 30_000, 30_000) };
            engine.feed(&reading(millis, nobodys));
        }
        assert_eq!(told(&engine), [""; 0]);
    }

    #[test]
    fn whoever_is_heard_on_the_wire_is_not_silent() {
        let mut engine = after((2, 600, 7_349_400), (3, 74_600, 7_350_400));
        assert_eq!(told(&engine).len(), 1);
        engine.feed(&Input::Segment(segment(17_000, SERVER, CLIENT, ".", 501, 101, 0)));
        assert_eq!(told(&engine), [""; 0], "though its kernel does not take it");
    }
}
