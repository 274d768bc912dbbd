//! Segments that wait for others change nothing of what is told, whenever it is asked.

use proptest::prelude::*;

use super::*;
use crate::engine::record::Record;
use crate::engine::table::Slot;

/// What one end does next: who, what, how many bytes, how much of what it heard it acknowledges, after how long.
type Step = (bool, u8, usize, u32, i64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((any::<bool>(), 0u8..24, 0usize..5, 0u32..4, 0i64..60), 1..60)
}

/// Segments of one flow, nearly all of them plain.
fn conversation(steps: &[Step], stamps: bool) -> Vec<Segment> {
    const LENS: [u32; 5] = [100, 1, 0, 1460, 70_000];
    let mut segments = handshake(0);
    let (mut nxt, mut acked, mut millis) = ([101u32, 501], [101u32, 501], 100);
    for (from_resp, kind, len, share, gap) in steps {
        let (own, peer) = (usize::from(*from_resp), usize::from(!*from_resp));
        let ends = if *from_resp { (SERVER, CLIENT) } else { (CLIENT, SERVER) };
        let len = LENS[*len];
        millis += gap;
        acked[peer] += (nxt[peer] - acked[peer]) * share / 3;
        let mut segment = segment(millis, ends.0, ends.1, "P.", nxt[own], acked[peer], len);
        segment.options.timestamps = stamps.then_some((millis as u32, acked[peer]));
        match kind {
            0 => segment.seq = Seq(nxt[own].wrapping_sub(len)),
            1 => segment.window = 0,
            2 => segment.window = 3,
            3 => segment.options.sack.push(Seq(nxt[peer]), Seq(nxt[peer] + 5)),
            4 => segment.ttl = 3,
            5 => segment.seq = Seq(nxt[own] + 50),
            6 => segment.ts = at(millis - 500),
            7 => segment.malformed = true,
            8 => segment.flags = Flags(0x1f0),
            9 if *gap == 7 => segment.flags = Flags::FIN | Flags::ACK,
            _ => {}
        }
        if *kind > 3 {
            nxt[own] = segment.end().0;
        }
        segments.push(segment);
    }
    segments
}

fn slot(engine: &Engine) -> Slot {
    engine.table.iter().next().map(|(slot, _)| slot).expect("a flow")
}

fn told(record: &Record) -> String {
    let course = record.course().expect("segments");
    let (counts, verdict) = (record.analysis_counts(), course.verdict.view());
    let sums = (record.lost(), record.retransmissions(), record.rate(), record.rtt());
    let times = record.timing().and_then(|timing| timing.view());
    format!("{:?} {:?} {:?} {counts:?} {verdict:?} {sums:?} {times:?}", course.zeek, course.timing, course.analysis)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn who_waits_is_told_like_who_does_not(
        steps in steps(),
        stamps in any::<bool>(),
        every in 1usize..9,
        // Of some the capture misses the beginning, or one direction.
        missed in prop_oneof![4 => Just(0usize), 1 => 1usize..6],
        missing in prop_oneof![4 => Just(None), 1 => Just(Some(CLIENT)), 1 => Just(Some(SERVER))],
    ) {
        let (mut waits, mut never) = (engine(), engine());
        let mut segments = conversation(&steps, stamps);
        segments.drain(..missed.min(segments.len()));
        segments.retain(|segment| missing != Some(segment.src.to_string().as_str()));
        prop_assume!(!segments.is_empty());
        for (number, segment) in segments.into_iter().enumerate() {
            let input = Input::Segment(segment);
            waits.feed(&input);
            never.feed(&input);
            let (slot, known) = (slot(&waits), slot(&never));
            never.table.get_mut(known).course_mut();
            if number % every == 0 {
                prop_assert_eq!(told(waits.table.get(slot)), told(never.table.get(known)));
            }
        }
        prop_assert_eq!(waits.detail(FlowId(0)), never.detail(FlowId(0)));
        waits.table.get_mut(slot(&waits)).course_mut();
        prop_assert_eq!(told(waits.table.get(slot(&waits))), told(never.table.get(slot(&never))));
    }
}

#[test]
fn segments_do_wait() {
    let steps: Vec<Step> = (0..20).map(|n| (n % 2 == 1, 20, 0, 3, 1)).collect();
    let waiting = |count: usize| {
        let mut engine = engine();
        conversation(&steps[..count], false).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
        let record = engine.table.get(slot(&engine));
        record.course.going().is_some_and(|course| !course.is_told_in_full())
    };
    assert!((0..20).any(waiting) && !(0..20).all(waiting));
}
