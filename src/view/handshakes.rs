//! Handshakes: failures first, then how many completed and how long they took.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{FailingPeer, HandshakePane};
use crate::flow::HandshakeOutcome;

use super::chart::{Chart, count_bars, round_up};
use super::format::{age, count, endpoint, percent, rate_over, short_count, span, watched};
use super::ink::blocks;
use super::theme::{Severity, Theme};
use super::widgets::{fit, gap, left, message, pane, put_all, right, styled, title, width};
use super::{Context, keep_by_weight};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.handshakes);
    let window = format!("last {}", watched(data.window));
    let rest = if context.dashboard.sees.wire { window.as_str() } else { "" };
    let inner = pane(buf, area, title("Handshakes", rest, theme), focused, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    let lines = match (context.dashboard.sees.wire, data.is_quiet()) {
        (false, _) => return message(buf, inner, &unseen(context), theme),
        (true, true) => {
            let mut lines = vec![Line::from(styled(format!("none in the {window}"), theme.dim))];
            let longer = context.dashboard.since.is_some_and(|since| context.ago(since) > data.window);
            match data.begun_per_s.iter().any(|n| *n > 0) {
                true => lines.extend(begun_history(context, data, room, height.saturating_sub(1).min(8))),
                false if longer => lines.push(Line::from(styled("view 3 lists any before that", theme.dim))),
                false => {}
            }
            lines
        }
        (true, false) => keep_by_weight(sections(context, data, room, height), height),
    };
    put_all(buf, inner, &lines);
}

/// Why there is none, where no segment was captured.
pub(super) fn unseen(context: &Context<'_>) -> String {
    if context.sees_kernel() {
        "not recorded: handshakes are seen on the wire, and no segment was captured".to_owned()
    } else {
        context.none_of("segment")
    }
}

fn sections(context: &Context<'_>, data: &HandshakePane, room: usize, height: usize) -> Vec<(u8, Vec<Line<'static>>)> {
    let theme = context.theme;
    let mut sections = vec![(0, failures(data, room, theme)), (1, vec![completed(data, room, theme)])];
    sections.push((4, waiting(data, room, theme)));
    sections.push((3, vec![begun(data, room, theme)]));
    sections.push((4, begun_history(context, data, room, 1)));
    sections.push((2, latency(data, room, theme)));
    // A chart of several lines where there is room to spare, a line where there is not.
    let used: usize = sections.iter().map(|(_, lines)| lines.len()).sum();
    let spare = height.saturating_sub(used);
    let peers = if spare >= 9 { data.failing.len().min(spare / 2) } else { 0 };
    let tall = spare.saturating_sub(if peers > 0 { peers + 2 } else { 0 });
    sections.push((5, histogram(data, room, if tall >= 3 { (tall - 1).min(10) } else { 1 }, theme)));
    if peers > 0 {
        sections.push((6, failing(context, &data.failing[..peers], room)));
    }
    sections
}

pub(super) fn failures(data: &HandshakePane, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let failed = data.outcomes.iter().filter(|(outcome, n)| outcome.is_failure() && *n > 0);
    let amount = amount(data, room);
    let line = |(outcome, n): &(HandshakeOutcome, u64)| {
        let mark = styled(format!("{} ", Severity::Warning.mark()), theme.warning);
        let mut spans = vec![mark, styled(left(outcome.name(), NAME), theme.warning)];
        spans.push(styled(right(&count(*n), amount), theme.strong));
        if let Some(worst) = data.failing.iter().find(|peer| peer.outcome == *outcome) {
            let place = room.saturating_sub(2 + NAME + amount + 2);
            let tied = data.failing.iter().filter(|peer| (peer.outcome, peer.count) == (*outcome, worst.count)).count();
            spans.extend(where_to(&data.failing, (worst, tied), *n, place, theme));
        }
        Line::from(spans)
    };
    failed.map(line).collect()
}

