//! [`Options`]: what the options of a TCP header say, in few bytes, since each segment crosses from one core of the
//! processor to another.
//!
//! Read first: RFC 9293 §3.2, RFC 7323 §2–3, RFC 2018, RFC 7413 §4.1, RFC 8684 §3.

use crate::base::Seq;

/// The TCP options that were read. An absent option is `None`, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    numbers: Numbers,
    /// Of the two below and [`Self::mptcp`], those that are absent are 0.
    wscale: u8,
    mss: u16,
    mptcp: u8,
    /// Bits of [`there`].
    there: u8,
}

/// What stands in the header besides [`Numbers`].
mod there {
    pub(super) const MSS: u8 = 1;
    pub(super) const WSCALE: u8 = 1 << 1;
    pub(super) const SACK_PERMITTED: u8 = 1 << 2;
    pub(super) const FAST_OPEN: u8 = 1 << 3;
    pub(super) const MPTCP: u8 = 1 << 4;
    pub(super) const CUT: u8 = 1 << 5;
}

/// Timestamps, which stand first, and SACK blocks, left and right edge each: there is no room in a header for
/// timestamps and four blocks. Each number of them is a case of its own, so that a segment without any, as many are,
/// takes no writing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Numbers {
    #[default]
    None,
    One([Pair; 1]),
    Two([Pair; 2]),
    Three([Pair; 3]),
    Four([Pair; 4]),
    Stamps([Pair; 1]),
    StampsOne([Pair; 2]),
    StampsTwo([Pair; 3]),
    StampsThree([Pair; 4]),
}

/// Without a gap before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
struct Pair(u32, u32);

impl Numbers {
    /// Timestamps first, if there are any; then as many blocks as find room.
    fn of(stamps: Option<(u32, u32)>, blocks: impl Iterator<Item = (Seq, Seq)>) -> Self {
        let mut pairs = stamps.into_iter().chain(blocks.map(|(left, right)| (left.0, right.0)));
        let mut next = || pairs.next().map(|(first, second)| Pair(first, second));
        match (stamps.is_some(), [next(), next(), next(), next()]) {
            (false, [Some(a), None, ..]) => Self::One([a]),
            (false, [Some(a), Some(b), None, _]) => Self::Two([a, b]),
            (false, [Some(a), Some(b), Some(c), None]) => Self::Three([a, b, c]),
            (false, [Some(a), Some(b), Some(c), Some(d)]) => Self::Four([a, b, c, d]),
            (true, [Some(a), None, ..]) => Self::Stamps([a]),
            (true, [Some(a), Some(b), None, _]) => Self::StampsOne([a, b]),
            (true, [Some(a), Some(b), Some(c), None]) => Self::StampsTwo([a, b, c]),
            (true, [Some(a), Some(b), Some(c), Some(d)]) => Self::StampsThree([a, b, c, d]),
            (_, [None, ..]) => Self::None,
        }
    }

    #[inline(always)]
    const fn stamps(&self) -> Option<Pair> {
        match self {
            Self::Stamps([stamps])
            | Self::StampsOne([stamps, ..])
            | Self::StampsTwo([stamps, ..])
            | Self::StampsThree([stamps, ..]) => Some(*stamps),
            Self::None | Self::One(_) | Self::Two(_) | Self::Three(_) | Self::Four(_) => None,
        }
    }

    #[inline]
    fn blocks(&self) -> &[Pair] {
        match self {
            Self::None | Self::Stamps(_) => &[],
            Self::One(blocks) => blocks,
            Self::Two(blocks) => blocks,
            Self::Three(blocks) => blocks,
            Self::Four(blocks) => blocks,
            Self::StampsOne([_, blocks @ ..]) => blocks,
            Self::StampsTwo([_, blocks @ ..]) => blocks,
            Self::StampsThree([_, blocks @ ..]) => blocks,
        }
    }
}

impl Options {
    /// Maximum segment size, bytes (RFC 9293 §3.7.1).
    pub const fn mss(&self) -> Option<u16> {
        if self.has(there::MSS) { Some(self.mss) } else { None }
    }

    /// Window scale: the shift count, at most 14 (RFC 7323 §2).
    pub const fn wscale(&self) -> Option<u8> {
        if self.has(there::WSCALE) { Some(self.wscale) } else { None }
    }

    /// SACK permitted (RFC 2018 §2).
    pub const fn sack_permitted(&self) -> bool {
        self.has(there::SACK_PERMITTED)
    }

    /// SACK blocks, left and right edge, in the order of the option (RFC 2018 §3): up to four, or three beside
    /// timestamps.
    pub fn sack(&self) -> impl ExactSizeIterator<Item = (Seq, Seq)> + Clone {
        self.numbers.blocks().iter().map(|pair| (Seq(pair.0), Seq(pair.1)))
    }

    /// Whether it has SACK blocks.
    #[inline]
    pub const fn has_sack(&self) -> bool {
        !matches!(self.numbers, Numbers::None | Numbers::Stamps(_))
    }

    /// Timestamps: TSval and TSecr (RFC 7323 §3).
    #[inline(always)]
    pub const fn timestamps(&self) -> Option<(u32, u32)> {
        match self.numbers.stamps() {
            Some(Pair(value, echo)) => Some((value, echo)),
            None => None,
        }
    }

