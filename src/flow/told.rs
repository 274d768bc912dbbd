//! A [beginning](super::Beginning) that is all of a flow, in few bytes: its segments, of which hardly anything is not as
//! those before have it expected.
//!
//! May touch `base`.

use super::beginning::Beginning;
use super::brief::{FROM_RESP, HAS_TIMESTAMPS};
use super::{Brief, Flow, Side};
use crate::base::{Packing, Seq, Timestamp};
use crate::wire::Flags;

/// The flags of nearly all segments.
const KINDS: [u16; 7] = [
    Flags::ACK.0,
    Flags::PSH.0 | Flags::ACK.0,
    Flags::FIN.0 | Flags::ACK.0,
    Flags::SYN.0 | Flags::ACK.0,
    Flags::SYN.0,
    Flags::FIN.0 | Flags::PSH.0 | Flags::ACK.0,
    Flags::SYN.0 | Flags::ECE.0 | Flags::CWR.0,
];

/// Of any nine flags, their place among the kinds; behind the last where they are none.
const KIND_OF: [u8; 1 << 9] = kind_of();

const fn kind_of() -> [u8; 1 << 9] {
    let (mut kinds, mut at) = ([KINDS.len() as u8; 1 << 9], 0);
    while at < KINDS.len() {
        kinds[KINDS[at] as usize] = at as u8;
        at += 1;
    }
    kinds
}

/// Bits that stand before each segment: who sent it (one), its place among the kinds (three), one of the lengths below
/// (two), and whether all else is as expected (one). Its time follows, in the same write.
const HEAD: u32 = 7;

/// Its flags, or whether it has timestamps, are told.
const NO_KIND: u64 = KINDS.len() as u64;

/// No data; as much as in the last of its sender that had some; or any other length.
const NO_DATA: u64 = 0;
const AS_MUCH: u64 = 1;
const OTHER: u64 = 2;

impl Beginning {
    /// Whether of these segments, all of `flow`, nothing more is to be told than that none is irregular: none fills a
    /// window, or may.
    pub fn is_regular(mut briefs: impl Iterator<Item = Brief>, flow: &Flow) -> bool {
        let mut expected = Expected::of(flow);
        briefs.all(|brief| {
            let is_regular = !expected.may_fill_window(&brief);
            expected.pass(&brief);
            is_regular
        })
    }

    /// Packs the segments that are all of `flow`, `count` of them. False where they are not
    /// [regular](Self::is_regular).
    pub fn pack(briefs: impl Iterator<Item = Brief>, mut count: u8, flow: &Flow, into: &mut impl Packing) -> bool {
        let (mut expected, mut digests) = (Expected::of(flow), [0; 2]);
        into.byte(&mut count);
        for mut brief in briefs {
            if expected.may_fill_window(&brief) {
                return false;
            }
            expected.pack(&mut brief, into);
            digests[brief.from().index()] = brief.digest;
        }
        digests.iter_mut().for_each(|digest| into.short(digest));
        true
    }

    /// The same segments again: all of them but their digests. `from` stands behind them once the last was asked for.
    #[inline]
    pub fn told(flow: &Flow, from: &mut impl Packing) -> impl Iterator<Item = Brief> {
        let (mut expected, mut count) = (Expected::of(flow), 0);
        from.byte(&mut count);
        (0..count).map(move |_| {
            let mut brief = Brief::BLANK;
            expected.pack(&mut brief, from);
            brief
        })
    }

    /// The same, with the digest of the last of each end: of others nobody asks for it. It tells what is captured twice.
    pub fn unpack(flow: &Flow, from: &mut impl Packing) -> Vec<Brief> {
        let mut briefs: Vec<_> = Self::told(flow, from).collect();
        for side in Side::BOTH {
            let mut digest = 0;
            from.short(&mut digest);
            if let Some(last) = briefs.iter_mut().rfind(|brief| brief.from() == side) {
                last.digest = digest;
            }
        }
        briefs
    }
}

