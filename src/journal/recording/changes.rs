//! What changed between two readings: which row is which, which counters moved, who holds what.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::codec::{Code, Reader, Writer};
use super::known::{Known, Place};
use crate::base::Endpoint;
use crate::kernel::{Counters, Owner, Owners, Socket};

/// Rows that are known, to be found again.
pub(super) struct Rows<'a> {
    known: &'a Known,
    pub(super) places: &'a [Place],
    /// The row after the one that was told last.
    pub(super) next: usize,
    /// The row after the one that was found last: the table keeps its order but for what comes and goes.
    hint: usize,
    found: Vec<bool>,
    /// Made at the first row that is not where it is expected. Its keys are the packets' choice, so it is not one of
    /// those whose hash anybody can know.
    index: Option<HashMap<Key, usize>>,
}

/// Who a row is: its ends, and the socket where that is told.
type Key = (Endpoint, Endpoint, Option<u64>);

fn key(socket: &Socket) -> Key {
    (socket.local, socket.peer, socket.cookie)
}

impl<'a> Rows<'a> {
    pub(super) fn new(known: &'a Known, places: &'a [Place]) -> Self {
        Self { known, places, next: 0, hint: 0, found: vec![false; places.len()], index: None }
    }

    /// The row at a place.
    pub(super) fn at(&self, at: usize) -> &'a Socket {
        self.known.row(self.places[at])
    }

    /// Where the same socket stands; each row is found once.
    pub(super) fn find(&mut self, socket: &Socket) -> Option<usize> {
        let at = self.search(socket).filter(|at| !self.found[*at])?;
        self.found[at] = true;
        self.hint = at + 1;
        Some(at)
    }

    fn search(&mut self, socket: &Socket) -> Option<usize> {
        let wanted = key(socket);
        if self.hint < self.places.len() && key(self.at(self.hint)) == wanted {
            return Some(self.hint);
        }
        let (known, places) = (self.known, self.places);
        let keys = || places.iter().map(|place| key(known.row(*place)));
        self.index.get_or_insert_with(|| keys().zip(0..).collect()).get(&wanted).copied()
    }
}

/// Writes the counters: which moved by how much, or where others are there than before all of them by name.
pub(super) fn counters_between(before: &Counters, now: &Counters, out: &mut Writer) {
    let before = Some(before).filter(|before| before.0.keys().eq(now.0.keys()));
    before.is_none().put(out);
    let Some(before) = before else {
        out.number(now.0.len() as u128);
        for (name, value) in now.0.iter() {
            out.text(name);
            value.put(out);
        }
        return;
    };
    let values = before.0.values().zip(now.0.values()).enumerate();
    let moved: Vec<_> = values.filter(|(_, (before, now))| before != now).collect();
    out.number(moved.len() as u128);
    let mut last = 0;
    for (at, (before, now)) in moved {
        out.number((at - last) as u128);
        out.signed(i128::from(*now) - i128::from(*before));
        last = at;
    }
}

/// Reads the counters.
pub(super) fn counters_from(before: &Counters, from: &mut Reader<'_>) -> Option<Counters> {
    let whole = bool::get(from)?;
    let count = u64::get(from)?;
    if whole {
        let named = (0..count).map(|_| Some((from.text()?.to_owned(), i64::get(from)?)));
        return named.collect::<Option<BTreeMap<_, _>>>().map(|counters| Counters(Arc::new(counters)));
    }
    if count == 0 {
        return Some(before.clone());
    }
    let mut counters = BTreeMap::clone(&before.0);
    let mut values = counters.values_mut();
    for at in 0..count {
        let skipped = usize::try_from(u64::get(from)?).ok()?;
        // Told from the one before, which is passed already.
        let value = values.nth(if at == 0 { skipped } else { skipped.checked_sub(1)? })?;
        *value = i128::from(*value).checked_add(from.signed()?)?.try_into().ok()?;
    }
    Some(Counters(Arc::new(counters)))
}

/// The inodes that others hold than before, in order, with who does; `None` where nobody does any more.
pub(super) fn owners_between<'a>(
    before: Option<&Arc<Owners>>,
    now: &'a Arc<Owners>,
) -> Vec<(u64, Option<&'a Vec<Owner>>)> {
    if before.is_some_and(|before| Arc::ptr_eq(before, now)) {
        return Vec::new();
    }
    let held = |inode: &u64| before.and_then(|before| before.by_inode.get(inode));
    let changed = now.by_inode.iter().filter(|(inode, owners)| held(inode) != Some(*owners));
    let released =
        before.iter().flat_map(|before| before.by_inode.keys()).filter(|inode| !now.by_inode.contains_key(inode));
    let mut changes: Vec<_> = changed.map(|(inode, owners)| (*inode, Some(owners))).collect();
    changes.extend(released.map(|inode| (*inode, None)));
    changes.sort_unstable_by_key(|(inode, _)| *inode);
    changes
}
