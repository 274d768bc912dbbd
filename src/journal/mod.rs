//! Captures and recordings ↔ inputs: here, reading capture files in order, from any `Read`.
//!
//! May touch `base`, `wire`, `kernel` and `engine`; no wall clock and no terminal. Read first: [`CaptureReader`],
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>,
//! <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>.

mod decompress;
mod pcap;
mod pcapng;
mod reader;
mod window;

#[cfg(test)]
mod tests;

pub use reader::{CaptureReader, Damage, Interface, OpenError};
