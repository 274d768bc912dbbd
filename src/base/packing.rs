//! Values ↔ bits: what is kept for long of what hardly ever changes again, in few bytes.
//!
//! May touch nothing but `base`. A type tells its fields once, to a [`Packing`], which either writes each or sets it,
//! so that both ways agree. What is as usual takes one bit, several fields together; a number takes three bits and about
//! its own; what equals a value that both ways know already (an instant, a sequence number) takes its place among those.
//! Reading never fails: behind the end there are zeros. The bytes are for this process alone, and no format.

use super::{Seq, Timestamp};

/// How many bits a number takes beside the three that tell which of these it is.
const WIDTHS: [u32; 8] = [0, 3, 7, 12, 18, 22, 32, 64];
/// Bits that tell it.
const CLASS: u32 = 3;
/// Bits that may stand before a number: with them, one of 32 bits is read from a word wherever in a byte they begin.
const BEFORE: u32 = u64::BITS - 7 - CLASS - 32;
/// Of a number that has so many bits, the first of the widths that holds it.
const CLASSES: [u8; 65] = classes();
/// A number of nanoseconds is often one of whole microseconds.
const MICRO: u64 = 1_000;

const fn classes() -> [u8; 65] {
    let (mut classes, mut bits) = ([0; 65], 0);
    while bits < classes.len() {
        while (WIDTHS[classes[bits] as usize] as usize) < bits {
            classes[bits] += 1;
        }
        bits += 1;
    }
    classes
}

/// A number whose sign is its lowest bit (zigzag), so that one near 0 is small whichever its sign.
const fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// What [`fold`] made it from.
const fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

/// What both ways know of one end of a connection: what it sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    /// Its first number, and the one behind its last.
    pub first: Seq,
    pub next: Seq,
    pub segments: u64,
    pub bytes: u64,
    /// The window that it advertised last.
    pub window: u16,
}

/// What was told before, or is known to both ways: where the same comes again, its place is told.
#[derive(Debug, Clone)]
pub struct Known {
    ends: [Sent; 2],
    seqs: Ring<Seq>,
    /// The first is what others are told from.
    times: Ring<Timestamp>,
}

impl Known {
    /// These numbers and instants are known without being told: `last` is near most instants that will come.
    pub const fn new(ends: [Sent; 2], first: Timestamp, last: Timestamp) -> Self {
        let ([a, b], zero) = (ends, Seq(0));
        let seqs = [a.first, a.next, b.first, b.next, zero, zero, zero, zero];
        let times = [last, first, Timestamp::MIN, Timestamp::MAX, last, last, last, last];
        Self { ends, seqs: Ring { values: seqs, fixed: 5, next: 5 }, times: Ring { values: times, fixed: 4, next: 4 } }
    }

    /// Nothing, where only that is read which needs none of it.
    pub fn nothing() -> Self {
        Self::new([Sent::default(); 2], Timestamp::MIN, Timestamp::MIN)
    }

    /// What the end of that number (0 or 1) sent.
    pub const fn sent(&self, end: usize) -> Sent {
        self.ends[end & 1]
    }

    /// The place of the first known instant that is `from` or less than so many nanoseconds behind it.
    #[inline]
    pub fn find_time(&self, from: Timestamp, nanos: u64) -> Option<usize> {
        self.times.find(|known| known.nanos().wrapping_sub(from.nanos()).cast_unsigned() < nanos)
    }

    /// The known instant there.
    pub const fn time(&self, place: usize) -> Timestamp {
        self.times.at(place)
    }

    /// What instants are told from.
    const fn last(&self) -> Timestamp {
        self.times.values[0]
    }
}

/// Bits that name a place of a ring, which has as many places as they can name.
const PLACE: u32 = 3;
const PLACES: usize = 1 << PLACE;

/// The first few values, which stay, and the latest of all others.
#[derive(Debug, Clone)]
struct Ring<T> {
    values: [T; PLACES],
    fixed: u8,
    next: u8,
}

