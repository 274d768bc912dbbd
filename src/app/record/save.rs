//! What is kept of the past → a recording, after the fact, by a thread of its own.
//!
//! No frame is kept for so long: the headers of each are made anew from its segment, and the interface's name says so.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::base::{Mark, Scope, Scrubbed, Timestamp};
use crate::engine::{Input, Loss};
use crate::journal::recording::{Packer, Setup, Source};
use crate::journal::{Lost, Packed, Past, PastPlace};
use crate::wire::{FrameCounts, Segment};

use super::recorded::Recorded;
use super::recording::Recording;
use super::writer::Writer;

/// How long to wait for the disk before one looks again.
const REST: Duration = Duration::from_millis(1);

/// Where a segment was captured, and on which interface: a source of the recording each, so that none need tell it.
type Point = (Scope, u32);

/// What is kept of the past.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) past: Past,
    /// What an engine must know that sees nothing before it.
    pub(super) first: Vec<Input>,
    /// In order of time.
    pub(super) marks: Vec<Mark>,
}

impl Kept {
    /// In the order that the engine saw; a tick stands for each reading.
    fn inputs(&self) -> impl Iterator<Item = Input> {
        self.past.since(0)
    }

    fn segments(&self) -> impl Iterator<Item = Segment> {
        self.inputs().filter_map(|input| if let Input::Segment(segment) = input { Some(segment) } else { None })
    }

    /// What was lost before the first of these inputs, as far as they tell, and those before them told.
    fn lost_before(&self) -> Lost {
        let is_from_start = self.past.span().0 == 0;
        let told = |(at, input): (usize, Input)| if let Input::Loss(loss) = input { Some((at, *loss)) } else { None };
        let first = self.inputs().enumerate().find_map(told).filter(|_| !is_from_start);
        let loss = first.map(|(at, first)| {
            // Frames among them came before that was told.
            let came = self.inputs().take(at).filter(|input| matches!(input, Input::Segment(_))).count() as u64;
            Loss { frames: first.frames.since(&FrameCounts::default().at_least(came, came)), ..first }
        });
        Lost { loss, ..self.past.lost_before() }
    }

    /// What the recording tells of itself: as `setup`, but for where its frames are from.
    fn setup(&self, setup: &Setup) -> Setup {
        let mut points: BTreeSet<Point> = self.segments().map(|segment| point(&segment)).collect();
        if points.is_empty() {
            points.insert(Point::default());
        }
        let source = |(scope, iface): Point| {
            let captured = setup.sources.iter().find(|source| (source.scope, source.iface) == (scope, iface));
            let of = captured.map_or_else(|| format!("interface {iface}"), |source| source.name.to_string());
            let name = Scrubbed::new(&format!("{of}: kept by --rewind, headers made anew"));
            Source { name, filter: None, link: Segment::REBUILT, snaplen: 0, iface, scope }
        };
        Setup { sources: points.into_iter().map(source).collect(), payload: 0, ..setup.clone() }
    }
}

const fn point(segment: &Segment) -> Point {
    (segment.scope, segment.iface)
}

/// A recording that is being written.
#[derive(Debug)]
pub(super) struct Saving(JoinHandle<Recorded>);

impl Saving {
    /// Begins to write what is kept of a run with that setup.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub(super) fn begin(writer: Writer, setup: Setup, kept: Kept) -> Result<Self> {
        let run = move || write(writer, &setup, &kept);
        Ok(Self(thread::Builder::new().name("saver".to_owned()).spawn(run).context("cannot start a thread")?))
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until it is written; `None` where the thread died, of which a panic has told.
    pub(super) fn wait(self) -> Option<Recorded> {
        self.0.join().ok()
    }
}

