//! Cases of the flow room, each a trace with what must be told (see `trace` for how they are written).

use super::trace::{Variation, cases, run};

fn case(text: &str) {
    run(text, Variation::default());
}

pub(super) mod belief;
pub(super) mod closes;
pub(super) mod handshakes;
pub(super) mod numbers;

/// A table of a million flows should stay near 230 MB.
#[test]
fn a_flow_is_small() {
    assert!(size_of::<super::Flow>() <= 232, "{}", size_of::<super::Flow>());
    assert!(!std::mem::needs_drop::<super::Flow>(), "it holds no memory of its own");
}
