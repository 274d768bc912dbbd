//! Wherever one goes, by whatever way, the engine is what a fresh replay up to there would be.

use std::time::Duration;

use proptest::prelude::*;

use super::super::fixture::{Reel, crowd, engine, told};
use super::super::{Deck, Index};
use super::*;
use crate::engine::Happening;

const NOW: Duration = Duration::ZERO;

/// A player on its way about in `inputs`.
struct Walker {
    inputs: Vec<Input>,
    deck: Deck<Reel>,
    player: Player<usize>,
    engine: Engine,
}

impl Walker {
    /// At the end, so that all is noted.
    fn new(inputs: Vec<Input>, batch: usize, budget: usize) -> Self {
        let mut deck = Deck { tape: Reel::new(inputs.clone(), batch), index: Index::new(budget) };
        let mut engine = engine();
        deck.index.offer(&mut engine, 0, || 0);
        let mut walker = Self { inputs, deck, player: Player::new(f64::INFINITY), engine };
        while walker.player.pump(&mut walker.deck, &mut walker.engine, NOW) != Pace::Rests {}
        walker
    }

    fn arrive(&mut self) {
        while self.player.is_going() {
            self.player.pump(&mut self.deck, &mut self.engine, NOW);
        }
    }

    fn seek(&mut self, to: Timestamp) {
        self.player.seek(&mut self.deck, &mut self.engine, to, NOW);
        self.arrive();
    }

    fn hop(&mut self, happening: Happening, forwards: bool) -> u64 {
        self.player.hush();
        if forwards {
            self.player.next(&mut self.deck, &mut self.engine, happening);
        } else {
            self.player.previous(&mut self.deck, &mut self.engine, happening);
        }
        self.arrive();
        self.player.at()
    }

    /// A fresh replay to an instant.
    fn fresh(&self, to: Timestamp) -> Engine {
        let due = self.inputs.iter().position(|input| input.ts() > to).unwrap_or(self.inputs.len());
        let mut fresh = engine();
        fresh.feed_batch(&self.inputs[..due]);
        let end = self.inputs.iter().map(Input::ts).max().expect("inputs");
        let first = self.inputs[0].ts();
        fresh.feed(&Input::Tick(to.clamp(first, end)));
        fresh
    }

    /// After how many inputs it had just happened, by a straight run.
    fn happened(&self, happening: Happening) -> Vec<u64> {
        let mut straight = engine();
        let mut all = Vec::new();
        for (at, input) in self.inputs.iter().enumerate() {
            let before = straight.count(happening);
            straight.feed(input);
            if straight.count(happening) > before {
                all.push(at as u64 + 1);
            }
        }
        all
    }

