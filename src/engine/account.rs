//! Every change of a record, and what is counted of it: deadlines, states, handshakes, its class; room for one more.

use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::{Class, Flow, HandshakeOutcome};

use super::Engine;
use super::FlowId;
use super::course::Told;
use super::deadlines::Deadlines;
use super::record::{Record, Standing};
use super::sealed::{Courses, TOGETHER};
use super::spare::Spare;
use super::table::Slot;

/// Blocks of courses that wait at most for somebody to have them sealed elsewhere, before they are sealed here: all that
/// end in the inputs that are handed over together, where each flow has a few. 2 MiB.
pub(super) const UNSEALED: usize = 32;

impl Engine {
    /// Changes a record and counts what became of it. Every change goes through here.
    pub(super) fn change(&mut self, slot: Slot, at: Timestamp, change: impl FnOnce(&mut Record)) {
        self.change_with(slot, at, |record, _| change(record));
    }

    /// The same, where something may be made of what is spare.
    pub(super) fn change_with(&mut self, slot: Slot, at: Timestamp, change: impl FnOnce(&mut Record, &mut Spare)) {
        let record = self.table.get_mut(slot);
        let (was, was_sealed) = (record.standing(), record.course.is_over());
        change(record, &mut self.spare);
        let settled = Settled::of(record);
        // Or what came late had it opened again.
        let is_over = (was_sealed || was.states != settled.is.states) && record.may_be_sealed();
        self.account(slot, at, &was, &settled);
        if is_over {
            self.seal_soon(slot);
        }
    }

    /// Has the course of a flow that is over sealed, in time and together with those of others.
    pub(super) fn seal_soon(&mut self, slot: Slot) {
        let flow = (slot, self.table.get(slot).id);
        if !self.over.contains(&flow) {
            self.over.push(flow);
        }
        if self.over.len() < TOGETHER {
            return;
        }
        self.table.prefetch_all_of(&self.over);
        let (mut flows, mut slots) = (self.spare.list(), Vec::with_capacity(TOGETHER));
        for (slot, id) in self.over.drain(..) {
            // It may have gone, or go on, since.
            let there = self.table.still(slot, id).is_some_and(Record::may_be_sealed);
            if let Some(flow) = there.then(|| self.table.get_mut(slot).take_unsealed()).flatten() {
                flows.push(flow);
                slots.push(slot);
            }
        }
        let block = Courses::of(flows);
        for (at, slot) in (0..).zip(slots) {
            self.table.get_mut(slot).course = Told::Over(block.clone(), at);
        }
        self.unsealed.push_back(block);
        if self.unsealed.len() > UNSEALED
            && let Some(first) = self.unsealed.pop_front()
        {
            first.seal(&mut self.spare);
        }
    }

    /// Takes what flows that are over lay in for flows that begin, and leaves `spare` empty.
    pub fn reuse(&mut self, spare: &mut Spare) {
        self.spare.add(spare);
    }

    /// The next courses that wait to be sealed: whoever takes them may have that done by another thread, or never.
    pub fn next_unsealed(&mut self) -> Option<Courses> {
        self.unsealed.pop_front()
    }

    /// Counts what became of a record that was `was`: deadlines, states, handshakes, its class.
    pub(super) fn account(&mut self, slot: Slot, at: Timestamp, was: &Standing, settled: &Settled) {
        let Settled { id, resp, is, deadline, class } = settled;
        if let Some((deadline, armed)) = deadline {
            self.deadlines.push(*deadline, *id, at, *armed);
        }
        self.states.turn(at, was, is);
        // A handshake ends once.
        if was.outcome != is.outcome {
            let took = self.took(slot, is);
            self.tally.turn(was, is);
            self.handshakes.turn(*id, *resp, was, is, took);
            self.supersede_older(slot, is, at);
        }
        if let Some(class) = class {
            self.table.reclass(slot, *class);
        }
    }

    fn took(&self, slot: Slot, is: &Standing) -> Option<Duration> {
        let completed = is.outcome.is_some_and(HandshakeOutcome::is_completed);
        completed.then(|| self.table.get(slot).wire.as_ref()?.connect_time()).flatten()
    }

    /// Once a new incarnation's SYN was believed, the one before it is over.
    fn supersede_older(&mut self, slot: Slot, is: &Standing, at: Timestamp) {
        let believed = is.outcome.is_some_and(HandshakeOutcome::is_completed);
        let Some((older, id)) = self.table.get(slot).older().filter(|_| believed) else { return };
        if let Some(rare) = &mut self.table.get_mut(slot).rare {
            rare.older = None;
        }
        if self.table.still(older, id).is_some() {
            self.change(older, at, |record| {
                if let Some(flow) = &mut record.wire {
                    flow.superseded(at);
                }
            });
        }
    }

    /// Throws out flows until one more fits.
    pub(super) fn make_room(&mut self) {
        while self.table.is_full() {
            let Some(slot) = self.table.victim() else { return };
            let before = self.table.evicted.half_open;
            self.table.count_eviction(slot);
            if self.table.evicted.half_open > before {
                self.crowded_out.take(self.now.unwrap_or_default(), i64::try_from(before + 1).ok());
            }
            self.drop_flow(slot);
        }
        let (table, deadlines) = (&self.table, &mut self.deadlines);
        deadlines.prune(table.len(), |at, id| table.find_id(id).is_some_and(|slot| table.get(slot).armed == at));
    }

    pub(super) fn drop_flow(&mut self, slot: Slot) {
        let (was, is) = (self.table.get(slot).standing(), Standing::default());
        self.table.remove(slot);
        self.states.turn(self.now.unwrap_or_default(), &was, &is);
        self.handshakes.forget(&was);
    }
}

/// How a record stands after a change.
pub(super) struct Settled {
    id: FlowId,
    resp: Endpoint,
    is: Standing,
    /// Its next deadline, where that is to be queued, and its earliest entry before.
    deadline: Option<(Timestamp, Timestamp)>,
    /// Its class, where that is another than before.
    class: Option<Class>,
}

impl Settled {
    pub(super) fn of(record: &mut Record) -> Self {
        let class = Some(record.class()).filter(|class| *class != record.listed);
        Self::with(record, class)
    }

    /// The same of a record that has just got its place by its class.
    pub(super) fn of_new(record: &mut Record) -> Self {
        Self::with(record, None)
    }

    fn with(record: &mut Record, class: Option<Class>) -> Self {
        let armed = record.armed;
        let next = record.wire.as_ref().and_then(Flow::next_deadline).filter(|at| Deadlines::wants(armed, *at));
        record.armed = next.unwrap_or(armed);
        let deadline = next.map(|at| (at, armed));
        Self { id: record.id, resp: record.resp, is: record.standing(), deadline, class }
    }
}
