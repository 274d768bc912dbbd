//! Dashboards for tests: a busy host with its kernel, a plain capture, nothing yet, and hostile text.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, Scrubbed, Seq, TcpState, Timestamp};
use crate::engine::{
    AcceptRow, Dashboard, EndCell, Evicted, FailingPeer, FlowDetail, FlowId, FlowPane, FlowRow, HandshakePane,
    KernelQueues, KernelSight, ListPane, Loss, Ownership, Percentiles, ProcessId, ProcessRow, QueuePane, QueueRow, Rtt,
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
    Dashboard {
        findings: Vec::new(),
        ports: None,
        now: None,
        since: None,
        totals: Totals::default(),
        traffic: Traffic::default(),
        loss: None,
        sees: Sees::default(),
        handshakes: HandshakePane { window: Duration::from_secs(60), ..HandshakePane::default() },
        states: StatePane::default(),
        queues: QueuePane::default(),
        time_wait: TimeWaitPane::default(),
        flows: FlowPane::default(),
        list: ListPane::Flows,
        busiest: Vec::new(),
        flow: None,
    }
}

/// A busy host, its kernel seen, something wrong in every pane.
pub(super) fn live() -> Dashboard {
    let rows = flow_rows();
    Dashboard {
        findings: crate::findings::fixture::incident(NOW),
        ports: None,
        now: Some(NOW),
        since: Some(ago(1_834)),
        totals: Totals {
            segments: 21_430_117,
            payload_bytes: 18_220_400_000,
            flows: 2_104,
            flows_begun: 310_221,
            evicted: Evicted::default(),
            duplicates: 311,
            regressions: 0,
        },
        traffic: Traffic {
            segments_per_s: 12_412,
            bits_per_s: 81_020_000,
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
            }),
            trace: None,
            last_words: None,
        },
        handshakes: handshakes(),
        states: states(),
        queues: QueuePane { kernel: Some(kernel_queues()), wire: vec![closed_window()], unknown_halves: 0 },
        time_wait: time_wait(),
        flows: FlowPane { all: 2_104, matching: 2_104, offset: 0, followed: None, rows },
        list: ListPane::Flows,
        busiest: busiest(),
        flow: None,
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

fn cell(endpoint: Endpoint, local: Option<bool>, inferred: Option<TcpState>) -> EndCell {
    let owner = Ownership::NotRecorded;
    EndCell { endpoint, local, inferred, reported: None, mismatch_since: None, recv_q: None, send_q: None, owner }
}

fn here(endpoint: Endpoint, state: TcpState, queues: (u32, u32), owner: Ownership) -> EndCell {
    EndCell {
        reported: Some(state),
        recv_q: Some(queues.0),
        send_q: Some(queues.1),
        owner,
        ..cell(endpoint, Some(true), Some(state))
    }
}

fn row(id: u64, orig: EndCell, resp: EndCell, outcome: Option<HandshakeOutcome>) -> FlowRow {
    FlowRow {
        id: FlowId(id),
        scope: Scope(0),
        orig,
        resp,
        orig_known: true,
        name: None,
        outcome,
        first: ago(id * 13 + 1),
        last: ago(id / 4),
        segments: Some(id * 31 + 7),
        payload_bytes: Some(id * id * 7_919 + 76),
        bits_per_s: Some((41_200_000_u64).checked_shr(u32::try_from(id).unwrap_or(64)).unwrap_or(0)),
        rtt: Some(Rtt::Kernel(us(400 + id * 613))),
        retrans: Some(id % 3),
        retrans_wire: Some(id % 4),
        lost: None,
        closed: false,
    }
}

