//! Courses that are sealed, and made again, change nothing of what is told: whenever that is done, and whatever comes.

use proptest::prelude::*;

use super::*;
use crate::engine::account::UNSEALED;
use crate::engine::course::{Course, Told};
use crate::engine::record::Record;
use crate::engine::sealed::{Courses, TOGETHER};

/// Which flow, who of it, what, how many bytes, how much of what it heard it acknowledges, after how many milliseconds.
type Step = (u8, bool, u8, usize, u32, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![8 => 0i64..60, 1 => 900i64..4_000, 1 => 50_000i64..400_000];
    prop::collection::vec((0u8..2, any::<bool>(), 0u8..34, 0usize..5, 0u32..4, gap), 1..90)
}

/// Both ends of a flow as they stand.
#[derive(Debug, Clone, Copy)]
struct Talk {
    nxt: [u32; 2],
    acked: [u32; 2],
}

/// Segments of two flows on tuples of their own: they open, talk, lose, close, are reset and begin anew.
fn conversations(steps: &[Step], stamps: bool) -> Vec<Segment> {
    const LENS: [u32; 5] = [100, 1, 0, 1460, 70_000];
    let mut talks = [Talk { nxt: [100, u32::MAX - 500], acked: [100, u32::MAX - 500] }; 2];
    let mut millis = 0;
    steps
        .iter()
        .map(|(flow, from_resp, kind, len, share, gap)| {
            let talk = &mut talks[usize::from(*flow)];
            let client = ["10.0.0.2:40000", "10.0.0.2:40001"][usize::from(*flow)];
            let (own, peer) = (usize::from(*from_resp), usize::from(!*from_resp));
            let (src, dst) = if *from_resp { (SERVER, client) } else { (client, SERVER) };
            let len = LENS[*len];
            millis += gap;
            let heard = u64::from(talk.nxt[peer].wrapping_sub(talk.acked[peer])) * u64::from(*share) / 3;
            talk.acked[peer] = talk.acked[peer].wrapping_add(heard as u32);
            let (seq, ack) = (talk.nxt[own], talk.acked[peer]);
            let mut made = segment(millis, src, dst, "P.", seq, ack, len);
            // Some in whole microseconds, as most captures have it.
            made.ts = Timestamp::from_nanos(made.ts.nanos() + i64::from(*share) * i64::from(*kind) * 31);
            made.options = made.options.with_timestamps(stamps.then_some((millis as u32, ack)));
            match kind {
                0 => made.seq = Seq(seq.wrapping_sub(len)),
                1 => made.window = 0,
                2 => {
                    let next = Seq(talk.nxt[peer]);
                    made.options = made.options.with_sack_block(next, next + 5);
                }
                3 => made.ttl = 3,
                4 => made.seq = Seq(seq.wrapping_add(50)),
                5 => made.ts = at(millis - 500),
                6 => made.malformed = true,
                7 => made.seq = Seq(seq.wrapping_mul(7)),
                8 | 9 => made = segment(millis, src, dst, "S", seq, 0, 0),
                10 => made = segment(millis, src, dst, "S", seq.wrapping_mul(3), 0, 0),
                11..=13 => made = segment(millis, src, dst, "S.", seq, talk.nxt[peer], 0),
                14..=17 => made = segment(millis, src, dst, "F.", seq, talk.nxt[peer], len % 1_461),
                18 => made = segment(millis, src, dst, "R", seq, 0, 0),
                19 => made = segment(millis, src, dst, "R.", seq, talk.nxt[peer], 0),
                20..=24 => made = segment(millis, src, dst, ".", seq, talk.nxt[peer], 0),
                _ => {}
            }
            if *kind > 4 {
                talk.nxt[own] = made.end().0;
            }
            made
        })
        .collect()
}

