//! The one law, on a whole capture: the engine's state is a function of the ordered inputs, however they are handed
//! over, and sequence numbers mean nothing but their differences.
//!
//! Pure: reads the incident of tests/captures. Read first: `engine`, RFC 9293 §3.4 (sequence numbers wrap).

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use sockscope::base::{Endpoint, Seq, Timestamp};
use sockscope::engine::{Config, Dashboard, Engine, Filter, FlowDetail, Input, Query, QueryCache};
use sockscope::wire::{Decoded, Decoder, Segment};

#[path = "support/incident.rs"]
mod incident;

static INCIDENT: LazyLock<Vec<Segment>> = LazyLock::new(|| {
    let mut reader = incident::reader();
    let mut segments = Vec::new();
    let mut decoder = Decoder::default();
    while let Some(frame) = reader.next_frame().expect("it is whole") {
        if let Decoded::Tcp(segment) = decoder.decode(&frame) {
            segments.push(segment);
        }
    }
    assert!(segments.len() > 5_000, "enough to mean something");
    segments
});

/// The same as the engine takes it in.
static INPUTS: LazyLock<Vec<Input>> = LazyLock::new(|| INCIDENT.iter().copied().map(Input::Segment).collect());

/// Everything that an engine can be asked: the dashboard with every row, and every flow in full.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    dashboard: Dashboard,
    flows: Vec<FlowDetail>,
}

fn engine() -> Engine {
    engine_of(100_000)
}

fn engine_of(flows: usize) -> Engine {
    // A key of its own each time: the order of a hash must not show.
    use std::hash::{BuildHasher, RandomState};
    Engine::new(Config::replay(flows, RandomState::new().hash_one(0)))
}

fn told(engine: &Engine) -> Told {
    let query = Query { rows: 100_000, ..Query::default() };
    let flows = engine.flow_ids(&Filter::default()).into_iter().filter_map(|id| engine.detail(id)).collect();
    Told { dashboard: engine.dashboard(&query, &mut QueryCache::default()), flows }
}

fn fed(segments: &[Segment]) -> Engine {
    let mut engine = engine();
    for segment in segments {
        engine.feed(&Input::Segment(*segment));
    }
    engine
}

/// Fails with what differs, not with two dashboards in full.
#[track_caller]
fn assert_same(one: &Told, other: &Told, what: &str) {
    for (one, other) in one.flows.iter().zip(&other.flows) {
        assert_eq!(one, other, "{what}");
    }
    assert_eq!(one.flows.len(), other.flows.len(), "{what}");
    assert!(one == other, "{what}: {:#?}\n{:#?}", one.dashboard.totals, other.dashboard.totals);
}

static STRAIGHT: LazyLock<Told> = LazyLock::new(|| told(&fed(&INCIDENT)));

#[test]
fn the_incident_holds_what_these_tests_need() {
    let has = |test: fn(&FlowDetail) -> bool| STRAIGHT.flows.iter().filter(|flow| test(flow)).count();
    assert!(has(|flow| flow.row.closed) > 0 && has(|flow| !flow.row.closed) > 100);
    assert!(has(|flow| flow.handshake.is_some_and(|handshake| handshake.syn_retries > 0)) > 5);
    assert!(INCIDENT.iter().any(|segment| segment.options.has_sack()), "SACK blocks");
    assert!(INCIDENT.iter().any(|segment| segment.flags.rst()), "RSTs");
}

#[test]
fn another_run_and_another_hash_key_tell_the_same() {
    assert_same(&told(&fed(&INCIDENT)), &STRAIGHT, "a second run");
}

#[test]
fn to_ask_changes_nothing() {
    let mut engine = engine();
    let mut cache = QueryCache::default();
    for (at, segment) in INCIDENT.iter().enumerate() {
        engine.feed(&Input::Segment(*segment));
        if at % 500 == 0 {
            engine.dashboard(&Query { rows: 50, offset: at / 20, ..Query::default() }, &mut cache);
        }
    }
    assert_same(&told(&engine), &STRAIGHT, "asked in between");
}

#[test]
fn in_two_halves_by_way_of_a_fork() {
    for at in [1, INCIDENT.len() / 3, INCIDENT.len() / 2, INCIDENT.len() - 1] {
        let (first, second) = (&INCIDENT[..at], &INPUTS[at..]);
        let mut original = fed(first);
        let before = told(&original);
        let mut fork = original.fork();
        fork.feed_batch(second);
        assert_same(&told(&fork), &STRAIGHT, "the fork went on");
        assert_same(&told(&original), &before, "the original is untouched by its fork");
        original.feed_batch(second);
        assert_same(&told(&original), &STRAIGHT, "the original went on");
    }
}

