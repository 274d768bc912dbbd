//! (`Dashboard`, `UiState`, area) → ratatui `Buffer`.
//!
//! May touch the engine's `Dashboard`, ui and ratatui; no crossterm, nothing is changed but the buffer, and no clock is
//! read: times come from the dashboard, the time zone from the [`Theme`]. A file a pane. Read first: `ui::layout`
//! (where things stand), `format` (one unit for one thing), `widgets`.

mod busiest;
mod chart;
mod column_menu;
mod columns_explained;
mod explain;
mod finding_detail;
mod finding_list;
mod findings;
mod flow;
mod flow_columns;
mod flow_end;
mod flow_frame;
mod flow_groups;
mod flow_kernel;
mod flow_losses;
mod flow_times;
mod flow_waits;
mod flow_zeek;
mod flows;
mod footer;
mod format;
mod graph;
mod graph_axis;
mod graph_charts;
mod graph_numbers;
mod graph_points;
mod handshake_list;
mod handshakes;
mod handshakes_wide;
mod header;
mod headroom;
mod help;
mod ink;
mod instants;
mod ladder;
mod ladder_arrow;
mod listener_list;
mod playback;
mod port_list;
mod process_list;
mod queue_list;
mod queues;
mod segment_detail;
mod segment_words;
mod states;
mod table;
mod theme;
mod theme_file;
mod time_wait;
mod timeline;
mod traffic;
mod widgets;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::Timestamp;
use crate::engine::{Dashboard, KernelSight};
use crate::ui::{MIN_HEIGHT, MIN_WIDTH, Pane, Playback, Source, SourceKind, UiState, View};

use chart::History;
pub use theme::Theme;
pub use theme_file::ThemeSpec;

/// What every pane draws from.
#[derive(Clone, Copy)]
struct Context<'a> {
    dashboard: &'a Dashboard,
    ui: &'a UiState,
    source: &'a Source,
    theme: &'a Theme,
}

impl Context<'_> {
    /// How long before the engine's clock `at` was.
    fn ago(&self, at: Timestamp) -> Duration {
        self.dashboard.now.map_or(Duration::ZERO, |now| now.since(at))
    }

    /// How old the kernel's word in a pane is, behind what the pane says of itself; what is fresh need not be said.
    fn and_age(&self, what: &str, at: impl FnOnce(&KernelSight) -> Option<Timestamp>) -> String {
        const FRESH: Duration = Duration::from_secs(2);
        let read = self.dashboard.sees.kernel.as_ref().and_then(at).map(|at| self.ago(at));
        let read = read.filter(|ago| *ago >= FRESH).map(|ago| format!("read {} ago", format::age(ago)));
        let parts = [Some(what.to_owned()).filter(|what| !what.is_empty()), read];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The same for a pane called `name`: where its title has no room for both, the age.
    fn and_age_in(&self, pane: (&str, u16), what: &str, at: impl Fn(&KernelSight) -> Option<Timestamp>) -> String {
        let (name, width) = pane;
        let whole = self.and_age(what, &at);
        let fits = name.len() + whole.chars().count() + 8 <= usize::from(width);
        if fits || whole == what { whole } else { self.and_age("", at) }
    }

    /// What was counted a second, up to now.
    fn history<'v>(&self, values: &'v [u64]) -> History<'v> {
        History::new(values, self.dashboard.now).lasting(self.dashboard.since.map(|since| self.ago(since)))
    }

    /// That there is no `what`; it is waited for only while the source goes on.
    fn none_of(&self, what: &str) -> String {
        match self.source.playback {
            Some(Playback { at_end: true, live: None, .. }) => format!("no {what} in this capture"),
            Some(Playback { paused: false, .. }) => format!("waiting for the first {what}"),
            None if self.source.kind == SourceKind::Live => format!("waiting for the first {what}"),
            Some(_) | None => format!("no {what} up to this instant"),
        }
    }

    /// What is said of the kernel's side where nothing of it was read.
    const fn unread(&self) -> &'static str {
        if self.source.of_host { "not read yet" } else { "not recorded" }
    }

    fn sees_kernel(&self) -> bool {
        self.dashboard.sees.kernel.is_some()
    }
}

