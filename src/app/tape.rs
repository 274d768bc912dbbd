//! A capture as the player has it: read ahead by a thread, and gone on with from any place that the thread told.

use std::mem;
use std::time::Duration;

use anyhow::Result;
use crossbeam_channel::{RecvTimeoutError, TryRecvError};

use crate::base::Progress;
use crate::engine::Input;
use crate::journal::{Damage, Next, Tape};

use super::origin::Origin;
use super::passed_over::PassedOver;
use super::read::{self, BATCH, Place, Reader, Reading};

/// How long the next of a file is waited for, before somebody else is answered.
const SOON: Duration = Duration::from_millis(1);

/// A capture being read.
#[derive(Debug)]
pub(super) struct CaptureTape {
    pub(super) origin: Origin,
    pub(super) filter: Option<String>,
    pub(super) reader: Reader,
    /// Of a stream, those that have come go on together in here: what one came in is small.
    together: Vec<Input>,
    /// As readers before this one told, who may have come further.
    passed_over: PassedOver,
    /// What has come behind the inputs that were handed on last.
    behind: Option<Reading>,
}

impl CaptureTape {
    /// Opens a capture.
    ///
    /// # Errors
    /// As [`read::start`].
    pub(super) fn open(origin: Origin, filter: Option<String>) -> Result<Self> {
        let reader = read::start(&origin, filter.as_deref(), None)?;
        Ok(Self { reader, together: Vec::new(), origin, filter, passed_over: PassedOver::default(), behind: None })
    }

    /// Its start, if it can be gone back to.
    pub(super) fn start(&self) -> Option<Place> {
        self.reader.start.clone()
    }

    /// What nothing else tells of it, by whichever reader came furthest.
    pub(super) fn passed_over(&self) -> PassedOver {
        self.passed_over.or(self.reader.passed_over())
    }
}

impl CaptureTape {
    fn receive(&mut self, wait: bool) -> Result<Reading, TryRecvError> {
        if let Some(behind) = self.behind.take() {
            return Ok(behind);
        }
        let batches = &self.reader.batches;
        match (wait, self.reader.is_stream) {
            (true, _) => batches.recv().map_err(|_| TryRecvError::Disconnected),
            (false, true) => batches.try_recv(),
            // Who reads a file is never far behind: to sleep would take longer than to be woken.
            (false, false) => batches.recv_timeout(SOON).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
            }),
        }
    }

    /// Of a stream each input comes by itself, so that none is held back: those that have come go on together.
    fn gather(&mut self, mut inputs: Vec<Input>, mut place: Option<Place>) -> Next<Place> {
        if !self.reader.is_stream {
            return Next::Inputs(inputs, place);
        }
        let mut together = mem::take(&mut self.together);
        loop {
            together.append(&mut inputs);
            self.reader.give_back(inputs);
            if place.is_some() || together.len() >= BATCH {
                break;
            }
            match self.reader.batches.try_recv() {
                Ok(Reading::Batch(more, behind)) => (inputs, place) = (more, behind),
                Ok(end) => {
                    self.behind = Some(end);
                    break;
                }
                Err(_) => break,
            }
        }
        Next::Inputs(together, place)
    }
}

impl Tape for CaptureTape {
    type Place = Place;

    fn next(&mut self, wait: bool) -> Next<Place> {
        // Looked at before: what was read until then has come.
        let waits = self.reader.is_waiting();
        match self.receive(wait) {
            Ok(Reading::Batch(inputs, place)) => self.gather(inputs, place),
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
        self.passed_over = self.passed_over();
        let started = read::start(&self.origin, self.filter.as_deref(), Some(place));
        self.reader = started.map_err(|error| format!("{error:#}"))?;
        self.behind = None;
        Ok(())
    }

    fn goes_on(&self) -> bool {
        self.reader.is_stream
    }

    fn progress(&self) -> Option<Progress> {
        self.reader.progress()
    }

    fn give_back(&mut self, mut used: Vec<Input>) {
        if self.reader.is_stream {
            used.clear();
            self.together = used;
        } else {
            self.reader.give_back(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use etherparse::PacketBuilder;

    use super::*;

    /// So many times a SYN, all of one second.
    fn frames(count: usize) -> Vec<u8> {
        let mut syn = Vec::new();
        let headers = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 2], [10, 0, 0, 5], 64);
        headers.tcp(40_000, 80, 100, 1_000).syn().write(&mut syn, &[]).expect("room");
        let len = syn.len() as u32;
        let head = [1, 0, len, len].map(u32::to_le_bytes);
        [head.as_flattened(), &syn].concat().repeat(count)
    }

    #[test]
    fn what_the_inputs_of_a_stream_come_in_stays_small() {
        const HEADER: [u8; 24] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&HEADER).expect("room");
        let mut tape = CaptureTape::open(Origin::Growing(file.path().to_owned()), None).expect("a capture");
        // The second time all is used again that was given back the first time.
        for count in [500, 1_000] {
            file.write_all(&frames(count)).expect("room");
            let mut came = 0;
            while came < count {
                let next = tape.reader.batches.recv_timeout(Duration::from_secs(60));
                let Ok(Reading::Batch(inputs, place)) = next else { panic!("{came} of {count}: {next:?}") };
                assert!(inputs.capacity() <= 16, "room for {} at once", inputs.capacity());
                let Next::Inputs(inputs, _) = tape.gather(inputs, place) else { panic!("inputs") };
                came += inputs.iter().filter(|input| matches!(input, Input::Segment(_))).count();
                tape.give_back(inputs);
            }
            assert_eq!(came, count);
        }
    }
}
