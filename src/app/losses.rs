//! What the captures of a live run lost, and what became of their frames: how much so far, and when it is to be told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::base::Timestamp;
use crate::engine::Loss;
use crate::wire::FrameCounts;

/// How often counts are told where nothing was lost; what was lost is told at once.
const EVERY: Duration = Duration::from_millis(250);

/// The losses of all captures.
#[derive(Debug)]
pub(super) struct Losses {
    captures: Vec<Capture>,
    ours: Arc<AtomicU64>,
    /// When they were told last, and what was lost then: by the kernel, the interface, us.
    told: Instant,
    lost: [u64; 3],
}

#[derive(Debug, Clone, Copy, Default)]
struct Capture {
    kernel: u64,
    interface: u64,
    frames: FrameCounts,
}

impl Losses {
    /// Of so many captures, which lost nothing yet.
    pub(super) fn of(captures: usize) -> Self {
        Self { captures: vec![Capture::default(); captures], ours: Arc::default(), told: Instant::now(), lost: [0; 3] }
    }

    /// How many captures there are.
    pub(super) const fn captures(&self) -> usize {
        self.captures.len()
    }

    /// Where inputs are counted that are dropped on their way to the engine.
    pub(super) fn ours(&self) -> Arc<AtomicU64> {
        self.ours.clone()
    }

    /// What became of the frames of a capture so far.
    pub(super) fn count(&mut self, capture: usize, frames: FrameCounts) {
        self.captures[capture].frames = frames;
    }

    /// How many the kernel and the interface dropped of a capture so far.
    pub(super) fn dropped(&mut self, capture: usize, kernel: u64, interface: u64) {
        let capture = &mut self.captures[capture];
        (capture.kernel, capture.interface) = (kernel, interface);
    }

    /// By the kernel, the interface, us.
    fn lost(&self) -> [u64; 3] {
        let sum = |field: fn(&Capture) -> u64| self.captures.iter().map(field).sum();
        [sum(|capture| capture.kernel), sum(|capture| capture.interface), self.ours.load(Ordering::Relaxed)]
    }

    /// Whether more was lost than was told.
    pub(super) fn are_new(&self) -> bool {
        self.lost() != self.lost
    }

    /// Whether they are to be told.
    pub(super) fn are_due(&self) -> bool {
        self.told.elapsed() >= EVERY || self.are_new()
    }

    /// All of it so far, as of `ts`; `None` without a capture.
    pub(super) fn so_far(&self, ts: Timestamp) -> Option<Loss> {
        let (first, others) = self.captures.split_first()?;
        let frames = others.iter().fold(first.frames, |sum, capture| sum.plus(&capture.frames));
        let [kernel, interface, ours] = self.lost();
        Some(Loss { ts, kernel: Some(kernel), interface: Some(interface), ours, frames })
    }

    /// The same, which is told herewith.
    pub(super) fn tell(&mut self, ts: Timestamp) -> Option<Loss> {
        (self.told, self.lost) = (Instant::now(), self.lost());
        self.so_far(ts)
    }

    /// Counts alone are not due for long.
    #[cfg(test)]
    pub(super) fn put_off(&mut self) {
        self.told = Instant::now() + 1_000 * EVERY;
    }
}
