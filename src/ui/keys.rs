//! The one table of keys: what each does, and what the help screen and the footer say of it.
//!
//! Pure data. Conventions are those of htop, less and vim.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::engine::Happening;

use super::Hop;
use super::state::View;

/// What a key or a click means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Msg {
    Quit,
    Suspend,
    Redraw,
    Help,
    Explain,
    Go(View),
    NextView,
    PrevView,
    Open,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextPane,
    PrevPane,
    Zoom,
    ZoomOut,
    PanLeft,
    PanRight,
    Filter,
    NextSort,
    ReverseSort,
    NextGroup,
    Columns,
    Pause,
    Faster,
    Slower,
    /// To the next (true), or back to the one before.
    Hop(Hop, bool),
    /// The same of the selected flow's segments.
    HopFlow(bool),
    ToStart,
    ToEnd,
    Jump,
    SeekForward,
    SeekBack,
    SecondForward,
    SecondBack,
    Mark,
    Live,
    NextTheme,
    NextTimes,
    Snap,
    Record,
    Save,
}

impl Msg {
    /// Whether it goes about in time.
    pub(super) const fn is_of_time(self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Faster
                | Self::Slower
                | Self::Hop(..)
                | Self::HopFlow(_)
                | Self::ToStart
                | Self::ToEnd
                | Self::Jump
                | Self::SeekForward
                | Self::SeekBack
                | Self::SecondForward
                | Self::SecondBack
                | Self::Mark
                | Self::Live
        )
    }
}

/// Under which heading the help screen lists a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Views,
    Rows,
    /// What is only of the view of one flow.
    Flow,
    Time,
    Program,
}

impl Group {
    /// Every group, in the order of the help screen.
    pub const ALL: [Self; 5] = [Self::Views, Self::Rows, Self::Flow, Self::Time, Self::Program];

    /// The heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Views => "Views and panes",
            Self::Rows => "Rows",
            Self::Flow => "One flow",
            Self::Time => "Time",
            Self::Program => "Program",
        }
    }
}

/// On which sources a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// Only where there is playback.
    Replay,
    /// Only where there is none.
    Live,
}

impl When {
    /// Whether it holds for a source with or without playback.
    pub const fn holds(self, replay: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Replay => replay,
            Self::Live => !replay,
        }
    }
}

/// A key with its modifiers; Shift is part of the character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord(pub KeyCode, pub KeyModifiers);

impl Chord {
    /// Whether `event` is this chord.
    pub fn is(self, event: &KeyEvent) -> bool {
        self.0 == event.code && self.1 == event.modifiers.difference(KeyModifiers::SHIFT)
    }
}

