//! From the hash of a tuple to where its record is.
//!
//! A bucket is a line of the processor's cache, since what is waited for is the line: twelve places, each with a few bits
//! of its hash, so that hardly a record is looked at in vain. Who finds no room goes on to the next bucket and is counted
//! by those that it passes: whoever looks for it goes on as far, and once it has gone nothing is left of it, however long
//! flows come and go.

use crate::base::prefetch;

/// Places in a bucket.
const PLACES: usize = 12;
/// Of these, so many are taken at most, all over.
const TAKEN: usize = 10;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Bucket {
    /// Of each place's hash a part; 0: the place is free.
    tags: [u8; PLACES],
    /// Who had to go on from here.
    passed: u32,
    slots: [u32; PLACES],
}

/// Slots by the hash of their tuple.
#[derive(Debug, Clone, Default)]
pub(super) struct Tuples {
    /// As many as a power of two, or none.
    buckets: Vec<Bucket>,
    len: usize,
}

impl Bucket {
    const EMPTY: Self = Self { tags: [0; PLACES], passed: 0, slots: [0; PLACES] };

    /// A bit for each place whose tag this is, the highest of its byte; behind one of them, others may be wrong.
    #[inline]
    fn alike(&self, tag: u8) -> u128 {
        const LOW: u128 = (u128::MAX / 0xff) >> (8 * (16 - PLACES));
        let mut bytes = [0; 16];
        bytes[..PLACES].copy_from_slice(&self.tags);
        let differs = u128::from_le_bytes(bytes) ^ (LOW * tag as u128);
        differs.wrapping_sub(LOW) & !differs & (LOW << 7)
    }

    #[inline]
    fn find(&self, tag: u8, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let mut alike = self.alike(tag);
        while alike != 0 {
            let place = alike.trailing_zeros() as usize / 8;
            if is_it(self.slots[place]) {
                return Some(place);
            }
            alike &= alike - 1;
        }
        None
    }
}

impl Tuples {
    /// With room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { buckets: vec![Bucket::EMPTY; count.div_ceil(TAKEN).next_power_of_two()], len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len >= self.buckets.len() * TAKEN
    }

    /// The slot of that hash that `is_its`.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_its: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag_of(hash);
        for step in 0..self.buckets.len() {
            let bucket = &self.buckets[self.at(hash, step)];
            if let Some(place) = bucket.find(tag, &is_its) {
                return Some(bucket.slots[place]);
            }
            if bucket.passed == 0 {
                break;
            }
        }
        None
    }

    /// Has the bucket where it is looked for first brought near.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(bucket) = self.buckets.get(self.at(hash, 0)) {
            prefetch(bucket);
        }
    }

    /// Adds a slot whose tuple none has yet. There is room.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        for step in 0..self.buckets.len() {
            let at = self.at(hash, step);
            let bucket = &mut self.buckets[at];
            if let Some(place) = bucket.find(0, |_| true) {
                (bucket.tags[place], bucket.slots[place]) = (tag_of(hash), slot);
                self.len += 1;
                return;
            }
            bucket.passed += 1;
        }
        unreachable!("there is room");
    }

    /// Puts `slot` in the place of `before`, of the same hash.
    pub(super) fn replace(&mut self, hash: u64, before: u32, slot: u32) {
        if let Some((at, place, _)) = self.place_of(hash, before) {
            self.buckets[at].slots[place] = slot;
        }
    }

    /// Takes a slot out, if it is there.
    #[inline]
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let Some((at, place, steps)) = self.place_of(hash, slot) else { return };
        self.buckets[at].tags[place] = 0;
        self.len -= 1;
        for step in 0..steps {
            let passed = self.at(hash, step);
            self.buckets[passed].passed -= 1;
        }
    }

    /// Every slot, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let places = self.buckets.iter().flat_map(|bucket| bucket.tags.iter().zip(bucket.slots));
        places.filter(|(tag, _)| **tag != 0).map(|(_, slot)| slot)
    }

    /// What it holds, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// The bucket and the place that a slot is in, and how many buckets it went on from.
    #[inline]
    fn place_of(&self, hash: u64, slot: u32) -> Option<(usize, usize, usize)> {
        let tag = tag_of(hash);
        for step in 0..self.buckets.len() {
            let at = self.at(hash, step);
            let bucket = &self.buckets[at];
            if let Some(place) = bucket.find(tag, |other| other == slot) {
                return Some((at, place, step));
            }
            if bucket.passed == 0 {
                break;
            }
        }
        None
    }

    #[inline]
    fn at(&self, hash: u64, step: usize) -> usize {
        (hash as usize).wrapping_add(step) & self.buckets.len().wrapping_sub(1)
    }
}

/// Of the bits that do not tell the bucket; never 0, which is a free place's, nor 1, which [`Bucket::alike`] may take
/// for it.
#[inline]
const fn tag_of(hash: u64) -> u8 {
    let tag = (hash >> 56) as u8;
    if tag < 2 { tag + 2 } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bucket_is_a_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }

    proptest! {
        /// Many have the same hash, or one close to another's, and the last bucket's go on to the first.
        #[test]
        fn each_is_found_while_it_is_there(steps in prop::collection::vec((0u64..40, 0u64..3, any::<bool>()), 1..400)) {
            let mut tuples = Tuples::with_capacity(400);
            let (mut there, mut next) = (Vec::new(), 0);
            for (bucket, tag, adds) in steps {
                let hash = tag << 56 | bucket.wrapping_sub(20);
                if adds {
                    tuples.insert(hash, next);
                    there.push((hash, next));
                    next += 1;
                } else if let Some(at) = there.iter().position(|(other, _)| *other == hash) {
                    let (_, slot) = there.swap_remove(at);
                    tuples.remove(hash, slot);
                    prop_assert_eq!(tuples.find(hash, |other| other == slot), None);
                }
                prop_assert_eq!(tuples.len(), there.len());
            }
            for (hash, slot) in &mut there {
                prop_assert_eq!(tuples.find(*hash, |other| other == *slot), Some(*slot));
                tuples.replace(*hash, *slot, *slot + 1_000);
                *slot += 1_000;
            }
            let mut slots: Vec<u32> = there.iter().map(|(_, slot)| *slot).collect();
            slots.sort_unstable();
            let mut told: Vec<u32> = tuples.iter().collect();
            told.sort_unstable();
            prop_assert_eq!(told, slots);
            there.iter().for_each(|(hash, slot)| tuples.remove(*hash, *slot));
            prop_assert!(tuples.buckets.iter().all(|bucket| bucket.passed == 0 && bucket.tags == [0; PLACES]));
        }
    }
}
