//! The cursor: how keys, clicks and the wheel move it through the list that is in front.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::engine::{Dashboard, FlowId};

use super::help_text::help_columns;
use super::keys::Msg;
use super::layout::{self, Pane};
use super::queue_rows::queue_items;
use super::state::{UiState, View};
use super::{Effect, Source};

/// Which list the movement keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Help,
    Details,
    Queues,
    Flows,
}

const WHEEL: isize = 3;

impl UiState {
    fn list(&self, source: &Source) -> List {
        match (self.help, self.view) {
            (true, _) => List::Help,
            (_, View::Flow) => List::Details,
            (_, View::Flows) => List::Flows,
            (_, View::Overview) => match self.focus(source) {
                Some(Pane::Queues) => List::Queues,
                _ if self.table(source).is_some() => List::Flows,
                _ => List::Queues,
            },
        }
    }

    pub(super) fn step(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) {
        let list = self.list(source);
        let page = self.page(source).max(1) as isize;
        let by = match msg {
            Msg::Up => -1,
            Msg::Down => 1,
            Msg::PageUp => -page,
            Msg::PageDown => page,
            Msg::Top => isize::MIN,
            _ => isize::MAX,
        };
        match list {
            List::Help => {
                let last = self.last_help_line(source);
                self.help_scroll = self.help_scroll.saturating_add_signed(by).min(last);
            }
            List::Details => {
                let last = self.last_life_line(dashboard, source);
                self.detail_scroll = self.detail_scroll.saturating_add_signed(by).min(last);
            }
            List::Queues => self.step_queues(by, dashboard, source),
            List::Flows => self.step_flows(by, dashboard, source),
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
        let life = layout::flow_parts(parts.body, detail).life;
        detail.life.len().saturating_sub(usize::from(life.height.saturating_sub(2)))
    }

    /// Moves the cursor; the first movement selects the first visible row.
    fn step_flows(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        let pane = &dashboard.flows;
        if pane.matching == 0 {
            return;
        }
        let fresh = self.selected.is_none() && !self.pending;
        let target = match by {
            isize::MIN => 0,
            _ if fresh && by.abs() == 1 => self.offset,
            _ => self.cursor.saturating_add_signed(by),
        };
        self.cursor = target.min(pane.matching - 1);
        self.show_cursor(source);
        let loaded = self.cursor.checked_sub(pane.offset).and_then(|at| pane.rows.get(at));
        self.pending = loaded.is_none();
        self.selected = loaded.map(|row| row.id);
    }

    fn show_cursor(&mut self, source: &Source) {
        let page = self.page(source).max(1);
        self.offset = self.offset.min(self.cursor).max((self.cursor + 1).saturating_sub(page));
    }

    fn step_queues(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        let Some((_, rect)) = self.pane_rect(Pane::Queues, source) else { return };
        let height = usize::from(rect.height.saturating_sub(2));
        let flows: Vec<FlowId> = queue_items(&dashboard.queues, height)
            .into_iter()
            .filter_map(|item| item.flow(&dashboard.queues))
            .collect();
        let now = flows.iter().position(|flow| Some(*flow) == self.selected);
        let next = now.map_or(0, |at| at.saturating_add_signed(by)).min(flows.len().saturating_sub(1));
        if let Some(flow) = flows.get(next) {
            (self.selected, self.pending) = (Some(*flow), false);
        }
    }

    pub(super) fn on_mouse(&mut self, mouse: &MouseEvent, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(-WHEEL, dashboard, source),
            MouseEventKind::ScrollDown => self.wheel(WHEEL, dashboard, source),
            MouseEventKind::Down(MouseButton::Left) => self.click(at, dashboard, source),
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, by: isize, dashboard: &Dashboard, source: &Source) {
        match self.list(source) {
            List::Flows => {
                let last = dashboard.flows.matching.saturating_sub(self.page(source));
                self.offset = self.offset.saturating_add_signed(by).min(last);
                self.cursor = self.cursor.clamp(self.offset, self.offset + self.page(source).saturating_sub(1));
                if self.selected.is_some() {
                    self.step_flows(0, dashboard, source);
                }
            }
            _ => self.step(if by < 0 { Msg::Up } else { Msg::Down }, dashboard, source),
        }
    }

    /// A tab is shown, a pane gets the focus, a row the cursor; the row under the cursor is opened.
    fn click(&mut self, at: Position, dashboard: &Dashboard, source: &Source) {
        let Some(parts) = self.screen(source) else { return };
        if let Some((view, ..)) = layout::tabs(parts.tabs).into_iter().find(|(_, _, rect)| rect.contains(at)) {
            return self.go(view, dashboard);
        }
        if self.help || self.view == View::Flow {
            return;
        }
        if self.view == View::Overview {
            let all = self.panes(parts.body, self.zoomed());
            self.focus = all.into_iter().find(|(_, rect)| rect.contains(at)).map(|(pane, _)| pane).or(self.focus);
        }
        let clicked = self.flow_at(at, dashboard, source);
        if clicked.is_some() && clicked == self.selected {
            self.open(dashboard);
        } else if let Some(flow) = clicked {
            (self.selected, self.pending) = (Some(flow), false);
        }
    }

    fn flow_at(&mut self, at: Position, dashboard: &Dashboard, source: &Source) -> Option<FlowId> {
        if let Some(table) = self.table(source).filter(|table| table.contains(at)) {
            let place = self.offset + usize::from(at.y - table.y);
            let row = dashboard.flows.rows.get(place.checked_sub(dashboard.flows.offset)?)?;
            self.cursor = place;
            return Some(row.id);
        }
        let (_, rect) = self.pane_rect(Pane::Queues, source).filter(|_| self.view == View::Overview)?;
        let line = usize::from(at.y.checked_sub(rect.y + 1)?);
        let items = queue_items(&dashboard.queues, usize::from(rect.height.saturating_sub(2)));
        if rect.contains(at) { items.get(line)?.flow(&dashboard.queues) } else { None }
    }
}
