//! Counts by state over time: ends by the wire, sockets by the kernel.

use std::time::Duration;

use crate::base::{Series, TcpState, Timestamp};

use super::dashboard::{StatePane, StateRow, WireCounts};
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
            kernel_history: series,
            entered_time_wait: Series::new(SECOND, KEPT),
        }
    }

    /// A record went from one standing to another (an empty one before it began and after it went).
    pub(super) fn turn(&mut self, at: Timestamp, was: &Standing, is: &Standing) {
        if was.states == is.states && was.local == is.local {
            return;
        }
        let changed = [0, 1].map(|end| (was.states[end], was.local[end]) != (is.states[end], is.local[end]));
        for (end, changed) in changed.into_iter().enumerate() {
            if changed {
                self.count(was.states[end], was.local[end], |count| count.saturating_sub(1));
                self.count(is.states[end], is.local[end], |count| count + 1);
            }
        }
        // By their number, for the ends of a flow may be exchanged.
        let waiting = |standing: &Standing| {
            let ends = standing.states.iter().zip(standing.local);
            ends.filter(|(state, local)| **state == Some(TcpState::TimeWait) && (*local || !self.count_local)).count()
        };
        let entered = waiting(is).saturating_sub(waiting(was));
        if was.local == is.local || was.local == [is.local[1], is.local[0]] {
            self.entered_time_wait.add(at, entered as u64);
        }
        for (end, changed) in changed.into_iter().enumerate() {
            if changed {
                self.note_level(was.states[end], at);
                self.note_level(is.states[end], at);
            }
        }
    }

    fn note_level(&mut self, state: Option<TcpState>, at: Timestamp) {
        let Some(state) = state else { return };
        let level = self.wire(state);
        self.wire_history[state.index()].set(at, level);
    }

    fn count(&mut self, state: Option<TcpState>, local: bool, change: impl Fn(u64) -> u64) {
        let Some(state) = state else { return };
        self.both[state.index()] = change(self.both[state.index()]);
        if local {
            self.local[state.index()] = change(self.local[state.index()]);
        }
    }

    /// From now on the local ends are known.
    pub(super) fn know_local(&mut self) {
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

    pub(super) fn entered_time_wait(&self, now: Timestamp, span: Duration) -> u64 {
        self.entered_time_wait.sum(now, span)
    }

    pub(super) fn history(&self, state: TcpState, now: Timestamp) -> Vec<u64> {
        match self.kernel(state) {
            Some(count) => self.kernel_history[state.index()].until(now, count),
            None => self.wire_history[state.index()].until(now, self.wire(state)),
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
