//! The dashboard in a terminal: events in, queries out, frames drawn. The only thread that touches the terminal.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crossterm::event::{Event, MouseEventKind};

use crate::base::Timestamp;
use crate::engine::Dashboard;
use crate::export::{Footer, PictureFormat};
use crate::io::file;
use crate::io::tty::{Terminal, TtyEvent};
use crate::ui::{Effect, FlowPart, Recordings, Source, UiState, View};
use crate::view;

use super::driver::{Answer, Driver};
use super::looks::Looks;
use super::{Outcome, snap};

/// How often the screen is drawn while nothing is typed; and lists of a running host, whose numbers are of a second.
const FRAME: Duration = Duration::from_millis(100);
const CALM_FRAME: Duration = Duration::from_millis(200);
/// How long a frame waits for the engine before the old picture is drawn again.
const PATIENCE: Duration = Duration::from_millis(40);
/// Somebody who types is looked after so often, while an answer is late.
const GLANCE: Duration = Duration::from_millis(10);
/// The engine has said nothing for so long: that is told.
const SILENCE: Duration = Duration::from_secs(3);

/// Runs the dashboard until the user quits; whether the source turned out to be damaged.
pub(super) fn run(driver: &Driver, looks: &Looks, (view, part): (View, FlowPart)) -> Result<Outcome> {
    let mut terminal = Terminal::enter().context("cannot take over the terminal")?;
    let area = terminal.area().context("cannot tell the terminal's size")?;
    let mut ui = UiState::new(area, looks.on(&mut terminal)).in_zone(jiff::tz::TimeZone::system());
    ui.show(view, None);
    ui.show_part(part);
    let mut screen = Screen::new(driver, looks, ui)?;
    loop {
        screen.fit(&terminal)?;
        screen.draw(&mut terminal)?;
        if screen.events(&mut terminal)? {
            let damage = screen.damage;
            drop(terminal);
            return Ok(tell(damage.as_deref()));
        }
        if !driver.alive() {
            bail!("the engine's thread died");
        }
    }
}

/// Says on exit what the screen said of a damage.
fn tell(damage: Option<&[String]>) -> Outcome {
    let Some(notices) = damage else { return Outcome::Done };
    for notice in notices {
        // Nothing is left to do if stderr is gone too.
        let _unheard = writeln!(std::io::stderr(), "sockscope: {notice}");
    }
    Outcome::Damaged
}

struct Screen<'a> {
    driver: &'a Driver,
    looks: &'a Looks,
    ui: UiState,
    shown: Answer,
    /// What is said of a damage of the source, now or before it was read again.
    damage: Option<Vec<String>>,
    began: Instant,
    next_frame: Instant,
    answered: Instant,
}

impl<'a> Screen<'a> {
    fn new(driver: &'a Driver, looks: &'a Looks, ui: UiState) -> Result<Self> {
        let shown = driver.show(Default::default(), Duration::from_secs(10)).context("the engine does not answer")?;
        let now = Instant::now();
        Ok(Self {
            driver,
            looks,
            ui,
            damage: said_of_damage(&shown),
            shown,
            began: now,
            next_frame: now,
            answered: now,
        })
    }

    /// Takes in what the terminal has to say until the next frame is due, a late answer comes, or nothing more waits
    /// after something came. True to quit.
    fn events(&mut self, terminal: &mut Terminal) -> Result<bool> {
        let mut came = false;
        loop {
            let left = self.next_frame.saturating_duration_since(Instant::now());
            let late = !came && self.driver.owes(&self.shown);
            let patience = if came || late { Duration::ZERO } else { left };
            match terminal.next_event(patience).context("cannot read the terminal")? {
                Some(TtyEvent::Input(event)) if self.handle(&event, terminal)? => return Ok(true),
                Some(TtyEvent::Input(_)) => came = true,
                Some(TtyEvent::Resumed) => return Ok(false),
                Some(TtyEvent::Quit(_) | TtyEvent::HangUp) => return Ok(true),
                None if came && !left.is_zero() => return Ok(false),
                None if late && !left.is_zero() => {
                    if let Some(answer) = self.driver.late(GLANCE.min(left)) {
                        self.take(answer);
                        return Ok(false);
                    }
                }
                None => {
                    self.frame_is_due();
                    return Ok(false);
                }
            }
            if left.is_zero() {
                self.frame_is_due();
                return Ok(false);
            }
        }
    }

    /// Takes in a key, or what the mouse did. True to quit.
    fn handle(&mut self, event: &Event, terminal: &mut Terminal) -> Result<bool> {
        self.ui.tell_time(self.began.elapsed());
        for effect in self.ui.handle(event, &self.shown.dashboard, &self.shown.source) {
            if self.apply(&effect, terminal)? {
                return Ok(true);
            }
        }
        // A key may mean something in the rows that the one before it brought. A pointer that passes by asks for nothing.
        if !is_motion(event) {
            self.ask();
        }
        Ok(false)
    }

