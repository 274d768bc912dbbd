//! One flow in full: its story, both ends (inferred beside reported), the handshake, its life.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::engine::FlowDetail;
use crate::flow::{Completeness, HandshakeView, IdleGap, LifeEvent, LifeEventKind, Negotiated, Side};
use crate::ui::{FlowPart, flow_parts, wrap};

use super::flow_end::{self, Sections, field, plain};
use super::format::{clock_ms, span};
use super::theme::Severity;
use super::widgets::{fit, left, pane, put, put_all, right, styled, title, width};
use super::{
    Context, flow_frame, flow_losses, flow_times, flow_waits, flow_zeek, graph, instants, keep_by_weight, ladder,
};

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
    match context.ui.flow().part() {
        FlowPart::Summary => summary(context, detail, area, buf),
        FlowPart::Ladder => ladder::draw(context, detail, area, buf),
        FlowPart::Graph => graph::draw(context, detail, area, buf),
    }
}

fn summary(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let parts = flow_parts(area, detail, context.ui.flow().is_read(context.dashboard.now));
    let inner = flow_frame::draw(context, detail, "", parts.story, buf);
    story(context, detail, inner, buf);
    flow_waits::draw(context, detail, parts.opening, buf);
    // Without a pane of their own the times stand with what they are of.
    let times = detail.timing.as_ref().filter(|_| parts.times.is_empty());
    for side in Side::BOTH {
        let half = times.map(|timing| &timing.halves[side.index()]);
        flow_end::draw(context, detail, side, half, parts.ends[side.index()], buf);
        flow_end::draw_charts(context, detail, side, parts.charts[side.index()], buf);
    }
    handshake_pane(context, detail, times.and_then(|timing| timing.idle.as_ref()), parts.handshake, buf);
    flow_times::draw(context, detail, parts.times, buf);
    life_pane(context, detail, parts.life, buf);
    if !parts.ladder.is_empty() {
        ladder::draw_beginning(context, detail, parts.ladder, buf);
    }
    flow_losses::draw(context, detail, parts.losses, buf);
}

/// The sentence, wrapped; what has no room is marked.
fn story(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let mut lines = wrap(&detail.story, usize::from(area.width));
    let height = usize::from(area.height);
    if lines.len() > height {
        lines.truncate(height);
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), usize::from(area.width)).into_owned();
        }
    }
    let lines: Vec<Line<'_>> =
        lines.iter().map(|line| Line::from(styled(line.as_str(), context.theme.strong))).collect();
    put_all(buf, area, &lines);
}

fn handshake_pane(context: &Context<'_>, detail: &FlowDetail, idle: Option<&IdleGap>, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let theme = context.theme;
    let inner = pane(buf, area, title("Handshake", "", theme), false, theme);
    let lines = match &detail.handshake {
        None => vec![Line::from(styled("no segment captured", theme.dim))],
        Some(view) => {
            let mut sections = handshake_lines(context, view, detail);
            sections.extend(idle.map(|idle| (5, vec![flow_times::idle_line(context, idle)])));
            sections.extend(detail.zeek.iter().flat_map(|zeek| flow_zeek::sections(context, zeek)));
            keep_by_weight(sections, usize::from(inner.height))
        }
    };
    put_all(buf, inner, &lines);
}

fn handshake_lines(context: &Context<'_>, view: &HandshakeView, detail: &FlowDetail) -> Sections {
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
    let errors = Side::BOTH.into_iter().zip(detail.path_errors);
    let errors = errors.filter_map(|(side, error)| Some(format!("of {}: {}", side.name(), error?)));
    for text in detail.rejected.iter().map(ToString::to_string).chain(errors) {
        sections.push((0, vec![field(context, "icmp", vec![styled(text, theme.warning)])]));
    }
    let times = [
        ("connect", 1, view.connect_time, "first SYN to ACK"),
        ("rtt", 2, view.rtt, "none sent twice"),
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
    let vlan = detail.vlan.map(|id| format!("VLAN {id}"));
    let through: Vec<String> = vlan.into_iter().chain(detail.tunnel.map(|tunnel| tunnel.to_string())).collect();
    if !through.is_empty() {
        sections.push((5, vec![plain(context, "through", through.join("  "))]));
    }
    if let Some(seen) = detail.completeness {
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
    let lines: Vec<Line<'static>> = (scroll..detail.life.len())
        .take(room)
        .map(|at| {
            let event = &detail.life[at];
            let (clock, told) = instants::in_life(context, &detail.life, at, narrow);
            Line::from(vec![
                styled(clock, theme.dim),
                styled(right(&told, width(&told).max(9)), theme.text),
                styled(direction(event), theme.dim),
                styled(landmark(event), if is_trouble(event.kind) { theme.warning } else { theme.text }),
            ])
        })
        .collect();
    put_all(buf, inner, &lines);
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
        LifeEventKind::Rst => format!("RST, sent by {who}"),
        LifeEventKind::TimeWait => format!("{who} in TIME-WAIT"),
        LifeEventKind::TimeWaitOver => format!("{who}'s TIME-WAIT over"),
        // Its SYN-ACK may yet be sent again, and answered.
        LifeEventKind::TimedOut if event.side == Side::Resp => "half-open: the ACK is overdue".to_owned(),
        LifeEventKind::TimedOut => "given up, no answer".to_owned(),
    }
}
