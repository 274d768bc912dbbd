//! A capture as the player has it: read ahead by a thread, and gone on with from any place that the thread told.

use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{RecvTimeoutError, TryRecvError};

use crate::base::Progress;
use crate::engine::Input;
use crate::journal::{Damage, Next, Tape};

use super::origin::Origin;
use super::read::{self, Place, Reader, Reading};

/// How long the next of a file is waited for, before somebody else is answered.
const SOON: Duration = Duration::from_millis(1);

/// A capture being read.
#[derive(Debug)]
pub(super) struct CaptureTape {
    pub(super) origin: Origin,
    pub(super) filter: Option<String>,
    pub(super) reader: Reader,
    /// What readers before this one passed over, who may have come further, and whether one found no end.
    passed_over: [u64; 2],
    cut_off: bool,
}

impl CaptureTape {
    /// Opens a capture.
    ///
    /// # Errors
    /// As [`read::start`].
    pub(super) fn open(origin: Origin, filter: Option<String>) -> Result<Self> {
        Ok(Self {
            reader: read::start(&origin, filter.as_deref(), None)?,
            origin,
            filter,
            passed_over: [0; 2],
            cut_off: false,
        })
    }

    /// Its start, if it can be gone back to.
    pub(super) fn start(&self) -> Option<Place> {
        self.reader.start.clone()
    }

    /// Which journal entries in it are not told, and that a recording lacks its end, in words.
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> + use<> {
        const FOREIGN: &str = "of another program's journal: passed over";
        const SKIPPED: &str = "of the recording not told, since another was taken out of the file";
        const CUT_OFF: &str = "the recording was not ended: it was cut off or is still being written, or its writer was \
                               killed or stopped by a full disk; all that is there was used";
        let told = |(count, what)| match count {
            0 => None,
            1 => Some(format!("1 entry {what}")),
            count => Some(format!("{count} entries {what}")),
        };
        let [foreign, skipped] = self.most_passed_over();
        let cut_off = self.is_cut_off().then(|| CUT_OFF.to_owned());
        [(foreign, FOREIGN), (skipped, SKIPPED)].into_iter().filter_map(told).chain(cut_off)
    }

    fn is_cut_off(&self) -> bool {
        self.cut_off || self.reader.is_cut_off()
    }

    fn most_passed_over(&self) -> [u64; 2] {
        let (now, before) = (self.reader.passed_over(), self.passed_over);
        [now[0].max(before[0]), now[1].max(before[1])]
    }
}

impl Tape for CaptureTape {
    type Place = Place;

    fn next(&mut self, wait: bool) -> Next<Place> {
        // Looked at before: what was read until then has come.
        let waits = self.reader.is_waiting();
        let batches = &self.reader.batches;
        let message = match (wait, self.origin.is_stream()) {
            (true, _) => batches.recv().map_err(|_| TryRecvError::Disconnected),
            (false, true) => batches.try_recv(),
            // Who reads a file is never far behind: to sleep would take longer than to be woken.
            (false, false) => batches.recv_timeout(SOON).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
            }),
        };
        match message {
            Ok(Reading::Batch(inputs, place)) => Next::Inputs(inputs, place),
            Ok(Reading::End(damage)) => Next::End(damage),
            Err(TryRecvError::Empty) if waits => Next::NoMore,
            Err(TryRecvError::Empty) => Next::NotYet,
            Err(TryRecvError::Disconnected) => {
                let reason = "the reading thread died".to_owned();
                Next::End(Some(Damage { file: 0, offset: 0, reason, decompressed: false }))
            }
        }
    }

    fn go(&mut self, place: &Place) -> Result<(), String> {
        (self.passed_over, self.cut_off) = (self.most_passed_over(), self.is_cut_off());
        let started = read::start(&self.origin, self.filter.as_deref(), Some(place));
        self.reader = started.map_err(|error| format!("{error:#}"))?;
        Ok(())
    }

    fn goes_on(&self) -> bool {
        self.origin.is_stream()
    }

    fn progress(&self) -> Option<Progress> {
        self.reader.progress()
    }

    fn give_back(&mut self, used: Vec<Input>) {
        self.reader.give_back(used);
    }
}
