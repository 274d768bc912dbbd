//! A recording: packets, kernel and owners of a run in one pcapng file, from which the very same inputs come back.
//!
//! May touch what `journal` may. Read first: [`Recorder`],
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html> §4,
//! <https://systemd.io/JOURNAL_EXPORT_FORMATS/>.
//!
//! # The format, version 3
//! Little-endian pcapng, of standard blocks only. A section stands alone, unless its head says that it goes on from the
//! one before (where a ring was written out: then it is told by that one's readings, and its entries' numbers run on). It
//! begins with its header (hardware, system, `sockscope VERSION`), a description of each interface (name, filter,
//! nanoseconds), and the entry `Head`. Then come, in the order in which the engine was fed:
//!
//! - **A frame** as an Enhanced Packet Block, cut behind its headers ([`Packer`]) unless payload was asked for; its length
//!   on the wire stays. What it gave the engine is what the kept part decodes to, and beside it, where that differs: the
//!   digest of the whole datagram as `epb_packetid` (which stands for the same packet on several interfaces, and is just
//!   that; its lower 32 bits count), and in an option for local use (0x8001) the TLS records that begin in the payload,
//!   or all of a segment or ICMP error that the frame alone does not give: the completion of a fragmented datagram, a
//!   time before 1970. Who decodes a recording needs no memory of earlier frames. Names and lookups that a payload told
//!   are inputs behind it.
//! - **Any other input** as a systemd Journal Export Block: `__REALTIME_TIMESTAMP`, `SYSLOG_IDENTIFIER=sockscope`,
//!   `MESSAGE` in words, and `SOCKSCOPE_ENTRY` in binary: the entry's number in its section, its kind, its time in
//!   nanoseconds, and the input. Entries of others are passed over, and counted.
//! - **A mark** as such an entry; the engine is not told of it.
//!
//! **Times** may step back, as they did before the engine: what comes late has an older time than what stands before it.
//! And the journal's own field has microseconds only, so that an entry may seem a moment older than the frame that it
//! stands behind. capinfos says `Strict time order: False` for either; its time in nanoseconds is in the entry.
//!
//! **Losses and counts of frames** are those of the section, from its beginning; who reads adds up what the sections of a
//! file tell. Frames that come after the last such entry, as a kill leaves them, are counted by the reader.
//!
//! **The socket table** is told in full each minute and at the beginning of a section, and between by what changed: in
//! the order of its rows those that are known (of each state as of the last reading that covered it), which are expected
//! to have moved with the clock (what is left of a timer, how long ago data went), so that ten thousand sockets at rest
//! take a few bytes; rows that differ with a mask of their columns; new rows in full. Processes are told once, and by
//! number after that, until the next full reading. What is read back is the very same `SocketSample`. A reading too
//! long for one entry goes on in the next: Wireshark takes no packet over 256 KiB.
//!
//! **Ticks** change nothing that the next input would not change, so only those are written that an older input follows,
//! one each second in which nothing else happens, and the last.
//!
//! **Owners** stand in packet comments too, for Wireshark: of a flow's end on the first packet that is written once it
//! is known (a connect() is known a moment after its SYN), of a listener on each SYN to it. Comments are not read back.
//!
//! **The end** of a recording that was ended is an entry that says so, in each section. Where a section lacks it, the
//! file was cut off or is still being written, or its writer was killed or stopped by a full disk: what is there
//! stands, and that there is no end is told.
//!
//! **Cut anywhere**, a file gives what stands before the cut, and tells the block that is not whole. Where another
//! program took blocks out, the numbers of the entries show it: what refers to them is skipped and counted until the next
//! full reading, and nothing is guessed. Whatever is damaged otherwise ends the reading, as in any capture. Each field is
//! bounded by the block that holds it, and each row of a table is told by one of the reading before at most, so that what
//! is held is a fixed multiple of what was read.
//!
//! **Of one's own, and not serde's**: a process by number needs a memory that a serde format cannot pass along, rows are
//! told by other rows, and the form must not change with the types. So the lists in `forms` are the format: a field that
//! an input gains does not compile until it stands there, and then [`VERSION`] goes up. A reader refuses a version that
//! it does not know. Those before are read too: version 2, of which each section stands alone, lacks whose descriptors
//! could not be read, the limits of keepalive and the MTU that an ICMP error tells, version 1 besides tcp_retries2, what
//! became of a connect(), when a peer was last heard and its window.

#[macro_use]
mod forms;
mod block;
mod changes;
mod codec;
mod columns;
mod comments;
mod entry;
mod expected;
mod frames;
mod known;
mod listener;
mod memory;
mod readings;
mod recorder;
mod samples;
mod words;

#[cfg(test)]
mod tests;

pub(super) use block::JOURNAL_EXPORT;
pub use frames::Packer;
pub use known::Known;
pub(super) use memory::{Memory, Said};
pub(super) use readings::{Hearing, Readings};
pub use recorder::{Heads, Recorder};

use crate::base::{Scope, Scrubbed};
use crate::wire::{Frame, LinkType};
use codec::{Code, Reader, Writer};

/// The version of the format: of what entries and our own options hold.
const VERSION: u64 = 3;

/// What a recording tells of itself, before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setup {
    /// Where frames are captured, in the order of their numbers ([`Packer::all`]).
    pub sources: Vec<Source>,
    /// Bytes kept of what a frame carries behind its last header (`--payload`); 0 keeps headers alone.
    pub payload: u32,
    /// What runs it, where known: processor (`x86_64`), system (`Linux 6.18.1`), the host's name.
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
    /// What [`Frame::iface`] is of its frames; those of LINUX_SLL2 tell their own.
    pub iface: u32,
    pub scope: Scope,
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
    End,
}

variants!(Kind { 0 Head, 1 Segment, 2 Icmp, 3 Name, 4 Dns, 5 Sample, 6 Kernel, 7 Loss, 8 Tick, 9 Mark, 10 End });

/// What the first entry of a section holds, behind the version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    host: Option<Scrubbed>,
    payload: u32,
    places: Vec<Place>,
    /// It goes on from the section before it, whose next entry would have that number: the readings in this one are told
    /// by those in that one.
    after: Option<u64>,
}

/// What no block tells of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    iface: u32,
    scope: Scope,
}

fields!(Head { host, payload, places } 3 { after });
fields!(Place { iface, scope });

impl Head {
    fn of(setup: &Setup, after: Option<u64>) -> Self {
        let places = setup.sources.iter().map(Source::place).collect();
        Self { host: setup.host.clone(), payload: setup.payload, places, after }
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
        let told = frame.bytes.get(4..8).filter(|_| frame.link == LinkType::LINUX_SLL2);
        let told = told.and_then(|index| index.try_into().ok()).map(u32::from_be_bytes);
        Frame { iface: told.unwrap_or(self.iface), scope: self.scope, ..frame }
    }
}
