//! pcapng files: blocks in sections of either byte order, several interfaces, each with its own clock.
//!
//! Read first: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>. The rare blocks are parsed by
//! pcap-parser; packets, of which only fixed fields are read, here. Blocks of any other type are passed over.

use std::ops::Range;

use pcap_parser::pcapng::{
    parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le, parse_sectionheaderblock,
    parse_simplepacketblock_be, parse_simplepacketblock_le,
};
use pcap_parser::{InterfaceDescriptionBlock, OptionCode};

use super::pcap::more_than_there_was;
use super::reader::{Interface, Record};
use super::recording::JOURNAL_EXPORT;
use super::window::{MAX_RECORD, Window};
use crate::base::{Scrubbed, Timestamp};
use crate::wire::LinkType;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type, length, and length again.
const BLOCK_FRAME: usize = 12;
const MAX_INTERFACES: usize = 65_536;
const MAX_NAME: usize = 128;

/// What a block is, with places counted from where [`Window::bytes`] has them.
pub(super) enum Block {
    Section,
    Interface,
    Packet {
        record: Record,
        /// The options behind it; none in a section that is not little-endian, as recordings are.
        options: Range<usize>,
    },
    JournalEntry(Range<usize>),
    Other,
}

/// Where in the file's sections the reading stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    order: ByteOrder,
    /// How many interfaces the sections before this one described.
    earlier: usize,
    /// The clocks of every interface so far, section by section.
    clocks: Vec<Clock>,
    last_ts: Timestamp,
}

/// Whether a file that begins so is a pcapng file.
pub(super) fn is_magic(first: &[u8]) -> bool {
    first.starts_with(&SECTION_HEADER.to_be_bytes()) && (first.len() < 12 || ByteOrder::of_section(first).is_some())
}

impl Blocks {
    /// The next block; `None` at a clean end.
    #[inline]
    pub(super) fn next(
        &mut self,
        window: &mut Window,
        interfaces: &mut Vec<Interface>,
    ) -> Result<Option<Block>, String> {
        let Some(len) = self.fill_block(window)? else { return Ok(None) };
        let block = self.read(&window.data()[..len], interfaces)?;
        let start = window.consume(len).start;
        let place = |range: Range<usize>| start + range.start..start + range.end;
        Ok(Some(match block {
            Block::Packet { mut record, options } => {
                record.bytes = place(record.bytes);
                self.last_ts = record.ts;
                Block::Packet { record, options: place(options) }
            }
            Block::JournalEntry(body) => Block::JournalEntry(place(body)),
            block => block,
        }))
    }

    /// Whether a section follows that sockscope wrote, or within one something else than frames: such a stream begins
    /// with what it tells of itself.
    pub(super) fn tells_of_itself(&mut self, window: &mut Window) -> bool {
        const WRITER: &[u8] = b"sockscope ";
        let Ok(Some(len)) = self.fill_block(window) else { return false };
        let block = &window.data()[..len];
        match self.order.u32(block, 0) {
            Some(SECTION_HEADER) => block.windows(WRITER.len()).any(|bytes| bytes == WRITER),
            Some(kind) => matches!(kind, INTERFACE_DESCRIPTION | JOURNAL_EXPORT),
            None => false,
        }
    }

    /// Fills the window with one whole block; gives its length.
    fn fill_block(&mut self, window: &mut Window) -> Result<Option<usize>, String> {
        if !window.fill(BLOCK_FRAME) {
            return window.ended_before(BLOCK_FRAME).map(|()| None);
        }
        let data = window.data();
        if data.starts_with(&SECTION_HEADER.to_be_bytes()) {
            self.order = ByteOrder::of_section(data).ok_or("a section tells no byte order")?;
        }
        let len = self.order.u32(data, 4).unwrap_or(0) as usize;
        if len < BLOCK_FRAME {
            return Err(format!("a block tells of {len} bytes, fewer than its own frame"));
        }
        if len > MAX_RECORD {
            return Err(format!("a block tells of {len} bytes, more than the {MAX_RECORD} that are read"));
        }
        if !window.fill(len) {
            return window.ended_before(len).map(|()| None);
        }
        if self.order.u32(window.data(), len - 4) != Some(len as u32) {
            return Err(format!("a block of {len} bytes ends with another length"));
        }
        Ok(Some(len))
    }

