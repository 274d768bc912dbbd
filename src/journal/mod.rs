//! Captures and recordings ↔ inputs: capture files and recordings in order, from any `Read`; frames → inputs; inputs →
//! a recording's blocks.
//!
//! May touch `base`, `wire`, `names`, `kernel` and `engine`; no wall clock and no terminal. Read first:
//! [`CaptureReader`], <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>,
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>.

mod captures;
mod chapters;
mod checkpoints;
mod decompress;
mod ends;
mod frames;
mod gzip;
mod index;
mod intake;
mod kept;
mod merge;
mod past;
mod pcap;
mod pcapng;
mod play;
mod player;
mod reader;
pub mod recording;
mod tape;
mod totals;
mod window;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use captures::Captures;
pub use chapters::{Chapters, Reach};
pub use checkpoints::{Checkpoint, Checkpoints};
pub use frames::{FrameBatch, Packed, Trail};
pub use index::Index;
pub use intake::Intake;
pub use merge::{HOLD, Merge};
pub use past::{Past, PastPlace};
pub use play::PlayClock;
pub use player::{Pace, Player};
pub use reader::{CapturePlace, CaptureReader, Damage, Interface, Item, OpenError};
pub use tape::{Deck, Next, Tape};
pub use totals::Lost;
