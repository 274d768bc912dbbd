//! What one end of a connection sends and the path does not take: by ICMP errors, or because shorter segments behind it
//! arrive.

use std::time::Duration;

use crate::base::Timestamp;
use crate::findings::{Hindered, Hindrance, PathWord, Run, Undelivered, has_waited};
use crate::flow::{Side, Unmoved};
use crate::kernel::{Limits, TimerKind};

use super::super::Engine;
use super::super::path_errors::{MOST, PathError};
use super::super::record::Record;
use super::super::table::Slot;
use super::bounded::Bounded;
use super::holder;
use super::silent::{HEADERS, LEAST_MTU};

/// What takes less is no IPv4 link (RFC 791 §3.2), bytes, and what of it IPv4's and TCP's headers are at least.
const LEAST_MTU_V4: u32 = 68;
const HEADERS_V4: u32 = 40;
/// What an Ethernet's segment brings at most, where no MSS was seen; and what options take of it at most.
const USUAL_MSS: u32 = 1_460;
const MOST_OPTIONS: u32 = 40;

/// No try comes later than this after the one before, and what is over is told for a while.
const STALE: Duration = Run::PAUSE.saturating_add(Limits::RTO_MAX);

/// Halves of which only long segments do not arrive, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(super) struct TooLong(Bounded<(Slot, Side, Unmoved)>);

impl TooLong {
    /// Takes in those of a flow.
    pub(super) fn offer(&mut self, slot: Slot, record: &Record, now: Timestamp) {
        if !self.0.more() {
            let of = |side| too_long(record, side, now).map(|unmoved| (slot, side, unmoved));
            self.0.extend(Side::BOTH.into_iter().filter_map(of));
        }
    }
}

impl Engine {
    pub(super) fn undelivered(&self, too_long: &TooLong, now: Timestamp) -> Hindered {
        let records = self.path_errors.iter().filter_map(|id| self.table.find_id(*id));
        let told = records.flat_map(|slot| Side::BOTH.map(|side| (slot, side)));
        let by_error = told.filter_map(|(slot, side)| self.told_undelivered(self.table.get(slot), side, now));
        let by_length = too_long.0.iter().filter_map(|(slot, side, unmoved)| {
            let record = self.table.get(*slot);
            let silent = self.told_undelivered(record, *side, now).is_none();
            silent.then(|| self.as_undelivered(record, *side, Hindrance::Length, unmoved.since, Some(*unmoved)))
        });
        // Those that had to go may have errors that still stand.
        let more = too_long.0.more() || self.path_errors.len() == MOST;
        Hindered { all: by_error.chain(by_length).collect(), more }
    }

    /// Whether what `side` sends is not delivered, by the rule of which the findings tell.
    pub(in super::super) fn is_undelivered(&self, record: &Record, side: Side) -> bool {
        let now = self.now.unwrap_or_default();
        too_long(record, side, now).is_some()
            || self.told_undelivered(record, side, now).is_some_and(|one| one.is_late(now))
    }

    fn told_undelivered(&self, record: &Record, side: Side, now: Timestamp) -> Option<Undelivered> {
        let unmoved = record.unmoved(side);
        let error =
            record.stands_in_its_way(side).filter(|error| hinders(error, unmoved.as_ref(), mss(record, side)))?;
        let latest = unmoved.map_or(error.last, |unmoved| unmoved.last.max(error.last));
        let since = unmoved.map_or(error.first, |unmoved| unmoved.since.min(error.first));
        let hindrance = Hindrance::Told(word(&error));
        (now.since(latest) <= STALE).then(|| self.as_undelivered(record, side, hindrance, since, unmoved))
    }

    fn as_undelivered(
        &self,
        record: &Record,
        side: Side,
        by: Hindrance,
        since: Timestamp,
        unmoved: Option<Unmoved>,
    ) -> Undelivered {
        let end = record.end(side).filter(|end| end.is_there());
        let timer = end.and_then(|end| end.socket.timer).filter(|timer| timer.kind == TimerKind::On);
        let by_kernel = timer.map_or(0, |timer| timer.retries.into());
        let by_wire = unmoved.map_or(0, |unmoved| unmoved.times);
        Undelivered {
            flow: record.id,
            local: record.endpoint(side),
            peer: record.endpoint(side.peer()),
            by,
            since,
            again: by_wire.max(by_kernel),
            oftener: by_wire >= by_kernel && unmoved.is_some_and(|unmoved| unmoved.more),
            len: unmoved.map(|unmoved| unmoved.len),
            pmtu: end.and_then(|end| end.socket.info.as_ref()?.pmtu),
            who: holder(&self.owner(record, side)),
        }
    }
}

