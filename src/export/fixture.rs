//! Flows and a dashboard for this room's tests.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Scope, Scrubbed, TcpState, Timestamp};
use crate::engine::*;
use crate::flow::*;
use crate::kernel::{Process, Reported, Socket, TableSource, TcpInfo, Timer, TimerKind};
use crate::wire::{Decoded, FrameCounts, Undecoded};

/// `secs` after the source began.
pub(super) fn at(secs: f64) -> Timestamp {
    Timestamp::from_secs_nanos(1_763_733_600, 0) + Duration::from_secs_f64(secs)
}

fn end(ip: [u8; 4], port: u16, inferred: TcpState) -> EndCell {
    EndCell {
        endpoint: Endpoint::new(ip, port),
        local: None,
        inferred: Some(inferred),
        reported: None,
        outdated: None,
        mismatch_since: None,
        recv_q: None,
        send_q: None,
        owner: Ownership::NotRecorded,
    }
}

fn half(state: TcpState, segments: u64, payload_bytes: u64) -> HalfView {
    HalfView { state: Some(state), segments, payload_bytes, window_raw: Some(502), ..HalfView::default() }
}

/// A wire-only flow of `handshake` with both ends in the states given.
fn wire_flow(id: u64, resp: ([u8; 4], u16), states: [TcpState; 2], handshake: HandshakeView) -> FlowDetail {
    let (first, last) = (at(id as f64), at(id as f64 + 0.5));
    let row = FlowRow {
        id: FlowId(id),
        scope: Scope::FILE,
        orig: end([192, 0, 2, 10], 50_000 + u16::try_from(id).unwrap(), states[0]),
        resp: end(resp.0, resp.1, states[1]),
        orig_known: handshake.outcome != HandshakeOutcome::Partial,
        name: None,
        outcome: Some(handshake.outcome),
        first,
        last,
        segments: Some(2),
        payload_bytes: Some(0),
        bits_per_s: Some(0),
        rtt: None,
        retrans: None,
        retrans_wire: Some(0),
        lost: None,
        closed: states == [TcpState::Closed; 2],
    };
    FlowDetail {
        row,
        first_from: Some(Side::Orig),
        handshake: Some(handshake),
        completeness: Some(Completeness(1)),
        vlan: None,
        last_words: [None, None],
        tunnel: None,
        rejected: None,
        path_errors: [None, None],
        opening: None,
        halves: Some(states.map(|state| half(state, 1, 0))),
        analysis: Some([AnalysisCounts::default(); 2]),
        verdict: None,
        timing: None,
        sockets: [None, None],
        in_vain: [false; 2],
        life: Vec::new(),
        zeek: None,
        story: String::new(),
    }
}

/// The same with names and waits.
pub(super) fn named(id: u64) -> FlowDetail {
    let mut detail = completed(id);
    let times = detail.handshake.as_ref().and_then(|view| view.syn_at.zip(view.ack_at));
    let (syn, ack) = times.expect("a handshake");
    detail.opening = Some(Box::new(crate::engine::opening::fixture::opening(syn, ack)));
    detail
}

/// One of each kind.
pub(super) fn each() -> [FlowDetail; 8] {
    [completed(1), refused(2), timed_out(3), window_closed(4), close_wait(5), kernel_only(6), partial(7), named(8)]
}

