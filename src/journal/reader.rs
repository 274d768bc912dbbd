//! The frames of a capture, in order, whatever its format and compression.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::decompress::Unpacked;
use super::ends::Ends;
use super::gzip::GzipPlace;
use super::pcapng::Block;
use super::recording::{Memory, Said};
use super::window::Window;
use super::{pcap, pcapng, totals::Totals};
use crate::base::{Mark, Scope, Scrubbed, Timestamp};
use crate::engine::{Input, Loss};
use crate::wire::{Frame, LinkType};

/// Reads a capture (pcap or pcapng, plain or compressed with gzip or zstd) front to back.
pub struct CaptureReader {
    window: Window,
    known: Known,
    /// Where the block or record that was read last begins.
    began: u64,
    /// What is wrong with what was read ahead.
    trouble: Option<String>,
    ended: bool,
}

/// What was read so far and must be known to read on.
#[derive(Clone)]
struct Known {
    format: Format,
    interfaces: Vec<Interface>,
    /// Of the section, if that is a recording.
    memory: Option<Memory>,
    /// Of the section before it, until this one's is known.
    before: Option<Memory>,
    ends: Ends,
    totals: Totals,
    /// As [`CaptureReader::foreign`], and [`CaptureReader::skipped`] of the sections before this one.
    foreign: u64,
    skipped: u64,
}

/// What a capture or a recording holds, one after another.
#[derive(Debug)]
pub enum Item<'a> {
    /// A frame of a capture.
    Frame(Frame<'a>),
    /// A frame of a recording, as much of it as was kept, and what the engine was told of it.
    Recorded(Frame<'a>, Option<Input>),
    /// What else the engine was told.
    Input(Input),
    Mark(Mark),
}

#[derive(Clone)]
enum Format {
    Pcap(pcap::Records),
    Pcapng(pcapng::Blocks),
}

/// A place between two frames of a capture, from which it can be read on.
#[derive(Clone)]
pub struct CapturePlace {
    offset: u64,
    compressed: bool,
    /// Of a gzip file.
    packed: Option<Arc<GzipPlace>>,
    known: Known,
}

impl CapturePlace {
    /// Where what [`CaptureReader::resume`] is given must begin, in bytes from the start of the file: one compressed
    /// with zstd can only be read from there.
    pub fn begins_at(&self) -> u64 {
        match &self.packed {
            Some(packed) => packed.begins_at(),
            None if self.compressed => 0,
            None => self.offset,
        }
    }
}

/// Where frames of a capture were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What the machine that captured called it; pcap does not tell.
    pub name: Option<Scrubbed>,
    pub link: LinkType,
    /// The most bytes of a frame that were kept; `None` if no limit is told.
    pub snaplen: Option<u32>,
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the capture cannot be read")]
    Io(#[from] io::Error),
    /// Holds the first bytes, at most 8 (of the decompressed stream where the file is compressed).
    #[error("{}", describe_foreign(first))]
    NotACapture { first: Vec<u8> },
}

fn describe_foreign(first: &[u8]) -> String {
    if first.is_empty() {
        return "not a capture: it is empty".to_owned();
    }
    let first: Vec<_> = first.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("not a capture: it begins with {}; pcap and pcapng are read, plain, gzip or zstd", first.join(" "))
}

/// Where and why reading a capture had to stop; what came before it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Damage {
    /// Which of several captures that are read together, from 0.
    pub file: usize,
    /// Where the record that could not be read begins, in bytes from the start of the (decompressed) stream.
    pub offset: u64,
    /// What is wrong there, in words.
    pub reason: String,
    /// The file is compressed: `offset` counts in what it decompresses to.
    pub decompressed: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stream = if self.decompressed { " of the decompressed stream" } else { "" };
        write!(f, "damaged at byte {}{stream}: {}", self.offset, self.reason)
    }
}

/// What was found in the window.
pub(super) enum Found {
    Frame(Record, Range<usize>),
    /// In a box, as it is large and rare beside frames.
    Beside(Box<Item<'static>>),
}

/// A frame's place in the window. The reason why there is none is told in words.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) ts: Timestamp,
    pub(super) iface: u32,
    pub(super) len: u32,
    pub(super) bytes: Range<usize>,
}

/// The next record; `None` at a clean end.
pub(super) type NextRecord = Result<Option<Record>, String>;

