//! Several captures read as one: their frames in order of time, of the first capture where several are as old.
//!
//! What is not in order within a capture stays as it is there: a frame that is late holds back nothing of the others.

use crate::base::Timestamp;
use crate::engine::Loss;
use crate::wire::Frame;

use super::reader::{Found, Record};
use super::{CapturePlace, CaptureReader, Damage, Interface, Item};

/// One capture or recording, or several captures.
#[derive(Debug)]
pub struct Captures {
    lanes: Vec<Lane>,
    /// The one that gave the last item.
    current: usize,
    /// The oldest frame of the others, and whose it is: up to it the current one goes on.
    upto: Option<(Timestamp, usize)>,
}

#[derive(Debug)]
struct Lane {
    reader: CaptureReader,
    /// Its next frame, once it was looked at.
    head: Option<Record>,
    ended: bool,
    damage: Option<Damage>,
}

impl Captures {
    /// Reads them together. One that is damaged ends there, and the others go on.
    pub fn new(readers: Vec<CaptureReader>) -> Self {
        let lane = |reader| Lane { reader, head: None, ended: false, damage: None };
        // Nothing is as old: who goes first is to be found out.
        Self { lanes: readers.into_iter().map(lane).collect(), current: 0, upto: Some((Timestamp::MIN, 0)) }
    }

    /// The next item of all; `Ok(None)` at a clean end. Damage of one of several captures is told at the end of all.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, Damage> {
        if self.lanes.len() == 1 {
            return self.lanes[0].reader.next_item();
        }
        self.next_of_several()
    }

    /// As [`CaptureReader::frames_at_hand`], of one capture; of several none are.
    #[inline(always)]
    pub fn frames_at_hand(&mut self, take: impl FnMut(&Frame<'_>) -> bool) {
        if let [lane] = &mut self.lanes[..] {
            lane.reader.frames_at_hand(take);
        }
    }

    fn next_of_several(&mut self) -> Result<Option<Item<'_>>, Damage> {
        let goes_on = |head: Timestamp| self.upto.is_none_or(|upto| (head, self.current) < upto);
        if !self.lanes[self.current].look().is_some_and(goes_on) && !self.choose() {
            return self.damage().map_or(Ok(None), Err);
        }
        let Lane { reader, head, .. } = &mut self.lanes[self.current];
        Ok(head.take().map(|record| Item::Frame(reader.frame(record))))
    }

    /// Finds who goes next, and up to where; false where nobody does.
    fn choose(&mut self) -> bool {
        let (mut first, mut second) = (None, None);
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let Some(head) = lane.look().map(|ts| (ts, index)) else { continue };
            if first.is_none_or(|first| head < first) {
                (first, second) = (Some(head), first);
            } else if second.is_none_or(|second| head < second) {
                second = Some(head);
            }
        }
        self.upto = second;
        self.current = first.map_or(self.current, |(_, index)| index);
        first.is_some()
    }

    /// The damage of the first capture that has one; once.
    fn damage(&mut self) -> Option<Damage> {
        let mut damaged = self.lanes.iter_mut().enumerate();
        let (file, mut damage) = damaged.find_map(|(file, lane)| Some((file, lane.damage.take()?)))?;
        damage.file = file;
        match damaged.filter_map(|(_, lane)| lane.damage.take()).count() {
            0 => {}
            1 => damage.reason.push_str(" (and one more of the files is damaged)"),
            more => damage.reason.push_str(&format!(" (and {more} more of the files are damaged)")),
        }
        Some(damage)
    }

    /// Behind the items read so far: a place in each.
    pub fn places(&self) -> Vec<CapturePlace> {
        self.lanes.iter().map(Lane::place).collect()
    }

    /// Journal entries of somebody else's so far.
    pub fn foreign(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.reader.foreign()).sum()
    }

    /// As [`CaptureReader::skipped`], of all.
    pub fn skipped(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.reader.skipped()).sum()
    }

    /// As [`CaptureReader::lacks_end`].
    pub fn lacks_end(&self) -> bool {
        matches!(&self.lanes[..], [lane] if lane.reader.lacks_end())
    }

    /// As [`CaptureReader::rest`].
    pub fn rest(&self, ts: Timestamp) -> Option<Loss> {
        self.lanes.first().filter(|_| self.is_recording())?.reader.rest(ts)
    }

    /// Whether it is a recording.
    pub fn is_recording(&self) -> bool {
        self.lanes.len() == 1 && self.lanes[0].reader.is_recording()
    }

    /// The interfaces described so far, capture by capture; [`Frame::iface`](crate::wire::Frame::iface) counts in those
    /// of its own.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.lanes.iter().flat_map(|lane| lane.reader.interfaces())
    }

    /// Says of the item that was read last what is wrong with it.
    pub fn damaged(&self, reason: String) -> Damage {
        Damage { file: self.current, ..self.lanes[self.current].reader.damage(reason) }
    }
}

