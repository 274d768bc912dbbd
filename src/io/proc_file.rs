//! Whole small files of /proc as text.
//!
//! May touch files under /proc and /etc/passwd. Read first: proc(5).
//!
//! Paths go through `thread-self`: a thread that entered another network namespace reads that one's tables, where
//! `self` would give the main thread's.

use std::fs::File;
use std::io::{self, Read};

/// No file that is read here is larger in health; a longer one is cut, and the cut is an error.
const LIMIT: u64 = 256 << 20;

/// The calling thread's `/proc/…/net/NAME`.
pub(super) fn net_path(name: &str) -> String {
    format!("/proc/thread-self/net/{name}")
}

/// The whole text of a file, with U+FFFD for what is no UTF-8.
pub(super) fn text(path: &str) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(16 << 10);
    let read = File::open(path)?.take(LIMIT).read_to_end(&mut bytes)?;
    if read as u64 == LIMIT {
        return Err(io::Error::other("the file has no end"));
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The text of the calling thread's `/proc/…/net/NAME`, empty where there is none (no IPv6, an old kernel).
pub(super) fn net_text(name: &str) -> String {
    text(&net_path(name)).unwrap_or_default()
}
