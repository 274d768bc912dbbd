//! From a flow's number to where its record is.
//!
//! Numbers are given in order, so each has a place of its own by its lowest bits, next to those of its neighbours, which
//! come and mostly go together. Whoever still has a place when the numbers have come round to it once more gives it up,
//! and is found by a hash. (The numbers are our own; nobody chooses them.)

use hashbrown::HashTable;

use super::NONE;
use crate::engine::FlowId;

/// Places at the least.
const LEAST: usize = 64;

/// Slots by flow number.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// As many as a power of two, and no fewer than there are flows.
    places: Vec<u32>,
    /// Who gave their place up.
    others: HashTable<u32>,
    count: usize,
}

impl Numbers {
    /// Adds a flow that has `slot`; `id_of` tells the numbers of those that were added before.
    pub(super) fn insert(&mut self, id: FlowId, slot: u32, id_of: impl Fn(u32) -> FlowId) {
        if self.count >= self.places.len() {
            self.grow(&id_of);
        }
        self.count += 1;
        self.put(id, slot, id_of);
    }

    fn put(&mut self, id: FlowId, slot: u32, id_of: impl Fn(u32) -> FlowId) {
        let place = self.place_of(id);
        let before = std::mem::replace(&mut self.places[place], slot);
        if before != NONE {
            self.others.insert_unique(hash(id_of(before)), before, |slot| hash(id_of(*slot)));
        }
    }

    /// The slot that is that flow's, as `is_its` tells of slots.
    pub(super) fn find(&self, id: FlowId, is_its: impl Fn(u32) -> bool) -> Option<u32> {
        let slot = *self.places.get(self.place_of(id))?;
        if slot != NONE && is_its(slot) {
            return Some(slot);
        }
        self.others.find(hash(id), |slot| is_its(*slot)).copied()
    }

    /// Where that flow seems to be.
    pub(super) fn likely(&self, id: FlowId) -> u32 {
        self.places.get(self.place_of(id)).map_or(NONE, |slot| *slot)
    }

    /// Takes out the flow that has `slot`.
    pub(super) fn remove(&mut self, id: FlowId, slot: u32) {
        let place = self.place_of(id);
        if self.places.get(place) == Some(&slot) {
            self.places[place] = NONE;
        } else if let Ok(found) = self.others.find_entry(hash(id), |other| *other == slot) {
            found.remove();
        } else {
            return;
        }
        self.count -= 1;
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<u32>() + self.others.allocation_size()
    }

    fn place_of(&self, id: FlowId) -> usize {
        id.0 as usize & self.places.len().wrapping_sub(1)
    }

    fn grow(&mut self, id_of: impl Fn(u32) -> FlowId) {
        let places = vec![NONE; (self.places.len() * 2).max(LEAST)];
        let before = std::mem::replace(&mut self.places, places);
        let others = std::mem::take(&mut self.others);
        // Those that gave way were there before those that have a place.
        for slot in others.into_iter().chain(before).filter(|slot| *slot != NONE) {
            self.put(id_of(slot), slot, &id_of);
        }
    }
}

/// The index takes the place from the lower bits, and a mark from the highest seven.
fn hash(id: FlowId) -> u64 {
    id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustc_hash::FxHashMap;

    proptest! {
        /// Flows that come in order and go in any, many of them late.
        #[test]
        fn each_is_found_while_it_is_there(leaves in prop::collection::vec((0usize..4, any::<prop::sample::Index>()), 1..600)) {
            let (mut numbers, mut ids, mut there) = (Numbers::default(), FxHashMap::default(), Vec::new());
            let mut free: Vec<u32> = (0..600).collect();
            for (next, (leave, which)) in (0..).zip(leaves) {
                let (id, slot) = (FlowId(next), free.pop().expect("a slot"));
                ids.insert(slot, id);
                numbers.insert(id, slot, |slot| ids[&slot]);
                there.push((id, slot));
                for _ in 0..if there.len() > 100 { leave } else { 0 } {
                    let (id, slot) = there.remove(which.index(there.len()));
                    numbers.remove(id, slot);
                    free.push(slot);
                    prop_assert_eq!(numbers.find(id, |slot| ids[&slot] == id), None);
                }
                prop_assert_eq!(numbers.count, there.len());
            }
            for (id, slot) in &there {
                prop_assert_eq!(numbers.find(*id, |slot| ids[&slot] == *id), Some(*slot));
            }
        }
    }

    #[test]
    fn who_lives_long_takes_no_place_from_others() {
        let mut numbers = Numbers::default();
        let id_of = |slot: u32| FlowId(u64::from(slot));
        (0..40).for_each(|slot| numbers.insert(id_of(slot), slot, id_of));
        // Ten stay for ever, all others go as new ones come.
        for slot in 40..10_000 {
            numbers.remove(id_of(slot - 30), slot - 30);
            numbers.insert(id_of(slot), slot, id_of);
        }
        assert!(numbers.places.len() == 64 && numbers.others.len() <= 10, "{numbers:?}");
        assert!((0..10).all(|slot| numbers.find(id_of(slot), |found| found == slot) == Some(slot)));
    }
}