/// What is expected of the next segment by those before it.
#[derive(Debug)]
struct Expected {
    at: Timestamp,
    ends: [End; 2],
}

/// Of one end, where its place finds it at once.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct End {
    /// Behind all that it sent; its first number, where it sent nothing.
    nxt: Seq,
    /// What its peer acknowledged.
    una: Option<Seq>,
    /// By how much its windows are scaled, where that is known.
    scale: Option<u8>,
    /// Of its latest segment.
    ttl: u8,
    window: u16,
    /// [`HAS_TIMESTAMPS`], or none.
    timestamps: u16,
    tsval: u32,
    /// Of its latest segment with data.
    len: u32,
}

/// What a segment says that is mostly as expected.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    seq: Seq,
    ack: Seq,
    window: u16,
    ttl: u8,
    /// TSecr.
    echo: u32,
}

impl Expected {
    /// Before the first segment of `flow`, which is as it is after the last.
    fn of(flow: &Flow) -> Self {
        let (known, scales) = (flow.known(), flow.scales());
        let end = |side: usize| {
            let (nxt, scale) = (known.sent(side).first, scales[side]);
            End { nxt, una: None, scale, ttl: 64, window: 0, timestamps: 0, tsval: 0, len: 0 }
        };
        Self { at: flow.span().0, ends: [end(0), end(1)] }
    }

    /// Who sends, and its peer: by their place, since of two values each number would be chosen by itself.
    #[inline]
    const fn turned(&self, from: u16) -> (&End, &End) {
        let from = (from & 1) as usize;
        (&self.ends[from], &self.ends[from ^ 1])
    }

    /// Packs the next segment, or unpacks it into `brief`: all of it but its digest.
    #[inline]
    fn pack<P: Packing>(&mut self, brief: &mut Brief, into: &mut P) {
        let mut head = if P::WRITES { self.head(brief) } else { 0 };
        let mut apart = brief.ts.nanos().wrapping_sub(self.at.nanos());
        into.span_behind(&mut head, HEAD, &mut apart);
        if !P::WRITES {
            brief.ts = Timestamp::from_nanos(self.at.nanos().wrapping_add(apart));
        }
        let (own, peer) = self.turned(head as u16);
        if head >> 1 & 7 == NO_KIND {
            into.bits_as(&mut brief.marks, u16::BITS, u64::from, |bits| bits as u16);
        }
        if !P::WRITES {
            own.expect(head, brief);
        }
        if head >> 4 & 3 == OTHER {
            into.word(&mut brief.payload_len);
        }
        if !P::WRITES || head >> 6 == 0 {
            Numbers::expected(own, peer, brief.flags()).pack(head >> 6 != 0, brief, into);
        }
        if brief.marks & HAS_TIMESTAMPS != 0 {
            let tsval = own.tsval;
            let from = |apart| tsval.wrapping_add(apart as u32);
            into.number_as(&mut brief.timestamps.0, |own| own.wrapping_sub(tsval).into(), from);
        }
        self.pass(brief);
    }

    /// Whether the segment fills the window of its receiver, or may.
    #[inline]
    fn may_fill_window(&self, brief: &Brief) -> bool {
        let (own, peer) = self.turned(brief.marks / FROM_RESP);
        if brief.payload_len == 0 {
            return false;
        }
        let behind = own.una.map_or(0, |una| brief.seq.0.wrapping_sub(una.0)).wrapping_add(brief.payload_len);
        let window = u32::from(peer.window);
        // That of a SYN is not scaled.
        let fills = |scale: u8| (behind == window) | (behind == window << scale);
        peer.scale.is_none_or(fills)
    }

