//! A recording: packets, kernel and owners of a run in one pcapng file, from which the very same inputs come back.
//!
//! May touch what `journal` may. Read first: [`Recorder`],
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html> §4,
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.

#[macro_use]
mod forms;
mod block;
mod changes;
mod codec;
mod columns;
mod comments;
mod entry;
mod frames;
mod memory;
mod recorder;
mod samples;
mod words;

#[cfg(test)]
mod tests;

pub(super) use block::JOURNAL_EXPORT;
pub use frames::kept;
pub(super) use memory::{Memory, Said};
pub use recorder::Recorder;

use crate::base::{Scope, Scrubbed, Timestamp};
use crate::wire::{Frame, LinkType};
use codec::{Code, Reader, Writer};

/// The version of the format: of what entries and our own options hold.
const VERSION: u64 = 1;
/// Cooked capture with interface ids.
const LINUX_SLL2: LinkType = LinkType(276);

/// What a recording tells of itself, before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// Where frames are captured, in the order of their numbers ([`Recorder::frame`]'s `source`).
    pub sources: Vec<Source>,
    /// Bytes kept of what a frame carries behind its last header (`--payload`); 0 keeps headers alone.
    pub payload: u32,
    /// What runs it, where known: processor (`x86_64`) and system (`Linux 6.18.1`).
    pub hardware: Option<Scrubbed>,
    pub os: Option<Scrubbed>,
}

/// A place where frames are captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The interface's name, or `any`.
    pub name: Scrubbed,
    /// The filter in force, as pcap-filter(7) has it.
    pub filter: Option<Scrubbed>,
    pub link: LinkType,
    /// Bytes captured of each frame at most.
    pub snaplen: u32,
    /// What [`Frame::iface`] is of its frames; those of LINUX_SLL2 tell their own.
    pub iface: u32,
    pub scope: Scope,
}

/// An instant that somebody marked, with what they noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub ts: Timestamp,
    pub note: Scrubbed,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Head,
    Segment,
    Icmp,
    Name,
    Dns,
    Sample,
    Kernel,
    Loss,
    Tick,
    Mark,
}

variants!(Kind { 0 Head, 1 Segment, 2 Icmp, 3 Name, 4 Dns, 5 Sample, 6 Kernel, 7 Loss, 8 Tick, 9 Mark });

/// What the first entry of a section holds, behind the version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    payload: u32,
    places: Vec<Place>,
}

/// What no block tells of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    iface: u32,
    scope: Scope,
}

fields!(Head { payload, places });
fields!(Place { iface, scope });

impl Head {
    fn of(setup: &Setup) -> Self {
        Self { payload: setup.payload, places: setup.sources.iter().map(Source::place).collect() }
    }
}

impl Source {
    const fn place(&self) -> Place {
        Place { iface: self.iface, scope: self.scope }
    }
}

impl Place {
    /// A frame as it came when it was captured here.
    fn of<'a>(self, frame: Frame<'a>) -> Frame<'a> {
        let told = frame.bytes.get(4..8).filter(|_| frame.link == LINUX_SLL2);
        let told = told.and_then(|index| index.try_into().ok()).map(u32::from_be_bytes);
        Frame { iface: told.unwrap_or(self.iface), scope: self.scope, ..frame }
    }
}
