//! One flow in full: its story, both ends (inferred beside reported), the handshake, its life.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::engine::{EndCell, FlowDetail, SocketDetail};
use crate::flow::{Completeness, HalfView, HandshakeView, LifeEvent, LifeEventKind, Negotiated, Side};
use crate::kernel::{Socket, TcpInfo};
use crate::ui::wrap;

use super::format::{ABSENT, age, bits, bytes, clock, clock_ms, count, endpoint, owner, span};
use super::theme::Severity;
use super::widgets::{as_fit, gap, left, pane, put, put_all, right, spark, styled, title, width};
use super::{Context, flows, keep_by_weight};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let Some(detail) = &context.dashboard.flow else {
        let inner = pane(buf, area, title("Flow", "", theme), true, theme);
        let text = match context.ui.selected() {
            None => "no flow is selected: choose one with j k and Enter".to_owned(),
            Some(id) => format!("flow {id} is not in the table (any more): Esc goes back"),
        };
        return put(buf, inner, &Line::from(styled(text, theme.dim)));
    };
    let row = &detail.row;
    let room = usize::from(area.width).saturating_sub(12);
    let name =
        title(&format!("Flow {}", row.id), &flows::tuple(row, room.saturating_sub(width(&row.id.to_string()))), theme);
    let story = wrap(&detail.story, usize::from(area.width).saturating_sub(4));
    let story_height = (story.len() as u16).clamp(1, (area.height / 6).max(1)) + 2;
    let inner = pane(buf, Rect { height: story_height.min(area.height), ..area }, name, true, theme);
    let lines: Vec<Line<'_>> = story.iter().map(|line| Line::from(styled(line.as_str(), theme.strong))).collect();
    put_all(buf, inner, &lines);
    let rest = Rect { y: area.y + story_height, height: area.height.saturating_sub(story_height), ..area };
    lower(context, detail, rest.intersection(area), buf);
}

/// The two ends beside each other, the handshake and the life below; on a wide screen beside them.
fn lower(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let third = if area.width >= 150 { area.width / 3 } else { 0 };
    let charts = if area.height >= CHARTS_FROM && third > 0 { charted(detail) } else { 0 };
    let ends_height = match third {
        0 => (area.height * 3 / 5).clamp(area.height.min(9), 24),
        _ if charts > 0 => 22,
        _ => area.height,
    };
    let ends = Rect { width: area.width - third, height: ends_height, ..area };
    if charts > 0 {
        let below = Rect { y: ends.bottom(), height: area.height - ends_height, ..ends };
        charts_pane(context, detail, below, buf);
    }
    let half = ends.width / 2;
    end_pane(context, detail, Side::Orig, Rect { width: half, ..ends }, buf);
    end_pane(context, detail, Side::Resp, Rect { x: ends.x + half, width: ends.width - half, ..ends }, buf);
    if third > 0 {
        let column = Rect { x: ends.right(), width: third, ..area };
        let top = 12.min(column.height / 2);
        handshake_pane(context, detail, Rect { height: top, ..column }, buf);
        life_pane(context, detail, Rect { y: column.y + top, height: column.height - top, ..column }, buf);
    } else {
        let below = Rect { y: ends.bottom(), height: area.height - ends_height, ..area };
        let half = below.width / 2;
        handshake_pane(context, detail, Rect { width: half, ..below }, buf);
        life_pane(context, detail, Rect { x: below.x + half, width: below.width - half, ..below }, buf);
    }
}

/// From this height on, the queues over time stand below the two ends.
const CHARTS_FROM: u16 = 32;

/// How many ends have queues over time.
fn charted(detail: &FlowDetail) -> usize {
    detail.sockets.iter().flatten().filter(|socket| !socket.recv_q.is_empty()).count()
}

