//! Entries: systemd Journal Export blocks with words for people and, in a binary field, what is read back.
//!
//! Read first: <https://systemd.io/JOURNAL_EXPORT_FORMATS/>. A field is `NAME=text`, or the name on a line of its own,
//! a length of 64 bits (little-endian), bytes, and the end of a line.

use std::io::Write;

use super::block::Block;
use crate::base::Timestamp;

/// The field that is read back.
const FIELD: &[u8] = b"SOCKSCOPE_ENTRY";

/// Writes an entry of that time: `message` in words, on one line, and the field's bytes.
pub(super) fn write(out: &mut Vec<u8>, ts: Timestamp, message: std::fmt::Arguments<'_>, parts: [&[u8]; 2]) {
    let micros = ts.nanos().max(0) / 1_000;
    let block = Block::journal(out, |out| {
        // A vector takes all that is written to it.
        let _cannot_fail =
            write!(out, "__REALTIME_TIMESTAMP={micros}\nSYSLOG_IDENTIFIER=sockscope\nMESSAGE={message}\n");
        out.extend_from_slice(FIELD);
        out.push(b'\n');
        out.extend_from_slice(&((parts[0].len() + parts[1].len()) as u64).to_le_bytes());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        out.push(b'\n');
    });
    block.end();
}

/// What an entry says to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Ours(&'a [u8]),
    /// Somebody else's.
    Foreign,
}

/// Reads the body of a block.
pub(super) fn read(body: &[u8]) -> Entry<'_> {
    field(body).map_or(Entry::Foreign, Entry::Ours)
}

/// The bytes of our field, if there is one and the fields before it can be read.
fn field(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, behind) = (&rest[..end], &rest[end + 1..]);
        if line.contains(&b'=') || line.is_empty() {
            rest = behind;
            continue;
        }
        let (len, behind) = behind.split_first_chunk::<8>()?;
        let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
        let (value, behind) = behind.split_at_checked(len)?;
        if line == FIELD {
            return Some(value);
        }
        rest = behind.strip_prefix(b"\n")?;
    }
}