impl Lane {
    /// When its next frame was captured.
    #[inline]
    fn look(&mut self) -> Option<Timestamp> {
        if self.head.is_none() && !self.ended {
            match self.reader.next_found() {
                // One that another program changed shows itself late.
                Ok(Some(_)) if self.reader.is_recording() => {
                    let reason = "it is a recording, which is read alone";
                    self.damage = Some(self.reader.damage(reason.to_owned()));
                }
                Ok(Some(Found::Frame(record, _))) => self.head = Some(record),
                Ok(Some(Found::Beside(_)) | None) => {}
                Err(damage) => self.damage = Some(damage),
            }
            self.ended = self.head.is_none();
        }
        self.head.as_ref().map(|head| head.ts)
    }

    /// Before what was looked at and not given.
    fn place(&self) -> CapturePlace {
        if self.head.is_some() || self.ended { self.reader.place_before() } else { self.reader.place() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::time::Duration;

    use pcap_file::pcap::{PcapPacket, PcapWriter};
    use proptest::prelude::*;

    use super::*;

    /// A capture of frames at these milliseconds, each named by its file and number.
    fn capture(file: usize, times: &[u16]) -> Vec<u8> {
        let mut writer = PcapWriter::new(Vec::new()).unwrap();
        for (number, time) in times.iter().enumerate() {
            let name = [file as u8, number as u8];
            writer.write_packet(&PcapPacket::new(Duration::from_millis((*time).into()), 2, &name)).unwrap();
        }
        let plain = writer.into_writer();
        if file % 3 != 2 {
            return plain;
        }
        let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped.write_all(&plain).unwrap();
        zipped.finish().unwrap()
    }

    fn captures(files: &[Vec<u8>], from: Option<&[CapturePlace]>) -> Captures {
        let open = |(index, file): (usize, &Vec<u8>)| match from.map(|from| &from[index]) {
            None => CaptureReader::open(Box::new(Cursor::new(file.clone()))).unwrap(),
            Some(place) => {
                let rest = file[place.begins_at() as usize..].to_vec();
                CaptureReader::resume(Box::new(Cursor::new(rest)), place).unwrap()
            }
        };
        Captures::new(files.iter().enumerate().map(open).collect())
    }

    type Name = (usize, usize);

    fn next(captures: &mut Captures) -> Result<Option<Name>, Damage> {
        captures.next_item().map(|item| match item? {
            Item::Frame(frame) => Some((frame.bytes[0].into(), frame.bytes[1].into())),
            other => panic!("{other:?}"),
        })
    }

    fn rest(captures: &mut Captures) -> (Vec<Name>, Option<Damage>) {
        let mut names = Vec::new();
        loop {
            match next(captures) {
                Ok(Some(name)) => names.push(name),
                Ok(None) => return (names, None),
                Err(damage) => return (names, Some(damage)),
            }
        }
    }

    /// The oldest of all that is next in its file, again and again.
    fn merged(files: &[Vec<u16>]) -> Vec<Name> {
        let mut taken = vec![0; files.len()];
        let next = |taken: &[usize]| {
            let heads = files.iter().enumerate().filter_map(|(file, times)| Some((*times.get(taken[file])?, file)));
            heads.min().map(|(_, file)| file)
        };
        let mut names = Vec::new();
        while let Some(file) = next(&taken) {
            names.push((file, taken[file]));
            taken[file] += 1;
        }
        names
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn frames_come_in_order_of_time_and_from_any_place_go_on(
            times in prop::collection::vec(prop::collection::vec(0_u16..12, 0..20), 1..5),
            in_order in any::<bool>(),
        ) {
            let mut times = times;
            if in_order {
                times.iter_mut().for_each(|times| times.sort_unstable());
            }
            let files: Vec<_> = times.iter().enumerate().map(|(file, times)| capture(file, times)).collect();
            let expected = merged(&times);
            if in_order {
                let mut sorted: Vec<_> = (0..times.len()).flat_map(|f| (0..times[f].len()).map(move |n| (f, n))).collect();
                sorted.sort_by_key(|(file, number)| times[*file][*number]);
                prop_assert_eq!(&expected, &sorted, "a stable sort of one behind the other");
            }
            let mut straight = captures(&files, None);
            for at in 0..=expected.len() {
                let again = rest(&mut captures(&files, Some(&straight.places())));
                prop_assert_eq!(again, (expected[at..].to_vec(), None), "from {}", at);
                prop_assert_eq!(next(&mut straight).unwrap(), expected.get(at).copied());
            }
        }
    }

    #[test]
    fn a_damaged_capture_ends_there_and_the_others_go_on() {
        let mut files = vec![capture(0, &[1, 5]), capture(1, &[2, 3, 9]), capture(3, &[4, 8])];
        let cut = files[1].len() - 1;
        files[1].truncate(cut);
        let (names, damage) = rest(&mut captures(&files, None));
        assert_eq!(names, [(0, 0), (1, 0), (1, 1), (3, 0), (0, 1), (3, 1)]);
        let damage = damage.expect("damage");
        assert_eq!((damage.file, damage.offset), (1, 24 + 2 * 18));
        let mut first = captures(&files, None);
        while next(&mut first).unwrap() != Some((3, 1)) {}
        let again = rest(&mut captures(&files, Some(&first.places())));
        assert_eq!(again, (vec![], Some(damage)), "told again of whoever comes back");
        files[0].pop();
        let damage = rest(&mut captures(&files, None)).1.expect("damage");
        assert_eq!(damage.file, 0);
        assert!(damage.reason.ends_with(" (and one more of the files is damaged)"), "{damage}");
    }
}
