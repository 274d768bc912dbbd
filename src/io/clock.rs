//! The wall clock, for live sources only.
//!
//! May touch the clock. Read first: clock_gettime(2) (CLOCK_REALTIME, which libpcap stamps packets with).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::Timestamp;

/// The realtime clock, now.
pub fn now() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp::from_nanos(0) + since,
        Err(before) => Timestamp::from_nanos(0) - before.duration(),
    }
}
