//! A capture as the player has it: read ahead by a thread, and gone on with from any place that the thread told.

use anyhow::Result;
use crossbeam_channel::TryRecvError;

use crate::engine::Input;
use crate::journal::{Damage, Next, Tape};

use super::origin::Origin;
use super::read::{self, Place, Reader, Reading};

/// A capture being read.
#[derive(Debug)]
pub(super) struct CaptureTape {
    pub(super) origin: Origin,
    pub(super) filter: Option<String>,
    pub(super) reader: Reader,
}

impl CaptureTape {
    /// Opens a capture.
    ///
    /// # Errors
    /// As [`read::start`].
    pub(super) fn open(origin: Origin, filter: Option<String>) -> Result<Self> {
        Ok(Self { reader: read::start(&origin, filter.as_deref(), None)?, origin, filter })
    }

    /// Its start, if it can be gone back to.
    pub(super) fn start(&self) -> Option<Place> {
        self.reader.start.clone()
    }
}

impl Tape for CaptureTape {
    type Place = Place;

    fn next(&mut self, wait: bool) -> Next<Place> {
        let message = if wait {
            self.reader.batches.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            self.reader.batches.try_recv()
        };
        match message {
            Ok(Reading::Batch(inputs, place)) => Next::Inputs(inputs, place),
            Ok(Reading::End(damage)) => Next::End(damage),
            Err(TryRecvError::Empty) => Next::NotYet,
            Err(TryRecvError::Disconnected) => {
                let reason = "the reading thread died".to_owned();
                Next::End(Some(Damage { file: 0, offset: 0, reason, decompressed: false }))
            }
        }
    }

    fn go(&mut self, place: &Place) -> Result<(), String> {
        let started = read::start(&self.origin, self.filter.as_deref(), Some(place));
        self.reader = started.map_err(|error| format!("{error:#}"))?;
        Ok(())
    }

    fn give_back(&mut self, used: Vec<Input>) {
        self.reader.give_back(used);
    }
}
