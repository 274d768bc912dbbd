//! Evidence → a diagnosis with its reason and its remedy. One file a rule.
//!
//! A rule is a pure function of evidence that the engine keeps anyway: it knows no flow table, no clock and no
//! terminal. May touch `base`, `flow` and `kernel`. Its thresholds stand at its top (what two share, in `waiting`), each
//! with its reason; below them it is silent. Read first: [`Finding`], [`diagnose`]. A new rule is a file here, a
//! [`Kind`], a field of [`Evidence`] and a line in [`diagnose`].

mod accept;
mod askers;
mod capture_loss;
mod close_wait;
mod connects;
mod finding;
mod flood_words;
mod key;
mod not_reading;
mod path;
mod ports;
mod probes;
mod scan;
mod silent;
mod syn_flood;
mod waiting;
mod way;
mod words;

#[cfg(test)]
pub(crate) mod fixture;

use crate::base::Timestamp;

pub use accept::{AcceptQueue, AcceptQueues};
pub use askers::Askers;
pub use capture_loss::Losing;
pub use close_wait::{
    CloseWait, FEW as CLOSE_WAIT_FEW, PATIENCE as CLOSE_WAIT_PATIENCE, WATCHED as CLOSE_WAIT_WATCHED,
};
pub use connects::{Connects, Failures, TRIED_IN_VAIN, connects};
pub use finding::{Confidence, Fact, Finding, Holder, Kind, Run, Severity, Subject, Value};
pub use key::{About, FindingKey};
pub use not_reading::{Seen, Unread};
pub use path::{Hindered, Hindrance, PathWord, Undelivered};
pub use ports::{Outlook, Route};
pub use scan::{ByAddress, Tries, suspects};
pub use silent::{Backoff, Sent, Silences, Silent, TRIES as SENT_IN_VAIN, has_waited};
pub use syn_flood::{
    COUNTED as SYN_FLOOD_COUNTED, Crowding, Grown, Open, PATIENCE as SYN_FLOOD_PATIENCE, Pile, Piles, Senders,
    without_flooded,
};
pub use way::Way;

/// What the rules look at, as it stands at one instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    pub now: Timestamp,
    pub connects: Vec<Connects>,
    pub unread: Vec<Unread>,
    pub silent: Silences,
    pub undelivered: Hindered,
    pub close_wait: Vec<CloseWait>,
    pub piles: Piles,
    pub accept: AcceptQueues,
    pub routes: Vec<Route>,
    pub losing: Option<Losing>,
}

/// What every rule finds, the worst first.
pub fn diagnose(evidence: &Evidence) -> Vec<Finding> {
    let now = evidence.now;
    let lossy = evidence.losing.as_ref().is_some_and(|losing| losing.run.lasts(now));
    let mut all = syn_flood::floods(&evidence.piles, lossy, now);
    // What is told from its cause is not told of those that connect.
    let connects = without_flooded(connects::connects(&evidence.connects), &all);
    all.extend(connects);
    let leaks = close_wait::leaks(&evidence.close_wait, now);
    let leaking = leaks.iter().map(|leak| leak.subject.clone()).collect();
    all.extend(not_reading::not_reading(&evidence.unread, &leaking, now));
    all.extend(leaks);
    all.extend(path::undelivered(&evidence.undelivered, lossy, now));
    // Where somebody says why, it is told with that.
    all.extend(silent::silent(&evidence.silent, &path::told_of(&evidence.undelivered.all, now), lossy, now));
    all.extend(accept::overflows(&evidence.accept, now));
    all.extend(ports::run_out(&evidence.routes, now));
    all.extend(capture_loss::losing(evidence.losing.as_ref(), now));
    sort(&mut all);
    all
}

/// Puts findings in the order in which they are told: the worst first, of these the oldest; ties by what they are
/// about.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_first_and_each_says_why_and_what_to_do() {
        let mut all = fixture::incident(fixture::at(1_000));
        all.extend([fixture::scan(fixture::at(1_000)), fixture::flood(fixture::at(1_000))]);
        sort(&mut all);
        assert!(all.is_sorted_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.since)));
        let kinds: std::collections::BTreeSet<Kind> = all.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds.len() + 1, Kind::ALL.len(), "every kind but one: {kinds:?}");
        for finding in &all {
            assert!(!finding.evidence.is_empty() && !finding.told.is_empty(), "{finding:?}");
            for text in [&finding.why, &finding.remedy] {
                let whole = text.ends_with('.') && text.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
                assert!(whole && !text.contains("  "), "{:?}: {text}", finding.kind);
            }
        }
        let same: std::collections::HashSet<_> = all.iter().map(Finding::key).collect();
        assert_eq!(same.len(), all.len(), "a kind and a subject are one finding");
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        assert_eq!(diagnose(&Evidence::default()), []);
    }
}
