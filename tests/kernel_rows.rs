//! Every row and every holder of a few hundred sockets in every state, beside what made them, `ss`, `lsof` and procfs.
//!
//! May touch network namespaces that it makes itself, and child processes. Needs root; says so where it is not.
#![cfg(feature = "live")]

use std::collections::BTreeSet;

use sockscope::base::TcpState;
use sockscope::io::{Sampler, Sockets};
use sockscope::kernel::TableSource;

#[path = "support/beside.rs"]
mod beside;
#[path = "support/every_state.rs"]
mod every_state;
#[path = "support/netns.rs"]
mod netns;
#[path = "support/readings.rs"]
mod readings;
#[path = "support/sockets.rs"]
mod sockets;
#[path = "support/tools.rs"]
mod tools;

use every_state::EveryState;
use netns::{Pair, alone};
use readings::sample;

#[test]
fn every_row_is_what_was_made_and_what_the_tools_say() {
    let Some(_alone) = alone() else { return };
    let pair = Pair::new("every");
    let all = EveryState::new(&pair);
    all.await_rest(&pair);
    let states: BTreeSet<&str> = all.made.iter().flatten().map(|made| made.state.name()).collect();
    assert_eq!(states.len(), 11, "all of RFC 9293, and bound (CLOSED): {states:?}");
    assert!(all.made.iter().all(|made| made.len() > 200));
    for (side, netns, made) in [("client", &pair.a, &all.made[0]), ("server", &pair.b, &all.made[1])] {
        for (choice, source) in [(Sockets::Diag, TableSource::Diag), (Sockets::Proc, TableSource::Proc)] {
            let sample = netns.run(|| sample(&mut Sampler::new(choice).unwrap()));
            assert_eq!(sample.source, source);
            // /proc has no sockets that are only bound.
            let told = made.iter().filter(|made| choice == Sockets::Diag || made.state != TcpState::Closed);
            let differ: Vec<String> = told.clone().filter_map(|made| made.differs_in(&sample)).collect();
            assert!(differ.is_empty(), "{side} by {choice:?}: {}", differ.join("\n"));
            assert_eq!(sample.sockets.len(), told.count(), "{side} by {choice:?}");
        }
        beside::compare_with_procfs(side, netns);
        if tools::has("ss") {
            beside::compare_with_ss(side, netns);
        }
        if tools::has("lsof") {
            beside::compare_with_lsof(side, netns);
        }
    }
}
