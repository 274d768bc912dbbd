//! Dashboards whose answer is a list: something wrong in each, and a capture's, in which the kernel is missing.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::super::fixture::{NOW, ago, capture, end, end6, held, live, ms, process, us, wave};
use crate::base::{Endpoint, Scope, TcpState, Timestamp};
use crate::engine::{
    AcceptRow, CameIn, Dashboard, DescriptorRow, FlowId, FlowPane, Forecast, GroupKey, GroupLine, GroupRow,
    HandshakeRow, Keyed, ListPane, ListenerRow, Ownership, PortRow, PortUse, PortsOutlook, ProcessId, ProcessLine,
    ProcessRow, QueueEntry, Window,
};
use crate::findings::Kind;
use crate::flow::{HandshakeOutcome, HandshakeView, Negotiated};

fn window<T: Keyed>(rows: Vec<T>) -> Window<T> {
    Window { matching: rows.len(), offset: 0, followed: None, rows }
}

fn with(dashboard: Dashboard, list: ListPane) -> Dashboard {
    Dashboard { list, ..dashboard }
}

/// A handshake that began `secs` ago: when its SYN-ACK and its conclusion came, and how often each was sent again.
fn handshake(
    id: u64,
    ends: (Endpoint, Endpoint),
    outcome: HandshakeOutcome,
    (secs, syn_ack, took): (u64, Option<Duration>, Option<Duration>),
    retries: (u32, u32),
) -> HandshakeRow {
    let since = ago(secs);
    let completed = outcome == HandshakeOutcome::Completed;
    let offer = Negotiated { mss: Some(1460), wscale: Some(7), sack: true, timestamps: true, ..Negotiated::default() };
    let at = |time: Option<Duration>| time.map(|time| since + time);
    // Each at half of the time that is left: the gaps double.
    let tries = |count: u32, took: Option<Duration>| {
        (1..=count).rev().filter_map(|n| at(took.map(|took| took / 2_u32.pow(n)))).collect()
    };
    HandshakeRow {
        flow: FlowId(id),
        orig: ends.0,
        resp: ends.1,
        owner: held(4_121, "curl", 5),
        resp_owner: Ownership::NotRecorded,
        name: None,
        view: HandshakeView {
            outcome,
            syn_at: Some(since),
            syn_ack_at: at(syn_ack),
            ack_at: at(took).filter(|_| completed),
            syn_retries: retries.0,
            syn_ack_retries: retries.1,
            offered: [Some(offer), syn_ack.map(|_| offer)],
            ..HandshakeView::default()
        },
        since,
        syns_again: tries(retries.0, took),
        syn_acks_again: tries(retries.1, took),
        concluded: at(took),
        took: Some(took.unwrap_or(NOW.since(since))),
        rejected: None,
        dns: completed.then_some(ms(3)),
        tls: None,
    }
}

pub(super) fn handshakes(base: fn() -> Dashboard) -> Dashboard {
    use HandshakeOutcome::{Completed, HalfOpen, Refused, Reset, Unanswered, Waiting};
    let client = |port| end(2, port);
    let secs = Duration::from_secs;
    let mut rows = vec![
        handshake(4, (client(53_110), end(7, 8_443)), Unanswered, (150, None, Some(ms(134_500))), (10, 0)),
        handshake(11, (end(44, 9_921), end(2, 22)), HalfOpen, (12, Some(us(90)), Some(ms(4_100))), (0, 2)),
        handshake(12, (end6(33_210), end6(443)), Reset, (9, Some(ms(30)), Some(ms(41))), (0, 0)),
        handshake(7, (client(53_111), end(8, 80)), Refused, (3, None, Some(us(300))), (0, 0)),
        handshake(13, (client(53_115), end(7, 8_443)), Waiting, (2, None, None), (1, 0)),
    ];
    rows[4].syns_again = vec![ago(1)];
    rows.extend((20..400).map(|n| {
        let (ack, took) = (us(n * n), us(n * n + n * 9));
        let port = 33_000 + u16::try_from(n).unwrap_or(0);
        handshake(n, (client(port), end(5, 5_432)), Completed, (n, Some(ack), Some(took)), (0, 0))
    }));
    rows[9].view.syn_retries = 1;
    (rows[9].syns_again, rows[9].view.syn_ack_at) = (vec![ago(24) + secs(1)], Some(ago(24) + ms(1_020)));
    (rows[9].concluded, rows[9].took) = (Some(ago(24) + ms(1_021)), Some(ms(1_021)));
    rows[9].view.ack_at = rows[9].concluded;
    with(base(), ListPane::Handshakes(window(rows)))
}

