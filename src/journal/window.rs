//! The part of a stream that is being parsed: grows to hold one record, never past a bound.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use super::decompress::Unpacked;

/// The largest record that is read. Packets are at most 256 KiB; this leaves room for what else a block may hold.
pub(super) const MAX_RECORD: usize = 16 << 20;
const INITIAL: usize = 256 << 10;
/// The longest magic number: pcapng's block type, length and byte order.
const MAGIC: usize = 12;

/// Bytes of `input` that are not consumed yet, and where they stand in the stream.
pub(super) struct Window {
    input: Unpacked,
    buffer: Vec<u8>,
    pending: Range<usize>,
    offset: u64,
    /// Set once the input has no more to give.
    end: Option<End>,
}

enum End {
    Clean,
    Failed(io::Error),
}

impl Window {
    pub(super) fn new(input: Unpacked) -> Self {
        Self::at(input, 0)
    }

    /// Of a stream of which so many bytes are consumed already; `input` is the rest.
    pub(super) fn at(input: Unpacked, offset: u64) -> Self {
        Self { input, buffer: vec![0; INITIAL], pending: 0..0, offset, end: None }
    }

    /// What is read.
    pub(super) const fn input(&self) -> &Unpacked {
        &self.input
    }

    /// The first bytes of the stream, fewer if it is shorter.
    pub(super) fn magic(&mut self) -> io::Result<&[u8]> {
        self.fill(MAGIC);
        // A stream that fails later is a capture that is damaged.
        let too_short = self.pending.len() < 4;
        match self.end.take_if(|end| too_short && matches!(end, End::Failed(_))) {
            Some(End::Failed(error)) => Err(error),
            _ => Ok(&self.data()[..self.pending.len().min(MAGIC)]),
        }
    }

    /// What is there and not consumed.
    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        &self.buffer[self.pending.clone()]
    }

    /// The bytes at `place`, which [`Window::consume`] gave: valid until the next [`Window::fill`].
    #[inline]
    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.buffer[place]
    }

    /// How much of the stream is consumed.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes `count` bytes of [`Window::data`] off; tells where they are.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) -> Range<usize> {
        let place = self.pending.start..self.pending.start + count.min(self.pending.len());
        self.pending.start = place.end;
        self.offset += place.len() as u64;
        place
    }

    /// Reads until `count` bytes are there; whether they are. Reads no further than the input gives at once, so that a
    /// live stream is not held back.
    #[inline]
    pub(super) fn fill(&mut self, count: usize) -> bool {
        self.pending.len() >= count || self.read_until(count)
    }

    #[inline(never)]
    fn read_until(&mut self, count: usize) -> bool {
        if self.end.is_none() && count <= MAX_RECORD {
            self.make_room(count);
            while self.pending.len() < count && self.end.is_none() {
                self.read_once();
            }
        }
        self.pending.len() >= count
    }

    /// What to say where `wanted` bytes of a record are not there; `Ok` if the stream ended cleanly before it.
    pub(super) fn ended_before(&self, wanted: usize) -> Result<(), String> {
        match &self.end {
            Some(End::Failed(error)) => Err(format!("the stream breaks off: {error}")),
            _ if self.pending.is_empty() => Ok(()),
            _ => Err(format!("the file ends inside a record: {} of {wanted} bytes are there", self.pending.len())),
        }
    }

    fn make_room(&mut self, count: usize) {
        if self.pending.start + count > self.buffer.len() {
            self.buffer.copy_within(self.pending.clone(), 0);
            self.pending = 0..self.pending.len();
        }
        if count > self.buffer.len() {
            self.buffer.resize(count.next_power_of_two(), 0);
        }
    }

    fn read_once(&mut self) {
        match self.input.read(&mut self.buffer[self.pending.end..]) {
            Ok(0) => self.end = Some(End::Clean),
            Ok(count) => self.pending.end += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => self.end = Some(End::Failed(error)),
        }
    }
}
