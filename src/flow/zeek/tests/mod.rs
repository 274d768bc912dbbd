//! Facts of Zeek's rules, each a trace with the rows that it must give: what triggers a rule, and the near miss.

use super::super::trace::{Variation, cases};
use super::trace::run;

fn case(text: &str) {
    run(text, Variation::default());
}

pub(super) mod holes;
pub(super) mod letters;
pub(super) mod originator;
pub(super) mod rows;
pub(super) mod states;

/// It stands in every record of the flow table.
#[test]
fn it_is_small() {
    assert!(size_of::<super::Zeek>() <= 192, "{}", size_of::<super::Zeek>());
}

#[test]
fn rows_are_bounded_and_those_beyond_are_counted() {
    let retries: String = (0..70).map(|n| format!("{} > S 100\n", n * 5)).collect();
    let told = "row S0 S unanswered\n".repeat(super::ROWS - 1) + "row S0 S -";
    let zeek = run(&(retries + &told), Variation::default());
    let view = zeek.rows(crate::base::Timestamp::MIN);
    assert_eq!((view.rows.len(), view.beyond, view.count()), (64, 6, 70));
}

#[test]
fn holes_beyond_the_bound_are_lost_and_nothing_else() {
    let handshake = "0 > S 100\n0.1 < S. 300 ack 101\n";
    let holes: String = (0..100).map(|n| format!("1 > P. {} ack 301 len 10\n", 111 + 20 * n)).collect();
    let ack = "2 < . 301 ack 2101\nrow S1 ShDaGG - missed 320 bytes 2000 0";
    run(&format!("{handshake}{holes}{ack}"), Variation::default());
}

#[test]
fn the_row_told_is_the_first_that_was_established() {
    let text = "0 > S 100\n6 > S 100\n6.1 < S. 300 ack 101\n7 > S 900\n7.1 < S. 800 ack 901\n
                row S0 S unanswered\nrow S1 Sh reused\nrow S1 Sh -";
    let view = run(text, Variation::default()).rows(crate::base::Timestamp::MIN);
    assert_eq!(view.chosen(), view.rows.get(1));
    let lone = run("0 > S 100\n6 > S 100\nrow S0 S unanswered\nrow S0 S -", Variation::default());
    let view = lone.rows(crate::base::Timestamp::MIN);
    assert_eq!(view.chosen(), view.rows.first());
}

/// Not among the facts that may be shifted: it is about the number 0 itself.
#[test]
fn an_ack_of_zero_far_ahead_is_not_believed() {
    let handshake = "0 > S 4290000000\n0.1 < S. 300 ack 4290000001\n";
    run(&format!("{handshake}0.2 < . 301 ack 0\nrow S1 ShaG - bytes 0 0"), Variation::default());
    run(&format!("{handshake}0.2 < . 301 ack 1\nrow S1 ShaG - bytes 4967296 0"), Variation::default());
}

#[test]
fn every_state_has_a_meaning_of_its_own() {
    use super::ConnState::*;
    let all = [S0, S1, Sf, Rej, S2, S3, Rsto, Rstr, Rstos0, Rstrh, Sh, Shr, Oth];
    for (at, state) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other.name() != state.name() && other.meaning() != state.meaning()));
    }
}
