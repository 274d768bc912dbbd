//! A DNS message → which name was asked for, and the addresses that were told.
//!
//! Read first: RFC 1035 §4.1; RFC 3596 (AAAA); RFC 7766 §8 (over TCP, behind a length of two bytes).

use std::net::IpAddr;

use super::DnsSays;
use super::cursor::Cursor;
use super::hostname::hostname;
use crate::base::Scrubbed;

/// Records read, and addresses kept, of one answer.
const MAX_RECORDS: usize = 32;
const MAX_ADDRESSES: usize = 16;
/// Labels of a name at most: 253 characters hold no more.
const MAX_LABELS: usize = 127;

const A: u16 = 1;
const AAAA: u16 = 28;
const INTERNET: u16 = 1;

/// Identification, name, and part.
pub(super) type Said = (u16, Scrubbed, DnsSays);

/// Reads a message about the addresses of one name; an answer that was cut tells those before the cut.
pub(super) fn read(message: &[u8]) -> Option<Said> {
    const RESPONSE: u16 = 0x8000;
    const OPCODE: u16 = 0x7800;
    const RCODE: u16 = 0x000f;
    let mut rest = Cursor(message);
    let (id, flags, questions, answers) = (rest.u16()?, rest.u16()?, rest.u16()?, rest.u16()?);
    rest.take(4)?;
    if flags & OPCODE != 0 || questions != 1 {
        return None;
    }
    let name = question(&mut rest)?;
    let (A | AAAA, INTERNET) = (rest.u16()?, rest.u16()?) else { return None };
    if flags & RESPONSE == 0 {
        return (answers == 0).then_some((id, name, DnsSays::Query));
    }
    let told = if flags & RCODE == 0 { usize::from(answers).min(MAX_RECORDS) } else { 0 };
    let mut addresses = Vec::new();
    for _ in 0..told {
        match record(&mut rest) {
            Some(Some(address)) if addresses.len() < MAX_ADDRESSES => addresses.push(address),
            Some(_) => {}
            None => break,
        }
    }
    Some((id, name, DnsSays::Answer(addresses)))
}

/// The name asked for, in lower case: its first occurrence is never compressed. `None` if it is no hostname.
fn question(rest: &mut Cursor<'_>) -> Option<Scrubbed> {
    let mut name = Vec::new();
    for _ in 0..=MAX_LABELS {
        let len = rest.u8()?;
        if len == 0 {
            break;
        }
        if len > 63 {
            return None;
        }
        name.extend_from_slice(rest.take(len.into())?);
        name.push(b'.');
    }
    name.make_ascii_lowercase();
    hostname(&name)
}

/// One record: the address it tells, if it tells one. `None` where it is cut or malformed.
fn record(rest: &mut Cursor<'_>) -> Option<Option<IpAddr>> {
    skip_name(rest)?;
    let (kind, class) = (rest.u16()?, rest.u16()?);
    rest.take(4)?;
    let data = rest.behind_u16()?;
    if class != INTERNET {
        return Some(None);
    }
    Some(match kind {
        A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        AAAA => <[u8; 16]>::try_from(data).ok().map(|octets| IpAddr::from(octets).to_canonical()),
        _ => None,
    })
}

/// Labels up to an empty one or to a pointer (§4.1.4), which is not followed.
fn skip_name(rest: &mut Cursor<'_>) -> Option<()> {
    for _ in 0..=MAX_LABELS {
        match rest.u8()? {
            0 => return Some(()),
            0xc0.. => return rest.u8().map(|_| ()),
            len @ 1..=63 => rest.take(len.into()).map(|_| ())?,
            _ => return None,
        }
    }
    None
}