/// A finished handshake, data both ways, the originator's socket seen in the kernel.
pub(super) fn completed(id: u64) -> FlowDetail {
    let ms = Duration::from_millis;
    let offer = Negotiated {
        mss: Some(1460),
        wscale: Some(10),
        sack: true,
        timestamps: true,
        fast_open: false,
        mptcp: false,
        cut: false,
    };
    let handshake = HandshakeView {
        outcome: HandshakeOutcome::Completed,
        syn_at: Some(at(1.0)),
        syn_ack_at: Some(at(1.02)),
        ack_at: Some(at(1.021)),
        syn_to_syn_ack: Some(ms(20)),
        syn_ack_to_ack: Some(ms(1)),
        rtt: Some(ms(21)),
        connect_time: Some(ms(21)),
        offered: [Some(offer), Some(Negotiated { wscale: None, sack: false, cut: true, ..offer })],
        ..HandshakeView::default()
    };
    let mut detail = wire_flow(id, ([198, 51, 100, 5], 80), [TcpState::Estab; 2], handshake);
    let halves = detail.halves.as_mut().unwrap();
    halves[0] = HalfView { syns: 1, segments: 7, payload_bytes: 420, window: Some(64_256), ..halves[0] };
    halves[1] = HalfView { syn_acks: 1, segments: 9, payload_bytes: 98_049, ..halves[1] };
    detail.row.payload_bytes = Some(98_469);
    detail.row.segments = Some(16);
    detail.analysis = Some([[(Mark::DuplicateAck, 3)], [(Mark::Retransmission, 1)]].map(AnalysisCounts::from_iter));
    detail.row.retrans_wire = Some(1);
    detail.timing = Some(timing());
    detail.completeness = Some(Completeness(15));
    let row = zeek_row(ConnState::S1, "ShADadt");
    detail.zeek = Some(ZeekView { rows: vec![row], beyond: 0 });
    detail.row.orig.local = Some(true);
    detail.row.resp.local = Some(false);
    detail.row.orig.reported = Some(TcpState::Estab);
    detail.row.orig.owner = Ownership::Held { process: process(), fd: 5, others: 0 };
    detail.sockets[0] = Some(Box::new(socket(&detail.row.orig, &detail.row.resp)));
    detail.story = "Established; 98.0 kB came back 31 ms after the request.".to_owned();
    detail
}

/// Few round trips one way and many the other, one small write that waited.
fn timing() -> TimingView {
    let us = Duration::from_micros;
    let orig = HalfTiming {
        rtt_by_ack: Some(Delays::sketched(3, 20_000, 33_000, 60_000)),
        in_flight: Some(InFlight { now: Some(0), max: 420 }),
        stalls: Some(Stalls { late_acks: 1, small_writes: 1, waited: us(60_000), worst: us(60_000) }),
        ..HalfTiming::default()
    };
    let resp = HalfTiming {
        rtt_by_ack: Some(Delays::sketched(34, 800, 1_000, 2_100)),
        rtt_by_timestamps: Some(Delays::sketched(1, 900, 900, 900)),
        in_flight: Some(InFlight { now: Some(1_448), max: 64_000 }),
        throughput: Some(Throughput { bytes: 98_049, time: us(1_200_000), peak: Some(96_601) }),
        think: Some(Delays::sketched(1, 31_000, 31_000, 31_000)),
        stalls: None,
    };
    TimingView { halves: [orig, resp], idle: Some(IdleGap { time: us(300_000), until: at(1.9) }) }
}

/// A row of Zeek's.
pub(super) fn zeek_row(conn_state: ConnState, history: &str) -> ZeekRow {
    ZeekRow {
        first: at(1.0),
        duration: Some(Duration::from_millis(1_200)),
        orig: Side::Orig,
        conn_state,
        history: history.bytes().collect(),
        bytes: Some([420, 98_049]),
        packets: [7, 9],
        missed_bytes: 0,
        established: conn_state == ConnState::S1,
        ended: None,
    }
}

fn process() -> Arc<Process> {
    Arc::new(Process {
        pid: 4121,
        start_time: Some(9),
        comm: Scrubbed::new("curl"),
        cmdline: Scrubbed::new("curl -s \"http://shop.example/\" \u{1b}[31m"),
        user: Scrubbed::new("ann"),
    })
}

fn socket(local: &EndCell, peer: &EndCell) -> SocketDetail {
    let info = TcpInfo { rtt: Some(Duration::from_micros(20_500)), total_retrans: Some(0), ..TcpInfo::default() };
    SocketDetail {
        socket: Socket {
            local: local.endpoint,
            peer: peer.endpoint,
            state: Reported(TcpState::Estab),
            recv_q: 16_384,
            send_q: Some(0),
            timer: Some(Timer { kind: TimerKind::Keepalive, left: Duration::from_secs(14), retries: 0 }),
            uid: Some(1000),
            inode: Some(77_123),
            cookie: Some(4_099),
            buffers: None,
            drops: None,
            memory: None,
            congestion: None,
            cgroup: None,
            info: Some(Box::new(info)),
        },
        at: at(2.0),
        gone: None,
        left: None,
        recv_q: vec![0, 16_384],
        send_q: vec![0, 0],
    }
}

