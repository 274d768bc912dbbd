//! What the threads of a live run deliver, and the line on which they do: bounded, so that whoever does not get through
//! drops and counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::base::Timestamp;
use crate::engine::Input;
use crate::io::capture::LiveCapture;
use crate::kernel::SocketSample;
use crate::wire::FrameCounts;

use super::record::{Keep, KeptFrames};

/// What the threads deliver, with the number of their source.
#[derive(Debug)]
pub(super) enum Delivery {
    Inputs { source: usize, inputs: Vec<Input>, kept: Option<KeptFrames>, upto: Timestamp, frames: FrameCounts },
    Drops { source: usize, kernel: u64, interface: u64 },
    Sample { source: usize, sample: Arc<SocketSample>, fallback: Option<String> },
    Events { source: usize, inputs: Vec<Input>, upto: Timestamp },
    Died { source: usize, why: String },
}

/// A thread's line to the engine.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) source: usize,
    pub(super) send: Sender<Delivery>,
    pub(super) stop: Arc<AtomicBool>,
    /// Inputs that were dropped on the way.
    pub(super) ours: Arc<AtomicU64>,
    /// Batches that were taken in come back, to be filled again.
    pub(super) spare: Receiver<Vec<Input>>,
}

impl Line {
    /// An empty batch, with room for as many inputs as the one before.
    pub(super) fn batch(&self, room: usize) -> Vec<Input> {
        self.spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(room))
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends what was traced up to an instant, and gives back what the engine cannot take now; `None` once nobody
    /// listens.
    pub(super) fn hand_over(&self, inputs: Vec<Input>, upto: Timestamp) -> Option<Vec<Input>> {
        match self.send.try_send(Delivery::Events { source: self.source, inputs, upto }) {
            Ok(()) => Some(Vec::new()),
            Err(TrySendError::Full(Delivery::Events { inputs, .. })) => Some(inputs),
            Err(_) => None,
        }
    }

    /// Sends a reading of the socket table, and why it is a lesser one. False once nobody listens.
    pub(super) fn tell_sample(&self, sample: SocketSample, fallback: Option<String>) -> bool {
        self.offer(Delivery::Sample { source: self.source, sample: Arc::new(sample), fallback })
    }

    /// Sends a batch of inputs with the frames that were kept beside them, or drops and counts both where the engine
    /// does not follow. False once nobody listens.
    pub(super) fn hand_batch(
        &self,
        inputs: Vec<Input>,
        kept: Option<KeptFrames>,
        upto: Timestamp,
        frames: FrameCounts,
        keep: &Keep,
    ) -> bool {
        match self.send.try_send(Delivery::Inputs { source: self.source, inputs, kept, upto, frames }) {
            Ok(()) => true,
            Err(TrySendError::Full(Delivery::Inputs { inputs, kept, .. })) => {
                let told_with_segments = |input: &&Input| matches!(input, Input::Name(_) | Input::Dns(_));
                let lost = inputs.iter().filter(|input| !told_with_segments(input)).count();
                self.ours.fetch_add(lost as u64, Ordering::Relaxed);
                kept.into_iter().for_each(|kept| keep.drop_batch(kept));
                true
            }
            Err(_) => false,
        }
    }

    /// Tells what the kernel and the interface dropped so far, where that is other than what was `told` last; what is
    /// told now.
    pub(super) fn tell_drops(&self, capture: &mut LiveCapture, told: (u64, u64)) -> (u64, u64) {
        let dropped = capture.dropped().filter(|dropped| *dropped != told);
        let Some((kernel, interface)) = dropped else { return told };
        match self.send.try_send(Delivery::Drops { source: self.source, kernel, interface }) {
            Ok(()) => (kernel, interface),
            // As soon as the engine follows.
            Err(_) => told,
        }
    }

    /// Says that its thread has died.
    pub(super) fn tell_death(&self, why: String) {
        let _nobody_waits = self.send.send(Delivery::Died { source: self.source, why });
    }

    /// Sends what is not missed where the engine does not follow. False once nobody listens.
    fn offer(&self, delivery: Delivery) -> bool {
        !matches!(self.send.try_send(delivery), Err(TrySendError::Disconnected(_)))
    }
}
