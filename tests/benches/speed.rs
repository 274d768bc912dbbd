//! What everything costs: decoding frames, taking segments in at tables of any size, a flood, asking a full table,
//! drawing it, copying it.

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sockscope::base::{Endpoint, Scope, Seq, Timestamp};
use sockscope::engine::{Config, Engine, Filter, GroupBy, Input, List, Query, QueryCache, Sort, SortKey};
use sockscope::ui::{Source, SourceKind, ThemeName, UiState, View};
use sockscope::view::{self, Theme};
use sockscope::wire::{Decoder, Flags, Frame, LinkType, Segment};

/// Flows of the full table that is asked, drawn and copied.
const FLOWS: usize = 1_000_000;
/// Segments that are taken in, frames that are decoded, SYNs of a flood.
const SEGMENTS: usize = 1_000_000;
const FRAMES: usize = 100_000;
const FLOOD: u32 = 1_000_000;
const SCREEN: Rect = Rect::new(0, 0, 200, 60);

fn main() {
    divan::main();
}

/// A handshake and two data segments of flow `n`, `n` microseconds into the capture.
fn segments(n: usize) -> [Input; 5] {
    let number = u32::try_from(n).expect("a small number");
    let client = Endpoint::new((0x0a00_0000 + (number >> 14)).to_be_bytes(), 1024 + (number & 0x3fff) as u16);
    let server = Endpoint::new([192, 0, 2, 1], [80, 443, 5432, 6379][n % 4]);
    let at = |step: i64| Timestamp::from_nanos(1_700_000_000_000_000_000 + n as i64 * 1_000 + step * 100);
    let segment = |step, out: bool, flags, seq, ack, payload_len| {
        Input::Segment(Segment {
            seq: Seq(seq),
            ack: Seq(ack),
            window: 65_535,
            payload_len,
            frame_len: 54 + payload_len,
            ttl: 64,
            digest: (n as u32) << 8 | step as u32,
            ..Segment::bare(at(step), if out { client } else { server }, if out { server } else { client }, flags)
        })
    };
    [
        segment(0, true, Flags::SYN, number, 0, 0),
        segment(1, false, Flags::SYN | Flags::ACK, 7, number + 1, 0),
        segment(2, true, Flags::ACK, number + 1, 8, 0),
        segment(3, true, Flags::ACK | Flags::PSH, number + 1, 8, 100),
        segment(4, false, Flags::ACK | Flags::PSH, 8, number + 101, 1_000 + number % 1_000),
    ]
}

/// A table of a million flows, built once; copies share it.
static FULL: LazyLock<Engine> = LazyLock::new(|| table_of(FLOWS).fork());

fn table_of(flows: usize) -> Engine {
    let mut engine = Engine::new(Config::replay(FLOWS, 7));
    for n in 0..flows {
        engine.feed_batch(&segments(n));
    }
    engine
}

fn full() -> Engine {
    FULL.clone()
}

/// Data and acknowledgments in order, of flows of [`table_of`] taken at random.
fn talk(flows: usize) -> Vec<Input> {
    let mut said = vec![[101, 1_008]; flows];
    for (n, said) in said.iter_mut().enumerate() {
        said[1] += n as u32 % 1_000;
    }
    let mut random = 88_172_645_463_325_252_u64;
    let one = |at: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let n = random as usize % flows;
        let out = random >> 40 & 1 == 0;
        let [mut segment, _] = [3, 4].map(|step| segments(n)[step].clone());
        let Input::Segment(segment) = &mut segment else { unreachable!("they are segments") };
        let [orig, resp] = &mut said[n];
        let (own, peer) = if out { (orig, resp) } else { (resp, orig) };
        if !out {
            std::mem::swap(&mut segment.src, &mut segment.dst);
        }
        let base = |out: bool| if out { n as u32 } else { 0 };
        segment.ts = Timestamp::from_nanos(1_700_000_002_000_000_000 + at as i64 * 1_000);
        (segment.seq, segment.ack) = (Seq(base(out).wrapping_add(*own)), Seq(base(!out).wrapping_add(*peer)));
        (segment.payload_len, segment.frame_len) = (500, 554);
        *own += 500;
        Input::Segment(*segment)
    };
    (0..SEGMENTS).map(one).collect()
}

