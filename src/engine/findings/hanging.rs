//! Connects that wait in vain: their SYN was sent again and again, and nobody has answered. They are found while they
//! hang, since a connect() may do so for two minutes before it fails.

use std::collections::BTreeMap;

use crate::base::Endpoint;
use crate::findings::TRIED_IN_VAIN;
use crate::flow::{Flow, HandshakeOutcome};

use super::super::record::Record;
use super::super::table::Slot;

/// So many are told of, at most.
const MOST: usize = 8_192;

/// Flows whose SYN waits in vain, in the order of the table.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Hanging {
    slots: Vec<Slot>,
    by_destination: BTreeMap<Endpoint, u64>,
}

impl Hanging {
    /// Counts a flow, if it hangs.
    pub(in super::super) fn offer(&mut self, slot: Slot, record: &Record) {
        let Some(flow) = record.wire.as_ref().filter(|flow| flow.outcome() == HandshakeOutcome::Waiting) else {
            return;
        };
        if self.slots.len() < MOST && hangs(flow) {
            self.slots.push(slot);
            *self.by_destination.entry(record.resp).or_default() += 1;
        }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().copied()
    }

    /// How many hang towards a destination.
    pub(super) fn count(&self, to: Endpoint) -> u64 {
        self.by_destination.get(&to).copied().unwrap_or(0)
    }
}

fn hangs(flow: &Flow) -> bool {
    flow.is_unanswered() && flow.handshake().syn_retries >= TRIED_IN_VAIN
}
