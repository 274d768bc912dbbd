//! TIME-WAIT: how many over time, towards whom, held by whom, the tightest port headroom, and the limits.

use std::net::IpAddr;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::Endpoint;
use crate::engine::TimeWaitPane;
use crate::kernel::Limits;

use super::chart::Chart;
use super::format::{address, count, endpoint, percent, rate_over, watched};
use super::theme::Theme;
use super::widgets::{gap, left, message, pane, plain_bar, put_all, right, styled, title};
use super::{Context, headroom, keep_by_weight};

pub(super) fn draw(context: &Context<'_>, focused: bool, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.time_wait);
    let inner = pane(buf, area, title("TIME-WAIT", &counts(context, area.width), theme), focused, theme);
    let (room, height) = (usize::from(inner.width), usize::from(inner.height));
    if data.kernel.is_none() && data.wire.is_none() {
        return message(buf, inner, &context.none_of("segment or socket"), theme);
    }
    put_all(buf, inner, &keep_by_weight(sections(context, data, room, height), height));
}

/// Above the list of ports: the count over time beside what bounds it.
pub(super) fn draw_wide(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, data) = (context.theme, &context.dashboard.time_wait);
    let inner = pane(buf, area, title("TIME-WAIT", &counts(context, area.width), theme), false, theme);
    if data.kernel.is_none() && data.wire.is_none() {
        return message(buf, inner, &context.none_of("segment or socket"), theme);
    }
    let facts = facts(context, data);
    let longest = facts.iter().map(Line::width).max().unwrap_or(0) as u16;
    let right = longest.clamp(28, (inner.width / 2).max(28)).min(inner.width);
    let beside = Rect { x: inner.right() - right, width: right, ..inner };
    put_all(buf, beside, &facts);
    let chart = Rect { width: inner.width.saturating_sub(right + 2), ..inner };
    let drawn = history(context, data, usize::from(chart.width), usize::from(chart.height).max(2));
    if drawn.is_empty() {
        let since = if data.kernel.is_some() { "" } else { ", as far as the wire shows" };
        return message(buf, chart, &format!("nothing waits in TIME-WAIT, nor did lately{since}"), theme);
    }
    put_all(buf, chart, &drawn);
}

/// How fast it grows, where that ends, and what bounds it.
fn facts(context: &Context<'_>, data: &TimeWaitPane) -> Vec<Line<'static>> {
    let theme = context.theme;
    let fact = |name: &str, text: String| Line::from(vec![styled(left(name, 12), theme.dim), styled(text, theme.text)]);
    let mut lines = Vec::new();
    let entered = data.entered.map(|entered| {
        let rate = rate_over(entered, data.entered_window).map_or_else(String::new, |rate| format!(", {rate}"));
        format!("{} in {}{rate}", count(entered), watched(data.entered_window))
    });
    lines.push(fact("entered", entered.unwrap_or_else(|| "not recorded".to_owned())));
    let wide = data.holders.iter().take(3).map(|(_, n)| count(*n).len()).max().unwrap_or(0);
    for (at, (who, n)) in data.holders.iter().take(3).enumerate() {
        let name = if at == 0 { "held by" } else { "" };
        lines.push(fact(name, format!("{}  {}", right(&count(*n), wide), address(*who, 39))));
    }
    match data.limits.as_deref() {
        Some(limits) => lines.extend(bounds(data, limits).into_iter().map(|(name, text)| fact(name, text))),
        None => lines.push(fact("limits", "not recorded".to_owned())),
    }
    lines
}

fn bounds(data: &TimeWaitPane, limits: &Limits) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some((first, last)) = limits.port_range {
        all.push(("ports", format!("{} ({first}–{last})", count(u64::from(last.saturating_sub(first)) + 1))));
    }
    if let Some(most) = limits.tcp_max_tw_buckets.map(u64::from) {
        let share =
            data.kernel.and_then(|n| percent(n, most)).map_or_else(String::new, |share| format!(", {share} used"));
        all.push(("at most", format!("{}{share}", count(most))));
    }
    if let Some(reuse) = limits.tcp_tw_reuse {
        let meaning = match reuse {
            0 => "0: never",
            1 => "1: after 1 s",
            2 => "2: on loopback",
            _ => "not known",
        };
        all.push(("tw_reuse", meaning.to_owned()));
    }
    all
}

fn counts(context: &Context<'_>, room: u16) -> String {
    let data = &context.dashboard.time_wait;
    let counts = match (data.kernel, data.wire) {
        (Some(kernel), Some(wire)) if kernel != wire && room >= 38 => {
            format!("{}, wire {}", count(kernel), count(wire))
        }
        (Some(kernel), _) => count(kernel),
        (None, Some(wire)) => format!("{} inferred", count(wire)),
        (None, None) => String::new(),
    };
    context.and_age_in(("TIME-WAIT", room), &counts, |sight| sight.time_wait_at)
}

