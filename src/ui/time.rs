//! Keys and clicks that go about in time: pace, jumps back and forth, the timeline's places, marks.

use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::layout::{Position, Rect};
use tui_input::Input;

use crate::base::{Mark, Timestamp, nanos};
use crate::engine::Happening;

use super::jump::from_here;
use super::keys::Msg;
use super::state::{Prompt, UiState};
use super::{Control, Effect, Ground, Hop, Playback, Source, SourceKind, Track};

const SEEK: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
const SPEEDS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1000.0, f64::INFINITY];

/// An axis that moves on does so by less than two such parts of it at once.
const PARTS: u64 = 64;

/// Which instant stands where on a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Columns.
    pub width: u16,
}

impl Axis {
    /// That of what was kept, in so many columns. Where the end moves on, the axis stands still for a while: its ends are
    /// multiples of a small part of it, so that what is drawn changes when there is something new and not before.
    pub fn of(track: &Track, playback: Option<&Playback>, width: u16) -> Self {
        let Track { from, to, .. } = *track;
        if playback.is_none_or(|playback| playback.live.is_none()) {
            return Self { from, to, width };
        }
        let span = nanos(to.since(from));
        let step = (span / PARTS).clamp(1, 1 << 61).next_power_of_two().cast_signed();
        let floor = |at: Timestamp| at.nanos().div_euclid(step).saturating_mul(step);
        let last = floor(to).saturating_add(step);
        Self { from: Timestamp::from_nanos(floor(from)), to: Timestamp::from_nanos(last), width }
    }

    /// The column of an instant; one off the axis stands at its end.
    pub fn column(&self, at: Timestamp) -> u16 {
        let columns = at.since(self.from).as_nanos() * u128::from(self.width);
        let column = columns.checked_div(self.to.since(self.from).as_nanos()).unwrap_or(0);
        u16::try_from(column).unwrap_or(u16::MAX).min(self.width.saturating_sub(1))
    }

    /// The first instant of a column.
    pub fn instant(&self, column: u16) -> Timestamp {
        let span = self.to.since(self.from).as_nanos();
        // Rounded up, so that it stands in that column.
        let into = (span * u128::from(column)).div_ceil(u128::from(self.width.max(1)));
        self.from + Duration::from_nanos(u64::try_from(into).unwrap_or(u64::MAX))
    }
}

impl UiState {
    /// What a key asks of the source; says why, where it asks nothing.
    pub(super) fn on_time_key(&mut self, msg: Msg, now: Option<Timestamp>, source: &Source) -> Vec<Effect> {
        if let (Msg::Hop(Hop::Mark, forwards), Some(track), Some(now)) = (msg, &source.track, now) {
            self.say(&match track.mark_beside(now, forwards) {
                None => format!("no mark {} this instant: m sets one", if forwards { "after" } else { "before" }),
                Some(Mark { note, .. }) if note.as_str().is_empty() => "a mark without a note".to_owned(),
                Some(Mark { note, .. }) => format!("mark: {}", note.as_str()),
            });
        }
        match msg {
            Msg::Jump if source.track.is_none() => self.say(NOTHING_KEPT),
            // Where no past is kept, what is recorded takes a mark.
            Msg::Mark if source.track.is_none() && source.recordings.running.is_none() => {
                self.say("no mark can be set: nothing is kept, and nothing recorded (w)");
            }
            Msg::Jump => self.prompt = Some(Prompt::Jump(Input::default())),
            Msg::Mark => self.prompt = Some(Prompt::Mark(Input::default())),
            Msg::HopFlow(_) if self.selected().is_none() => {
                self.say("no flow is selected: it is the one under the cursor");
            }
            _ => return self.control(msg, source).into_iter().map(Effect::Control).collect(),
        }
        Vec::new()
    }

