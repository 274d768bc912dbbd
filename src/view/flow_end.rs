//! One end of a flow: its state by the kernel and by the wire, who holds it, its queues, what it sent, tcp_info.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::base::{TcpState, Timestamp};
use crate::engine::{EndCell, FlowDetail, SocketDetail, recv_q_is_fin, send_q_is_syn_or_fin};
use crate::flow::{AnalysisCounts, HalfTiming, HalfView, Side};
use crate::kernel::{Socket, TcpInfo, TimerKind};

use super::chart::{Chart, History, spark};
use super::format::{ABSENT, age, bits, bytes, clock, count, counted, endpoint, owner_in, span};
use super::theme::Severity;
use super::widgets::{as_fit, gap, left, packed, pane, put, put_all, right, styled, title};
use super::{Context, flow_kernel, flow_times, keep_by_weight};

/// The pane of one end; `times` are given where they have no pane of their own.
pub(super) fn draw(
    context: &Context<'_>,
    detail: &FlowDetail,
    side: Side,
    times: Option<&HalfTiming>,
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height < 2 {
        return;
    }
    let theme = context.theme;
    let cell = detail.row.end(side);
    let place = place(cell);
    let name = endpoint(cell.endpoint, usize::from(area.width).saturating_sub(place.len() + 15));
    let inner = pane(buf, area, title(side.name(), format!("{name}  {place}").trim_end(), theme), false, theme);
    let sections = sections(context, detail, side, times, usize::from(inner.width));
    let lines = keep_by_weight(sections, usize::from(inner.height));
    put_all(buf, inner, &lines);
}

const fn place(cell: &EndCell) -> &'static str {
    match cell.local {
        Some(true) => "this host",
        Some(false) if cell.owner.is_elsewhere() => "other netns",
        Some(false) => "remote",
        None => "",
    }
}

fn sections(
    context: &Context<'_>,
    detail: &FlowDetail,
    side: Side,
    times: Option<&HalfTiming>,
    room: usize,
) -> Sections {
    let cell = detail.row.end(side);
    let mut sections = vec![(0, vec![state_line(context, cell)])];
    sections.extend(owner_lines(context, cell, room));
    let socket = detail.sockets[side.index()].as_ref();
    let last_word = detail.last_words[side.index()].iter();
    sections.extend(last_word.flat_map(|word| flow_kernel::last_word_lines(context, word, room)));
    if let Some(socket) = socket {
        sections.extend(queue_lines(context, socket, room));
    } else if cell.local != Some(true) {
        let text = if cell.local.is_none() { "not recorded" } else { "remote: not seen" };
        sections.push((3, vec![plain(context, "queues", text)]));
    }
    if let Some(halves) = &detail.halves {
        let (own, peer) = (&halves[side.index()], &halves[side.peer().index()]);
        sections.extend(wire_lines(context, own, peer, room));
        sections.extend(detail.analysis.map(|counts| (6, analysis_lines(context, &counts[side.index()], room))));
    } else {
        sections.push((4, vec![plain(context, "wire", "no segment captured")]));
    }
    sections.extend(times.into_iter().flat_map(|half| flow_times::in_brief(context, half, side, room)));
    // What the kernel measured is of a socket that is there.
    if let Some(info) = socket.filter(|socket| socket.is_there()).and_then(|socket| socket.socket.info.as_deref()) {
        sections.extend(info_lines(context, info, room));
    }
    sections
}