fn sections(context: &Context<'_>, data: &TimeWaitPane, room: usize, height: usize) -> Vec<(u8, Vec<Line<'static>>)> {
    let theme = context.theme;
    let none = data.kernel.unwrap_or(0) == 0 && data.wire.unwrap_or(0) == 0;
    let window = watched(data.entered_window);
    let entered = match data.entered {
        None => "entered: not recorded".to_owned(),
        Some(0) if none => format!("none now, none in the last {window}"),
        Some(entered) => format!("{} entered in {window}", count(entered)),
    };
    let limits = data.limits.as_deref().map_or_else(Vec::new, |limits| limit_lines(limits, room, theme));
    let now = context.dashboard.now.unwrap_or_default();
    let headroom = context.dashboard.ports.as_ref().and_then(|pane| headroom::lines(pane, now, room, theme));
    let fixed = 1 + limits.len() + headroom.iter().flatten().count() + data.holders.len().min(3);
    let tall = height.saturating_sub(fixed + data.peers.len().min(4)).clamp(1, 12);
    let peers_room = height.saturating_sub(fixed + tall).clamp(1, 20);
    let mut sections = vec![(0, vec![Line::from(styled(entered, theme.text))])];
    sections.push((1, history(context, data, room, tall)));
    let (count_peers, count_holders) = (data.peers.len().min(peers_room), data.holders.len().min(3));
    if count_peers > 0 {
        sections.push((2, vec![list_line("towards", &data.peers[..1], &data.peers, room, theme, peer)]));
        for at in 1..count_peers {
            sections.push((5, vec![list_line("", &data.peers[at..=at], &data.peers, room, theme, peer)]));
        }
    }
    if count_holders > 0 {
        sections.push((3, vec![list_line("held by", &data.holders[..1], &data.holders, room, theme, holder)]));
        for at in 1..count_holders {
            sections.push((6, vec![list_line("", &data.holders[at..=at], &data.holders, room, theme, holder)]));
        }
    }
    if let Some([gauge, towards]) = headroom {
        sections.extend([(0, vec![gauge]), (4, vec![towards])]);
    }
    sections.extend(limits.into_iter().map(|line| (5, vec![line])));
    sections
}

fn history(context: &Context<'_>, data: &TimeWaitPane, room: usize, tall: usize) -> Vec<Line<'static>> {
    if data.history.iter().all(|n| *n == 0) {
        return Vec::new();
    }
    Chart { history: context.history(&data.history), unit: count, label: 0, dated: true }.lines(
        room,
        tall,
        context.theme,
    )
}

fn peer(end: &Endpoint, room: usize) -> String {
    endpoint(*end, room)
}

fn holder(ip: &IpAddr, room: usize) -> String {
    address(*ip, room)
}

/// One line of a list: its label (first line only), who, how many, and a bar against the most.
fn list_line<T>(
    label: &str,
    row: &[(T, u64)],
    all: &[(T, u64)],
    room: usize,
    theme: &Theme,
    name: fn(&T, usize) -> String,
) -> Line<'static> {
    let Some((who, n)) = row.first() else { return Line::default() };
    let most = all.iter().map(|(_, n)| *n).max().unwrap_or(0);
    let place = room.saturating_sub(8 + 8).clamp(9, 24);
    let bars = room.saturating_sub(8 + place + 8 + 2).min(20);
    let mut spans = vec![
        styled(left(label, 8), theme.dim),
        styled(left(&name(who, place), place), theme.text),
        styled(right(&count(*n), 8), theme.strong),
    ];
    if bars >= 4 {
        spans.extend([gap(2), styled(plain_bar(*n, most, bars), theme.bar)]);
    }
    Line::from(spans)
}

fn limit_lines(limits: &Limits, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some((first, last)) = limits.port_range {
        let ports = u64::from(last.saturating_sub(first)) + 1;
        let text = format!("{first}–{last}: {} ports", count(ports));
        lines.push(Line::from(vec![styled(left("range", 8), theme.dim), styled(text, theme.text)]));
    }
    let bound = [
        limits.tcp_max_tw_buckets.map(|n| format!("{} sockets", count(u64::from(n)))),
        limits.tcp_tw_reuse.map(|n| format!("tw_reuse {n}")),
    ];
    let parts: Vec<String> = bound.into_iter().flatten().collect();
    if !parts.is_empty() {
        let text = super::widgets::as_fit(&parts, ", ", room.saturating_sub(8));
        lines.push(Line::from(vec![styled(left("limit", 8), theme.dim), styled(text, theme.text)]));
    }
    lines
}
