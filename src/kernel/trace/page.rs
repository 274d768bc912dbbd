//! A sub-buffer of `trace_pipe_raw`: its header, and the entries in it with their times.
//!
//! Read first: `events/header_page` and `events/header_event` of the running kernel, linux/ring_buffer.h
//! (enum ring_buffer_type), kernel/trace/ring_buffer.c (ring_buffer_read_page, rb_event_data_length).

use super::format::{Field, Fields};
use crate::kernel::bytes::{u32_at, u64_at};

/// `commit`'s bits: the length of the data, that its count of missed events stands behind the data, that some were.
const LENGTH: u64 = (1 << 20) - 1;
const MISSED_STORED: u64 = 1 << 30;
const MISSED: u64 = 1 << 31;

const HEADER: usize = 4;
/// Types of an entry; 1 to 28 are the length of its data in words.
const LONG: u32 = 0;
const PADDING: u32 = 29;
const EXTEND: u32 = 30;
const STAMP: u32 = 31;

/// The page header's fields on the running kernel.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    timestamp: Field,
    commit: Field,
    data: Field,
}

impl Layout {
    /// From the fields of `events/header_page`; `None` where it is not as expected.
    pub fn of(header_page: &Fields) -> Option<Self> {
        let field = |name| header_page.get(name);
        Some(Self { timestamp: field("timestamp")?, commit: field("commit")?, data: field("data")? })
    }
}

/// One sub-buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// The clock at its first entry.
    pub ts: u64,
    /// Events lost before it: none, or at least so many.
    pub missed: u64,
    data: &'a [u8],
}

impl<'a> Page<'a> {
    /// Reads the header; `None` if the bytes are no page.
    pub fn parse(bytes: &'a [u8], layout: &Layout) -> Option<Self> {
        let commit = layout.commit.number(bytes)?;
        let begin = layout.data.offset();
        let end = begin.checked_add(usize::try_from(commit & LENGTH).ok()?)?;
        let data = bytes.get(begin..end)?;
        let counted = || u64_at(bytes, end).filter(|_| commit & MISSED_STORED != 0);
        // Where there was no room for the number, it is one or more.
        let missed = if commit & MISSED == 0 { 0 } else { counted().unwrap_or(1).max(1) };
        Some(Self { ts: layout.timestamp.number(bytes)?, missed, data })
    }

    /// Tells each entry's time and data, in order. False if the page breaks off in something that is no entry.
    pub fn entries(&self, mut each: impl FnMut(u64, &'a [u8])) -> bool {
        let (mut ts, mut at) = (self.ts, 0);
        while at < self.data.len() {
            let Some(entry) = Entry::read(self.data, at) else { return false };
            ts = entry.time.after(ts);
            if let Some(data) = entry.data {
                each(ts, data);
            }
            if entry.len == 0 {
                // The rest of the page is padding.
                return true;
            }
            at += entry.len;
        }
        true
    }
}

#[derive(Debug, Clone, Copy)]
enum Time {
    Later(u64),
    Absolute(u64),
}

impl Time {
    const fn after(self, ts: u64) -> u64 {
        match self {
            Self::Later(delta) => ts.wrapping_add(delta),
            // The highest five bits have no room in the entry: they are the page's.
            Self::Absolute(low) => ts & !((1 << 59) - 1) | low,
        }
    }
}

struct Entry<'a> {
    time: Time,
    /// `None` for padding and for time alone.
    data: Option<&'a [u8]>,
    /// With its header; 0 if nothing more follows.
    len: usize,
}

impl<'a> Entry<'a> {
    fn read(page: &'a [u8], at: usize) -> Option<Self> {
        let header = u32_at(page, at)?;
        // A C bit field: its first member is the lowest bits, or where the host's order is big-endian the highest.
        let (kind, delta) = if cfg!(target_endian = "big") {
            (header >> 27, header & ((1 << 27) - 1))
        } else {
            (header & 31, header >> 5)
        };
        let (later, word) = (Time::Later(u64::from(delta)), || u32_at(page, at + HEADER));
        let data = |begin: usize, len: usize| page.get(at + begin..at.checked_add(begin)?.checked_add(len)?);
        let time_alone = |time| Some(Self { time, data: None, len: 2 * HEADER });
        match kind {
            PADDING if delta == 0 => Some(Self { time: later, data: None, len: 0 }),
            PADDING => {
                let len = HEADER.checked_add(usize::try_from(word()?).ok()?)?;
                Some(Self { time: later, data: None, len })
            }
            EXTEND => time_alone(Time::Later(u64::from(delta) | u64::from(word()?) << 27)),
            STAMP => time_alone(Time::Absolute(u64::from(delta) | u64::from(word()?) << 27)),
            LONG => {
                // The length counts itself.
                let len = usize::try_from(word()?).ok()?.checked_sub(HEADER)?;
                Some(Self {
                    time: later,
                    data: Some(data(2 * HEADER, len)?),
                    len: 2 * HEADER + len.next_multiple_of(4),
                })
            }
            words => {
                let len = words as usize * 4;
                Some(Self { time: later, data: Some(data(HEADER, len)?), len: HEADER + len })
            }
        }
    }
}