/// 200 rows: first the special ones, then many alike.
fn flow_rows() -> Vec<FlowRow> {
    use HandshakeOutcome::{Completed, Partial, Refused, Unanswered};
    use TcpState::{CloseWait, Closed, Estab, FinWait1, FinWait2, Listen, SynSent, TimeWait};
    let remote = |endpoint, state| cell(endpoint, Some(false), Some(state));
    let last = || Ownership::Last { process: process(880, "pg-loop", "pg-loop") };
    let mut rows = vec![
        row(
            1,
            here(end(2, 54_321), Estab, (0, 0), held(4_121, "curl", 5)),
            here(end(2, 80), Estab, (0, 16_400), held(812, "nginx", 14)),
            Some(Completed),
        ),
        row(
            2,
            remote(end(77, 61_022), Estab),
            here(end(2, 443), Estab, (0, 212_400), held(812, "nginx", 14)),
            Some(Completed),
        ),
        row(
            3,
            here(end(2, 40_112), Estab, (98_012, 0), held(4_121, "report.py", 7)),
            remote(end(9, 443), Estab),
            Some(Completed),
        ),
        row(
            4,
            here(end(2, 53_110), SynSent, (0, 1), held(5_120, "connect-test", 3)),
            remote(end(7, 8_443), Closed),
            Some(Unanswered),
        ),
        row(
            5,
            remote(end(78, 61_023), CloseWait),
            here(end(2, 443), Estab, (0, 76), Ownership::NoAccess),
            Some(Partial),
        ),
        row(
            6,
            here(end6(33_210), CloseWait, (1, 0), held(77, "worker", 12)),
            remote(Endpoint::new("2001:db8::5".parse::<IpAddr>().unwrap(), 443), FinWait2),
            Some(Completed),
        ),
        row(7, here(end(2, 53_111), Closed, (0, 0), Ownership::Unknown), remote(end(8, 80), Closed), Some(Refused)),
        row(
            8,
            here(end(2, 53_112), FinWait1, (0, 4_021), Ownership::Orphan),
            remote(end(8, 80), Estab),
            Some(Completed),
        ),
        row(
            9,
            remote(end6(51_200), Estab),
            here(
                end(2, 8_080),
                Estab,
                (2_110, 0),
                Ownership::Listener { process: process(99, "app", "app"), others: 3 },
            ),
            None,
        ),
    ];
    rows[4].resp.mismatch_since = Some(ago(3));
    rows[4].resp.inferred = Some(FinWait1);
    rows[4].orig_known = false;
    rows[6].closed = true;
    rows[3].rtt = None;
    rows[6].orig.reported = None;
    rows[1].rtt = Some(Rtt::Handshake(us(22_100)));
    let socket_only = &mut rows[8];
    (socket_only.segments, socket_only.payload_bytes, socket_only.bits_per_s) = (None, None, None);
    socket_only.retrans_wire = None;
    socket_only.orig.inferred = None;
    socket_only.resp.inferred = None;
    debug_assert_ne!(rows[0].orig.reported, Some(Listen));
    rows.extend((10..201).map(|id| {
        let port = 33_000 + u16::try_from(id).unwrap_or(0);
        let mut flow =
            row(id, here(end(2, port), TimeWait, (0, 0), last()), remote(end(5, 5_432), Closed), Some(Completed));
        flow.retrans = None;
        flow.rtt = Some(Rtt::Handshake(us(id * 97)));
        flow
    }));
    rows
}

/// The flow of curl and nginx, both on this host, the reader stalled.
pub(super) fn live_flow() -> Dashboard {
    let mut dashboard = live();
    let socket = |local, peer, recv_q, send_q, timer| Socket {
        local,
        peer,
        state: Reported(TcpState::Estab),
        recv_q,
        send_q: Some(send_q),
        timer,
        uid: Some(33),
        inode: Some(482_113),
        cookie: Some(0x5_01f2),
        buffers: Some((131_072, 425_984)),
        drops: None,
        memory: Some(Memory { recv: 2_304, sent: 0, queued: 32_800, ahead: 1_024, backlog: 0 }),
        congestion: Congestion::from_bytes(b"cubic"),
        cgroup: Some(4_021),
        info: Some(Box::new(info())),
    };
    let timer = Timer { kind: TimerKind::Persist, left: ms(3_210), retries: 4 };
    let detail = |socket: Socket, recv: u64, send: u64| SocketDetail {
        socket,
        at: NOW - ms(80),
        gone: None,
        left: None,
        recv_q: wave(60, recv, recv / 8),
        send_q: wave(60, send, send / 8),
    };
    let orig = detail(socket(end(2, 54_321), end(2, 80), 0, 0, None), 0, 0);
    let resp = detail(socket(end(2, 80), end(2, 54_321), 0, 16_400, Some(timer)), 0, 16_400);
    dashboard.flow = Some(Box::new(FlowDetail {
        first_from: Some(Side::Orig),
        row: dashboard.flows.rows[0].clone(),
        handshake: Some(handshake_view()),
        completeness: Some(Completeness(15)),
        vlan: None,
        last_words: [None, None],
        tunnel: None,
        rejected: None,
        opening: None,
        halves: Some(halves()),
        analysis: Some(analysis()),
        verdict: None,
        timing: Some(timing()),
        sockets: [Some(orig), Some(resp)],
        life: life(),
        zeek: Some(zeek(&[(ConnState::S1, "ShADadW")])),
        story: "orig has closed its window for 9 s: curl[4121] fd 5 is not reading, and 16.4 kB wait in nginx[812]'s Send-Q; \
                the kernel probes the window (persist timer, 4 tries)."
            .into(),
    }));
    dashboard
}

