//! What told of flows that are over lay in, kept for flows that begin: what another processor let go of is made anew
//! slowly.

use super::going::Going;
use super::pending::{PART, Part};
use crate::flow::Slip;

/// Flows of which it is kept at most, at a time.
const MOST: usize = 1 << 10;

/// Boxes in which nothing lies. What is told does not rest on them.
#[derive(Debug, Default)]
pub struct Spare {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    goings: Vec<Box<Going>>,
    parts: Vec<Part>,
}

/// A copy of the engine finds its own.
impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Spare {
    /// What this lay in.
    pub(super) fn of(goings: impl Iterator<Item = Box<Going>>) -> Self {
        let mut spare = Self::default();
        for mut going in goings {
            spare.parts.extend(going.leave_parts());
            spare.goings.push(going);
        }
        spare
    }

    /// Takes over what another one has, up to a bound.
    pub(super) fn add(&mut self, Self { mut goings, mut parts }: Self) {
        goings.truncate(MOST.saturating_sub(self.goings.len()));
        parts.truncate(MOST.saturating_sub(self.parts.len()));
        self.goings.append(&mut goings);
        self.parts.append(&mut parts);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.goings.len()
    }

    /// A box for this.
    pub(super) fn hold(&mut self, going: Going) -> Box<Going> {
        let Some(mut place) = self.goings.pop() else { return Box::new(going) };
        *place = going;
        place
    }

    /// A part for segments that wait; what lies in it means nothing.
    #[inline(never)]
    pub(super) fn part(&mut self) -> Part {
        self.parts.pop().unwrap_or_else(|| Box::new([Slip::NONE; PART]))
    }
}