/// Recv-Q and Send-Q of each end over time, beside each other.
fn charts_pane(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let half = area.width / 2;
    let places = [Rect { width: half, ..area }, Rect { x: area.x + half, width: area.width - half, ..area }];
    for (side, place) in Side::BOTH.into_iter().zip(places) {
        let theme = context.theme;
        let name = format!("{}'s queues", side.name());
        let inner = pane(buf, place, title(&name, "each sample, newest right", theme), false, theme);
        let Some(socket) = &detail.sockets[side.index()] else {
            put(buf, inner, &Line::from(styled("not recorded", theme.dim)));
            continue;
        };
        let tall = usize::from(inner.height / 2);
        let mut lines = queue_chart(context, "Recv-Q", &socket.recv_q, tall, usize::from(inner.width));
        lines.extend(queue_chart(
            context,
            "Send-Q",
            &socket.send_q,
            usize::from(inner.height) - tall,
            usize::from(inner.width),
        ));
        put_all(buf, inner, &lines);
    }
}

fn queue_chart(context: &Context<'_>, name: &str, values: &[u64], height: usize, room: usize) -> Vec<Line<'static>> {
    let (theme, columns) = (context.theme, room.saturating_sub(12));
    let shown = &values[values.len().saturating_sub(columns)..];
    let most = format!("{} max", bytes(shown.iter().copied().max().unwrap_or(0)));
    let mut lines = vec![Line::from(vec![styled(left(name, LABEL), theme.dim), styled(most, theme.text)])];
    let bars = super::widgets::chart(values, columns, height.saturating_sub(2));
    lines.extend(bars.into_iter().map(|bar| Line::from(styled(bar, theme.spark))));
    lines.push(Line::default());
    lines.truncate(height);
    lines
}

const LABEL: usize = 9;

fn field(context: &Context<'_>, label: &str, value: Vec<Span<'static>>) -> Line<'static> {
    let mut spans = vec![styled(left(label, LABEL), context.theme.dim)];
    spans.extend(value);
    Line::from(spans)
}

