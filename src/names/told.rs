//! Which direction of which tuple has told its HTTP head already: on a connection that is used again and again, every
//! message begins like the first.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::base::{Endpoint, Scope};
use crate::wire::Segment;

/// A place for each value of a hash's lower bits: a newer one takes the place of an older, which is then told again.
const PLACES: usize = 1024;

/// Hashes of directions.
#[derive(Debug, Clone)]
pub(super) struct Told(Box<[u64; PLACES]>);

impl Default for Told {
    fn default() -> Self {
        Self(Box::new([0; PLACES]))
    }
}

impl Told {
    pub(super) fn has(&self, segment: &Segment) -> bool {
        let hash = hash(segment.scope, segment.src, segment.dst);
        self.0[hash as usize % PLACES] == hash
    }

    pub(super) fn add(&mut self, segment: &Segment) {
        let hash = hash(segment.scope, segment.src, segment.dst);
        self.0[hash as usize % PLACES] = hash;
    }

    /// A connection begins on the tuple: what was told was of another.
    pub(super) fn forget(&mut self, segment: &Segment) {
        self.forget_one(segment.scope, segment.src, segment.dst);
        self.forget_answer(segment);
    }

    /// What the receiver of the segment told was the answer to something else.
    pub(super) fn forget_answer(&mut self, segment: &Segment) {
        self.forget_one(segment.scope, segment.dst, segment.src);
    }

    fn forget_one(&mut self, scope: Scope, src: Endpoint, dst: Endpoint) {
        let hash = hash(scope, src, dst);
        let place = &mut self.0[hash as usize % PLACES];
        *place = if *place == hash { 0 } else { *place };
    }
}

fn hash(scope: Scope, src: Endpoint, dst: Endpoint) -> u64 {
    FixedState::with_seed(0).hash_one((scope, src, dst))
}
