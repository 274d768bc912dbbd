//! Segments that a flow has taken in and its course has not yet: few, and in few bytes.
//!
//! Next to every segment of a busy table is one of another flow. What a course reads and writes of a flow lies apart
//! and is not at hand then, so the plain segments of a flow wait in one place, and are shown to its course together.
//! What a course says of a segment does not rest on when it is asked, so waiting changes nothing that is told.

use crate::base::{Endpoint, Seq, Timestamp};
use crate::flow::Side;
use crate::wire::{Flags, Options, Segment};

/// Segments that wait at most.
const KEPT: usize = 8;

/// The segments that wait, if any may.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    briefs: Option<Box<[Brief; KEPT]>>,
    count: u8,
}

impl Pending {
    /// From now on segments may wait.
    pub(super) fn allow(&mut self) {
        self.briefs.get_or_insert_with(|| Box::new([Brief::NONE; KEPT]));
    }

    /// Whether segments may wait.
    pub(super) const fn is_allowed(&self) -> bool {
        self.briefs.is_some()
    }

    /// Keeps a segment sent by `from`; false, if it cannot wait: none may, there is no room, or it says too much.
    pub(super) fn put(&mut self, segment: &Segment, from: Side) -> bool {
        let Some(place) = self.briefs.as_deref_mut().and_then(|briefs| briefs.get_mut(usize::from(self.count))) else {
            return false;
        };
        let Some(brief) = Brief::of(segment, from) else { return false };
        *place = brief;
        self.count += 1;
        true
    }

    /// What it holds beside itself, bytes.
    pub(super) fn held(&self) -> usize {
        self.briefs.as_ref().map_or(0, |briefs| size_of_val(&**briefs))
    }

    pub(super) const fn clear(&mut self) {
        self.count = 0;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many wait.
    pub(super) const fn count(&self) -> u8 {
        self.count
    }

    /// Whether so many more can wait.
    pub(super) fn has_room_for(&self, count: usize) -> bool {
        self.briefs.is_some() & (usize::from(self.count) + count <= KEPT)
    }

    /// Reads a little of where the next one is kept.
    pub(super) fn warm(&self) -> u64 {
        let next = self.briefs.as_deref().and_then(|briefs| briefs.get(usize::from(self.count)));
        next.map_or(0, |brief| brief.ts.nanos().cast_unsigned() ^ u64::from(brief.ttl))
    }

    /// Reads a little of all that wait.
    pub(super) fn warm_all(&self) -> u64 {
        self.briefs.iter().flat_map(|briefs| briefs.iter()).fold(0, |sum, brief| sum ^ brief.digest)
    }

    /// Shows those that wait to `each`, in their order, and who sent them; `ends` are the originator's and the
    /// responder's. Of a segment all is told but what a course does not look at: the frame, and records of application
    /// data.
    pub(super) fn for_each(&self, [orig, resp]: [Endpoint; 2], mut each: impl FnMut(&Segment, Side)) {
        let Some(briefs) = self.briefs.as_deref() else { return };
        // One for each sender, to be written over: a segment is large, and few of its numbers change.
        let bare = |src, dst| Segment::bare(Timestamp::MIN, src, dst, Flags::default());
        let mut told = [bare(orig, resp), bare(resp, orig)];
        for brief in &briefs[..usize::from(self.count)] {
            let from = brief.from();
            let segment = &mut told[from.index()];
            brief.tell(segment);
            each(segment, from);
        }
    }
}

/// What a course is told of a segment that says nothing but numbers.
#[derive(Debug, Clone, Copy)]
struct Brief {
    ts: Timestamp,
    digest: u64,
    seq: Seq,
    ack: Seq,
    payload_len: u32,
    timestamps: (u32, u32),
    window: u16,
    /// The flags, and the bits below.
    marks: u16,
    ttl: u8,
}

/// Bits of [`Brief::marks`] beside the nine flags.
const FROM_RESP: u16 = 1 << 15;
const HAS_TIMESTAMPS: u16 = 1 << 14;
const FLAGS: u16 = 0x1ff;

impl Brief {
    const NONE: Self = Self {
        ts: Timestamp::MIN,
        digest: 0,
        seq: Seq(0),
        ack: Seq(0),
        payload_len: 0,
        timestamps: (0, 0),
        window: 0,
        marks: 0,
        ttl: 0,
    };

    /// `None` of a segment that says more.
    fn of(segment: &Segment, from: Side) -> Option<Self> {
        let Options { mss, wscale, sack_permitted, sack, timestamps, fast_open, mptcp, cut } = &segment.options;
        let offers = mss.is_some() || wscale.is_some() || *sack_permitted || *fast_open || mptcp.is_some();
        if offers || *cut || !sack.as_slice().is_empty() || segment.malformed || segment.flags.0 & !FLAGS != 0 {
            return None;
        }
        let from = if from == Side::Resp { FROM_RESP } else { 0 };
        let has_timestamps = if timestamps.is_some() { HAS_TIMESTAMPS } else { 0 };
        Some(Self {
            ts: segment.ts,
            digest: segment.digest,
            seq: segment.seq,
            ack: segment.ack,
            payload_len: segment.payload_len,
            timestamps: timestamps.unwrap_or_default(),
            window: segment.window,
            marks: segment.flags.0 | from | has_timestamps,
            ttl: segment.ttl,
        })
    }

    fn from(&self) -> Side {
        if self.marks & FROM_RESP == 0 { Side::Orig } else { Side::Resp }
    }

    /// Writes what it holds into a segment that its sender sent.
    const fn tell(&self, segment: &mut Segment) {
        segment.ts = self.ts;
        segment.digest = self.digest;
        segment.seq = self.seq;
        segment.ack = self.ack;
        segment.flags = Flags(self.marks & FLAGS);
        segment.window = self.window;
        segment.payload_len = self.payload_len;
        segment.options.timestamps = if self.marks & HAS_TIMESTAMPS == 0 { None } else { Some(self.timestamps) };
        segment.ttl = self.ttl;
    }
}
