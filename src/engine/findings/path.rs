//! What one end of a connection sends and the path does not take: by ICMP errors, or because shorter segments behind it
//! arrive.

use std::time::Duration;

use crate::base::Timestamp;
use crate::findings::{Hindrance, PathWord, Run, SENT_IN_VAIN, Undelivered, has_waited};
use crate::flow::{Side, Unmoved};
use crate::kernel::TimerKind;

use super::super::Engine;
use super::super::path_errors::PathError;
use super::super::record::Record;
use super::super::table::Slot;
use super::holder;

/// So many are told of, at most, that nobody but their length tells of.
const MOST: usize = 1_024;
/// No try comes later than this after the one before, and what is over is told for a while (TCP_RTO_MAX).
const STALE: Duration = Run::PAUSE.saturating_add(Duration::from_secs(120));

/// Halves of which only long segments do not arrive, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(super) struct TooLong(Vec<(Slot, Side)>);

impl TooLong {
    /// Takes in those of a flow.
    pub(super) fn offer(&mut self, slot: Slot, record: &Record, now: Timestamp) {
        for side in Side::BOTH {
            if self.0.len() < MOST && too_long(record, side, now).is_some() {
                self.0.push((slot, side));
            }
        }
    }
}

impl Engine {
    pub(super) fn undelivered(&self, too_long: &TooLong, now: Timestamp) -> Vec<Undelivered> {
        let records = self.path_errors.iter().filter_map(|id| self.table.find_id(*id));
        let told = records.flat_map(|slot| Side::BOTH.map(|side| (slot, side)));
        let by_error = told.filter_map(|(slot, side)| self.told_undelivered(self.table.get(slot), side, now));
        let by_length = too_long.0.iter().filter_map(|(slot, side)| {
            let record = self.table.get(*slot);
            let silent = record.stands_in_its_way(*side).is_none();
            let unmoved = self::too_long(record, *side, now).filter(|_| silent)?;
            Some(self.as_undelivered(record, *side, Hindrance::Length, unmoved.since, Some(unmoved)))
        });
        by_error.chain(by_length).collect()
    }

    /// Whether what `side` sends is not delivered, by the rule of which the findings tell.
    pub(in super::super) fn is_undelivered(&self, record: &Record, side: Side) -> bool {
        let now = self.now.unwrap_or_default();
        too_long(record, side, now).is_some()
            || self.told_undelivered(record, side, now).is_some_and(|one| one.is_late(now))
    }

    fn told_undelivered(&self, record: &Record, side: Side, now: Timestamp) -> Option<Undelivered> {
        let error = record.stands_in_its_way(side)?;
        let unmoved = record.unmoved(side);
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
        Undelivered {
            flow: record.id,
            local: record.endpoint(side),
            peer: record.endpoint(side.peer()),
            by,
            since,
            again: unmoved.map_or(0, |unmoved| unmoved.times).max(by_kernel),
            len: unmoved.map(|unmoved| unmoved.len),
            pmtu: end.and_then(|end| end.socket.info.as_ref()?.pmtu),
            who: holder(&self.owner(record, side)),
        }
    }
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

fn too_long(record: &Record, side: Side, now: Timestamp) -> Option<Unmoved> {
    let unmoved = record.unmoved(side).filter(|unmoved| unmoved.shorter_arrive)?;
    let waits = unmoved.times >= SENT_IN_VAIN && has_waited(unmoved.times, unmoved.since, now);
    (waits && now.since(unmoved.last) <= STALE).then_some(unmoved)
}

impl Record {
    /// What `side` sends again and its peer does not acknowledge, by the wire.
    fn unmoved(&self, side: Side) -> Option<Unmoved> {
        let course = self.course.going().filter(|course| course.verdict.is_troubled() && !self.is_closed())?;
        course.verdict.unmoved(side)
    }
}

#[cfg(test)]
mod tests {
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
                segment.options.sack.push(Seq(left), Seq(right));
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
