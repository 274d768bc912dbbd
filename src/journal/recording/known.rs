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
pub struct Known {
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
    pub fn readings(&self) -> impl Iterator<Item = Arc<SocketSample>> {
        let mut all: Vec<_> = self.parts.iter().map(|part| part.sample.clone()).collect();
        let is_part = |counted: &&Arc<SocketSample>| all.iter().any(|part| Arc::ptr_eq(part, counted));
        // Where it is none any more, what it covered was read again since.
        if let Some(counted) = self.counted.as_ref().filter(|counted| !is_part(counted)) {
            let at = all.iter().position(|part| part.ts > counted.ts).unwrap_or(all.len());
            all.insert(at, counted.clone());
        }
        all.into_iter()
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
    pub fn learn(&mut self, sample: Arc<SocketSample>) {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::TcpState;

    /// A reading's scope, states and counter.
    type Short = (u32, &'static [TcpState], Option<i64>);

    /// Such readings, each a second after the one before.
    fn learned(all: &[Short]) -> Known {
        let mut known = Known::default();
        for (second, (scope, states, count)) in (0..).zip(all) {
            let counters =
                count.map(|count| Counters(Arc::new(BTreeMap::from([("Tcp.ActiveOpens".to_owned(), count)]))));
            known.learn(Arc::new(SocketSample {
                scope: Scope(*scope),
                covers: Covers::States(StateSet::of(states)),
                counters: counters.unwrap_or_default(),
                ..SocketSample::empty(Timestamp::from_secs_nanos(second, 0))
            }));
        }
        known
    }

    #[test]
    fn the_readings_that_hold_tell_as_much_in_their_order() {
        use TcpState::{Estab, Listen, TimeWait};
        let both: &'static [TcpState] = &[Estab, Listen];
        let cases: [(&[Short], &[i64]); 4] = [
            (&[(0, both, Some(1)), (0, &[Listen], None)], &[0, 1]),
            (&[(0, both, Some(1)), (0, &[Estab], Some(2)), (0, &[Listen], None)], &[1, 2]),
            // The last that counted holds no state any more.
            (&[(0, &[TimeWait], Some(1)), (0, both, Some(2)), (0, both, None)], &[0, 1, 2]),
            // Another namespace's say nothing of these.
            (&[(0, both, None), (1, both, None), (1, &[Listen], None)], &[0, 1, 2]),
        ];
        for (all, wanted) in cases {
            let known = learned(all);
            let mut again = Known::default();
            known.readings().for_each(|reading| again.learn(reading));
            let seconds: Vec<i64> = known.readings().map(|reading| reading.ts.nanos() / 1_000_000_000).collect();
            assert_eq!(seconds, wanted, "{all:?}");
            assert_eq!(again.counters(), known.counters(), "{all:?}");
            let states = |known: &Known| -> Vec<_> {
                known
                    .parts
                    .iter()
                    .filter(|part| !part.states.is_empty())
                    .map(|part| (part.sample.ts, part.states))
                    .collect()
            };
            assert_eq!(states(&again), states(&known), "{all:?}");
        }
    }
}