    /// A Fast Open cookie or cookie request (RFC 7413).
    pub const fn fast_open(&self) -> bool {
        self.has(there::FAST_OPEN)
    }

    /// Multipath TCP (RFC 8684): the subtype of the first such option.
    pub const fn mptcp(&self) -> Option<u8> {
        if self.has(there::MPTCP) { Some(self.mptcp) } else { None }
    }

    /// The snap length cut the options: what is absent here may have been there.
    pub const fn cut(&self) -> bool {
        self.has(there::CUT)
    }

    /// Whether it holds nothing, or timestamps alone.
    #[inline(always)]
    pub const fn is_timestamps_at_most(&self) -> bool {
        self.there == 0 && !self.has_sack()
    }

    /// Tells timestamps alone, of what holds nothing yet.
    #[inline(always)]
    pub(super) const fn tell_timestamps(&mut self, value: u32, echo: u32) {
        self.numbers = Numbers::Stamps([Pair(value, echo)]);
    }

    #[must_use]
    pub fn with_mss(self, mss: impl Into<Option<u16>>) -> Self {
        let mss = mss.into();
        Self { mss: mss.unwrap_or(0), ..self.put(there::MSS, mss.is_some()) }
    }

    #[must_use]
    pub fn with_wscale(self, wscale: impl Into<Option<u8>>) -> Self {
        let wscale = wscale.into();
        Self { wscale: wscale.unwrap_or(0), ..self.put(there::WSCALE, wscale.is_some()) }
    }

    #[must_use]
    pub const fn with_sack_permitted(self, permitted: bool) -> Self {
        self.put(there::SACK_PERMITTED, permitted)
    }

    /// With these SACK blocks alone, as many of them as find room.
    #[must_use]
    pub fn with_sack(self, blocks: impl IntoIterator<Item = (Seq, Seq)>) -> Self {
        Self { numbers: Numbers::of(self.timestamps(), blocks.into_iter()), ..self }
    }

    /// With one more SACK block, if it finds room.
    #[must_use]
    pub fn with_sack_block(self, left: Seq, right: Seq) -> Self {
        self.with_sack(self.sack().chain([(left, right)]))
    }

    /// With these timestamps; a fourth SACK block has no room beside them.
    #[must_use]
    pub fn with_timestamps(self, timestamps: impl Into<Option<(u32, u32)>>) -> Self {
        let timestamps = timestamps.into();
        // Mostly there are neither these nor blocks, and nothing is to be put together.
        if timestamps.is_none() && matches!(self.numbers, Numbers::None) {
            return self;
        }
        Self { numbers: Numbers::of(timestamps, self.sack()), ..self }
    }

    #[must_use]
    pub const fn with_fast_open(self, fast_open: bool) -> Self {
        self.put(there::FAST_OPEN, fast_open)
    }

    #[must_use]
    pub fn with_mptcp(self, mptcp: impl Into<Option<u8>>) -> Self {
        let mptcp = mptcp.into();
        Self { mptcp: mptcp.unwrap_or(0), ..self.put(there::MPTCP, mptcp.is_some()) }
    }

    #[must_use]
    pub const fn with_cut(self, cut: bool) -> Self {
        self.put(there::CUT, cut)
    }

    const fn has(&self, bit: u8) -> bool {
        self.there & bit != 0
    }

    const fn put(self, bit: u8, is_there: bool) -> Self {
        Self { there: if is_there { self.there | bit } else { self.there & !bit }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(count: u32) -> Vec<(Seq, Seq)> {
        (0..count).map(|n| (Seq(n), Seq(n + 1))).collect()
    }

    #[test]
    fn sack_blocks_find_room_as_they_do_in_a_header() {
        for count in 0..6 {
            let told =
                |options: Options| (options.timestamps(), options.sack().collect::<Vec<_>>(), options.has_sack());
            let alone = Options::default().with_sack(blocks(count));
            assert_eq!(told(alone), (None, blocks(count.min(4)), count > 0));
            let beside = (Some((7, 8)), blocks(count.min(3)), count > 0);
            assert_eq!(told(alone.with_timestamps((7, 8))), beside);
            assert_eq!(told(Options::default().with_timestamps((7, 8)).with_sack(blocks(count))), beside);
            let by_one = |options: Options, (left, right)| options.with_sack_block(left, right);
            assert_eq!(blocks(count).into_iter().fold(Options::default(), by_one), alone);
        }
    }

    #[test]
    fn what_is_taken_away_is_as_if_it_had_never_been() {
        let all = Options::default().with_mss(0).with_wscale(0).with_mptcp(1).with_cut(true).with_timestamps((0, 0));
        assert_eq!((all.mss(), all.wscale(), all.mptcp(), all.timestamps()), (Some(0), Some(0), Some(1), Some((0, 0))));
        assert!(!all.is_timestamps_at_most());
        let stamps = all.with_mss(None).with_wscale(None).with_mptcp(None).with_cut(false);
        assert_eq!(stamps, Options::default().with_timestamps((0, 0)));
        assert!(stamps.is_timestamps_at_most() && !stamps.with_sack(blocks(1)).is_timestamps_at_most());
    }
}