/// Brings every record into one way of being kept.
fn all(engine: &mut Engine, mut keep: impl FnMut(&mut Record)) {
    let slots: Vec<_> = engine.table.iter().map(|(slot, _)| slot).collect();
    slots.into_iter().for_each(|slot| keep(engine.table.get_mut(slot)));
}

fn seal(record: &mut Record) {
    leave(record);
    if let Told::Over(courses, _) = &record.course {
        courses.seal(&mut Spare::default());
    }
}

/// Has it wait to be sealed.
fn leave(record: &mut Record) {
    if let Some(flow) = record.take_unsealed() {
        record.course = Told::Over(Courses::of(vec![flow]), 0);
    }
}

/// Everything that is told: the pane of flows, each flow in full, sorted by what a seal keeps.
fn told(engine: &Engine) -> String {
    let by = |by| Query { rows: 100, sort: Sort { by, reverse: false }, ..Query::default() };
    // The rows of what is sealed are asked for too.
    let sorted = [SortKey::Bytes, SortKey::Rate].map(|key| engine.dashboard(&by(key), &mut QueryCache::default()));
    let flows: Vec<_> = engine.flow_ids(&Filter::default()).into_iter().map(|id| engine.detail(id)).collect();
    let picked = ["conn_state:SF", "mark:retransmission", "lost>0"]
        .map(|text| Filter::parse(text).map(|filter| engine.flow_ids(&filter)));
    format!("{sorted:?} {flows:?} {picked:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn who_is_sealed_is_told_like_who_is_not(steps in steps(), stamps in any::<bool>(), every in 1usize..6) {
        let (mut sealed, mut left, mut never, mut by_itself) = (engine(), engine(), engine(), engine());
        for (number, segment) in conversations(&steps, stamps).into_iter().enumerate() {
            let input = Input::Segment(segment);
            for engine in [&mut sealed, &mut left, &mut never, &mut by_itself] {
                engine.feed(&input);
            }
            all(&mut never, |record| _ = record.course_mut());
            if number % every == 0 {
                all(&mut left, leave);
                all(&mut sealed, |record| {
                    seal(record);
                    _ = record.course_mut();
                });
            }
        }
        all(&mut sealed, seal);
        let expected = told(&never);
        prop_assert_eq!(&told(&sealed), &expected);
        prop_assert_eq!(&told(&left), &expected);
        prop_assert_eq!(&told(&by_itself), &expected);
    }

    #[test]
    fn totals_are_the_sums_of_the_flows(steps in steps(), stamps in any::<bool>(), every in 1usize..6) {
        let (mut sealed, mut never, mut by_itself) = (engine(), engine(), engine());
        for (number, segment) in conversations(&steps, stamps).into_iter().enumerate() {
            for engine in [&mut sealed, &mut never, &mut by_itself] {
                engine.feed(&Input::Segment(segment));
            }
            all(&mut never, |record| _ = record.course_mut());
            if number % every == 0 {
                all(&mut sealed, seal);
            }
            let resent = |engine: &Engine| -> u64 {
                engine.table.iter().filter_map(|(_, record)| record.retransmissions()).sum()
            };
            for engine in [&sealed, &never, &by_itself] {
                prop_assert_eq!(engine.tally.retransmissions, resent(engine));
                prop_assert_eq!(engine.tally.retransmissions, never.tally.retransmissions);
            }
        }
    }

    #[test]
    fn a_sealed_course_is_the_very_same(steps in steps(), stamps in any::<bool>()) {
        let mut engine = engine();
        for segment in conversations(&steps, stamps) {
            engine.feed(&Input::Segment(segment));
            for (_, record) in engine.table.iter() {
                let (flow, course) = (record.wire.as_ref().expect("segments"), record.course().expect("segments"));
                let ends = [record.orig, record.resp];
                let (analysis, verdict) = (course.analysis.counts(), course.verdict.view());
                let outline = record.outline().expect("segments");
                prop_assert_eq!((&outline.analysis, &outline.verdict), (&analysis, &verdict));
                let Some(over) = record.clone().take_unsealed() else { continue };
                // Behind another one.
                let (courses, rate) = (Courses::of(vec![over.clone(), over]), record.rate().expect("segments"));
                let parts = |course: &Course| {
                    let Course { analysis, verdict, timing, zeek } = course.clone();
                    (analysis, verdict, timing, zeek)
                };
                for is_sealed in [false, true] {
                    if is_sealed {
                        courses.seal(&mut Spare::default());
                    }
                    prop_assert_eq!(parts(&courses.course(1, flow, ends)), parts(&course));
                    prop_assert_eq!(&courses.zeek(1, flow, ends), &course.zeek);
                    let outline = courses.outline(1);
                    prop_assert_eq!((&outline.analysis, &outline.verdict), (&analysis, &verdict));
                    prop_assert_eq!(courses.rate(1, flow), rate);
                }
            }
        }
    }
}