    /// Reads one block. Places are counted from its start.
    fn read(&mut self, block: &[u8], interfaces: &mut Vec<Interface>) -> Result<Block, String> {
        Ok(match self.order.u32(block, 0) {
            Some(SECTION_HEADER) => {
                let (_, section) = parse_sectionheaderblock(block).map_err(|_| unreadable("section header"))?;
                if section.major_version != 1 {
                    return Err(format!("a section of pcapng version {}, which is not known", section.major_version));
                }
                self.earlier = interfaces.len();
                Block::Section
            }
            Some(INTERFACE_DESCRIPTION) => {
                self.read_interface(block, interfaces)?;
                Block::Interface
            }
            Some(ENHANCED_PACKET) => {
                let record = self.read_packet(block, false)?;
                let options = self.options(block, record.bytes.end);
                Block::Packet { record, options }
            }
            Some(PACKET) => Block::Packet { record: self.read_packet(block, true)?, options: 0..0 },
            Some(SIMPLE_PACKET) => Block::Packet { record: self.read_simple(block, interfaces)?, options: 0..0 },
            Some(JOURNAL_EXPORT) => Block::JournalEntry(8..block.len() - 4),
            _ => Block::Other,
        })
    }

    /// What stands behind a packet's bytes.
    fn options(&self, block: &[u8], end: usize) -> Range<usize> {
        let (begin, end) = (end.next_multiple_of(4), block.len() - 4);
        if self.order == ByteOrder::Little && begin < end { begin..end } else { 0..0 }
    }

    fn read_interface(&mut self, block: &[u8], interfaces: &mut Vec<Interface>) -> Result<(), String> {
        let parse = match self.order {
            ByteOrder::Little => parse_interfacedescriptionblock_le,
            ByteOrder::Big => parse_interfacedescriptionblock_be,
        };
        let (_, description) = parse(block).map_err(|_| unreadable("interface description"))?;
        if interfaces.len() == MAX_INTERFACES {
            return Err(format!("more than {MAX_INTERFACES} interfaces"));
        }
        self.clocks.push(self.clock(&description));
        interfaces.push(Interface {
            name: option(&description, OptionCode::IfName)
                .map(|name| Scrubbed::from_bytes(&name[..name.len().min(MAX_NAME)])),
            link: LinkType((description.linktype.0 & 0xffff) as u16),
            snaplen: Some(description.snaplen).filter(|snaplen| *snaplen > 0),
        });
        Ok(())
    }

    fn clock(&self, description: &InterfaceDescriptionBlock<'_>) -> Clock {
        let resolution = option(description, OptionCode::IfTsresol).and_then(|value| value.first().copied());
        // Not the crate's if_tsoffset, which reads big-endian sections wrongly.
        let offset = option(description, OptionCode::IfTsoffset).and_then(|value| self.order.u64(value));
        Clock { resolution: resolution.unwrap_or(6), offset: offset.map_or(0, u64::cast_signed) }
    }

    /// An Enhanced Packet Block; or, `obsolete`, the Packet Block that it replaced: its interface number has 16 bits,
    /// a drop count follows.
    fn read_packet(&self, block: &[u8], obsolete: bool) -> Result<Record, String> {
        const DATA: usize = 28;
        let field = |at| self.order.u32(&block[..block.len() - 4], at).ok_or_else(|| unreadable("packet"));
        let (high, low, caplen, len) = (field(12)?, field(16)?, field(20)?, field(24)?);
        let iface = if obsolete { self.order.u16(block, 8).map(u32::from) } else { self.order.u32(block, 8) };
        let bytes = self.captured(block, DATA, caplen, len)?;
        let (iface, clock) = self.interface(iface.ok_or_else(|| unreadable("packet"))?)?;
        Ok(Record { ts: clock.timestamp(u64::from(high) << 32 | u64::from(low)), iface, len, bytes })
    }

