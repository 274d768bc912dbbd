//! Which connection on its tuple a segment belongs to: the newest, the one before it, or one that it begins.
//!
//! Read first: RFC 5961 §4, RFC 6191 (port reuse).

use crate::flow::Flow;
use crate::wire::Segment;

use super::record::Record;
use super::table::{Slot, side_of};
use super::{Engine, FlowId};

/// Which connection on its tuple a segment belongs to.
pub(super) enum Incarnation {
    /// The one in this slot.
    Same(Slot),
    /// The newest, of which only the kernel had told.
    Adopt,
    /// One that begins here; the one before it may not have ended.
    New { older: Option<(Slot, FlowId)> },
}

impl Engine {
    /// Which connection on its tuple a segment belongs to.
    pub(super) fn incarnation(&self, slot: Slot, segment: &Segment) -> Incarnation {
        let record = self.table.get(slot);
        let from = side_of(record, segment.src);
        let Some(flow) = &record.wire else {
            let begins = segment.flags.pure_syn() && !record.awaits_syn();
            return if begins { Incarnation::New { older: None } } else { Incarnation::Adopt };
        };
        if flow.is_replaced_by(segment, from) {
            // Of a SYN after a SYN that nobody answered, the connection before both is the one that may still live.
            let before = record.older().filter(|_| flow.is_unproven() && self.older_of(record).is_some());
            return Incarnation::New { older: Some(before.unwrap_or((slot, record.id))) };
        }
        Incarnation::Same(self.older_owner(record, segment).unwrap_or(slot))
    }

    /// The incarnation before, if the SYN that followed it was not believed and the segment is still its own.
    fn older_owner(&self, newer: &Record, segment: &Segment) -> Option<Slot> {
        let slot = self.older_of(newer)?;
        let older = self.table.get(slot);
        older.wire.as_ref()?.still_owns(segment, side_of(older, segment.src)).then_some(slot)
    }

    /// The incarnation before, while nothing has shown that the SYN which followed it was believed.
    pub(super) fn older_of(&self, newer: &Record) -> Option<Slot> {
        let (slot, id) = newer.older().filter(|_| newer.wire.as_ref().is_some_and(Flow::is_unproven))?;
        self.table.still(slot, id).map(|_| slot)
    }
}
