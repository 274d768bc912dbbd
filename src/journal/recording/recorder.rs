//! [`Recorder`]: what the engine saw, in its order → whole blocks.

use super::block::{self, Block};
use super::{Mark, Setup};
use crate::engine::Input;
use crate::wire::Frame;

/// Timestamps in units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// Turns what an engine is fed into blocks of a recording. Each call puts whole blocks behind `out`, so that a file
/// that ends between two calls is a recording; no call fails.
///
/// A frame goes to [`Recorder::frame`] with the segment or ICMP error that it gave, in that input's place; every other
/// input (names and lookups that a frame told too) to [`Recorder::input`].
#[derive(Debug, Clone)]
pub struct Recorder {
    setup: Setup,
}

impl Recorder {
    /// A recorder that has written nothing yet.
    pub fn new(setup: Setup) -> Self {
        Self { setup }
    }

    /// Writes what stands before everything else, and forgets what was written: what follows needs nothing of what
    /// came before. So each file of a ring begins, and may a recording that begins anew within its file.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        let mut section = Block::section(out);
        if let Some(hardware) = &self.setup.hardware {
            section.option(block::SHB_HARDWARE, hardware.as_bytes());
        }
        if let Some(os) = &self.setup.os {
            section.option(block::SHB_OS, os.as_bytes());
        }
        section.option(block::SHB_USERAPPL, concat!("sockscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        section.end();
        for source in &self.setup.sources {
            let mut interface = Block::interface(out, source.link.0, source.snaplen);
            interface.option(block::IF_NAME, source.name.as_bytes());
            interface.option(block::IF_TSRESOL, &[NANOSECONDS]);
            if let Some(filter) = &source.filter {
                // Zero: a filter string of libpcap.
                interface.option(block::IF_FILTER, &[&[0], filter.as_bytes()].concat());
            }
            interface.end();
        }
    }

    /// Writes a frame of the source of that number, cut behind its headers ([`Setup::payload`]). `gave` is the segment
    /// or ICMP error that the engine is fed for it, if any: the same comes back, whatever was cut.
    pub fn frame(&mut self, source: usize, frame: &Frame<'_>, gave: Option<&Input>, out: &mut Vec<u8>) {
        let _not_compared_yet = gave;
        let nanos = frame.ts.nanos().max(0).cast_unsigned();
        let bytes = &frame.bytes[..frame.bytes.len().min(frame.len as usize)];
        Block::packet(out, source as u32, nanos, bytes, frame.len).end();
    }

    /// Writes an input that is no frame's own.
    pub fn input(&mut self, input: &Input, out: &mut Vec<u8>) {
        let _not_written_yet = (input, out);
    }

    /// Writes a mark.
    pub fn mark(&mut self, mark: &Mark, out: &mut Vec<u8>) {
        let _not_written_yet = (mark, out);
    }

    /// Writes what is still held back (a tick): at the end, and whenever time passes and nothing happens.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let _not_held_yet = out;
    }
}

/// How many bytes of a frame a recording keeps: headers down to TCP, UDP or ICMP's quote, and `payload` bytes behind
/// them. Who hands frames from thread to thread need copy no more.
pub fn kept(frame: &Frame<'_>, payload: u32) -> usize {
    let _not_used_yet = payload;
    frame.bytes.len()
}
