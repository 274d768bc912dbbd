//! Captures: how they are opened, and the thread of one: frames → inputs and, where a recording wants them, its blocks
//! beside them.

use std::time::Duration;

use anyhow::Result;

use crate::base::{Scope, Scrubbed, Timestamp};
use crate::engine::Input;
use crate::io::capture::{CaptureError, CaptureSettings, LiveCapture};
use crate::io::clock;
use crate::journal::Intake;
use crate::journal::recording::{Packer, Source};

use super::line::Line;
use super::privileges;
use super::record::Keep;

/// A packet is handed over at most this long after it was stamped: the capture's timeout, and a machine that is busy.
const SETTLE: Duration = Duration::from_millis(100);

/// The captures that could be opened, with their settings, and why the last of the others was refused.
pub(super) struct Opened {
    pub(super) captures: Vec<LiveCapture>,
    pub(super) settings: Vec<CaptureSettings>,
    pub(super) refused: Option<CaptureError>,
}

/// Opens what can be captured on; if `strict`, all of it or none.
///
/// # Errors
/// As [`super::live::Live::start`].
pub(super) fn open(wanted: &[CaptureSettings], strict: bool) -> Result<Opened> {
    let mut opened = Opened { captures: Vec::new(), settings: Vec::new(), refused: None };
    for settings in wanted {
        match LiveCapture::open(settings) {
            Ok(capture) => {
                opened.captures.push(capture);
                opened.settings.push(settings.clone());
            }
            Err(error @ CaptureError::NotPermitted { .. }) if strict => return Err(privileges::refused(error)),
            Err(error) if strict || matches!(error, CaptureError::Filter { .. }) => return Err(error.into()),
            Err(error) => opened.refused = Some(error),
        }
    }
    Ok(opened)
}

/// What a recording tells of a capture.
pub(super) fn place((settings, capture): (&CaptureSettings, &LiveCapture)) -> Source {
    Source {
        name: Scrubbed::new(&settings.device),
        filter: settings.filter.as_deref().map(Scrubbed::new),
        link: capture.link(),
        snaplen: settings.snaplen,
        iface: capture.index(),
        scope: Scope::default(),
    }
}

/// Follows a capture until the end.
pub(super) fn follow(mut capture: LiveCapture, mut packer: Packer, keep: &Keep, line: &Line) -> Result<()> {
    // What the capture lost, as it was told last.
    let mut told = (0, 0);
    let mut batch = Vec::new();
    // As large as the last: a batch of any rate rarely grows, and takes no more memory than it needs.
    let mut room = (0, 0);
    let mut intake = Intake::default();
    while !line.stopped() {
        let before = clock::now();
        let mut keeping = keep.begin(room.0, room.1);
        capture.read(|frame| {
            let had = batch.len();
            intake.take(frame, &mut batch);
            if let Some(keeping) = &mut keeping {
                keeping.keep(&mut packer, frame, &batch[had..]);
            }
        })?;
        // Asked for after the frames were taken and told before them: whatever is missing in front of them is in it.
        told = line.tell_drops(&mut capture, told);
        let newest = batch.last().map(Input::ts);
        let upto = (before - SETTLE).max(newest.unwrap_or(Timestamp::MIN));
        let next = line.batch(batch.len());
        let inputs = std::mem::replace(&mut batch, next);
        let kept = keeping.map(|keeping| keep.send(keeping));
        room = kept.as_ref().map_or((0, 0), |kept| (kept.frames.bytes(), kept.frames.len()));
        if !line.hand_batch(inputs, kept, upto, intake.counts(), keep) {
            return Ok(());
        }
    }
    line.tell_drops(&mut capture, told);
    Ok(())
}
