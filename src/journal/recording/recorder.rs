//! [`Recorder`]: what the engine saw, in its order → whole blocks.

use std::time::Duration;

use super::block::{self, Block};
use super::codec::{Code, Writer};
use super::comments::Comments;
use super::samples::Teller;
use super::words::{Begins, Words};
use super::{Head, Kind, Setup, VERSION, entry};
use crate::base::{Mark, Timestamp};
use crate::engine::Input;

/// Timestamps in units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;
/// How long nothing but ticks may pass before one is written, so that the clock of whoever reads along goes on.
const SILENCE: Duration = Duration::from_secs(1);

/// Turns what an engine is fed into blocks of a recording. Each call puts whole blocks behind `out`, so that a file
/// that ends between two calls is a recording; no call fails.
///
/// A frame goes to [`Recorder::frame`] with the segment or ICMP error that it gave, in that input's place; every other
/// input (names and lookups that a frame told too) to [`Recorder::input`].
#[derive(Debug, Clone)]
pub struct Recorder {
    setup: Setup,
    writer: Writer,
    /// The number of the next entry.
    number: u64,
    samples: Teller,
    comments: Comments,
    /// The newest time that was written.
    now: Option<Timestamp>,
    /// A tick past that, which counts only if an older input follows.
    tick: Option<Timestamp>,
}

/// The ways in which a section may begin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heads {
    /// It stands alone.
    pub alone: Vec<u8>,
    /// It goes on from the one before.
    pub on: Vec<u8>,
}

impl Heads {
    /// What both take.
    pub const fn bytes(&self) -> usize {
        self.alone.len() + self.on.len()
    }
}

