//! The filter while it is typed: it works as far as it can be read, says what is wrong and where, offers
//! names. Over a large table it takes effect once the keys pause.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use crate::base::scrub;
use crate::engine::{Filter, FilterError, complete};

/// Up to so many flows a filter takes effect with each key: a walk over them is not felt.
const AT_ONCE: usize = 50_000;
/// Over more, once no key came for so long.
const PAUSE: Duration = Duration::from_millis(200);

/// What is being typed as a filter.
#[derive(Debug, Clone)]
pub struct FilterPrompt {
    pub(super) input: Input,
    /// The last that could be read.
    pub(super) valid: Filter,
    /// The one in force.
    pub(super) applied: Filter,
    /// When what could be read comes into force, by the time that the screen was told; `None` where it is.
    due: Option<Duration>,
    /// What is wrong with what stands there now.
    pub(super) fault: Option<FilterError>,
    /// All is selected: the first letter replaces it.
    pub(super) selected: bool,
    offer: Offer,
}

/// What Tab puts in, one after the other.
#[derive(Debug, Clone, Default)]
struct Offer {
    candidates: Vec<String>,
    /// Bytes before and after what a candidate replaces.
    before: String,
    after: String,
    /// The candidate that stands there; `None` while what was typed does.
    chosen: Option<usize>,
}

impl FilterPrompt {
    /// Opens it on the filter that is in force.
    pub(super) fn open(filter: Filter) -> Self {
        let selected = !filter.text().is_empty();
        let input = Input::new(filter.text().to_owned());
        let (valid, applied) = (filter.clone(), filter);
        let mut prompt = Self { input, valid, applied, due: None, fault: None, selected, offer: Offer::default() };
        prompt.look();
        prompt
    }

    /// What stands there, and the cursor's place in characters.
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// What is wrong with it, unless it only wants one of the candidates.
    pub fn fault(&self) -> Option<&FilterError> {
        let typing = |fault: &FilterError| fault.is_incomplete() && !self.offer.candidates.is_empty();
        self.fault.as_ref().filter(|fault| !typing(fault))
    }

    /// Whether the first letter replaces all.
    pub const fn selected(&self) -> bool {
        self.selected
    }

    /// What Tab offers, and which of it stands there now.
    pub fn candidates(&self) -> (&[String], Option<usize>) {
        (&self.offer.candidates, self.offer.chosen)
    }

    /// It is to be kept as it is: whether it can be. If not, what is wrong is told in place of what Tab offers.
    pub(super) fn is_whole(&mut self) -> bool {
        if self.fault.is_some() {
            self.offer.candidates.clear();
        }
        self.fault.is_none()
    }

    /// It was changed at `now`, over so many flows: whether it comes into force at once.
    pub(super) fn changed(&mut self, now: Duration, flows: usize) -> bool {
        let pause = if flows <= AT_ONCE { Duration::ZERO } else { PAUSE };
        self.due = Some(now + pause);
        self.settle(now)
    }

    /// Comes into force if it is time to; whether it did.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            (self.applied, self.due) = (self.valid.clone(), None);
        }
        is_due
    }

    /// One key; whether it changed the filter.
    pub(super) fn take_key(&mut self, key: &KeyEvent, event: &Event) -> bool {
        let was = self.input.value().to_owned();
        match key.code {
            KeyCode::Tab => self.offer_next(1),
            KeyCode::BackTab => self.offer_next(-1),
            _ => {
                if std::mem::take(&mut self.selected) && types_a_letter(key) {
                    self.input = Input::default();
                }
                self.input.handle_event(event);
                self.look();
            }
        }
        let changed = was != self.input.value();
        if changed {
            self.read();
        }
        changed
    }

    /// Text from elsewhere, already scrubbed.
    pub(super) fn paste(&mut self, text: &str) {
        if std::mem::take(&mut self.selected) {
            self.input = Input::default();
        }
        for c in text.chars() {
            self.input.handle(InputRequest::InsertChar(c));
        }
        self.look();
        self.read();
    }

    fn read(&mut self) {
        let text = scrub(self.input.value());
        match Filter::parse(text.trim_end()) {
            Ok(filter) => (self.valid, self.fault) = (filter, None),
            Err(fault) => {
                self.valid = Filter::begun(text.trim_end()).unwrap_or_else(|| self.valid.clone());
                self.fault = Some(fault);
            }
        }
    }

    /// What could be put in where the cursor is now.
    fn look(&mut self) {
        let text = self.input.value();
        let cursor = text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at);
        let found = complete(text, cursor);
        self.offer = Offer {
            before: text[..found.at.start].to_owned(),
            after: text[found.at.end..].to_owned(),
            candidates: found.candidates,
            chosen: None,
        };
    }

    fn offer_next(&mut self, by: isize) {
        self.selected = false;
        let count = self.offer.candidates.len();
        if count == 0 {
            return;
        }
        let next = match self.offer.chosen {
            None if by < 0 => count - 1,
            None => 0,
            Some(at) => (at as isize + by).rem_euclid(count as isize) as usize,
        };
        self.offer.chosen = Some(next);
        let Offer { before, after, candidates, .. } = &self.offer;
        let head = format!("{before}{}", candidates[next]);
        self.input = Input::new(format!("{head}{after}")).with_cursor(head.chars().count());
        // The only one there is stands as if it had been typed, so that Tab goes on with what follows it.
        if count == 1 {
            self.look();
        }
    }
}

/// Whether the key puts a letter into a prompt.
fn types_a_letter(key: &KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}
