//! [`UiState`]: what is shown and selected, and how messages change it.

use std::time::Duration;

use crossterm::event::{Event, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::base::scrub;
use crate::engine::{Dashboard, Filter, FlowId, Query, Sort, SortKey};

use super::keys::{Binding, Msg};
use super::layout::{self, FLOW_COLUMNS_HEAD, Pane};
use super::queue_rows::queue_items;
use super::{Control, Effect, Source, jump};

/// Which screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Overview,
    Flows,
    /// The selected flow in full.
    Flow,
}

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    #[default]
    Dark,
    Light,
    /// Modifiers only: for NO_COLOR.
    Mono,
}

impl ThemeName {
    const fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Mono,
            Self::Mono => Self::Dark,
        }
    }
}

/// What is being typed.
#[derive(Debug, Clone)]
pub enum Prompt {
    /// The filter (it works as it is typed), and what it was before.
    Filter { input: Input, before: String },
    /// A time to jump to.
    Jump(Input),
}

/// Which list the movement keys act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Help,
    Details,
    Queues,
    Flows,
}

/// What is shown and selected. The view reads it, [`UiState::handle`] changes it.
#[derive(Debug, Clone, Default)]
pub struct UiState {
    area: Rect,
    view: View,
    /// Where Esc leads from a flow's details.
    came_from: View,
    focus: Option<Pane>,
    zoomed: bool,
    selected: Option<FlowId>,
    /// Place of the first visible row and of the cursor among the matching flows.
    offset: usize,
    cursor: usize,
    /// The cursor moved to a row that has not been loaded: select it when it comes.
    pending: bool,
    filter: String,
    sort: Sort,
    prompt: Option<Prompt>,
    help: bool,
    help_scroll: usize,
    detail_scroll: usize,
    frozen: bool,
    theme: ThemeName,
    message: Option<String>,
}

const SEEK: Duration = Duration::from_secs(5);
const SPEEDS: [f64; 11] = [0.01, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1000.0, f64::INFINITY];
const WHEEL: isize = 3;

impl UiState {
    /// The first screen, on `area`.
    pub fn new(area: Rect, theme: ThemeName) -> Self {
        Self { area, theme, ..Self::default() }
    }

    /// The screen has this size now.
    pub fn resize(&mut self, area: Rect) {
        self.area = area;
    }

