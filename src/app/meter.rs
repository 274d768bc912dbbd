//! A bar on stderr while a long file is read, where stderr is a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::base::Progress;

/// A file that is read sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);
const EVERY: Duration = Duration::from_millis(100);
const CELLS: u64 = 24;

/// The bar. Dropping it takes it off the screen.
#[derive(Debug)]
pub(super) struct Meter {
    /// `None` where nobody would see it.
    next: Option<Instant>,
    drawn: bool,
}

impl Meter {
    pub(super) fn new() -> Self {
        let seen = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { next: seen.then(|| Instant::now() + PATIENCE), drawn: false }
    }

    /// Draws it anew when that is due.
    pub(super) fn show(&mut self, progress: impl FnOnce() -> Option<Progress>) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + EVERY);
        if let Some(progress) = progress() {
            let full = (progress.percent() * CELLS / 100) as usize;
            let (full, rest) = ("█".repeat(full), "░".repeat(CELLS as usize - full));
            self.put(&format!("\r{full}{rest} {}\x1b[K", progress.words()));
            self.drawn = true;
        }
    }

    fn put(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _unseen = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.drawn {
            self.put("\r\x1b[K");
        }
    }
}