/// As the help screen writes it: `Ctrl-C`, `PgDn`, `j`.
impl std::fmt::Display for Chord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.1.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        match self.0 {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.1.contains(KeyModifiers::CONTROL) => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::Backspace => f.write_str("Bksp"),
            other => write!(f, "{other}"),
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Binding {
    pub keys: &'static [Chord],
    pub msg: Msg,
    pub when: When,
    pub group: Group,
    /// One line of help.
    pub help: &'static str,
    /// A word for the footer, if the key belongs there.
    pub hint: Option<&'static str>,
}

impl Binding {
    /// Its keys as the help screen writes them.
    pub fn label(&self) -> String {
        self.keys.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The message of a key on a source with or without playback.
    pub fn find(event: &KeyEvent, replay: bool) -> Option<&'static Self> {
        let of_key = |row: &&Self| row.keys.iter().any(|chord| chord.is(event));
        let mut rows = BINDINGS.iter().filter(of_key);
        let first = rows.next()?;
        if first.when.holds(replay) { Some(first) } else { rows.find(|row| row.when.holds(replay)).or(Some(first)) }
    }
}

const fn key(code: KeyCode) -> Chord {
    Chord(code, KeyModifiers::NONE)
}

const fn ch(c: char) -> Chord {
    key(KeyCode::Char(c))
}

const fn ctrl(c: char) -> Chord {
    Chord(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn row(
    keys: &'static [Chord],
    msg: Msg,
    when: When,
    group: Group,
    help: &'static str,
    hint: Option<&'static str>,
) -> Binding {
    Binding { keys, msg, when, group, help, hint }
}

/// Every key. A key that stands twice differs by its `when`.
#[rustfmt::skip]
pub static BINDINGS: &[Binding] = {
    use Group::{Flow, Program, Rows, Time, Views};
    use When::{Always, Live, Replay};
    const SEGMENT: Hop = Hop::Happening(Happening::Segment);
    const FAILURE: Hop = Hop::Happening(Happening::Failure);
    const AGAIN: Hop = Hop::Happening(Happening::Retransmission);
    &[
        row(&[ch('1')], Msg::Go(View::Overview), Always, Views, "overview", None),
        row(&[ch('2')], Msg::Go(View::Flows), Always, Views, "flows", None),
        row(&[ch('3')], Msg::Go(View::Handshakes), Always, Views, "handshakes", None),
        row(&[ch('4')], Msg::Go(View::Queues), Always, Views, "queues", None),
        row(&[ch('5')], Msg::Go(View::TimeWait), Always, Views, "TIME-WAIT and ports", None),
        row(&[ch('6')], Msg::Go(View::Listeners), Always, Views, "listeners", None),
        row(&[ch('7')], Msg::Go(View::Processes), Always, Views, "processes", None),
        row(&[ch('8')], Msg::Go(View::Findings), Always, Views, "findings", None),
        row(&[key(KeyCode::Tab)], Msg::NextView, Always, Views, "next view", None),
        row(&[key(KeyCode::BackTab)], Msg::PrevView, Always, Views, "previous view", None),
        row(&[key(KeyCode::Enter)], Msg::Open, Always, Views, "open the row", Some("open")),
        row(&[key(KeyCode::Esc), key(KeyCode::Backspace)], Msg::Back, Always, Views, "back", None),
        row(&[ch('l'), key(KeyCode::Right)], Msg::NextPane, Live, Views, "next pane", None),
        row(&[ch('h'), key(KeyCode::Left)], Msg::PrevPane, Live, Views, "previous pane", None),
        row(&[ch('l')], Msg::NextPane, Replay, Views, "next pane", None),
        row(&[ch('h')], Msg::PrevPane, Replay, Views, "previous pane", None),
        row(&[ch('z')], Msg::Zoom, Always, Views, "zoom the pane", Some("zoom")),
        row(&[ch('j'), key(KeyCode::Down)], Msg::Down, Always, Rows, "down", None),
        row(&[ch('k'), key(KeyCode::Up)], Msg::Up, Always, Rows, "up", None),
        row(&[key(KeyCode::PageDown), ctrl('f')], Msg::PageDown, Always, Rows, "page down", None),
        row(&[key(KeyCode::PageUp), ctrl('b')], Msg::PageUp, Always, Rows, "page up", None),
        row(&[ch('g'), key(KeyCode::Home)], Msg::Top, Always, Rows, "first row", None),
        row(&[ch('G'), key(KeyCode::End)], Msg::Bottom, Always, Rows, "last row", None),
        row(&[ch('/')], Msg::Filter, Always, Rows, "filter; Esc clears it", Some("filter")),
        row(&[ch('s')], Msg::NextSort, Always, Rows, "sort by the next key", Some("sort")),
        row(&[ch('S'), ch('r')], Msg::ReverseSort, Always, Rows, "reverse the order", None),
        row(&[ch('d')], Msg::NextTimes, Always, Rows, "times: ago, clock, delta", None),
        row(&[ch('c')], Msg::Columns, Always, Rows, "choose columns of flows", None),
        row(&[ch('b')], Msg::NextGroup, Always, Rows, "group the flows, or not", None),
        row(&[ch('Z')], Msg::ZoomOut, Always, Flow, "fold all, zoom out", None),
        row(&[ch('{')], Msg::PanLeft, Always, Flow, "graph: earlier", None),
        row(&[ch('}')], Msg::PanRight, Always, Flow, "graph: later", None),
        row(&[ch(' ')], Msg::Pause, Live, Time, "freeze the screen", Some("freeze")),
        row(&[ch(' ')], Msg::Pause, Replay, Time, "pause, play on", Some("pause")),
        row(&[ch('+'), ch('=') , ch(']')], Msg::Faster, Replay, Time, "faster", Some("faster")),
        row(&[ch('-'), ch('[')], Msg::Slower, Replay, Time, "slower", None),
        row(&[ch('.')], Msg::Hop(SEGMENT, true), Replay, Time, "one segment on", Some("step")),
        row(&[ch(',')], Msg::Hop(SEGMENT, false), Replay, Time, "one segment back", None),
        row(&[ch(',')], Msg::Hop(SEGMENT, false), Live, Time, "go back: one segment", Some("back")),
        row(&[ch('>')], Msg::HopFlow(true), Replay, Time, "on in the row's flow", None),
        row(&[ch('<')], Msg::HopFlow(false), Always, Time, "back in the row's flow", None),
        row(&[key(KeyCode::Left)], Msg::SeekBack, Replay, Time, "back 5 s", None),
        row(&[key(KeyCode::Right)], Msg::SeekForward, Replay, Time, "on 5 s", None),
        row(&[ch('(')], Msg::SecondBack, Always, Time, "back 1 s", None),
        row(&[ch(')')], Msg::SecondForward, Replay, Time, "on 1 s", None),
        row(&[ch('n')], Msg::Hop(Hop::Finding, true), Replay, Time, "next finding", None),
        row(&[ch('N')], Msg::Hop(Hop::Finding, false), Always, Time, "previous finding", None),
        row(&[ch('f')], Msg::Hop(FAILURE, true), Replay, Time, "next failed handshake", None),
        row(&[ch('F')], Msg::Hop(FAILURE, false), Always, Time, "failed handshake before", None),
        row(&[ch('a')], Msg::Hop(AGAIN, true), Replay, Time, "next segment sent again", None),
        row(&[ch('A')], Msg::Hop(AGAIN, false), Always, Time, "sent again before", None),
        row(&[ch('t')], Msg::Jump, Replay, Time, "jump to a time", Some("time")),
        row(&[ch('t')], Msg::Jump, Live, Time, "jump to a time", None),
        row(&[ch('m')], Msg::Mark, Always, Time, "mark it, with a note", None),
        row(&[ch('\'')], Msg::Hop(Hop::Mark, true), Replay, Time, "next mark", None),
        row(&[ch('`')], Msg::Hop(Hop::Mark, false), Always, Time, "previous mark", None),
        row(&[ch('0'), ch('R')], Msg::ToStart, Always, Time, "to the start", None),
        row(&[ch('$')], Msg::ToEnd, Replay, Time, "to the end, then follow", None),
        row(&[ch('L')], Msg::Live, Always, Time, "live: back to now", None),
        row(&[ch('p')], Msg::Snap, Always, Program, "save a picture", Some("picture")),
        row(&[ch('w')], Msg::Record, Always, Program, "record; again: end it", None),
        row(&[ch('W')], Msg::Save, Always, Program, "record what is kept of the past", None),
        row(&[ch('T')], Msg::NextTheme, Always, Program, "next theme", None),
        row(&[ch('x')], Msg::Explain, Always, Program, "explain what is in front", Some("explain")),
        row(&[ch('?'), key(KeyCode::F(1))], Msg::Help, Always, Program, "this help", Some("help")),
        row(&[ctrl('l')], Msg::Redraw, Always, Program, "draw all again", None),
        row(&[ctrl('z')], Msg::Suspend, Always, Program, "suspend", None),
        row(&[ch('q'), ctrl('c')], Msg::Quit, Always, Program, "quit", Some("quit")),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_on_one_source() {
        for replay in [false, true] {
            let mut seen: Vec<Chord> = Vec::new();
            for chord in BINDINGS.iter().filter(|row| row.when.holds(replay)).flat_map(|row| row.keys) {
                assert!(!seen.contains(chord), "{chord} stands twice with replay = {replay}");
                seen.push(*chord);
            }
        }
    }

    #[test]
    fn every_key_means_something_in_a_replay() {
        for chord in BINDINGS.iter().flat_map(|row| row.keys) {
            let found = Binding::find(&KeyEvent::new(chord.0, chord.1), true);
            assert!(found.is_some_and(|row| row.when.holds(true)), "{chord}");
        }
    }

    #[test]
    fn every_key_of_the_table_finds_its_row() {
        for row in BINDINGS {
            for chord in row.keys {
                let event = KeyEvent::new(chord.0, chord.1);
                let found = Binding::find(&event, row.when == When::Replay).unwrap();
                assert_eq!((found.msg, found.help), (row.msg, row.help), "{chord}");
            }
        }
    }

    #[test]
    fn capitals_come_with_or_without_shift() {
        for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
            let event = KeyEvent::new(KeyCode::Char('G'), modifiers);
            assert_eq!(Binding::find(&event, false).unwrap().msg, Msg::Bottom);
        }
        let alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
        assert!(Binding::find(&alt, false).is_none(), "Alt-q is not q");
    }
}
