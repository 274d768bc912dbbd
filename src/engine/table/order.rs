//! Who has to go first: of each [`Class`] a list, from least to most recently touched.
//!
//! A flow that closes leaves its neighbours in a list, which nobody else would look at; so there is none before somebody
//! asks for it: when the table is full, or when closed flows are to be forgotten.

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

    /// Puts a flow into the list of the class that it has become, which is another than before.
    pub(in crate::engine) fn reclass(&mut self, slot: Slot, class: Class) {
        self.unlink(slot.0);
        self.entry_mut(slot.0).listed = class;
        self.append(slot.0);
    }

    /// Begins the lists, with what is there. Half-open flows come in the order in which they began, as nearly all do that
    /// nobody answers: of a flood there are as many as fit, and sorting them would take room.
    #[cold]
    fn list_all(&mut self) {
        self.lists = Some([List::EMPTY; 3]);
        let mut others: Vec<(Timestamp, u32)> = Vec::new();
        let slots = u32::try_from(self.pages.len() * PAGE).unwrap_or(NONE);
        for slot in 0..slots {
            match self.at(slot) {
                Some(record) if record.listed == Class::HalfOpen => self.append(slot),
                Some(record) => others.push((record.touched, slot)),
                None => {}
            }
        }
        others.sort_unstable();
        others.into_iter().for_each(|(_, slot)| self.append(slot));
    }

    /// Puts a flow at the end of the list of its class.
    pub(super) fn append(&mut self, slot: u32) {
        if self.lists.is_none() {
            return;
        }
        let class = self.entry(slot).listed;
        let tail = self.list_mut(class).map_or(NONE, |list| std::mem::replace(&mut list.tail, slot));
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
            NONE => self.list_mut(class).into_iter().for_each(|list| list.tail = prev),
            next => self.entry_mut(next).place.prev = prev,
        }
    }

    /// Behind `prev`, or at the head of the list, stands `next`.
    fn follow(&mut self, class: Class, prev: u32, next: u32) {
        match prev {
            NONE => self.list_mut(class).into_iter().for_each(|list| list.head = next),
            prev => self.entry_mut(prev).place.next = next,
        }
    }

    fn list_mut(&mut self, class: Class) -> Option<&mut List> {
        self.lists.as_mut().map(|lists| &mut lists[class as usize])
    }
}

/// What tells one touch from a later one in few bytes: time only grows, and comes round to the very nanosecond rarely.
fn mark_of(touched: Timestamp) -> u32 {
    touched.nanos() as u32
}
