//! Recordings of a live run: what is kept for them, where they go, how they end, and the command that only records.

mod command;
mod first;
mod keep;
mod recorded;
mod recording;
mod save;
mod tape;
mod watch;
mod writer;

pub(super) use command::run;
pub(super) use keep::{Keep, KeptFrames};
pub(super) use recorded::Recorded;
pub(super) use tape::{Tape, Wanted};

use std::io::Write;

use anyhow::Result;

use super::Outcome;
use crate::io::clock;

/// Says how recordings ended beside which something else was shown; one that failed is an error of its own.
pub(super) fn tell(recorded: &[Recorded], shown: Result<Outcome>) -> Result<Outcome> {
    let outcome = shown?;
    for recorded in recorded {
        if recorded.failed.is_some() {
            anyhow::bail!("{}", recorded.words());
        }
        writeln!(std::io::stderr(), "sockscope: {}", recorded.words())?;
    }
    Ok(outcome)
}

/// The instant in a file's name.
fn stamp() -> String {
    super::screen::file_stamp(clock::now())
}