#[test]
fn half_of_all_numbers_without_an_acknowledgment_come_round() {
    const LEN: u32 = 1 << 20;
    let mut engine = fed(handshake(0));
    let wrapped = (1 << 31) / LEN;
    for n in 0..wrapped + 20 {
        engine.feed(&Input::Segment(segment(20 + i64::from(n), CLIENT, SERVER, ".", 101 + n * LEN, 501, LEN)));
        let (_, record) = engine.table.iter().next().expect("a flow");
        assert_eq!(Some(engine.tally.retransmissions), record.retransmissions(), "at {n}");
        // As Wireshark compares: what is so far behind is ahead.
        assert_eq!(engine.tally.retransmissions > 0, n + 1 >= wrapped, "at {n}");
    }
}

/// A flow of twenty requests and answers between the server and this client, from handshake to close.
fn served(client: &str) -> Vec<Segment> {
    let of = |millis, back: bool, flags, seq, ack, len| {
        let (src, dst) = if back { (SERVER, client) } else { (client, SERVER) };
        segment(millis, src, dst, flags, seq, ack, len)
    };
    let data = |at: u32| {
        let back = at % 2 == 1;
        let [own, peer] = [at / 2, at.div_ceil(2)].map(|turns| turns * 100);
        let (seq, ack) = if back { (501 + own, 101 + peer) } else { (101 + own, 501 + peer) };
        of(i64::from(at) * 37 + 20, back, "P.", seq, ack, 100)
    };
    let open = [of(0, false, "S", 100, 0, 0), of(10, true, "S.", 500, 101, 0), of(11, false, ".", 101, 501, 0)];
    let close = [
        of(990, false, "F.", 1101, 1501, 0),
        of(1_000, true, "F.", 1501, 1102, 0),
        of(1_001, false, ".", 1102, 1502, 0),
    ];
    open.into_iter().chain((0..20).map(data)).chain(close).collect()
}

#[test]
fn flows_that_are_over_are_sealed_together_and_small() {
    let clients: Vec<String> = (0..TOGETHER).map(|n| format!("10.0.0.2:{}", 40_000 + n)).collect();
    let sealed = |engine: &Engine| -> Vec<usize> {
        let of = |record: &Record| {
            let Told::Over(courses, at) = &record.course else { return None };
            courses.seal(&mut Spare::default());
            courses.packed_in(*at)
        };
        engine.table.iter().filter_map(|(_, record)| of(record)).collect()
    };
    let mut engine = fed(clients[1..].iter().flat_map(|client| served(client)));
    assert!(sealed(&engine).is_empty(), "until there are some");
    served(&clients[0]).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
    assert!(
        sealed(&engine).len() == TOGETHER && sealed(&engine).iter().all(|held| *held < 200),
        "{:?}",
        sealed(&engine)
    );
    let last = *served(&clients[3]).last().expect("it closes");
    engine.feed(&Input::Segment(Segment { ts: at(2_000), ..last }));
    assert_eq!(sealed(&engine).len(), TOGETHER - 1, "what comes late is taken in");
    engine.feed(&Input::Tick(at(70_000)));
    assert_eq!(engine.over.len(), 1, "TIME-WAIT has ended: it will be sealed again");
}