impl Recorder {
    /// A recorder that has written nothing yet.
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            writer: Writer::default(),
            number: 0,
            samples: Teller::default(),
            comments: Comments::default(),
            now: None,
            tick: None,
        }
    }

    /// Writes what stands before everything else, and forgets what was written: what follows needs nothing of what
    /// came before. So a recording may begin anew within its file. `ts` is when that is.
    pub fn begin(&mut self, ts: Timestamp, out: &mut Vec<u8>) {
        self.number = 0;
        self.head(ts, None, out);
        self.forget();
    }

    /// Begins a further section of a recording of which the oldest are let go: written behind the one of the two heads, it
    /// stands alone; behind the other, it goes on from the section before it, which ended with [`Self::end_section`].
    /// Who sees nothing before it is told the readings that still hold, to which `add` adds what else does.
    pub fn turn(&mut self, ts: Timestamp, add: impl FnOnce(&mut Vec<Input>)) -> Heads {
        let (after, mut alone, mut on) = (self.number, Vec::new(), Vec::new());
        let (now, tick) = (self.now.take(), self.tick.take());
        let mut held: Vec<Input> = self.samples.holding().map(Input::Sample).collect();
        add(&mut held);
        self.head(ts, None, &mut alone);
        self.forget();
        held.iter().for_each(|input| self.input(input, &mut alone));
        // Processes are told anew, since only one of the heads told of any.
        self.writer.forget();
        (self.now, self.tick) = (now, tick);
        // So that what follows has the very number that follows on either.
        self.number -= 1;
        self.head(ts, Some(after), &mut on);
        Heads { alone, on }
    }

    fn forget(&mut self) {
        self.writer.forget();
        self.samples = Teller::default();
        self.comments.clear();
    }

    /// The blocks that a section begins with.
    fn head(&mut self, ts: Timestamp, after: Option<u64>, out: &mut Vec<u8>) {
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
        let head = Head::of(&self.setup, after);
        let put_head = |writer: &mut Writer| {
            VERSION.put(writer);
            head.put(writer);
        };
        let words = Begins(&self.setup).to_string();
        self.entry(Kind::Head, ts, format_args!("{words}"), put_head, out);
    }

    /// Writes a frame: its block ([`super::Packer`]), with who owns the ends of the segment or ICMP error that it `gave`
    /// the engine.
    pub fn frame(&mut self, block: &[u8], gave: Option<&Input>, out: &mut Vec<u8>) {
        if let Some(gave) = gave {
            self.pass(gave.ts(), out);
        }
        let begin = out.len();
        out.extend_from_slice(block);
        if let Some(Input::Segment(segment)) = gave {
            self.comments.on(segment, |comment| {
                let mut block = Block::packet_again(out, begin);
                block.option(block::COMMENT, comment.as_bytes());
                block.end();
            });
        }
    }

    /// Writes an input that is no frame's own.
    pub fn input(&mut self, input: &Input, out: &mut Vec<u8>) {
        let ts = input.ts();
        if !matches!(input, Input::Tick(_)) {
            self.pass(ts, out);
        }
        self.comments.hear(input);
        let words = Words(input);
        let mut write = |kind, value: &dyn Fn(&mut Writer)| self.entry(kind, ts, format_args!("{words}"), value, out);
        match input {
            Input::Segment(segment) => write(Kind::Segment, &|writer| segment.put(writer)),
            Input::Icmp(quote) => write(Kind::Icmp, &|writer| quote.put(writer)),
            Input::Name(name) => write(Kind::Name, &|writer| name.put(writer)),
            Input::Dns(dns) => write(Kind::Dns, &|writer| dns.put(writer)),
            Input::Kernel(event) => write(Kind::Kernel, &|writer| event.put(writer)),
            Input::Loss(loss) => write(Kind::Loss, &|writer| loss.put(writer)),
            Input::Sample(sample) => {
                let Self { writer, number, samples, comments, .. } = self;
                writer.bytes.clear();
                writer.base = ts;
                samples.tell(sample, writer, comments.reading(sample), |writer| {
                    write_entry(number, Kind::Sample, ts, format_args!("{words}"), writer, out);
                });
            }
            Input::Tick(_) => self.tick(ts, out),
        }
    }

    /// Writes a mark.
    pub fn mark(&mut self, mark: &Mark, out: &mut Vec<u8>) {
        self.entry(Kind::Mark, mark.ts, format_args!("{mark}"), |writer| mark.note.put(writer), out);
    }

    /// Writes what is still held back (a tick), and that nothing follows in this section: to be called at its end. A
    /// copy of what was written may be ended so, and the recorder go on.
    pub fn end(&self, out: &mut Vec<u8>) {
        self.write_end(out);
    }

    /// The same where a further section follows.
    pub fn end_section(&mut self, out: &mut Vec<u8>) {
        self.number = self.write_end(out);
    }

    fn write_end(&self, out: &mut Vec<u8>) -> u64 {
        let (mut number, mut nothing) = (self.number, Writer::default());
        if let Some(tick) = self.tick {
            let words = Words(&Input::Tick(tick));
            write_entry(&mut number, Kind::Tick, tick, format_args!("{words}"), &mut nothing, out);
        }
        let last = self.tick.or(self.now).unwrap_or_default();
        write_entry(&mut number, Kind::End, last, format_args!("this section was ended here"), &mut nothing, out);
        number
    }

    /// A tick changes nothing that a later input would not change, so it is held back, and written only before an
    /// older one.
    fn tick(&mut self, ts: Timestamp, out: &mut Vec<u8>) {
        let newest = self.tick.max(self.now);
        if newest.is_some_and(|newest| ts <= newest) {
            return;
        }
        if self.now.is_none_or(|now| ts.since(now) >= SILENCE) {
            self.tick = None;
            self.write_tick(ts, out);
        } else {
            self.tick = Some(ts);
        }
    }

    /// An input of that time follows.
    fn pass(&mut self, ts: Timestamp, out: &mut Vec<u8>) {
        if let Some(tick) = self.tick.take_if(|tick| ts < *tick) {
            self.write_tick(tick, out);
        }
        self.tick = None;
        self.now = self.now.max(Some(ts));
    }

    fn write_tick(&mut self, ts: Timestamp, out: &mut Vec<u8>) {
        self.now = self.now.max(Some(ts));
        self.entry(Kind::Tick, ts, format_args!("{}", Words(&Input::Tick(ts))), |_| {}, out);
    }

    fn entry(
        &mut self,
        kind: Kind,
        ts: Timestamp,
        words: std::fmt::Arguments<'_>,
        put: impl FnOnce(&mut Writer),
        out: &mut Vec<u8>,
    ) {
        self.writer.bytes.clear();
        self.writer.base = ts;
        put(&mut self.writer);
        write_entry(&mut self.number, kind, ts, words, &mut self.writer, out);
    }
}

/// Makes an entry of what was written.
fn write_entry(
    number: &mut u64,
    kind: Kind,
    ts: Timestamp,
    words: std::fmt::Arguments<'_>,
    writer: &mut Writer,
    out: &mut Vec<u8>,
) {
    let mut header = Writer::default();
    number.put(&mut header);
    kind.put(&mut header);
    ts.nanos().put(&mut header);
    *number += 1;
    entry::write(out, ts, words, [&header.bytes, &writer.bytes]);
    writer.bytes.clear();
}