fn plain(context: &Context<'_>, label: &str, value: impl Into<String>) -> Line<'static> {
    field(context, label, vec![styled(value, context.theme.text)])
}

fn end_pane(context: &Context<'_>, detail: &FlowDetail, side: Side, area: Rect, buf: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let theme = context.theme;
    let cell = detail.row.end(side);
    let place = match cell.local {
        Some(true) => "this host",
        Some(false) => "remote",
        None => "",
    };
    let name = endpoint(cell.endpoint, usize::from(area.width).saturating_sub(place.len() + 15));
    let inner = pane(buf, area, title(side.name(), format!("{name}  {place}").trim_end(), theme), false, theme);
    let room = usize::from(inner.width);
    let mut sections = vec![(0, vec![state_line(context, cell)])];
    sections.extend(owner_lines(context, cell, room));
    let socket = detail.sockets[side.index()].as_ref();
    if let Some(socket) = socket {
        sections.extend(queue_lines(context, socket, room));
    } else if cell.local != Some(true) {
        let text = if cell.local.is_none() { "not recorded" } else { "remote: not seen" };
        sections.push((3, vec![plain(context, "queues", text)]));
    }
    if let Some(halves) = &detail.halves {
        let (own, peer) = (&halves[side.index()], &halves[side.peer().index()]);
        sections.extend(wire_lines(context, own, peer, room));
    } else {
        sections.push((4, vec![plain(context, "wire", "no segment captured")]));
    }
    if let Some(info) = socket.and_then(|socket| socket.socket.info.as_deref()) {
        sections.extend(info_lines(context, info, room));
    }
    let lines = keep_by_weight(sections, usize::from(inner.height));
    put_all(buf, inner, &lines);
}

fn state_line(context: &Context<'_>, cell: &EndCell) -> Line<'static> {
    let theme = context.theme;
    let named = |state: Option<crate::base::TcpState>| match state {
        Some(state) => styled(state.name(), theme.state(state)),
        None => styled(ABSENT, theme.dim),
    };
    let mut spans =
        vec![named(cell.reported), styled(" kernel  ", theme.dim), named(cell.inferred), styled(" wire", theme.dim)];
    if let Some(since) = cell.mismatch_since {
        let text = format!("  {} differ for {}", Severity::Warning.mark(), age(context.ago(since)));
        spans.push(styled(text, theme.warning));
    }
    if cell.reported.is_none() && cell.local != Some(true) {
        spans.drain(..2);
        spans[1] = styled(" inferred", theme.dim);
    }
    field(context, "state", spans)
}

type Sections = Vec<(u8, Vec<Line<'static>>)>;

fn owner_lines(context: &Context<'_>, cell: &EndCell, room: usize) -> Sections {
    if cell.local != Some(true) {
        return Vec::new();
    }
    let mut sections = vec![(1, vec![plain(context, "owner", owner(&cell.owner))])];
    if let Some(process) = cell.owner.process() {
        let text = format!("user {}  {}", process.user, process.cmdline);
        let text = super::widgets::fit(&text, room.saturating_sub(LABEL)).into_owned();
        sections.push((5, vec![field(context, "", vec![styled(text, context.theme.dim)])]));
    }
    sections
}

fn queue_lines(context: &Context<'_>, detail: &SocketDetail, room: usize) -> Sections {
    let socket = &detail.socket;
    let (rcvbuf, sndbuf) = socket.buffers.unzip();
    let line = |name: &str, now: Option<u32>, limit: Option<u32>, history: &[u64]| {
        let theme = context.theme;
        let amount = now.map_or_else(|| ABSENT.to_owned(), |n| bytes(u64::from(n)));
        let limit = limit.map_or_else(String::new, |n| format!(" of {}", bytes(u64::from(n))));
        let mut spans = vec![styled(right(&amount, 9), theme.strong), styled(left(&limit, 13), theme.dim)];
        let place = room.saturating_sub(LABEL + 22 + 1).min(60);
        if history.iter().any(|n| *n > 0) {
            spans.extend([gap(1), styled(spark(history, place), theme.spark)]);
        }
        field(context, name, spans)
    };
    let mut sections = vec![
        (2, vec![line("Recv-Q", Some(socket.recv_q), rcvbuf, &detail.recv_q)]),
        (2, vec![line("Send-Q", socket.send_q, sndbuf, &detail.send_q)]),
    ];
    if let Some(timer) = socket.timer {
        let text = format!("{} {}, {} tries", timer.kind.name(), span(timer.left), timer.retries);
        sections.push((6, vec![plain(context, "timer", text)]));
    }
    sections.push((10, vec![plain(context, "socket", as_fit(&identity(socket), "  ", room.saturating_sub(LABEL)))]));
    let read = match detail.gone {
        Some(at) => format!("gone since {}", clock(at, &context.theme.zone)),
        None => format!("{} ago", age(context.ago(detail.at))),
    };
    sections.push((if detail.gone.is_some() { 3 } else { 11 }, vec![plain(context, "read", read)]));
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
    let sent = format!("{} in {} segments", bytes(own.payload_bytes), count(own.segments));
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

fn info_lines(context: &Context<'_>, info: &TcpInfo, room: usize) -> Sections {
    let time = |name: &str, value: Option<std::time::Duration>| value.map(|time| format!("{name} {}", span(time)));
    let number = |name: &str, value: Option<u32>| value.map(|n| format!("{name} {}", count(u64::from(n))));
    let volume = |name: &str, value: Option<u64>| value.map(|n| format!("{name} {}", bytes(n)));
    let rate = |name: &str, value: Option<u64>| value.map(|n| format!("{name} {}", bits(n.saturating_mul(8))));
    let threshold = info.snd_ssthresh.filter(|n| *n < i32::MAX.unsigned_abs());
    let groups: [(&str, u8, Vec<Option<String>>); 5] = [
        ("rtt", 6, vec![time("", info.rtt), time("±", info.rttvar), time("min", info.min_rtt), time("rto", info.rto)]),
        (
            "window",
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
            vec![
                number("mss", info.snd_mss),
                number("pmtu", info.pmtu),
                rate("delivery", info.delivery_rate),
                time("rwnd-limited", info.rwnd_limited),
                time("sndbuf-limited", info.sndbuf_limited),
            ],
        ),
    ];
    let mut sections = Vec::new();
    for (name, weight, values) in groups {
        let parts: Vec<String> = values.into_iter().flatten().map(|text| text.trim_start().to_owned()).collect();
        if !parts.is_empty() {
            let label = if name == "window" { "congest." } else { name };
            sections.push((weight, vec![plain(context, label, as_fit(&parts, "  ", room.saturating_sub(LABEL)))]));
        }
    }
    sections
}

fn handshake_pane(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let theme = context.theme;
    let inner = pane(buf, area, title("Handshake", "", theme), false, theme);
    let lines = match &detail.handshake {
        None => vec![Line::from(styled("no segment captured", theme.dim))],
        Some(view) => keep_by_weight(handshake_lines(context, view, detail.completeness), usize::from(inner.height)),
    };
    put_all(buf, inner, &lines);
}

fn handshake_lines(context: &Context<'_>, view: &HandshakeView, seen: Option<Completeness>) -> Sections {
    let theme = context.theme;
    let failed = view.outcome.is_failure();
    let (mark, style): (String, Style) =
        if failed { (format!("{} ", Severity::Warning.mark()), theme.warning) } else { (String::new(), theme.strong) };
    let mut outcome = vec![styled(format!("{mark}{}", view.outcome.name()), style)];
    let tries = [("SYN", view.syn_retries), ("SYN-ACK", view.syn_ack_retries)];
    for (name, n) in tries.into_iter().filter(|(_, n)| *n > 0) {
        outcome.push(styled(format!("  {name} sent {} times", u64::from(n) + 1), theme.warning));
    }
    let mut sections = vec![(0, vec![field(context, "outcome", outcome)])];
    let times = [
        ("connect", 1, view.connect_time, "first SYN to ACK"),
        ("rtt", 2, view.rtt, "SYN to ACK, none sent twice"),
        ("to resp", 3, view.syn_to_syn_ack, "SYN to SYN-ACK"),
        ("to orig", 3, view.syn_ack_to_ack, "SYN-ACK to ACK"),
    ];
    for (name, weight, time, note) in times {
        if let Some(time) = time {
            let spans = vec![styled(left(&span(time), 9), theme.text), styled(format!("  {note}"), theme.dim)];
            sections.push((weight, vec![field(context, name, spans)]));
        }
    }
    for (side, offer) in Side::BOTH.into_iter().zip(view.offered) {
        if let Some(offer) = offer {
            sections.push((4, vec![plain(context, side.name(), offered(&offer))]));
        }
    }
    if let Some(seen) = seen {
        sections.push((5, vec![plain(context, "captured", completeness(seen))]));
    }
    sections
}

fn offered(offer: &Negotiated) -> String {
    let mut parts = Vec::new();
    parts.extend(offer.mss.map(|n| format!("mss {n}")));
    parts.extend(offer.wscale.map(|n| format!("ws ×{}", 1_u32 << n.min(14))));
    let flags =
        [(offer.sack, "sack"), (offer.timestamps, "ts"), (offer.fast_open, "fast-open"), (offer.mptcp, "mptcp")];
    parts.extend(flags.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()));
    if offer.cut {
        parts.push("(options cut)".to_owned());
    }
    if parts.is_empty() { "no options".to_owned() } else { parts.join("  ") }
}

fn completeness(seen: Completeness) -> String {
    const BITS: [(u8, &str); 6] = [(1, "SYN"), (2, "SYN-ACK"), (4, "ACK"), (8, "data"), (16, "FIN"), (32, "RST")];
    let names: Vec<&str> = BITS.iter().filter(|(bit, _)| seen.0 & bit != 0).map(|(_, name)| *name).collect();
    if names.is_empty() { "none of its landmarks".to_owned() } else { names.join(" ") }
}

fn life_pane(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let theme = context.theme;
    let hidden_above = context.ui.detail_scroll();
    let room = usize::from(area.height.saturating_sub(2));
    let scroll = hidden_above.min(detail.life.len().saturating_sub(room));
    let narrow = area.width < 56;
    let mut rest = String::new();
    if let Some(first) = detail.life.first().filter(|_| narrow) {
        rest = format!("from {}  ", clock_ms(first.ts, &theme.zone));
    }
    if detail.life.len() > room {
        let last = (scroll + room).min(detail.life.len());
        rest += &format!("{}–{last} of {}", scroll + 1, detail.life.len());
    }
    let inner = pane(buf, area, title("Life", rest.trim_end(), theme), false, theme);
    if detail.life.is_empty() {
        return put(buf, inner, &Line::from(styled("no segment captured", theme.dim)));
    }
    let start = detail.life[0].ts;
    let lines: Vec<Line<'static>> = detail.life[scroll..]
        .iter()
        .take(room)
        .map(|event| {
            let clock = if narrow { String::new() } else { clock_ms(event.ts, &theme.zone) + "  " };
            Line::from(vec![
                styled(clock, theme.dim),
                styled(right(&after(event.ts.since(start)), 9), theme.text),
                styled(direction(event), theme.dim),
                styled(landmark(event), if is_trouble(event.kind) { theme.warning } else { theme.text }),
            ])
        })
        .collect();
    put_all(buf, inner, &lines);
}

/// How long after the first landmark, to the millisecond where seconds matter.
fn after(time: std::time::Duration) -> String {
    match time.as_secs() {
        _ if time.is_zero() => "0".to_owned(),
        0 => span(time),
        1..1_000 => format!("{:.3} s", time.as_secs_f64()),
        _ => span(time),
    }
}

/// Which way the segment went; a timer's event has none.
fn direction(event: &LifeEvent) -> &'static str {
    use LifeEventKind::{FinAcked, TimeWait, TimeWaitOver, TimedOut};
    let sender = if event.kind == FinAcked { event.side.peer() } else { event.side };
    match (event.kind, sender) {
        (TimeWait | TimeWaitOver | TimedOut, _) => "     ",
        (_, Side::Orig) => "  →  ",
        (_, Side::Resp) => "  ←  ",
    }
}

fn is_trouble(kind: LifeEventKind) -> bool {
    use LifeEventKind::{Rst, SynAckRetry, SynRetry, TimedOut, ZeroWindow};
    matches!(kind, SynRetry(_) | SynAckRetry(_) | ZeroWindow | Rst | TimedOut)
}

fn landmark(event: &LifeEvent) -> String {
    let who = event.side.name();
    match event.kind {
        LifeEventKind::Syn => "SYN".to_owned(),
        LifeEventKind::SynRetry(n) => format!("SYN again, retry {n}"),
        LifeEventKind::SynAck => "SYN-ACK".to_owned(),
        LifeEventKind::SynAckRetry(n) => format!("SYN-ACK again, retry {n}"),
        LifeEventKind::HandshakeAck => "ACK, handshake done".to_owned(),
        LifeEventKind::FirstSeen => "first seen, mid-stream".to_owned(),
        LifeEventKind::FirstData => "first data".to_owned(),
        LifeEventKind::LastData => "last data".to_owned(),
        LifeEventKind::ZeroWindow => format!("{who} closed its window"),
        LifeEventKind::Fin => "FIN".to_owned(),
        LifeEventKind::FinAcked => format!("{who}'s FIN acknowledged"),
        LifeEventKind::Rst => "RST".to_owned(),
        LifeEventKind::TimeWait => format!("{who} in TIME-WAIT"),
        LifeEventKind::TimeWaitOver => format!("{who}'s TIME-WAIT over"),
        LifeEventKind::TimedOut => "given up, no answer".to_owned(),
    }
}