#[test]
fn the_segments_are_packed_where_they_tell_it_in_few_bytes() {
    let packed = |change: &dyn Fn(usize, &mut Segment)| {
        let mut segments = served("10.0.0.2:40000");
        segments.iter_mut().enumerate().for_each(|(at, segment)| change(at, segment));
        let engine = fed(segments);
        let (_, record) = engine.table.iter().next().expect("a flow");
        let courses = Courses::of(vec![record.clone().take_unsealed().expect("it is over")]);
        courses.seal(&mut Spare::default());
        (courses.has_segments(0), courses.packed_in(0).expect("it is packed") <= 256)
    };
    assert_eq!(packed(&|_, _| {}), (true, true));
    assert_eq!(packed(&|at, segment| segment.ttl = 60 + u8::from(at == 9)), (true, true));
    assert_eq!(packed(&|at, segment| segment.window = if at == 9 { 100 } else { 500 }), (false, true), "it is filled");
    let any = |at: usize, segment: &mut Segment| {
        (segment.ttl, segment.window) = (40 + at as u8, 10_000 + at as u16);
        let stamps = ((at as u32).wrapping_mul(0x1234_5678), (at as u32).wrapping_mul(0x0765_4321));
        segment.options = segment.options.with_timestamps(stamps);
    };
    assert_eq!(packed(&any), (false, true), "a course takes less");
}

#[test]
fn who_gets_more_than_one_late_segment_is_sealed_again() {
    let client = |n: usize| format!("10.0.0.2:{}", 40_000 + n);
    let reset = |client: &str, millis| segment(millis, client, SERVER, "R.", 1_102, 1_502, 0);
    let mut engine = fed((0..TOGETHER).flat_map(|n| served(&client(n))));
    let sealed = |engine: &Engine| engine.table.iter().filter(|(_, record)| record.course.is_over()).count();
    assert_eq!(sealed(&engine), TOGETHER);
    for millis in [2_000, 2_100] {
        // The first ends TIME-WAIT, the second changes no state.
        engine.feed(&Input::Segment(reset(&client(0), millis)));
        assert_eq!((sealed(&engine), engine.over.len()), (TOGETHER - 1, 1), "at {millis}");
    }
    for n in 1..TOGETHER {
        engine.feed(&Input::Segment(reset(&client(n), 2_200)));
    }
    assert_eq!((sealed(&engine), engine.over.len()), (TOGETHER, 0), "with the others");
    engine.feed(&Input::Segment(reset(&client(0), 2_300)));
    assert_eq!((sealed(&engine), engine.over.len()), (TOGETHER - 1, 1), "no state changes, and yet");
}

#[test]
fn what_is_irregular_stays_as_it_is() {
    let mut engine = fed(handshake(0));
    let data = |millis, seq| Input::Segment(segment(millis, CLIENT, SERVER, "P.", seq, 501, 100));
    [data(20, 101), data(30, 301), data(300, 201)].iter().for_each(|input| engine.feed(input));
    engine.feed(&Input::Segment(segment(400, SERVER, CLIENT, "R.", 501, 401, 0)));
    let (_, record) = engine.table.iter().next().expect("a flow");
    assert!(record.is_closed() && record.course.going().is_some());
}

#[test]
fn what_flows_that_are_over_lay_in_serves_those_that_begin() {
    let clients = (0..(UNSEALED + 12) * TOGETHER).map(|n| format!("10.{}.{}.2:40000", n / 200, n % 200));
    let engine = fed(clients.flat_map(|client| served(&client)));
    assert_eq!(engine.spare.len(), TOGETHER, "of those sealed last: the others serve already");
}
