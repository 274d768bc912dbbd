//! Messages: what each key does to [`UiState`], and what it asks of the main loop.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};
use ratatui::layout::Rect;
use tui_input::backend::crossterm::EventHandler;

use crate::base::{Timestamp, scrub};
use crate::engine::{Dashboard, Filter};

use super::filter_prompt::FilterPrompt;
use super::flow_screen::FlowPart;
use super::keys::{Binding, Msg};
use super::layout::Pane;
use super::lists::Turn;
use super::state::{Prompt, UiState, View};
use super::{Control, Effect, Source, SourceKind};

impl UiState {
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
                self.on_paste(text, dashboard);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent, event: &Event, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        let bound = Binding::find(key, source.playback.is_some());
        if self.prompt.is_some() {
            return match (key.code, bound.map(|row| row.msg)) {
                (KeyCode::Esc, _) => self.close_prompt(false, dashboard.now, source),
                (KeyCode::Enter, _) => self.close_prompt(true, dashboard.now, source),
                (_, Some(Msg::Suspend)) => vec![Effect::Suspend],
                (KeyCode::Char('c'), Some(Msg::Quit)) => vec![Effect::Quit],
                _ => {
                    self.type_into_prompt(key, event, dashboard);
                    Vec::new()
                }
            };
        }
        if self.columns.menu().is_some() && !matches!(bound.map(|row| row.msg), Some(Msg::Suspend)) {
            if (key.code, bound.map(|row| row.msg)) == (KeyCode::Char('c'), Some(Msg::Quit)) {
                return vec![Effect::Quit];
            }
            self.columns.on_key(key);
            return Vec::new();
        }
        match bound {
            // Whatever is bound where it is live is bound in a replay too.
            Some(row) if !row.when.holds(source.playback.is_some()) => {
                self.say("only in a replay (sockscope -r FILE), or where one went back: , or t");
                Vec::new()
            }
            Some(row) => self.update(row.msg, dashboard, source),
            None => {
                if let KeyCode::Char(c) = key.code {
                    self.say(&format!("{c} means nothing here: ? lists the keys"));
                }
                Vec::new()
            }
        }
    }

    fn type_into_prompt(&mut self, key: &KeyEvent, event: &Event, dashboard: &Dashboard) {
        let changed = match &mut self.prompt {
            Some(Prompt::Filter(prompt)) => {
                prompt.take_key(key, event) && prompt.changed(self.clock, dashboard.flows.all)
            }
            Some(Prompt::Jump(input) | Prompt::Mark(input)) => {
                input.handle_event(event);
                false
            }
            None => false,
        };
        if changed {
            self.let_go();
        }
    }

    /// A paste goes into the prompt, if one is open; it is never taken for keys.
    fn on_paste(&mut self, text: &str, dashboard: &Dashboard) {
        let text: String = scrub(text).chars().take(256).collect();
        match &mut self.prompt {
            Some(Prompt::Filter(prompt)) => {
                prompt.paste(&text);
                if prompt.changed(self.clock, dashboard.flows.all) {
                    self.let_go();
                }
            }
            Some(Prompt::Jump(input) | Prompt::Mark(input)) => {
                for c in text.chars() {
                    input.handle(tui_input::InputRequest::InsertChar(c));
                }
            }
            None => {}
        }
    }

    /// How long the screen has been there: what was typed some time ago takes effect.
    pub fn tell_time(&mut self, now: Duration) {
        self.clock = now;
        if let Some(Prompt::Filter(prompt)) = &mut self.prompt
            && prompt.settle(now)
        {
            self.let_go();
        }
    }

    /// A filter that cannot be read stays open, with what is wrong with it.
    fn close_prompt(&mut self, keep: bool, now: Option<Timestamp>, source: &Source) -> Vec<Effect> {
        if let Some(Prompt::Filter(prompt)) = &mut self.prompt
            && keep
            && !prompt.is_whole()
        {
            return Vec::new();
        }
        match self.prompt.take() {
            Some(Prompt::Filter(prompt)) => {
                self.filter = if keep { prompt.valid } else { Filter::default() };
                self.let_go();
                Vec::new()
            }
            Some(Prompt::Jump(input)) if keep => self.jump(input.value(), source),
            Some(Prompt::Mark(input)) if keep => self.mark(input.value(), now, source),
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
            msg if msg.is_of_time() => return self.on_time_key(msg, dashboard.now, source),
            Msg::Record | Msg::Save if source.kind != SourceKind::Live => self.say("only while a host is watched"),
            Msg::Record => return vec![Effect::Control(Control::Record)],
            Msg::Save => return vec![Effect::Control(Control::Save)],
            _ => self.change(msg, dashboard, source),
        }
        Vec::new()
    }

    fn ask_filter(&mut self) {
        self.help = false;
        self.prompt = Some(Prompt::Filter(Box::new(FilterPrompt::open(self.filter.clone()))));
    }

    /// What is shown changes, and nothing else.
    fn change(&mut self, msg: Msg, dashboard: &Dashboard, source: &Source) {
        match msg {
            Msg::Help => (self.explain, self.help, self.help_scroll) = (None, !self.help, 0),
            Msg::Explain => (self.help, self.explain) = (false, self.next_explained()),
            Msg::Go(view) => self.go(view),
            Msg::NextView => self.go(self.view_beside(1)),
            Msg::PrevView => self.go(self.view_beside(View::TABS.len() - 1)),
            Msg::Open => self.open(dashboard, source),
            Msg::Back => self.back(),
            _ if self.view == View::Flow && self.change_flow(msg, dashboard) => {}
            Msg::NextSort | Msg::ReverseSort if self.view == View::Flow => self.say("only a list has an order"),
            Msg::NextPane | Msg::PrevPane if self.view != View::Overview => {
                self.say("panes stand beside each other in the overview (1) and in one flow");
            }
            Msg::NextPane => self.move_focus(1, source),
            Msg::PrevPane => self.move_focus(-1, source),
            Msg::Zoom => self.zoom(source),
            Msg::Filter => self.ask_filter(),
            Msg::NextSort => self.reorder(Turn::Next),
            Msg::ReverseSort => self.reorder(Turn::Reverse),
            Msg::Columns => {
                self.go(View::Flows);
                self.columns.open();
            }
            Msg::NextGroup => self.regroup(source),
            Msg::NextTimes => {
                self.times = self.times.next();
                self.say(self.times.words());
            }
            Msg::NextTheme => {
                self.theme = self.theme.next(self.own_theme);
                self.say(&format!("theme {}", self.theme.name()));
            }
            Msg::ZoomOut | Msg::PanLeft | Msg::PanRight => self.say("only in one flow's ladder and graph (Enter, l)"),
            _ => self.step(msg, dashboard, source),
        }
    }

    /// What some keys mean in the view of one flow; false, if it is none of those.
    fn change_flow(&mut self, msg: Msg, dashboard: &Dashboard) -> bool {
        let (part, now) = (self.flow.part, dashboard.now);
        match (msg, part) {
            (Msg::NextPane | Msg::PrevPane, _) => self.flow.turn(msg == Msg::NextPane),
            (Msg::Zoom | Msg::ZoomOut, FlowPart::Ladder) => self.flow.open_all(msg == Msg::Zoom),
            (Msg::Zoom | Msg::ZoomOut, FlowPart::Graph) => self.flow.zoom(msg == Msg::Zoom, now),
            (Msg::PanLeft | Msg::PanRight, FlowPart::Graph) => self.flow.pan(msg == Msg::PanRight, now),
            (Msg::ReverseSort, FlowPart::Graph) => self.flow.turn_side(now),
            _ => return false,
        }
        true
    }

    fn view_beside(&self, steps: usize) -> View {
        let place = View::TABS.iter().position(|view| *view == self.tab()).unwrap_or(0);
        View::TABS[(place + steps) % View::TABS.len()]
    }

    fn reorder(&mut self, turn: Turn) {
        let kind = self.kind();
        self.lists.reorder(kind, turn);
        self.let_go();
    }

    fn regroup(&mut self, source: &Source) {
        self.view = View::Flows;
        self.lists.next_group(self.shown(source).processes);
        self.let_go();
    }

    fn move_focus(&mut self, by: isize, source: &Source) {
        let (Some(now), Some(parts)) = (self.focus(source), self.screen(source)) else { return };
        let all = self.panes(parts.body, None, source);
        let place = all.iter().position(|(pane, _)| *pane == now).unwrap_or(0);
        let next = (place as isize + by).rem_euclid(all.len() as isize) as usize;
        self.focus = Some(all[next].0);
    }

    fn zoom(&mut self, source: &Source) {
        if self.view == View::Findings {
            (self.finding_zoomed, self.finding_page) = (!self.finding_zoomed, 0);
        }
        if !matches!(self.view, View::Overview | View::Findings) {
            self.say("nothing to zoom: the overview's panes, a finding, one flow's ladder and graph can be");
        }
        if let Some(focus) = self.focus(source) {
            // Findings in full have a view of their own.
            if focus == Pane::Findings {
                return self.go(View::Findings);
            }
            self.focus = Some(focus);
            self.zoomed = !self.zoomed;
        }
    }
}
