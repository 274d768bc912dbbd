//! The last of a recording, kept in memory: a flight recorder.
//!
//! It is kept in chapters, each with what it needs where those before it are gone: so the oldest can go.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::recording::Heads;
use crate::base::Timestamp;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// So many bytes of blocks at most.
    Bytes(usize),
    /// All of the last so long, of the capture's clock, and little more; within [`Chapters::MOST`].
    Time(Duration),
}

/// Blocks in chapters, oldest first.
#[derive(Debug)]
pub struct Chapters {
    reach: Reach,
    chapters: VecDeque<Chapter>,
    bytes: usize,
    /// Frames that went with chapters that had to.
    forgotten: u64,
    /// Bytes that came since all was copied last, and up to when it was; `None` before the first time.
    since_copy: Option<(usize, Timestamp)>,
}

#[derive(Debug)]
struct Chapter {
    heads: Heads,
    /// Bytes of blocks with which it is whole.
    whole: usize,
    /// Shared with copies, as long as nothing is put in.
    blocks: Arc<Vec<u8>>,
    frames: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Chapters {
    /// Bytes kept at most, whatever the time that is asked for.
    pub const MOST: usize = 1 << 30;
    /// What came since is worth a further copy after so long, however little it is.
    const NEW: Duration = Duration::from_secs(60);
    /// Into how many chapters what is kept is cut: the share by which less may be kept than was asked for. Large heads
    /// make them fewer ([`Self::whole`]).
    const CUT: u32 = 16;
    /// Heads that take more than this share of all leave little room for what they head: an eighth at the worst.
    const CRAMPED: usize = 4;
    /// Heads are made anew for no less than this share of their own size, where there is room for that.
    const WORTH: usize = 3;

    /// Nothing kept yet.
    pub fn new(reach: Reach) -> Self {
        Self { reach, chapters: VecDeque::new(), bytes: 0, forgotten: 0, since_copy: None }
    }

    /// Whether a chapter is to be begun before what happened at `ts` is put in.
    pub fn is_due(&self, ts: Timestamp) -> bool {
        let Some(now) = self.chapters.back() else { return true };
        now.blocks.len() >= now.whole
            || matches!(self.reach, Reach::Time(span) if ts.since(now.first) > span / Self::CUT)
    }

    /// With how many bytes of blocks a chapter is whole that has such heads. The shorter chapters are, the more heads take
    /// of the room; the longer, the more goes at once. Of chapters of x bytes with their heads
    /// (most − heads − x) (x − heads) / x is left at the worst, which is largest where x² = heads (most − heads).
    fn whole(&self, heads: usize) -> usize {
        let most = self.most();
        let best = (heads as u64 * most.saturating_sub(heads) as u64).isqrt() as usize;
        let worth = match most.saturating_sub(heads) {
            0 => heads / Self::WORTH,
            room => room.min(heads / Self::WORTH),
        };
        (most / Self::CUT as usize).max(best.saturating_sub(heads)).max(worth)
    }

    /// Bytes that the newest chapter's heads take, where they leave little room for what they head, and of how many.
    pub fn cramped(&self) -> Option<[usize; 2]> {
        let (heads, most) = (self.chapters.back()?.heads.bytes(), self.most());
        (heads > most / Self::CRAMPED).then_some([heads, most])
    }

    /// Whether one was begun.
    pub fn has_begun(&self) -> bool {
        !self.chapters.is_empty()
    }

    /// Begins a chapter at `ts`, behind one of these heads.
    pub fn begin(&mut self, ts: Timestamp, heads: Heads) {
        if let Some(blocks) = self.chapters.back_mut().and_then(|last| Arc::get_mut(&mut last.blocks)) {
            blocks.shrink_to_fit();
        }
        let whole = self.whole(heads.bytes());
        let chapter = Chapter { heads, whole, blocks: Arc::default(), frames: 0, first: ts, last: ts };
        self.count(chapter.bytes());
        self.chapters.push_back(chapter);
        self.forget(ts);
    }

    /// Puts whole blocks with so many frames, of what happened up to `ts`, into the chapter that was begun last.
    pub fn push(&mut self, blocks: &[u8], frames: u64, ts: Timestamp) {
        let Some(chapter) = self.chapters.back_mut() else { return };
        Arc::make_mut(&mut chapter.blocks).extend_from_slice(blocks);
        chapter.frames += frames;
        chapter.last = chapter.last.max(ts);
        self.count(blocks.len());
        self.forget(ts);
    }

    fn count(&mut self, came: usize) {
        self.bytes += came;
        if let Some((bytes, _)) = &mut self.since_copy {
            *bytes += came;
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while self.chapters.len() > 1 && (self.bytes > self.most() || self.is_past(now)) {
            self.forget_first();
        }
    }

    /// Whether the oldest chapter holds nothing that is asked for.
    fn is_past(&self, now: Timestamp) -> bool {
        matches!((self.reach, self.chapters.front()), (Reach::Time(span), Some(first)) if now.since(first.last) > span)
    }

    fn forget_first(&mut self) {
        if let Some(chapter) = self.chapters.pop_front() {
            self.bytes -= chapter.bytes();
            self.forgotten += chapter.frames;
        }
    }

    /// All that is kept, in order: blocks, and how many frames they hold. It stays, and is shared.
    pub fn copy(&mut self) -> impl Iterator<Item = (Arc<Vec<u8>>, u64)> + '_ {
        self.since_copy = self.chapters.back().map(|last| (0, last.last));
        self.chapters.iter().enumerate().flat_map(|(at, chapter)| {
            let head = if at == 0 { &chapter.heads.alone } else { &chapter.heads.on };
            [(Arc::new(head.clone()), 0), (chapter.blocks.clone(), chapter.frames)]
        })
    }

    /// Whether enough is new since all was copied last to be copied again: half of what can be kept, or a minute. Then
    /// whatever asks for copies again and again fills no disk, and nothing goes before it could be copied.
    pub fn is_new_enough(&self) -> bool {
        let Some(((bytes, then), newest)) = self.since_copy.zip(self.chapters.back()) else { return true };
        let late = if let Reach::Time(span) = self.reach { Self::NEW.min(span / 2) } else { Self::NEW };
        bytes >= self.most() / 2 || newest.last.since(then) >= late
    }

    /// Whether anything came since all was copied last.
    pub fn has_new(&self) -> bool {
        self.since_copy.is_none_or(|(bytes, _)| bytes > 0)
    }

    /// Bytes kept.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frames kept.
    pub fn frames(&self) -> u64 {
        self.chapters.iter().map(|chapter| chapter.frames).sum()
    }

    /// Frames that were kept once, and had to go.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// How long what is kept took.
    pub fn span(&self) -> Duration {
        let ends = self.chapters.front().zip(self.chapters.back());
        ends.map_or(Duration::ZERO, |(first, last)| last.last.since(first.first))
    }

    fn most(&self) -> usize {
        match self.reach {
            Reach::Bytes(bytes) => bytes.min(Self::MOST),
            Reach::Time(_) => Self::MOST,
        }
    }
}

impl Chapter {
    /// What it holds of memory: a file takes one of its heads.
    fn bytes(&self) -> usize {
        self.heads.bytes() + self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn heads() -> Heads {
        Heads { alone: b"A".to_vec(), on: b"B".to_vec() }
    }

    /// One frame of 10 bytes each 10 ms; every chapter begins with `B`, and the first that is kept with `A`.
    fn kept(reach: Reach, frames: i64) -> Chapters {
        let mut chapters = Chapters::new(reach);
        for n in 0..frames {
            if chapters.is_due(at(n * 10)) {
                chapters.begin(at(n * 10), heads());
            }
            chapters.push(&[b'0' + (n % 10) as u8; 10], 1, at(n * 10));
        }
        chapters
    }

    #[test]
    fn the_last_is_kept_within_its_bytes() {
        let mut chapters = kept(Reach::Bytes(3_200), 10_000);
        let kept = chapters.frames();
        assert!(chapters.bytes() <= 3_200 && kept >= 280, "{} bytes, {kept} frames", chapters.bytes());
        assert_eq!(chapters.forgotten() + kept, 10_000);
        let taken: Vec<(Arc<Vec<u8>>, u64)> = chapters.copy().collect();
        let begun: Vec<_> = taken.iter().step_by(2).map(|(head, _)| head.as_slice()).collect();
        assert!(begun[0] == b"A" && begun[1..].iter().all(|head| head == b"B"), "only the first stands alone");
        assert_eq!(taken.iter().map(|(_, frames)| frames).sum::<u64>(), kept);
        assert!(taken.last().unwrap().0.ends_with(b"9"), "up to now");
        let again: Vec<(Arc<Vec<u8>>, u64)> = chapters.copy().collect();
        assert_eq!(again, taken, "it goes on holding them");
        chapters.push(b"more", 1, at(100_000));
        assert!(chapters.copy().last().unwrap().0.ends_with(b"9more"));
        assert!(taken.last().unwrap().0.ends_with(b"9"), "what was copied stays as it was");
    }

    /// In 3,200 bytes; the heads are those of sockets of which a host has more and more.
    #[test]
    fn large_heads_leave_room_for_what_they_head() {
        for (size, least, is_cramped) in [(2, 2_900, false), (100, 2_000, false), (500, 1_000, false), (900, 400, true)]
        {
            let heads = || Heads { alone: vec![b'A'; size - 1], on: b"B".to_vec() };
            let (mut chapters, mut kept) = (Chapters::new(Reach::Bytes(3_200)), usize::MAX);
            for n in 0..10_000 {
                if chapters.is_due(at(n)) {
                    chapters.begin(at(n), heads());
                }
                chapters.push(&[0; 10], 1, at(n));
                assert!(chapters.bytes() <= 3_200, "{size}");
                kept = kept.min(if n < 320 { kept } else { chapters.frames() as usize * 10 });
            }
            assert!(kept >= least, "{size}: {kept} bytes of blocks");
            assert_eq!(chapters.cramped(), is_cramped.then_some([size, 3_200]));
        }
    }

    /// Not even one chapter's heads find room.
    #[test]
    fn heads_larger_than_all_are_made_no_oftener_than_they_are_worth() {
        let mut chapters = Chapters::new(Reach::Bytes(3_200));
        chapters.begin(at(0), Heads { alone: vec![0; 9_000], on: Vec::new() });
        let whole = (1..).find(|n| {
            chapters.push(&[0; 10], 1, at(*n));
            chapters.is_due(at(*n))
        });
        assert_eq!((whole, chapters.cramped()), (Some(300), Some([9_000, 3_200])));
    }

    #[test]
    fn a_further_copy_waits_for_what_is_new() {
        let reaches = [Reach::Bytes(3_200), Reach::Time(Duration::from_secs(4)), Reach::Bytes(32_000_000)];
        for (reach, most) in reaches.into_iter().zip([160, 200, 6_000]) {
            let mut chapters = kept(reach, 1_000);
            assert!(chapters.is_new_enough() && chapters.has_new(), "it was never copied");
            assert!(chapters.copy().count() > 0 && !chapters.is_new_enough() && !chapters.has_new());
            let new = (1..).find(|n| {
                chapters.push(&[0; 10], 1, at(9_990 + n * 10));
                chapters.is_new_enough()
            });
            assert_eq!(new, Some(most), "{reach:?}");
        }
    }

    #[test]
    fn all_of_the_time_is_kept_and_little_more() {
        for frames in [10, 150, 10_000] {
            let chapters = kept(Reach::Time(Duration::from_secs(1)), frames);
            let whole = Duration::from_millis((frames as u64 - 1) * 10);
            let (least, most) = (Duration::from_secs(1).min(whole), Duration::from_millis(1_100));
            assert!((least..=most).contains(&chapters.span()), "{frames}: {:?}", chapters.span());
        }
    }

    #[test]
    fn a_chapter_larger_than_all_is_kept_alone() {
        let mut chapters = Chapters::new(Reach::Bytes(16));
        for n in 0..3 {
            chapters.begin(at(0), heads());
            chapters.push(&[n; 40], 1, at(0));
        }
        assert_eq!(chapters.copy().collect::<Vec<_>>(), [(Arc::new(b"A".to_vec()), 0), (Arc::new(vec![2; 40]), 1)]);
    }
}
