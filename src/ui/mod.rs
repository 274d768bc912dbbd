//! Key or mouse → message → [`UiState`] + [`Effect`].
//!
//! May touch the engine's `Query` and `Dashboard`, and crossterm's event types as data; no drawing, no I/O.

mod columns;
mod filter_prompt;
mod flow_layout;
mod flow_parts;
mod flow_screen;
mod help_text;
mod jump;
mod keys;
mod ladder;
mod layout;
mod lists;
mod movement;
mod open;
mod queue_rows;
mod state;
mod tabs;
#[cfg(test)]
mod tests;
mod theme_name;
mod time;
mod time_style;
mod update;

use std::time::Duration;

use crate::base::{Mark, Progress, Timeline, Timestamp};
use crate::engine::Happening;

pub use columns::{Columns, FLOW_COLUMNS};
pub use filter_prompt::FilterPrompt;
pub use flow_layout::{GRAPH_LABELS, GraphParts, LadderParts, graph_parts, ladder_parts};
pub use flow_parts::{FlowParts, flow_parts};
pub use flow_screen::{FlowPart, FlowScreen, Segments, part_tabs};
pub use help_text::{HELP_GAP, HELP_LABEL, HelpLine, help_columns};
pub use jump::{Ground, Nowhere};
pub use keys::{BINDINGS, Binding, Chord, Group, Msg, When};
pub use ladder::{Fold, Item};
pub use layout::{
    COLUMNS_HEAD, MIN_HEIGHT, MIN_WIDTH, NOTICE_INDENT, NoticeLine, Pane, Screen, Shown, notice_lines, panes, screen,
    wrap,
};
pub use queue_rows::{QueueItem, overflows, queue_items, queues_in_use};
pub use state::{Explained, Prompt, UiState, View};
pub use tabs::ListParts;
pub use theme_name::ThemeName;
pub use time::Axis;
pub use time_style::TimeStyle;

/// Where what is shown comes from, told by the app beside every dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub kind: SourceKind,
    /// Interfaces, or the file's name, scrubbed.
    pub name: String,
    /// Playback; `None` live.
    pub playback: Option<Playback>,
    /// What happened when, where one can go about in time.
    pub track: Option<Track>,
    /// What stands in the way and what to do about it ("no packets: … run: sudo setcap …"), a line each.
    pub notices: Vec<String>,
    /// A part that died, with its last words: shown until the program ends.
    pub dead: Option<String>,
    pub recordings: Recordings,
    /// It is a running host, or the recording of one: what was not read of its kernel is to come.
    pub of_host: bool,
}

/// What is recorded of a running host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recordings {
    /// The recording that is being made.
    pub running: Option<Recording>,
    /// How the last that ended went; said once.
    pub ended: Option<String>,
}

/// A recording that is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The last of it is kept in memory, and no file written yet.
    pub in_memory: bool,
    /// The file's name, scrubbed.
    pub name: String,
    pub bytes: u64,
    /// Packets that did not come into it.
    pub lost: u64,
    /// How long it runs; in memory: how long what is kept took.
    pub took: Duration,
}

/// What kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Live,
    Replay,
    Demo,
}

/// What happened when, and the instants that the user marked.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The first instant and the last that is known.
    pub from: Timestamp,
    pub to: Timestamp,
    /// As far as it was read.
    pub timeline: Timeline,
    /// In order of time.
    pub marks: Vec<Mark>,
}

impl Track {
    /// The next mark after an instant, or the last before it.
    pub fn mark_beside(&self, at: Timestamp, forwards: bool) -> Option<&Mark> {
        Mark::beside(&self.marks, at, forwards)
    }
}

/// How a capture is being played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    pub paused: bool,
    /// It is on its way to an instant.
    pub going: bool,
    /// Capture seconds per second; infinity is as fast as it goes.
    pub speed: f64,
    /// The first instant; the last that is known so far (a stream's end is not known in advance).
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub at_end: bool,
    /// The end is not known yet: it is as far as was read.
    pub growing: bool,
    /// How much of the file is read, until all of it is; `None` of a stream, whose length nobody knows.
    pub reading: Option<Progress>,
    /// Where the running host is while its past is shown; `None` of a capture.
    pub live: Option<Timestamp>,
}

/// What one can go to, on and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    Happening(Happening),
    /// Where something is first found to be wrong.
    Finding,
    Mark,
}

/// What the user asks of the source.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    Pause(bool),
    Speed(f64),
    /// To the next, forwards (true) or backwards, then pause.
    Hop(Hop, bool),
    /// Play from the start.
    Restart,
    /// To the start, or the end.
    Start,
    End,
    /// To an instant, forwards or backwards.
    Seek(Timestamp),
    /// By a span, forwards (true) or backwards.
    SeekBy(Duration, bool),
    /// Marks the instant that is shown, with a note.
    Mark(String),
    /// Back to what happens now.
    Live,
    /// Live: begin to record, or end; write out what is kept in memory.
    Record,
    /// Live: write what is kept of the past into a recording.
    Save,
}

/// What the main loop must do that the UI state cannot.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Quit,
    /// Give the terminal back to the shell (Ctrl-Z) and return.
    Suspend,
    /// Clear and draw all again (Ctrl-L).
    Redraw,
    Control(Control),
    /// Save the screen as a picture.
    Snap,
}