#[test]
fn every_prefix_is_what_a_straight_run_showed_there() {
    let mut straight = engine();
    for (at, segment) in INCIDENT.iter().enumerate() {
        straight.feed(&Input::Segment(*segment));
        if at % 1_500 == 700 {
            // What a jump to this instant does: from the start again, up to it.
            let mut again = engine();
            again.feed_batch(&INPUTS[..=at]);
            assert_same(&told(&again), &told(&straight), "a jump");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn in_batches_of_any_size(sizes in prop::collection::vec(1_usize..2_000, 1..30)) {
        let mut engine = engine();
        let mut rest = &INPUTS[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at((*size).min(rest.len()));
            engine.feed_batch(batch);
            rest = after;
        }
        assert_same(&told(&engine), &STRAIGHT, "in batches");
    }

    #[test]
    fn with_ticks_at_any_time(shares in prop::collection::vec(0_u8..=255, 1..200)) {
        let mut engine = engine();
        for (segment, share) in INCIDENT.iter().zip(shares.iter().cycle()) {
            if let Some(now) = engine.now().filter(|now| *now < segment.ts) && share % 3 > 0 {
                let gap = segment.ts.since(now);
                engine.feed(&Input::Tick(now + gap.mul_f64(f64::from(*share) / 255.0)));
                engine.feed(&Input::Tick(segment.ts));
            }
            engine.feed(&Input::Segment(*segment));
        }
        assert_same(&told(&engine), &STRAIGHT, "with ticks");
    }
}

#[test]
fn many_small_ticks_are_one_large_one() {
    let end = INCIDENT.last().expect("segments").ts + Duration::from_secs(180);
    let (mut one, mut many) = (fed(&INCIDENT), fed(&INCIDENT));
    one.feed(&Input::Tick(end));
    while let Some(now) = many.now().filter(|now| *now < end) {
        many.feed(&Input::Tick((now + Duration::from_millis(137)).min(end)));
    }
    assert_same(&told(&many), &told(&one), "three minutes on");
    assert_ne!(told(&one).dashboard.states, STRAIGHT.dashboard.states, "time did something");
}

type Direction = (Endpoint, Endpoint);

/// By how much the numbers of each direction are to be shifted, so that its first is `target`.
fn shifts(segments: &[Segment], target: u32) -> HashMap<Direction, u32> {
    let mut shifts = HashMap::new();
    for segment in segments {
        shifts.entry((segment.src, segment.dst)).or_insert_with(|| target.wrapping_sub(segment.seq.0));
    }
    // What is only ever acknowledged has numbers too.
    for segment in segments.iter().filter(|segment| segment.flags.ack()) {
        shifts.entry((segment.dst, segment.src)).or_insert_with(|| target.wrapping_sub(segment.ack.0));
    }
    shifts
}

fn shifted(segment: &Segment, shifts: &HashMap<Direction, u32>) -> Segment {
    let by = |direction| shifts.get(&direction).copied().unwrap_or_default();
    let (own, peers) = (by((segment.src, segment.dst)), by((segment.dst, segment.src)));
    let mut moved = *segment;
    moved.seq = Seq(segment.seq.0.wrapping_add(own));
    if segment.flags.ack() {
        moved.ack = Seq(segment.ack.0.wrapping_add(peers));
    }
    let blocks = segment.options.sack().map(|(left, right)| (left + peers, right + peers));
    moved.options = moved.options.with_sack(blocks);
    moved
}

/// Takes the shift out of what an engine tells of a flow.
fn unshift(flow: &mut FlowDetail, shifts: &HashMap<Direction, u32>) {
    let (orig, resp) = (flow.row.orig.endpoint, flow.row.resp.endpoint);
    let Some(halves) = &mut flow.halves else { return };
    for (half, direction) in halves.iter_mut().zip([(orig, resp), (resp, orig)]) {
        let by = shifts.get(&direction).copied().unwrap_or_default();
        for number in [&mut half.iss, &mut half.una, &mut half.nxt].into_iter().flatten() {
            *number = Seq(number.0.wrapping_sub(by));
        }
    }
}

#[test]
fn sequence_numbers_that_wrap_change_nothing_but_themselves() {
    // At the very edge, within the handshake, within the data; across the sign of the 32-bit difference; and 0.
    for target in [u32::MAX, u32::MAX - 1, u32::MAX - 200, u32::MAX - 5_000, 0x7fff_fff0, 0x8000_0000, 0] {
        let shifts = shifts(&INCIDENT, target);
        let moved: Vec<Segment> = INCIDENT.iter().map(|segment| shifted(segment, &shifts)).collect();
        if target == u32::MAX - 1 {
            let wrapped = moved.iter().filter(|segment| segment.end().0 < segment.seq.0 && segment.payload_len > 0);
            assert!(wrapped.count() > 50, "data crosses 0");
        }
        let mut other = told(&fed(&moved));
        other.flows.iter_mut().for_each(|flow| unshift(flow, &shifts));
        assert_same(&other, &STRAIGHT, &format!("first numbers {target}"));
    }
}

#[test]
fn a_shift_that_is_not_the_same_for_all_would_be_seen() {
    // This proves that the test before can fail: one direction shifted, but not the acknowledgements of it.
    let shifts = shifts(&INCIDENT, u32::MAX);
    let moved: Vec<Segment> =
        INCIDENT.iter().map(|segment| Segment { ack: segment.ack, ..shifted(segment, &shifts) }).collect();
    let mut other = told(&fed(&moved));
    other.flows.iter_mut().for_each(|flow| unshift(flow, &shifts));
    assert!(other != *STRAIGHT);
}

#[test]
fn time_moves_with_the_capture() {
    // Only differences of time matter either, down to the second (rates are bins of whole seconds).
    let by = Duration::from_secs(86_400 * 365);
    let later: Vec<Segment> = INCIDENT.iter().map(|segment| Segment { ts: segment.ts + by, ..*segment }).collect();
    let told = told(&fed(&later));
    let since =
        |told: &Told| told.dashboard.now.zip(told.dashboard.since).map(|(now, since): (Timestamp, _)| now.since(since));
    assert_eq!(since(&told), since(&STRAIGHT));
    assert_eq!(told.dashboard.totals, STRAIGHT.dashboard.totals);
    assert_eq!(told.dashboard.traffic, STRAIGHT.dashboard.traffic);
    assert_eq!(told.dashboard.states, STRAIGHT.dashboard.states);
    let stories = |told: &Told| told.flows.iter().map(|flow| flow.story.clone()).collect::<Vec<_>>();
    assert_eq!(stories(&told), stories(&STRAIGHT));
}

/// Segments of so many tuples taken at random, of any kind: far more than a small table holds.
fn crowd(tuples: u32, count: usize) -> Vec<Input> {
    use sockscope::wire::Flags;
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let kinds = [Flags::SYN, Flags::SYN | Flags::ACK, Flags::ACK, Flags::ACK, Flags::ACK | Flags::FIN, Flags::RST];
    let server = Endpoint::new([192, 0, 2, 1], 80);
    let mut nanos = 1_700_000_000_000_000_000;
    let mut one = |_| {
        nanos += random(20_000_000) as i64;
        let client = Endpoint::new((0x0a00_0000 + random(tuples.into()) as u32).to_be_bytes(), 7);
        let (src, dst) = if random(2) == 0 { (client, server) } else { (server, client) };
        let flags = kinds[random(6) as usize];
        Input::Segment(Segment {
            seq: Seq(random(4) as u32 * 100),
            ack: Seq(random(4) as u32 * 100),
            window: random(3) as u16 * 500,
            payload_len: random(3) as u32 * 100,
            frame_len: 60,
            ttl: 64,
            ..Segment::bare(Timestamp::from_nanos(nanos), src, dst, flags)
        })
    };
    (0..count).map(&mut one).collect()
}

#[test]
fn a_table_that_overflows_holds_the_same_by_batch() {
    for (flows, tuples) in [(1_500, 4_000), (5_000, 4_000)] {
        let inputs = crowd(tuples, 40_000);
        let (mut single, mut batch) = (engine_of(flows), engine_of(flows));
        inputs.iter().for_each(|input| single.feed(input));
        inputs.chunks(700).for_each(|inputs| batch.feed_batch(inputs));
        let (single, batch) = (told(&single), told(&batch));
        assert_eq!(single.dashboard.totals.evicted.total() > 10_000, flows == 1_500);
        assert_same(&single, &batch, "by batch");
    }
}