    #[inline]
    fn head(&self, brief: &Brief) -> u64 {
        let (own, peer) = self.turned(brief.marks / FROM_RESP);
        let as_before = brief.marks & HAS_TIMESTAMPS == own.timestamps;
        let kind = if as_before { KIND_OF[usize::from(brief.flags().0)].into() } else { NO_KIND };
        let length = match brief.payload_len {
            0 => NO_DATA,
            some if some == own.len => AS_MUCH,
            _ => OTHER,
        };
        let is_usual = Numbers::expected(own, peer, brief.flags()).are_of(brief);
        u64::from(brief.marks / FROM_RESP) | kind << 1 | length << 4 | u64::from(is_usual) << 6
    }

    #[inline]
    fn pass(&mut self, brief: &Brief) {
        self.at = brief.ts;
        let from = usize::from(brief.marks / FROM_RESP);
        if brief.flags().ack() {
            self.ends[from ^ 1].una = Some(brief.ack);
        }
        let own = &mut self.ends[from];
        (own.nxt, own.window, own.ttl) = (brief.end(), brief.window, brief.ttl);
        (own.tsval, own.timestamps) = (brief.timestamps.0, brief.marks & HAS_TIMESTAMPS);
        if brief.payload_len > 0 {
            own.len = brief.payload_len;
        }
    }
}

impl End {
    /// Sets what the head of its next segment tells.
    #[inline]
    fn expect(&self, head: u64, brief: &mut Brief) {
        if let Some(kind) = KINDS.get((head >> 1 & 7) as usize) {
            brief.marks = kind | self.timestamps | ((head as u16 & 1) * FROM_RESP);
        }
        brief.payload_len = if head >> 4 & 3 == AS_MUCH { self.len } else { 0 };
    }
}

impl Numbers {
    /// Those of the next segment of `own`.
    #[inline]
    fn expected(own: &End, peer: &End, flags: Flags) -> Self {
        let ack = if flags.ack() { peer.nxt } else { Seq(0) };
        let echo = if own.timestamps == 0 { 0 } else { peer.tsval };
        Self { seq: own.nxt, ack, window: own.window, ttl: own.ttl, echo }
    }

    /// Whether a segment says just these: all are compared, since mostly they are.
    #[inline]
    fn are_of(&self, brief: &Brief) -> bool {
        let Self { seq, ack, window, ttl, echo } = *self;
        let numbers = (seq == brief.seq) & (ack == brief.ack) & (echo == brief.timestamps.1);
        numbers & (window == brief.window) & (ttl == brief.ttl)
    }

    /// Packs those of a segment, of which these were expected, unless they are `usual`: just these.
    #[inline]
    fn pack(self, usual: bool, brief: &mut Brief, into: &mut impl Packing) {
        if usual {
            let Self { seq, ack, window, ttl, echo } = self;
            (brief.seq, brief.ack, brief.window, brief.ttl, brief.timestamps.1) = (seq, ack, window, ttl, echo);
        } else {
            // A copy, so that of the others each may lie in a register.
            let mut others = *brief;
            self.pack_others(&mut others, into);
            *brief = others;
        }
    }

    /// Where they are not as expected.
    #[inline(never)]
    fn pack_others(self, brief: &mut Brief, into: &mut impl Packing) {
        let Brief { seq, ack, window, ttl, timestamps: (_, echo), .. } = brief;
        into.unless(seq, self.seq, |into, seq| into.word(&mut seq.0));
        into.unless(ack, self.ack, |into, ack| {
            // Mostly what was sent a little before.
            into.number_as(
                &mut ack.0,
                |ack| self.ack.0.wrapping_sub(ack).into(),
                |behind| self.ack.0.wrapping_sub(behind as u32),
            );
        });
        into.unless(window, self.window, Packing::short);
        into.unless(ttl, self.ttl, Packing::byte);
        into.unless(echo, self.echo, Packing::word);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Variation, lines, said};
    use super::*;
    use crate::base::{Packer, Unpacker};