    fn control(&mut self, msg: Msg, source: &Source) -> Option<Control> {
        if msg == Msg::Pause && source.playback.is_none() {
            self.frozen = !self.frozen;
            return Some(Control::Pause(self.frozen));
        }
        if source.track.is_none() && source.playback.is_none() {
            self.say(NOTHING_KEPT);
            return None;
        }
        if msg == Msg::Live && source.kind != SourceKind::Live {
            self.say("a capture is replayed: nothing of it happens now");
            return None;
        }
        let speed = source.playback.map_or(1.0, |playback| playback.speed);
        let place = SPEEDS.iter().rposition(|known| *known <= speed).unwrap_or(0);
        let control = match msg {
            // As a player has it that stands at the end.
            Msg::Pause if source.playback?.at_end => Control::Restart,
            Msg::Pause => Control::Pause(!source.playback?.paused),
            Msg::Faster => Control::Speed(SPEEDS[(place + 1).min(SPEEDS.len() - 1)]),
            Msg::Slower => Control::Speed(SPEEDS[place.saturating_sub(1)]),
            Msg::Hop(hop, forwards) => Control::Hop(hop, forwards),
            Msg::HopFlow(forwards) => Control::Hop(Hop::Happening(Happening::SegmentOf(self.selected()?)), forwards),
            Msg::ToStart => Control::Start,
            Msg::ToEnd => Control::End,
            Msg::SeekForward => Control::SeekBy(SEEK, true),
            Msg::SeekBack => Control::SeekBy(SEEK, false),
            Msg::SecondForward => Control::SeekBy(SECOND, true),
            Msg::SecondBack => Control::SeekBy(SECOND, false),
            Msg::Live => Control::Live,
            _ => return None,
        };
        // What is shown moves.
        self.frozen = false;
        Some(control)
    }

    /// What was typed for a jump.
    pub(super) fn jump(&mut self, text: &str, source: &Source) -> Vec<Effect> {
        if let Some((span, forwards)) = from_here(text) {
            return vec![Effect::Control(Control::SeekBy(span, forwards))];
        }
        let track = source.track.as_ref();
        let start = track.map(|track| track.from).or(source.playback.and_then(|playback| playback.start));
        // Of a file that is read still, more is to come.
        let whole = source.playback.is_none_or(|playback| !playback.growing);
        let end = track.filter(|_| whole).map(|track| track.to);
        match (Ground { start, end, zone: self.zone.clone().unwrap_or(TimeZone::UTC) }).instant(text) {
            Ok(instant) => vec![Effect::Control(Control::Seek(instant))],
            Err(reason) => {
                self.say(&reason.to_string());
                Vec::new()
            }
        }
    }

    /// What was typed for a mark, which is set at `now`.
    pub(super) fn mark(&mut self, text: &str, now: Option<Timestamp>, source: &Source) -> Vec<Effect> {
        let note = text.trim().to_owned();
        self.say(&marked(now, &note, source));
        vec![Effect::Control(Control::Mark(note))]
    }

    /// A click on the timeline goes to its instant.
    pub(super) fn click_time(&self, at: Position, source: &Source) -> Option<Control> {
        let rect = self.screen(source)?.timeline;
        let track = source.track.as_ref().filter(|_| rect.contains(at))?;
        let axis = Axis::of(track, source.playback.as_ref(), rect.width);
        Some(Control::Seek(axis.instant(at.x - rect.x)))
    }
}

const NOTHING_KEPT: &str = "nothing is kept to go back to";

/// Columns of the playback line before a timeline that stands in it.
const BESIDE: u16 = 46;

/// Where the timeline stands, and whether it has lines of its own below the header.
pub(super) fn timeline(area: Rect, header: Rect, source: &Source) -> (Rect, bool) {
    let none = Rect { y: header.bottom(), height: 0, ..header };
    if source.track.is_none() || source.playback.is_none() || area.width < 80 {
        return (none, false);
    }
    if area.height >= 30 {
        return (Rect { x: header.x + 1, width: header.width - 2, height: 2, ..none }, true);
    }
    let beside = Rect { x: header.x + BESIDE, y: header.bottom() - 1, width: header.width - BESIDE - 1, height: 1 };
    (beside, false)
}

/// What is said where a mark is set; one without a note takes away the one that stands there.
fn marked(now: Option<Timestamp>, note: &str, source: &Source) -> String {
    let there = source.track.as_ref().is_some_and(|track| track.marks.iter().any(|mark| Some(mark.ts) == now));
    match (now, note.is_empty()) {
        (None, _) => "no mark set: nothing was seen yet".to_owned(),
        (Some(_), true) if there => "the mark is gone".to_owned(),
        (Some(_), true) => "marked".to_owned(),
        (Some(_), false) => format!("marked: {note}"),
    }
}
