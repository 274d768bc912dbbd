//! Readings that are kept to go back in: how little those of a table at rest take, and that they come back.

use std::sync::Arc;

use proptest::prelude::*;

use super::tables::{age, readings, table};
use crate::base::{StateSet, TcpState, Timestamp};
use crate::engine::Input;
use crate::journal::{Next, Past, PastPlace, Tape};
use crate::kernel::{Covers, Owners, SocketSample};

/// What a host with so many sockets at rest is read as: its listeners ten times a second, all of it once.
fn at_rest(sockets: u32, seconds: u32) -> impl Iterator<Item = Input> {
    let mut whole = table(Timestamp::from_secs_nanos(1_700_000_000, 0), sockets);
    let denied = [Some(1), Some(7), None];
    whole.owners = Arc::new(Owners { processes_denied: 2, denied, ..Owners::default() });
    let listeners = Covers::States(StateSet::of(&[TcpState::Listen]));
    (0..seconds * 10).map(move |tenth| {
        age(&mut whole, 100);
        let reading = if tenth % 10 == 0 {
            whole.clone()
        } else {
            SocketSample { covers: listeners.clone(), sockets: Vec::new(), ..whole.clone() }
        };
        Input::Sample(Arc::new(reading))
    })
}

#[test]
fn sockets_at_rest_take_next_to_nothing() {
    let mut past = Past::default();
    at_rest(1_000, 600).for_each(|input| past.extend(&[input]));
    let (whole, minute) = (past.bytes(), past.bytes() / 10);
    assert!(whole < 4 << 20, "{whole} bytes for ten minutes");
    past.forget_before(3_000);
    assert!(past.bytes().abs_diff(whole / 2) <= minute, "{} of {whole}", past.bytes());
}

/// Whether what is given from each of these numbers on is what was put in.
fn check(past: &mut Past, inputs: &[Input], numbers: impl IntoIterator<Item = u64>) {
    for from in numbers {
        past.go(&from).unwrap();
        let mut at = from as usize;
        while let Next::Inputs(given, Some(place)) = past.next(false) {
            assert!(given[..] == inputs[at..place as usize], "{from}: {at}");
            at = place as usize;
        }
        assert_eq!(at, inputs.len(), "{from}");
    }
}

#[test]
fn readings_come_back_as_they_were_from_any_number_on() {
    // The larger table is told in full more often than each minute.
    for (sockets, seconds) in [(3, 200), (20_000, 10)] {
        let (mut past, inputs): (_, Vec<Input>) = (Past::default(), at_rest(sockets, seconds).collect());
        past.extend(&inputs);
        let all = inputs.len() as u64;
        past.forget_before(all / 4);
        check(&mut past, &inputs, [all / 4, all / 4 + 1, all - 1, all / 2, all / 2 + 7, all / 3]);
        let mut place = PastPlace::before(0).with_readings_from(inputs[all as usize - 5].ts());
        let mut told = 0;
        while place.next() < all {
            past.read(&mut place, |input| told += usize::from(matches!(input, Input::Sample(_))));
        }
        assert_eq!(told, 5);
    }
}

proptest! {
    #[test]
    fn every_reading_comes_back_whatever_came_before(inputs in readings()) {
        let mut past = Past::default();
        past.extend(&inputs);
        check(&mut past, &inputs, 0..inputs.len() as u64);
    }
}
