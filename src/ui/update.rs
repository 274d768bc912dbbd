//! Messages: what each key does to [`UiState`], and what it asks of the main loop.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::base::scrub;
use crate::engine::{Dashboard, Sort, SortKey};

use super::keys::{Binding, Msg};
use super::state::{Prompt, UiState, View};
use super::{Control, Effect, Source, jump, layout};

const SEEK: Duration = Duration::from_secs(5);
const SPEEDS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1000.0, f64::INFINITY];

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
                self.on_paste(text);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent, event: &Event, dashboard: &Dashboard, source: &Source) -> Vec<Effect> {
        let bound = Binding::find(key, source.playback.is_some());
        if self.prompt.is_some() {
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
            Some(Prompt::Filter { input, selected, .. }) => {
                if std::mem::take(selected) && types_a_letter(event) {
                    *input = Input::default();
                }
                input.handle_event(event);
                self.let_go();
            }
            Some(Prompt::Jump(input)) => {
                input.handle_event(event);
            }
            None => {}
        }
    }

    /// A paste goes into the prompt, if one is open; it is never taken for keys.
    fn on_paste(&mut self, text: &str) {
        if let Some(Prompt::Filter { input, selected, .. }) = &mut self.prompt
            && std::mem::take(selected)
        {
            *input = Input::default();
        }
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
                self.let_go();
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
                let selected = !before.is_empty();
                self.prompt = Some(Prompt::Filter { input: Input::new(before.clone()), before, selected });
            }
            Msg::Jump => self.prompt = Some(Prompt::Jump(Input::default())),
            Msg::NextSort => {
                let at = SortKey::ALL.iter().position(|key| *key == self.sort.by).map_or(0, |at| at + 1);
                self.sort = Sort { by: SortKey::ALL[at % SortKey::ALL.len()], reverse: false };
                self.let_go();
            }
            Msg::ReverseSort => {
                self.sort.reverse = !self.sort.reverse;
                self.let_go();
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

    pub(super) fn go(&mut self, view: View, dashboard: &Dashboard) {
        self.help = false;
        if view == View::Flow {
            return self.open(dashboard);
        }
        self.view = view;
    }

    /// Opens the selected flow, or the first of the table if none is selected.
    pub(super) fn open(&mut self, dashboard: &Dashboard) {
        self.help = false;
        // Until the row under the cursor has come, there is nothing to open that the user has seen.
        if self.view == View::Flow || self.pending {
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
            self.let_go();
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else {
            self.view = View::Overview;
        }
    }

    fn move_focus(&mut self, by: isize, source: &Source) {
        let (Some(now), Some(parts)) = (self.focus(source), self.screen(source)) else { return };
        let all = self.panes(parts.body, None);
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
}

/// Whether the key puts a letter into a prompt.
fn types_a_letter(event: &Event) -> bool {
    let commands = KeyModifiers::CONTROL | KeyModifiers::ALT;
    matches!(event, Event::Key(key) if matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(commands))
}
