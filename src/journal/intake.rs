//! The one place where a frame becomes inputs: its segment or ICMP error, then what its payload names.

use crate::engine::Input;
use crate::names::{Dns, Heard, Reader};
use crate::wire::{AppRecords, Carried, Decoded, Decoder, Frame, FrameCounts};

/// Turns the frames of one source into inputs.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    decoder: Decoder,
    names: Reader,
    /// What the frame at hand said; kept for its memory.
    heard: Vec<Heard>,
}

impl Intake {
    /// Takes one frame in, and puts behind `out` what the engine is told of it. Returns whether it could be decoded.
    #[inline(always)]
    pub fn take(&mut self, frame: &Frame<'_>, out: &mut Vec<Input>) -> bool {
        let Self { decoder, names, heard } = self;
        let Some(plain) = decoder.open_plain(frame) else { return self.take_any(*frame, out) };
        // What is asked of the segment is asked before it is written: to read it back would be to wait for that.
        let (payload, is_syn) = (plain.payload(), plain.flags().syn());
        let may_say = !payload.is_empty() && names.may_hear(plain.ports(), plain.first_byte(), payload);
        // Room first: then there is nothing in the way of building it in its place, and not beside it.
        if out.len() == out.capacity() {
            out.reserve(1);
        }
        if out.len() < out.capacity() {
            out.push(Input::Segment(plain.segment(frame)));
        }
        let Some(Input::Segment(segment)) = out.last_mut() else { return true };
        plain.read_options(&mut segment.options);
        if may_say {
            segment.app_records = names.read(segment, payload, |said| heard.push(said));
        }
        if is_syn {
            names.begin(segment);
        }
        if !heard.is_empty() {
            self.pass_on(out);
        }
        true
    }

    /// The same of a frame that is not plain.
    #[inline(never)]
    fn take_any(&mut self, frame: Frame<'_>, out: &mut Vec<Input>) -> bool {
        let Self { decoder, names, heard } = self;
        let mut app_records = AppRecords::default();
        let decoded = decoder.open_any(&frame, |carried| match carried {
            Carried::Tcp(segment, payload) => {
                app_records = names.read(segment, payload, |said| heard.push(said));
            }
            Carried::Dns { src, dst, payload } => {
                heard.extend(Dns::read(frame.ts, frame.scope, src, dst, payload).map(Heard::Dns));
            }
        });
        let readable = !matches!(decoded, Decoded::Undecoded(_));
        match decoded {
            Decoded::Tcp(mut segment) => {
                if segment.flags.syn() {
                    names.begin(&segment);
                }
                segment.app_records = app_records;
                out.push(Input::Segment(segment));
            }
            other => out.extend(Input::of(&other)),
        }
        self.pass_on(out);
        readable
    }

    /// Puts what was heard behind the frame's own input.
    fn pass_on(&mut self, out: &mut Vec<Input>) {
        out.extend(self.heard.drain(..).map(|said| match said {
            Heard::Name(name) => Input::Name(name),
            Heard::Dns(dns) => Input::Dns(dns),
        }));
    }

    /// What became of the frames so far.
    pub const fn counts(&self) -> FrameCounts {
        self.decoder.counts()
    }
}