    #[track_caller]
    fn is_at(&self, at: u64) {
        let mut fresh = engine();
        fresh.feed_batch(&self.inputs[..at as usize]);
        // Who was led to an instant behind the last input, and then nowhere, is at that instant still.
        fresh.feed(&Input::Tick(self.engine.now().expect("inputs")));
        assert_eq!(self.player.at(), at);
        assert!(told(&self.engine) == told(&fresh), "after {at} inputs");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn seek_equals_a_fresh_replay(
        tuples in 1_u64..200,
        count in 200_usize..2_500,
        batch in 1_usize..300,
        budget in prop::sample::select(vec![0, 2_000_000, usize::MAX]),
        shares in prop::collection::vec(0_u32..1_100, 1..8),
    ) {
        let mut walker = Walker::new(crowd(tuples, count), batch, budget);
        let start = walker.inputs[0].ts();
        let span = walker.inputs.iter().map(Input::ts).max().unwrap().since(start);
        for share in shares {
            let to = start + span * share / 1_000;
            walker.seek(to);
            prop_assert!(told(&walker.engine) == told(&walker.fresh(to)), "{to:?}");
        }
    }

    #[test]
    fn every_hop_leads_to_where_it_happened(
        count in 200_usize..1_500,
        batch in 1_usize..200,
        hops in prop::collection::vec((0_usize..4, any::<bool>()), 1..16),
    ) {
        let mut walker = Walker::new(crowd(20, count), batch, usize::MAX);
        let kinds = [
            Happening::Segment,
            Happening::SegmentOf(crate::engine::FlowId(3)),
            Happening::Failure,
            Happening::Retransmission,
        ];
        let places = kinds.map(|kind| walker.happened(kind));
        let middle = walker.inputs[count / 2].ts();
        walker.seek(middle);
        for (kind, forwards) in hops {
            let at = walker.player.at();
            let all = &places[kind];
            let wanted = if forwards {
                // What time brought since the last input is told with the next one.
                let counted = walker.engine.count(kinds[kind]) as usize;
                all.iter().find(|place| **place > at && counted < straight_count(&walker, kinds[kind], **place))
            } else {
                all.iter().rfind(|place| **place < at)
            };
            let wanted = wanted.copied().unwrap_or(at);
            prop_assert_eq!(walker.hop(kinds[kind], forwards), wanted, "{:?} {} from {}", kinds[kind], forwards, at);
            walker.is_at(wanted);
        }
    }
}

#[test]
fn where_nothing_is_that_way_one_stays_at_the_instant() {
    let mut walker = Walker::new(crowd(20, 310), 1, usize::MAX);
    walker.seek(walker.inputs[155].ts());
    let (at, then) = (walker.player.at(), walker.engine.now());
    assert_eq!(walker.hop(Happening::Failure, false), at);
    assert_eq!(walker.engine.now(), then);
    walker.is_at(at);
}

fn straight_count(walker: &Walker, happening: Happening, at: u64) -> usize {
    let mut straight = engine();
    straight.feed_batch(&walker.inputs[..at as usize]);
    straight.count(happening) as usize
}

#[test]
fn going_back_begins_near_by() {
    let mut walker = Walker::new(crowd(50, 4_000), 50, usize::MAX);
    assert!(walker.deck.index.checkpoints.held().0 > 20);
    let at = walker.hop(Happening::Segment, false);
    assert_eq!(at, 3_999);
    for steps in 1..=5 {
        assert_eq!(walker.hop(Happening::Segment, false), at - steps);
    }
    walker.is_at(at - 5);
    for steps in (0..5).rev() {
        assert_eq!(walker.hop(Happening::Segment, true), at - steps);
    }
    assert!(walker.player.clock.paused() && walker.player.clock.speed() == 1.0);
}

#[test]
fn the_end_is_kept_once_however_often_one_plays_there() {
    let mut walker = Walker::new(crowd(50, 1_010), 50, usize::MAX);
    let held = walker.deck.index.checkpoints.held();
    assert_eq!(walker.deck.index.checkpoints.last().map(|last| last.at), Some(1_010));
    for _ in 0..3 {
        walker.seek(Timestamp::MIN);
        walker.player.clock.set_speed(NOW, walker.engine.now(), f64::INFINITY);
        walker.player.pause(&walker.engine, NOW, false);
        while walker.player.pump(&mut walker.deck, &mut walker.engine, NOW) != Pace::Rests {}
        walker.is_at(1_010);
        assert_eq!(walker.deck.index.checkpoints.held(), held);
    }
}

/// The inputs at which something new is wrong, of each checkpoint that showed some: none before was since the last one.
fn arose(walker: &Walker) -> Vec<u64> {
    let arose = |found: &super::super::index::Found| {
        let mut straight = engine();
        straight.feed_batch(&walker.inputs[..found.after as usize]);
        let known = straight.diagnosis();
        let stretch = &walker.inputs[found.after as usize..found.at as usize];
        let mut at = (found.after + 1..).zip(stretch);
        let is_new = |straight: &mut Engine, input| {
            straight.feed(input);
            straight.diagnosis().new_since(&known) > 0
        };
        // Some come, go and come: any of these will do.
        let flips = at.by_ref().map(|(at, input)| (at, is_new(&mut straight, input))).collect::<Vec<_>>();
        let mut before = false;
        let flips = flips.into_iter().filter(|(_, new)| std::mem::replace(&mut before, *new) != *new && *new);
        flips.map(|(at, _)| at).collect::<Vec<_>>()
    };
    walker.deck.index.findings().iter().flat_map(arose).collect()
}

#[test]
fn findings_are_gone_to_by_the_input_at_which_they_arise() {
    let mut walker = Walker::new(crowd(40, 3_000), 20, usize::MAX);
    let arose = arose(&walker);
    let find = |walker: &mut Walker, forwards| {
        walker.player.hush();
        walker.player.finding(&mut walker.deck, &mut walker.engine, forwards);
        walker.arrive();
        (walker.player.at(), walker.player.notice().map(str::to_owned))
    };
    let mut back = Vec::new();
    loop {
        match find(&mut walker, false) {
            (at, None) => {
                walker.is_at(at);
                back.push(at);
            }
            (at, Some(notice)) => {
                assert_eq!((at, &*notice), (*back.last().unwrap(), "no finding before this"));
                break;
            }
        }
    }
    assert!(back.len() > 2 && back.is_sorted_by(|a, b| a > b), "{back:?}");
    assert!(back.iter().all(|at| arose.contains(at)), "{back:?} of {arose:?}");
    // The same on the way back, and from where nobody looked yet.
    for place in back.iter().rev().skip(1) {
        assert_eq!(find(&mut walker, true), (*place, None));
    }
    assert_eq!(find(&mut walker, true), (back[0], Some("none after this".to_owned())));
    let mut other = Walker::new(crowd(40, 3_000), 20, usize::MAX);
    other.seek(Timestamp::MIN);
    for place in back.iter().rev().filter(|place| **place > other.player.at()).copied().collect::<Vec<_>>() {
        assert_eq!(find(&mut other, true), (place, None));
    }
}

#[test]
fn whoever_asks_is_answered_between_two_halvings() {
    let mut walker = Walker::new(crowd(40, 3_000), 20, usize::MAX);
    let found = *walker.deck.index.findings().last().expect("some");
    walker.player.finding(&mut walker.deck, &mut walker.engine, false);
    let mut still = 0;
    while walker.player.is_going() {
        let at = walker.player.at();
        walker.player.pump(&mut walker.deck, &mut walker.engine, NOW);
        still += u32::from(walker.player.at() == at);
    }
    let stretch = found.at - found.after;
    assert!(stretch > 32 && still >= stretch.ilog2(), "{stretch} {still}");
}

#[test]
fn a_hop_that_leads_nowhere_leaves_the_instant() {
    let mut walker = Walker::new(crowd(20, 500), 20, usize::MAX);
    let times: Vec<_> = walker.inputs.iter().map(Input::ts).collect();
    let gap = times.windows(2).position(|pair| pair[1].since(pair[0]) > Duration::from_nanos(1)).expect("a gap");
    let between = times[gap] + times[gap + 1].since(times[gap]) / 2;
    for (forwards, paused, speed) in
        [(true, true, 1.0), (true, false, 2.0), (false, true, 2.0), (false, false, f64::INFINITY)]
    {
        walker.seek(between);
        assert_eq!(walker.engine.now(), Some(between));
        walker.player.clock.set_speed(NOW, walker.engine.now(), speed);
        walker.player.pause(&walker.engine, NOW, paused);
        let at = walker.player.at();
        // A flow that there is not.
        let never = Happening::SegmentOf(crate::engine::FlowId(u64::MAX));
        assert_eq!((walker.hop(never, forwards), walker.engine.now()), (at, Some(between)), "{forwards}");
        assert!(walker.player.notice().is_some_and(|notice| notice.starts_with("none ")));
        assert_eq!(
            (walker.player.clock.paused(), walker.player.clock.speed()),
            (paused, speed),
            "it goes on as it did"
        );
    }
    walker.hop(Happening::Segment, true);
    assert_eq!(walker.engine.now(), Some(times[gap + 1]), "one that leads on does");
}

/// Where the end is not known yet, nobody can say sooner that an instant lies beyond it.
#[test]
fn an_instant_beyond_the_end_leads_there_and_is_told() {
    let inputs = crowd(20, 500);
    let end = inputs.iter().map(Input::ts).max().expect("inputs");
    for (to, told) in [(end + NOW, None), (end + Duration::from_nanos(1), Some("it ends before that: this is its end"))]
    {
        let mut deck = Deck { tape: Reel::new(inputs.clone(), 20), index: Index::new(usize::MAX) };
        let (mut engine, mut player) = (engine(), Player::new(f64::INFINITY));
        deck.index.offer(&mut engine, 0, || 0);
        player.pump(&mut deck, &mut engine, NOW);
        assert!(!player.was_read());
        player.seek(&mut deck, &mut engine, to, NOW);
        let mut walker = Walker { inputs: inputs.clone(), deck, player, engine };
        walker.arrive();
        assert_eq!((walker.engine.now(), walker.player.notice()), (Some(end), told));
        walker.player.hush();
        walker.seek(Timestamp::MAX);
        assert_eq!(walker.player.notice(), None, "to the end is no instant");
    }
}

#[test]
fn what_cannot_be_done_does_not_stop_a_stream() {
    let inputs = crowd(20, 500);
    let middle = inputs[250].ts();
    let mut walker = Walker {
        deck: Deck { tape: Reel::new(inputs.clone(), 500), index: Index::new(usize::MAX) },
        player: Player::new(1.0),
        engine: engine(),
        inputs,
    };
    let span = middle.since(walker.inputs[0].ts());
    walker.player.pump(&mut walker.deck, &mut walker.engine, NOW);
    walker.player.pump(&mut walker.deck, &mut walker.engine, span);
    let at = walker.player.at();
    assert!((1..500).contains(&at), "{at}");
    let refused: [fn(&mut Walker); 3] = [
        |walker| walker.player.previous(&mut walker.deck, &mut walker.engine, Happening::Segment),
        |walker| walker.player.finding(&mut walker.deck, &mut walker.engine, false),
        |walker| walker.player.seek(&mut walker.deck, &mut walker.engine, Timestamp::MIN, NOW),
    ];
    for (which, refuse) in refused.into_iter().enumerate() {
        walker.player.hush();
        refuse(&mut walker);
        walker.arrive();
        assert!(walker.player.notice().is_some() && !walker.player.clock.paused(), "{which}");
        assert_eq!(walker.player.at(), at, "{which}");
    }
}

#[test]
fn a_search_ends_where_its_source_is_gone() {
    let mut walker = Walker::new(crowd(20, 500), 20, usize::MAX);
    walker.player.previous(&mut walker.deck, &mut walker.engine, Happening::Segment);
    walker.deck.tape.is_gone = true;
    for _ in 0..100 {
        walker.player.pump(&mut walker.deck, &mut walker.engine, NOW);
    }
    assert_eq!((walker.player.is_going(), walker.player.notice()), (false, Some("it is gone")));
}

#[test]
fn what_is_asked_for_on_the_way_is_done_from_where_that_leads() {
    let next = |walker: &mut Walker| walker.player.next(&mut walker.deck, &mut walker.engine, Happening::Failure);
    let back = |walker: &mut Walker| walker.player.previous(&mut walker.deck, &mut walker.engine, Happening::Segment);
    let on = |walker: &mut Walker| walker.player.finding(&mut walker.deck, &mut walker.engine, true);
    let none = |walker: &mut Walker| walker.player.finding(&mut walker.deck, &mut walker.engine, false);
    // Of the second list some lead nowhere.
    let led_nowhere: &[fn(&mut Walker)] = &[on, none, none, none, none, none, none, back];
    for (hops, notice) in [(&[next, next, on, back][..], None), (led_nowhere, Some("no finding before this"))] {
        let [mut patient, mut hasty] = [(); 2].map(|()| Walker::new(crowd(40, 3_000), 20, usize::MAX));
        for walker in [&mut patient, &mut hasty] {
            walker.seek(walker.inputs[300].ts());
        }
        for hop in hops {
            hop(&mut patient);
            patient.arrive();
            hop(&mut hasty);
        }
        assert!(hasty.player.is_going());
        hasty.arrive();
        assert_eq!((hasty.player.at(), hasty.player.notice()), (patient.player.at(), notice));
        hasty.is_at(patient.player.at());
        // A pause gives up what was asked for.
        hops.iter().for_each(|hop| hop(&mut hasty));
        hasty.player.pause(&hasty.engine, NOW, true);
        assert!(!hasty.player.is_going());
    }
}

#[test]
fn what_is_paused_stays_so_and_the_end_is_a_pause() {
    let mut walker = Walker::new(crowd(5, 500), 20, usize::MAX);
    let start = walker.inputs[0].ts();
    let told = |walker: &Walker| (walker.player.clock.paused(), walker.player.clock.speed());
    assert_eq!(told(&walker), (false, f64::INFINITY), "it was played to the end");
    walker.seek(start + Duration::from_secs(2));
    assert_eq!(told(&walker), (true, 1.0));
    walker.player.pause(&walker.engine, NOW, false);
    walker.seek(start + Duration::from_secs(1));
    assert_eq!(told(&walker), (false, 1.0), "a jump while it is played goes on");
    walker.player.restart(&mut walker.deck, &mut walker.engine, NOW);
    assert_eq!((told(&walker), walker.player.at()), ((false, 1.0), 0));
}

#[test]
fn where_nothing_is_kept_one_stays() {
    let mut deck = Deck { tape: Reel::new(crowd(5, 100), 10), index: Index::new(0) };
    let (mut engine, mut player) = (engine(), Player::new(f64::INFINITY));
    while player.pump(&mut deck, &mut engine, NOW) != Pace::Rests {}
    deck.index = Index::new(0);
    let before = told(&engine);
    player.seek(&mut deck, &mut engine, Timestamp::MIN, NOW);
    assert!(!player.is_going() && player.notice().is_some_and(|told| told.contains("save it to a file")));
    player.restart(&mut deck, &mut engine, NOW);
    player.previous(&mut deck, &mut engine, Happening::Segment);
    assert!(player.notice().is_some() && told(&engine) == before);
}

#[test]
fn the_past_is_gone_about_in_while_more_comes_and_the_oldest_goes() {
    use super::super::Past;
    let inputs = crowd(60, 6_000);
    let mut deck = Deck { tape: Past::default(), index: Index::new(usize::MAX) };
    let (mut live, mut at) = (engine(), 0);
    let mut shown: Option<(Engine, Player<u64>)> = None;
    for (round, batch) in inputs.chunks(500).enumerate() {
        deck.index.offer(&mut live, at, || at);
        for part in batch.chunks(30) {
            deck.index.feed(&mut live, part, &mut at);
            deck.tape.extend(part);
            deck.index.offer(&mut live, at, || at);
        }
        if round >= 6 {
            let first = deck.index.checkpoints.drop_first().expect("more than one");
            deck.tape.forget_before(first);
        }
        let (engine, player) = shown.get_or_insert_with(|| {
            deck.tape.stand_at(at);
            (live.fork(), Player::standing_at(at, Some(inputs[0].ts())))
        });
        let oldest = deck.index.checkpoints.first().expect("one").at;
        let wanted = (oldest + (at - oldest) * (round as u64 % 5) / 5).max(1);
        let to = inputs[..wanted as usize].iter().map(Input::ts).max().expect("some");
        player.begins_at(deck.index.checkpoints.first().and_then(|first| first.engine.now()));
        player.seek(&mut deck, engine, to, NOW);
        while player.is_going() && player.pump(&mut deck, engine, NOW) != Pace::Waits {}
        let due = inputs[..at as usize].iter().position(|input| input.ts() > to).unwrap_or(at as usize);
        let mut fresh = self::engine();
        fresh.feed_batch(&inputs[..due]);
        fresh.feed(&Input::Tick(to));
        if !player.is_going() {
            assert!(told(engine) == told(&fresh), "round {round}");
        }
        assert!(round == 0 || !player.is_going() || due == at as usize, "only at its end it waits for more");
    }
    assert!(deck.tape.span().0 > 0, "the oldest went");
}