impl<T: Copy> Ring<T> {
    fn push(&mut self, value: T) {
        self.values[usize::from(self.next) % PLACES] = value;
        self.next = if usize::from(self.next) + 1 >= PLACES { self.fixed } else { self.next + 1 };
    }

    const fn at(&self, place: usize) -> T {
        self.values[place % PLACES]
    }

    /// The first place of which that holds. All are asked: which one it will be no processor guesses.
    #[inline]
    fn find(&self, is: impl Fn(T) -> bool) -> Option<usize> {
        let found = (0..PLACES).fold(0_u32, |found, at| found | u32::from(is(self.values[at])) << at);
        (found != 0).then(|| found.trailing_zeros() as usize)
    }
}

/// What packs values, or unpacks them into the same places.
pub trait Packing {
    /// Whether values are written, so that it matters where they are known from.
    const WRITES: bool;

    /// The lower `width` bits of a number (the others are 0).
    fn bits(&mut self, value: &mut u64, width: u32);

    /// What both ways know.
    fn known(&mut self) -> &mut Known;

    /// Any number; small ones take few bits.
    #[inline(never)]
    fn number(&mut self, value: &mut u64) {
        self.behind(&mut 0, 0, value);
    }

    /// Any number behind the lower `before` bits of another one (the others are 0), at most [`BEFORE`].
    fn behind(&mut self, head: &mut u64, before: u32, value: &mut u64);

    /// Any value that a number can stand for.
    #[inline]
    fn number_as<T: Copy>(&mut self, value: &mut T, to: impl FnOnce(T) -> u64, from: impl FnOnce(u64) -> T) {
        let mut number = to(*value);
        self.number(&mut number);
        *value = from(number);
    }

    /// The same in so many bits.
    #[inline]
    fn bits_as<T: Copy>(&mut self, value: &mut T, width: u32, to: impl FnOnce(T) -> u64, from: impl FnOnce(u64) -> T) {
        let mut number = to(*value);
        self.bits(&mut number, width);
        *value = from(number);
    }

    /// Yes or no.
    #[inline]
    fn flag(&mut self, value: &mut bool) {
        self.bits_as(value, 1, u64::from, |bit| bit != 0);
    }

    /// Eight bits.
    #[inline]
    fn byte(&mut self, value: &mut u8) {
        self.bits_as(value, 8, u64::from, |bits| bits as u8);
    }

    /// Any number of two or four bytes.
    #[inline]
    fn short(&mut self, value: &mut u16) {
        self.number_as(value, u64::from, |number| number as u16);
    }

    /// See [`Packing::short`].
    #[inline]
    fn word(&mut self, value: &mut u32) {
        self.number_as(value, u64::from, |number| number as u32);
    }

    /// A number that is likely near another one.
    #[inline]
    fn near(&mut self, value: &mut i64, to: i64) {
        let mut folded = fold(value.wrapping_sub(to));
        self.number(&mut folded);
        *value = to.wrapping_add(unfold(folded));
    }

    /// One of these few (at most eight).
    #[inline]
    fn one_of<T: Copy + PartialEq>(&mut self, value: &mut T, all: &[T]) {
        let mut at = if Self::WRITES { all.iter().position(|one| one == value).unwrap_or(0) as u64 } else { 0 };
        self.bits(&mut at, all.len().next_power_of_two().ilog2());
        *value = all.get(at as usize).copied().unwrap_or(*value);
    }

    /// What may be there; `make` makes one to be set.
    #[inline]
    fn option<T>(&mut self, value: &mut Option<T>, make: impl FnOnce() -> T, each: impl FnOnce(&mut Self, &mut T))
    where
        Self: Sized,
    {
        let mut there = value.is_some();
        self.flag(&mut there);
        if there {
            each(self, value.get_or_insert_with(make));
        } else {
            *value = None;
        }
    }

