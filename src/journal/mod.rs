//! Captures and recordings ↔ inputs: capture files and recordings in order, from any `Read`; frames → inputs; inputs →
//! a recording's blocks.
//!
//! May touch `base`, `wire`, `names`, `kernel` and `engine`; no wall clock and no terminal. Read first:
//! [`CaptureReader`], <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>,
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>.

mod chapters;
mod decompress;
mod frames;
mod intake;
mod merge;
mod pcap;
mod pcapng;
mod play;
mod reader;
pub mod recording;
mod window;

#[cfg(test)]
mod tests;

pub use chapters::{Chapters, Reach};
pub use frames::{FrameBatch, Trail};
pub use intake::Intake;
pub use merge::{HOLD, Merge};
pub use play::PlayClock;
pub use reader::{CaptureReader, Damage, Interface, Item, OpenError};
