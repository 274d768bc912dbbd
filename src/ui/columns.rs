//! Which columns the flow table shows and how wide, as chosen in its menu.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The columns by their headings, in the order of the table.
pub const FLOW_COLUMNS: [&str; 16] = [
    "process",
    "orig",
    "resp",
    "name",
    "orig state",
    "resp state",
    "handshake",
    "Recv-Q",
    "Send-Q",
    "RTT",
    "retrans",
    "lost",
    "rate",
    "payload",
    "age",
    "idle",
];

/// How far a column can be narrowed or widened.
const MOST: i16 = 40;

/// The user's choice of columns.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    hidden: [bool; FLOW_COLUMNS.len()],
    extra: [i16; FLOW_COLUMNS.len()],
    /// The open menu's cursor.
    menu: Option<usize>,
}

impl Columns {
    /// Whether a column may be shown; one that the menu does not list may.
    pub fn shows(&self, heading: &str) -> bool {
        place(heading).is_none_or(|at| !self.hidden[at])
    }

    /// By how much it is wider than it would be.
    pub fn extra(&self, heading: &str) -> isize {
        place(heading).map_or(0, |at| isize::from(self.extra[at]))
    }

    /// The line of the menu under its cursor, if it is open.
    pub const fn menu(&self) -> Option<usize> {
        self.menu
    }

    pub(super) fn open(&mut self) {
        self.menu = Some(0);
    }

    pub(super) fn close(&mut self) {
        self.menu = None;
    }

    /// A key while the menu is open.
    pub(super) fn on_key(&mut self, key: &KeyEvent) {
        let Some(at) = self.menu else { return };
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return;
        }
        match key.code {
            KeyCode::Char('j') | KeyCode::Down => self.menu = Some((at + 1).min(FLOW_COLUMNS.len() - 1)),
            KeyCode::Char('k') | KeyCode::Up => self.menu = Some(at.saturating_sub(1)),
            KeyCode::Char(' ') | KeyCode::Enter => self.hidden[at] = !self.hidden[at],
            KeyCode::Char('l' | '>' | '+') | KeyCode::Right => self.extra[at] = (self.extra[at] + 1).min(MOST),
            KeyCode::Char('h' | '<' | '-') | KeyCode::Left => self.extra[at] = (self.extra[at] - 1).max(-MOST),
            KeyCode::Char('c' | 'q') | KeyCode::Esc => self.close(),
            _ => {}
        }
    }
}

fn place(heading: &str) -> Option<usize> {
    FLOW_COLUMNS.iter().position(|name| *name == heading)
}