    /// What is nearly always `usual`; where it is not, `each` tells it.
    #[inline]
    fn unless<T: PartialEq>(&mut self, value: &mut T, usual: T, each: impl FnOnce(&mut Self, &mut T))
    where
        Self: Sized,
    {
        let mut is_usual = Self::WRITES && *value == usual;
        self.flag(&mut is_usual);
        if is_usual {
            *value = usual;
        } else {
            each(self, value);
        }
    }

    /// The place of a known value, which `find` finds; `None` if it must be told.
    #[inline]
    fn place(&mut self, find: impl FnOnce(&Known) -> Option<usize>) -> Option<usize> {
        if Self::WRITES {
            let found = find(self.known());
            let (mut told, width) = found.map_or((0, 1), |at| (1 | (at as u64) << 1, 1 + PLACE));
            self.bits(&mut told, width);
            return found;
        }
        let mut there = false;
        self.flag(&mut there);
        there.then(|| {
            let mut at = 0;
            self.bits(&mut at, PLACE);
            at as usize
        })
    }

    /// A sequence number, likely one of those known or next to one.
    #[inline]
    fn seq(&mut self, value: &mut Seq) {
        // From one before it to two behind it.
        const NEAR: u32 = 4;
        let find = |known: &Known| known.seqs.find(|known| (*value + 1 - known.0).0 < NEAR);
        if let Some(at) = self.place(find) {
            let known = self.known().seqs.at(at);
            let mut apart = u64::from((*value + 1 - known.0).0);
            self.bits(&mut apart, 2);
            *value = known + apart as u32 - 1;
        } else {
            self.bits_as(value, 32, |seq| seq.0.into(), |bits| Seq(bits as u32));
            self.known().seqs.push(*value);
        }
    }

    /// An instant, likely one of those known.
    #[inline]
    fn time(&mut self, value: &mut Timestamp) {
        let find = |known: &Known| known.find_time(*value, 1);
        if let Some(at) = self.place(find) {
            *value = self.known().time(at);
            return;
        }
        let last = self.known().last().nanos();
        let mut apart = value.nanos().wrapping_sub(last);
        self.span(&mut apart);
        *value = Timestamp::from_nanos(last.wrapping_add(apart));
        self.known().times.push(*value);
    }

    /// From one instant to another, either may be the earlier, nanoseconds; likely whole microseconds.
    #[inline]
    fn span(&mut self, value: &mut i64) {
        let mut folded = fold(*value);
        self.nanos(&mut folded);
        *value = unfold(folded);
    }

    /// The same behind the lower `before` bits of a number (the others are 0), few.
    #[inline(always)]
    fn span_behind(&mut self, head: &mut u64, before: u32, value: &mut i64) {
        let mut folded = fold(*value);
        self.nanos_behind(head, before, &mut folded);
        *value = unfold(folded);
    }

    /// A length of time, or twice one, likely of whole microseconds.
    #[inline(never)]
    fn nanos(&mut self, value: &mut u64) {
        self.nanos_behind(&mut 0, 0, value);
    }

    /// See [`Packing::span_behind`].
    #[inline(always)]
    fn nanos_behind(&mut self, head: &mut u64, before: u32, value: &mut u64) {
        let micros = *value / MICRO;
        let is_whole = micros * MICRO == *value;
        let mut count = if is_whole { micros } else { *value };
        let mut both = *head | u64::from(is_whole) << before;
        self.behind(&mut both, before + 1, &mut count);
        if !Self::WRITES {
            *head = both & ((1 << before) - 1);
            *value = if both >> before == 0 { count } else { count.wrapping_mul(MICRO) };
        }
    }
}

/// Writes.
#[derive(Debug)]
pub struct Packer {
    bytes: Vec<u8>,
    /// Bits that are no whole word yet.
    open: u64,
    count: u32,
    known: Known,
}

impl Packer {
    /// Writes behind these bytes.
    pub fn behind(bytes: Vec<u8>, known: Known) -> Self {
        Self { bytes, open: 0, count: 0, known }
    }