/// Draws the whole screen. `ui` must know `area` ([`UiState::resize`]), or rows and clicks would not meet.
pub fn draw(dashboard: &Dashboard, ui: &UiState, source: &Source, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    buf.set_style(area, theme.text);
    let Some(parts) = ui.screen_on(area, source) else {
        return too_small(area, theme, buf);
    };
    let context = Context { dashboard, ui, source, theme };
    header::draw(&context, parts.header, parts.timeline, buf);
    timeline::draw(&context, parts.timeline, buf);
    header::draw_tabs(&context, parts.tabs, buf);
    header::draw_notices(&context, parts.notices, buf);
    match ui.view() {
        _ if ui.help_open() => help::draw(&context, parts.body, buf),
        View::Overview => overview(&context, parts.body, buf),
        View::Flows => match ui.group() {
            Some(by) => flow_groups::draw(&context, by, parts.body, buf),
            None => flows::draw(&context, true, parts.body, buf),
        },
        View::Handshakes => handshake_list::draw(&context, parts.body, buf),
        View::Queues => queue_list::draw(&context, parts.body, buf),
        View::TimeWait => port_list::draw(&context, parts.body, buf),
        View::Listeners => listener_list::draw(&context, parts.body, buf),
        View::Processes => process_list::draw(&context, parts.body, buf),
        View::Findings => finding_list::draw(&context, parts.body, buf),
        View::Flow => flow::draw(&context, parts.body, buf),
    }
    column_menu::draw(&context, parts.body, buf);
    explain::draw(&context, parts.body, buf);
    footer::draw(&context, parts.footer, buf);
}

/// The same screen for terminals that have nothing beyond ASCII: each character's stand-in in its place.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let wide = widgets::width(cell.symbol()).max(1);
            let mut chars = cell.symbol().chars();
            let alone = chars.next().filter(|_| chars.next().is_none());
            let stand_in = alone.and_then(crate::base::stand_in).filter(|_| wide == 1).unwrap_or('?');
            cell.set_char(stand_in);
        }
    }
}

fn overview(context: &Context<'_>, body: Rect, buf: &mut Buffer) {
    let focus = context.ui.focus(context.source);
    for (pane, rect) in context.ui.panes(body, context.ui.zoomed(), context.source) {
        let focused = focus == Some(pane);
        match pane {
            Pane::Findings => findings::draw(context, focused, rect, buf),
            Pane::Handshakes => handshakes::draw(context, focused, rect, buf),
            Pane::States => states::draw(context, focused, rect, buf),
            Pane::Queues => queues::draw(context, focused, rect, buf),
            Pane::TimeWait => time_wait::draw(context, focused, rect, buf),
            Pane::Busiest => busiest::draw(context, focused, rect, buf),
            Pane::Traffic => traffic::draw(context, focused, rect, buf),
            Pane::Flows => flows::draw(context, focused, rect, buf),
        }
        if pane != Pane::Flows && !context.ui.filter().is_empty() {
            say_unfiltered(context, rect, buf);
        }
    }
}

/// On the border of a pane whose numbers are of all connections, while a filter is in force: at its right, where
/// nothing stands.
fn say_unfiltered(context: &Context<'_>, pane: Rect, buf: &mut Buffer) {
    for text in [" unfiltered ", " all "] {
        let room = text.len() as u16;
        let Some(x) = pane.right().checked_sub(room + 2).filter(|x| *x > pane.x + 2) else { continue };
        let place = Rect { x, width: room, height: 1, ..pane };
        // Behind the title one column of the border stays.
        let free = Rect { x: x - 1, width: room + 1, ..place };
        if free.positions().all(|position| matches!(buf[position].symbol(), "─" | "━")) {
            return widgets::put(buf, place, &Line::from(widgets::styled(text, context.theme.dim)));
        }
    }
}

fn too_small(area: Rect, theme: &Theme, buf: &mut Buffer) {
    let texts = [
        "terminal too small".to_owned(),
        format!("it is {}x{}", area.width, area.height),
        format!("needs {MIN_WIDTH}x{MIN_HEIGHT}"),
        "q quits".to_owned(),
    ];
    let top = area.height.saturating_sub(texts.len() as u16) / 2;
    for (text, row) in texts.iter().zip(area.rows().skip(usize::from(top))) {
        let indent = usize::from(area.width).saturating_sub(widgets::width(text)) / 2;
        let line = Line::from(vec![widgets::gap(indent), widgets::styled(text.as_str(), theme.strong)]);
        widgets::put(buf, row, &line);
    }
}

/// Sections of a pane in the order in which they stand, each with how much it matters (0 most). Those that have room
/// in `height` lines are kept, the more important ones first.
fn keep_by_weight(sections: Vec<(u8, Vec<Line<'static>>)>, height: usize) -> Vec<Line<'static>> {
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|index| sections[*index].0);
    let mut kept = vec![false; sections.len()];
    let mut left = height;
    for index in order {
        if let Some(rest) = left.checked_sub(sections[index].1.len()) {
            kept[index] = true;
            left = rest;
        }
    }
    let lines = sections.into_iter().zip(kept).filter(|(_, kept)| *kept);
    lines.flat_map(|((_, lines), _)| lines).collect()
}
