//! Every capture of a corpus as a live run would have seen it, recorded without payload and read back: the very same
//! inputs, from whatever link, tunnel or fragments.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`.
#![allow(clippy::print_stdout, reason = "what was recorded is what a reader of this test wants")]

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use sockscope::base::{Scope, Scrubbed};
use sockscope::engine::Input;
use sockscope::journal::recording::{Packer, Recorder, Setup, Source};
use sockscope::journal::{CaptureReader, Intake, Item};

#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/skip.rs"]
mod skip;

/// Captures longer than this are recorded so far.
const MOST: usize = 50_000;

#[test]
fn every_capture_comes_back_as_it_was_recorded() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        skip::skip("SOCKSCOPE_CORPUS is not set");
        return;
    };
    let (mut captured, mut written, mut frames) = (0, 0, 0);
    for path in corpus::captures(&Path::new(&corpus).join("dev")) {
        let Some(recorded) = record(&path) else { continue };
        frames += recorded.frames;
        captured += recorded.captured;
        written += recorded.file.len();
        assert!(inputs(recorded.file) == recorded.fed, "{}", path.display());
    }
    println!("{frames} frames: {captured} bytes were captured, {written} are recorded");
    assert!(frames > 10_000, "{frames}");
}

struct Recorded {
    file: Vec<u8>,
    /// What an engine was fed.
    fed: Vec<Input>,
    frames: usize,
    captured: usize,
}

/// Records a capture: its interfaces are the sources.
fn record(path: &Path) -> Option<Recorded> {
    let open = || CaptureReader::open(Box::new(File::open(path).expect("a file")));
    let mut reader = open().ok()?;
    while let Ok(Some(_)) = reader.next_frame() {}
    let sources = reader.interfaces().iter().zip(0..).map(|(interface, iface)| Source {
        name: interface.name.clone().unwrap_or_else(|| Scrubbed::new("?")),
        filter: None,
        link: interface.link,
        snaplen: interface.snaplen.unwrap_or(0),
        iface,
        scope: Scope::FILE,
    });
    let setup = Setup { sources: sources.collect(), ..Setup::default() };
    let (mut packers, mut recorder) = (Packer::all(&setup), Recorder::new(setup));
    let mut recorded = Recorded { file: Vec::new(), fed: Vec::new(), frames: 0, captured: 0 };
    let (mut reader, mut intake, mut begun) = (open().ok()?, Intake::default(), false);
    while let Ok(Some(frame)) = reader.next_frame() {
        if !std::mem::replace(&mut begun, true) {
            recorder.begin(frame.ts, &mut recorded.file);
        }
        let mut inputs = Vec::new();
        intake.take(&frame, &mut inputs);
        let own = inputs.first().is_some_and(Input::is_frames_own);
        let (gave, others) = inputs.split_at(own.into());
        let mut block = Vec::new();
        packers[frame.iface as usize].pack(&frame, gave.first(), &mut block);
        recorder.frame(&block, gave.first(), &mut recorded.file);
        others.iter().for_each(|input| recorder.input(input, &mut recorded.file));
        recorded.captured += frame.bytes.len();
        recorded.fed.append(&mut inputs);
        recorded.frames += 1;
        if recorded.frames == MOST {
            break;
        }
    }
    recorder.end(&mut recorded.file);
    Some(recorded)
}

fn inputs(file: Vec<u8>) -> Vec<Input> {
    let Ok(mut reader) = CaptureReader::open(Box::new(Cursor::new(file))) else { return Vec::new() };
    let mut inputs = Vec::new();
    while let Some(item) = reader.next_item().expect("no damage") {
        match item {
            Item::Recorded(_, gave) => inputs.extend(gave),
            Item::Input(input) => inputs.push(input),
            Item::Mark(_) | Item::Frame(_) => panic!("no such thing was written"),
        }
    }
    inputs
}
