//! What is told of a recording: how it stands, and how it ended.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::units::{bytes, count};
use crate::engine::Loss;
use crate::io::file;

/// How a recording stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::app) struct Tally {
    /// `None` of a ring in memory.
    pub(in crate::app) file: Option<PathBuf>,
    /// Frames that were captured while it ran: each is written, lost, or on its way.
    pub(in crate::app) came: u64,
    pub(in crate::app) written: u64,
    pub(in crate::app) lost: u64,
    pub(in crate::app) bytes: u64,
    pub(in crate::app) took: Duration,
}

impl Tally {
    /// The same, with further frames that came and were lost on the way.
    pub(super) fn and_lost(self, lost: u64) -> Self {
        Self { came: self.came + lost, lost: self.lost + lost, ..self }
    }

    /// The file as it is told to people.
    pub(in crate::app) fn name(&self) -> String {
        match &self.file {
            Some(path) if file::is_stdout(path) => "stdout".to_owned(),
            Some(path) => crate::base::scrub(&path.display().to_string()),
            None => "memory".to_owned(),
        }
    }

    /// As tcpdump sums up, a line each; `loss` is what the capture lost in all. Of a ring no file is told.
    pub(super) fn summary(&self, loss: Option<&Loss>) -> String {
        let Self { came, written, lost, bytes: size, took, .. } = self;
        let held = || format!("{written} packets in {} ({}, {:.1} s)", self.name(), bytes(*size), took.as_secs_f64());
        let lines = [
            Some(format!("{came} packets captured")),
            self.file.as_ref().map(|_| held()),
            Some(format!("{lost} packets lost by sockscope")),
            loss.and_then(|loss| loss.kernel).map(|kernel| format!("{kernel} packets dropped by kernel")),
            loss.and_then(|loss| loss.interface).map(|nic| format!("{nic} packets dropped by interface")),
        ];
        lines.into_iter().flatten().map(|line| line + "\n").collect()
    }

    /// `12 s, 1,234 packets, 1.2 MB`, and what was lost, if anything was.
    pub(in crate::app) fn words(&self) -> String {
        let Self { written, lost, bytes: size, took, .. } = self;
        let lost = if *lost > 0 { format!(", {} lost", count(*lost)) } else { String::new() };
        format!("{:.0} s, {} packets, {}{lost}", took.as_secs_f64(), count(*written), bytes(*size))
    }
}

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Recorded {
    pub(in crate::app) tally: Tally,
    /// Why it stopped of itself, if it did.
    pub(in crate::app) failed: Option<String>,
}

impl Recorded {
    /// In one line.
    pub(in crate::app) fn words(&self) -> String {
        let (name, words) = (self.tally.name(), self.tally.words());
        match &self.failed {
            Some(why) => format!("{name}: {why}: the recording stopped; in it: {words}"),
            None => format!("recorded {name}: {words}"),
        }
    }
}
