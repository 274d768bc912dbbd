//! pcap files: one header, then records. Both byte orders, microseconds, nanoseconds, and the "modified" form with
//! longer record headers.
//!
//! Read first: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>. The parsing is pcap-parser's.

use pcap_parser::PcapError;
use pcap_parser::nom::{Err, IResult, Needed};
use pcap_parser::pcap::{
    LegacyPcapBlock, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use super::reader::{Interface, NextRecord, Record};
use super::window::{MAX_RECORD, Window};
use crate::base::Timestamp;
use crate::wire::LinkType;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;
/// libpcap's MAXIMUM_SNAPLEN: files exceed the limit that they tell, but not this one.
const MAX_SNAPLEN: usize = 262_144;

type ParseRecord = fn(&[u8]) -> IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>>;

/// What the file's header tells about its records.
pub(super) struct Records {
    layout: Result<Layout, Unread>,
}

/// Why the file's header tells nothing of its records.
enum Unread {
    Cut,
    /// libpcap refuses such a file too.
    Version(u16, u16),
}

struct Layout {
    parse: ParseRecord,
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
    /// Reads the file's header. One that is cut, or of a version whose layout is not known, is told by [`Records::next`].
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
        loop {
            let missing = match (layout.parse)(window.data()) {
                Ok((_, block)) => {
                    let (ts, caplen, len) = layout.check(&block)?;
                    let place = window.consume(layout.record_header + caplen);
                    let bytes = place.start + layout.record_header..place.end;
                    return Ok(Some(Record { ts, iface: 0, len, bytes }));
                }
                Err(Err::Incomplete(Needed::Size(missing))) => missing.get(),
                Err(_) => return Err("the record cannot be read".to_owned()),
            };
            let wanted = window.data().len().saturating_add(missing);
            if wanted > layout.record_header + layout.max_caplen {
                return Err(too_long(wanted - layout.record_header));
            }
            if !window.fill(wanted) {
                window.ended_before(wanted)?;
                return Ok(None);
            }
        }
    }
}

impl Layout {
    fn of(header: &PcapHeader) -> Self {
        let old = header.version_major == 2 && header.version_minor <= 3;
        let (parse, record_header): (ParseRecord, usize) = match (header.is_modified_format(), header.is_bigendian()) {
            (true, _) => (parse_pcap_frame_modified, MODIFIED_RECORD_HEADER),
            (false, true) if old => (parse_old_frame::<true>, RECORD_HEADER),
            (false, false) if old => (parse_old_frame::<false>, RECORD_HEADER),
            (false, true) => (parse_pcap_frame_be, RECORD_HEADER),
            (false, false) => (parse_pcap_frame, RECORD_HEADER),
        };
        let max_caplen = MAX_SNAPLEN.max(header.snaplen as usize).min(MAX_RECORD - MODIFIED_RECORD_HEADER);
        Self { parse, record_header, max_caplen, unit: if header.is_nanosecond_precision() { 1 } else { 1_000 } }
    }

    fn check(&self, block: &LegacyPcapBlock<'_>) -> Result<(Timestamp, usize, u32), String> {
        let caplen = block.data.len();
        if caplen > self.max_caplen {
            return Err(too_long(caplen));
        }
        if block.caplen > block.origlen {
            return Err(more_than_there_was(block.caplen, block.origlen));
        }
        let ts = Timestamp::from_secs_nanos(i64::from(block.ts_sec), i64::from(block.ts_usec) * self.unit);
        Ok((ts, caplen, block.origlen))
    }
}

/// A record of a file of version 2.3 or older: some writers put len before caplen, so the smaller one is caplen.
fn parse_old_frame<const BIG: bool>(data: &[u8]) -> IResult<&[u8], LegacyPcapBlock<'_>, PcapError<&[u8]>> {
    let Some((header, rest)) = data.split_first_chunk::<RECORD_HEADER>() else {
        return Err(Err::Incomplete(Needed::new(RECORD_HEADER - data.len())));
    };
    let field = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        if BIG { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let (caplen, origlen) = (field(8).min(field(12)), field(8).max(field(12)));
    let Some((data, rest)) = rest.split_at_checked(caplen as usize) else {
        return Err(Err::Incomplete(Needed::new(caplen as usize - rest.len())));
    };
    Ok((rest, LegacyPcapBlock { ts_sec: field(0), ts_usec: field(4), caplen, origlen, data }))
}

fn too_long(caplen: usize) -> String {
    format!("a record tells of {caplen} captured bytes, more than a frame has")
}

pub(super) fn more_than_there_was(caplen: u32, len: u32) -> String {
    format!("a record tells of {caplen} captured bytes of a frame of {len}")
}
