//! The cursor: how keys, clicks and the wheel move it through the list that is in front.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::engine::{Dashboard, FlowId, Keyed, Place, RowKey};

use super::flow_layout::{graph_parts, instant_at, ladder_parts};
use super::flow_parts::flow_parts;
use super::flow_screen::{FlowPart, FlowScreen, part_tabs};
use super::help_text::help_columns;
use super::keys::Msg;
use super::layout::Pane;
use super::lists::{Cursor, Kind, key_at};
use super::queue_rows::queue_items;
use super::state::{UiState, View};
use super::{Effect, Source};

/// Which list the movement keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Help,
    Details,
    /// The ladder or the graph of one flow.
    Segments,
    /// The queue pane of the overview.
    Queues,
    /// The findings of the overview.
    Findings,
    /// The list in front.
    Rows,
}

const WHEEL: isize = 3;

impl UiState {
    fn list(&self, source: &Source) -> List {
        match (self.help, self.view) {
            (true, _) => List::Help,
            (_, View::Flow) if self.flow.part != FlowPart::Summary => List::Segments,
            (_, View::Flow) => List::Details,
            (_, View::Overview) => match self.focus(source) {
                Some(Pane::Queues) => List::Queues,
                Some(Pane::Findings) => List::Findings,
                _ if self.table(source).is_some() => List::Rows,
                _ => List::Queues,
            },
            _ => List::Rows,
        }
    }

    pub(super) fn step(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) {
        let list = self.list(source);
        let page = self.page(source).max(1) as isize;
        let by = steps(&msg, page);
        match list {
            List::Help => {
                let last = self.last_help_line(source);
                self.help_scroll = self.help_scroll.saturating_add_signed(by).min(last);
            }
            List::Details => {
                let last = self.last_life_line(dashboard, source);
                self.detail_scroll = self.detail_scroll.saturating_add_signed(by).min(last);
            }
            List::Segments => self.step_segments(msg, dashboard, source),
            List::Queues => self.step_queues(by, dashboard, source),
            List::Findings => self.step_findings(by, dashboard, source),
            List::Rows if self.view == View::Findings && self.turns_page(msg) => {}
            List::Rows => self.step_rows(by, dashboard, source),
        }
    }

    /// Turns a page of the finding that is told in full, where that is what is shown; another finding begins with its
    /// first.
    fn turns_page(&mut self, msg: Msg) -> bool {
        let turn = match msg {
            Msg::PageDown => 1,
            Msg::PageUp => -1,
            _ => 0,
        };
        let turns = self.finding_zoomed && turn != 0;
        self.finding_page = if turns { self.finding_page + turn } else { 0 };
        turns
    }

    /// The cursor in the segments of the flow: by lines of the ladder, or by segments in the graph.
    fn step_segments(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) {
        let now = dashboard.now;
        let rows = self.ladder_rows(source);
        let graph = self.flow.part == FlowPart::Graph;
        let page = if graph { self.flow.page_of_graph(now) } else { rows.saturating_sub(1).max(1) } as isize;
        let by = steps(&msg, page);
        if graph { self.flow.step_in_graph(by, now) } else { self.flow.step(by, now, rows) }
    }

    /// Lines that the ladder has for its rows.
    fn ladder_rows(&self, source: &Source) -> usize {
        self.screen(source).map_or(1, |parts| usize::from(ladder_parts(parts.body).rows.height))
    }

    /// A click in the view of one flow: a part's tab, a row of the ladder, an instant of the graph.
    fn click_in_flow(&mut self, at: Position, body: Rect, dashboard: &Dashboard) {
        let now = dashboard.now;
        if let Some((part, _)) = part_tabs(body).into_iter().find(|(_, rect)| rect.contains(at)) {
            self.flow.part = part;
        } else if self.flow.part == FlowPart::Ladder {
            let rows = ladder_parts(body).rows;
            if rows.contains(at) {
                self.flow.click(usize::from(at.y - rows.y), now, usize::from(rows.height));
            }
        } else if self.flow.part == FlowPart::Graph {
            let entries = self.flow.entries(now);
            let parts = graph_parts(body, FlowScreen::has_queues(entries));
            let chart = Rect { height: parts.axis.bottom() - parts.numbers.y, ..parts.numbers };
            if let Some(window) = self.flow.window(entries).filter(|_| chart.contains(at)) {
                self.flow.point_at(instant_at(at.x - chart.x, chart.width, window), now);
            }
        }
    }

    /// How far the help can be scrolled.
    fn last_help_line(&self, source: &Source) -> usize {
        let Some(parts) = self.screen(source) else { return 0 };
        let (room, height) =
            (usize::from(parts.body.width.saturating_sub(4)), usize::from(parts.body.height.saturating_sub(2)));
        let (columns, _) = help_columns(source.playback.is_some(), room, height);
        columns.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(height)
    }

    /// How far the life of the flow shown can be scrolled.
    fn last_life_line(&self, dashboard: &Dashboard, source: &Source) -> usize {
        let (Some(parts), Some(detail)) = (self.screen(source), &dashboard.flow) else { return 0 };
        let life = flow_parts(parts.body, detail, self.flow.is_read(dashboard.now)).life;
        detail.life.len().saturating_sub(usize::from(life.height.saturating_sub(2)))
    }

    fn step_rows(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        let page = self.page(source).max(1);
        if let Some((cursor, place)) = self.cursor_in(dashboard) {
            cursor.step(by, &place, page);
        }
    }

    /// The cursor of the list in front, and where the rows that came stand in it; `None` if they are another list's.
    fn cursor_in(&mut self, dashboard: &Dashboard) -> Option<(&mut Cursor, Place)> {
        let kind = self.kind();
        kind.is_answered_by(&dashboard.list).then(|| (self.lists.cursor_mut(kind), dashboard.place()))
    }

