//! What a full table costs: filling it, asking it, drawing it, copying it.

use divan::{Bencher, black_box};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sockscope::base::{Endpoint, Scope, Seq, Timestamp};
use sockscope::engine::{Config, Engine, Filter, GroupBy, List, Query, QueryCache, Sort, SortKey};
use sockscope::ui::{Source, SourceKind, ThemeName, UiState, View};
use sockscope::view::{self, Theme};
use sockscope::wire::{Flags, Options, Segment};

const FLOWS: usize = 100_000;
const SCREEN: Rect = Rect::new(0, 0, 200, 60);

fn main() {
    divan::main();
}

/// A handshake and two data segments of flow `n`, `n` microseconds into the capture.
fn segments(n: usize) -> [Segment; 5] {
    let number = u32::try_from(n).expect("a small number");
    let client = Endpoint::new((0x0a00_0000 + (number >> 14)).to_be_bytes(), 1024 + (number & 0x3fff) as u16);
    let server = Endpoint::new([192, 0, 2, 1], [80, 443, 5432, 6379][n % 4]);
    let at = |step: i64| Timestamp::from_nanos(1_700_000_000_000_000_000 + n as i64 * 1_000 + step * 100);
    let segment = |step, out: bool, flags, seq, ack, payload_len| Segment {
        ts: at(step),
        scope: Scope::FILE,
        iface: 0,
        src: if out { client } else { server },
        dst: if out { server } else { client },
        seq: Seq(seq),
        ack: Seq(ack),
        flags,
        window: 65_535,
        payload_len,
        frame_len: 54 + payload_len,
        options: Options::default(),
        ttl: 64,
        vlan: None,
        tunnel: None,
        malformed: false,
        digest: (n as u64) << 8 | step as u64,
    };
    [
        segment(0, true, Flags::SYN, number, 0, 0),
        segment(1, false, Flags::SYN | Flags::ACK, 7, number + 1, 0),
        segment(2, true, Flags::ACK, number + 1, 8, 0),
        segment(3, true, Flags::ACK | Flags::PSH, number + 1, 8, 100),
        segment(4, false, Flags::ACK | Flags::PSH, 8, number + 101, 1_000 + number % 1_000),
    ]
}

fn full() -> Engine {
    let mut engine = Engine::new(Config::replay(1_000_000, 7));
    for n in 0..FLOWS {
        engine.feed_batch(&segments(n));
    }
    engine
}

fn source() -> Source {
    Source { kind: SourceKind::Replay, name: "bench".to_owned(), playback: None, notices: Vec::new(), dead: None }
}

fn flow_table() -> UiState {
    let mut ui = UiState::new(SCREEN, ThemeName::Dark);
    ui.show(View::Flows, None);
    ui
}

/// A segment into a table that fills up to 100,000 flows.
#[divan::bench(sample_count = 5)]
fn ingest(bencher: Bencher<'_, '_>) {
    let all: Vec<Segment> = (0..FLOWS).flat_map(segments).collect();
    bencher
        .counter(divan::counter::ItemsCount::new(all.len()))
        .with_inputs(|| Engine::new(Config::replay(1_000_000, 7)))
        .bench_local_refs(|engine| engine.feed_batch(black_box(&all)));
}

/// The first answer: filter, sort and scan of 100,000 flows.
#[divan::bench(sample_count = 20)]
fn first_answer(bencher: Bencher<'_, '_>) {
    let engine = full();
    let query = Query { filter: Filter::parse("5432 estab"), sort: by(SortKey::Bytes), rows: 60, ..Query::default() };
    bencher.bench_local(|| engine.dashboard(black_box(&query), &mut QueryCache::default()));
}

/// A window from the cache.
#[divan::bench]
fn cached_answer(bencher: Bencher<'_, '_>) {
    let engine = full();
    let mut cache = QueryCache::default();
    let query = Query { sort: by(SortKey::Bytes), rows: 60, ..Query::default() };
    engine.dashboard(&query, &mut cache);
    bencher.bench_local(|| engine.dashboard(black_box(&query), &mut cache));
}

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
    let engine = full();
    bencher.bench_local(|| engine.clone());
}

fn by(by: SortKey) -> Sort {
    Sort { by, reverse: false }
}
