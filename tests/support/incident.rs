//! A small incident, of which tests know numbers and names: its packets in a capture.
//!
//! May touch that capture.
#![allow(dead_code, reason = "each test that includes this file uses its own part of it")]

use std::fs::File;
use std::io::Read;

use sockscope::journal::CaptureReader;

/// The capture: pcap, gzipped.
pub(crate) const INCIDENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/incident.pcap.gz");

/// What is in it, unpacked.
pub(crate) fn incident() -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(INCIDENT).expect("the capture");
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    bytes
}

/// Reads it.
pub(crate) fn reader() -> CaptureReader {
    CaptureReader::open(Box::new(File::open(INCIDENT).expect("the capture"))).expect("a capture")
}