fn info() -> TcpInfo {
    TcpInfo {
        rto: Some(ms(204)),
        snd_mss: Some(1_448),
        unacked: Some(3),
        lost: Some(0),
        pmtu: Some(1_500),
        snd_ssthresh: Some(u32::MAX),
        snd_cwnd: Some(10),
        rtt: Some(us(22_100)),
        rttvar: Some(us(4_210)),
        min_rtt: Some(us(21_900)),
        total_retrans: Some(1),
        bytes_acked: Some(98_012),
        bytes_received: Some(76),
        notsent_bytes: Some(12_056),
        delivery_rate: Some(1_320_000),
        bytes_retrans: Some(1_448),
        busy_time: Some(ms(10_004)),
        rwnd_limited: Some(ms(9_021)),
        ..TcpInfo::default()
    }
}

fn handshake_view() -> HandshakeView {
    let offer = |wscale| {
        Some(Negotiated {
            mss: Some(1_460),
            wscale: Some(wscale),
            sack: true,
            timestamps: true,
            ..Negotiated::default()
        })
    };
    HandshakeView {
        outcome: HandshakeOutcome::Completed,
        syn_at: Some(ago(14)),
        syn_ack_at: Some(ago(13) + ms(22)),
        ack_at: Some(ago(13) + ms(22)),
        syn_retries: 1,
        syn_ack_retries: 0,
        syn_to_syn_ack: Some(us(22_000)),
        syn_ack_to_ack: Some(us(90)),
        rtt: None,
        connect_time: Some(ms(1_022)),
        offered: [offer(7), offer(6)],
    }
}

fn halves() -> [HalfView; 2] {
    let half = |iss: u32, una: u32, nxt: u32, segments, bytes| HalfView {
        state: Some(TcpState::Estab),
        segments,
        payload_bytes: bytes,
        iss: Some(Seq(iss)),
        una: Some(Seq(iss.wrapping_add(una))),
        nxt: Some(Seq(iss.wrapping_add(nxt))),
        window_raw: Some(502),
        window: Some(64_256),
        ..HalfView::default()
    };
    let mut orig = half(u32::MAX - 20, 77, 77, 14, 76);
    (orig.syns, orig.window, orig.window_raw, orig.zero_window_since) = (2, Some(0), Some(0), Some(ago(9)));
    let mut resp = half(7_000, 98_013, 102_357, 74, 102_356);
    resp.syn_acks = 1;
    [orig, resp]
}

fn analysis() -> [AnalysisCounts; 2] {
    let orig = [(Mark::Retransmission, 1), (Mark::DuplicateAck, 2), (Mark::ZeroWindow, 5)];
    let resp = [(Mark::Retransmission, 4), (Mark::FastRetransmission, 1), (Mark::WindowFull, 1), (Mark::KeepAlive, 4)];
    [orig.into_iter().collect(), resp.into_iter().collect()]
}

fn timing() -> TimingView {
    let orig = HalfTiming {
        rtt_by_ack: Some(Delays::sketched(3, 21_900, 36_400, 62_000)),
        in_flight: Some(InFlight { now: Some(0), max: 60 }),
        think: Some(Delays::sketched(1, 1_870_000, 1_870_000, 1_870_000)),
        stalls: Some(Stalls { late_acks: 3, small_writes: 2, waited: us(123_000), worst: us(62_000) }),
        ..HalfTiming::default()
    };
    let resp = HalfTiming {
        rtt_by_ack: Some(Delays::sketched(34, 85, 240, 2_100)),
        rtt_by_timestamps: Some(Delays::sketched(4, 90, 200, 1_000)),
        in_flight: Some(InFlight { now: Some(4_344), max: 64_000 }),
        throughput: Some(Throughput { bytes: 102_356, time: us(3_869_000), peak: Some(61_000) }),
        think: Some(Delays::sketched(2, 8_000, 9_000, 10_000)),
        stalls: None,
    };
    TimingView { halves: [orig, resp], idle: Some(IdleGap { time: us(3_100_000), until: ago(6) }) }
}