fn write(writer: Writer, setup: &Setup, kept: &Kept) -> Recorded {
    let setup = kept.setup(setup);
    let points = setup.sources.iter().map(|source| (source.scope, source.iface));
    let mut packers: BTreeMap<Point, Packer> = points.zip(Packer::all(&setup)).collect();
    let mut recording = Recording::into_file(writer, setup, &kept.first, kept.lost_before());
    let (mut block, mut marks) = (Vec::new(), kept.marks.iter().peekable());
    let (first, end) = kept.past.span();
    let mut place = PastPlace::before(first);
    while place.next() < end {
        kept.past.read(&mut place, |input| {
            // Nothing is lost for a disk that is slow: this thread has time.
            while !recording.has_room() && recording.failed().is_none() {
                thread::sleep(REST);
            }
            while let Some(mark) = marks.next_if(|mark| mark.ts < input.ts()) {
                recording.mark(mark);
            }
            match input {
                Input::Segment(segment) => {
                    block.clear();
                    if let Some(packer) = packers.get_mut(&point(segment)) {
                        packer.pack_anew(segment, &mut block);
                    }
                    recording.frame(&Packed { ts: segment.ts, block: &block }, Some(input));
                }
                Input::Loss(loss) => recording.loss(loss),
                other => recording.input(other),
            }
        });
    }
    marks.for_each(|mark| recording.mark(mark));
    let at = |number: u64| kept.past.since(number).next().map_or(Timestamp::MIN, |input| input.ts());
    recording.end_as_of(at(end.saturating_sub(1)).since(at(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{CaptureReader, Item};
    use crate::wire::{Decoder, Frame, LinkType};

    const ETHERNET: u16 = 1;
    const RAW: u16 = 101;

    /// What a frame gives whose datagram is an IPv6 header with that length field and 20 bytes of TCP.
    fn input(iface: u32, link: u16, len: [u8; 2], on_wire: u32) -> Input {
        let mut bytes = if link == RAW { vec![] } else { [&[2; 12][..], &[0x86, 0xdd]].concat() };
        bytes.extend([0x60, 0, 0, 0, len[0], len[1], 6, 64].iter().chain(&[7; 32]));
        bytes.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 1, 2, 9, 9, 0, 0]);
        let ts = Timestamp::from_nanos(1_700_000_000_000_000_000);
        let frame = Frame { ts, scope: Scope(4), iface, link: LinkType(link), bytes: &bytes, len: on_wire };
        Input::of(&Decoder::default().decode(&frame)).expect("a segment")
    }

    /// The file's bytes, and the inputs that come back with the lengths of their packets on the wire.
    fn saved(inputs: &[Input]) -> (usize, Vec<(Input, u32)>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("past.pcapng");
        let mut kept = Kept { past: Past::default(), first: Vec::new(), marks: Vec::new() };
        kept.past.extend(inputs);
        let saving = Saving::begin(Writer::start(&file, false).unwrap(), Setup::default(), kept).unwrap();
        let recorded = saving.wait().expect("it does not die");
        assert_eq!((recorded.failed, recorded.tally.written), (None, inputs.len() as u64));
        let mut reader = CaptureReader::open(Box::new(std::fs::File::open(&file).unwrap())).unwrap();
        let mut back = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Recorded(frame, Some(gave)) = item else { panic!("a frame that gives a segment") };
            back.push((gave, frame.len));
        }
        (std::fs::metadata(&file).unwrap().len() as usize, back)
    }

    #[test]
    fn what_was_kept_comes_back_as_it_was() {
        let (short, none) = (500_u16.to_be_bytes(), [0, 0]);
        for (what, link, len, on_wire, expected) in [
            ("Ethernet", ETHERNET, short, 554, 554),
            ("cut short", ETHERNET, short, 100, 100),
            ("raw IP", RAW, short, 540, 554),
            ("BIG TCP", ETHERNET, none, 80_000, 80_000),
            ("raw BIG TCP", RAW, none, 80_000, 80_014),
        ] {
            let inputs: Vec<Input> = [0, 7, 0, 9].iter().map(|iface| input(*iface, link, len, on_wire)).collect();
            let expected: Vec<_> = inputs.iter().cloned().zip([expected; 4]).collect();
            assert_eq!(saved(&inputs).1, expected, "{what}");
        }
    }

    #[test]
    fn marks_stand_where_they_were_set() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("past.pcapng");
        let segment = |millis: i64| match input(0, ETHERNET, 500_u16.to_be_bytes(), 554) {
            Input::Segment(segment) => {
                Input::Segment(Segment { ts: Timestamp::from_nanos(millis * 1_000_000), ..segment })
            }
            other => panic!("{other:?}"),
        };
        let mark = |millis: i64| Mark { ts: Timestamp::from_nanos(millis * 1_000_000), note: Scrubbed::new("oh") };
        let marks = vec![mark(10), mark(15), mark(30), mark(31)];
        let mut kept = Kept { past: Past::default(), first: Vec::new(), marks };
        [10, 20, 30].into_iter().for_each(|millis| kept.past.extend(&[segment(millis)]));
        let saving = Saving::begin(Writer::start(&file, false).unwrap(), Setup::default(), kept).unwrap();
        assert_eq!(saving.wait().expect("it does not die").failed, None);
        let mut reader = CaptureReader::open(Box::new(std::fs::File::open(&file).unwrap())).unwrap();
        let mut told = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            told.push(match item {
                Item::Recorded(frame, _) => ("frame", frame.ts.nanos() / 1_000_000),
                Item::Mark(mark) => ("mark", mark.ts.nanos() / 1_000_000),
                other => panic!("{other:?}"),
            });
        }
        let frames =
            [("frame", 10), ("mark", 10), ("mark", 15), ("frame", 20), ("frame", 30), ("mark", 30), ("mark", 31)];
        assert_eq!(told, frames);
    }

    #[test]
    fn no_segment_tells_what_its_source_tells() {
        let size = |iface: u32| saved(&vec![input(iface, ETHERNET, 500_u16.to_be_bytes(), 554); 100]).0;
        assert_eq!(size(7), size(0));
    }
}
