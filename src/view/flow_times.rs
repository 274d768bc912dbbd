//! The times of a flow, as the capture point saw them: round trips, think time, throughput, stalls, the longest gap.
//!
//! On a wide screen they have a pane; else they stand with the end whose data they are of, as far as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::engine::FlowDetail;
use crate::flow::{Delays, HalfTiming, IdleGap, Side, Stalls};
use crate::ui::wrap;

use super::flow_end::{LABEL, Sections, field, plain};
use super::format::{bits, bytes, clock, count, counted, span};
use super::theme::Severity;
use super::widgets::{as_fit, packed, pane, put, put_all, styled, title};
use super::{Context, keep_by_weight};

/// The pane, where it has room.
pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let theme = context.theme;
    let inner = pane(buf, area, title("Times", "as seen by the capture", theme), false, theme);
    let room = usize::from(inner.width);
    let Some(timing) = &detail.timing else {
        return put(buf, inner, &Line::from(styled("no data captured", theme.dim)));
    };
    let mut sections = Sections::new();
    for side in Side::BOTH {
        sections.push((4, vec![Line::from(styled(side.name(), theme.strong))]));
        sections.extend(of_half(context, &timing.halves[side.index()], side, room, |parts, room| {
            packed(parts, "  ", room)
        }));
    }
    sections.extend(timing.idle.as_ref().map(|idle| (7, vec![idle_line(context, idle)])));
    put_all(buf, inner, &keep_by_weight(sections, usize::from(inner.height)));
}

/// The lines of one half with its end: one for each measure.
pub(super) fn in_brief(context: &Context<'_>, half: &HalfTiming, side: Side, room: usize) -> Sections {
    of_half(context, half, side, room, |parts, room| vec![as_fit(parts, "  ", room)])
}

/// The lines of one half, each with how much it matters beside the others of its end. `fold` makes lines of parts.
fn of_half(
    context: &Context<'_>,
    half: &HalfTiming,
    side: Side,
    room: usize,
    fold: fn(&[String], usize) -> Vec<String>,
) -> Sections {
    let lines = |label: &str, parts: &[String]| {
        let texts = fold(parts, room.saturating_sub(LABEL)).into_iter().enumerate();
        texts.map(|(at, text)| plain(context, if at == 0 { label } else { "" }, text)).collect::<Vec<_>>()
    };
    let mut sections = Sections::new();
    if let Some(stalls) = &half.stalls {
        sections.push((if stalls.small_writes > 0 { 3 } else { 9 }, stall_lines(context, stalls, side, room)));
    }
    if let Some(delays) = half.round_trip() {
        let by = if half.rtt_by_ack.is_some() { "ack" } else { "echoed timestamp" };
        let label = format!("to {}", side.peer().name());
        sections.push((5, lines(&label, &parts_of(delays, by))));
    }
    if let Some(delays) = &half.think {
        sections.push((6, lines("think", &parts_of(delays, "answer"))));
    }
    let in_flight = half.in_flight.map(|flight| format!("{} at most", bytes(flight.max.into())));
    match &half.throughput {
        Some(told) => {
            let mut parts = vec![bits(told.rate().saturating_mul(8))];
            parts.extend(told.peak.map(|peak| format!("most {}", bits(peak.saturating_mul(8)))));
            parts.extend(in_flight.map(|most| format!("in flight {most}")));
            sections.push((9, lines("speed", &parts)));
        }
        None => sections.extend(in_flight.map(|text| (10, lines("flight", &[text])))),
    }
    sections
}

/// `min 20.1 ms  p50 21.0 ms  p95 40.0 ms  max 60.0 ms  34 acks  jitter 1.20 ms`; of few samples their mean.
fn parts_of(delays: &Delays, what: &str) -> Vec<String> {
    let samples = counted(delays.samples.into(), what);
    if delays.samples == 1 {
        return vec![span(delays.min), samples];
    }
    let part = |name: &str, time| format!("{name} {}", span(time));
    let mut parts = vec![part("min", delays.min)];
    match delays.p50.zip(delays.p95) {
        Some((p50, p95)) => parts.extend([part("p50", p50), part("p95", p95)]),
        None => parts.push(part("mean", delays.mean)),
    }
    parts.push(part("max", delays.max));
    parts.push(samples);
    parts.extend(delays.jitter.map(|jitter| part("jitter", jitter)));
    parts
}

fn stall_lines(context: &Context<'_>, stalls: &Stalls, side: Side, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let (text, style) = match stalls.small_writes {
        0 => (
            format!("{} from {} as late as delayed ones", counted(stalls.late_acks.into(), "ack"), side.peer().name()),
            theme.text,
        ),
        times => {
            let (waited, worst) = (span(stalls.waited), span(stalls.worst));
            let sum = match times {
                1 => format!("once, {waited}"),
                _ => format!("{} ×, {waited} in all, worst {worst}", count(times.into())),
            };
            let mark = Severity::Warning.mark();
            (format!("{mark} small write waited for a delayed ack (Nagle): {sum}"), theme.warning)
        }
    };
    let texts = wrap(&text, room.saturating_sub(LABEL)).into_iter().enumerate();
    texts.map(|(at, text)| field(context, if at == 0 { "stalls" } else { "" }, vec![styled(text, style)])).collect()
}

/// The longest time without a segment.
pub(super) fn idle_line(context: &Context<'_>, idle: &IdleGap) -> Line<'static> {
    let text = format!("{} at most, until {}", span(idle.time), clock(idle.until, &context.theme.zone));
    plain(context, "idle", text)
}