    /// The terminal's size may have changed without an event: while the program was stopped.
    fn fit(&mut self, terminal: &Terminal) -> Result<()> {
        let area = terminal.area().context("cannot tell the terminal's size")?;
        if area != self.ui.area() {
            self.ui.resize(area);
            self.ask();
        }
        Ok(())
    }

    fn frame_is_due(&mut self) {
        self.ui.tell_time(self.began.elapsed());
        let calm = self.shown.source.playback.is_none() && self.shown.dashboard.flow.is_none();
        self.next_frame = Instant::now() + if calm { CALM_FRAME } else { FRAME };
        self.ask();
    }

    fn ask(&mut self) {
        let query = self.ui.query(&self.shown.source);
        if let Some(answer) = self.driver.show(query, PATIENCE) {
            self.take(answer);
        } else if self.answered.elapsed() > SILENCE {
            self.ui.say("the engine is busy and has not answered for a while");
        }
    }

    fn take(&mut self, answer: Answer) {
        self.answered = Instant::now();
        self.damage = said_of_damage(&answer).or_else(|| self.damage.take());
        if let Some(said) = news(&self.shown.source.recordings, &answer.source.recordings) {
            self.ui.say(&said);
        }
        self.shown = answer;
        let of = self.shown.dashboard.flow.as_ref().map(|flow| flow.row.id);
        self.ui.take_segments(of, std::mem::take(&mut self.shown.segments));
        self.ui.observe(&self.shown.dashboard, &self.shown.source);
    }

    fn draw(&self, terminal: &mut Terminal) -> Result<()> {
        let theme = self.looks.theme(self.ui.theme());
        let (dashboard, source) = (&self.shown.dashboard, &self.shown.source);
        terminal
            .draw(|frame| {
                let area = frame.area();
                view::draw(dashboard, &self.ui, source, &theme, area, frame.buffer_mut());
                if self.looks.ascii {
                    view::to_ascii(frame.buffer_mut());
                }
            })
            .context("cannot draw")
    }

    /// Does what the state cannot; true to quit.
    fn apply(&mut self, effect: &Effect, terminal: &mut Terminal) -> Result<bool> {
        super::panic_if_asked("ui");
        match effect {
            Effect::Quit => return Ok(true),
            Effect::Suspend => terminal.suspend().context("cannot suspend")?,
            Effect::Redraw => terminal.clear().context("cannot draw")?,
            Effect::Control(control) => {
                if !self.driver.control(control.clone()) {
                    self.ui.say("the engine is busy: try again");
                }
            }
            Effect::Snap => {
                let said = match self.picture() {
                    Ok(path) => format!("picture: {}", path.display()),
                    Err(error) => format!("no picture: {error:#}"),
                };
                self.ui.say(&said);
            }
        }
        Ok(false)
    }

    /// Saves what is shown as a PNG in the current directory, under a name that is not taken.
    fn picture(&self) -> Result<PathBuf> {
        let shown = &self.shown;
        let bytes = snap::draw(&shown.dashboard, &shown.source, &self.ui, self.looks, PictureFormat::Png)?;
        let stamp = self.shown.dashboard.now.map_or_else(|| "empty".to_owned(), file_stamp);
        for attempt in 0..1000 {
            let path = PathBuf::from(match attempt {
                0 => format!("sockscope-{stamp}.png"),
                attempt => format!("sockscope-{stamp}-{attempt}.png"),
            });
            match file::create_new(&path) {
                Ok(mut out) => {
                    out.write_all(&bytes).and_then(|()| out.flush()).context("cannot write")?;
                    return Ok(path);
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("cannot create {}", path.display())),
            }
        }
        bail!("a thousand pictures of this instant are there already")
    }
}

/// An instant in a file's name, in UTC: `20261121-220441`; seconds since the epoch where no calendar reaches.
pub(super) fn file_stamp(at: Timestamp) -> String {
    let seconds = at.nanos().div_euclid(1_000_000_000);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |at| at.strftime("%Y%m%d-%H%M%S").to_string())
}

/// What is told of a source that is damaged, its damage first.
fn said_of_damage(answer: &Answer) -> Option<Vec<String>> {
    let source = &answer.source;
    answer.damaged.then(|| source.dead.iter().chain(&source.notices).cloned().collect())
}

/// What is to be said of recordings that began or ended.
fn news(before: &Recordings, now: &Recordings) -> Option<String> {
    let ended = now.ended.as_ref().filter(|_| now.ended != before.ended);
    let name = |recordings: &Recordings| recordings.running.as_ref().map(|running| running.name.clone());
    let begun = || name(now).filter(|_| name(now) != name(before)).map(|name| format!("recording into {name}"));
    ended.cloned().or_else(begun)
}

fn is_motion(event: &Event) -> bool {
    matches!(event, Event::Mouse(mouse) if mouse.kind == MouseEventKind::Moved)
}

/// What a picture's footer says of a source.
pub(super) fn footer(source: &Source, dashboard: &Dashboard) -> Footer {
    Footer::of(&source.name, dashboard)
}
