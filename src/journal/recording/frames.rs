//! Frames: what of one is kept, and how what it gave comes back from that.
//!
//! A frame that is cut decodes to what the whole one gave, but for what lay behind the cut. [`Packer`] decodes what it
//! keeps, as the reader will, and writes beside it what differs: the digest as the packet's id, which pcapng has for
//! just that (the same packet on several interfaces); TLS records, or all of a segment that a frame alone does not give
//! (it completed a fragmented datagram), in an option of our own.

use super::block::{Block, EPB_PACKETID};
use super::codec::{Code, People, Reader, Writer};
use super::{Place, Setup, Source};
use crate::base::Timestamp;
use crate::engine::Input;
use crate::wire::{AppRecords, Decoder, Frame, IcmpQuote, Segment};

/// An option for local use (its highest bit says so): [`Difference`].
pub(super) const EPB_DIFFERENCE: u16 = 0x8001;

/// Makes the blocks of one source's frames. No block refers to another, so that each capture's thread makes its own,
/// while the frame is at hand.
#[derive(Debug)]
pub struct Packer {
    number: u32,
    place: Place,
    payload: usize,
    scratch: Writer,
}

impl Packer {
    /// Of each source of a recording.
    pub fn all(setup: &Setup) -> Vec<Self> {
        let payload = setup.payload as usize;
        let numbered = setup.sources.iter().map(Source::place).zip(0..);
        numbered.map(|(place, number)| Self { number, place, payload, scratch: Writer::default() }).collect()
    }

    /// Puts a frame behind `out` as a whole block, cut behind its headers ([`Setup::payload`]). `gave` is the segment or
    /// ICMP error that the engine is fed for it, if any: the same comes back, whatever was cut.
    pub fn pack(&mut self, frame: &Frame<'_>, gave: Option<&Input>, out: &mut Vec<u8>) {
        let plain = frame.plain_headers_len();
        let headers = plain.unwrap_or_else(|| frame.headers_len());
        self.put(frame, headers, plain.is_some(), gave, out);
    }

    /// Puts headers that are made anew from a segment ([`Segment::headers`]), whose frame is kept no longer, behind `out`
    /// as a whole block: the same segment comes back. What they say is never taken on trust, for they need not say all.
    pub fn pack_anew(&mut self, segment: &Segment, out: &mut Vec<u8>) {
        let headers = segment.headers();
        self.put(&segment.frame(&headers), headers.len(), false, Some(&Input::Segment(*segment)), out);
    }

    /// Puts so many bytes of headers of a frame; whether they are plain, and so say all that the frame gave.
    fn put(&mut self, frame: &Frame<'_>, headers: usize, plain: bool, gave: Option<&Input>, out: &mut Vec<u8>) {
        let nanos = frame.ts.nanos().max(0);
        // No more than there was: a file that tells of more is damaged.
        let captured = frame.bytes.len().min(frame.len as usize);
        let bytes = &frame.bytes[..headers.saturating_add(self.payload).min(captured)];
        // What the reader will know of it.
        let cut = self.place.of(Frame { ts: Timestamp::from_nanos(nanos), bytes, ..*frame });
        let mut block = Block::packet(out, self.number, nanos.cast_unsigned(), cut.bytes, cut.len);
        let is_plain = plain && headers <= bytes.len();
        tell_difference(&cut, is_plain, gave, &mut block, &mut self.scratch);
        block.end();
    }
}

/// What a frame gave, where it is not what the kept part of it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Difference {
    Nothing,
    Segment(Segment),
    Icmp(IcmpQuote),
    AppRecords(AppRecords),
}

variants!(Difference { 0 Nothing, 1 Segment(segment), 2 Icmp(quote), 3 AppRecords(records) });

/// What a frame alone gives.
fn alone(frame: &Frame<'_>) -> Option<Input> {
    Input::of(&Decoder::default().decode(frame))
}

