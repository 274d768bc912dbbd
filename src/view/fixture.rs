//! Dashboards for tests: a busy host with its kernel, a plain capture, nothing yet, and hostile text.

mod flow;
mod rows;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, Scrubbed, Seq, TcpState, Timestamp};
use crate::engine::{
    AcceptRow, Dashboard, EndCell, Evicted, FailingPeer, FlowDetail, FlowId, FlowPane, FlowRow, HandshakePane,
    KernelQueues, KernelSight, Loss, Ownership, Percentiles, ProcessId, ProcessRow, QueuePane, QueueRow, Rtt, Second,
    Sees, SocketDetail, StatePane, StateRow, TimeWaitPane, Totals, Traffic, WireCounts, WireQueueRow,
};
use crate::findings::Kind;
use crate::flow::{
    AnalysisCounts, Completeness, ConnState, Delays, HalfTiming, HalfView, HandshakeOutcome, HandshakeView, IdleGap,
    InFlight, LifeEvent, LifeEventKind, Mark, Negotiated, Side, Stalls, Throughput, TimingView, VerdictView, ZeekRow,
    ZeekView,
};
use crate::kernel::{Congestion, Limits, Memory, Process, Reported, Socket, TableSource, TcpInfo, Timer, TimerKind};
use crate::ui::{Playback, Source, SourceKind};
use crate::wire::{Decoded, FrameCounts, Undecoded};

pub(super) use flow::{capture_flow, live_flow};
use rows::{cell, flow_rows};

/// 2026-11-21 14:03:22 UTC.
pub(super) const NOW: Timestamp = Timestamp::from_nanos(1_795_269_802_000_000_000);

pub(super) fn ago(secs: u64) -> Timestamp {
    NOW - Duration::from_secs(secs)
}

pub(super) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) const fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

pub(super) fn end(host: u8, port: u16) -> Endpoint {
    Endpoint::new([10, 0, 0, host], port)
}

pub(super) fn end6(port: u16) -> Endpoint {
    Endpoint::new("2001:db8:85a3:1234:5678:8a2e:370:7334".parse::<IpAddr>().unwrap(), port)
}

/// A ramp with a wave on it: the same each time.
pub(super) fn wave(len: u64, base: u64, swing: u64) -> Vec<u64> {
    (0..len).map(|n| base * (n + 20) / (len + 20) + swing * ((n * 7 + n * n) % 11) / 10).collect()
}

pub(super) fn live_source() -> Source {
    Source {
        kind: SourceKind::Live,
        name: "eth0 lo".into(),
        playback: None,
        track: None,
        notices: Vec::new(),
        dead: None,
        recordings: Default::default(),
        of_host: true,
    }
}

pub(super) fn capture_source() -> Source {
    let playback = Playback {
        paused: false,
        going: false,
        speed: 2.0,
        start: Some(ago(45)),
        end: Some(ago(45) + ms(90_500)),
        at_end: false,
        growing: false,
        reading: None,
        live: None,
    };
    Source {
        kind: SourceKind::Replay,
        name: "incident-2026-11-21.pcapng".into(),
        playback: Some(playback),
        track: None,
        notices: Vec::new(),
        dead: None,
        recordings: Default::default(),
        of_host: false,
    }
}

pub(super) fn process(pid: u32, comm: &str, cmdline: &str) -> Arc<Process> {
    let text = Scrubbed::new;
    Arc::new(Process { pid, start_time: Some(1), comm: text(comm), cmdline: text(cmdline), user: text("www-data") })
}

pub(super) fn held(pid: u32, comm: &str, fd: u32) -> Ownership {
    Ownership::Held { process: process(pid, comm, &format!("/usr/bin/{comm} --serve --port 8080")), fd, others: 0 }
}

/// Nothing has come yet.
pub(super) fn empty() -> Dashboard {
    let handshakes = HandshakePane { window: Duration::from_secs(60), ..HandshakePane::default() };
    Dashboard { handshakes, ..Dashboard::default() }
}

/// A busy host, its kernel seen, something wrong in every pane.
pub(super) fn live() -> Dashboard {
    let rows = flow_rows();
    Dashboard {
        findings: crate::findings::fixture::incident(NOW),
        now: Some(NOW),
        since: Some(ago(1_834)),
        totals: Totals {
            segments: 21_430_117,
            payload_bytes: 18_220_400_000,
            flows: 2_104,
            flows_begun: 310_221,
            flows_on_wire: 310_221,
            evicted: Evicted::default(),
            duplicates: 311,
            regressions: 0,
        },
        traffic: Traffic {
            last_second: Some(Second { segments: 12_412, bits: 81_020_000 }),
            segments: wave(120, 11_000, 3_000),
            bits: wave(120, 70_000_000, 31_000_000),
            resent: wave(90, 40, 55),
        },
        loss: Some(Loss { ts: NOW, kernel: Some(0), interface: Some(0), ours: 0, frames: frames() }),
        sees: Sees {
            wire: true,
            names: false,
            kernel: Some(KernelSight {
                source: TableSource::Diag,
                at: NOW - ms(80),
                took: us(12_500),
                sockets: 26_620,
                ownable: 934,
                owned: 926,
                listeners_at: Some(NOW - ms(80)),
                time_wait_at: Some(NOW - ms(80)),
                bad_rows: 0,
                processes_denied: 0,
                denied: [None; 3],
            }),
            trace: None,
            last_words: None,
        },
        handshakes: handshakes(),
        states: states(),
        queues: QueuePane { kernel: Some(kernel_queues()), wire: vec![closed_window()], unknown_halves: 0 },
        time_wait: time_wait(),
        flows: FlowPane { all: 2_104, matching: 2_104, offset: 0, followed: None, rows },
        busiest: busiest(),
        ..Dashboard::default()
    }
}

