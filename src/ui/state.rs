//! [`UiState`]: what is shown and selected, what it asks of the engine, and how it follows what the engine answers.
//!
//! Read next: `update` (messages), `movement` (the cursor).

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use tui_input::Input;

use crate::base::scrub;
use crate::engine::{Dashboard, Filter, FlowId, GroupBy, Query, RowKey, Sort};

use super::columns::Columns;
use super::filter_prompt::FilterPrompt;
use super::flow_screen::{FlowPart, FlowScreen, Segments};
use super::layout::{self, COLUMNS_HEAD, Pane, Shown};
use super::lists::{Kind, Lists};
use super::tabs::{self, ListParts};
use super::theme_name::ThemeName;
use super::time_style::TimeStyle;
use super::{Source, SourceKind};

/// Which screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Overview,
    Flows,
    Handshakes,
    Queues,
    /// TIME-WAIT, and who uses local ports.
    TimeWait,
    Listeners,
    Processes,
    Findings,
    /// One flow in full; it has no tab, for it opens from a row.
    Flow,
}

impl View {
    /// Those with a tab, in their order.
    pub const TABS: [Self; 8] = [
        Self::Overview,
        Self::Flows,
        Self::Handshakes,
        Self::Queues,
        Self::TimeWait,
        Self::Listeners,
        Self::Processes,
        Self::Findings,
    ];
}

/// What is being typed.
#[derive(Debug, Clone)]
pub enum Prompt {
    /// The filter: it works as it is typed.
    Filter(Box<FilterPrompt>),
    /// A time to jump to.
    Jump(Input),
    /// The note of a mark.
    Mark(Input),
}

/// What an explanation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explained {
    /// What is shown, and below it what the columns mean.
    All,
    Text,
    Columns,
}

/// From so many lines on an explanation and the columns' meanings stand on one page.
const TALL: u16 = 32;

/// What is shown and selected. The view reads it, [`UiState::handle`] changes it.
#[derive(Debug, Clone, Default)]
pub struct UiState {
    pub(super) area: Rect,
    /// How long the screen has been there, as it was last told.
    pub(super) clock: Duration,
    pub(super) view: View,
    /// Where Esc leads from a flow's details.
    pub(super) came_from: View,
    pub(super) focus: Option<Pane>,
    pub(super) zoomed: bool,
    /// The finding under the cursor has the room of the others.
    pub(super) finding_zoomed: bool,
    /// Which page of it is shown, where it has several; it is counted on from the last to the first.
    pub(super) finding_page: isize,
    /// The flow that is shown in full.
    pub(super) opened: Option<FlowId>,
    /// What of it is shown.
    pub(super) flow: FlowScreen,
    pub(super) lists: Lists,
    pub(super) columns: Columns,
    /// No handshake lately, so none are summed up.
    pub(super) quiet: bool,
    /// The filter that was kept.
    pub(super) filter: Filter,
    /// A row of another list was opened as the flows that it stands for: where Esc leads, and the filter before.
    pub(super) drilled: Option<(View, Filter)>,
    pub(super) prompt: Option<Prompt>,
    pub(super) help: bool,
    /// What is in front is explained: which page of that is shown.
    pub(super) explain: Option<Explained>,
    pub(super) help_scroll: usize,
    pub(super) detail_scroll: usize,
    pub(super) frozen: bool,
    pub(super) theme: ThemeName,
    pub(super) times: TimeStyle,
    /// The clock that typed times are of, where it is not UTC.
    pub(super) zone: Option<TimeZone>,
    /// The user has a theme of a file.
    pub(super) own_theme: bool,
    pub(super) message: Option<String>,
    pub(super) picture: bool,
    /// How many findings the last dashboard had, whether it named processes, and whether anything waits in TIME-WAIT.
    pub(super) findings: usize,
    pub(super) processes: bool,
    pub(super) time_wait: bool,
}

impl UiState {
    /// The first screen, on `area`.
    pub fn new(area: Rect, theme: ThemeName) -> Self {
        Self { area, theme, own_theme: theme == ThemeName::Own, ..Self::default() }
    }