/// Writes beside a frame, `kept` of it, what must be known for the reader to get what it `gave`; whether all its headers
/// are plain ([`Frame::plain_headers_len`]) and kept.
fn tell_difference(
    kept: &Frame<'_>,
    is_plain: bool,
    gave: Option<&Input>,
    block: &mut Block<'_>,
    scratch: &mut Writer,
) {
    let (digest, difference) = match gave {
        // The same whatever is behind them, but for these.
        Some(Input::Segment(gave)) if is_plain && is_all_in_headers(kept, gave) => {
            let records = (gave.app_records != AppRecords::default()).then_some(gave.app_records);
            ((gave.payload_len > 0).then_some(gave.digest), records.map(Difference::AppRecords))
        }
        _ => difference(alone(kept), gave),
    };
    if let Some(digest) = digest {
        block.option(EPB_PACKETID, &u64::from(digest).to_le_bytes());
    }
    if let Some(difference) = difference {
        scratch.bytes.clear();
        scratch.base = kept.ts;
        difference.put(scratch);
        block.option(EPB_DIFFERENCE, &scratch.bytes);
    }
}

/// What a frame gave, and what is `read` of the kept part of it alone: the digest where that differs, and what else does.
fn difference(read: Option<Input>, gave: Option<&Input>) -> (Option<u32>, Option<Difference>) {
    match (read, gave) {
        (None, None) => (None, None),
        (Some(Input::Segment(read)), Some(Input::Segment(gave))) => {
            let Segment { digest, app_records, .. } = *gave;
            if (Segment { digest, app_records, ..read }) != *gave {
                return (None, Some(Difference::Segment(*gave)));
            }
            let records = (read.app_records != app_records).then_some(Difference::AppRecords(app_records));
            ((read.digest != digest).then_some(digest), records)
        }
        (read, Some(gave)) if read.as_ref() == Some(gave) => (None, None),
        (_, Some(Input::Segment(gave))) => (None, Some(Difference::Segment(*gave))),
        (_, Some(Input::Icmp(gave))) => (None, Some(Difference::Icmp(*gave))),
        (_, _) => (None, Some(Difference::Nothing)),
    }
}

/// Whether the segment is what the plain headers of the frame that was kept say, which nearly every frame's is: then it
/// need not be decoded to see that.
fn is_all_in_headers(kept: &Frame<'_>, gave: &Segment) -> bool {
    (kept.ts, kept.scope, kept.iface, kept.len) == (gave.ts, gave.scope, gave.iface, gave.frame_len)
        && (gave.vlan, gave.tunnel, gave.malformed, gave.options.cut()) == (None, None, false, false)
}

/// What a frame of a recording of format `version` gave; `None` where its options are malformed.
pub(super) fn recall(kept: &Frame<'_>, options: Options<'_>, version: u64) -> Option<Option<Input>> {
    let mut gave = alone(kept);
    for (code, value) in options {
        match code {
            EPB_PACKETID => {
                if let Some(Input::Segment(segment)) = &mut gave {
                    segment.digest = u64::from_le_bytes(value.try_into().ok()?) as u32;
                }
            }
            EPB_DIFFERENCE => {
                let mut people = People::new();
                let mut from = Reader { rest: value, base: kept.ts, people: &mut people, version };
                gave = match (Difference::get(&mut from)?, gave) {
                    (Difference::Nothing, _) => None,
                    (Difference::Segment(segment), _) => Some(Input::Segment(segment)),
                    (Difference::Icmp(quote), _) => Some(Input::Icmp(quote)),
                    (Difference::AppRecords(app_records), Some(Input::Segment(segment))) => {
                        Some(Input::Segment(Segment { app_records, ..segment }))
                    }
                    (Difference::AppRecords(_), _) => return None,
                };
            }
            _ => {}
        }
    }
    Some(gave)
}

/// The options behind a packet, in a section of this machine's kind (little-endian).
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([c0, c1, l0, l1], rest) = self.0.split_first_chunk::<4>()?;
        let (code, len) = (u16::from_le_bytes([*c0, *c1]), usize::from(u16::from_le_bytes([*l0, *l1])));
        let value = rest.get(..len).filter(|_| code != 0)?;
        self.0 = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}
