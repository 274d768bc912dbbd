//! What is written comes back: input for input, from whole files and from files cut anywhere.

mod entries;
mod frames;
mod made;
mod past;
mod properties;
mod ring;
mod tables;

use std::io::Cursor;

use super::{Packer, Recorder, Setup, Source};
use crate::base::{Mark, Scope, Scrubbed, Timestamp};
use crate::engine::Input;
use crate::journal::{CaptureReader, Damage, Item};
use crate::wire::{Frame, LinkType};

/// What a recorder is given, one after another.
#[derive(Debug, Clone)]
pub(super) enum Given {
    Frame { source: usize, ts: Timestamp, len: u32, bytes: Vec<u8>, gave: Option<Input> },
    Input(Input),
    Mark(Mark),
}

pub(super) const ETHERNET: usize = 0;
pub(super) const ANY: usize = 1;
pub(super) const LINKS: [LinkType; 2] = [LinkType(1), LinkType(276)];
pub(super) const IFACES: [u32; 2] = [7, 0];
pub(super) const SCOPE: Scope = Scope(3);

pub(super) fn setup(payload: u32) -> Setup {
    let source = |name: &str, number: usize| Source {
        name: Scrubbed::new(name),
        filter: Some(Scrubbed::new("tcp port 80")),
        link: LINKS[number],
        snaplen: 256,
        iface: IFACES[number],
        scope: SCOPE,
    };
    Setup {
        sources: vec![source("eth0", ETHERNET), source("any", ANY)],
        payload,
        hardware: Some(Scrubbed::new("x86_64")),
        os: None,
        host: Some(Scrubbed::new("web1")),
    }
}

pub(super) fn frame_of<'a>(source: usize, ts: Timestamp, len: u32, bytes: &'a [u8]) -> Frame<'a> {
    let told = bytes.get(4..8).filter(|_| source == ANY);
    let iface = told.map_or(IFACES[source], |index| u32::from_be_bytes(index.try_into().expect("four bytes")));
    Frame { ts, scope: SCOPE, iface, link: LINKS[source], bytes, len }
}

/// The recording of all that, and where each of its blocks ends that gives something.
pub(super) fn record(payload: u32, given: &[Given]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut recorder, mut packers) = (Recorder::new(setup(payload)), Packer::all(&setup(payload)));
    recorder.begin(Timestamp::from_nanos(5), &mut out);
    for given in given {
        write(&mut recorder, &mut packers, given, &mut out);
    }
    recorder.end(&mut out);
    out
}

pub(super) fn write(recorder: &mut Recorder, packers: &mut [Packer], given: &Given, out: &mut Vec<u8>) {
    match given {
        Given::Frame { source, ts, len, bytes, gave } => {
            let (mut block, frame) = (Vec::new(), frame_of(*source, *ts, *len, bytes));
            packers[*source].pack(&frame, gave.as_ref(), &mut block);
            recorder.frame(&block, gave.as_ref(), out);
        }
        Given::Input(input) => recorder.input(input, out),
        Given::Mark(mark) => recorder.mark(mark, out),
    }
}

/// What comes back, and why it ended.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Back {
    pub(super) inputs: Vec<Input>,
    pub(super) marks: Vec<Mark>,
    pub(super) frames: usize,
    pub(super) foreign: u64,
    pub(super) skipped: u64,
    pub(super) damage: Option<Damage>,
    pub(super) lacks_end: bool,
}

pub(super) fn read(file: &[u8]) -> Back {
    let mut back = Back::default();
    let Ok(mut reader) = CaptureReader::open(Box::new(Cursor::new(file.to_vec()))) else { return back };
    loop {
        match reader.next_item() {
            Ok(Some(Item::Frame(_))) => back.frames += 1,
            Ok(Some(Item::Recorded(_, gave))) => {
                back.frames += 1;
                back.inputs.extend(gave);
            }
            Ok(Some(Item::Input(input))) => back.inputs.push(input),
            Ok(Some(Item::Mark(mark))) => back.marks.push(mark),
            Ok(None) => break,
            Err(damage) => {
                back.damage = Some(damage);
                break;
            }
        }
    }
    back.lacks_end = reader.lacks_end();
    (back.foreign, back.skipped) = (reader.foreign(), reader.skipped());
    back
}

/// What the engine was fed, but for ticks that the next input outdoes: those change nothing.
pub(super) fn telling(inputs: impl IntoIterator<Item = Input>) -> Vec<Input> {
    let mut told: Vec<Input> = Vec::new();
    let (mut now, mut tick) = (None, None);
    for input in inputs {
        if let Input::Tick(ts) = input {
            tick = tick.max(Some(ts));
            continue;
        }
        told.extend(tick.take().filter(|tick| *tick > input.ts() && Some(*tick) > now).map(Input::Tick));
        now = now.max(told.last().map(Input::ts)).max(Some(input.ts()));
        told.push(input);
    }
    told.extend(tick.filter(|tick| Some(*tick) > now).map(Input::Tick));
    told
}

pub(super) fn inputs_of(given: &[Given]) -> Vec<Input> {
    given
        .iter()
        .filter_map(|given| match given {
            Given::Frame { gave, .. } => gave.clone(),
            Given::Input(input) => Some(input.clone()),
            Given::Mark(_) => None,
        })
        .collect()
}