    /// The same screen by the clock of `zone`, as its times are drawn.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone: Some(zone), ..self }
    }

    /// The same screen as a picture, in which no key can be pressed: without the line of keys, whose place stays empty.
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
        if matches!(self.prompt, Some(Prompt::Filter(_))) {
            parts.make_room_below();
        }
        if self.picture {
            parts.footer.height = 0;
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
    pub const fn times(&self) -> TimeStyle {
        self.times
    }
    /// The order of the flow table.
    pub const fn sort(&self) -> Sort {
        self.lists.flows
    }
    /// What the list in front is ordered by, and whether the order is turned round.
    pub fn order(&self) -> (&'static str, bool) {
        self.lists.order(self.kind())
    }
    /// Which columns of the flow table are shown.
    pub const fn columns(&self) -> &Columns {
        &self.columns
    }
    /// How the flow table is grouped.
    pub const fn group(&self) -> Option<GroupBy> {
        self.lists.group
    }
    /// The view whose tab is lit: of a flow in full, the one that it was opened from.
    pub fn tab(&self) -> View {
        if self.view == View::Flow { self.came_from } else { self.view }
    }
    pub const fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }
    pub const fn help_open(&self) -> bool {
        self.help
    }
    /// What is told of what is in front, if it is explained.
    pub const fn explains(&self) -> Option<Explained> {
        self.explain
    }
    /// The page after the one that is shown; on a low screen a list's columns have one of their own.
    pub(super) fn next_explained(&self) -> Option<Explained> {
        let low = self.area.height < TALL && !matches!(self.view, View::Overview | View::Flow);
        match self.explain {
            None if low => Some(Explained::Text),
            None => Some(Explained::All),
            Some(Explained::Text) if low => Some(Explained::Columns),
            Some(_) => None,
        }
    }
    pub const fn help_scroll(&self) -> usize {
        self.help_scroll
    }
    pub const fn detail_scroll(&self) -> usize {
        self.detail_scroll
    }
    /// The flow under the cursor, or shown in full.
    pub fn selected(&self) -> Option<FlowId> {
        if self.view == View::Flow { self.opened } else { self.row().and_then(RowKey::flow) }
    }
    /// The row under the cursor of the list in front.
    pub fn row(&self) -> Option<RowKey> {
        self.lists.cursor(self.kind()).selected
    }
    /// The finding under the cursor, in the overview too, and the place of the first that is visible.
    pub fn finding(&self) -> (Option<RowKey>, usize) {
        let cursor = self.lists.cursor(Kind::Findings);
        (cursor.selected, cursor.offset)
    }
    /// Place of the first visible row in the list in front.
    pub fn offset(&self) -> usize {
        self.lists.cursor(self.kind()).offset
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
        self.came_from = if view == View::Flow { View::Flows } else { view };
        self.opened = flow.or(self.opened);
        if let Some(flow) = flow {
            let kind = self.kind();
            self.lists.cursor_mut(kind).selected = Some(RowKey::Flow(flow));
        }
    }
    /// Shows a part of the view of one flow.
    pub fn show_part(&mut self, part: FlowPart) {
        self.flow.part = part;
    }
    /// Takes in what there is of a flow's segments; of another flow than the one that is shown they tell nothing.
    pub fn take_segments(&mut self, of: Option<FlowId>, segments: Segments) {
        self.flow.open(self.opened);
        self.flow.take(if of == self.opened { segments } else { Segments::Unknown });
    }
    /// What is shown of one flow.
    pub const fn flow(&self) -> &FlowScreen {
        &self.flow
    }
    /// Filters, as if typed.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
    }

    /// The filter in force: what is being typed as far as it could be read and settled, or what was kept.
    pub const fn filter(&self) -> &Filter {
        match &self.prompt {
            Some(Prompt::Filter(prompt)) => &prompt.applied,
            _ => &self.filter,
        }
    }

    /// The pane that zoom and the movement keys mean; `None` outside the overview.
    pub fn focus(&self, source: &Source) -> Option<Pane> {
        let body = self.screen(source)?.body;
        let shown = self.panes(body, None, source);
        let there = |pane: &Pane| self.zoomed || shown.iter().any(|(other, _)| other == pane);
        // What is wrong comes first, until somebody walks among the flows.
        let wrong = self.lists.cursor(Kind::Flows).selected.is_none().then_some(Pane::Findings);
        let first = shown.first().map(|(pane, _)| *pane);
        let candidates = [self.focus, wrong, Some(Pane::Flows), Some(Pane::Queues), first];
        (self.view == View::Overview).then(|| candidates.into_iter().flatten().find(there))?
    }

    /// The panes of the overview: what is wrong first, then those that there is room for; one alone if zoomed.
    pub fn panes(&self, body: Rect, zoomed: Option<Pane>, source: &Source) -> Vec<(Pane, Rect)> {
        if zoomed.is_some() {
            return layout::panes(body, zoomed, self.shown(source));
        }
        let (top, rest) = layout::below_findings(body, self.findings);
        let findings = (!top.is_empty()).then_some((Pane::Findings, top));
        let mut others = layout::panes(rest, None, self.shown(source));
        if !self.filter().is_empty() {
            layout::make_room_for_flows(&mut others);
        }
        findings.into_iter().chain(others).collect()
    }

    /// Whether the finding under the cursor has the room of the others.
    pub const fn finding_zoomed(&self) -> bool {
        self.finding_zoomed
    }

    /// Which of `pages` pages of it is shown.
    pub const fn finding_page(&self, pages: usize) -> usize {
        self.finding_page.rem_euclid(pages as isize) as usize
    }

    /// Whether Esc closes or undoes something here, and not only leads to the overview.
    pub fn leads_back(&self) -> bool {
        let zoomed = match self.view {
            View::Overview => self.zoomed,
            View::Findings => self.finding_zoomed,
            View::Flow => true,
            _ => false,
        };
        zoomed || self.help || self.explain.is_some() || self.drilled.is_some() || !self.filter.is_empty()
    }

    /// What the panes of the overview have to show: a running host has processes, and may have TIME-WAIT any time.
    pub(super) fn shown(&self, source: &Source) -> Shown {
        let live = source.kind == SourceKind::Live;
        Shown { processes: live || self.processes, time_wait: live || self.time_wait }
    }

    /// The one pane that fills the overview.
    pub fn zoomed(&self) -> Option<Pane> {
        if self.zoomed { self.focus.or(Some(Pane::Flows)) } else { None }
    }

    /// What the next dashboard must hold: the visible rows, and a page above and below so that scrolling does not wait.
    pub fn query(&self, source: &Source) -> Query {
        let kind = self.kind();
        // The finding that is told in full may have the list's room.
        let page = self.page(source).max(usize::from(kind == Kind::Findings));
        let cursor = self.lists.cursor(kind);
        Query {
            filter: self.filter().clone(),
            list: self.lists.query(kind),
            sort: self.lists.flows,
            offset: cursor.offset.saturating_sub(page),
            rows: page * 2 + page.min(cursor.offset),
            follow: cursor.selected,
            selected: self.opened.filter(|_| self.view == View::Flow),
        }
    }

    /// Takes in a new dashboard: the cursor stays on its row, and on its line of the screen if it can. An answer to
    /// what another view asked tells nothing of this one's rows.
    pub fn observe(&mut self, dashboard: &Dashboard, source: &Source) {
        self.quiet = dashboard.handshakes.is_quiet();
        self.findings = dashboard.findings.len();
        self.processes = !dashboard.busiest.is_empty();
        let sees = &dashboard.sees;
        let waited = dashboard.time_wait.history.iter().any(|n| *n > 0);
        self.time_wait = waited || !sees.wire || sees.kernel.is_some();
        let (page, kind) = (self.page(source).max(1), self.kind());
        if kind.is_answered_by(&dashboard.list) {
            let place = dashboard.place();
            self.lists.cursor_mut(kind).observe(&place, page);
            // The view of one flow, asked for by name before there was any: the first that comes.
            if self.view == View::Flow && self.opened.is_none() {
                self.opened = place.keys.first().and_then(|key| key.flow());
            }
            if kind == Kind::Findings {
                self.lists.cursor_mut(kind).hold(&place);
            }
        }
    }

    /// The list in front: of a flow in full, the one that it was opened from.
    pub(super) fn kind(&self) -> Kind {
        match (self.tab(), self.lists.group) {
            (View::Flows, Some(_)) => Kind::Groups,
            (tab, _) => Kind::of(tab),
        }
    }

    /// Where each tab stands in the line of tabs, and its name.
    pub fn tabs(&self, line: Rect) -> Vec<(View, &'static str, Rect)> {
        tabs::tabs(line, self.tab(), !self.filter().is_empty())
    }

    /// Where the parts of a list stand.
    pub fn list_parts(&self, view: View, body: Rect) -> ListParts {
        let findings = if self.finding_zoomed { self.findings.min(1) } else { self.findings };
        let (quiet, zoomed, time_wait) = (self.quiet, self.finding_zoomed, self.time_wait);
        tabs::list_parts(view, body, tabs::Content { quiet, findings, zoomed, time_wait })
    }

    /// Lets go of the selection: the list shows its first rows, whichever they become.
    pub(super) fn let_go(&mut self) {
        let kind = self.kind();
        *self.lists.cursor_mut(kind) = Default::default();
    }

    pub(super) fn pane_rect(&self, pane: Pane, source: &Source) -> Option<(Pane, Rect)> {
        let body = self.screen(source)?.body;
        self.panes(body, self.zoomed(), source).into_iter().find(|(other, _)| *other == pane)
    }

    /// The rows of the list in front on the screen, if it is shown: below its border and headings.
    pub(super) fn table(&self, source: &Source) -> Option<Rect> {
        let rect = match self.tab() {
            View::Overview => self.pane_rect(Pane::Flows, source)?.1,
            view => self.list_parts(view, self.screen(source)?.body).list,
        };
        let head = 1 + COLUMNS_HEAD;
        Some(Rect { y: rect.y + head.min(rect.height), height: rect.height.saturating_sub(head + 1), ..rect })
    }

    pub(super) fn page(&self, source: &Source) -> usize {
        self.table(source).map_or(0, |rect| usize::from(rect.height))
    }
}
