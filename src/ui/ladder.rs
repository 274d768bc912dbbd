//! The items of a ladder: entries one by one, long runs of plain data folded into one, gaps of time.

use std::ops::Range;
use std::time::Duration;

use crate::engine::{Arrow, Entry, EntryKind};
use crate::flow::Side;

/// One line of a ladder.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// The entry of this number.
    Entry(usize),
    Fold(Fold),
    /// Nothing for so long before the next entry.
    Gap(Duration),
}

impl Item {
    /// The entry that it is, or begins with.
    pub fn entry(&self) -> Option<usize> {
        match self {
            Self::Entry(entry) => Some(*entry),
            Self::Fold(fold) => Some(fold.entries.start),
            Self::Gap(_) => None,
        }
    }
}

/// A run of plain segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    pub entries: Range<usize>,
    /// Who sent data in it; `None` if both did.
    pub from: Option<Side>,
    /// Segments with data and without, and payload bytes, of the originator and the responder.
    pub data: [u64; 2],
    pub bare: [u64; 2],
    /// How many of those without data are duplicate acks.
    pub duplicates: [u64; 2],
    pub bytes: [u64; 2],
    /// Of a run one way: its relative numbers, from the first to the one past the last.
    pub numbers: Option<(u32, u32)>,
}

/// Plain segments in a row that are folded: where only one end sends data, and where both do.
const ONE_WAY: usize = 6;
const BOTH_WAYS: usize = 24;
/// The shortest gap that is drawn, and the part of all the time that it must at least be.
const SHORTEST_GAP: Duration = Duration::from_millis(200);
const PART: u32 = 50;

/// The ladder of `entries`, in which the folds that begin with the entries which `open` tells are unfolded.
pub(super) fn items(entries: &[Entry], open: impl Fn(usize) -> bool) -> Vec<Item> {
    let ends = entries.first().zip(entries.last());
    let least = ends.map_or(SHORTEST_GAP, |(first, last)| SHORTEST_GAP.max(last.at.since(first.at) / PART));
    let gap = |at: usize| {
        let time = if at == 0 { Duration::ZERO } else { entries[at].at.since(entries[at - 1].at) };
        (time >= least).then_some(time)
    };
    let mut items = Vec::new();
    let mut at = 0;
    while at < entries.len() {
        items.extend(gap(at).map(Item::Gap));
        let length =
            1 + (at + 1..entries.len()).take_while(|next| gap(*next).is_none() && is_plain(entries, *next)).count();
        if is_plain(entries, at) {
            stretch(entries, at..at + length, &open, &mut items);
            at += length;
        } else {
            items.push(Item::Entry(at));
            at += 1;
        }
    }
    items
}

/// The item that holds an entry.
pub(super) fn place(items: &[Item], entry: usize) -> usize {
    let begins_after = |item: &Item| item.entry().is_some_and(|first| first > entry);
    let after = items.iter().position(begins_after).unwrap_or(items.len());
    items[..after].iter().rposition(|item| item.entry().is_some()).unwrap_or(0)
}

/// Plain segments without a gap, folded as far as they can be.
fn stretch(entries: &[Entry], range: Range<usize>, open: &impl Fn(usize) -> bool, items: &mut Vec<Item>) {
    let mut put = |run: Range<usize>, least: usize| {
        if run.len() >= least && !open(run.start) {
            items.push(Item::Fold(fold(entries, run)));
        } else {
            items.extend(run.map(Item::Entry));
        }
    };
    let mut mixed = range.start;
    let mut at = range.start;
    while at < range.end {
        let end = one_way(entries, at..range.end);
        if end - at >= ONE_WAY {
            put(mixed..at, BOTH_WAYS);
            put(at..end, ONE_WAY);
            mixed = end;
        }
        at = end;
    }
    put(mixed..range.end, BOTH_WAYS);
}

/// Where the run that begins `range`, in which one end sends data, is over.
fn one_way(entries: &[Entry], range: Range<usize>) -> usize {
    let mut sender = None;
    let turns = |at: &usize| {
        let from = arrow(&entries[*at]).filter(|arrow| arrow.segment.payload_len > 0).map(|arrow| arrow.from);
        let turns = from.is_some() && sender.is_some() && from != sender;
        sender = sender.or(from);
        turns
    };
    range.clone().find(turns).unwrap_or(range.end)
}

fn fold(entries: &[Entry], range: Range<usize>) -> Fold {
    let (mut data, mut bare, mut duplicates, mut bytes) = ([0; 2], [0; 2], [0; 2], [0; 2]);
    let mut numbers: [Option<(u32, u32)>; 2] = [None; 2];
    for arrow in entries[range.clone()].iter().filter_map(arrow) {
        let (side, len) = (arrow.from.index(), arrow.segment.payload_len);
        if len == 0 {
            bare[side] += 1;
            duplicates[side] += u64::from(arrow.marks.duplicate_ack().is_some());
            continue;
        }
        data[side] += 1;
        bytes[side] += u64::from(len);
        if let Some(seq) = arrow.seq {
            let end = seq.wrapping_add(len);
            numbers[side] = Some(numbers[side].map_or((seq, end), |(first, _)| (first, end)));
        }
    }
    // Where nobody sent data, who acknowledged.
    let sent = if data == [0; 2] { bare } else { data };
    let from = match sent.map(|count| count > 0) {
        [true, false] => Some(Side::Orig),
        [false, true] => Some(Side::Resp),
        _ => None,
    };
    Fold { entries: range, from, data, bare, duplicates, bytes, numbers: from.and_then(|side| numbers[side.index()]) }
}

fn arrow(entry: &Entry) -> Option<&Arrow> {
    match &entry.what {
        EntryKind::Segment(arrow) => Some(arrow),
        _ => None,
    }
}

/// Whether an entry tells nothing but that data, or an acknowledgment, went on its way.
fn is_plain(entries: &[Entry], at: usize) -> bool {
    let Some(arrow) = arrow(&entries[at]) else { return false };
    let changes = at == 0 || entries[at].states != entries[at - 1].states;
    arrow.is_plain(entries[entries.len() - 1].at) && !changes
}
