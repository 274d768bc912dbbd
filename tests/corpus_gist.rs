//! Holds a flow's gist against its outline over a corpus of captures: they agree, and of a flow that the gist calls
//! regular its outline tells of no trouble after the handshake.
//!
//! `SOCKSCOPE_CORPUS` names the corpus; its captures are in `dev/`.
#![cfg(feature = "tui")]
#![allow(clippy::print_stdout, reason = "how much was held is what a reader of this test wants")]

use std::path::Path;

use sockscope::engine::{Config, Engine, Filter, Gist, Input};
use sockscope::export::{Trouble, trouble};

#[path = "support/corpus.rs"]
mod corpus;
use corpus::{captures, segments};

/// What a handshake alone does not tell.
const LATER: [Trouble; 6] = [
    Trouble::Mismatch,
    Trouble::WindowClosed,
    Trouble::CloseWait,
    Trouble::Unanswered,
    Trouble::Reset,
    Trouble::SentAgain,
];

#[test]
fn who_is_regular_has_no_trouble() {
    let Some(corpus) = std::env::var_os("SOCKSCOPE_CORPUS") else {
        println!("skipped: SOCKSCOPE_CORPUS not set");
        return;
    };
    let (mut regular, mut troubled) = (0, 0);
    for capture in captures(&Path::new(&corpus).join("dev")) {
        let mut engine = Engine::new(Config::replay(1_000_000, 1));
        segments(&capture).into_iter().for_each(|segment| engine.feed(&Input::Segment(segment)));
        let now = engine.now().unwrap_or_default();
        for id in engine.flow_ids(&Filter::default()) {
            let (gist, outline) = (engine.gist(id).expect("a flow"), engine.outline(id).expect("a flow"));
            let later = trouble(&outline, now).is_some_and(|kind| LATER.contains(&kind));
            assert!(!(gist.is_regular && later), "{} of {}", id, capture.display());
            (regular, troubled) = (regular + u64::from(gist.is_regular), troubled + u64::from(later));
            assert_eq!(Gist { is_regular: false, ..gist }, Gist::from(&outline), "{}", capture.display());
        }
    }
    println!("{regular} regular flows, {troubled} with trouble after their handshakes");
    assert!(regular > 0 && troubled > 0, "nothing to hold it against");
}
