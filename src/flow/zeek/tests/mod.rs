//! Facts of Zeek's rules, each a trace with the rows that it must give: what triggers a rule, and the near miss.

use super::super::trace::Variation;
use super::trace::run;

/// Makes each `name: "trace"` a test, and `ALL` the list of them for the properties.
macro_rules! facts {
    ($($name:ident: $text:literal)*) => {
        pub(in crate::flow::zeek) const ALL: &[&str] = &[$($text),*];
        $(
            #[test]
            fn $name() {
                super::run($text, super::Variation::default());
            }
        )*
    };
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
fn every_state_has_a_meaning_of_its_own() {
    use super::ConnState::*;
    let all = [S0, S1, Sf, Rej, S2, S3, Rsto, Rstr, Rstos0, Rstrh, Sh, Shr, Oth];
    for (at, state) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other.name() != state.name() && other.meaning() != state.meaning()));
    }
}