    /// After the bits of a value that filled a word.
    #[inline(never)]
    fn begin_word(&mut self, value: u64, width: u32) {
        self.bytes.extend_from_slice(&self.open.to_le_bytes());
        self.count -= u64::BITS;
        // What did not fit: nothing, where it began at a word's beginning.
        self.open = value.checked_shr(width - self.count).unwrap_or(0);
    }

    /// Writes a head, and behind it a large number.
    #[cold]
    #[inline(never)]
    fn apart(&mut self, mut head: u64, width: u32, mut value: u64) {
        self.bits(&mut head, width);
        self.bits(&mut value, u64::BITS);
    }

    /// All that was written, behind what was there.
    pub fn finish(mut self) -> Vec<u8> {
        let rest = self.open.to_le_bytes();
        self.bytes.extend_from_slice(&rest[..self.count.div_ceil(8) as usize]);
        self.bytes
    }
}

impl Packing for Packer {
    const WRITES: bool = true;

    #[inline]
    fn bits(&mut self, value: &mut u64, width: u32) {
        self.open |= *value << self.count;
        self.count += width;
        if self.count >= u64::BITS {
            self.begin_word(*value, width);
        }
    }

    #[inline(always)]
    fn behind(&mut self, head: &mut u64, before: u32, value: &mut u64) {
        debug_assert!(before <= BEFORE, "{before} bits before a number");
        // By how many bits it has.
        let class = CLASSES[(u64::BITS - value.leading_zeros()) as usize];
        let (both, told) = (*head | u64::from(class) << before, before + CLASS);
        match WIDTHS[usize::from(class)] {
            width if width <= 32 => self.bits(&mut (both | *value << told), told + width),
            _ => self.apart(both, told, *value),
        }
    }

    fn known(&mut self) -> &mut Known {
        &mut self.known
    }
}

/// Reads what a [`Packer`] wrote that knew the same.
#[derive(Debug)]
pub struct Unpacker<'a> {
    bytes: &'a [u8],
    /// The next bit.
    at: usize,
    known: Known,
}

impl<'a> Unpacker<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8], known: Known) -> Self {
        Self { bytes, at: 0, known }
    }

    /// The next bits, 57 of them at least; `None` where fewer than eight bytes are left.
    #[inline]
    fn word_from(&self) -> Option<u64> {
        let word = self.bytes.get(self.at / 8..).and_then(<[u8]>::first_chunk)?;
        Some(u64::from_le_bytes(*word) >> (self.at % 8))
    }

    /// The next 64 bits, also where they are of nine bytes, or fewer are left.
    #[inline(never)]
    fn last_bits(&self) -> u64 {
        let (mut words, rest) = ([0; 16], self.bytes.get(self.at / 8..).unwrap_or_default());
        let count = rest.len().min(words.len());
        words[..count].copy_from_slice(&rest[..count]);
        (u128::from_le_bytes(words) >> (self.at % 8)) as u64
    }
}

