//! Who has to go first: of each [`Class`] a list. At its head stands who entered it first and was not touched since; a
//! touched one that is met there gets a second chance at the end.
//!
//! Who leaves a list writes to both neighbours, which are mostly in no cache. So there is no list before somebody asks for
//! one: when the table is full, or when closed flows are to be forgotten.

use std::mem;

use super::{FlowTable, NONE, PAGE, Slot};
use crate::base::Timestamp;
use crate::engine::record::Record;
use crate::flow::Class;

/// A record's place in the list of its class.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Place {
    prev: u32,
    pub(super) next: u32,
    /// [`mark_of`] the record's last touch when it was put there.
    placed: u32,
}

impl Place {
    /// Of a record that is in no list yet.
    pub(in crate::engine) const NOWHERE: Self = Self { prev: NONE, next: NONE, placed: 0 };
}

/// By [`Class`].
pub(super) type Lists = [List; 3];

#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    pub(super) head: u32,
    tail: u32,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE };
}

impl FlowTable {
    /// Who must go when the table is full.
    pub(in crate::engine) fn victim(&mut self) -> Option<Slot> {
        [Class::Closed, Class::HalfOpen, Class::Live].into_iter().find_map(|class| self.stalest(class))
    }

    /// Whether there is a flow of a class, as far as that is known without a list.
    #[inline]
    pub(in crate::engine) fn may_have(&self, class: Class) -> bool {
        self.lists.is_none_or(|lists| lists[class as usize].head != NONE)
    }

    /// The longest-untouched flow of a class.
    pub(in crate::engine) fn stalest(&mut self, class: Class) -> Option<Slot> {
        if self.lists.is_none() {
            self.list_all();
        }
        // A touched flow is not moved when it is touched, but when it is looked at here: one pass at most.
        for _ in 0..self.len {
            let head = self.head(class)?;
            let entry = self.entry(head);
            if mark_of(entry.touched) == entry.place.placed {
                return Some(Slot(head));
            }
            self.unlink(head);
            self.append(head);
        }
        self.head(class).map(Slot)
    }

    fn head(&self, class: Class) -> Option<u32> {
        self.lists.map(|lists| lists[class as usize].head).filter(|head| *head != NONE)
    }

    /// A flow has become of a class, which is another than before: it is put into the list of that, where there is one.
    pub(in crate::engine) fn reclass(&mut self, slot: Slot, class: Class) {
        self.unlink(slot.0);
        self.entry_mut(slot.0).listed = class;
        self.append(slot.0);
    }

    /// Begins the lists, with what is there, idle longest first. Half-open flows stand as they began, those that tried again
    /// behind the others: of a flood there are as many as fit, and sorting them would take 16 bytes each.
    #[cold]
    fn list_all(&mut self) {
        self.lists = Some([List::EMPTY; 3]);
        let mut others: Vec<(Timestamp, u32)> = Vec::new();
        let mut again: Vec<u32> = Vec::new();
        // Slots are given in order, and none comes free before there are lists.
        let slots = u32::try_from(self.pages.len() * PAGE).unwrap_or(NONE);
        for slot in 0..slots {
            match self.at(slot) {
                Some(record) if record.listed != Class::HalfOpen => others.push((record.touched, slot)),
                Some(record) if record.touched > record.first => again.push(slot),
                Some(_) => self.append(slot),
                None => {}
            }
        }
        again.into_iter().for_each(|slot| self.append(slot));
        others.sort_unstable();
        others.into_iter().for_each(|(_, slot)| self.append(slot));
    }

    /// Puts a flow at the end of the list of its class.
    pub(super) fn append(&mut self, slot: u32) {
        let Some(lists) = &mut self.lists else { return };
        let class = super::entry_in(&self.pages, slot).listed;
        let tail = mem::replace(&mut lists[class as usize].tail, slot);
        let entry = self.entry_mut(slot);
        entry.place = Place { prev: tail, next: NONE, placed: mark_of(entry.touched) };
        self.follow(class, tail, slot);
    }

    /// Takes a flow out of the list of its class.
    pub(super) fn unlink(&mut self, slot: u32) {
        if self.lists.is_none() {
            return;
        }
        let Record { place: Place { prev, next, .. }, listed: class, .. } = *self.entry(slot);
        self.follow(class, prev, next);
        match next {
            NONE => self.list_mut(class).tail = prev,
            next => self.entry_mut(next).place.prev = prev,
        }
    }

    /// Behind `prev`, or at the head of the list, stands `next`.
    fn follow(&mut self, class: Class, prev: u32, next: u32) {
        match prev {
            NONE => self.list_mut(class).head = next,
            prev => self.entry_mut(prev).place.next = next,
        }
    }

    fn list_mut(&mut self, class: Class) -> &mut List {
        &mut self.lists.as_mut().expect("lists that have begun")[class as usize]
    }
}

/// What tells one touch from a later one in few bytes: time only grows, and comes round to the very nanosecond rarely.
fn mark_of(touched: Timestamp) -> u32 {
    touched.nanos() as u32
}