/// Whether an error tells why what was quoted does not arrive: that it cannot get there, or that it was too big for a
/// link and is sent again no shorter. Of frames longer than the MSS the capture does not show how they were cut.
fn hinders(error: &PathError, again: Option<&Unmoved>, mss: u32) -> bool {
    let PathError { error: said, mtu, last, .. } = *error;
    if !said.is_too_big() {
        return said.is_unreachable() || said.is_too_far();
    }
    let (least, headers) = if said.v6 { (LEAST_MTU, HEADERS) } else { (LEAST_MTU_V4, HEADERS_V4) };
    again.filter(|again| again.len <= mss).is_some_and(|again| match mtu {
        Some(mtu) => mtu >= least && again.len + headers > mtu,
        // Which of them it was about is told by when it came.
        None => last >= again.last,
    })
}

/// How much the peer of `side` takes in a segment.
fn mss(record: &Record, side: Side) -> u32 {
    let offered = record.wire.as_ref().and_then(|flow| flow.handshake().offered[side.peer().index()]?.mss);
    offered.map_or(USUAL_MSS, u32::from)
}

fn word(error: &PathError) -> PathWord {
    PathWord {
        by: error.from,
        says: error.error.meaning(),
        too_big: error.error.is_too_big(),
        mtu: error.mtu,
        count: error.count,
    }
}

/// What `side` sends again, where only shorter segments arrive: a full one, longer than what every link takes, of a half
/// of which none as long is known to have arrived.
fn too_long(record: &Record, side: Side, now: Timestamp) -> Option<Unmoved> {
    let unmoved = record.unmoved(side).filter(|unmoved| unmoved.shorter_arrive)?;
    let mss = mss(record, side);
    let full = unmoved.len <= mss && unmoved.len + MOST_OPTIONS >= mss && unmoved.len + HEADERS > LEAST_MTU;
    if !full || record.known_course()?.timing.has_delivered_full(side) {
        return None;
    }
    (has_waited(unmoved.times, unmoved.since, now) && now.since(unmoved.last) <= STALE).then_some(unmoved)
}

