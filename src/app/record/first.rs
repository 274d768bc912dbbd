//! What a recording that begins in the middle of a run is told first: all that the kernel's sources said and that still
//! holds. Who replays it then sees what was seen live at that instant.
//!
//! Pure. Read first: `kernel::KernelEvent`.

use crate::base::Timestamp;
use crate::engine::Input;
use crate::journal::recording::Known;
use crate::kernel::KernelEvent;

/// What to tell first.
#[derive(Debug, Clone, Default)]
pub(super) struct First {
    /// That every connect, and that every last word is told.
    tracing: Option<Input>,
    last_words: Option<Input>,
    table: Known,
}

impl First {
    /// Takes note of what the engine is told.
    pub(super) fn note(&mut self, input: &Input) {
        match input {
            Input::Sample(sample) => self.table.learn(sample.clone()),
            Input::Kernel(KernelEvent::Tracing(_)) => self.tracing = Some(input.clone()),
            Input::Kernel(KernelEvent::LastWords(_)) => self.last_words = Some(input.clone()),
            _ => {}
        }
    }

    /// What held at that instant already, and is told as of it.
    pub(super) fn held_at(&self, ts: Timestamp) -> Vec<Input> {
        let held = self.tracing.iter().chain(&self.last_words).filter(|input| input.ts() < ts);
        held.map(|input| as_of(input, ts)).collect()
    }

    /// All of it, in its order.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let mut all: Vec<Input> = self.table.readings().map(Input::Sample).collect();
        self.add_to(&mut all);
        all
    }

    /// Adds what is no reading to readings, in the order of time. What holds from some instant on holds from the oldest
    /// reading on too: told of then, it does not make a recording seem to begin with the program.
    pub(super) fn add_to(&self, readings: &mut Vec<Input>) {
        let begin = readings.iter().map(Input::ts).min();
        for state in self.last_words.iter().chain(&self.tracing) {
            let state = match begin.filter(|begin| *begin > state.ts()) {
                Some(begin) => as_of(state, begin),
                None => state.clone(),
            };
            let at = readings.iter().position(|reading| reading.ts() >= state.ts()).unwrap_or(readings.len());
            readings.insert(at, state);
        }
    }
}

fn as_of(input: &Input, ts: Timestamp) -> Input {
    match input {
        Input::Kernel(KernelEvent::Tracing(_)) => Input::Kernel(KernelEvent::Tracing(ts)),
        Input::Kernel(KernelEvent::LastWords(_)) => Input::Kernel(KernelEvent::LastWords(ts)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;
    use std::sync::Arc;

    use super::super::{Tape, Wanted};
    use crate::base::{Endpoint, Scope, StateSet, TcpState, Timestamp};
    use crate::engine::Input;
    use crate::journal::{CaptureReader, Item, Reach};
    use crate::kernel::proc_net::ProcTable;
    use crate::kernel::{Covers, KernelEvent, SocketSample};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs_nanos(1_700_000_000 + seconds, 0)
    }

    fn reading(seconds: i64, covers: Covers) -> Input {
        Input::Sample(Arc::new(SocketSample { covers, ..SocketSample::empty(at(seconds)) }))
    }

    /// In another network namespace, whose reading says nothing of this one's sockets.
    fn elsewhere(seconds: i64) -> Input {
        Input::Sample(Arc::new(SocketSample { scope: Scope(7), ..SocketSample::empty(at(seconds)) }))
    }

    /// What a run tells, and which of it a recording must be told that begins behind it.
    fn told() -> [(Input, bool); 10] {
        let listen = || Covers::States(StateSet::of(&[TcpState::Listen]));
        let live = || Covers::States(StateSet::of(&[TcpState::Estab, TcpState::SynSent]));
        let one = || Covers::Sockets(vec![(Endpoint::default(), Endpoint::default())]);
        [
            (Input::Kernel(KernelEvent::LastWords(at(0))), true),
            (reading(1, Covers::ALL), true),
            (reading(2, listen()), false),
            (Input::Kernel(KernelEvent::Tracing(at(3))), true),
            (reading(4, live()), true),
            (Input::Tick(at(5)), false),
            (elsewhere(5), true),
            (reading(6, one()), false),
            (reading(7, listen()), true),
            (reading(8, one()), true),
        ]
    }

    /// What it must be told: that last words are told holds from the oldest reading on, where the recording begins.
    fn wanted() -> Vec<Input> {
        let mut wanted: Vec<Input> = told().into_iter().filter_map(|(input, wanted)| wanted.then_some(input)).collect();
        wanted[0] = Input::Kernel(KernelEvent::LastWords(at(1)));
        wanted
    }

    fn inputs_of(file: &Path) -> Vec<Input> {
        let mut reader = CaptureReader::open(Box::new(File::open(file).unwrap())).unwrap();
        let mut inputs = Vec::new();
        while let Some(item) = reader.next_item().unwrap() {
            inputs.extend(if let Item::Input(input) = item { Some(input) } else { None });
        }
        assert!(!reader.lacks_end(), "each of its sections was ended");
        inputs.retain(|input| !matches!(input, Input::Tick(_)));
        inputs
    }

    #[test]
    fn a_recording_begun_late_is_told_what_still_holds() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("late.pcapng");
        let mut tape = Tape::new(Wanted { file: Some(file.clone()), ..Wanted::default() }, Vec::new());
        told().iter().for_each(|(input, _)| tape.pass(0, input));
        tape.toggle();
        assert!(tape.is_running(), "{:?}", tape.trouble());
        assert!(tape.finish().iter().all(|recorded| recorded.failed.is_none()));
        assert_eq!(inputs_of(&file), wanted());
    }

    #[test]
    fn a_ring_that_is_too_small_for_the_table_says_so() {
        for (sockets, is_told) in [(100, false), (2_000, true)] {
            let ring = Some(Reach::Bytes(1 << 16));
            let mut tape = Tape::new(Wanted { ring, ..Wanted::default() }, Vec::new());
            tape.begin_wanted().unwrap();
            let mut table = ProcTable::default();
            for port in 1..=sockets {
                let queues = "00000000:00000000 00:00000000 00000000";
                table.add(&format!("0: 0100007F:{port:04X} 0100007F:1F90 01 {queues} {port} 0 {port}"));
            }
            let sockets = table.into_sockets();
            tape.pass(0, &Input::Sample(Arc::new(SocketSample { sockets, ..SocketSample::empty(at(0)) })));
            tape.settle(at(1));
            tape.pass(0, &reading(120, Covers::ALL));
            assert_eq!(tape.trouble().is_some(), is_told, "{:?}", tape.trouble());
        }
    }

    #[test]
    fn so_is_each_chapter_of_a_ring() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ring.pcapng");
        let ring = Some(Reach::Time(std::time::Duration::from_secs(60)));
        let mut tape = Tape::new(Wanted { file: Some(file.clone()), ring, ..Wanted::default() }, Vec::new());
        tape.begin_wanted().unwrap();
        told().iter().for_each(|(input, _)| tape.pass(0, input));
        tape.settle(at(9));
        // Long after: its chapter holds nothing of before but what still holds.
        let last = reading(1_000, Covers::States(StateSet::of(&[TcpState::TimeWait])));
        tape.pass(0, &last);
        tape.dump();
        tape.dump();
        assert!(tape.finish().iter().all(|recorded| recorded.failed.is_none()));
        assert_eq!(inputs_of(&file), [wanted(), vec![last]].concat());
        let again = std::fs::read(file.with_file_name("ring-2.pcapng")).unwrap();
        assert!(again == std::fs::read(&file).unwrap(), "the ring goes on holding it");
    }
}
