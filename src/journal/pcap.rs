//! pcap files: one header, then records. Both byte orders, microseconds, nanoseconds, and the "modified" form with
//! longer record headers.
//!
//! Read first: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>. The file's header is parsed by
//! pcap-parser; a record's is four numbers, read here.

use std::ops::Range;

use pcap_parser::pcap::{PcapHeader, parse_pcap_header};

use super::reader::{Interface, NextRecord, Record};
use super::window::{MAX_RECORD, Window};
use crate::base::Timestamp;
use crate::wire::LinkType;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;
/// libpcap's MAXIMUM_SNAPLEN: files exceed the limit that they tell, but not this one.
const MAX_SNAPLEN: usize = 262_144;

/// What the file's header tells about its records.
#[derive(Clone)]
pub(super) struct Records {
    layout: Result<Layout, Unread>,
}

/// Why the file's header tells nothing of its records.
#[derive(Clone)]
enum Unread {
    Cut,
    /// libpcap refuses such a file too.
    Version(u16, u16),
}

#[derive(Clone)]
struct Layout {
    big_endian: bool,
    /// Of version 2.3 or older: some writers put len before caplen, so the smaller one is caplen.
    old: bool,
    record_header: usize,
    max_caplen: usize,
    /// Nanoseconds in one unit of a record's fraction of a second.
    unit: i64,
}

/// Whether a file that begins so is a pcap file.
pub(super) fn is_magic(first: &[u8]) -> bool {
    let Some(magic) = first.first_chunk::<4>() else { return false };
    let magic = u32::from_le_bytes(*magic);
    matches!(magic, 0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 | 0xa1b2_cd34)
}

impl Records {
    /// Reads the file's header. One that is cut, or of a version whose layout is not known, is told by
    /// [`Records::next`].
    pub(super) fn open(window: &mut Window, interfaces: &mut Vec<Interface>) -> Self {
        window.fill(FILE_HEADER);
        let Ok((_, header)) = parse_pcap_header(window.data()) else { return Self { layout: Err(Unread::Cut) } };
        let (major, minor) = (header.version_major, header.version_minor);
        if major != 2 || minor > 4 {
            return Self { layout: Err(Unread::Version(major, minor)) };
        }
        window.consume(FILE_HEADER);
        interfaces.push(Interface {
            name: None,
            // The upper 16 bits tell of a frame check sequence.
            link: LinkType((header.network.0 & 0xffff) as u16),
            snaplen: Some(header.snaplen).filter(|snaplen| *snaplen > 0),
        });
        Self { layout: Ok(Layout::of(&header)) }
    }

    #[inline]
    pub(super) fn next(&mut self, window: &mut Window) -> NextRecord {
        let layout = match &self.layout {
            Ok(layout) => layout,
            Err(Unread::Cut) => {
                window.ended_before(FILE_HEADER)?;
                return Ok(None);
            }
            Err(Unread::Version(major, minor)) => {
                return Err(format!("pcap version {major}.{minor}: only 2.0 to 2.4 are read"));
            }
        };
        if !window.fill(layout.record_header) {
            window.ended_before(layout.record_header)?;
            return Ok(None);
        }
        let header = layout.header(window.data());
        let whole = layout.record_header + header.caplen as usize;
        if header.caplen as usize > layout.max_caplen {
            return Err(too_long(header.caplen));
        }
        if !window.fill(whole) {
            window.ended_before(whole)?;
            return Ok(None);
        }
        if header.caplen > header.len {
            return Err(more_than_there_was(header.caplen, header.len));
        }
        let place = window.consume(whole);
        let bytes = place.start + layout.record_header..place.end;
        Ok(Some(Record { ts: header.ts, iface: 0, len: header.len, bytes }))
    }

    /// Gives `take` the records with which `data` begins, as long as they are whole and sound and it wants more. Returns
    /// where the last one lies, or where one would.
    #[inline(always)]
    pub(super) fn each<'a>(
        &self,
        data: &'a [u8],
        mut take: impl FnMut(&RecordHeader, &'a [u8]) -> bool,
    ) -> Range<usize> {
        let mut place = 0..0;
        let Ok(layout) = &self.layout else { return place };
        loop {
            let rest = &data[place.end..];
            let Some((header, behind)) = rest.split_at_checked(layout.record_header) else { return place };
            let header = layout.header(header);
            let caplen = header.caplen as usize;
            if caplen > behind.len() || caplen > layout.max_caplen || header.caplen > header.len {
                return place;
            }
            place = place.end..place.end + layout.record_header + caplen;
            if !take(&header, &behind[..caplen]) {
                return place;
            }
        }
    }
}

/// What stands before a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordHeader {
    pub(super) ts: Timestamp,
    caplen: u32,
    pub(super) len: u32,
}

impl Layout {
    fn of(header: &PcapHeader) -> Self {
        let modified = header.is_modified_format();
        Self {
            big_endian: header.is_bigendian() && !modified,
            old: header.version_minor <= 3 && !modified,
            record_header: if modified { MODIFIED_RECORD_HEADER } else { RECORD_HEADER },
            max_caplen: MAX_SNAPLEN.max(header.snaplen as usize).min(MAX_RECORD - MODIFIED_RECORD_HEADER),
            unit: if header.is_nanosecond_precision() { 1 } else { 1_000 },
        }
    }

    /// Reads the header that `data` begins with, at least [`RECORD_HEADER`] bytes.
    #[inline]
    fn header(&self, data: &[u8]) -> RecordHeader {
        let (fields, _) = data[..RECORD_HEADER].as_chunks::<4>();
        let field = |at: usize| match self.big_endian {
            true => u32::from_be_bytes(fields[at]),
            false => u32::from_le_bytes(fields[at]),
        };
        let (mut caplen, mut len) = (field(2), field(3));
        if self.old && caplen > len {
            std::mem::swap(&mut caplen, &mut len);
        }
        let ts = Timestamp::from_secs_nanos(field(0).into(), i64::from(field(1)) * self.unit);
        RecordHeader { ts, caplen, len }
    }
}

fn too_long(caplen: u32) -> String {
    format!("a record tells of {caplen} captured bytes, more than a frame has")
}

pub(super) fn more_than_there_was(caplen: u32, len: u32) -> String {
    format!("a record tells of {caplen} captured bytes of a frame of {len}")
}