    pub const fn area(&self) -> Rect {
        self.area
    }
    pub const fn view(&self) -> View {
        self.view
    }
    pub const fn theme(&self) -> ThemeName {
        self.theme
    }
    pub const fn sort(&self) -> Sort {
        self.sort
    }
    pub const fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }
    pub const fn help_open(&self) -> bool {
        self.help
    }
    pub const fn help_scroll(&self) -> usize {
        self.help_scroll
    }
    pub const fn detail_scroll(&self) -> usize {
        self.detail_scroll
    }
    /// The flow under the cursor, or shown in full.
    pub const fn selected(&self) -> Option<FlowId> {
        self.selected
    }
    /// Place of the first visible row among the matching flows.
    pub const fn offset(&self) -> usize {
        self.offset
    }
    /// Live only: what is shown stands still while the capture goes on.
    pub const fn frozen(&self) -> bool {
        self.frozen
    }
    /// What was last said to the user.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
    /// Says something in the last line, until the next key.
    pub fn say(&mut self, text: &str) {
        self.message = Some(scrub(text));
    }
    /// Shows a view, as a key would (for pictures without a terminal).
    pub fn show(&mut self, view: View, flow: Option<FlowId>) {
        self.view = view;
        self.selected = flow.or(self.selected);
    }
    /// Filters, as if typed.
    pub fn set_filter(&mut self, text: &str) {
        self.filter = scrub(text);
    }

    /// The filter in force: what is being typed, or what was kept.
    pub fn filter(&self) -> &str {
        match &self.prompt {
            Some(Prompt::Filter { input, .. }) => input.value(),
            _ => &self.filter,
        }
    }

    /// The pane that zoom and the movement keys mean; `None` outside the overview.
    pub fn focus(&self, source: &Source) -> Option<Pane> {
        let body = layout::screen(self.area, source)?.body;
        let shown = layout::panes(body, None);
        let there = |pane: &Pane| self.zoomed || shown.iter().any(|(other, _)| other == pane);
        let candidates = [self.focus, Some(Pane::Flows), Some(Pane::Queues), shown.first().map(|(pane, _)| *pane)];
        (self.view == View::Overview).then(|| candidates.into_iter().flatten().find(there))?
    }

    /// The one pane that fills the overview.
    pub fn zoomed(&self) -> Option<Pane> {
        if self.zoomed { self.focus.or(Some(Pane::Flows)) } else { None }
    }

    /// What the next dashboard must hold: the visible rows, and a page above and below so that scrolling does not wait.
    pub fn query(&self, source: &Source) -> Query {
        let page = self.page(source);
        Query {
            filter: Filter::parse(self.filter()),
            sort: self.sort,
            offset: self.offset.saturating_sub(page),
            rows: page * 2 + page.min(self.offset),
            selected: if self.view == View::Flow { self.selected } else { None },
        }
    }

    /// Takes in a new dashboard: the cursor stays on its flow, and on its line of the screen if it can.
    pub fn observe(&mut self, dashboard: &Dashboard, source: &Source) {
        let pane = &dashboard.flows;
        let page = self.page(source).max(1);
        if self.pending {
            self.cursor = self.cursor.min(pane.matching.saturating_sub(1));
            if let Some(row) = self.cursor.checked_sub(pane.offset).and_then(|at| pane.rows.get(at)) {
                self.selected = Some(row.id);
                self.pending = false;
            }
        } else if let Some(at) = pane.rows.iter().position(|row| Some(row.id) == self.selected) {
            let line = self.cursor.saturating_sub(self.offset).min(page - 1);
            self.cursor = pane.offset + at;
            self.offset = self.cursor.saturating_sub(line);
        }
        self.offset = self.offset.min(pane.matching.saturating_sub(page));
    }

    /// One event of the terminal.
    pub fn handle(&mut self, event: &Event, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        match event {
            Event::Resize(width, height) => {
                self.area = Rect::new(0, 0, *width, *height);
                self.observe(dashboard, source);
                Vec::new()
            }
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.message = None;
                self.on_key(key, event, dashboard, source)
            }
            Event::Mouse(mouse) => self.on_mouse(mouse, dashboard, source),
            Event::Paste(text) => {
                self.on_paste(text);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent, event: &Event, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        let bound = Binding::find(key, source.playback.is_some());
        if self.prompt.is_some() {
            use crossterm::event::KeyCode;
            return match (key.code, bound.map(|row| row.msg)) {
                (KeyCode::Esc, _) => self.close_prompt(false, source),
                (KeyCode::Enter, _) => self.close_prompt(true, source),
                (_, Some(Msg::Suspend)) => vec![Effect::Suspend],
                (KeyCode::Char('c'), Some(Msg::Quit)) => vec![Effect::Quit],
                _ => {
                    self.type_into_prompt(event);
                    Vec::new()
                }
            };
        }
        match bound {
            Some(row) if !row.when.holds(source.playback.is_some()) => {
                self.say("only when a capture is replayed: sockscope -r FILE");
                Vec::new()
            }
            Some(row) => self.update(row.msg, dashboard, source),
            None => Vec::new(),
        }
    }

    fn type_into_prompt(&mut self, event: &Event) {
        match &mut self.prompt {
            Some(Prompt::Filter { input, .. }) => {
                input.handle_event(event);
                self.to_top();
            }
            Some(Prompt::Jump(input)) => {
                input.handle_event(event);
            }
            None => {}
        }
    }

    /// A paste goes into the prompt, if one is open; it is never taken for keys.
    fn on_paste(&mut self, text: &str) {
        if let Some(Prompt::Filter { input, .. } | Prompt::Jump(input)) = &mut self.prompt {
            for c in scrub(text).chars().take(256) {
                input.handle(tui_input::InputRequest::InsertChar(c));
            }
        }
    }

    fn close_prompt(&mut self, keep: bool, source: &Source) -> Vec<Effect> {
        match self.prompt.take() {
            Some(Prompt::Filter { input, .. }) => {
                self.filter = if keep { scrub(input.value().trim()) } else { String::new() };
                self.to_top();
                Vec::new()
            }
            Some(Prompt::Jump(input)) if keep => {
                let start = source.playback.and_then(|playback| playback.start);
                match jump::parse(input.value(), start) {
                    Ok(instant) => vec![Effect::Control(Control::Seek(instant))],
                    Err(reason) => {
                        self.say(reason);
                        Vec::new()
                    }
                }
            }
            _ => Vec::new(),
        }
    }

    /// One message, whatever key or click it came from.
    pub fn update(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        match msg {
            Msg::Quit => return vec![Effect::Quit],
            Msg::Suspend => return vec![Effect::Suspend],
            Msg::Redraw => return vec![Effect::Redraw],
            Msg::Snap => return vec![Effect::Snap],
            Msg::Pause | Msg::Faster | Msg::Slower | Msg::Step | Msg::Restart | Msg::SeekForward | Msg::SeekBack => {
                return self.control(msg, source).into_iter().map(Effect::Control).collect();
            }
            Msg::Help => {
                self.help = !self.help;
                self.help_scroll = 0;
            }
            Msg::Go(view) => self.go(view, dashboard),
            Msg::NextView => self.go(self.view_beside(1), dashboard),
            Msg::PrevView => self.go(self.view_beside(2), dashboard),
            Msg::Open => self.open(dashboard),
            Msg::Back => self.back(),
            Msg::NextPane => self.move_focus(1, source),
            Msg::PrevPane => self.move_focus(-1, source),
            Msg::Zoom => self.zoom(source),
            Msg::Filter => {
                let before = self.filter.clone();
                self.help = false;
                self.prompt = Some(Prompt::Filter { input: Input::new(before.clone()), before });
            }
            Msg::Jump => self.prompt = Some(Prompt::Jump(Input::default())),
            Msg::NextSort => {
                let at = SortKey::ALL.iter().position(|key| *key == self.sort.by).map_or(0, |at| at + 1);
                self.sort = Sort { by: SortKey::ALL[at % SortKey::ALL.len()], reverse: false };
                self.to_top();
            }
            Msg::ReverseSort => {
                self.sort.reverse = !self.sort.reverse;
                self.to_top();
            }
            Msg::NextTheme => self.theme = self.theme.next(),
            Msg::Up | Msg::Down | Msg::PageUp | Msg::PageDown | Msg::Top | Msg::Bottom => {
                self.step(msg, dashboard, source);
            }
        }
        Vec::new()
    }

    fn control(&mut self, msg: Msg, source: &Source) -> Option<Control> {
        let Some(playback) = source.playback else {
            if msg != Msg::Pause {
                return None;
            }
            self.frozen = !self.frozen;
            return Some(Control::Pause(self.frozen));
        };
        let place = SPEEDS.iter().rposition(|speed| *speed <= playback.speed).unwrap_or(0);
        Some(match msg {
            Msg::Pause => Control::Pause(!playback.paused),
            Msg::Faster => Control::Speed(SPEEDS[(place + 1).min(SPEEDS.len() - 1)]),
            Msg::Slower => Control::Speed(SPEEDS[place.saturating_sub(1)]),
            Msg::Step => Control::Step,
            Msg::Restart => Control::Restart,
            Msg::SeekForward => Control::SeekBy(SEEK, true),
            Msg::SeekBack => Control::SeekBy(SEEK, false),
            _ => return None,
        })
    }

    const fn view_beside(&self, steps: usize) -> View {
        let place = match self.view {
            View::Overview => 0,
            View::Flows => 1,
            View::Flow => 2,
        };
        layout::TABS[(place + steps) % layout::TABS.len()].0
    }

    fn go(&mut self, view: View, dashboard: &Dashboard) {
        self.help = false;
        if view == View::Flow {
            return self.open(dashboard);
        }
        self.view = view;
    }

    /// Opens the selected flow, or the first of the table if none is selected.
    fn open(&mut self, dashboard: &Dashboard) {
        self.help = false;
        if self.view == View::Flow {
            return;
        }
        if self.selected.is_none() {
            let first = self.offset.checked_sub(dashboard.flows.offset).and_then(|at| dashboard.flows.rows.get(at));
            self.selected = first.map(|row| row.id);
            self.cursor = self.offset;
        }
        if self.selected.is_none() {
            return self.say("no flow to open");
        }
        self.came_from = self.view;
        self.detail_scroll = 0;
        self.view = View::Flow;
    }

    /// One step out: help, details, zoom, selection, filter, in this order.
    fn back(&mut self) {
        if self.help {
            self.help = false;
        } else if self.view == View::Flow {
            self.view = self.came_from;
        } else if self.zoomed && self.view == View::Overview {
            self.zoomed = false;
        } else if self.selected.is_some() {
            self.to_top();
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else {
            self.view = View::Overview;
        }
    }

    /// Lets go of the selection: the table shows its first rows, whichever they become.
    fn to_top(&mut self) {
        (self.selected, self.offset, self.cursor, self.pending) = (None, 0, 0, false);
    }

    fn move_focus(&mut self, by: isize, source: &Source) {
        let (Some(now), Some(parts)) = (self.focus(source), layout::screen(self.area, source)) else { return };
        let all = layout::panes(parts.body, None);
        let place = all.iter().position(|(pane, _)| *pane == now).unwrap_or(0);
        let next = (place as isize + by).rem_euclid(all.len() as isize) as usize;
        self.focus = Some(all[next].0);
    }

    fn zoom(&mut self, source: &Source) {
        if let Some(focus) = self.focus(source) {
            self.focus = Some(focus);
            self.zoomed = !self.zoomed;
        }
    }

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

    fn step(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) {
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
            List::Help => self.help_scroll = self.help_scroll.saturating_add_signed(by).min(BINDINGS_MAX),
            List::Details => {
                let last = dashboard.flow.as_ref().map_or(0, |flow| flow.life.len().saturating_sub(1));
                self.detail_scroll = self.detail_scroll.saturating_add_signed(by).min(last);
            }
            List::Queues => self.step_queues(by, dashboard, source),
            List::Flows => self.step_flows(by, dashboard, source),
        }
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

    fn pane_rect(&self, pane: Pane, source: &Source) -> Option<(Pane, Rect)> {
        let body = layout::screen(self.area, source)?.body;
        layout::panes(body, self.zoomed()).into_iter().find(|(other, _)| *other == pane)
    }

    /// The flow table's rows on the screen, if it is shown: below its border and headings.
    fn table(&self, source: &Source) -> Option<Rect> {
        let rect = match self.view {
            View::Overview => self.pane_rect(Pane::Flows, source)?.1,
            View::Flows | View::Flow => layout::screen(self.area, source)?.body,
        };
        let head = 1 + FLOW_COLUMNS_HEAD;
        Some(Rect { y: rect.y + head, height: rect.height.saturating_sub(head + 1), ..rect })
    }

    fn page(&self, source: &Source) -> usize {
        self.table(source).map_or(0, |rect| usize::from(rect.height))
    }

    fn on_mouse(&mut self, mouse: &MouseEvent, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
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
        let Some(parts) = layout::screen(self.area, source) else { return };
        if let Some((view, ..)) = layout::tabs(parts.tabs).into_iter().find(|(_, _, rect)| rect.contains(at)) {
            return self.go(view, dashboard);
        }
        if self.help || self.view == View::Flow {
            return;
        }
        if self.view == View::Overview {
            let all = layout::panes(parts.body, self.zoomed());
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

/// No help screen is longer than this; the view stops earlier.
const BINDINGS_MAX: usize = 200;
