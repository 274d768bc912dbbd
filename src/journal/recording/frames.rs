//! Frames: what of one is kept, and how what it gave comes back from that.
//!
//! A frame that is cut decodes to what the whole one gave, but for what lay behind the cut. The recorder decodes what
//! it keeps, as the reader will, and writes beside it what differs: the digest as the packet's id, which pcapng has for
//! just that (the same packet on several interfaces); TLS records, or all of a segment that a frame alone does not give
//! (it completed a fragmented datagram), in an option of our own.

use super::VERSION;
use super::block::{Block, EPB_PACKETID};
use super::codec::{Code, People, Reader, Writer};
use crate::engine::Input;
use crate::wire::{AppRecords, Decoder, Frame, IcmpQuote, Segment};

/// An option for local use (its highest bit says so): [`Difference`].
pub(super) const EPB_DIFFERENCE: u16 = 0x8001;

/// How many bytes of a frame a recording keeps: its headers, and `payload` bytes behind them. Who hands frames from
/// thread to thread need copy no more.
pub fn kept(frame: &Frame<'_>, payload: u32) -> usize {
    // No more than there was: a file that tells of more is damaged.
    let captured = frame.bytes.len().min(frame.len as usize);
    frame.headers_len().saturating_add(payload as usize).min(captured)
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

/// Writes beside a frame, `kept` of it, what must be known for the reader to get what it `gave`.
pub(super) fn tell_difference(kept: &Frame<'_>, gave: Option<&Input>, block: &mut Block<'_>, scratch: &mut Writer) {
    if let Some(Input::Segment(gave)) = gave
        && is_all_in_headers(kept, gave)
    {
        // The same whatever is behind them, but for these.
        if gave.payload_len > 0 {
            block.option(EPB_PACKETID, &gave.digest.to_le_bytes());
        }
        if gave.app_records == AppRecords::default() {
            return;
        }
        return put_difference(&Difference::AppRecords(gave.app_records), kept, block, scratch);
    }
    let difference = match (alone(kept), gave) {
        (None, None) => return,
        (Some(Input::Segment(mut read)), Some(Input::Segment(gave))) => {
            let digest = (read.digest != gave.digest).then_some(gave.digest);
            let records = (read.app_records != gave.app_records).then_some(gave.app_records);
            (read.digest, read.app_records) = (gave.digest, gave.app_records);
            if read == *gave {
                if let Some(digest) = digest {
                    block.option(EPB_PACKETID, &digest.to_le_bytes());
                }
                let Some(records) = records else { return };
                Difference::AppRecords(records)
            } else {
                Difference::Segment(*gave)
            }
        }
        (read, Some(gave)) if read.as_ref() == Some(gave) => return,
        (_, Some(Input::Segment(gave))) => Difference::Segment(*gave),
        (_, Some(Input::Icmp(gave))) => Difference::Icmp(*gave),
        (_, _) => Difference::Nothing,
    };
    put_difference(&difference, kept, block, scratch);
}

/// Whether the segment is what the headers of the frame that was kept say, which nearly every frame's is: then it need
/// not be decoded to see that.
fn is_all_in_headers(kept: &Frame<'_>, gave: &Segment) -> bool {
    kept.plain_headers_len().is_some()
        && kept.bytes.len() <= kept.len as usize
        && (kept.ts, kept.scope, kept.iface, kept.len) == (gave.ts, gave.scope, gave.iface, gave.frame_len)
        && (gave.vlan, gave.tunnel, gave.malformed, gave.options.cut) == (None, None, false, false)
}

fn put_difference(difference: &Difference, kept: &Frame<'_>, block: &mut Block<'_>, scratch: &mut Writer) {
    scratch.bytes.clear();
    scratch.base = kept.ts;
    difference.put(scratch);
    block.option(EPB_DIFFERENCE, &scratch.bytes);
}

/// What a frame of a recording gave; `None` where its options are malformed.
pub(super) fn recall(kept: &Frame<'_>, options: Options<'_>) -> Option<Option<Input>> {
    let mut gave = alone(kept);
    for (code, value) in options {
        match code {
            EPB_PACKETID => {
                if let Some(Input::Segment(segment)) = &mut gave {
                    segment.digest = u64::from_le_bytes(value.try_into().ok()?);
                }
            }
            EPB_DIFFERENCE => {
                let mut people = People::new();
                let mut from = Reader { rest: value, base: kept.ts, people: &mut people, version: VERSION };
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
