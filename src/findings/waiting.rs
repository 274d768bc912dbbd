//! What the rules of what one end sends in vain share (`silent`, `path`): from when on it is told, when it is bad, and
//! how many connections it is.

use std::time::Duration;

use crate::base::Timestamp;

use super::words::counted;

/// A link that flaps, a route that changes, or a sender that learns the MTU, is done within a few seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// So long, and whoever waits for the connection has run into a time-out of its own.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// So many connections towards one address are no fault of one of them.
pub(super) const MANY: usize = 10;

/// How far what was seen can be relied on, and when that is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// There may be more connections than were looked at.
    pub(super) more: bool,
    /// The capture lost segments meanwhile.
    pub(super) lossy: bool,
    pub(super) now: Timestamp,
}

impl Basis {
    /// `at least 12 connections, `: how many so many are; nothing of one alone.
    pub(super) fn several(self, connections: usize) -> String {
        match (connections as u64, self.more) {
            (1, false) => String::new(),
            (count, false) => format!("{}, ", counted(count, "connection")),
            (count, true) => format!("at least {}, ", counted(count, "connection")),
        }
    }
}
