//! One recording: what the engine sees → blocks → a file, or a ring in memory that is written out when it is wanted.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::base::units::bytes;
use crate::base::{Mark, Timestamp};
use crate::engine::{Input, Loss};
use crate::io::clock;
use crate::journal::recording::{Recorder, Setup};
use crate::journal::{Chapters, Lost, Packed, Reach};

use super::recorded::{Recorded, Tally};
use super::writer::Writer;

/// Blocks handed to the writer together, bytes; sooner where time has passed.
const CHUNK: usize = 256 << 10;
/// What a tick and the end of a section take at most, bytes: a ring's file is no larger than was asked for.
const ENDING: usize = 1 << 10;

/// A recording that runs.
#[derive(Debug)]
pub(super) struct Recording {
    recorder: Recorder,
    to: To,
    /// Blocks that were not handed on yet, how many frames they hold, and up to when.
    buffer: Vec<u8>,
    frames: u64,
    upto: Timestamp,
    /// What was lost since the program began, as it was told last, and when the newest section began.
    lost: Lost,
    lost_before: Lost,
    /// Frames that came, and those that found no room.
    came: u64,
    dropped: u64,
    began: Instant,
}

#[derive(Debug)]
enum To {
    File(Writer),
    Ring(Chapters),
}

impl Recording {
    /// Begins to write a file; `first` is what an engine must know that sees nothing before, and so much was `lost`
    /// since the program began.
    pub(super) fn into_file(writer: Writer, setup: Setup, first: &[Input], lost: Lost) -> Self {
        let mut recording = Self::new(setup, To::File(writer));
        recording.lost = lost;
        recording.begin(clock::now(), first);
        recording.flush();
        recording
    }

    /// Begins to keep the last in memory.
    pub(super) fn into_ring(reach: Reach, setup: Setup) -> Self {
        let reach = match reach {
            Reach::Bytes(bytes) => Reach::Bytes(bytes.saturating_sub(ENDING)),
            Reach::Time(_) => reach,
        };
        Self::new(setup, To::Ring(Chapters::new(reach)))
    }

    fn new(setup: Setup, to: To) -> Self {
        Self {
            recorder: Recorder::new(setup),
            to,
            buffer: Vec::new(),
            frames: 0,
            upto: Timestamp::MIN,
            lost: Lost::default(),
            lost_before: Lost::default(),
            came: 0,
            dropped: 0,
            began: Instant::now(),
        }
    }

    fn begin(&mut self, ts: Timestamp, first: &[Input]) {
        self.lost_before = self.lost;
        self.recorder.begin(ts, &mut self.buffer);
        for input in first {
            self.recorder.input(input, &mut self.buffer);
        }
    }

    /// Begins a chapter of a ring where one is due; `add` adds what holds beside the readings.
    pub(super) fn turn(&mut self, ts: Timestamp, add: impl FnOnce(&mut Vec<Input>)) {
        let To::Ring(chapters) = &mut self.to else { return };
        if chapters.is_due(ts) {
            if chapters.has_begun() {
                self.recorder.end_section(&mut self.buffer);
            }
            chapters.push(&self.buffer, self.frames, self.upto);
            (self.frames, self.upto) = (0, ts);
            self.buffer.clear();
            chapters.begin(ts, self.recorder.turn(ts, add));
            self.lost_before = self.lost;
        }
    }

    /// Takes a frame, with the segment or ICMP error that it gave.
    pub(super) fn frame(&mut self, frame: &Packed<'_>, gave: Option<&Input>) {
        self.came += 1;
        if !self.has_room() {
            self.dropped += 1;
            return;
        }
        self.recorder.frame(frame.block, gave, &mut self.buffer);
        self.frames += 1;
        self.upto = self.upto.max(frame.ts);
        if self.buffer.len() >= CHUNK {
            self.flush();
        }
    }

    /// Whether a frame finds room.
    pub(super) fn has_room(&self) -> bool {
        match &self.to {
            To::File(writer) => writer.failed().is_none() && writer.has_room(self.buffer.len()),
            To::Ring(_) => true,
        }
    }

    /// Takes an input that is no frame's own. These are few, and always find room. What tells a total since the program
    /// began is written as that since the recording did.
    pub(super) fn input(&mut self, input: &Input) {
        self.lost.note(input);
        let own = self.lost_before.before(input);
        self.recorder.input(own.as_ref().unwrap_or(input), &mut self.buffer);
        self.upto = self.upto.max(input.ts());
        if self.buffer.len() >= CHUNK {
            self.flush();
        }
    }

