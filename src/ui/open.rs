//! From view to view: what opens a row or a pane, and what leads back.

use crate::engine::{Concerned, Dashboard, Filter, FindingKey, FlowId, RowKey, concerned};

use super::Source;
use super::layout::Pane;
use super::lists::{Kind, key_at};
use super::state::{UiState, View};

impl UiState {
    pub(super) fn go(&mut self, view: View) {
        self.help = false;
        (self.finding_zoomed, self.finding_page) = (false, 0);
        self.drilled = None;
        self.columns.close();
        self.view = view;
    }

    /// Opens the row under the cursor, or the first visible one if there is none.
    pub(super) fn open(&mut self, dashboard: &Dashboard, source: &Source) {
        self.help = false;
        if self.view == View::Flow {
            return self.flow.toggle(dashboard.now);
        }
        if self.focus(source) == Some(Pane::Findings) {
            return self.go(View::Findings);
        }
        let kind = self.kind();
        let cursor = self.lists.cursor_mut(kind);
        // Until the row under the cursor has come, there is nothing to open that the user has seen.
        if cursor.pending || !kind.is_answered_by(&dashboard.list) {
            return;
        }
        let fresh = cursor.selected.is_none();
        if fresh && let Some(view) = self.view_of_focus() {
            return self.go(view);
        }
        let cursor = self.lists.cursor_mut(kind);
        if fresh && let Some(first) = key_at(&dashboard.place(), cursor.offset) {
            cursor.select(first, cursor.offset);
        }
        match cursor.selected {
            None if kind == Kind::Flows => self.say("no flow to open"),
            None => self.say("no row to open"),
            Some(RowKey::Group(group)) => self.lists.toggle_group(group),
            Some(RowKey::Process(process)) => self.lists.toggle_process(process),
            Some(RowKey::Listener(_, local, _)) if local.is_wildcard() => self.drill(&format!(":{}", local.port())),
            Some(RowKey::Listener(_, local, _)) => self.drill(&local.to_string()),
            Some(RowKey::Ports(_, service)) => self.drill(&service.to_string()),
            Some(RowKey::Finding(finding)) => self.open_finding(finding),
            Some(key) => match key.flow() {
                Some(flow) => self.open_flow(flow),
                None => self.say("a listener has no connection of its own: view 6 shows who came in"),
            },
        }
    }

    /// The view that shows in full what the focused pane of the overview sums up.
    fn view_of_focus(&self) -> Option<View> {
        match self.focus.filter(|_| self.view == View::Overview)? {
            Pane::Handshakes => Some(View::Handshakes),
            Pane::TimeWait => Some(View::TimeWait),
            Pane::Busiest => Some(View::Processes),
            Pane::Findings | Pane::States | Pane::Traffic | Pane::Queues | Pane::Flows => None,
        }
    }

    /// Shows the flows that a finding is about.
    fn open_finding(&mut self, finding: FindingKey) {
        match concerned(finding) {
            Some(Concerned::Flow(flow)) => self.open_flow(flow),
            Some(Concerned::Fitting(filter)) => self.drill(&filter),
            None => self.say("this is about no connection of its own"),
        }
    }

    fn open_flow(&mut self, flow: FlowId) {
        self.came_from = self.view;
        self.opened = Some(flow);
        self.flow.open(self.opened);
        self.detail_scroll = 0;
        self.view = View::Flow;
    }

    /// Shows the flows that a row stands for; Esc leads back.
    fn drill(&mut self, words: &str) {
        // What this program wrote itself can be read.
        let filter = Filter::parse(words).unwrap_or_default();
        let before = std::mem::replace(&mut self.filter, filter);
        self.drilled = Some((self.view, before));
        self.view = View::Flows;
        self.let_go();
    }

    /// One step out: help, details, zoom, selection, what a row was opened as, filter, in this order.
    pub(super) fn back(&mut self) {
        if self.help || self.explain.is_some() {
            (self.help, self.explain) = (false, None);
        } else if self.view == View::Flow {
            self.view = self.came_from;
        } else if self.zoomed && self.view == View::Overview {
            self.zoomed = false;
        } else if self.finding_zoomed && self.view == View::Findings {
            (self.finding_zoomed, self.finding_page) = (false, 0);
        } else if self.view == View::Flows && self.row().is_none() && self.drilled.is_some() {
            if let Some((view, filter)) = self.drilled.take() {
                (self.view, self.filter) = (view, filter);
            }
        } else if self.row().is_some() && self.view != View::Findings {
            self.let_go();
        } else if !self.filter.is_empty() {
            self.filter = Filter::default();
        } else if self.view == View::Flows && self.lists.group.is_some() {
            self.lists.group = None;
        } else {
            self.view = View::Overview;
        }
    }
}