fn life() -> Vec<LifeEvent> {
    use LifeEventKind::{FirstData, HandshakeAck, LastData, Syn, SynAck, SynRetry, ZeroWindow};
    let start = ago(14);
    let event = |after, side, kind| LifeEvent { ts: start + us(after), side, kind };
    vec![
        event(0, Side::Orig, Syn),
        event(1_000_000, Side::Orig, SynRetry(1)),
        event(1_022_000, Side::Resp, SynAck),
        event(1_022_090, Side::Orig, HandshakeAck),
        event(1_023_000, Side::Orig, FirstData),
        event(1_031_000, Side::Resp, FirstData),
        event(4_900_000, Side::Resp, LastData),
        event(5_000_000, Side::Orig, ZeroWindow),
    ]
}

/// The same kind of traffic in a plain capture: no kernel.
pub(super) fn capture() -> Dashboard {
    let mut dashboard = live();
    dashboard.since = Some(ago(45));
    dashboard.sees.kernel = None;
    // What the wire alone tells.
    dashboard.findings.retain(|finding| finding.who.is_none() && finding.kind != Kind::CaptureLoss);
    dashboard.loss = Some(Loss { ts: NOW, kernel: None, interface: None, ours: 0, frames: frames() });
    dashboard.totals = Totals { segments: 4_210, payload_bytes: 3_204_000, flows: 200, ..Totals::default() };
    dashboard.traffic.segments_per_s = 94;
    dashboard.traffic.bits_per_s = 612_300;
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

/// Zeek's rows of a flow; those that are no S0 or OTH were established.
pub(super) fn zeek(rows: &[(ConnState, &str)]) -> ZeekView {
    let row = |&(conn_state, history): &(ConnState, &str)| ZeekRow {
        first: NOW,
        duration: None,
        orig: Side::Orig,
        conn_state,
        history: history.bytes().collect(),
        bytes: None,
        packets: [1, 1],
        missed_bytes: 0,
        established: !matches!(conn_state, ConnState::S0 | ConnState::Oth),
        ended: None,
    };
    ZeekView { rows: rows.iter().map(row).collect(), beyond: 0 }
}

/// One flow of the capture: a connection that was closed by both.
pub(super) fn capture_flow() -> Dashboard {
    use LifeEventKind::{Fin, FinAcked, TimeWait};
    let mut dashboard = capture();
    let mut row = dashboard.flows.rows[1].clone();
    row.orig.inferred = Some(TcpState::TimeWait);
    row.resp.inferred = Some(TcpState::Closed);
    let mut events = life();
    events.truncate(7);
    let late = |after, side, kind| LifeEvent { ts: ago(14) + us(after), side, kind };
    events.extend([
        late(8_000_000, Side::Orig, Fin),
        late(8_022_000, Side::Orig, FinAcked),
        late(8_022_000, Side::Resp, Fin),
        late(8_022_100, Side::Resp, FinAcked),
        late(8_022_100, Side::Orig, TimeWait),
    ]);
    dashboard.flow = Some(Box::new(FlowDetail {
        first_from: Some(Side::Orig),
        row,
        handshake: Some(handshake_view()),
        completeness: Some(Completeness(31)),
        vlan: None,
        last_words: [None, None],
        tunnel: None,
        rejected: None,
        opening: None,
        halves: Some(halves()),
        analysis: Some(analysis()),
        verdict: Some(VerdictView::example()),
        timing: Some(timing()),
        sockets: [None, None],
        life: events,
        zeek: Some(zeek(&[(ConnState::S0, "S"), (ConnState::Sf, "ShADadFf"), (ConnState::Oth, "A")])),
        story: "orig closed first, and waits in TIME-WAIT (60 s are assumed) since 6 s ago.".into(),
    }));
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
