//! [`Memory`]: what must be known of a recording's entries to read the next.

use super::codec::{Code, People, Reader};
use super::entry::{self, Entry};
use super::frames::{self, Options};
use super::listener::{Listener, Part};
use super::{Head, Kind, VERSION};
use crate::base::{Mark, Scrubbed, Timestamp};
use crate::engine::Input;
use crate::wire::Frame;

/// The state of a section of a recording that is being read. A copy reads on from the same place.
#[derive(Debug, Clone)]
pub(in super::super) struct Memory {
    head: Head,
    /// The number of its first interface among all of the file.
    first: usize,
    /// The number of the next entry.
    number: u64,
    /// Of the format.
    version: u64,
    /// Entries are missing: what refers to them cannot be read, and is no damage.
    gap: bool,
    people: People,
    samples: Listener,
    /// Nothing follows in this section.
    ended: bool,
    /// Entries that could not be read for that.
    skipped: u64,
}

/// What an entry says.
#[derive(Debug)]
pub(in super::super) enum Said {
    Input(Input),
    Mark(Mark),
    /// It is somebody else's entry.
    Foreign,
    /// Nothing yet, or nothing that can be known.
    Nothing,
}

impl Memory {
    /// Reads the entry that a recording begins with, behind so many interfaces; `before` it was a section from which it
    /// may go on. `None`: it is another.
    pub(in super::super) fn begin(
        block: &[u8],
        interfaces: usize,
        before: Option<&Self>,
    ) -> Option<Result<Self, String>> {
        let Entry::Ours(entry) = entry::read(block) else { return None };
        let mut people = People::new();
        let mut from = Reader { rest: entry, base: Timestamp::default(), people: &mut people, version: VERSION };
        let (number, kind, _ts) = (u64::get(&mut from)?, Kind::get(&mut from)?, i64::get(&mut from)?);
        if kind != Kind::Head {
            return None;
        }
        let version = u64::get(&mut from)?;
        if !(1..=VERSION).contains(&version) {
            return Some(Err(format!("a recording of format {version}, and only 1 to {VERSION} are read")));
        }
        from.version = version;
        let head = Head::get(&mut from)?;
        let first = interfaces.saturating_sub(head.places.len());
        let (gap, samples) = match (head.after, before) {
            (None, _) => (false, Listener::default()),
            (Some(after), Some(before)) if after == before.number => (before.gap, before.samples.clone()),
            // That section was taken out.
            (Some(_), _) => (true, Listener::default()),
        };
        // No process is known: each section tells them anew, and what does so may lie in what is lost.
        let number = number.wrapping_add(1);
        Some(Ok(Self { head, first, number, version, gap, people, samples, ended: false, skipped: 0 }))
    }

    /// Entries that could not be read since others, which they refer to, were taken out of the file.
    pub(in super::super) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether it says that nothing follows in this section.
    pub(in super::super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// A frame as it was captured live, and what it gave; `None` where the options behind it are malformed.
    pub(in super::super) fn recall<'a>(&self, frame: Frame<'a>, options: &[u8]) -> Option<(Frame<'a>, Option<Input>)> {
        let place = (frame.iface as usize).checked_sub(self.first).and_then(|number| self.head.places.get(number));
        let frame = place.map_or(frame, |place| place.of(frame));
        Some((frame, frames::recall(&frame, Options(options), self.version)?))
    }

    /// Reads the next entry; `None` where it is malformed.
    pub(in super::super) fn hear(&mut self, block: &[u8]) -> Option<Said> {
        let Entry::Ours(entry) = entry::read(block) else { return Some(Said::Foreign) };
        let Self { people, samples, version, .. } = self;
        let mut from = Reader { rest: entry, base: Timestamp::default(), people, version: *version };
        let (number, kind, ts) = (u64::get(&mut from)?, Kind::get(&mut from)?, i64::get(&mut from)?);
        if number != self.number {
            self.gap = true;
            samples.forget();
        }
        self.number = number.wrapping_add(1);
        from.base = Timestamp::from_nanos(ts);
        self.ended = kind == Kind::End;
        match say(kind, &mut from, samples) {
            Some(Heard::Said(said)) if from.rest.is_empty() => Some(said),
            Some(Heard::Lost) if self.gap => {
                self.skipped += 1;
                Some(Said::Nothing)
            }
            _ if self.gap => {
                self.skipped += 1;
                self.samples.forget();
                Some(Said::Nothing)
            }
            _ => None,
        }
    }
}

enum Heard {
    Said(Said),
    Lost,
}

fn say(kind: Kind, from: &mut Reader<'_>, samples: &mut Listener) -> Option<Heard> {
    let input = match kind {
        // A second head within a section says nothing new.
        Kind::Head => {
            from.rest = &[];
            return Some(Heard::Said(Said::Nothing));
        }
        Kind::End => return Some(Heard::Said(Said::Nothing)),
        Kind::Segment => Input::Segment(Code::get(from)?),
        Kind::Icmp => Input::Icmp(Code::get(from)?),
        Kind::Name => Input::Name(Code::get(from)?),
        Kind::Dns => Input::Dns(Code::get(from)?),
        Kind::Sample => match samples.hear(from)? {
            Part::Whole(sample) => Input::Sample(sample),
            Part::More => return Some(Heard::Said(Said::Nothing)),
            Part::Lost => return Some(Heard::Lost),
        },
        Kind::Kernel => Input::Kernel(Code::get(from)?),
        Kind::Loss => Input::Loss(Box::new(Code::get(from)?)),
        Kind::Tick => Input::Tick(from.base),
        Kind::Mark => {
            return Some(Heard::Said(Said::Mark(Mark { ts: from.base, note: Scrubbed::get(from)? })));
        }
    };
    Some(Heard::Said(Said::Input(input)))
}