/// A SYN answered by a RST.
pub(super) fn refused(id: u64) -> FlowDetail {
    let handshake =
        HandshakeView { outcome: HandshakeOutcome::Refused, syn_at: Some(at(2.0)), ..HandshakeView::default() };
    let mut detail = wire_flow(id, ([198, 51, 100, 20], 6379), [TcpState::Closed; 2], handshake);
    let halves = detail.halves.as_mut().unwrap();
    halves[0].syns = 1;
    halves[1].rsts = 1;
    detail.completeness = Some(Completeness(33));
    detail.story = "Refused: 198.51.100.20 answered the SYN with a RST, so nothing listens on port 6379.".to_owned();
    detail
}

/// A SYN with six retries and no answer.
pub(super) fn timed_out(id: u64) -> FlowDetail {
    let handshake = HandshakeView {
        outcome: HandshakeOutcome::Unanswered,
        syn_at: Some(at(3.0)),
        syn_retries: 6,
        ..HandshakeView::default()
    };
    let states = [TcpState::Closed; 2];
    let mut detail = wire_flow(id, ([198, 51, 100, 99], 9200), states, handshake);
    detail.halves.as_mut().unwrap()[0].syns = 7;
    detail.row.resp.inferred = None;
    detail.halves.as_mut().unwrap()[1] = HalfView::default();
    detail.story = "No answer to the SYN or any of its 6 retries.".to_owned();
    detail
}

/// A receiver that stopped reading at 14 s.
pub(super) fn window_closed(id: u64) -> FlowDetail {
    let mut detail = completed(id);
    let halves = detail.halves.as_mut().unwrap();
    halves[1].window_raw = Some(0);
    halves[1].window = Some(0);
    halves[1].zero_window_since = Some(at(14.0));
    detail.verdict = Some(VerdictView::example());
    detail.story = "198.51.100.5 has advertised a window of 0 since 14 s: its process is not reading.".to_owned();
    detail
}

/// The responder closed at 5.1 s, the originator never did.
pub(super) fn close_wait(id: u64) -> FlowDetail {
    let mut detail = completed(id);
    detail.row.orig.inferred = Some(TcpState::CloseWait);
    detail.row.orig.reported = Some(TcpState::CloseWait);
    detail.row.resp.inferred = Some(TcpState::FinWait2);
    detail.halves.as_mut().unwrap()[1].fins = 1;
    detail.life = vec![LifeEvent { ts: at(5.1), side: Side::Resp, kind: LifeEventKind::Fin }];
    detail.story = "The peer closed; curl[4121] has not called close().".to_owned();
    detail
}

/// First seen mid-stream.
pub(super) fn partial(id: u64) -> FlowDetail {
    wire_flow(id, ([198, 51, 100, 7], 22), [TcpState::Estab; 2], HandshakeView::default())
}

/// Known from the socket table alone.
pub(super) fn kernel_only(id: u64) -> FlowDetail {
    let mut detail = completed(id);
    detail.row.outcome = None;
    detail.row.segments = None;
    detail.row.payload_bytes = None;
    detail.row.scope = Scope(4_026_531);
    detail.row.orig.inferred = None;
    detail.row.resp.inferred = None;
    detail.row.orig.owner = Ownership::NoAccess;
    detail.handshake = None;
    detail.zeek = None;
    detail.halves = None;
    detail.analysis = None;
    detail.timing = None;
    detail.row.retrans_wire = None;
    detail.first_from = None;
    detail.completeness = None;
    detail.story = String::new();
    detail
}

