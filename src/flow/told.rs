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

/// Bits that stand before each segment: who sent it (one), its place among the kinds (three), one of the lengths below
/// (two), and whether all else is as expected (one).
const HEAD: u32 = 7;

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
            expected.stands.pass(&brief);
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

    /// The same segments again. Only of the last of each end somebody may ask for the digest: it tells what is captured
    /// twice.
    pub fn unpack(flow: &Flow, from: &mut impl Packing) -> Vec<Brief> {
        let (mut expected, mut count) = (Expected::of(flow), 0);
        from.byte(&mut count);
        let mut briefs = vec![Brief::BLANK; count.into()];
        briefs.iter_mut().for_each(|brief| expected.pack(brief, from));
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
    stands: Beginning,
    at: Timestamp,
    ends: [End; 2],
}

/// Of one end.
#[derive(Debug, Clone, Copy)]
struct End {
    /// Its first number.
    first: Seq,
    /// By how much its windows are scaled, where that is known.
    scale: Option<u8>,
    /// Of its latest segment.
    ttl: u8,
    /// [`HAS_TIMESTAMPS`], or none.
    timestamps: u16,
    tsval: u32,
    /// Of its latest segment with data.
    len: u32,
}

/// What a segment says that is mostly as expected.
#[derive(Debug, Clone, Copy, PartialEq)]
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
            let (first, scale) = (known.sent(side).first, scales[side]);
            End { first, scale, ttl: 64, timestamps: 0, tsval: 0, len: 0 }
        };
        Self { stands: Beginning::NONE, at: flow.span().0, ends: [end(0), end(1)] }
    }

    /// Packs the next segment, or unpacks it into `brief`: all of it but its digest.
    #[inline]
    fn pack<P: Packing>(&mut self, brief: &mut Brief, into: &mut P) {
        let mut head = if P::WRITES { self.head(brief) } else { 0 };
        into.bits(&mut head, HEAD);
        let from = (head & 1) as usize;
        let End { timestamps, tsval, len, .. } = self.ends[from];
        match KINDS.get((head >> 1 & 7) as usize) {
            Some(kind) => brief.marks = kind | timestamps | (from as u16 * FROM_RESP),
            None => into.bits_as(&mut brief.marks, u16::BITS, u64::from, |bits| bits as u16),
        }
        match head >> 4 & 3 {
            NO_DATA => brief.payload_len = 0,
            AS_MUCH => brief.payload_len = len,
            _ => into.word(&mut brief.payload_len),
        }
        let mut numbers = self.numbers(from, brief.flags());
        if head >> 6 == 0 {
            let expected = std::mem::replace(&mut numbers, Numbers::of(brief));
            numbers.pack(&expected, into);
        }
        numbers.tell(brief);
        if brief.marks & HAS_TIMESTAMPS != 0 {
            let from = |apart| tsval.wrapping_add(apart as u32);
            into.number_as(&mut brief.timestamps.0, |own| own.wrapping_sub(tsval).into(), from);
        }
        let mut apart = brief.ts.nanos().wrapping_sub(self.at.nanos());
        into.span(&mut apart);
        brief.ts = Timestamp::from_nanos(self.at.nanos().wrapping_add(apart));
        self.pass(brief);
    }

    /// Whether the segment fills the window of its receiver, or may.
    #[inline]
    fn may_fill_window(&self, brief: &Brief) -> bool {
        let from = brief.from();
        let (peer, una) = (from.peer().index(), self.stands.una[from.index()]);
        let behind = una.map_or(0, |una| brief.seq.0.wrapping_sub(una.0)).wrapping_add(brief.payload_len);
        let window = u32::from(self.stands.windows[peer]);
        // That of a SYN is not scaled.
        let fills = |scale: u8| (behind == window) | (behind == window << scale);
        brief.payload_len > 0 && self.ends[peer].scale.is_none_or(fills)
    }

    fn head(&self, brief: &Brief) -> u64 {
        let from = brief.from().index();
        let End { timestamps, len, .. } = self.ends[from];
        let as_before = brief.marks & HAS_TIMESTAMPS == timestamps;
        let is_kind = |kind: &u16| *kind == brief.flags().0;
        let kind = KINDS.iter().position(is_kind).filter(|_| as_before).unwrap_or(KINDS.len());
        let length = match brief.payload_len {
            0 => NO_DATA,
            some if some == len => AS_MUCH,
            _ => OTHER,
        };
        let is_usual = Numbers::of(brief) == self.numbers(from, brief.flags());
        from as u64 | (kind as u64) << 1 | length << 4 | u64::from(is_usual) << 6
    }

    fn numbers(&self, from: usize, flags: Flags) -> Numbers {
        let nxt = |side: usize| self.stands.nxt[side].unwrap_or(self.ends[side].first);
        let (own, to) = (&self.ends[from], 1 - from);
        let ack = if flags.ack() { nxt(to) } else { Seq(0) };
        let echo = if own.timestamps == 0 { 0 } else { self.ends[to].tsval };
        Numbers { seq: nxt(from), ack, window: self.stands.windows[from], ttl: own.ttl, echo }
    }

    #[inline]
    fn pass(&mut self, brief: &Brief) {
        self.at = brief.ts;
        self.stands.pass(brief);
        let end = &mut self.ends[brief.from().index()];
        (end.ttl, end.tsval, end.timestamps) = (brief.ttl, brief.timestamps.0, brief.marks & HAS_TIMESTAMPS);
        end.len = if brief.payload_len > 0 { brief.payload_len } else { end.len };
    }
}

impl Numbers {
    fn of(brief: &Brief) -> Self {
        let Brief { seq, ack, window, ttl, timestamps: (_, echo), .. } = *brief;
        Self { seq, ack, window, ttl, echo }
    }

    fn tell(self, brief: &mut Brief) {
        let Self { seq, ack, window, ttl, echo } = self;
        (brief.seq, brief.ack, brief.window, brief.ttl, brief.timestamps.1) = (seq, ack, window, ttl, echo);
    }

    /// Where they are not as expected.
    #[inline(never)]
    fn pack(&mut self, expected: &Self, into: &mut impl Packing) {
        let Self { seq, ack, window, ttl, echo } = self;
        into.unless(seq, expected.seq, |into, seq| into.word(&mut seq.0));
        into.unless(ack, expected.ack, |into, ack| {
            // Mostly what was sent a little before.
            into.number_as(
                &mut ack.0,
                |ack| expected.ack.0.wrapping_sub(ack).into(),
                |behind| expected.ack.0.wrapping_sub(behind as u32),
            );
        });
        into.unless(window, expected.window, Packing::short);
        into.unless(ttl, expected.ttl, Packing::byte);
        into.unless(echo, expected.echo, Packing::word);
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
