//! What readings of the socket table have told so far, and the next is told by: of each state as of the last reading
//! that covered it, since they are read at different rates.

use std::sync::Arc;
use std::time::Duration;

use super::expected::Shift;
use crate::base::{Scope, StateSet, Timestamp};
use crate::kernel::{Counters, Covers, Socket, SocketSample};

/// Readings that are kept at most; those of one network namespace are as many as there are states.
const MAX_PARTS: usize = 64;

/// The table as far as it is known. A copy shares the readings.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    parts: Vec<Part>,
    /// The last reading, whatever it covered.
    last: Option<Arc<SocketSample>>,
    /// The last reading that held counters, and these.
    counted: Option<Arc<SocketSample>>,
    counters: Counters,
}

/// A reading, and the states of which no later one told; none where it looked up single sockets.
#[derive(Debug, Clone)]
struct Part {
    states: StateSet,
    sample: Arc<SocketSample>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    part: usize,
    row: usize,
}

impl Known {
    pub(super) const fn last(&self) -> Option<&Arc<SocketSample>> {
        self.last.as_ref()
    }

    pub(super) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The readings that give all that is known, in their order: whoever learns these knows as much.
    pub(super) fn readings(&self) -> impl Iterator<Item = Arc<SocketSample>> {
        let is_part = |counted: &&Arc<SocketSample>| self.parts.iter().any(|part| Arc::ptr_eq(&part.sample, counted));
        // Where it is none any more, what it covered was read again since.
        let counted = self.counted.iter().filter(move |counted| !is_part(counted));
        counted.chain(self.parts.iter().map(|part| &part.sample)).cloned()
    }

    /// The rows that a reading of so much is told by, in order.
    pub(super) fn places(&self, scope: Scope, covers: &Covers) -> Vec<Place> {
        let of_scope = self.parts.iter().enumerate().filter(|(_, part)| part.sample.scope == scope);
        let fits = |part: &Part, socket: &Socket| match covers {
            Covers::States(states) => part.states.and(*states).has(socket.state.0),
            Covers::Sockets(_) => part.states.is_empty(),
        };
        let places = of_scope.flat_map(|(number, part)| {
            let rows = part.sample.sockets.iter().enumerate().filter(move |(_, socket)| fits(part, socket));
            rows.map(move |(row, _)| Place { part: number, row })
        });
        places.collect()
    }

    /// How far the clock has moved since each reading; most rows' times are in milliseconds.
    pub(super) fn shifts(&self, now: Timestamp) -> Vec<Shift> {
        let millis = |span: Duration| Shift::try_from(span.as_millis()).unwrap_or_default();
        let moved = |then: Timestamp| millis(now.since(then)) - millis(then.since(now));
        self.parts.iter().map(|part| moved(part.sample.ts)).collect()
    }

    pub(super) fn row(&self, place: Place) -> &Socket {
        &self.parts[place.part].sample.sockets[place.row]
    }

    /// A reading more.
    pub(super) fn learn(&mut self, sample: Arc<SocketSample>) {
        let (states, scope) = (sample.covers.states(), sample.scope);
        let looked_up = matches!(sample.covers, Covers::Sockets(_));
        self.parts.retain_mut(|part| {
            let others = part.sample.scope != scope || part.states.is_empty() != looked_up;
            part.states = if others { part.states } else { part.states.without(states) };
            others || !part.states.is_empty()
        });
        if self.parts.len() == MAX_PARTS {
            self.parts.remove(0);
        }
        if !sample.counters.0.is_empty() {
            self.counters = sample.counters.clone();
            self.counted = Some(sample.clone());
        }
        self.parts.push(Part { states, sample: sample.clone() });
        self.last = Some(sample);
    }
}

impl Place {
    pub(super) const fn part(self) -> usize {
        self.part
    }
}