fn busiest() -> Vec<ProcessRow> {
    let row = |pid, comm: &str, sockets, rate| ProcessRow {
        id: ProcessId { pid, start_time: Some(1) },
        process: process(pid, comm, comm),
        sockets,
        listen: 1,
        estab: sockets / 2,
        close_wait: 0,
        opened: sockets / 3,
        time_wait: 0,
        recv_q: 0,
        send_q: 0,
        bits_per_s: rate,
        open: false,
    };
    vec![
        row(812, "nginx", 1_322, Some(41_200_000)),
        row(640, "postgres", 96, Some(22_004_000)),
        row(4_121, "report.py", 4, Some(3_100_000)),
        row(77, "worker", 401, Some(0)),
        row(99, "app", 1, None),
    ]
}

fn frames() -> FrameCounts {
    let mut frames = FrameCounts::default();
    for _ in 0..12 {
        frames.count(&Decoded::Undecoded(Undecoded::Fragment));
    }
    frames
}

fn handshakes() -> HandshakePane {
    use HandshakeOutcome::{Completed, HalfOpen, Refused, Reset, Simultaneous, Unanswered};
    let bounds = [100, 316, 1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000, 3_162_278, 10_000_000];
    let counts = [1_210, 9_870, 12_400, 4_100, 1_300, 311, 84, 20, 11, 4, 1, 0];
    let bounds = bounds.into_iter().map(us).chain([Duration::MAX]);
    let failing =
        |host, port, outcome, count, secs| FailingPeer { resp: end(host, port), outcome, count, last: ago(secs) };
    HandshakePane {
        window: Duration::from_secs(60),
        begun: 29_664,
        waiting: 3,
        outcomes: vec![
            (Completed, 29_311),
            (Simultaneous, 0),
            (Refused, 212),
            (Unanswered, 98),
            (HalfOpen, 40),
            (Reset, 0),
        ],
        begun_per_s: wave(60, 420, 160),
        latency: Some(Percentiles { count: 29_311, p50: us(400), p95: us(2_100), p99: us(48_200), max: us(3_041_000) }),
        histogram: bounds.zip(counts).collect(),
        failing: vec![
            failing(8, 80, Refused, 212, 0),
            failing(7, 8_443, Unanswered, 98, 4),
            FailingPeer { resp: end6(443), outcome: HalfOpen, count: 38, last: ago(11) },
            failing(9, 6_379, HalfOpen, 2, 40),
        ],
    }
}

fn states() -> StatePane {
    let counts: [(Option<u64>, Option<u64>, u64); 10] = [
        (Some(14), None, 0),
        (Some(2), Some(2), 0),
        (Some(0), Some(0), 0),
        (Some(512), Some(510), 1),
        (Some(0), Some(0), 0),
        (Some(3), Some(3), 0),
        (Some(400), Some(400), 2),
        (Some(0), Some(0), 0),
        (Some(1), Some(1), 0),
        (Some(25_691), Some(25_688), 3),
    ];
    let row = |(state, (kernel, wire, shape)): (&TcpState, &(Option<u64>, Option<u64>, u64))| StateRow {
        state: *state,
        kernel: *kernel,
        wire: *wire,
        history: match shape {
            0 => vec![kernel.unwrap_or(0); 120],
            1 => wave(120, 480, 30),
            2 => (0..120).map(|n| n * 400 / 119).collect(),
            _ => (0..120).map(|n| n * 25_691 / 119).collect(),
        },
    };
    StatePane {
        rows: TcpState::ALL.iter().zip(&counts).map(row).collect(),
        wire_counts: WireCounts::LocalEnds,
        mismatched: 2,
    }
}

