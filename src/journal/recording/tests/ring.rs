//! A recording in sections, of which the oldest are let go: whichever is first, what it and the others tell comes back.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Heads, Packer, Recorder};
use super::entries::{connect, process};
use super::properties::{cases, run};
use super::tables::{age, table};
use super::{Given, inputs_of, read, record, setup, write};
use crate::base::Timestamp;
use crate::engine::Input;
use crate::kernel::{KernelEvent, Owner, Owners, SocketSample};

/// A section: how it may begin, what it is told first where it stands alone, its blocks, what it was given.
struct Section {
    heads: Heads,
    held: Vec<Input>,
    blocks: Vec<u8>,
    given: Vec<Given>,
}

/// All that, so much in each section.
fn sections(run: &[Given], each: usize) -> Vec<Section> {
    turned(run.chunks(each))
}

/// A section of each of these.
fn turned<'a>(parts: impl Iterator<Item = &'a [Given]>) -> Vec<Section> {
    let (mut recorder, mut packers) = (Recorder::new(setup(0)), Packer::all(&setup(0)));
    let one = |given: &[Given]| {
        let mut held = Vec::new();
        let heads = recorder.turn(Timestamp::from_nanos(5), |readings| held.clone_from(readings));
        let mut blocks = Vec::new();
        given.iter().for_each(|given| write(&mut recorder, &mut packers, given, &mut blocks));
        recorder.end_section(&mut blocks);
        Section { heads, held, blocks, given: given.to_vec() }
    };
    parts.map(one).collect()
}

/// The file of these sections, of which the first stands alone.
fn file<'a>(mut sections: impl Iterator<Item = &'a Section>) -> Vec<u8> {
    let first = sections.next().expect("a section");
    let others = sections.flat_map(|section| [&section.heads.on, &section.blocks]);
    [&first.heads.alone, &first.blocks].into_iter().chain(others).flatten().copied().collect()
}

/// Without what counts from the beginning of a section, and ticks, which change nothing.
fn plain(run: Vec<Given>) -> Vec<Given> {
    let counts = |given: &Given| {
        let Given::Input(input) = given else { return false };
        matches!(input, Input::Loss(_) | Input::Tick(_))
            || matches!(input, Input::Kernel(KernelEvent::Lost(_) | KernelEvent::LastWordsLost(_)))
    };
    run.into_iter().filter(|given| !counts(given)).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_input_comes_back_whichever_section_is_first(run in run().prop_map(plain), each in 1usize..9) {
        let sections = sections(&run, each);
        for first in 0..sections.len() {
            let back = read(&file(sections[first..].iter()));
            prop_assert_eq!((back.damage, back.foreign, back.skipped, back.lacks_end), (None, 0, 0, false));
            let given = sections[first..].iter().flat_map(|section| inputs_of(&section.given));
            let expected: Vec<Input> = sections[first].held.iter().cloned().chain(given).collect();
            prop_assert_eq!(back.inputs, expected, "{}", first);
        }
    }

    #[test]
    fn where_a_section_was_taken_out_nothing_is_guessed(run in run().prop_map(plain), each in 1usize..9) {
        let sections = sections(&run, each);
        for gone in 1..sections.len() {
            let there = || sections[..gone].iter().chain(&sections[gone + 1..]);
            let back = read(&file(there()));
            prop_assert_eq!(back.damage, None);
            let given: Vec<Input> = there().flat_map(|section| inputs_of(&section.given)).collect();
            let mut rest = given.iter();
            prop_assert!(back.inputs.iter().all(|input| rest.any(|given| given == input)), "{}", gone);
        }
    }
}

/// Behind a section that was taken out a reading cannot be told, and so not who was told of in it first.
#[test]
fn a_process_that_a_lost_reading_told_of_is_not_taken_for_another() {
    let reading = |seconds: i64, owner: Option<&str>| {
        let held = owner.map(|comm| (1, vec![Owner { process: process(7, comm), fd: 3 }]));
        let owners = Arc::new(Owners { by_inode: held.into_iter().collect(), ..Owners::default() });
        let ts = Timestamp::from_secs_nanos(1_700_000_000 + seconds, 0);
        Given::Input(Input::Sample(Arc::new(SocketSample { owners, ..table(ts, 4) })))
    };
    let run = [
        connect(0, "first"),
        reading(1, None),
        connect(2_000, "gone"),
        connect(3_000, "second"),
        reading(4, Some("third")),
        connect(5_000, "third"),
    ];
    let [begins, gone, goes_on, ends] = [&run[..1], &run[1..3], &run[3..4], &run[4..]];
    let sections = turned([begins, gone, goes_on, ends].into_iter());
    let names = |file: Vec<u8>| -> Vec<String> {
        let of = |input: &Input| match input {
            Input::Kernel(KernelEvent::Connect(connect)) => connect.process.as_ref().map(|by| by.comm.to_string()),
            _ => None,
        };
        read(&file).inputs.iter().filter_map(of).collect()
    };
    assert_eq!(names(file(sections.iter())), ["first", "gone", "second", "third"]);
    assert_eq!(names(file(sections[..1].iter().chain(&sections[2..]))), ["first", "second"]);
}

/// A ring of a short time is made of many sections.
#[test]
fn sections_that_go_on_are_not_much_larger_than_one() {
    let mut whole = table(Timestamp::from_secs_nanos(1_700_000_000, 0), 1_000);
    let mut reading = |_| {
        age(&mut whole, 100);
        Given::Input(Input::Sample(Arc::new(whole.clone())))
    };
    let run: Vec<Given> = (0..48).map(&mut reading).collect();
    let (one, many) = (record(0, &run).len(), file(sections(&run, 3).iter()).len());
    assert!(many < one + one / 2, "{many} bytes, and {one} of one section");
}
