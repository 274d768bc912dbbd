//! Many inputs at once: each is taken in as if it were alone, while what those behind it will touch is brought near.

use super::table::{Ahead, LEAD, ROUND};
use super::{Engine, Input};

/// Inputs for which it is asked once whether to look ahead: the table may grow by them.
const AT_ONCE: usize = 1024;

impl Engine {
    /// Takes in many inputs; the same result as one by one.
    pub fn feed_batch(&mut self, inputs: &[Input]) {
        inputs.chunks(AT_ONCE).for_each(|inputs| {
            // Of few, none is far enough ahead.
            if self.table.is_near() || inputs.len() < LEAD {
                inputs.iter().for_each(|input| self.feed(input));
            } else {
                self.feed_looking_ahead(inputs);
            }
        });
    }

    fn feed_looking_ahead(&mut self, inputs: &[Input]) {
        let mut ahead = Ahead::NONE;
        for first in 0..inputs.len() + LEAD {
            self.table.look_ahead(&mut ahead, inputs, first);
            if first % ROUND == 0
                && let Some(next) = inputs.get(first..)
            {
                self.look_at_round(next);
            }
            if let Some(at) = first.checked_sub(LEAD) {
                self.feed_likely(&inputs[at], ahead.of(at));
            }
        }
    }

    /// What the first of these ask for besides: of flows that are due by then, or must go.
    fn look_at_round(&self, next: &[Input]) {
        if let Some(last) = next.iter().take(ROUND).next_back() {
            self.table.prefetch_numbers(self.deadlines.soon(last.ts()));
            self.table.prefetch_victims();
        }
    }
}
