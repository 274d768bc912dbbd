//! A recording: packets, kernel and owners of a run in one pcapng file, from which the very same inputs come back.
//!
//! May touch what `journal` may. Read first: [`Recorder`],
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html> §4.

mod block;
mod recorder;

pub use recorder::{Recorder, kept};

use crate::base::{Scope, Scrubbed, Timestamp};
use crate::wire::LinkType;

/// What a recording tells of itself, before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// Where frames are captured, in the order of their numbers ([`Recorder::frame`]'s `source`).
    pub sources: Vec<Source>,
    /// Bytes kept of what a frame carries behind its last header (`--payload`); 0 keeps headers alone.
    pub payload: u32,
    /// What runs it, where known: processor (`x86_64`), system (`Linux 6.18.1`), host's name.
    pub hardware: Option<Scrubbed>,
    pub os: Option<Scrubbed>,
    pub host: Option<Scrubbed>,
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
    /// What [`crate::wire::Frame::iface`] is of its frames; those of LINUX_SLL2 tell their own.
    pub iface: u32,
    pub scope: Scope,
}

/// An instant that somebody marked, with what they noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub ts: Timestamp,
    pub note: Scrubbed,
}