/// Frames of Ethernet, IP and TCP with 12 bytes of options and 30 of payload.
fn frames(ether_type: u16) -> Vec<Vec<u8>> {
    let frame = |n: usize| {
        let mut bytes = vec![2; 12];
        bytes.extend(ether_type.to_be_bytes());
        if ether_type == 0x8100 {
            bytes.extend([0, 1, 8, 0]);
        }
        if ether_type == 0x86dd {
            bytes.extend([0x60, 0, 0, 0, 0, 62, 6, 64]);
            bytes.extend([0x20; 32]);
        } else {
            bytes.extend([0x45, 0, 0, 82, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        bytes.extend((n as u16).to_be_bytes());
        bytes.extend([0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x18, 4, 0, 0, 0, 0, 0]);
        bytes.extend([1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 5]);
        bytes.extend([7; 30]);
        bytes
    };
    (0..FRAMES).map(frame).collect()
}

fn source() -> Source {
    Source {
        kind: SourceKind::Replay,
        name: "bench".to_owned(),
        playback: None,
        track: None,
        notices: Vec::new(),
        dead: None,
        recordings: Default::default(),
        of_host: false,
    }
}

fn flow_table() -> UiState {
    let mut ui = UiState::new(SCREEN, ThemeName::Dark);
    ui.show(View::Flows, None);
    ui
}

/// A frame: the short way of IPv4 and IPv6, the long way of a VLAN.
#[divan::bench(args = [0x0800, 0x86dd, 0x8100])]
fn decode(bencher: Bencher<'_, '_>, ether_type: u16) {
    let frames = frames(ether_type);
    let mut decoder = Decoder::default();
    bencher.counter(ItemsCount::new(frames.len())).bench_local(|| {
        for bytes in &frames {
            let (ts, len) = (Timestamp::from_nanos(1), bytes.len() as u32);
            let frame = Frame { ts, scope: Scope::FILE, iface: 0, link: LinkType(1), bytes, len };
            black_box(decoder.decode(&frame));
        }
    });
}

/// A segment of one of so many established flows.
#[divan::bench(args = [1, 1_000, 100_000, 1_000_000], sample_count = 3)]
fn ingest(bencher: Bencher<'_, '_>, flows: usize) {
    let talk = talk(flows);
    bencher
        .counter(ItemsCount::new(talk.len()))
        .with_inputs(|| table_of(flows))
        .bench_local_refs(|engine| engine.feed_batch(black_box(&talk)));
}

/// A segment of a flow that begins, into a table that fills up.
#[divan::bench(sample_count = 3)]
fn ingest_new_flows(bencher: Bencher<'_, '_>) {
    let all: Vec<Input> = (0..SEGMENTS / 5).flat_map(segments).collect();
    bencher
        .counter(ItemsCount::new(all.len()))
        .with_inputs(|| Engine::new(Config::replay(FLOWS, 7)))
        .bench_local_refs(|engine| engine.feed_batch(black_box(&all)));
}

/// SYNs from ever new addresses into a table of a fifth of their number; `colliding`: of addresses and ports that
/// an unkeyed hash cannot tell apart, since their exclusive or is always the same.
#[divan::bench(args = [false, true], sample_count = 3)]
fn syn_flood(bencher: Bencher<'_, '_>, colliding: bool) {
    let Input::Segment(syn) = segments(0)[0] else { unreachable!("it is a segment") };
    let one = |n: u32| {
        let src = 0x0a00_0000 + n;
        let dst = if colliding { src ^ 0x1234_5678 } else { 0xc000_0201 };
        let ts = Timestamp::from_nanos(syn.ts.nanos() + i64::from(n) * 1_000);
        let [src, dst] = [(src, 7), (dst, 80)].map(|(ip, port)| Endpoint::new(ip.to_be_bytes(), port));
        Input::Segment(Segment { ts, src, dst, seq: Seq(n), ..syn })
    };
    let flood: Vec<Input> = (0..FLOOD).map(one).collect();
    bencher
        .counter(ItemsCount::new(flood.len()))
        .with_inputs(|| Engine::new(Config::replay(FLOOD as usize / 5, 7)))
        .bench_local_refs(|engine| engine.feed_batch(black_box(&flood)));
}

/// The first answer: filter, sort and scan of a million flows.
#[divan::bench(sample_count = 20)]
fn first_answer(bencher: Bencher<'_, '_>) {
    let engine = full();
    let query = Query {
        filter: Filter::parse("5432 estab").expect("a filter"),
        sort: by(SortKey::Bytes),
        rows: 60,
        ..Query::default()
    };
    bencher.bench_local(|| engine.dashboard(black_box(&query), &mut QueryCache::default()));
}

/// A window from the cache.
/// The first answer of each list: its order over 100,000 flows.
#[divan::bench(sample_count = 20, args = ["handshakes", "queues", "ports", "listeners", "processes", "groups"])]
fn first_answer_of_list(bencher: Bencher<'_, '_>, name: &str) {
    let engine = full();
    let list = match name {
        "handshakes" => List::Handshakes(Sort::default()),
        "queues" => List::Queues(Sort::default()),
        "ports" => List::Ports(Sort::default()),
        "listeners" => List::Listeners(Sort::default()),
        "processes" => List::Processes(Sort::default(), Vec::new()),
        _ => List::Groups(GroupBy::Port, Vec::new()),
    };
    let query = Query { list, rows: 60, ..Query::default() };
    bencher.bench_local(|| engine.dashboard(black_box(&query), &mut QueryCache::default()));
}

#[divan::bench]
fn cached_answer(bencher: Bencher<'_, '_>) {
    let engine = full();
    let mut cache = QueryCache::default();
    let query = Query { sort: by(SortKey::Bytes), rows: 60, ..Query::default() };
    engine.dashboard(&query, &mut cache);
    bencher.bench_local(|| engine.dashboard(black_box(&query), &mut cache));
}

/// A frame of the flow table at 200x60: the cached answer, and drawing it.
#[divan::bench]
fn flow_table_frame(bencher: Bencher<'_, '_>) {
    let (engine, mut ui, source) = (full(), flow_table(), source());
    let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
    let mut cache = QueryCache::default();
    let mut buffer = Buffer::empty(SCREEN);
    bencher.bench_local(|| {
        let dashboard = engine.dashboard(&ui.query(&source), &mut cache);
        ui.observe(&dashboard, &source);
        buffer.reset();
        view::draw(&dashboard, &ui, &source, &theme, SCREEN, &mut buffer);
        black_box(&buffer);
    });
}

/// A frame of the overview at 200x60.
#[divan::bench]
fn overview_frame(bencher: Bencher<'_, '_>) {
    let (engine, ui, source) = (full(), UiState::new(SCREEN, ThemeName::Dark), source());
    let theme = Theme::new(ThemeName::Dark, jiff::tz::TimeZone::UTC);
    let mut cache = QueryCache::default();
    let mut buffer = Buffer::empty(SCREEN);
    bencher.bench_local(|| {
        let dashboard = engine.dashboard(&ui.query(&source), &mut cache);
        buffer.reset();
        view::draw(&dashboard, &ui, &source, &theme, SCREEN, &mut buffer);
        black_box(&buffer);
    });
}

/// A copy of the engine, as a checkpoint takes it.
#[divan::bench]
fn copy(bencher: Bencher<'_, '_>) {
    let mut engine = full();
    bencher.bench_local(|| engine.fork());
}

fn by(by: SortKey) -> Sort {
    Sort { by, reverse: false }
}