    fn step_findings(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        let Some((_, rect)) = self.pane_rect(Pane::Findings, source) else { return };
        let page = usize::from(rect.height.saturating_sub(2)).max(1);
        self.lists.cursor_mut(Kind::Findings).step(by, &place_of_findings(dashboard), page);
    }

    fn step_queues(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        let Some((_, rect)) = self.pane_rect(Pane::Queues, source) else { return };
        let height = usize::from(rect.height.saturating_sub(2));
        let flows: Vec<FlowId> = queue_items(&dashboard.queues, height)
            .into_iter()
            .filter_map(|item| item.flow(&dashboard.queues))
            .collect();
        let now = flows.iter().position(|flow| Some(*flow) == self.selected());
        let next = now.map_or(0, |at| at.saturating_add_signed(by)).min(flows.len().saturating_sub(1));
        if let Some(flow) = flows.get(next) {
            let kind = self.kind();
            let cursor = self.lists.cursor_mut(kind);
            cursor.select(RowKey::Flow(*flow), cursor.at);
        }
    }

    pub(super) fn on_mouse(&mut self, mouse: &MouseEvent, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(-WHEEL, dashboard, source),
            MouseEventKind::ScrollDown => self.wheel(WHEEL, dashboard, source),
            MouseEventKind::Down(MouseButton::Left) => match self.click_time(at, source) {
                Some(control) => return vec![Effect::Control(control)],
                None => self.click(at, dashboard, source),
            },
            MouseEventKind::Drag(MouseButton::Left) => {
                return self.click_time(at, source).into_iter().map(Effect::Control).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        match self.list(source) {
            List::Rows => {
                let page = self.page(source);
                if let Some((cursor, place)) = self.cursor_in(dashboard) {
                    cursor.scroll(by, &place, page);
                }
            }
            List::Segments if self.flow.part == FlowPart::Ladder => {
                let rows = self.ladder_rows(source);
                self.flow.scroll(by, dashboard.now, rows);
            }
            _ => self.step(if by < 0 { Msg::Up } else { Msg::Down }, dashboard, source),
        }
    }

    /// A tab is shown, a pane gets the focus, a row the cursor; the row under the cursor is opened.
    fn click(&mut self, at: Position, dashboard: &Dashboard, source: &Source) {
        let Some(parts) = self.screen(source) else { return };
        if let Some((view, ..)) = self.tabs(parts.tabs).into_iter().find(|(_, _, rect)| rect.contains(at)) {
            return self.go(view);
        }
        if self.help {
            return;
        }
        if self.view == View::Flow {
            return self.click_in_flow(at, parts.body, dashboard);
        }
        if self.view == View::Overview {
            let all = self.panes(parts.body, self.zoomed(), source);
            self.focus = all.into_iter().find(|(_, rect)| rect.contains(at)).map(|(pane, _)| pane).or(self.focus);
        }
        if self.focus(source) == Some(Pane::Findings) {
            return self.click_finding(at, dashboard, source);
        }
        let Some((key, place)) = self.row_at(at, dashboard, source) else { return };
        if self.row() == Some(key) {
            return self.open(dashboard, source);
        }
        let kind = self.kind();
        let cursor = self.lists.cursor_mut(kind);
        cursor.select(key, place.unwrap_or(cursor.at));
    }

    /// A finding of the overview gets the cursor; the one under it is opened.
    fn click_finding(&mut self, at: Position, dashboard: &Dashboard, source: &Source) {
        let Some((_, rect)) = self.pane_rect(Pane::Findings, source).filter(|(_, rect)| rect.contains(at)) else {
            return;
        };
        let Some(line) = at.y.checked_sub(rect.y + 1).filter(|_| at.y + 1 < rect.bottom()) else { return };
        let cursor = self.lists.cursor_mut(Kind::Findings);
        let row = cursor.offset + usize::from(line);
        match key_at(&place_of_findings(dashboard), row) {
            Some(key) if cursor.selected == Some(key) => self.go(View::Findings),
            Some(key) => cursor.select(key, row),
            None => {}
        }
    }

    /// The row at a point of the screen, and its place if it is one of the list in front.
    fn row_at(&mut self, at: Position, dashboard: &Dashboard, source: &Source) -> Option<(RowKey, Option<usize>)> {
        if let Some(table) = self.table(source).filter(|table| table.contains(at)) {
            let row = self.offset() + usize::from(at.y - table.y);
            let (_, place) = self.cursor_in(dashboard)?;
            return key_at(&place, row).map(|key| (key, Some(row)));
        }
        let (_, rect) = self.pane_rect(Pane::Queues, source).filter(|_| self.view == View::Overview)?;
        let line = usize::from(at.y.checked_sub(rect.y + 1)?);
        let items = queue_items(&dashboard.queues, usize::from(rect.height.saturating_sub(2)));
        let flow = if rect.contains(at) { items.get(line)?.flow(&dashboard.queues) } else { None };
        flow.map(|flow| (RowKey::Flow(flow), None))
    }
}

/// All findings, as the overview has them: the worst first.
fn place_of_findings(dashboard: &Dashboard) -> Place {
    let keys: Vec<RowKey> = dashboard.findings.iter().map(Keyed::key).collect();
    Place { matching: keys.len(), offset: 0, followed: None, keys }
}

/// Rows to go for a key, where a page has so many.
const fn steps(msg: &Msg, page: isize) -> isize {
    match msg {
        Msg::Up => -1,
        Msg::Down => 1,
        Msg::PageUp => -page,
        Msg::PageDown => page,
        Msg::Top => isize::MIN,
        _ => isize::MAX,
    }
}
