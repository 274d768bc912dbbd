//! The frames of a capture, in order, whatever its format and compression.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use super::decompress::{Compression, decompressed};
use super::window::Window;
use super::{pcap, pcapng};
use crate::base::{Scope, Scrubbed, Timestamp};
use crate::wire::{Frame, LinkType};

/// Reads a capture (pcap or pcapng, plain or compressed with gzip or zstd) front to back.
pub struct CaptureReader {
    window: Window,
    compression: Option<Compression>,
    format: Format,
    interfaces: Vec<Interface>,
    ended: bool,
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
    format: Format,
    interfaces: Vec<Interface>,
}

impl CapturePlace {
    /// Where what [`CaptureReader::resume`] is given must begin, in bytes from the start of the file: a compressed one
    /// can only be read from there.
    pub const fn begins_at(&self) -> u64 {
        if self.compressed { 0 } else { self.offset }
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
    #[error("the capture cannot be read: {0}")]
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

/// A frame's place in the window. The reason why there is none is told in words.
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
        let (input, compression) = decompressed(input)?;
        let mut window = Window::new(input);
        let magic = window.magic()?;
        let mut interfaces = Vec::new();
        let format = if pcapng::is_magic(magic) {
            Format::Pcapng(pcapng::Blocks::default())
        } else if pcap::is_magic(magic) {
            Format::Pcap(pcap::Records::open(&mut window, &mut interfaces))
        } else {
            return Err(OpenError::NotACapture { first: magic[..magic.len().min(8)].to_vec() });
        };
        Ok(Self { window, compression, format, interfaces, ended: false })
    }

    /// Goes on from a place of the same capture; `input` begins at [`CapturePlace::begins_at`]. Of a compressed one all
    /// before the place is decompressed and passed over.
    pub fn resume(input: Box<dyn Read + Send>, place: &CapturePlace) -> Result<Self, OpenError> {
        let CapturePlace { offset, compressed, format, interfaces } = place.clone();
        let (input, compression) = if compressed {
            let (mut input, compression) = decompressed(input)?;
            io::copy(&mut input.by_ref().take(offset), &mut io::sink())?;
            (input, compression)
        } else {
            (input, None)
        };
        Ok(Self { window: Window::at(input, offset), compression, format, interfaces, ended: false })
    }

    /// Behind the frames read so far.
    pub fn place(&self) -> CapturePlace {
        CapturePlace {
            offset: self.window.offset(),
            compressed: self.compression.is_some(),
            format: self.format.clone(),
            interfaces: self.interfaces.clone(),
        }
    }

    /// The next frame, of scope [`Scope::FILE`]; `Ok(None)` at a clean end, and ever after a damage.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Damage> {
        if self.ended {
            return Ok(None);
        }
        let record = match &mut self.format {
            Format::Pcap(records) => records.next(&mut self.window),
            Format::Pcapng(blocks) => blocks.next(&mut self.window, &mut self.interfaces),
        };
        let decompressed = self.compression.is_some();
        match record {
            Ok(Some(record)) => Ok(Some(Frame {
                ts: record.ts,
                scope: Scope::FILE,
                iface: record.iface,
                link: self.interfaces[record.iface as usize].link,
                bytes: self.window.bytes(record.bytes),
                len: record.len,
            })),
            Ok(None) => {
                self.ended = true;
                Ok(None)
            }
            Err(reason) => {
                self.ended = true;
                Err(Damage { offset: self.window.offset(), reason, decompressed })
            }
        }
    }

    /// The interfaces described so far; [`Frame::iface`] counts in them, across sections.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
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
        let format = match self.format {
            Format::Pcap(_) => "pcap",
            Format::Pcapng(_) => "pcapng",
        };
        f.debug_struct("CaptureReader")
            .field("format", &format)
            .field("compression", &self.compression)
            .field("interfaces", &self.interfaces)
            .field("offset", &self.offset())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
