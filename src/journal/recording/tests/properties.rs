//! The promise, at random: the very same inputs come back, and of a cut file those that were written before the cut.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{Packer, Recorder};
use super::made::{Made, given, made};
use super::tables::readings;
use super::{Back, Given, inputs_of, read, record, setup, telling, write};
use crate::base::Timestamp;
use crate::engine::{Config, Engine, FlowId, Input, Query, QueryCache};
use crate::journal::Lost;

/// What a live run hands over: frames, events and readings of the table.
pub(super) fn run() -> impl Strategy<Value = Vec<Given>> {
    (prop::collection::vec(made().boxed(), 0..24), readings().boxed()).prop_map(|(made, readings)| {
        let mut made = made.into_iter();
        let mut mixed: Vec<Made> = Vec::new();
        for reading in readings {
            mixed.extend(made.by_ref().take(3));
            mixed.push(Made::Input(reading));
        }
        mixed.extend(made);
        given(mixed)
    })
}

fn marks(given: &[Given]) -> usize {
    given.iter().filter(|given| matches!(given, Given::Mark(_))).count()
}

/// Each case is a run of dozens of inputs; PROPTEST_CASES asks for more of them.
pub(super) fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(asked.unwrap_or(64))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_input_comes_back(run in run(), payload in prop_oneof![Just(0u32), 0u32..100]) {
        let back = read(&record(payload, &run));
        prop_assert_eq!(back.damage, None);
        prop_assert_eq!((back.foreign, back.skipped), (0, 0));
        prop_assert_eq!(telling(back.inputs), telling(inputs_of(&run)));
        prop_assert_eq!(back.marks.len(), marks(&run));
    }

    #[test]
    fn a_file_cut_anywhere_gives_what_stands_before(run in run(), at in any::<Index>()) {
        let file = record(0, &run);
        let cut = at.index(file.len() + 1);
        let back = read(&file[..cut]);
        let whole = read(&file);
        prop_assert_eq!(&back.inputs[..], &whole.inputs[..back.inputs.len()]);
        // Blocks are read up to the one that is cut, and that is told.
        let ends = ends(&file);
        let blocks = ends.iter().filter(|end| **end <= cut).count();
        let before = blocks.checked_sub(1).map_or(0, |last| ends[last]);
        prop_assert_eq!(&back.inputs, &read(&file[..before]).inputs);
        if cut >= 12 {
            prop_assert_eq!(back.damage.map(|damage| damage.offset), (cut > before).then_some(before as u64));
        }
    }

    /// A file of a ring begins anew, and so does what is written behind it in the same file.
    #[test]
    fn what_begins_anew_needs_nothing_from_before(first in run(), second in run()) {
        let (mut recorder, mut packers) = (Recorder::new(setup(0)), Packer::all(&setup(0)));
        let (mut one, mut other) = (Vec::new(), Vec::new());
        recorder.begin(Timestamp::default(), &mut one);
        first.iter().for_each(|given| write(&mut recorder, &mut packers, given, &mut one));
        recorder.begin(Timestamp::default(), &mut other);
        second.iter().for_each(|given| write(&mut recorder, &mut packers, given, &mut other));
        recorder.end(&mut other);
        let without_ticks = |inputs: Vec<Input>| -> Vec<Input> {
            inputs.into_iter().filter(|input| !matches!(input, Input::Tick(_))).collect()
        };
        prop_assert_eq!(without_ticks(read(&other).inputs), without_ticks(inputs_of(&second)));
        // Losses are told in all, whatever each section counts.
        let mut lost = Lost::default();
        inputs_of(&first).iter().for_each(|input| lost.note(input));
        let second = inputs_of(&second).into_iter().map(|input| lost.and(input));
        let both: Vec<Input> = inputs_of(&first).into_iter().chain(second).collect();
        prop_assert_eq!(telling(read(&[one, other].concat()).inputs), telling(both));
    }

    #[test]
    fn a_file_that_was_changed_anywhere_never_panics(
        run in run(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = record(0, &run);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _whatever_it_says: Back = read(&file);
    }

    /// A recording may tell of any numbers: an engine takes them in and answers, and so it does for what comes back.
    #[test]
    fn an_engine_takes_whatever_a_recording_tells(run in run()) {
        let fed = |inputs: &[Input]| {
            let mut engine = Engine::new(Config::live(20, 1));
            engine.feed_batch(inputs);
            let query = Query { selected: Some(FlowId(0)), ..Query::default() };
            format!("{:?}", engine.dashboard(&query, &mut QueryCache::default()))
        };
        prop_assert_eq!(fed(&read(&record(0, &run)).inputs), fed(&inputs_of(&run)));
    }

    /// Blocks that another program took out are missed, and nothing else is: no input is another's.
    #[test]
    fn blocks_that_were_taken_out_are_missed(run in run(), gone in prop::collection::vec(any::<Index>(), 1..4)) {
        let file = record(0, &run);
        let ends = ends(&file);
        let heads = 4;
        let blocks: Vec<&[u8]> = ends.iter().zip(&ends[1..]).map(|(begin, end)| &file[*begin..*end]).collect();
        let blocks = &blocks[heads - 1..];
        prop_assume!(!blocks.is_empty());
        let gone: Vec<usize> = gone.iter().map(|gone| gone.index(blocks.len())).collect();
        let left = blocks.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, block)| *block);
        let left: Vec<u8> = std::iter::once(&file[..ends[heads - 1]]).chain(left).collect::<Vec<_>>().concat();
        let back = read(&left);
        prop_assert_eq!(back.damage, None);
        let mut all = read(&file).inputs.into_iter();
        for input in back.inputs {
            prop_assert!(all.any(|written| written == input), "{:?}", input);
        }
    }
}

/// Where each block ends.
fn ends(file: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < file.len() {
        at += u32::from_le_bytes(file[at + 4..at + 8].try_into().expect("a length")) as usize;
        ends.push(at);
    }
    ends
}
