//! Courses that are sealed, and made again, change nothing of what is told: whenever that is done, and whatever comes.

use proptest::prelude::*;

use super::*;
use crate::engine::course::{Course, Told};
use crate::engine::sealed::Sealed;

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
            made.options.timestamps = stamps.then_some((millis as u32, ack));
            match kind {
                0 => made.seq = Seq(seq.wrapping_sub(len)),
                1 => made.window = 0,
                2 => made.options.sack.push(Seq(talk.nxt[peer]), Seq(talk.nxt[peer].wrapping_add(5))),
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
fn all(engine: &mut Engine, mut keep: impl FnMut(&mut crate::engine::record::Record)) {
    let slots: Vec<_> = engine.table.iter().map(|(slot, _)| slot).collect();
    slots.into_iter().for_each(|slot| keep(engine.table.get_mut(slot)));
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
        let (mut sealed, mut never, mut by_itself) = (engine(), engine(), engine());
        for (number, segment) in conversations(&steps, stamps).into_iter().enumerate() {
            let input = Input::Segment(segment);
            for engine in [&mut sealed, &mut never, &mut by_itself] {
                engine.feed(&input);
            }
            all(&mut never, |record| _ = record.course_mut());
            if number % every == 0 {
                all(&mut sealed, |record| {
                    record.seal();
                    _ = record.course_mut();
                });
            }
        }
        all(&mut sealed, |record| record.seal());
        let expected = told(&never);
        prop_assert_eq!(&told(&sealed), &expected);
        prop_assert_eq!(&told(&by_itself), &expected);
    }

    #[test]
    fn a_sealed_course_is_the_very_same(steps in steps(), stamps in any::<bool>()) {
        let mut engine = engine();
        for segment in conversations(&steps, stamps) {
            engine.feed(&Input::Segment(segment));
            for (_, record) in engine.table.iter() {
                let (flow, course) = (record.wire.as_ref().expect("segments"), record.course().expect("segments"));
                if Sealed::can_hold(&course) {
                    let (sealed, parts) = (Sealed::of(&mut course.clone().into_owned(), flow), |course: &Course| {
                        let Course { rate, analysis, verdict, timing, zeek, .. } = course.clone();
                        (rate, analysis, verdict, timing, zeek)
                    });
                    prop_assert_eq!(parts(&sealed.course(flow)), parts(&course));
                    prop_assert_eq!(&sealed.zeek(flow), &course.zeek);
                    prop_assert_eq!(sealed.sums(flow).1.counts(), course.analysis.counts());
                }
            }
        }
    }
}

#[test]
fn a_flow_that_is_over_is_sealed_and_small() {
    let is_sealed = |engine: &Engine| {
        let (_, record) = engine.table.iter().next().expect("a flow");
        match &record.course {
            Told::Over(sealed) => Some(sealed.held()),
            _ => None,
        }
    };
    let mut engine = fed(handshake(0));
    let data = |at: u32| {
        let back = at % 2 == 1;
        let ends = if back { (SERVER, CLIENT) } else { (CLIENT, SERVER) };
        let [own, peer] = [at / 2, at.div_ceil(2)].map(|turns| turns * 100);
        let (seq, ack) = if back { (501 + own, 101 + peer) } else { (101 + own, 501 + peer) };
        segment(i64::from(at) * 37 + 20, ends.0, ends.1, "P.", seq, ack, 100)
    };
    (0..20).for_each(|at| engine.feed(&Input::Segment(data(at))));
    assert_eq!(is_sealed(&engine), None, "it goes on");
    engine.feed(&Input::Segment(segment(990, CLIENT, SERVER, "F.", 1101, 1501, 0)));
    engine.feed(&Input::Segment(segment(1_000, SERVER, CLIENT, "F.", 1501, 1102, 0)));
    let last = segment(1_001, CLIENT, SERVER, ".", 1102, 1502, 0);
    engine.feed(&Input::Segment(last));
    assert!(is_sealed(&engine).is_some_and(|held| held <= 220), "{:?}", is_sealed(&engine));
    engine.feed(&Input::Segment(Segment { ts: at(2_000), ..last }));
    assert_eq!(is_sealed(&engine), None, "a late segment is taken in");
    engine.feed(&Input::Tick(at(70_000)));
    assert!(is_sealed(&engine).is_some(), "until TIME-WAIT ends");
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