impl CaptureReader {
    /// Opens a capture. Reads its first bytes, and with them blocks on a stream that is silent.
    pub fn open(input: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        let mut window = Window::new(Unpacked::of(input)?);
        let magic = window.magic()?;
        let mut interfaces = Vec::new();
        let format = if pcapng::is_magic(magic) {
            Format::Pcapng(pcapng::Blocks::default())
        } else if pcap::is_magic(magic) {
            Format::Pcap(pcap::Records::open(&mut window, &mut interfaces))
        } else {
            return Err(OpenError::NotACapture { first: magic[..magic.len().min(8)].to_vec() });
        };
        let (ends, totals) = (Ends::default(), Totals::default());
        let known = Known { format, interfaces, memory: None, before: None, ends, totals, foreign: 0, skipped: 0 };
        let mut reader = Self { window, known, began: 0, trouble: None, ended: false };
        reader.look_ahead();
        Ok(reader)
    }

    /// Goes on from a place of the same capture; `input` begins at [`CapturePlace::begins_at`]. What a compressed one
    /// gives before the place is passed over.
    pub fn resume(input: Box<dyn Read + Send>, place: &CapturePlace) -> Result<Self, OpenError> {
        let CapturePlace { offset, compressed, packed, known } = place.clone();
        let (mut input, given) = match packed {
            Some(packed) => (Unpacked::at(input, &packed), packed.given()),
            None if compressed => (Unpacked::of(input)?, 0),
            None => (Unpacked::Plain(input), offset),
        };
        io::copy(&mut input.by_ref().take(offset - given), &mut io::sink())?;
        let window = Window::at(input, offset);
        Ok(Self { window, known, began: offset, trouble: None, ended: false })
    }

    /// Behind the frames read so far.
    pub fn place(&self) -> CapturePlace {
        self.place_at(self.window.offset())
    }

    fn place_at(&self, offset: u64) -> CapturePlace {
        let packed = self.window.input().place_before(offset);
        CapturePlace { offset, compressed: self.is_compressed(), packed, known: self.known.clone() }
    }

    const fn is_compressed(&self) -> bool {
        self.window.input().compression().is_some()
    }

    /// Before the frame that was found last, or where no more was.
    pub(super) fn place_before(&self) -> CapturePlace {
        self.place_at(self.began)
    }

    /// Reads what a recording tells of itself, so that it is known for one before its first frame.
    fn look_ahead(&mut self) {
        while self.known.memory.is_none()
            && self.trouble.is_none()
            && let Format::Pcapng(blocks) = &mut self.known.format
            && blocks.tells_of_itself(&mut self.window)
            // What cannot be read stays where it is, and is told when it is asked for.
            && let Ok(Some(block)) = blocks.next(&mut self.window, &mut self.known.interfaces)
        {
            self.trouble = self.beside(&block).err();
        }
    }

