//! What a live run holds for recording: the frames beside the inputs, what a recording begins with, and the recording
//! that runs, if one does.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::base::{Mark, Scrubbed, Timestamp};
use crate::engine::{Engine, Input, Loss};
use crate::findings::Severity;
use crate::io::file;
use crate::journal::recording::{Packer, Setup, Source};
use crate::journal::{Lost, Past, Reach, Trail};
use crate::ui;

use super::first::First;
use super::keep::{Keep, KeptFrames};
use super::recorded::{Recorded, Tally};
use super::recording::{Ending, Recording};
use super::save::{Kept, Saving};
use super::watch::Watch;
use super::writer::Writer;

/// Names tried for a further file, before one gives up.
const NAMES: u32 = 1_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::app) struct Wanted {
    /// From the start on; of a ring, where it is written to.
    pub(in crate::app) file: Option<PathBuf>,
    /// Replace a file that is there, once the new one is whole.
    pub(in crate::app) replace: bool,
    /// Bytes kept behind the headers of a frame.
    pub(in crate::app) payload: u32,
    /// Keep the last in memory.
    pub(in crate::app) ring: Option<Reach>,
    /// Write it out when a finding as bad appears.
    pub(in crate::app) dump_on: Option<Severity>,
}

/// The recording side of a live run.
#[derive(Debug)]
pub(in crate::app) struct Tape {
    wanted: Wanted,
    setup: Setup,
    keep: Arc<Keep>,
    /// For each capture.
    trails: Vec<Trail>,
    /// What a recording that begins now must tell first.
    first: First,
    recording: Option<Recording>,
    /// How many recordings were begun: the number of the newest.
    number: u64,
    /// What was lost since the program began, as it was told last.
    lost: Lost,
    /// [`Keep::lost`] when it began.
    lost_before: u64,
    endings: Vec<Ending>,
    /// What is kept of the past, on its way into a file.
    saving: Option<Saving>,
    /// How the last went that ended, for the screen.
    told: Option<Recorded>,
    /// What could not be begun.
    refused: Option<String>,
    written: u32,
    watch: Watch,
    /// There was a finding that the ring is to be written out for.
    dump_is_due: bool,
    /// Set by SIGUSR1.
    signalled: Arc<AtomicBool>,
}

impl Tape {
    /// Nothing runs yet.
    pub(in crate::app) fn new(wanted: Wanted, sources: Vec<Source>) -> Self {
        let trails = sources.iter().map(|_| Trail::default()).collect();
        let about = crate::io::host::about();
        let setup =
            Setup { sources, payload: wanted.payload, hardware: about.hardware, os: about.os, host: about.host };
        Self {
            keep: Arc::new(Keep::new()),
            wanted,
            setup,
            trails,
            first: First::default(),
            recording: None,
            number: 0,
            lost: Lost::default(),
            lost_before: 0,
            endings: Vec::new(),
            saving: None,
            told: None,
            refused: None,
            written: 0,
            watch: Watch::default(),
            dump_is_due: false,
            signalled: Arc::default(),
        }
    }

    /// For the capture threads.
    pub(in crate::app) fn keep(&self) -> Arc<Keep> {
        self.keep.clone()
    }

    /// For each capture's thread, in their order.
    pub(in crate::app) fn packers(&self) -> Vec<Packer> {
        Packer::all(&self.setup)
    }