    /// Takes what was lost since the program began; a recording has lost more.
    pub(super) fn loss(&mut self, loss: &Loss) {
        self.input(&Input::Loss(Box::new(Loss { ours: loss.ours + self.dropped, ..*loss })));
    }

    /// Takes a mark.
    pub(super) fn mark(&mut self, mark: &Mark) {
        self.recorder.mark(mark, &mut self.buffer);
    }

    /// Hands on what there is: what is with the writer outlives this process.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        match &mut self.to {
            To::File(writer) => {
                writer.send(Arc::new(std::mem::replace(&mut self.buffer, writer.buffer())), self.frames);
                writer.check_queue();
            }
            To::Ring(chapters) => {
                chapters.push(&self.buffer, self.frames, self.upto);
                self.buffer.clear();
            }
        }
        self.frames = 0;
    }

    /// Writes what a ring holds into a file, which is not waited for; the ring goes on.
    ///
    /// # Errors
    /// Where the file cannot be created, or there is nothing to write.
    pub(super) fn dump(&mut self, path: &Path, replace: bool) -> Result<Option<Ending>> {
        self.flush();
        let To::Ring(chapters) = &mut self.to else { return Ok(None) };
        anyhow::ensure!(chapters.bytes() > 0, "it holds nothing yet");
        let mut writer = Writer::start(path, replace)?;
        let (span, mut came) = (chapters.span(), 0);
        for (blocks, frames) in chapters.copy() {
            came += frames;
            writer.send(blocks, frames);
        }
        let mut end = Vec::new();
        self.recorder.end(&mut end);
        writer.send(Arc::new(end), 0);
        writer.close();
        Ok(Some(Ending { writer, came, dropped: 0, took: span }))
    }

    /// Whether a ring holds enough that is in no file to be written out again, where nobody asks for it by hand.
    pub(super) fn is_new_enough(&self) -> bool {
        matches!(&self.to, To::Ring(chapters) if chapters.is_new_enough())
    }

    /// Whether a ring holds what is in no file.
    pub(super) fn holds_unwritten(&self) -> bool {
        matches!(&self.to, To::Ring(chapters) if chapters.has_new())
    }

    /// Ends it: what came is written, but not waited for. Of a ring nothing is left.
    pub(super) fn end(mut self) -> Option<Ending> {
        self.recorder.end(&mut self.buffer);
        self.flush();
        let To::File(mut writer) = self.to else { return None };
        writer.close();
        Some(Ending { writer, came: self.came, dropped: self.dropped, took: self.began.elapsed() })
    }

    /// Ends what tells of so long a time, and waits until it is written.
    pub(super) fn end_as_of(self, took: Duration) -> Recorded {
        let failed = || Recorded { tally: Tally::default(), failed: Some("nothing was written".to_owned()) };
        self.end().map_or_else(failed, |ending| Ending { took, ..ending }.wait())
    }

    /// Why it stopped of itself, if it did.
    pub(super) fn failed(&self) -> Option<&str> {
        match &self.to {
            To::File(writer) => writer.failed(),
            To::Ring(_) => None,
        }
    }

    /// Why a ring keeps little, if it does.
    pub(super) fn cramped(&self) -> Option<String> {
        let To::Ring(chapters) = &self.to else { return None };
        let [heads, most] = chapters.cramped()?.map(|size| bytes(size as u64));
        Some(format!("the ring of {most} is too small: the socket table takes {heads} in each of its parts"))
    }

    /// How it stands.
    pub(super) fn tally(&self) -> Tally {
        match &self.to {
            To::File(writer) => writer.tally(self.came, self.dropped, self.began.elapsed()),
            To::Ring(chapters) => Tally {
                file: None,
                came: self.came,
                written: chapters.frames(),
                lost: self.dropped,
                bytes: chapters.bytes() as u64,
                took: chapters.span(),
            },
        }
    }
}

/// A recording of which the rest is being written.
#[derive(Debug)]
pub(super) struct Ending {
    writer: Writer,
    came: u64,
    dropped: u64,
    took: Duration,
}

impl Ending {
    pub(super) fn is_done(&self) -> bool {
        self.writer.is_done()
    }

    /// With further frames that came and were lost on the way.
    pub(super) fn and_lost(self, lost: u64) -> Self {
        Self { came: self.came + lost, dropped: self.dropped + lost, ..self }
    }

    /// Waits until all is written, and tells how it went.
    pub(super) fn wait(mut self) -> Recorded {
        self.writer.join();
        let failed = self.writer.failed().map(str::to_owned);
        Recorded { tally: self.writer.tally(self.came, self.dropped, self.took), failed }
    }
}
