//! What told of flows that are over lay in, kept for flows that begin: what another processor let go of is made anew
//! slowly. What is taken next is asked for beforehand, a part where it begins.

use super::going::Going;
use super::pending::{PART, Part};
use super::sealed::{TOGETHER, Unsealed};
use crate::base::prefetch;
use crate::flow::Slip;

/// Flows of which it is kept at most, at a time.
const MOST: usize = 1 << 10;
/// Lists of such flows at most.
const MOST_LISTS: usize = MOST / TOGETHER;

/// Boxes and lists in which nothing lies. What is told does not rest on them.
#[derive(Debug, Default)]
pub struct Spare {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    goings: Vec<Box<Going>>,
    parts: Vec<Part>,
    lists: Vec<Vec<Unsealed>>,
}

/// A copy of the engine finds its own.
impl Clone for Spare {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Spare {
    /// Takes over what these lay in, up to a bound.
    pub(super) fn take(&mut self, mut flows: Vec<Unsealed>) {
        for Unsealed { mut going, .. } in flows.drain(..) {
            let room = MOST.saturating_sub(self.parts.len());
            self.parts.extend(going.leave_parts().take(room));
            if self.goings.len() < MOST {
                self.goings.push(going);
            }
        }
        if self.lists.len() < MOST_LISTS {
            self.lists.push(flows);
        }
    }

    /// Takes over what another one has, up to a bound. What held it there goes on holding: it was made by the thread
    /// that fills it, and memory that goes to another thread's is waited for by both.
    pub(super) fn add(&mut self, Self { goings, parts, lists }: &mut Self) {
        fn fill<T>(to: &mut Vec<T>, from: &mut Vec<T>, most: usize) {
            from.truncate(most.saturating_sub(to.len()));
            to.append(from);
        }
        fill(&mut self.goings, goings, MOST);
        fill(&mut self.parts, parts, MOST);
        fill(&mut self.lists, lists, MOST_LISTS);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.goings.len()
    }

    /// A box for this.
    pub(super) fn hold(&mut self, going: Going) -> Box<Going> {
        let Some(mut place) = self.goings.pop() else { return Box::new(going) };
        if let Some(next) = self.goings.last() {
            prefetch(&**next);
        }
        *place = going;
        place
    }

    /// A list for as many flows as are sealed together.
    pub(super) fn list(&mut self) -> Vec<Unsealed> {
        self.lists.pop().unwrap_or_else(|| Vec::with_capacity(TOGETHER))
    }

    /// A part for segments that wait; what lies in it means nothing.
    #[inline(never)]
    pub(super) fn part(&mut self) -> Part {
        let part = self.parts.pop();
        if let Some(next) = self.parts.last() {
            prefetch(&next[0]);
        }
        part.unwrap_or_else(|| Box::new([Slip::NONE; PART]))
    }
}