    /// A Simple Packet Block tells no time: the frame gets that of the one before it.
    fn read_simple(&self, block: &[u8], interfaces: &[Interface]) -> Result<Record, String> {
        const DATA: usize = 12;
        let parse = match self.order {
            ByteOrder::Little => parse_simplepacketblock_le,
            ByteOrder::Big => parse_simplepacketblock_be,
        };
        let (_, packet) = parse(block).map_err(|_| unreadable("packet"))?;
        let (iface, _) = self.interface(0)?;
        let snaplen = interfaces[iface as usize].snaplen.unwrap_or(u32::MAX);
        let caplen = packet.origlen.min(snaplen);
        let bytes = self.captured(block, DATA, caplen, packet.origlen)?;
        Ok(Record { ts: self.last_ts, iface, len: packet.origlen, bytes })
    }

    /// The place of `caplen` bytes at `start` of a block.
    fn captured(&self, block: &[u8], start: usize, caplen: u32, len: u32) -> Result<Range<usize>, String> {
        if caplen > len {
            return Err(more_than_there_was(caplen, len));
        }
        let end = start.saturating_add(caplen as usize);
        if end > block.len() - 4 {
            return Err(format!("a record tells of {caplen} captured bytes, more than its block holds"));
        }
        Ok(start..end)
    }

    /// An interface of this section, by its number among all.
    fn interface(&self, number: u32) -> Result<(u32, Clock), String> {
        let index = self.earlier.saturating_add(number as usize);
        let clock = self.clocks.get(index).ok_or_else(|| format!("interface {number} was never described"))?;
        Ok((index as u32, *clock))
    }
}

fn unreadable(what: &str) -> String {
    format!("a {what} block cannot be read")
}

/// The first option of that code.
fn option<'a>(description: &'a InterfaceDescriptionBlock<'_>, code: OptionCode) -> Option<&'a [u8]> {
    let mut options = description.options.iter().take_while(|option| option.code != OptionCode::EndOfOpt);
    options.find(|option| option.code == code)?.as_bytes().ok()
}

/// The byte order of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ByteOrder {
    #[default]
    Little,
    Big,
}

impl ByteOrder {
    /// The order that a section header tells.
    fn of_section(block: &[u8]) -> Option<Self> {
        match block.get(8..12)? {
            [0x4d, 0x3c, 0x2b, 0x1a] => Some(Self::Little),
            [0x1a, 0x2b, 0x3c, 0x4d] => Some(Self::Big),
            _ => None,
        }
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(self, bytes: &[u8]) -> Option<u64> {
        let bytes = *bytes.first_chunk()?;
        Some(if self == Self::Big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

/// How an interface counts time: if_tsresol (a negative power of 10, or of 2 with the top bit set) and if_tsoffset
/// (seconds).
#[derive(Debug, Clone, Copy)]
struct Clock {
    resolution: u8,
    offset: i64,
}

impl Clock {
    fn timestamp(self, ticks: u64) -> Timestamp {
        const SECOND: u128 = 1_000_000_000;
        // Micro- and nanoseconds since the epoch, as nearly every file has them.
        if let (6 | 9, 0, Ok(ticks)) = (self.resolution, self.offset, i64::try_from(ticks)) {
            return Timestamp::from_nanos(if self.resolution == 9 { ticks } else { ticks.saturating_mul(1_000) });
        }
        // At most 94 bits: ticks have 64, a second's nanoseconds 30.
        let scaled = u128::from(ticks) * SECOND;
        let exponent = u32::from(self.resolution & 0x7f);
        let nanos = if self.resolution & 0x80 != 0 {
            scaled >> exponent
        } else {
            10u128.checked_pow(exponent).map_or(0, |units| scaled / units)
        };
        let nanos = nanos.cast_signed() + i128::from(self.offset) * SECOND.cast_signed();
        let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}
