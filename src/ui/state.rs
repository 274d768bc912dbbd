//! [`UiState`]: what is shown and selected, what it asks of the engine, and how it follows what the engine answers.
//!
//! Read next: `update` (messages), `movement` (the cursor).

use ratatui::layout::Rect;
use tui_input::Input;

use crate::base::scrub;
use crate::engine::{Dashboard, Filter, FlowId, Query, Sort};

use super::Source;
use super::layout::{self, FLOW_COLUMNS_HEAD, Pane};

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
    pub(super) const fn next(self) -> Self {
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
    /// The filter (it works as it is typed), and what it was before. While `selected`, the first letter replaces it all.
    Filter { input: Input, before: String, selected: bool },
    /// A time to jump to.
    Jump(Input),
}

/// What is shown and selected. The view reads it, [`UiState::handle`] changes it.
#[derive(Debug, Clone, Default)]
pub struct UiState {
    pub(super) area: Rect,
    pub(super) view: View,
    /// Where Esc leads from a flow's details.
    pub(super) came_from: View,
    pub(super) focus: Option<Pane>,
    pub(super) zoomed: bool,
    pub(super) selected: Option<FlowId>,
    /// Place of the first visible row and of the cursor among the matching flows.
    pub(super) offset: usize,
    pub(super) cursor: usize,
    /// The cursor moved to a row that has not been loaded: select it when it comes.
    pub(super) pending: bool,
    pub(super) filter: String,
    pub(super) sort: Sort,
    pub(super) prompt: Option<Prompt>,
    pub(super) help: bool,
    pub(super) help_scroll: usize,
    pub(super) detail_scroll: usize,
    pub(super) frozen: bool,
    pub(super) theme: ThemeName,
    pub(super) message: Option<String>,
    pub(super) picture: bool,
    /// How many findings the last dashboard had.
    pub(super) findings: usize,
}

impl UiState {
    /// The first screen, on `area`.
    pub fn new(area: Rect, theme: ThemeName) -> Self {
        Self { area, theme, ..Self::default() }
    }

    /// The same screen as a picture, in which no key can be pressed: without the line of keys.
    #[must_use]
    pub fn for_picture(&self) -> Self {
        Self { picture: true, ..self.clone() }
    }

    /// Where things stand on this screen; `None` if it is too small.
    pub(super) fn screen(&self, source: &Source) -> Option<layout::Screen> {
        self.screen_on(self.area, source)
    }

    /// The same on `area`: a terminal may have another size than this state knows yet.
    pub fn screen_on(&self, area: Rect, source: &Source) -> Option<layout::Screen> {
        let mut parts = layout::screen(area, source)?;
        if self.picture {
            parts.body.height += parts.footer.height;
            parts.footer = Rect { y: parts.footer.bottom(), height: 0, ..parts.footer };
        }
        Some(parts)
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
        let body = self.screen(source)?.body;
        let shown = self.panes(body, None);
        let there = |pane: &Pane| self.zoomed || shown.iter().any(|(other, _)| other == pane);
        let candidates = [self.focus, Some(Pane::Flows), Some(Pane::Queues), shown.first().map(|(pane, _)| *pane)];
        (self.view == View::Overview).then(|| candidates.into_iter().flatten().find(there))?
    }

    /// The panes of the overview: what is wrong first, then those that there is room for; one alone if zoomed.
    pub fn panes(&self, body: Rect, zoomed: Option<Pane>) -> Vec<(Pane, Rect)> {
        if zoomed.is_some() {
            return layout::panes(body, zoomed);
        }
        let (top, rest) = layout::below_findings(body, self.findings);
        let findings = (!top.is_empty()).then_some((Pane::Findings, top));
        findings.into_iter().chain(layout::panes(rest, None)).collect()
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
            follow: self.selected,
            selected: if self.view == View::Flow { self.selected } else { None },
        }
    }

    /// Takes in a new dashboard: the cursor stays on its flow, and on its line of the screen if it can.
    pub fn observe(&mut self, dashboard: &Dashboard, source: &Source) {
        self.findings = dashboard.findings.len();
        let pane = &dashboard.flows;
        let page = self.page(source).max(1);
        if self.pending {
            self.cursor = self.cursor.min(pane.matching.saturating_sub(1));
            if let Some(row) = self.cursor.checked_sub(pane.offset).and_then(|at| pane.rows.get(at)) {
                self.selected = Some(row.id);
                self.pending = false;
            }
        } else if let Some(at) = pane.followed {
            let line = self.cursor.saturating_sub(self.offset).min(page - 1);
            self.cursor = at;
            self.offset = self.cursor.saturating_sub(line);
        }
        self.offset = self.offset.min(pane.matching.saturating_sub(page));
    }

    /// Lets go of the selection: the table shows its first rows, whichever they become.
    pub(super) fn let_go(&mut self) {
        (self.selected, self.offset, self.cursor, self.pending) = (None, 0, 0, false);
    }

    pub(super) fn pane_rect(&self, pane: Pane, source: &Source) -> Option<(Pane, Rect)> {
        let body = self.screen(source)?.body;
        self.panes(body, self.zoomed()).into_iter().find(|(other, _)| *other == pane)
    }

    /// The flow table's rows on the screen, if it is shown: below its border and headings.
    pub(super) fn table(&self, source: &Source) -> Option<Rect> {
        let rect = match self.view {
            View::Overview => self.pane_rect(Pane::Flows, source)?.1,
            View::Flows | View::Flow => self.screen(source)?.body,
        };
        let head = 1 + FLOW_COLUMNS_HEAD;
        Some(Rect { y: rect.y + head, height: rect.height.saturating_sub(head + 1), ..rect })
    }

    pub(super) fn page(&self, source: &Source) -> usize {
        self.table(source).map_or(0, |rect| usize::from(rect.height))
    }
}