pub(super) fn queues() -> Dashboard {
    let mut dashboard = live();
    let kernel = dashboard.queues.kernel.clone().unwrap_or_default();
    let accept: Vec<AcceptRow> = kernel.accept;
    let mut rows: Vec<QueueEntry> = accept.into_iter().map(|row| QueueEntry::Accept(Scope(0), Some(1), row)).collect();
    rows.extend(
        dashboard.queues.wire.clone().into_iter().map(|row| QueueEntry::Wire(row, held(4_121, "report.py", 7))),
    );
    rows.extend(kernel.send.into_iter().map(QueueEntry::Send));
    rows.extend(kernel.recv.into_iter().map(QueueEntry::Recv));
    dashboard.list = ListPane::Queues(window(rows));
    dashboard
}

/// By the wire alone.
pub(super) fn queues_of_capture() -> Dashboard {
    let dashboard = capture();
    let rows =
        dashboard.queues.wire.clone().into_iter().map(|row| QueueEntry::Wire(row, Ownership::NotRecorded)).collect();
    with(dashboard, ListPane::Queues(window(rows)))
}

pub(super) fn ports(by_kernel: bool) -> Dashboard {
    let range = |taken| by_kernel.then_some(PortUse { taken, range: 28_232 });
    let who = |pid, comm| by_kernel.then(|| (process(pid, comm, comm), pid == 880));
    let row = |service, time_wait, open, ports, process| PortRow {
        holder: end(2, 0).ip(),
        service,
        serves: false,
        time_wait,
        open,
        ports,
        outlook: None,
        process,
    };
    let mut rows = vec![
        row(end(5, 5_432), 25_480, 512, range(25_992), who(880, "pg-loop")),
        row(end(9, 6_379), 188, 23_311, range(23_499), who(77, "worker")),
        row(end6(443), 20, 0, range(20), who(4_121, "curl")),
        row(end(2, 80), 3, 310, None, who(812, "nginx")),
        row(end(8, 80), 0, 1, range(1), None),
    ];
    (rows[2].holder, rows[3].serves) = (end6(0).ip(), true);
    if by_kernel {
        let (now, capacity) = (live().now.expect("a time"), 28_232);
        let soon = Duration::from_secs(5);
        for (row, forecast) in [
            (0, Forecast::RunsOut { left: soon, at: now + soon }),
            (1, Forecast::LevelsOff(23_715)),
            (2, Forecast::LevelsOff(20)),
        ] {
            let used = if row == 2 { 20 } else { 23_499 };
            rows[row].outlook = Some(PortsOutlook { forecast, used, capacity });
        }
        rows.insert(1, row(end(6, 3_306), 4_000, 23_900, range(27_900), who(91, "batch")));
    }
    with(if by_kernel { live() } else { capture() }, ListPane::Ports(window(rows)))
}

pub(super) fn listeners() -> Dashboard {
    let row = |port: u16, pid, comm: &str, (waiting, limit), drops, came_in| ListenerRow {
        scope: Scope(0),
        local: Endpoint::new(Ipv4Addr::UNSPECIFIED, port),
        id: Some(port.into()),
        owner: held(pid, comm, 3),
        listens: true,
        waiting: Some(waiting),
        limit: Some(limit),
        history: wave(60, u64::from(waiting), u64::from(waiting) / 9),
        drops: Some(drops),
        came_in,
    };
    let came_in = |syn_recv, estab, close_wait, closing, completed| {
        Some(CameIn { syn_recv, estab, close_wait, closing, completed })
    };
    let mut rows = vec![
        row(8_080, 99, "app", (129, 128), 31, came_in(42, 310, 0, 4, 1_204)),
        row(8_443, 99, "app", (12, 128), 3, came_in(0, 12, 0, 0, 80)),
        row(443, 812, "nginx", (0, 511), 0, came_in(2, 1_311, 0, 25_003, 98_112)),
        row(443, 813, "nginx", (1, 511), 0, None),
        row(8_000, 77, "worker", (0, 5), 0, came_in(0, 2, 400, 0, 402)),
        row(22, 640, "sshd", (0, 128), 0, came_in(0, 1, 0, 0, 1)),
    ];
    rows[5].local = Endpoint::new("2001:db8:85a3:1234:5678:8a2e:370:7334".parse::<IpAddr>().unwrap(), 22);
    rows[4].owner = Ownership::NoAccess;
    let bound = ListenerRow {
        listens: false,
        waiting: None,
        limit: None,
        drops: None,
        history: vec![],
        ..row(9_999, 91, "batch", (0, 0), 0, None)
    };
    rows.push(bound);
    with(live(), ListPane::Listeners(window(rows)))
}

/// Ends that answered on the wire.
pub(super) fn listeners_of_capture() -> Dashboard {
    let row = |host, port, completed| ListenerRow {
        came_in: Some(CameIn { syn_recv: 1, estab: 3, close_wait: 0, closing: 7, completed }),
        ..ListenerRow::new(Scope::FILE, end(host, port))
    };
    with(capture(), ListPane::Listeners(window(vec![row(2, 80, 1_204), row(5, 5_432, 7)])))
}

