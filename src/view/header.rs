//! The top of the screen: source, rates, losses, what is seen, tabs, notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::{Evicted, KernelSight, Loss};
use crate::ui::{NOTICE_INDENT, NoticeLine, Recording, SourceKind, View, notice_lines};

use super::format::{bits, bytes, clock, count, counted, date_clock, position, short_count};
use super::table::direction;
use super::theme::Severity;
use super::widgets::{fit, gap, left, middle, put, styled, width};
use super::{Context, playback};

pub(super) fn draw(context: &Context<'_>, area: Rect, timeline: Rect, buf: &mut Buffer) {
    let mut lines = vec![identity(context, usize::from(area.width))];
    let roomy = area.height > 1 + u16::from(context.source.playback.is_some());
    if roomy {
        lines.push(evidence(context, usize::from(area.width)));
    }
    if let Some(playback) = &context.source.playback {
        let beside = if timeline.y < area.bottom() { timeline.width + 1 } else { 0 };
        lines.push(playback::line(context, playback, usize::from(area.width - beside)));
    }
    super::widgets::put_all(buf, area, &lines);
}

/// Source, rates and the clock. The name gives way first, then the clock's date, then the rates from the end.
fn identity(context: &Context<'_>, room: usize) -> Line<'static> {
    let (dashboard, theme) = (context.dashboard, context.theme);
    let kind = kind(context);
    let clock = match dashboard.now {
        Some(now) if room >= 100 => date_clock(now, &theme.zone),
        Some(now) => clock(now, &theme.zone),
        None => "--:--:--".to_owned(),
    };
    let mut rates = rates(context);
    let recording = context.source.recordings.running.as_ref().map(|running| recording(running, room >= 100));
    let recorded = recording.as_deref().map_or(0, |text| width(text) + 2);
    let fixed = |rates: &[String]| {
        1 + 9
            + 2
            + kind.len()
            + 1
            + recorded
            + 3
            + rates.iter().map(|rate| rate.len() + 2).sum::<usize>()
            + clock.len()
            + 1
    };
    while !rates.is_empty() && fixed(&rates) + width(&context.source.name).min(12) > room {
        rates.pop();
    }
    let name = name_in(&context.source.name, room.saturating_sub(fixed(&rates)));
    let past = context.source.playback.is_some_and(|playback| playback.live.is_some());
    let kind_style = if context.ui.frozen() || past { theme.warning } else { theme.info };
    let mut spans = vec![gap(1), styled("sockscope", theme.strong), gap(2), styled(kind, kind_style), gap(1)];
    spans.push(styled(name, theme.text));
    if let Some(recording) = recording {
        spans.extend([gap(2), styled(recording, theme.critical)]);
    }
    spans.push(gap(3));
    spans.push(styled(rates.join("  "), theme.text));
    align_right(spans, vec![styled(clock, theme.text), gap(1)], room)
}

const fn kind(context: &Context<'_>) -> &'static str {
    match context.source.kind {
        SourceKind::Live if context.source.playback.is_some() => "LIVE, rewound",
        SourceKind::Live if context.ui.frozen() => "LIVE, frozen",
        SourceKind::Live => "LIVE",
        SourceKind::Replay => "REPLAY",
        SourceKind::Demo => "DEMO",
    }
}

/// How much there is, the most telling first.
fn rates(context: &Context<'_>) -> Vec<String> {
    let dashboard = context.dashboard;
    let mut rates = vec![counted(dashboard.totals.flows, "flow")];
    if let Some(second) = dashboard.traffic.last_second.filter(|_| dashboard.sees.wire) {
        rates.push(format!("{} seg/s", short_count(second.segments)));
        rates.push(bits(second.bits));
    }
    // A low screen has no line for the losses.
    let lost = dashboard.loss.map_or(0, |loss| loss.unseen().saturating_add(loss.interface.unwrap_or(0)));
    if lost > 0 && context.ui.area().height < 16 {
        rates.insert(0, format!("{} {} lost", Severity::Warning.mark(), short_count(lost)));
    }
    rates
}

/// That it is recorded: for how long, and how much. A ring in memory is told as one.
fn recording(running: &Recording, wide: bool) -> String {
    let what = if running.in_memory { "● RING" } else { "● REC" };
    let lost = if running.lost > 0 { format!(" {} lost", short_count(running.lost)) } else { String::new() };
    if wide {
        format!("{what} {} {}{lost}", position(running.took), bytes(running.bytes))
    } else {
        what.to_owned() + &lost
    }
}

/// What was lost, and what of the world is seen.
fn evidence(context: &Context<'_>, room: usize) -> Line<'static> {
    let sees = sees(context);
    let used: usize = sees.iter().map(Span::width).sum();
    let losses = losses(context, room.saturating_sub(used + 1));
    align_right(losses, sees, room)
}

fn losses(context: &Context<'_>, room: usize) -> Vec<Span<'static>> {
    let theme = context.theme;
    let Some(loss) = &context.dashboard.loss else {
        let text = if context.dashboard.sees.wire { "losses not known yet" } else { "" };
        return vec![gap(1), styled(text, theme.dim)];
    };
    let known = known_losses(loss, context.dashboard.totals.evicted);
    let text = |(name, n): (&str, u64)| format!("{name} {}", if n < 100_000 { count(n) } else { short_count(n) });
    let is_marked =
        |(name, n): &(&str, u64)| *n > 0 && !matches!(*name, "undecoded" | "closed evicted" | "half-open evicted");
    let width_of = |shown: &[(&str, u64)]| {
        let parts = shown.iter().map(|part| text(*part).len() + 3 + if is_marked(part) { 2 } else { 0 });
        3 + parts.sum::<usize>()
    };
    // Where they do not all fit, what is 0 gives way: a loss must be seen.
    let lost: Vec<(&str, u64)> = known.iter().copied().filter(|(_, n)| *n > 0).collect();
    let shown = match (width_of(&known) <= room, lost.is_empty()) {
        (true, _) => known,
        (false, true) => vec![("nothing", 0)],
        (false, false) if width_of(&lost) <= room => lost,
        (false, false) => vec![("in all", lost.iter().fold(0_u64, |sum, (_, n)| sum.saturating_add(*n)))],
    };
    let mut spans = vec![gap(1), styled("lost", theme.dim)];
    for (index, (name, n)) in shown.into_iter().enumerate() {
        let glue = if index == 0 { " " } else { " · " };
        let text = if name == "nothing" { name.to_owned() } else { text((name, n)) };
        let marked = is_marked(&(name, n));
        spans.push(styled(glue, theme.dim));
        if marked {
            spans.push(styled(format!("{} ", Severity::Warning.mark()), theme.warning));
        }
        spans.push(styled(text, if marked { theme.warning } else { theme.text }));
    }
    spans
}

/// What is known to be lost, by where; of what a full table threw out only what there is.
fn known_losses(loss: &Loss, evicted: Evicted) -> Vec<(&'static str, u64)> {
    let some = |number: u64| (number > 0).then_some(number);
    let counts = [
        ("kernel", loss.kernel),
        ("nic", loss.interface),
        ("ours", Some(loss.ours)),
        ("undecoded", Some(loss.frames.undecoded_total())),
        ("closed evicted", some(evicted.closed)),
        ("half-open evicted", some(evicted.half_open)),
        ("idle evicted", some(evicted.idle)),
    ];
    counts.into_iter().filter_map(|(name, n)| Some((name, n?))).collect()
}

fn sees(context: &Context<'_>) -> Vec<Span<'static>> {
    let (sees, theme) = (&context.dashboard.sees, context.theme);
    let tick = |yes: bool| if yes { styled("✓", theme.good) } else { styled("✗", theme.dim) };
    let wide = context.ui.area().width >= 100;
    let between = gap(1 + usize::from(wide));
    let mut spans = if wide { vec![styled("sees  ", theme.dim)] } else { Vec::new() };
    spans.extend([styled("wire ", theme.text), tick(sees.wire), between.clone()]);
    // A cross would say that it cannot be seen.
    let unread = || if context.source.of_host { styled("…", theme.dim) } else { tick(false) };
    let kernel = if sees.kernel.is_some() { tick(true) } else { unread() };
    spans.extend([styled("kernel ", theme.text), kernel, between, styled("owners ", theme.text)]);
    match sees.kernel {
        None => spans.push(unread()),
        // A cross would say that owners cannot be seen; that some are not known is a number.
        Some(sight) if sight.owned < sight.ownable => {
            let text = format!("{} of {}", short_count(sight.owned), short_count(sight.ownable));
            spans.push(styled(text, theme.text));
        }
        Some(_) => spans.push(tick(true)),
    }
    if let Some(sight) = sees.kernel.filter(|_| context.ui.area().width >= 110) {
        spans.extend(sees_besides(context, &sight));
    }
    spans.push(gap(1));
    spans
}

/// What there is room for on a wide screen: whether there is a trace, and what is missing of the kernel's side.
fn sees_besides(context: &Context<'_>, sight: &KernelSight) -> Vec<Span<'static>> {
    let (sees, theme) = (&context.dashboard.sees, context.theme);
    let mut spans = Vec::new();
    let lost = |number: u64, what: &str| (number > 0).then(|| format!(", {} {what}", short_count(number)));
    let mut missing = Vec::new();
    if let Some(trace) = sees.trace {
        spans.push(styled(" traced", theme.dim));
        missing.push(lost(trace.lost, "events lost"));
    }
    missing.push(sees.last_words.and_then(|words| lost(words.lost, "last words lost")));
    missing.push(lost(sight.bad_rows, "rows unreadable"));
    spans.extend(missing.into_iter().flatten().map(|text| styled(text, theme.warning)));
    // Where every socket has its owner, nobody misses those.
    if sight.processes_denied > 0 && sight.owned < sight.ownable {
        let processes = counted(sight.processes_denied.into(), "process");
        spans.push(styled(format!(" (no access to {processes})"), theme.dim));
    }
    spans
}

pub(super) fn draw_tabs(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let mut end = area.x;
    let all = context.ui.tabs(area);
    let last = all.len().saturating_sub(1);
    for (index, (view, name, rect)) in all.into_iter().enumerate() {
        let style = if view == context.ui.tab() { theme.cursor } else { theme.text };
        put(buf, rect, &Line::from(styled(format!(" {name} "), style)));
        if index < last && rect.right() < area.right() {
            put(buf, Rect { x: rect.right(), width: 1, ..area }, &Line::from(styled("│", theme.border)));
        }
        end = rect.right();
    }
    let room = usize::from(area.right().saturating_sub(end + 2));
    let line = table_state(context, room);
    let width = line.width() as u16;
    put(buf, Rect { x: area.right().saturating_sub(width), width, ..area }.intersection(area), &line);
}

/// A source's name; of a path that is too long the file's name alone, as much of its end as there is room for.
fn name_in(name: &str, room: usize) -> String {
    let own = name.rsplit_once('/').map(|(_, own)| own).filter(|own| width(name) > room && !own.is_empty());
    own.map_or_else(|| fit(name, room).into_owned(), |own| middle(own, room))
}

/// Filter, order and how many match, at the right of the tabs: as much of it as there is room for.
fn table_state(context: &Context<'_>, room: usize) -> Line<'static> {
    let (ui, theme) = (context.ui, context.theme);
    if let (View::Flow, Some(flow)) = (ui.view(), ui.selected()) {
        let text = format!("› flow {flow}");
        // Half a word tells less than the title below, which names the flow too.
        let text = if width(&text) < room { text } else { String::new() };
        return Line::from(vec![styled(text, theme.strong), gap(1)]);
    }
    let (by, reverse) = ui.order();
    let order = format!("sort {by} {}", direction(reverse));
    let filter = ui.filter().text();
    if filter.is_empty() {
        let text = if width(&order) < room { order } else { String::new() };
        return Line::from(vec![styled(text, theme.dim), gap(1)]);
    }
    let found = match (ui.tab(), &context.dashboard.flows) {
        (View::Overview | View::Flows, flows) => {
            format!("  {} of {}", count(flows.matching as u64), count(flows.all as u64))
        }
        _ => String::new(),
    };
    let label = if room >= 24 { "filter " } else { "/" };
    // What is typed stands whole where it can, and keeps some room whatever else there is to say.
    let typed = label.len() + width(filter).max(8);
    let order = format!("  {order}");
    let order = if room > typed + width(&found) + width(&order) { order } else { String::new() };
    let found = if room > typed + width(&found) { found } else { String::new() };
    let left = room.saturating_sub(label.len() + found.len() + width(&order) + 1);
    Line::from(vec![
        styled(label, theme.dim),
        styled(fit(filter, left).into_owned(), theme.strong),
        styled(found, theme.text),
        styled(order, theme.dim),
        gap(1),
    ])
}

/// The part that died, then what stands in the way.
pub(super) fn draw_notices(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let room = usize::from(area.width);
    let all = notice_lines(context.source, room);
    let height = usize::from(area.height);
    let hidden = all.len().saturating_sub(height);
    let line = |(at, notice): (usize, NoticeLine)| {
        let (severity, style) =
            if notice.dead { (Severity::Critical, theme.dead) } else { (Severity::Warning, theme.text) };
        let mark = if notice.first { severity.mark() } else { " " };
        let mark_style = if notice.dead { theme.dead } else { severity.style(theme) };
        let more = if hidden > 0 && at + 1 == height { format!("  (+{hidden} lines)") } else { String::new() };
        let text = fit(&notice.text, room.saturating_sub(NOTICE_INDENT + 1 + more.len())).into_owned();
        Line::from(vec![
            styled(format!(" {} ", left(mark, NOTICE_INDENT - 2)), mark_style),
            styled(text + if notice.dead { " " } else { "" }, style),
            styled(more, theme.dim),
        ])
    };
    let lines: Vec<Line<'static>> = all.into_iter().take(height).enumerate().map(line).collect();
    super::widgets::put_all(buf, area, &lines);
}

fn align_right(mut spans: Vec<Span<'static>>, right: Vec<Span<'static>>, room: usize) -> Line<'static> {
    let used: usize = spans.iter().chain(&right).map(Span::width).sum();
    spans.push(gap(room.saturating_sub(used)));
    spans.extend(right);
    Line::from(spans)
}