/// A capture's dashboard at its end: the wire was seen, the kernel was not.
pub(super) fn dashboard() -> Dashboard {
    let mut frames = FrameCounts::default();
    (0..38).for_each(|_| frames.count(&Decoded::NotTcp));
    (0..2).for_each(|_| frames.count(&Decoded::Undecoded(Undecoded::Fragment)));
    let row = |state, wire| StateRow { state, kernel: None, wire, history: Vec::new() };
    Dashboard {
        findings: Vec::new(),
        ports: None,
        now: Some(at(69.848)),
        since: Some(at(0.0)),
        totals: Totals {
            segments: 7_544,
            payload_bytes: 1_234_567,
            flows: 6,
            flows_begun: 6,
            flows_on_wire: 6,
            ..Totals::default()
        },
        traffic: Traffic::default(),
        loss: Some(Loss { ts: at(69.0), kernel: None, interface: None, ours: 0, frames }),
        sees: Sees { wire: true, ..Sees::default() },
        handshakes: HandshakePane::default(),
        states: StatePane {
            rows: vec![
                row(TcpState::Listen, None),
                row(TcpState::Estab, Some(12)),
                row(TcpState::CloseWait, Some(46)),
                row(TcpState::TimeWait, Some(1_407)),
            ],
            wire_counts: WireCounts::BothEnds,
            mismatched: 0,
        },
        queues: QueuePane {
            kernel: None,
            wire: vec![WireQueueRow {
                flow: FlowId(4),
                from: Endpoint::new([198, 51, 100, 105], 53_046),
                to: Endpoint::new([192, 0, 2, 10], 9000),
                unacked: 0,
                zero_window_since: Some(at(14.4)),
            }],
            unknown_halves: 0,
        },
        time_wait: TimeWaitPane {
            wire: Some(1_407),
            entered: Some(1_407),
            entered_window: Duration::from_secs(60),
            peers: vec![(Endpoint::new([198, 51, 100, 5], 5432), 1_400)],
            holders: vec![([192, 0, 2, 10].into(), 1_405)],
            ..TimeWaitPane::default()
        },
        flows: FlowPane::default(),
        list: ListPane::Flows,
        busiest: Vec::new(),
        flow: None,
    }
}

/// The same with the kernel seen, and queues.
pub(super) fn live_dashboard() -> Dashboard {
    let mut dashboard = dashboard();
    dashboard.findings = crate::findings::fixture::incident(at(69.0));
    dashboard.sees.kernel = Some(KernelSight {
        source: TableSource::Diag,
        at: at(69.0),
        took: Duration::from_millis(1),
        sockets: 1_471,
        ownable: 60,
        owned: 59,
        listeners_at: Some(at(69.0)),
        time_wait_at: Some(at(69.0)),
        bad_rows: 0,
        processes_denied: 1,
        denied: [Some(812), None, None],
    });
    dashboard.states.wire_counts = WireCounts::LocalEnds;
    dashboard.states.mismatched = 2;
    for row in &mut dashboard.states.rows {
        row.kernel = Some(row.wire.unwrap_or(14));
    }
    dashboard.time_wait.kernel = Some(1_406);
    dashboard.ports = Some(ports());
    let owner = Ownership::Held { process: process(), fd: 7, others: 1 };
    let recv = QueueRow {
        flow: FlowId(1),
        local: Endpoint::new([192, 0, 2, 10], 9000),
        peer: Endpoint::new([198, 51, 100, 105], 53_046),
        bytes: 98_000,
        limit: Some(131_072),
        since: at(28.0),
        history: vec![],
        owner: owner.clone(),
    };
    let accept = AcceptRow {
        local: Endpoint::new([0, 0, 0, 0], 8080),
        waiting: 129,
        limit: Some(128),
        full_since: Some(at(60.0)),
        history: vec![],
        owner: Ownership::Unknown,
    };
    dashboard.queues.kernel = Some(KernelQueues {
        recv: vec![recv],
        send: vec![],
        accept: vec![accept],
        listen_overflows: Some(31),
        listen_drops: Some(0),
    });
    dashboard
}

/// Ports to one destination run out, to another there are none, a third levels off, a fourth hardly uses any.
fn ports() -> PortsPane {
    let row = |last, live, time_wait, forecast| RouteRow {
        from: [192, 0, 2, 10].into(),
        to: Endpoint::new([198, 51, 100, last], 5432),
        capacity: 28_226,
        live,
        time_wait,
        let_go: 0,
        closes_per_s: 471.5,
        forecast,
        history: Vec::new(),
        holders: vec![(process(), 25_400)],
        processes: 1,
    };
    PortsPane {
        range: Some((32_768, 60_999)),
        usable: 28_232,
        held: 6,
        routes: vec![
            row(4, 28_000, 226, Forecast::Exhausted { since: at(30.0) }),
            row(5, 5, 25_480, Forecast::RunsOut { left: Duration::from_secs(5), at: at(74.0) }),
            row(6, 0, 6_000, Forecast::LevelsOff(12_600)),
            row(7, 2, 0, Forecast::LevelsOff(2)),
        ],
    }
}
