//! §6 G, §5 lag: what was seen of a stream, in sequence space only. Nothing is buffered.

use super::end::{End, State};
use crate::base::Packing;

/// Runs kept above the first hole. Where there are more, the two highest become one, and a hole between them is lost.
const RUNS: usize = 32;
/// So much above a hole while none of its data was acknowledged ends the watch (`tcp_max_above_hole_without_any_acks`,
/// and `tcp_max_initial_window`).
pub(super) const UNACKED: i64 = 16_384;
/// So much held ends the watch (`tcp_excessive_data_without_further_acks`).
pub(super) const HELD: i64 = 10 << 20;

/// The rarer things of an endpoint: counters of letters that repeat, and what it sent above a hole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Aside {
    pub(super) retransmissions: u32,
    pub(super) zero_windows: u32,
    pub(super) gaps: u32,
    pub(super) missed: u64,
    /// Seen above `next`: from, to; apart and in order.
    runs: Vec<(i64, i64)>,
}

impl Aside {
    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.runs.capacity() * size_of::<(i64, i64)>()
    }

    pub(super) fn pack(&mut self, next: i64, into: &mut impl Packing) {
        let Self { retransmissions, zero_windows, gaps, missed, runs } = self;
        for count in [retransmissions, zero_windows, gaps] {
            into.word(count);
        }
        into.number(missed);
        let mut count = runs.len() as u64;
        into.number(&mut count);
        runs.resize((count as usize).min(RUNS), (0, 0));
        let mut before = next;
        for (from, to) in runs {
            into.near(from, before);
            into.near(to, *from);
            before = *to;
        }
    }

    /// What is seen becomes one with what borders it.
    fn join(&mut self, end: &mut End) {
        while let Some(&(_, to)) = self.runs.first().filter(|(from, _)| *from <= end.next) {
            end.next = end.next.max(to);
            self.runs.remove(0);
        }
    }

    fn insert(&mut self, mut from: i64, mut to: i64) {
        let at = self.runs.partition_point(|run| run.1 < from);
        while let Some(&run) = self.runs.get(at).filter(|run| run.0 <= to) {
            (from, to) = (from.min(run.0), to.max(run.1));
            self.runs.remove(at);
        }
        self.runs.insert(at, (from, to));
        if self.runs.len() > RUNS
            && let Some((_, to)) = self.runs.pop()
            && let Some(last) = self.runs.last_mut()
        {
            last.1 = to;
        }
    }

    /// Takes the payload at `from..to` in.
    pub(super) fn saw(&mut self, end: &mut End, size: u64, from: i64, to: i64) {
        let from = from.max(end.trim);
        if end.skip || to <= from {
            return;
        }
        if from <= end.next {
            end.next = end.next.max(to);
            self.join(end);
            if end.no_data_acked() && size > UNACKED as u64 {
                end.trim = end.trim.max(end.next);
            }
        } else {
            self.insert(from, to);
        }
        let above = self.runs.last().map_or(0, |run| run.1 - end.next);
        let held: i64 = (end.next - end.trim).max(0) + self.runs.iter().map(|(from, to)| to - from).sum::<i64>();
        if (end.no_data_acked() && above > UNACKED) || held > HELD {
            self.runs.clear();
            end.skip = true;
        }
    }

    /// The peer acknowledged all below `to`: the holes in it (their lengths) were never captured.
    pub(super) fn acknowledged(&mut self, end: &mut End, to: i64, partial: bool) -> Vec<u64> {
        let mut holes = Vec::new();
        // The first number of a partial connection is a guess, and a keep-alive lies one before it.
        if to > end.next && !(partial && to <= 2) {
            while !end.skip {
                let until = self.runs.first().map_or(to, |run| run.0.min(to));
                if until > end.next {
                    holes.push(until.abs_diff(end.next));
                    end.next = until;
                }
                self.join(end);
                if end.next >= to {
                    break;
                }
            }
            end.next = end.next.max(to);
        }
        self.join(end);
        end.trim = to;
        holes
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.runs.is_empty()
    }
}

/// §5: whether `end`'s close must wait: an unfilled hole below its highest number, or payload of its peer that is not
/// acknowledged (unless it was reset).
pub(super) fn is_lagging(end: &End, peer: &End, peer_waits: bool) -> bool {
    if end.skip || end.high < end.next {
        return false;
    }
    if end.next != end.high && end.next != end.high - 1 {
        return true;
    }
    end.state != State::Reset && !peer.skip && (peer.next > peer.trim || peer_waits)
}