    /// The next frame, of scope [`Scope::FILE`] unless a recording tells another; `Ok(None)` at a clean end, and ever
    /// after a damage. What else a recording holds is passed over.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Damage> {
        loop {
            match self.next_found()? {
                Some(Found::Frame(record, _)) => return Ok(Some(self.frame(record))),
                Some(Found::Beside(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next of whatever the engine was told, or is to be told; `Ok(None)` as for [`CaptureReader::next_frame`].
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, Damage> {
        match self.next_found()? {
            Some(Found::Frame(record, options)) if self.known.memory.is_some() => {
                self.recorded(record, options).map(Some)
            }
            Some(Found::Frame(record, _)) => {
                self.known.ends.hear();
                Ok(Some(Item::Frame(self.frame(record))))
            }
            Some(Found::Beside(item)) => Ok(Some(*item)),
            None => Ok(None),
        }
    }

    /// Gives `take` the next frames, as long as it wants more and they can be had without reading on, from a pcap file.
    /// What comes behind them, whatever it is, [`CaptureReader::next_item`] gives.
    #[inline(always)]
    pub fn frames_at_hand(&mut self, mut take: impl FnMut(&Frame<'_>) -> bool) {
        let Format::Pcap(records) = &self.known.format else { return };
        let Some(link) = self.known.interfaces.first().map(|interface| interface.link) else { return };
        let place = records.each(self.window.data(), |header, bytes| {
            take(&Frame { ts: header.ts, scope: Scope::FILE, iface: 0, link, bytes, len: header.len })
        });
        if place.end > 0 {
            self.began = self.window.offset() + place.start as u64;
            self.window.consume(place.end);
        }
    }

    #[inline]
    pub(super) fn next_found(&mut self) -> Result<Option<Found>, Damage> {
        if self.ended {
            return Ok(None);
        }
        let found = self.find();
        self.ended = !matches!(found, Ok(Some(_)));
        found.map_err(|reason| self.damage(reason))
    }

    #[inline]
    fn find(&mut self) -> Result<Option<Found>, String> {
        if let Some(reason) = self.trouble.take() {
            return Err(reason);
        }
        loop {
            self.began = self.window.offset();
            let block = match &mut self.known.format {
                Format::Pcap(records) => {
                    return Ok(records.next(&mut self.window)?.map(|record| Found::Frame(record, 0..0)));
                }
                Format::Pcapng(blocks) => blocks.next(&mut self.window, &mut self.known.interfaces)?,
            };
            match block {
                Some(Block::Packet { record, options }) => return Ok(Some(Found::Frame(record, options))),
                Some(block) => {
                    if let Some(item) = self.beside(&block)? {
                        return Ok(Some(Found::Beside(Box::new(item))));
                    }
                }
                None => return Ok(None),
            }
        }
    }

    /// What a block says that is no packet.
    fn beside(&mut self, block: &Block) -> Result<Option<Item<'static>>, String> {
        let place = match block {
            Block::JournalEntry(place) => place.clone(),
            Block::Section => {
                self.known.skipped = self.skipped();
                self.known.before = self.known.memory.take();
                self.known.ends.begin_section(self.known.before.as_ref());
                self.known.totals.begin_section();
                return Ok(None);
            }
            _ => return Ok(None),
        };
        let entry = self.window.bytes(place);
        let said = match &mut self.known.memory {
            Some(memory) => memory.hear(entry).ok_or("an entry of the recording cannot be read")?,
            None => match Memory::begin(entry, self.known.interfaces.len(), self.known.before.as_ref()) {
                Some(memory) => {
                    (self.known.memory, self.known.before) = (Some(memory?), None);
                    self.known.ends.hear();
                    return Ok(None);
                }
                None => Said::Foreign,
            },
        };
        Ok(match said {
            Said::Input(input) => Some(Item::Input(self.known.totals.tell(input))),
            Said::Mark(mark) => Some(Item::Mark(mark)),
            Said::Foreign => {
                self.known.foreign += 1;
                None
            }
            Said::Nothing => None,
        })
    }

    #[inline]
    pub(super) fn frame(&self, record: Record) -> Frame<'_> {
        Frame {
            ts: record.ts,
            scope: Scope::FILE,
            iface: record.iface,
            link: self.known.interfaces[record.iface as usize].link,
            bytes: self.window.bytes(record.bytes),
            len: record.len,
        }
    }

    /// A frame of a recording.
    fn recorded(&mut self, record: Record, options: Range<usize>) -> Result<Item<'_>, Damage> {
        let recalled = match &self.known.memory {
            Some(memory) => memory.recall(self.frame(record.clone()), self.window.bytes(options)),
            None => None,
        };
        let Some((Frame { scope, iface, .. }, gave)) = recalled else {
            self.ended = true;
            return Err(self.damage("what stands beside a packet of the recording cannot be read".to_owned()));
        };
        self.known.totals.count(gave.as_ref());
        Ok(Item::Recorded(Frame { scope, iface, ..self.frame(record) }, gave))
    }

    pub(super) fn damage(&self, reason: String) -> Damage {
        Damage { file: 0, offset: self.began, reason, decompressed: self.is_compressed() }
    }

    /// Whether what is read is a recording: known as soon as it is opened, but of one that another program changed
    /// only with its first entry.
    pub const fn is_recording(&self) -> bool {
        self.known.memory.is_some()
    }

    /// Journal entries so far that are somebody else's, and are passed over.
    pub const fn foreign(&self) -> u64 {
        self.known.foreign
    }

    /// Entries of recordings so far that could not be read, since others that they refer to were taken out.
    pub fn skipped(&self) -> u64 {
        self.known.skipped + self.known.memory.as_ref().map_or(0, Memory::skipped)
    }

    /// Whether there is a section of a recording in what was read so far of which nothing says that it ends there.
    pub fn lacks_end(&self) -> bool {
        self.known.ends.are_lacking(self.known.memory.as_ref())
    }

    /// Of a recording that was read to its end: what is to be told of its frames that its entries did not
    /// tell, or told of more than there are where it is cut off.
    pub fn rest(&self, ts: Timestamp) -> Option<Loss> {
        self.known.totals.rest(ts, self.lacks_end())
    }

    /// The interfaces described so far; [`Frame::iface`] counts in them, across sections.
    pub fn interfaces(&self) -> &[Interface] {
        &self.known.interfaces
    }

    /// How many bytes of the (decompressed) stream the frames read so far took.
    pub const fn offset(&self) -> u64 {
        self.window.offset()
    }
}

impl fmt::Debug for CapturePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturePlace").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.known.format {
            Format::Pcap(_) => "pcap",
            Format::Pcapng(_) => "pcapng",
        };
        f.debug_struct("CaptureReader")
            .field("format", &format)
            .field("compression", &self.window.input().compression())
            .field("interfaces", &self.known.interfaces)
            .field("offset", &self.offset())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