impl Packing for Unpacker<'_> {
    const WRITES: bool = false;

    #[inline]
    fn bits(&mut self, value: &mut u64, width: u32) {
        let mask = if width == u64::BITS { u64::MAX } else { (1 << width) - 1 };
        let bits = match self.word_from() {
            Some(bits) if self.at % 8 + width as usize <= u64::BITS as usize => bits,
            _ => self.last_bits(),
        };
        *value = bits & mask;
        self.at += width as usize;
    }

    #[inline(always)]
    fn behind(&mut self, head: &mut u64, before: u32, value: &mut u64) {
        let bits = self.word_from().unwrap_or_else(|| self.last_bits());
        *head = bits & ((1 << before) - 1);
        let (told, width) = (before + CLASS, WIDTHS[(bits >> before) as usize % WIDTHS.len()]);
        self.at += told as usize;
        if width > 32 {
            return self.bits(value, width);
        }
        *value = bits >> told & ((1 << width) - 1);
        self.at += width as usize;
    }

    fn known(&mut self) -> &mut Known {
        &mut self.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let at = |secs| Timestamp::from_secs_nanos(secs, 5);
        let sent = |first, next| Sent { first: Seq(first), next: Seq(next), ..Sent::default() };
        Known::new([sent(7, 700), sent(u32::MAX, 1 << 31)], at(1_700_000_000), at(1_700_000_020))
    }

    #[test]
    fn every_value_is_read_as_it_was_written() {
        let numbers: Vec<u64> =
            (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]).collect();
        let mut packer = Packer::behind(Vec::new(), known());
        for (count, number) in numbers.iter().enumerate() {
            let mut number = *number;
            // So that they begin everywhere in a word.
            packer.bits(&mut (count as u64 & 1), 1);
            packer.number(&mut number);
            packer.near(&mut number.cast_signed(), 5);
            packer.seq(&mut Seq(number as u32));
            packer.time(&mut Timestamp::from_nanos(number.cast_signed()));
            packer.flag(&mut (number % 3 == 0));
            packer.one_of(&mut (number % 5), &[0, 1, 2, 3, 4]);
            packer.option(&mut Some(number).filter(|number| number % 2 == 0), || 0, Packer::number);
            packer.unless(&mut number, count as u64, Packer::nanos);
            packer.span_behind(&mut (count as u64 % 128), 7, &mut number.cast_signed());
        }
        let bytes = packer.finish();
        let mut from = Unpacker::new(&bytes, known());
        for (count, number) in numbers.iter().copied().enumerate() {
            let (mut bit, mut plain, mut usual, mut near, mut seq) = (9, 9, 9, 9, Seq(9));
            let (mut time, mut flag, mut one, mut option) = (Timestamp::MIN, true, 2, Some(9));
            let (mut head, mut behind) = (9, 9);
            from.bits(&mut bit, 1);
            from.number(&mut plain);
            from.near(&mut near, 5);
            from.seq(&mut seq);
            from.time(&mut time);
            from.flag(&mut flag);
            from.one_of(&mut one, &[0, 1, 2, 3, 4]);
            from.option(&mut option, || 0, Unpacker::number);
            from.unless(&mut usual, count as u64, Unpacker::nanos);
            from.span_behind(&mut head, 7, &mut behind);
            assert_eq!((bit, plain, usual, near), (count as u64 & 1, number, number, number.cast_signed()));
            assert_eq!((seq, time.nanos()), (Seq(number as u32), number.cast_signed()));
            assert_eq!((head, behind), (count as u64 % 128, number.cast_signed()));
            assert_eq!((flag, one, option), (number % 3 == 0, number % 5, Some(number).filter(|n| n % 2 == 0)));
        }
    }

    #[test]
    fn what_is_known_takes_few_bits() {
        let bits = |each: &dyn Fn(&mut Packer)| {
            let mut packer = Packer::behind(Vec::new(), known());
            each(&mut packer);
            packer.bytes.len() as u32 * 8 + packer.count
        };
        assert_eq!(bits(&|packer| packer.seq(&mut Seq(701))), 6);
        assert_eq!(bits(&|packer| packer.seq(&mut Seq(703))), 33);
        assert_eq!(bits(&|packer| packer.time(&mut Timestamp::from_nanos(i64::MAX))), 4);
        assert_eq!(bits(&|packer| packer.number(&mut 0)), 3);
        let twice = |packer: &mut Packer| (0..2).for_each(|_| packer.time(&mut Timestamp::from_nanos(9)));
        assert_eq!(bits(&twice), (1 + 1 + 3 + 64) + (1 + 3));
        assert_eq!(bits(&|packer| packer.unless(&mut 70_123_000, 70_123_000, Packer::nanos)), 1);
        assert_eq!(bits(&|packer| packer.unless(&mut 70_123_000, 7, Packer::nanos)), 1 + 1 + 3 + 18);
    }

    #[test]
    fn behind_the_end_there_are_zeros() {
        let mut from = Unpacker::new(&[0xff, 0xff], known());
        let mut value = 0;
        from.bits(&mut value, 64);
        assert_eq!(value, 0xffff);
        from.number(&mut value);
        assert_eq!(value, 0);
    }
}
