//! The captures of a corpus, the segments and flows in them, and the key by which tshark's streams are ours.
//!
//! May touch the files of the corpus.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sockscope::base::Endpoint;
use sockscope::engine::{Config, Engine, FlowDetail, FlowId, Input};
use sockscope::journal::CaptureReader;
use sockscope::wire::{Decoded, Decoder, Segment};

/// The two ends, the lower first, and which incarnation it is.
pub(crate) type Key = (Endpoint, Endpoint, usize);

/// The captures in a folder that have a table with this ending beside them, each with it.
pub(crate) fn captures_with(dir: &Path, table: &str) -> Vec<(PathBuf, PathBuf)> {
    let beside = |capture: &Path| PathBuf::from(format!("{}{table}", capture.display()));
    let pairs = captures(dir).into_iter().map(|capture| (beside(&capture), capture));
    pairs.filter(|(table, _)| table.is_file()).map(|(table, capture)| (capture, table)).collect()
}

/// Every capture in a folder.
pub(crate) fn captures(dir: &Path) -> Vec<PathBuf> {
    const NOT_CAPTURES: [&str; 5] = ["tsv", "log", "csv", "json", "py"];
    let mut captures: Vec<_> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.is_file() && path.extension().is_none_or(|end| !NOT_CAPTURES.iter().any(|no| end == *no)))
        .collect();
    captures.sort();
    captures
}

/// What can be decoded of a capture, damage or not; none of what is no capture.
pub(crate) fn segments(capture: &Path) -> Vec<Segment> {
    let Ok(mut reader) = CaptureReader::open(Box::new(File::open(capture).expect("a file"))) else { return Vec::new() };
    let mut decoder = Decoder::default();
    let mut segments = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => {
                if let Decoded::Tcp(segment) = decoder.decode(&frame) {
                    segments.push(segment);
                }
            }
            Ok(None) => return segments,
            Err(_damage) => {}
        }
    }
}

/// Our flows in order of first appearance.
pub(crate) fn flows(capture: &Path) -> Vec<(Key, FlowDetail)> {
    let mut engine = Engine::new(Config::replay(1_000_000, 1));
    segments(capture).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
    let mut seen = HashMap::new();
    let details = (0..).map_while(|id| engine.detail(FlowId(id)));
    details.map(|flow| (key(&mut seen, flow.row.orig.endpoint, flow.row.resp.endpoint), flow)).collect()
}

/// The key of the next stream between these ends.
pub(crate) fn key(seen: &mut HashMap<(Endpoint, Endpoint), usize>, a: Endpoint, b: Endpoint) -> Key {
    let ends = (a.min(b), a.max(b));
    let before = seen.entry(ends).or_default();
    *before += 1;
    (ends.0, ends.1, *before)
}