    const OPEN: &str = "0.00 > S 100 ws 3\n0.01 < S. 300 ack 101 ws 2\n0.02 > . 101 ack 301";
    const TALK: &str = "0.03 > P. 101 ack 301 len 10\n0.04 < . 301 ack 111\n0.05 < P. 301 ack 111 len 20
        0.06 < P. 321 ack 111 len 20\n0.06 > . 111 ack 321\n0.07 > . 111 ack 341\n0.08 > F. 111 ack 341
        0.09 < F. 341 ack 112\n0.10 > . 112 ack 342";

    fn flow_and_briefs(text: &str) -> (Flow, Vec<Brief>) {
        let mut segments = lines(text).map(|line| said(line, Variation::default()));
        let (first, from) = segments.next().expect("a segment");
        let (mut flow, mut briefs) = (Flow::new(&first), vec![Brief::of(&first, from)]);
        for (segment, from) in segments {
            flow.feed(&segment, from);
            briefs.push(Brief::of(&segment, from));
        }
        (flow, briefs)
    }

    /// Packs, unpacks and compares; tells in how many bytes they were packed.
    fn packed(flow: &Flow, briefs: &[Brief]) -> usize {
        let mut packer = Packer::behind(Vec::new(), flow.known());
        assert!(Beginning::pack(briefs.iter().copied(), briefs.len() as u8, flow, &mut packer));
        let bytes = packer.finish();
        let told = Beginning::unpack(flow, &mut Unpacker::new(&bytes, flow.known()));
        assert_eq!(told.len(), briefs.len());
        for (at, (told, brief)) in told.iter().zip(briefs).enumerate() {
            let is_last = !briefs[at + 1..].iter().any(|later| later.from() == brief.from());
            let digest = if is_last { brief.digest } else { 0 };
            assert_eq!(format!("{told:?}"), format!("{:?}", Brief { digest, ..*brief }));
        }
        bytes.len()
    }

    #[test]
    fn segments_in_line_take_few_bytes() {
        let (flow, briefs) = flow_and_briefs(&format!("{OPEN}\n{TALK}"));
        assert!(packed(&flow, &briefs) < 5 * briefs.len(), "{}", packed(&flow, &briefs));
    }

    #[test]
    fn what_is_not_as_expected_is_told() {
        for odd in [
            "0.03 > P. 101 ack 301 len 10 ts",
            "0.03 > . 101 ack 301 win 7",
            "0.03 > . 102 ack 302",
            "0.01 > . 4294967295 ack 0 len 4294967295",
            "0.03 > RP. 101 ack 301 len 10",
            "0.03 > R 0",
        ] {
            let (flow, briefs) = flow_and_briefs(&format!("{OPEN}\n{odd}\n{TALK}"));
            packed(&flow, &briefs);
            let other = |ttl, timestamps| {
                briefs
                    .iter()
                    .map(|brief| Brief { ttl, timestamps, marks: brief.marks | HAS_TIMESTAMPS, ..*brief })
                    .collect::<Vec<_>>()
            };
            packed(&flow, &other(3, (u32::MAX, 5)));
        }
    }

    #[test]
    fn a_window_that_may_be_full_is_noticed() {
        // Windows of 1,000; the responder's are scaled by 2, but for that of its SYN-ACK.
        for (len, fills) in [(999, false), (1_000, true), (1_001, false), (3_999, false), (4_000, true), (8_000, false)]
        {
            let (flow, briefs) = flow_and_briefs(&format!(
                "{OPEN}\n0.03 > P. 101 ack 301 len 10\n0.04 > P. 111 ack 301 len {}",
                len - 10
            ));
            let mut packer = Packer::behind(Vec::new(), flow.known());
            assert_eq!(Beginning::is_regular(briefs.iter().copied(), &flow), !fills, "{len}");
            assert_eq!(Beginning::pack(briefs.into_iter(), 5, &flow, &mut packer), !fills, "{len}");
        }
    }
}
