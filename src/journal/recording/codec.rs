//! Values ↔ bytes: what the entries of a recording are made of.
//!
//! Numbers are LEB128, signed ones zigzag before it; an `Option` is 0, or 1 and the value; a text or list is its length
//! and its parts; a time is told from the entry's own. A process is told once, and by its number after that, which is
//! why no serde format does it. Reading never panics, and takes no more memory than a fixed multiple of what it reads.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scrubbed, Timestamp};
use crate::kernel::Process;

/// Processes that are remembered at most: then they are told anew.
const MAX_PEOPLE: usize = 65_536;

/// What is read back as it was written.
pub(super) trait Code: Sized {
    fn put(&self, out: &mut Writer);

    /// `None` where the bytes are no such value.
    fn get(from: &mut Reader<'_>) -> Option<Self>;
}

/// What is being written, and what was told before.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// The time that others are told from.
    pub(super) base: Timestamp,
    people: FxHashMap<Arc<Process>, u64>,
}

impl Writer {
    /// Whatever was told is told anew.
    pub(super) fn forget(&mut self) {
        self.people.clear();
    }

    pub(super) fn number(&mut self, mut number: u128) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(super) fn signed(&mut self, number: i128) {
        self.number(((number << 1) ^ (number >> 127)).cast_unsigned());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u128);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// The processes that a recording told of so far, by their numbers.
pub(super) type People = Vec<Arc<Process>>;

/// What is being read, and what was told before.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
    pub(super) base: Timestamp,
    pub(super) people: &'a mut People,
    /// Of the format that it was written in.
    pub(super) version: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn number(&mut self) -> Option<u128> {
        let mut number = 0;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        // Two bits are left.
        let last = self.byte().filter(|last| *last <= 3)?;
        Some(number | u128::from(last) << 126)
    }

    pub(super) fn signed(&mut self) -> Option<i128> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = self.len()?;
        let (text, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    /// A length: of a thing that is there, so that nothing is made room for that is not.
    fn len(&mut self) -> Option<usize> {
        let len = usize::try_from(self.number()?).ok()?;
        (len <= self.rest.len()).then_some(len)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Code for $number {
            fn put(&self, out: &mut Writer) {
                out.number((*self).into());
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                from.number()?.try_into().ok()
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64);

impl Code for i64 {
    fn put(&self, out: &mut Writer) {
        out.signed((*self).into());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        from.signed()?.try_into().ok()
    }
}

impl Code for bool {
    fn put(&self, out: &mut Writer) {
        u8::from(*self).put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        match from.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Code> Code for Option<T> {
    fn put(&self, out: &mut Writer) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        if bool::get(from)? { Some(Some(T::get(from)?)) } else { Some(None) }
    }
}

impl<T: Code> Code for Vec<T> {
    fn put(&self, out: &mut Writer) {
        out.number(self.len() as u128);
        self.iter().for_each(|value| value.put(out));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let len = from.len()?;
        (0..len).map(|_| T::get(from)).collect()
    }
}

impl<A: Code, B: Code> Code for (A, B) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::get(from)?, B::get(from)?))
    }
}

impl Code for Scrubbed {
    fn put(&self, out: &mut Writer) {
        out.text(self);
    }

    /// Scrubbed again: whoever wrote the file may not have done it.
    fn get(from: &mut Reader<'_>) -> Option<Self> {
        from.text().map(Self::new)
    }
}

impl Code for Duration {
    fn put(&self, out: &mut Writer) {
        out.number(self.as_nanos());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        duration(from.number()?)
    }
}

/// So many nanoseconds, if they fit.
pub(super) fn duration(nanos: u128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    Some(Duration::new(u64::try_from(nanos / SECOND).ok()?, (nanos % SECOND) as u32))
}

impl Code for Timestamp {
    fn put(&self, out: &mut Writer) {
        out.signed(i128::from(self.nanos()) - i128::from(out.base.nanos()));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let nanos = i128::from(from.base.nanos()).checked_add(from.signed()?)?;
        Some(Self::from_nanos(nanos.try_into().ok()?))
    }
}

impl Code for IpAddr {
    fn put(&self, out: &mut Writer) {
        match self {
            Self::V4(ip) => {
                out.bytes.push(4);
                out.bytes.extend_from_slice(&ip.octets());
            }
            Self::V6(ip) => {
                out.bytes.push(6);
                out.bytes.extend_from_slice(&ip.octets());
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let v4 = match from.byte()? {
            4 => true,
            6 => false,
            _ => return None,
        };
        if v4 {
            let (octets, rest) = from.rest.split_first_chunk::<4>()?;
            from.rest = rest;
            return Some(Self::from(*octets));
        }
        let (octets, rest) = from.rest.split_first_chunk::<16>()?;
        from.rest = rest;
        Some(Self::from(*octets))
    }
}

impl Code for Endpoint {
    fn put(&self, out: &mut Writer) {
        self.ip().put(out);
        self.port().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self::new(IpAddr::get(from)?, u16::get(from)?))
    }
}

/// Its number, counted from 1; where that is new, 0, the number from 0, and what it is. Number 0 begins anew.
impl Code for Arc<Process> {
    fn put(&self, out: &mut Writer) {
        if let Some(number) = out.people.get(self) {
            return out.number(u128::from(*number) + 1);
        }
        if out.people.len() == MAX_PEOPLE {
            out.people.clear();
        }
        let number = out.people.len() as u64;
        out.people.insert(self.clone(), number);
        out.bytes.push(0);
        number.put(out);
        self.as_ref().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        if let Some(number) = from.number()?.checked_sub(1) {
            return from.people.get(usize::try_from(number).ok()?).cloned();
        }
        let number = usize::try_from(u64::get(from)?).ok()?;
        let process = Self::new(Process::get(from)?);
        if number == 0 {
            from.people.clear();
        }
        if number != from.people.len() || number == MAX_PEOPLE {
            return None;
        }
        from.people.push(process.clone());
        Some(process)
    }
}