impl Record {
    /// What `side` sends again and its peer does not acknowledge, by the wire.
    fn unmoved(&self, side: Side) -> Option<Unmoved> {
        self.troubled_course()?.verdict.unmoved(side)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::path_errors::MOST;
    use super::super::super::tests::*;
    use super::super::super::{Engine, FlowId, Input};
    use crate::base::{Scope, Seq};
    use crate::findings::{Finding, Kind};
    use crate::wire::{IcmpError, IcmpQuote, Segment};

    const HOST: u8 = 1;
    const TOO_BIG: u8 = 4;

    fn quote(millis: i64, code: u8, seq: u32) -> Input {
        Input::Icmp(IcmpQuote {
            ts: at(millis),
            scope: Scope::FILE,
            from: [10, 0, 0, 1].into(),
            error: IcmpError { v6: false, kind: 3, code },
            src: end(CLIENT),
            dst: end(SERVER),
            seq: Seq(seq),
            flags: None,
            mtu: (code == TOO_BIG).then_some(1_400),
        })
    }

    /// An answered request, then one of 1,448 bytes at a second, so often sent again at gaps that double from 300 ms on; at
    /// each an error follows. Then the clock stands at 7 s.
    fn engine_with(code: u8, again: u32, seq: u32) -> Engine {
        let mut engine = fed(handshake(0).into_iter().chain([
            segment(20, CLIENT, SERVER, "P.", 101, 501, 100),
            segment(30, SERVER, CLIENT, "P.", 501, 201, 50),
            segment(31, CLIENT, SERVER, ".", 201, 551, 0),
        ]));
        for nth in 0..=again {
            let millis = 1_000 + 300 * ((1 << nth) - 1);
            engine.feed(&Input::Segment(long(millis)));
            engine.feed(&quote(millis + 5, code, seq));
        }
        engine.feed(&Input::Tick(at(7_000)));
        engine
    }

    fn long(millis: i64) -> Segment {
        segment(millis, CLIENT, SERVER, ".", 201, 551, 1_448)
    }

    fn found(engine: &Engine) -> Vec<Finding> {
        show(engine).findings
    }

    fn told(engine: &Engine) -> Vec<(Kind, String)> {
        found(engine).into_iter().map(|finding| (finding.kind, finding.told)).collect()
    }

    #[test]
    fn errors_about_what_waits_are_told_until_it_is_acknowledged() {
        let ack = |millis| Input::Segment(segment(millis, SERVER, CLIENT, ".", 551, 1_649, 0));
        for (code, kind, line) in [
            (
                HOST,
                Kind::PathUnreachable,
                "host unreachable, says 10.0.0.1 (4 times); not acknowledged for 6 s, sent again 3 times",
            ),
            (
                TOO_BIG,
                Kind::PathMtu,
                "at most 1,400 bytes, says 10.0.0.1 (4 times); not acknowledged for 6 s, sent again 3 times",
            ),
        ] {
            let mut engine = engine_with(code, 3, 201);
            assert_eq!(told(&engine), [(kind, line.to_owned())], "and not as silent besides");
            assert_eq!(found(&engine)[0].subject.to_string(), "10.0.0.2 → 10.0.0.5");
            let detail = engine.detail(FlowId(0)).unwrap();
            assert_eq!(detail.in_vain, [true, false]);
            assert!(detail.story.contains("By ICMP, of what 10.0.0.2:40000 sends, 10.0.0.1: "), "{}", detail.story);
            engine.feed(&ack(7_100));
            assert_eq!(told(&engine), [], "it got through");
            let detail = engine.detail(FlowId(0)).unwrap();
            assert!(detail.path_errors[0].is_some_and(|error| error.count == 4), "what was said stays with the flow");
        }
    }

    #[test]
    fn path_mtu_discovery_at_work_is_nothing_wrong() {
        let mut engine = engine_with(TOO_BIG, 0, 201);
        // The clock stands at 7 s: it took so long to learn.
        for segment in [
            segment(7_100, CLIENT, SERVER, ".", 201, 551, 1_348),
            segment(7_101, CLIENT, SERVER, ".", 1_549, 551, 100),
            segment(7_110, SERVER, CLIENT, ".", 551, 1_649, 0),
        ] {
            engine.feed(&Input::Segment(segment));
        }
        engine.feed(&Input::Tick(at(20_000)));
        assert_eq!(told(&engine), []);
    }

    #[test]
    fn what_is_sent_again_no_longer_than_was_told_is_not_too_long() {
        let kinds = |mtu: Option<u32>, again: &[(i64, u32)], late: bool| {
            let quoted = |millis| match quote(millis, TOO_BIG, 201) {
                Input::Icmp(quote) => Input::Icmp(IcmpQuote { mtu, ..quote }),
                other => other,
            };
            let mut engine = engine_with(TOO_BIG, 0, 150);
            feed_all(&mut engine, [Input::Segment(long(8_000)), quoted(8_005)]);
            for (millis, len) in again {
                engine.feed(&Input::Segment(segment(*millis, CLIENT, SERVER, ".", 201, 551, *len)));
                if late {
                    engine.feed(&quoted(millis + 5));
                }
            }
            engine.feed(&Input::Tick(at(17_000)));
            found(&engine).into_iter().map(|finding| finding.kind).collect::<Vec<_>>()
        };
        let copies = |len| [(8_300, len), (8_900, len), (10_100, len)];
        assert_eq!(kinds(Some(1_400), &copies(1_448), false), [Kind::PathMtu]);
        assert_eq!(kinds(Some(1_400), &copies(1_361), false), [Kind::PathMtu]);
        assert_eq!(kinds(Some(1_400), &copies(1_360), false), [Kind::PeerSilent], "the copies fit");
        assert_eq!(kinds(Some(1_400), &copies(2_720), false), [Kind::PeerSilent], "how they are cut is not seen");
        assert_eq!(kinds(Some(67), &copies(1_448), true), [Kind::PeerSilent], "no link is so narrow");
        assert_eq!(kinds(Some(68), &copies(1_448), true), [Kind::PathMtu]);
        assert_eq!(kinds(None, &copies(1_448), true), [Kind::PathMtu]);
        assert_eq!(kinds(None, &copies(1_448), false), [Kind::PeerSilent], "of the copies nobody says so");
    }

    #[test]
    fn an_error_where_the_peer_is_never_heard_hinders_nothing() {
        for (code, heard, expected) in [(HOST, false, 0), (HOST, true, 1), (TOO_BIG, false, 0)] {
            let syn = segment(0, CLIENT, SERVER, "S", 100, 0, 0);
            let answer = segment(10, SERVER, CLIENT, "S.", 500, 101, 0);
            let begin = [syn].into_iter().chain(heard.then_some(answer));
            let mut engine = fed(begin.chain([segment(20, CLIENT, SERVER, ".", 101, 501, 0)]));
            let sent = |millis, seq, len| Input::Segment(segment(millis, CLIENT, SERVER, ".", seq, 501, len));
            feed_all(&mut engine, [sent(1_000, 101, 1_448), quote(1_005, code, 101), sent(1_010, 101, 1_348)]);
            feed_all(&mut engine, [sent(1_011, 1_449, 100), sent(2_000, 1_549, 100), Input::Tick(at(9_000))]);
            assert_eq!(told(&engine).len(), expected, "{code} {heard}: {:?}", told(&engine));
            assert!(engine.detail(FlowId(0)).unwrap().path_errors[0].is_some(), "what was said stays with the flow");
        }
    }

    #[test]
    fn errors_about_a_flow_that_moves_all_the_time_are_no_long_wait() {
        let mut engine = fed(handshake(0));
        // Of each two segments one is refused at first, when the one before it is not yet acknowledged.
        for nth in 0..40u32 {
            let (millis, seq) = (1_000 + i64::from(nth) * 250, 101 + nth * 100);
            engine.feed(&Input::Segment(segment(millis, CLIENT, SERVER, "P.", seq, 501, 100)));
            engine.feed(&quote(millis + 5, HOST, seq));
            if nth > 0 {
                engine.feed(&Input::Segment(segment(millis + 10, CLIENT, SERVER, "P.", seq - 100, 501, 100)));
                engine.feed(&Input::Segment(segment(millis + 20, SERVER, CLIENT, ".", 501, seq, 0)));
            }
        }
        engine.feed(&Input::Tick(at(11_000)));
        assert_eq!(told(&engine), []);
        engine.feed(&quote(11_100, HOST, 4_001));
        let error = engine.detail(FlowId(0)).unwrap().path_errors[0].unwrap();
        assert_eq!((error.count, error.first), (2, at(10_755)), "those about what arrived are over");
        engine.feed(&Input::Tick(at(16_500)));
        assert_eq!(told(&engine).len(), 1, "the last one waits");
    }

    #[test]
    fn only_what_cannot_get_there_is_a_path_that_does_not_take_it() {
        for (kind, code, expected) in [
            (3, HOST, Kind::PathUnreachable),
            (11, 0, Kind::PathUnreachable),
            (11, 1, Kind::PeerSilent),
            (12, 0, Kind::PeerSilent),
        ] {
            let mut engine = engine_with(HOST, 3, 150);
            let Input::Icmp(quote) = quote(7_001, code, 201) else { unreachable!() };
            engine.feed(&Input::Icmp(IcmpQuote { error: IcmpError { v6: false, kind, code }, ..quote }));
            engine.feed(&Input::Tick(at(7_100)));
            assert_eq!(found(&engine)[0].kind, expected, "{kind} {code}");
            assert!(engine.detail(FlowId(0)).unwrap().path_errors[0].is_some(), "it is with the flow");
        }
    }

    #[test]
    fn a_flow_that_others_pushed_out_is_told_again_once_an_error_comes() {
        let mut engine = engine_with(HOST, 3, 201);
        for nth in 0..MOST {
            let other = format!("10.1.{}.{}:40000", nth / 250, nth % 250 + 1);
            feed_all(
                &mut engine,
                [
                    segment(7_000, &other, SERVER, "S", 100, 0, 0),
                    segment(7_001, SERVER, &other, "S.", 500, 101, 0),
                    segment(7_002, &other, SERVER, "P.", 101, 501, 100),
                ]
                .map(Input::Segment),
            );
            let Input::Icmp(about) = quote(7_010, HOST, 101) else { unreachable!() };
            engine.feed(&Input::Icmp(IcmpQuote { src: end(&other), ..about }));
        }
        let first =
            |engine: &Engine| found(engine).into_iter().find(|one| one.subject.to_string().starts_with("10.0.0.2 "));
        engine.feed(&Input::Tick(at(8_000)));
        assert!(first(&engine).is_none_or(|one| one.kind != Kind::PathUnreachable), "it was pushed out");
        engine.feed(&quote(8_100, HOST, 201));
        let told = first(&engine).unwrap().told;
        let line = "at least 1 connection, host unreachable, says 10.0.0.1 (5 times); not acknowledged for 7 s";
        assert!(told.starts_with(line), "{told}");
    }

    #[test]
    fn what_is_not_on_its_way_was_not_meant() {
        for seq in [150, 199, 1_649, 5_000] {
            let engine = engine_with(HOST, 3, seq);
            assert_eq!(engine.detail(FlowId(0)).unwrap().path_errors, [None, None], "{seq}");
            assert_eq!(found(&engine)[0].kind, Kind::PeerSilent);
        }
        assert!(engine_with(HOST, 3, 200).detail(FlowId(0)).unwrap().path_errors[0].is_some(), "a keep-alive's number");
    }

    #[test]
    fn where_nobody_says_so_the_length_does() {
        let begin = || {
            let mut engine = fed(handshake(0));
            let sack = |millis, left, right| {
                let mut segment = segment(millis, SERVER, CLIENT, ".", 501, 101, 0);
                segment.options = segment.options.with_sack_block(Seq(left), Seq(right));
                Input::Segment(segment)
            };
            engine.feed(&Input::Segment(segment(1_000, CLIENT, SERVER, ".", 101, 501, 1_448)));
            engine.feed(&Input::Segment(segment(1_001, CLIENT, SERVER, "P.", 1_549, 501, 200)));
            engine.feed(&sack(1_020, 1_549, 1_749));
            for nth in 1..=4 {
                let millis = 1_000 + 300 * ((1 << nth) - 1);
                engine.feed(&Input::Segment(segment(millis, CLIENT, SERVER, ".", 101, 501, 1_448)));
            }
            engine.feed(&Input::Tick(at(7_000)));
            (engine, sack(7_010, 1_549, 3_197))
        };
        let (engine, _) = begin();
        let line = "1,448 bytes at once do not arrive and fewer do, for 5 s, sent again 4 times";
        assert_eq!(told(&engine), [(Kind::PathMtu, line.to_owned())]);
        assert_eq!(engine.detail(FlowId(0)).unwrap().in_vain, [true, false]);
        let (mut engine, arrived) = begin();
        engine.feed(&Input::Segment(segment(7_000, CLIENT, SERVER, ".", 1_749, 501, 1_448)));
        engine.feed(&arrived);
        assert_eq!(told(&engine), [], "one as long arrived: it was chance");
    }

    #[test]
    fn a_segment_that_chance_may_explain_is_not_too_long() {
        let finds = |mss: Option<u16>, len: u32, before: u32| {
            let mut shakes = handshake(0);
            shakes[1].options = shakes[1].options.with_mss(mss);
            let mut engine = fed(shakes);
            let start = 101 + before;
            if before > 0 {
                engine.feed(&Input::Segment(segment(500, CLIENT, SERVER, ".", 101, 501, before)));
                engine.feed(&Input::Segment(segment(520, SERVER, CLIENT, ".", 501, start, 0)));
            }
            let sent = |millis| Input::Segment(segment(millis, CLIENT, SERVER, ".", start, 501, len));
            let mut sack = segment(1_020, SERVER, CLIENT, ".", 501, start, 0);
            sack.options = sack.options.with_sack_block(Seq(start + len), Seq(start + len + 20));
            let behind = segment(1_001, CLIENT, SERVER, "P.", start + len, 501, 20);
            feed_all(&mut engine, [sent(1_000), Input::Segment(behind), Input::Segment(sack)]);
            feed_all(&mut engine, (1..=4).map(|nth| sent(1_000 + 300 * ((1 << nth) - 1))));
            engine.feed(&Input::Tick(at(7_000)));
            found(&engine).iter().any(|finding| finding.kind == Kind::PathMtu)
        };
        assert!(finds(Some(1_460), 1_448, 0) && finds(None, 1_448, 0) && finds(Some(1_460), 1_448, 1_200));
        assert!(!finds(Some(1_460), 1_448, 1_440), "one as long arrived before");
        assert!(!finds(Some(1_460), 2_896, 0) && !finds(None, 2_896, 0), "an offload's frame");
        assert!(!finds(Some(1_460), 50, 0) && !finds(Some(536), 536, 0), "every link takes that");
        assert!(finds(Some(1_221), 1_221, 0) && !finds(Some(1_220), 1_220, 0));
        assert!(!finds(Some(8_960), 1_448, 0), "not as long as it may be");
    }

    #[test]
    fn a_silent_peer_that_never_had_so_long_a_segment_may_be_behind_a_narrow_link() {
        let silent = |len: u32| {
            let again = (0..=3).map(|nth| segment(1_000 + 300 * ((1 << nth) - 1), CLIENT, SERVER, ".", 101, 501, len));
            let mut engine = fed(handshake(0).into_iter().chain(again));
            engine.feed(&Input::Tick(at(7_000)));
            found(&engine).remove(0).why
        };
        assert!(silent(1_448).contains("takes no segment of 1448 bytes"), "{}", silent(1_448));
        assert!(!silent(1_200).contains("takes no segment"), "every link takes that");
        let why = &found(&engine_with(HOST, 3, 5_000))[0].why;
        assert!(why.contains("takes no segment of 1448"), "less was acknowledged: {why}");
    }
}
