//! Turns: who speaks, and how long the other end then took to answer.
//!
//! May touch `base`. The responder's answer to a request is the server's think time, the originator's answer to a
//! response the client's. Where the ends speak at once (pipelining, full duplex) or anything was sent twice, no turn is
//! measured: an answer counts only from an end that had heard all, to an end that had heard all.

use crate::base::{Packing, Timestamp};
use crate::flow::Side;
use crate::flow::stamp::nanos_between;

/// Who sent data last, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    last: Timestamp,
    by: Option<Side>,
    /// While it spoke it had acknowledged all that its peer said, and nothing was sent twice.
    clean: bool,
}

impl Turn {
    pub(super) const NONE: Self = Self { last: Timestamp::MIN, by: None, clean: false };

    pub(super) fn pack(&mut self, into: &mut impl Packing) {
        let Self { last, by, clean } = self;
        into.time(last);
        into.one_of(by, &[None, Some(Side::Orig), Some(Side::Resp)]);
        into.flag(clean);
    }

    /// `from` sends new data at `now`, with all its peer said acknowledged or not, and beginning with the next byte or
    /// not. Returns how long it took to answer, nanoseconds, if it is an answer.
    pub(super) fn speak(&mut self, from: Side, now: Timestamp, heard_all: bool, next_byte: bool) -> Option<u64> {
        if self.by == Some(from) {
            self.last = self.last.max(now);
            self.clean &= heard_all;
            return None;
        }
        let answers = self.by.is_some() && self.clean && heard_all && next_byte;
        let took = nanos_between(self.last, now).filter(|nanos| answers && *nanos > 0);
        *self = Self { last: now, by: Some(from), clean: heard_all };
        took
    }

    /// Something was sent twice: what the wait was for is not known.
    pub(super) fn spoil(&mut self) {
        self.clean = false;
    }

    /// Exchanges originator and responder.
    pub(super) fn turn_around(&mut self) {
        self.by = self.by.map(Side::peer);
    }
}
