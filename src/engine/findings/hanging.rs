//! Connects that wait in vain: their SYN was sent again and again, and nobody has answered. They are found while they
//! hang, since a connect() may do so for two minutes before it fails.

use crate::findings::TRIED_IN_VAIN;
use crate::flow::{Flow, HandshakeOutcome, Side};

use super::super::record::Record;
use super::super::table::Slot;
use super::bounded::Bounded;

/// Flows whose SYN waits in vain, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(super) struct Hanging(Bounded<Slot>);

impl Hanging {
    /// Counts a flow, if it hangs.
    pub(super) fn offer(&mut self, slot: Slot, record: &Record) {
        if !self.0.more() && record.wire.as_ref().is_some_and(hangs) {
            self.0.extend([slot]);
        }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().copied()
    }

    /// Whether there are more than these.
    pub(super) const fn are_more(&self) -> bool {
        self.0.more()
    }
}

fn hangs(flow: &Flow) -> bool {
    let waits = flow.outcome() == HandshakeOutcome::Waiting && flow.is_unanswered();
    waits && flow.retries()[Side::Orig.index()] >= TRIED_IN_VAIN
}