/// Towards whom handshakes failed most: the one, or how many share the first place. (Whose fault it was the outcome
/// does not tell: a half-open handshake lacks the originator's ACK.)
fn where_to(
    data: &[FailingPeer],
    (worst, tied): (&FailingPeer, usize),
    all: u64,
    room: usize,
    theme: &Theme,
) -> Vec<Span<'static>> {
    // One column apart where the address needs the other.
    let apart = if room < 20 { 1 } else { 2 };
    let room = room + 2 - apart;
    if room < 9 {
        return Vec::new();
    }
    let text = if worst.count == all { "all to " } else { "most to " };
    // The list of who fails has an end: more may be tied than it holds.
    let is_cut = data.last().is_some_and(|last| (last.outcome, last.count) == (worst.outcome, worst.count));
    if tied > 1 && is_cut && worst.count.saturating_mul(tied as u64) < all {
        return vec![gap(apart), styled("many ends", theme.text)];
    }
    if tied > 1 {
        let share = if worst.count.checked_mul(tied as u64) == Some(all) { "" } else { "most to " };
        let each = format!("{share}{tied} ends, {} each", count(worst.count));
        let short = format!("{tied} ends");
        return vec![gap(apart), styled(if width(&each) <= room { each } else { short }, theme.text)];
    }
    let whole = width(text) + width(&worst.resp.to_string());
    if room >= 24 || whole <= room {
        let place = room - width(text);
        return vec![gap(apart), styled(text, theme.dim), styled(endpoint(worst.resp, place), theme.text)];
    }
    if worst.count == all {
        return vec![gap(apart), styled(endpoint(worst.resp, room), theme.text)];
    }
    // Not all: the end is not named without how many.
    let share = format!("{} to ", count(worst.count));
    let named = |place| Some(endpoint(worst.resp, place)).filter(|end| place >= 11 && !end.starts_with(':'));
    let text = match room.checked_sub(width(&share)) {
        Some(place) if place >= 7 => share + named(place).as_deref().unwrap_or("one end"),
        _ => return Vec::new(),
    };
    vec![gap(apart), styled(text, theme.text)]
}

const NAME: usize = 10;

/// Columns of a count: on a narrow pane the responder beside it needs them more than any gap.
fn amount(data: &HandshakePane, room: usize) -> usize {
    let counts = data.outcomes.iter().map(|(_, n)| *n).chain([data.begun, data.waiting]);
    let widest = counts.map(|n| width(&count(n))).max().unwrap_or(0);
    if room < 44 { (widest + 2).min(7).max(widest + 1) } else { 10.max(widest + 1) }
}

/// A count behind its name, in `amount` columns.
fn named(name: &str, n: u64, amount: usize, theme: &Theme) -> Vec<Span<'static>> {
    vec![gap(2), styled(left(name, NAME), theme.text), styled(right(&count(n), amount), theme.strong)]
}

pub(super) fn completed(data: &HandshakePane, room: usize, theme: &Theme) -> Line<'static> {
    let all: u64 = data.outcomes.iter().map(|(_, n)| n).sum();
    let good: u64 = data.outcomes.iter().filter(|(outcome, _)| !outcome.is_failure()).map(|(_, n)| n).sum();
    let mut spans = named(HandshakeOutcome::Completed.name(), good, amount(data, room), theme);
    spans.extend(percent(good, all).map(|share| styled(format!("  {share}"), theme.text)));
    Line::from(spans)
}

pub(super) fn waiting(data: &HandshakePane, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    if data.waiting == 0 {
        return Vec::new();
    }
    vec![Line::from(named("waiting", data.waiting, amount(data, room), theme))]
}

pub(super) fn begun(data: &HandshakePane, room: usize, theme: &Theme) -> Line<'static> {
    let mut spans = named("begun", data.begun, amount(data, room), theme);
    spans.extend(rate_over(data.begun, data.window).map(|rate| styled(format!("  {rate}"), theme.text)));
    Line::from(spans)
}

/// How many began in each second.
pub(super) fn begun_history(
    context: &Context<'_>,
    data: &HandshakePane,
    room: usize,
    height: usize,
) -> Vec<Line<'static>> {
    begun_chart(context, data).lines(room, height, context.theme)
}

fn begun_chart<'a>(context: &Context<'_>, data: &'a HandshakePane) -> Chart<'a> {
    let unit = |n| format!("{}/s", short_count(n));
    Chart { history: context.history(&data.begun_per_s), unit, label: 0, dated: true }
}