fn kernel_queues() -> KernelQueues {
    let row = |id: u64, local, peer, bytes, limit, secs, owner| QueueRow {
        flow: FlowId(id),
        local,
        peer,
        bytes,
        limit,
        since: ago(secs),
        history: wave(60, u64::from(bytes), u64::from(bytes) / 9),
        owner,
    };
    KernelQueues {
        recv: vec![
            row(3, end(2, 40_112), end(9, 443), 98_012, Some(131_072), 41, held(4_121, "report.py", 7)),
            row(9, end(2, 8_080), end6(51_200), 2_110, Some(131_072), 1, held(99, "app", 31)),
        ],
        send: vec![
            row(2, end(2, 443), end(77, 61_022), 212_400, Some(425_984), 6, held(812, "nginx", 14)),
            row(5, end(2, 443), end(78, 61_023), 76, None, 0, Ownership::NoAccess),
        ],
        accept: vec![AcceptRow {
            local: Endpoint::new(Ipv4Addr::UNSPECIFIED, 8_080),
            waiting: 129,
            limit: Some(128),
            full_since: Some(ago(9)),
            history: wave(60, 129, 2),
            owner: Ownership::Listener { process: process(99, "app", "app"), others: 3 },
        }],
        listen_overflows: Some(31),
        listen_drops: Some(31),
    }
}

fn closed_window() -> WireQueueRow {
    WireQueueRow {
        flow: FlowId(3),
        from: end(9, 443),
        to: end(2, 40_112),
        unacked: 1,
        zero_window_since: Some(ago(41)),
    }
}

fn time_wait() -> TimeWaitPane {
    let limits = Limits {
        port_range: Some((32_768, 60_999)),
        tcp_max_tw_buckets: Some(262_144),
        tcp_tw_reuse: Some(2),
        ..Limits::default()
    };
    TimeWaitPane {
        kernel: Some(25_691),
        wire: Some(25_688),
        history: (0..120).map(|n| n * 25_691 / 119).collect(),
        peers: vec![(end(5, 5_432), 25_480), (end(9, 6_379), 188), (end6(443), 20), (end(8, 80), 3)],
        holders: vec![(end(2, 0).ip(), 25_600), (end6(0).ip(), 91)],
        entered: Some(28_204),
        entered_window: Duration::from_secs(60),
        limits: Some(Arc::new(limits)),
    }
}

/// The same kind of traffic in a plain capture: no kernel.
pub(super) fn capture() -> Dashboard {
    let mut dashboard = live();
    dashboard.since = Some(ago(45));
    dashboard.handshakes.window = Duration::from_secs(45);
    dashboard.time_wait.entered_window = Duration::from_secs(45);
    dashboard.sees.kernel = None;
    // What the wire alone tells.
    dashboard.findings.retain(|finding| finding.who.is_none() && finding.kind != Kind::CaptureLoss);
    dashboard.loss = Some(Loss { ts: NOW, kernel: None, interface: None, ours: 0, frames: frames() });
    dashboard.totals = Totals { segments: 4_210, payload_bytes: 3_204_000, flows: 200, ..Totals::default() };
    dashboard.traffic.last_second = Some(Second { segments: 94, bits: 612_300 });
    dashboard.states.wire_counts = WireCounts::BothEnds;
    dashboard.states.mismatched = 0;
    for row in &mut dashboard.states.rows {
        row.kernel = None;
    }
    dashboard.time_wait.kernel = None;
    dashboard.time_wait.limits = None;
    let unacked = WireQueueRow {
        flow: FlowId(2),
        from: end(2, 443),
        to: end6(61_022),
        unacked: 212_400,
        zero_window_since: None,
    };
    dashboard.queues = QueuePane { kernel: None, wire: vec![unacked, closed_window()], unknown_halves: 0 };
    for row in &mut dashboard.flows.rows {
        row.retrans = None;
        let whose = if row.outcome == Some(HandshakeOutcome::Partial) { Rtt::Data } else { Rtt::Handshake };
        row.rtt = row.rtt.map(|rtt| whose(rtt.time()));
        for end in [&mut row.orig, &mut row.resp] {
            *end = cell(end.endpoint, None, end.inferred);
        }
    }
    dashboard.flows.all = 200;
    dashboard.flows.matching = 200;
    dashboard
}

/// As much text as a hostile peer or process can bring: long, wide, combining.
pub(super) fn hostile(text: &str) -> (Dashboard, Source) {
    let mut dashboard = live_flow();
    let owner = || Ownership::Held { process: process(u32::MAX, text, text), fd: u32::MAX, others: usize::MAX };
    for row in &mut dashboard.flows.rows {
        row.orig.owner = owner();
        row.payload_bytes = Some(u64::MAX);
        row.first = Timestamp::MIN;
        row.last = Timestamp::MAX;
    }
    if let Some(detail) = &mut dashboard.flow {
        detail.row = dashboard.flows.rows[0].clone();
        detail.story = text.repeat(9);
    }
    if let Some(kernel) = &mut dashboard.queues.kernel {
        kernel.recv[0].owner = owner();
        kernel.recv[0].bytes = u32::MAX;
        kernel.recv[0].history = vec![u64::MAX; 500];
    }
    dashboard.traffic.bits = vec![u64::MAX; 700];
    dashboard.now = Some(Timestamp::MAX);
    dashboard.since = Some(Timestamp::MIN);
    let mut source = capture_source();
    source.name = text.to_owned();
    source.notices = vec![text.to_owned(); 9];
    source.dead = Some(text.to_owned());
    (dashboard, source)
}