    /// Begins what the command line asks for.
    ///
    /// # Errors
    /// Where the file cannot be created, or of a ring is there already.
    pub(in crate::app) fn begin_wanted(&mut self) -> Result<()> {
        // Where a file may grow no larger the write is to fail, not the program (setrlimit(2)).
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
        match (&self.wanted.file, self.wanted.ring) {
            (Some(file), Some(_)) if !self.wanted.replace && file.symlink_metadata().is_ok() => {
                bail!("{} is there already", crate::base::scrub(&file.display().to_string()))
            }
            (_, Some(reach)) => {
                signal_hook::flag::register(signal_hook::consts::SIGUSR1, self.signalled.clone())?;
                self.run(Recording::into_ring(reach, self.setup.clone()));
            }
            (Some(file), None) => {
                let writer = Writer::start(file, self.wanted.replace)?;
                self.written += 1;
                self.write(writer);
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn write(&mut self, writer: Writer) {
        self.run(Recording::into_file(writer, self.setup.clone(), &self.first.inputs(), self.lost));
    }

    fn run(&mut self, recording: Recording) {
        self.lost_before = self.keep.lost();
        self.recording = Some(recording);
        // Frames that wait were kept for the one before: behind them come some that nobody kept.
        self.number += 1;
        self.trails.iter_mut().for_each(Trail::forget_frames);
        self.keep.want_for(self.number);
    }

    /// The key: ends the recording that runs, begins one if none does; what a ring holds is written out.
    pub(in crate::app) fn toggle(&mut self) {
        self.refused = None;
        if self.wanted.ring.is_some() {
            return self.dump();
        }
        if self.recording.is_some() {
            return self.end();
        }
        match self.next_file(Writer::start) {
            Ok(writer) => self.write(writer),
            Err(error) => self.refused = Some(format!("no recording: {error:#}")),
        }
    }

    /// Looks for a finding that the ring is to be written out for, now and then.
    pub(in crate::app) fn watch(&mut self, engine: &Engine) {
        let Some(least) = self.wanted.dump_on.filter(|_| self.wanted.ring.is_some()) else { return };
        self.dump_is_due |= self.watch.has_new(engine, least);
        if self.dump_is_due && self.recording.as_ref().is_some_and(Recording::is_new_enough) {
            self.dump();
        }
    }

    /// Writes out what the ring holds, where that waits for more that is worth it.
    pub(in crate::app) fn dump_due(&mut self) {
        if self.dump_is_due {
            self.dump();
        }
    }

    /// Whether a ring holds what is in no file.
    pub(in crate::app) fn holds_unwritten(&self) -> bool {
        self.recording.as_ref().is_some_and(Recording::holds_unwritten)
    }

    /// Writes out what the ring holds.
    pub(in crate::app) fn dump(&mut self) {
        let Some(mut recording) = self.recording.take() else { return };
        self.dump_is_due = false;
        match self.next_file(|path, replace| recording.dump(path, replace)) {
            Ok(ending) => self.endings.extend(ending),
            Err(error) => self.refused = Some(format!("the ring is not written: {error:#}")),
        }
        self.recording = Some(recording);
    }

    /// Writes what is kept of the past into a file of its own, with the marks that were set in it.
    pub(in crate::app) fn save(&mut self, past: &Past, marks: &[Mark]) {
        self.refused =
            self.begin_to_save(past, marks).err().map(|error| format!("the past is not recorded: {error:#}"));
    }

    fn begin_to_save(&mut self, past: &Past, marks: &[Mark]) -> Result<()> {
        anyhow::ensure!(self.saving.is_none(), "that is under way");
        let from = past.since(0).next().map(|input| input.ts());
        let from = from.ok_or_else(|| anyhow::anyhow!("none is kept (--rewind SIZE keeps it)"))?;
        let (setup, first) = (self.setup.clone(), self.first.held_at(from));
        let writer = self.next_file(Writer::start)?;
        let marks = marks.iter().filter(|mark| mark.ts >= from).cloned().collect();
        self.saving = Some(Saving::begin(writer, setup, Kept { past: past.clone(), first, marks })?);
        Ok(())
    }

    /// Makes a file under the name that was asked for, or that of the time, or that with a number.
    fn next_file<T>(&mut self, mut make: impl FnMut(&std::path::Path, bool) -> Result<T>) -> Result<T> {
        let asked = self.wanted.file.clone().filter(|path| !file::is_stdout(path));
        let base = asked.unwrap_or_else(|| PathBuf::from(format!("sockscope-{}.pcapng", super::stamp())));
        let stem = base.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let end = base.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
        let (mut number, replace) = (self.written, self.wanted.replace && self.written == 0);
        loop {
            let path = match number {
                0 => base.clone(),
                number => base.with_file_name(format!("{stem}-{}{end}", number + 1)),
            };
            let is_there = !replace && path.symlink_metadata().is_ok();
            if !is_there || number >= NAMES {
                let made = make(&path, replace)?;
                self.written = number + 1;
                return Ok(made);
            }
            number += 1;
        }
    }

    /// A capture delivered so many inputs, and their frames if those were kept.
    pub(in crate::app) fn arrive(&mut self, source: usize, inputs: usize, kept: Option<KeptFrames>) {
        let frames = kept.and_then(|kept| {
            if kept.recording == self.number {
                return Some(kept.frames);
            }
            self.keep.free([kept.frames]);
            None
        });
        if let Some(trail) = self.trails.get_mut(source) {
            trail.push(inputs, frames);
        }
    }

    /// The engine is about to see an input of that source.
    pub(in crate::app) fn pass(&mut self, source: usize, input: &Input) {
        let Self { trails, recording, first, lost, .. } = self;
        if let Some(recording) = recording {
            recording.turn(input.ts(), |readings| first.add_to(readings));
        }
        let is_frames_own = input.is_frames_own();
        if let Some(trail) = trails.get_mut(source) {
            trail.pass(|frame, own| {
                if let Some(recording) = recording {
                    recording.frame(frame, Some(input).filter(|_| own && is_frames_own));
                }
            });
        }
        if !is_frames_own {
            first.note(input);
            lost.note(input);
            recording.iter_mut().for_each(|recording| recording.input(input));
        }
    }

    /// The same of so many inputs that only tell of frames: whether that was all, since nothing is recorded.
    pub(in crate::app) fn skip(&mut self, source: usize, count: usize) -> bool {
        let rests = self.recording.is_none();
        if rests && let Some(trail) = self.trails.get_mut(source) {
            trail.skip(count);
        }
        rests
    }

    /// What was lost is told to the engine; a recording has lost more.
    pub(in crate::app) fn tell(&mut self, loss: &Loss) {
        // Batches that never came are in it already.
        let loss = Loss { ours: loss.ours + self.keep.crowded(), ..*loss };
        self.lost.loss = Some(loss);
        if let Some(recording) = &mut self.recording {
            recording.loss(&loss);
        }
    }

    /// The user marked an instant.
    pub(in crate::app) fn mark(&mut self, ts: Timestamp, note: &str) {
        if let Some(recording) = &mut self.recording {
            recording.mark(&Mark { ts, note: Scrubbed::new(note) });
        }
    }

    /// Frames lost on the way to the recording that runs, with batches that never came.
    fn lost_in_front(&self) -> u64 {
        self.keep.lost() - self.lost_before
    }

    /// All inputs up to an instant have passed: frames that gave none go too, and what there is is handed on.
    pub(in crate::app) fn settle(&mut self, upto: Timestamp) {
        let Self { trails, recording, keep, .. } = self;
        for trail in trails {
            trail.settle(upto, |frame| {
                if let Some(recording) = recording {
                    recording.frame(frame, None);
                }
            });
            keep.free(trail.done());
        }
        if let Some(recording) = recording {
            if upto < Timestamp::MAX {
                // As the engine's clock moved; written only where something older follows.
                recording.input(&Input::Tick(upto));
            }
            recording.flush();
            if recording.failed().is_some() {
                // What is under way is still counted.
                keep.rest();
            }
        }
        if self.signalled.swap(false, Ordering::Relaxed) {
            self.dump();
        }
    }

    /// Takes note for the screen of one that ended, if one has.
    pub(in crate::app) fn hear(&mut self) {
        self.told = self.next_ended().or(self.told.take());
    }

    /// How one went that is written to its end; once.
    fn next_ended(&mut self) -> Option<Recorded> {
        match self.endings.iter().position(Ending::is_done) {
            Some(done) => Some(self.endings.remove(done).wait()),
            None => self.saved(false),
        }
    }

    /// How what was being saved went, once it is written; `wait` for that.
    fn saved(&mut self, wait: bool) -> Option<Recorded> {
        self.saving.take_if(|saving| wait || saving.is_done())?.wait()
    }

    fn end(&mut self) {
        self.keep.rest();
        let lost = self.lost_in_front();
        let ending = self.recording.take().and_then(Recording::end);
        self.endings.extend(ending.map(|ending| ending.and_lost(lost)));
    }

    /// Ends all, and waits until it is written; how each went that nobody was told of.
    pub(in crate::app) fn finish(&mut self) -> Vec<Recorded> {
        self.dump_due();
        self.end();
        let waited = self.endings.drain(..).map(Ending::wait);
        let waited: Vec<Recorded> = waited.collect();
        self.told.take().into_iter().chain(waited).chain(self.saved(true)).collect()
    }

    /// Whether any file was begun.
    pub(in crate::app) const fn has_begun_a_file(&self) -> bool {
        self.written > 0
    }

    /// Whether the recording that was asked for stopped of itself.
    pub(in crate::app) fn has_failed(&self) -> bool {
        self.recording.as_ref().is_some_and(|recording| recording.failed().is_some())
    }

    /// Whether there is any of that to tell which [`Self::tell_dumped`] tells.
    pub(in crate::app) fn has_dumped(&self) -> bool {
        self.refused.is_some() || self.endings.iter().any(Ending::is_done)
    }

    /// How what was written of a ring went, or why it could not be; once.
    pub(in crate::app) fn tell_dumped(&mut self) -> Option<Result<String, String>> {
        let ended =
            self.next_ended().map(|ended| if ended.failed.is_none() { Ok(ended.words()) } else { Err(ended.words()) });
        ended.or_else(|| self.refused.take().map(Err))
    }

    /// Whether what passes is written to a file at once.
    pub(in crate::app) fn writes(&self) -> bool {
        self.recording.is_some() && self.wanted.ring.is_none()
    }

    /// Whether anything is recorded or written.
    pub(in crate::app) fn is_running(&self) -> bool {
        self.recording.is_some() || !self.endings.is_empty() || self.saving.is_some()
    }

    /// How the recording that runs stands, for the screen.
    pub(in crate::app) fn shown(&self) -> ui::Recordings {
        let running = self.tally().map(|tally| {
            let (bytes, lost, took) = (tally.bytes, tally.lost, tally.took);
            ui::Recording { in_memory: tally.file.is_none(), name: tally.name(), bytes, lost, took }
        });
        ui::Recordings { running, ended: self.told.as_ref().map(Recorded::words) }
    }

    /// How the recording that runs stands.
    pub(in crate::app) fn tally(&self) -> Option<Tally> {
        let tally = self.recording.as_ref().filter(|recording| recording.failed().is_none())?.tally();
        Some(tally.and_lost(self.lost_in_front()))
    }

    /// Why a ring keeps little, if it does.
    pub(in crate::app) fn cramped(&self) -> Option<String> {
        self.recording.as_ref().and_then(Recording::cramped)
    }

    /// What must be told until it is seen to: why a recording stopped of itself, could not begin, or keeps little.
    pub(in crate::app) fn trouble(&self) -> Option<String> {
        let running = self.recording.as_ref().and_then(|recording| {
            let failed = recording.failed()?.to_owned();
            Some(Recorded { tally: recording.tally().and_lost(self.lost_in_front()), failed: Some(failed) }.words())
        });
        let ended = || self.told.as_ref().filter(|told| told.failed.is_some()).map(Recorded::words);
        running.or_else(|| self.refused.clone()).or_else(ended).or_else(|| self.cramped())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many are written at once, and however late anybody asks.
    #[test]
    fn each_file_that_a_ring_was_written_to_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let (file, ring) = (Some(folder.path().join("ring.pcapng")), Some(Reach::Bytes(1 << 16)));
        let mut tape = Tape::new(Wanted { file, ring, ..Wanted::default() }, Vec::new());
        tape.begin_wanted().unwrap();
        let at = Timestamp::from_nanos;
        tape.pass(0, &Input::Tick(at(1)));
        (0..3).for_each(|_| tape.dump());
        while !tape.endings.iter().all(Ending::is_done) {
            std::thread::yield_now();
        }
        (2..6).for_each(|nanos| tape.settle(at(nanos)));
        let told = tape.tell_dumped().expect("one at a time").expect("it is written");
        assert!(told.contains("ring.pcapng"), "{told}");
        assert_eq!(tape.finish().len(), 2);
    }
}