/// The percentiles, as many as fit: the worst of them matter more than those between.
pub(super) fn latency(data: &HandshakePane, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let Some(times) = data.latency else { return Vec::new() };
    let (p50, p95, p99, max) = (("p50", times.p50), ("p95", times.p95), ("p99", times.p99), ("max", times.max));
    let choices = [vec![p50, p95, p99, max], vec![p50, p95, p99], vec![p50, p99], vec![p99]];
    let lines = choices.into_iter().map(|choice| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        for (name, time) in choice {
            let lead = if spans.is_empty() { 0 } else { 2 };
            spans.extend([gap(lead), styled(name, theme.dim), gap(1), styled(span(time), theme.strong)]);
        }
        Line::from(spans)
    });
    lines.into_iter().find(|line| line.width() <= room).into_iter().collect()
}

/// Completed handshakes by latency on a logarithmic axis.
pub(super) fn histogram(data: &HandshakePane, room: usize, height: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (Some((first, _)), Some((last, _))) = (data.histogram.first(), data.histogram.iter().rev().nth(1)) else {
        return Vec::new();
    };
    if data.histogram.iter().all(|(_, n)| *n == 0) {
        return Vec::new();
    }
    if height == 1 {
        let (low, high) = (format!("≤{} ", span(*first)), format!(" >{}", span(*last)));
        let wide = (room.saturating_sub(width(&low) + width(&high)) / data.histogram.len()).clamp(1, 6);
        let bars = blocks(&widened(data, wide));
        return vec![Line::from(vec![styled(low, theme.dim), styled(bars, theme.spark), styled(high, theme.dim)])];
    }
    let most = data.histogram.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let label = width(&short_count(round_up(most)));
    let room = room.saturating_sub(label + 2);
    let wide = (room / data.histogram.len()).clamp(1, 6);
    let mut lines = count_bars(&widened(data, wide), height, label, theme);
    lines.push(Line::from(styled(format!("{:label$}  {}", "", axis(data, wide, room)), theme.dim)));
    lines
}

/// The buckets' counts, each so many columns wide.
fn widened(data: &HandshakePane, wide: usize) -> Vec<Option<u64>> {
    data.histogram.iter().flat_map(|(_, n)| std::iter::repeat_n(Some(*n), wide)).collect()
}

/// The bounds between the buckets, each at the edge that it is: bars to its left took at most so long, bars to its
/// right longer. Powers of ten, or of a hundred or a thousand where those do not stand apart.
fn axis(data: &HandshakePane, wide: usize, room: usize) -> String {
    let bounds = &data.histogram[..data.histogram.len().saturating_sub(1)];
    let label = |(bound, _): &(Duration, u64)| format!("▏{}", short_bound(*bound));
    let fits = |step: &usize| bounds.iter().step_by(2 * step).all(|bound| width(&label(bound)) <= 2 * step * wide);
    let step = (1..=3).find(fits).unwrap_or(3);
    let mut text = String::new();
    for (index, bound) in bounds.iter().enumerate().step_by(2 * step) {
        let at = (index + 1) * wide;
        let label = label(bound);
        if width(&text) <= at && at + width(&label) <= room {
            text = left(&text, at) + &label;
        }
    }
    text
}

/// A bucket's bound, short: `100µs`, `10ms`, `1s`.
fn short_bound(bound: Duration) -> String {
    let us = bound.as_micros();
    match us {
        0..1_000 => format!("{us}µs"),
        1_000..1_000_000 => format!("{}ms", us / 1_000),
        _ => format!("{}s", us / 1_000_000),
    }
}

pub(super) fn failing(context: &Context<'_>, peers: &[FailingPeer], room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    // The instant gives way first.
    let last = if room >= 21 + 2 + 11 + 8 + 11 { 11 } else { 0 };
    // What the counts need no room for, the ends may.
    let widest = peers.iter().map(|peer| width(&count(peer.count))).max().unwrap_or(0);
    let number = if last > 0 { 8 } else { widest.max("count".len()) + 1 };
    let place = room.saturating_sub(2 + 11 + number + last).clamp(8, 47);
    let when = right("last", last);
    let head = format!("{}  {}{}{when}", left("to", place), left("outcome", 11), right("count", number));
    let mut lines = vec![Line::default(), Line::from(styled(fit(&head, room).into_owned(), theme.dim))];
    for peer in peers {
        let when = format!("{} ago", age(context.ago(peer.last)));
        lines.push(Line::from(vec![
            styled(left(&endpoint(peer.resp, place), place), theme.text),
            styled(format!("  {}", left(peer.outcome.name(), 11)), theme.warning),
            styled(right(&count(peer.count), number), theme.strong),
            styled(right(&when, last), theme.dim),
        ]));
    }
    lines
}
