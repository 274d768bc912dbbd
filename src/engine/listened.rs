//! Where somebody listened in any reading, so that a connection outlives the knowledge of who opened it by no listener
//! that has closed. Bounded: the ends of which readings had a listener longest ago are forgotten first.

use rustc_hash::FxHashMap;

use crate::base::{Endpoint, Scope, Timestamp};

/// Local ends remembered, but for those that listen now.
const MOST: usize = 4096;

/// Local ends, each with when a reading last had a listener on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Listened(FxHashMap<(Scope, Endpoint), Timestamp>);

impl Listened {
    /// The listeners that a reading at `at` has are there.
    pub(super) fn read(&mut self, ends: impl Iterator<Item = (Scope, Endpoint)>, at: Timestamp) {
        self.0.extend(ends.map(|end| (end, at)));
        if self.0.len() > MOST * 2 {
            self.forget_oldest(at);
        }
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.0.capacity() * size_of::<((Scope, Endpoint), Timestamp)>()
    }

    pub(super) fn contains(&self, end: &(Scope, Endpoint)) -> bool {
        self.0.contains_key(end)
    }

    /// Of those that this reading has not shown, the newest stay; half of the room is made at once, so that it is
    /// seldom done.
    fn forget_oldest(&mut self, at: Timestamp) {
        let mut past: Vec<(Timestamp, (Scope, Endpoint))> =
            self.0.iter().filter(|(_, seen)| **seen < at).map(|(end, seen)| (*seen, *end)).collect();
        past.sort_unstable();
        for (_, end) in &past[..past.len().saturating_sub(MOST)] {
            self.0.remove(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(port: usize) -> (Scope, Endpoint) {
        (Scope::FILE, Endpoint::new([10, 0, (port >> 16) as u8, 1], port as u16))
    }

    #[test]
    fn a_new_listener_is_remembered_however_many_there_were() {
        let mut listened = Listened::default();
        for port in 0..50_000 {
            listened.read([end(port)].into_iter(), Timestamp::from_nanos(port as i64));
            assert!(listened.contains(&end(port)) && listened.0.len() <= MOST * 2, "{port}");
        }
        assert!(!listened.contains(&end(0)) && listened.contains(&end(50_000 - MOST)), "the oldest went");
    }

    #[test]
    fn what_listens_now_is_not_forgotten() {
        let mut listened = Listened::default();
        listened.read((0..20_000).map(end), Timestamp::from_nanos(7));
        assert!((0..20_000).all(|port| listened.contains(&end(port))), "all of one reading");
    }
}