fn state_line(context: &Context<'_>, cell: &EndCell) -> Line<'static> {
    let theme = context.theme;
    let named = |state: Option<TcpState>| match state {
        Some(state) => styled(state.name(), theme.state(state)),
        None => styled(ABSENT, theme.dim),
    };
    let kernel = match (cell.reported, cell.outdated) {
        (Some(state), Some(read)) => {
            styled(format!("{} kernel {} ago, then  ", state.name(), age(context.ago(read))), theme.dim)
        }
        _ => styled(" kernel  ", theme.dim),
    };
    let reported = cell.outdated.is_none().then(|| named(cell.reported));
    let mut spans: Vec<Span<'static>> =
        reported.into_iter().chain([kernel, named(cell.inferred), styled(" wire", theme.dim)]).collect();
    if let Some(since) = cell.mismatch_since {
        let text = format!("  {} differ for {}", Severity::Warning.mark(), age(context.ago(since)));
        spans.push(styled(text, theme.warning));
    }
    match (cell.reported, cell.inferred) {
        (None, None) => spans = vec![styled("not seen", theme.dim)],
        (None, Some(_)) if cell.local != Some(true) => {
            spans.drain(..2);
            spans[1] = styled(" inferred", theme.dim);
        }
        _ => {}
    }
    field(context, "state", spans)
}

pub(super) type Sections = Vec<(u8, Vec<Line<'static>>)>;

fn owner_lines(context: &Context<'_>, cell: &EndCell, room: usize) -> Sections {
    if cell.local != Some(true) && !cell.owner.is_elsewhere() {
        return Vec::new();
    }
    let mut sections = vec![(1, vec![plain(context, "owner", owner_in(&cell.owner, room.saturating_sub(LABEL)))])];
    if let Some(process) = cell.owner.process() {
        let user = Some(&process.user).filter(|user| user.as_str() != "?").map(|user| format!("user {user}"));
        let rung = cell.owner.rung().map(|rung| format!("by {}", rung.name()));
        let parts = [user, rung, Some(process.cmdline.to_string())];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
        let text = super::widgets::fit(&text, room.saturating_sub(LABEL)).into_owned();
        sections.push((5, vec![field(context, "", vec![styled(text, context.theme.dim)])]));
    }
    sections
}

/// The one sequence number that a queue of 1 counts besides bytes: the peer's FIN in Recv-Q, the own SYN or FIN in
/// Send-Q.
fn marker(socket: &Socket) -> [Option<&'static str>; 2] {
    let state = socket.state.0;
    let own = if matches!(state, TcpState::SynSent | TcpState::SynRecv) { "the SYN" } else { "the FIN" };
    let send = socket.send_q.is_some_and(|bytes| send_q_is_syn_or_fin(state, bytes));
    [recv_q_is_fin(state, socket.recv_q).then_some("the FIN"), send.then_some(own)]
}

/// What is left to tell of a socket that the kernel holds no more.
fn gone_lines(context: &Context<'_>, socket: &Socket, gone: Timestamp) -> Sections {
    let zone = &context.theme.zone;
    let mut last = vec![socket.state.0.name().to_owned(), format!("Recv-Q {}", bytes(u64::from(socket.recv_q)))];
    last.extend(socket.send_q.map(|n| format!("Send-Q {}", bytes(u64::from(n)))));
    vec![
        (1, vec![plain(context, "socket", format!("gone since {}", clock(gone, zone)))]),
        (2, vec![plain(context, "last", last.join("  "))]),
    ]
}

fn queue_lines(context: &Context<'_>, detail: &SocketDetail, room: usize) -> Sections {
    let socket = &detail.socket;
    if let Some(gone) = detail.gone {
        return gone_lines(context, socket, gone);
    }
    if let Some(left) = detail.left {
        return flow_kernel::left_lines(context, socket, left);
    }
    let [recv_marker, send_marker] = marker(socket);
    let (rcvbuf, sndbuf) = socket.buffers.unzip();
    let line = |name: &str, now: Option<u32>, limit: Option<u32>, marker: Option<&str>, history: &[u64]| {
        let theme = context.theme;
        let amount = now.map_or_else(|| ABSENT.to_owned(), |n| bytes(u64::from(n)));
        let (amount, limit) = match marker {
            Some(marker) => ("1".to_owned(), format!(": {marker}")),
            None => (amount, limit.map_or_else(String::new, |n| format!(" of {}", bytes(u64::from(n))))),
        };
        let mut spans = vec![styled(right(&amount, 9), theme.strong), styled(left(&limit, 13), theme.dim)];
        let place = room.saturating_sub(LABEL + 22 + 1).min(60);
        if history.iter().any(|n| *n > 0) {
            spans.extend([gap(1), styled(spark(History::of_readings(history), place), theme.spark)]);
        }
        field(context, name, spans)
    };
    let mut sections = vec![
        (2, vec![line("Recv-Q", Some(socket.recv_q), rcvbuf, recv_marker, &detail.recv_q)]),
        (2, vec![line("Send-Q", socket.send_q, sndbuf, send_marker, &detail.send_q)]),
    ];
    if let Some(timer) = socket.timer {
        let tries = if timer.kind == TimerKind::Keepalive { "probes unanswered" } else { "tries" };
        let text = format!("{} {}, {} {tries}", timer.kind.name(), span(timer.left), timer.retries);
        sections.push((6, vec![plain(context, "timer", text)]));
    }
    sections.extend(flow_kernel::socket_lines(context, socket, room));
    sections.push((10, vec![plain(context, "socket", as_fit(&identity(socket), "  ", room.saturating_sub(LABEL)))]));
    sections.push((11, vec![plain(context, "read", format!("{} ago", age(context.ago(detail.at))))]));
    sections
}

fn identity(socket: &Socket) -> Vec<String> {
    let parts = [
        socket.inode.map(|n| format!("inode {n}")),
        socket.uid.map(|n| format!("uid {n}")),
        socket.cookie.map(|n| format!("cookie {n:x}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { vec!["no inode".to_owned()] } else { parts }
}

/// What the wire shows of this end's half: what it sent, and what its peer acknowledged.
fn wire_lines(context: &Context<'_>, own: &HalfView, peer: &HalfView, room: usize) -> Sections {
    let sent = format!("{} in {}", bytes(own.payload_bytes), counted(own.segments, "segment"));
    let unacked = own.nxt.zip(own.una).map(|(nxt, una)| nxt.offset_from(una).max(0));
    let unacked = unacked.map_or_else(|| ABSENT.to_owned(), |n| bytes(u64::from(n.unsigned_abs())));
    let mut sections = vec![(4, vec![plain(context, "sent", sent)]), (5, vec![plain(context, "unacked", unacked)])];
    let theme = context.theme;
    let window = match (own.window, own.window_raw) {
        (Some(n), _) => bytes(u64::from(n)),
        (None, Some(raw)) => format!("{raw} unscaled"),
        (None, None) => ABSENT.to_owned(),
    };
    let mut spans = vec![styled(window, theme.text)];
    if let Some(since) = own.zero_window_since {
        let text = format!("  {} closed for {}", Severity::Warning.mark(), age(context.ago(since)));
        spans.push(styled(text, theme.warning));
    }
    sections.push((if own.zero_window_since.is_some() { 2 } else { 7 }, vec![field(context, "window", spans)]));
    let counts = [("SYN", own.syns), ("SYN-ACK", own.syn_acks), ("FIN", own.fins), ("RST", own.rsts)];
    let parts: Vec<String> = counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    if !parts.is_empty() {
        sections.push((8, vec![plain(context, "flags", as_fit(&parts, "  ", room.saturating_sub(LABEL)))]));
    }
    let relative = |n: Option<crate::base::Seq>| match (n, own.iss) {
        (Some(n), Some(iss)) => Some(count(u64::from((n - iss.0).0))),
        _ => None,
    };
    if let Some((una, nxt)) = relative(own.una).zip(relative(own.nxt)) {
        let acked = peer.segments > 0;
        let una = acked.then(|| format!("SND.UNA {una}"));
        let parts: Vec<String> =
            una.into_iter().chain([format!("SND.NXT {nxt}"), "after the ISS".to_owned()]).collect();
        sections.push((9, vec![plain(context, "numbers", as_fit(&parts, "  ", room.saturating_sub(LABEL)))]));
    }
    sections
}

/// What sequence analysis marked of what this end sent; nothing, if it marked nothing.
fn analysis_lines(context: &Context<'_>, counts: &AnalysisCounts, room: usize) -> Vec<Line<'static>> {
    let parts: Vec<String> = counts.iter().map(|(mark, n)| format!("{} {}", mark.words(), count(n))).collect();
    let lines = packed(&parts, "  ", room.saturating_sub(LABEL)).into_iter().enumerate();
    lines.map(|(at, text)| plain(context, if at == 0 { "analysis" } else { "" }, text)).collect()
}

fn info_lines(context: &Context<'_>, info: &TcpInfo, room: usize) -> Sections {
    let mut sections = Vec::new();
    for (label, weight, values) in info_groups(info) {
        let parts: Vec<String> = values.into_iter().flatten().collect();
        if !parts.is_empty() {
            let text = as_fit(&parts, "  ", room.saturating_sub(LABEL));
            sections.push((weight, vec![plain(context, label, text)]));
        }
    }
    sections
}

/// What the kernel measured, by what it is about: a label, a weight, and what of it is told.
fn info_groups(info: &TcpInfo) -> [(&'static str, u8, Vec<Option<String>>); 6] {
    let time = |name: &str, value: Option<std::time::Duration>| value.map(|time| format!("{name} {}", span(time)));
    let number = |name: &str, value: Option<u32>| value.map(|n| format!("{name} {}", count(u64::from(n))));
    let volume = |name: &str, value: Option<u64>| value.map(|n| format!("{name} {}", bytes(n)));
    let rate = |name: &str, value: Option<u64>| value.map(|n| format!("{name} {}", bits(n.saturating_mul(8))));
    let threshold = info.snd_ssthresh.filter(|n| *n < i32::MAX.unsigned_abs());
    [
        ("rtt", 6, vec![info.rtt.map(span), time("±", info.rttvar), time("min", info.min_rtt), time("rto", info.rto)]),
        (
            "congest.",
            8,
            vec![number("cwnd", info.snd_cwnd), number("ssthresh", threshold), number("in flight", info.unacked)],
        ),
        (
            "loss",
            7,
            vec![
                number("retrans", info.total_retrans),
                number("lost", info.lost),
                volume("resent", info.bytes_retrans),
            ],
        ),
        (
            "volume",
            9,
            vec![
                volume("acked", info.bytes_acked),
                volume("received", info.bytes_received),
                volume("not sent", info.notsent_bytes.map(u64::from)),
            ],
        ),
        (
            "limits",
            10,
            vec![number("mss", info.snd_mss), number("pmtu", info.pmtu), rate("delivery", info.delivery_rate)],
        ),
        ("busy", 9, flow_kernel::limit_parts(info)),
    ]
}

/// An end's Recv-Q and Send-Q over time.
pub(super) fn draw_charts(context: &Context<'_>, detail: &FlowDetail, side: Side, area: Rect, buf: &mut Buffer) {
    if area.height < 4 {
        return;
    }
    let theme = context.theme;
    let name = format!("{}'s queues", side.name());
    let inner = pane(buf, area, title(&name, "each sample, newest right", theme), false, theme);
    let Some(socket) = &detail.sockets[side.index()] else {
        return put(buf, inner, &Line::from(styled("not recorded", theme.dim)));
    };
    if let Some(gone) = socket.gone {
        let text = format!("the socket is gone since {}", clock(gone, &theme.zone));
        return put(buf, inner, &Line::from(styled(text, theme.dim)));
    }
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut lines = queue_chart(context, "Recv-Q", &socket.recv_q, height / 2, room);
    lines.extend(queue_chart(context, "Send-Q", &socket.send_q, height - height / 2, room));
    put_all(buf, inner, &lines);
}

fn queue_chart(context: &Context<'_>, name: &str, values: &[u64], height: usize, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = vec![Line::from(styled(left(name, room), theme.dim))];
    let chart = Chart { history: History::of_readings(values), unit: bytes, label: 0, dated: true };
    lines.extend(chart.lines(room, height.saturating_sub(2), theme));
    lines.push(Line::default());
    lines.truncate(height);
    lines
}

pub(super) const LABEL: usize = 9;

pub(super) fn field(context: &Context<'_>, label: &str, value: Vec<Span<'static>>) -> Line<'static> {
    let mut spans = vec![styled(left(label, LABEL), context.theme.dim)];
    spans.extend(value);
    Line::from(spans)
}

pub(super) fn plain(context: &Context<'_>, label: &str, value: impl Into<String>) -> Line<'static> {
    field(context, label, vec![styled(value, context.theme.text)])
}
