//! Counts by state over time: ends by the wire, sockets by the kernel.

use std::ops::Range;
use std::time::Duration;

use crate::base::{Series, StateSet, TcpState, Timestamp};

use super::dashboard::{StatePane, StateRow, WireCounts};
use super::minute;
use super::record::Standing;

const STATES: usize = TcpState::ALL.len();
const SECOND: Duration = Duration::from_secs(1);
const KEPT: usize = 240;

/// How many ends are in each state, by the wire and by the kernel.
#[derive(Debug, Clone)]
pub(super) struct States {
    both: [u64; STATES],
    local: [u64; STATES],
    /// Whether the local ends are known, so that they are the ones to count.
    count_local: bool,
    /// As last read, state by state.
    kernel: [Option<u64>; STATES],
    wire_history: Vec<Series>,
    /// Whose counts have changed in the second that these nanoseconds are; the history does not have that yet.
    changed: StateSet,
    within: Range<i64>,
    kernel_history: Vec<Series>,
    entered_time_wait: Series,
}

impl States {
    pub(super) fn new() -> Self {
        let series = vec![Series::new(SECOND, KEPT); STATES];
        Self {
            both: [0; STATES],
            local: [0; STATES],
            count_local: false,
            kernel: [None; STATES],
            wire_history: series.clone(),
            changed: StateSet::NONE,
            within: 0..0,
            kernel_history: series,
            entered_time_wait: Series::new(SECOND, KEPT),
        }
    }

    /// A record went from one standing to another (an empty one before it began and after it went).
    pub(super) fn turn(&mut self, at: Timestamp, was: &Standing, is: &Standing) {
        if was.states == is.states && was.local == is.local {
            return;
        }
        if !self.within.contains(&at.nanos()) {
            self.note_levels();
            self.within = at.bin_span(SECOND);
        }
        for end in [0, 1] {
            let (from, to) = ((was.states[end], was.local[end]), (is.states[end], is.local[end]));
            if from != to {
                self.count(from, |count| count.saturating_sub(1));
                self.count(to, |count| count + 1);
            }
        }
        if !is.states.contains(&Some(TcpState::TimeWait)) {
            return;
        }
        // By their number, for the ends of a flow may be exchanged.
        let waits = |standing: &Standing, end: usize| {
            let counts = standing.local[end] || !self.count_local;
            u64::from(counts && standing.states[end] == Some(TcpState::TimeWait))
        };
        let waiting = |standing| waits(standing, 0) + waits(standing, 1);
        let entered = waiting(is).saturating_sub(waiting(was));
        if entered > 0 && (was.local == is.local || was.local == [is.local[1], is.local[0]]) {
            self.entered_time_wait.add(at, entered);
        }
    }

    /// Writes into the history what has changed: a level is that of a second's end.
    fn note_levels(&mut self) {
        let at = Timestamp::from_nanos(self.within.start);
        for state in std::mem::take(&mut self.changed).iter() {
            let level = self.wire(state);
            self.wire_history[state.index()].set(at, level);
        }
    }

    fn count(&mut self, (state, local): (Option<TcpState>, bool), change: impl Fn(u64) -> u64) {
        let Some(state) = state else { return };
        self.both[state.index()] = change(self.both[state.index()]);
        if local {
            self.local[state.index()] = change(self.local[state.index()]);
        }
        self.changed = self.changed.with(StateSet::of(&[state]));
    }

    /// From now on the local ends are known.
    pub(super) fn know_local(&mut self) {
        self.note_levels();
        self.count_local = true;
    }

    /// Takes in how many sockets a reading has in each state that it covers.
    pub(super) fn read_kernel(&mut self, at: Timestamp, counts: impl Iterator<Item = (TcpState, u64)>) {
        for (state, count) in counts {
            self.kernel_history[state.index()].set(at, count);
            self.kernel[state.index()] = Some(count);
        }
    }

    /// Ends inferred to be in `state`.
    pub(super) fn wire(&self, state: TcpState) -> u64 {
        if self.count_local { self.local[state.index()] } else { self.both[state.index()] }
    }

    pub(super) fn kernel(&self, state: TcpState) -> Option<u64> {
        self.kernel[state.index()]
    }

    /// How many entered TIME-WAIT in the last minute.
    pub(super) fn entered_time_wait(&self, now: Timestamp) -> u64 {
        minute::sum(&self.entered_time_wait, now)
    }

    pub(super) fn history(&self, state: TcpState, now: Timestamp) -> Vec<u64> {
        match self.kernel(state) {
            Some(count) => self.kernel_history[state.index()].until(now, count),
            None => {
                let (mut history, level) = (self.wire_history[state.index()].clone(), self.wire(state));
                if self.changed.has(state) {
                    history.set(Timestamp::from_nanos(self.within.start), level);
                }
                history.until(now, level)
            }
        }
    }

    pub(super) fn pane(&self, now: Timestamp, wire_seen: bool, mismatched: u64) -> StatePane {
        let row = |state| StateRow {
            state,
            kernel: self.kernel(state),
            wire: (wire_seen && state != TcpState::Listen).then(|| self.wire(state)),
            history: self.history(state, now),
        };
        StatePane {
            rows: TcpState::ALL.into_iter().filter(|state| *state != TcpState::Closed).map(row).collect(),
            wire_counts: if self.count_local { WireCounts::LocalEnds } else { WireCounts::BothEnds },
            mismatched,
        }
    }
}