pub(super) fn processes() -> Dashboard {
    let row = |pid, comm: &str, (sockets, listen, estab, close_wait), queues: (u64, u64), rate| ProcessRow {
        id: ProcessId { pid, start_time: Some(1) },
        process: process(pid, comm, &format!("/usr/sbin/{comm} --config /etc/{comm}/{comm}.conf --workers 4")),
        sockets,
        listen,
        estab,
        close_wait,
        opened: sockets / 3 + listen,
        time_wait: 0,
        recv_q: queues.0,
        send_q: queues.1,
        bits_per_s: rate,
        open: comm == "report.py",
    };
    let socket = |fd, state, ends: (Endpoint, Option<Endpoint>), queues: (u32, u32), rate| {
        ProcessLine::Descriptor(DescriptorRow {
            process: ProcessId { pid: 4_121, start_time: Some(1) },
            fd,
            shared: fd == 9,
            state,
            local: ends.0,
            peer: ends.1,
            recv_q: queues.0,
            send_q: Some(queues.1),
            flow: ends.1.map(|_| FlowId(u64::from(fd))),
            bits_per_s: rate,
        })
    };
    let mut lines = vec![
        ProcessLine::Process(row(812, "nginx", (1_322, 2, 1_311, 0), (0, 212_476), Some(41_200_000))),
        ProcessLine::Process(row(4_121, "report.py", (4, 1, 2, 1), (98_012, 0), Some(3_100_000))),
        socket(3, TcpState::Listen, (Endpoint::new(Ipv4Addr::UNSPECIFIED, 9_000), None), (9, 8), None),
        socket(7, TcpState::Estab, (end(2, 40_112), Some(end(9, 443))), (98_012, 0), Some(3_100_000)),
        socket(9, TcpState::CloseWait, (end(2, 40_113), Some(end6(443))), (1, 0), Some(0)),
        socket(1_021, TcpState::Estab, (end6(40_114), Some(end6(443))), (0, 76), None),
        ProcessLine::Process(row(77, "worker", (401, 1, 0, 400), (0, 0), Some(0))),
    ];
    lines.extend((0..40).map(|n| ProcessLine::Process(row(5_000 + n, "connect-test", (1, 0, 0, 0), (0, 0), None))));
    with(live(), ListPane::Processes(window(lines)))
}

/// Where the kernel is missing, or nothing came yet.
pub(super) fn none_of(list: ListPane, base: fn() -> Dashboard) -> Dashboard {
    with(base(), list)
}

/// An instant that no list may trip over.
pub(super) fn extreme() -> Dashboard {
    let mut dashboard = handshakes(live);
    if let ListPane::Handshakes(window) = &mut dashboard.list {
        for row in &mut window.rows {
            (row.since, row.view.syn_at, row.took) = (Timestamp::MIN, Some(Timestamp::MAX), Some(Duration::MAX));
        }
    }
    dashboard
}

/// Flows by process, the second group open.
pub(super) fn groups() -> Dashboard {
    let dashboard = live();
    let group = |pid, comm: &str, flows, open| {
        GroupLine::Group(GroupRow {
            key: GroupKey::Process(ProcessId { pid, start_time: Some(1) }),
            process: Some(process(pid, comm, comm)),
            flows,
            closed: flows / 3,
            bits_per_s: Some(flows * 31_117),
            payload_bytes: Some(flows * 7_919),
            retrans_wire: Some(flows / 100),
            recv_q: Some(0),
            send_q: Some(212_476),
            open,
        })
    };
    let mut lines = vec![group(812, "nginx", 1_322, false), group(4_121, "report.py", 3, true)];
    lines.extend(dashboard.flows.rows.iter().take(3).cloned().map(|row| GroupLine::Flow(Box::new(row))));
    lines.push(group(77, "worker", 1, false));
    if let GroupLine::Group(row) = &mut lines[5] {
        (row.key, row.process, row.bits_per_s) = (GroupKey::NoProcess, None, None);
    }
    with(dashboard, ListPane::Groups(window(lines)))
}

/// Findings, the first of which is that handshakes pile up.
pub(super) fn flooded() -> Dashboard {
    let mut dashboard = capture();
    dashboard.findings.retain(|finding| finding.kind == Kind::ConnectsRefused);
    dashboard.findings.insert(0, crate::findings::fixture::flood(dashboard.now.expect("a capture's end")));
    findings(move || dashboard)
}

/// Findings, and the flows that the one under the cursor is about.
pub(super) fn findings(base: impl FnOnce() -> Dashboard) -> Dashboard {
    let dashboard = base();
    let flows = FlowPane { matching: 400, ..dashboard.flows.clone() };
    let rows = window(dashboard.findings.clone());
    with(dashboard, ListPane::Findings(rows, flows))
}
