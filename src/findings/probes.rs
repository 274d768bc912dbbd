//! The words for keepalive probes that go unanswered: the rule is that of `silent`.
//!
//! Read first: tcp(7) on TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT; ip-sysctl on tcp_keepalive_time.

use std::time::Duration;

use crate::base::Timestamp;

use super::silent::{Silent, look, until_next};
use super::words::{counted, time};

/// `4 keepalive probes unanswered, every 75 s`; `tried in vain` where its kernel alone tells of them.
pub(super) fn told(silent: &Silent, every: Option<Duration>) -> String {
    let every = every.map_or_else(String::new, |every| format!(", every {}", time(every)));
    let what = match (silent.is_unsent(), silent.is_shown()) {
        (true, _) => "tried, none on the wire",
        (false, true) => "unanswered",
        (false, false) => "tried in vain",
    };
    format!("{} {what}{every}", counted(silent.tries().into(), "keepalive probe"))
}

/// What shows it, and what may be its `cause`.
pub(super) fn why(silent: &Silent, cause: &str, now: Timestamp) -> String {
    let seen = seen(silent, now);
    if silent.is_unsent() {
        return format!(
            "{seen}. The capture, which shows this connection, shows none of its probes: they fail on this host itself (no \
             route to the peer, a filter, an interface that is down), or leave another way."
        );
    }
    format!("{seen}: {cause}.")
}

fn seen(silent: &Silent, now: Timestamp) -> String {
    let Some(kernel) = silent.kernel else {
        return "A connection at rest is probed (keep-alive), and nothing came from the peer since (inferred from the \
                wire)"
            .into();
    };
    let next = until_next(kernel.next, now);
    let heard = match (kernel.unheard, silent.wire) {
        (Some(unheard), Some(_)) => {
            format!("; nothing has come from the peer for {}, and the wire shows nothing either", time(unheard))
        }
        (Some(unheard), None) => format!("; nothing has come from the peer for {}", time(unheard)),
        (None, _) => String::new(),
    };
    format!("The connection is at rest, and its kernel asks whether the peer is there (timer keepalive{next}){heard}")
}

/// What helps.
pub(super) fn remedy(silent: &Silent) -> String {
    let look = look(silent, "");
    format!(
        "{look}. What forgets connections at rest is outlived by a TCP_KEEPIDLE shorter than its time-out. TCP_KEEPCNT \
         and TCP_KEEPINTVL (net.ipv4.tcp_keepalive_probes, tcp_keepalive_intvl) bound the wait, and a \
         TCP_USER_TIMEOUT in the place of the former."
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Confidence, Finding, Severity};
    use super::super::fixture::{at, end, holder};
    use super::super::silent::{Backoff, Sent, Silences, silent};
    use super::*;
    use crate::flow::FlowId;
    use std::collections::BTreeSet;

    fn case(probes: u8, every: Option<u64>, gives_up: Option<i64>) -> Silent {
        Silent {
            flow: FlowId(3),
            local: end("10.0.0.2:40112"),
            peer: end("10.0.0.9:5432"),
            sent: Sent::Probes { every: every.map(Duration::from_secs) },
            since: at(-125),
            wire: None,
            kernel: Some(Backoff {
                retries: probes,
                unheard: Some(Duration::from_secs(7_425)),
                next: Some(at(135)),
                gives_up: gives_up.map(at),
                unsent: false,
            }),
            never_as_long: None,
            elsewhere: None,
            arrives: false,
            who: Some(holder(77, "app", Some(5))),
        }
    }

    fn found(all: &[Silent]) -> Vec<Finding> {
        silent(&Silences { all: all.to_vec(), more: false }, &BTreeSet::new(), false, at(100))
    }

    #[test]
    fn probes_in_vain_are_found_and_two_are_not() {
        for (case, expected) in [
            (case(2, Some(75), None), None),
            (case(3, Some(75), None), Some("3 keepalive probes tried in vain, every 75 s")),
            (case(3, None, None), Some("3 keepalive probes tried in vain")),
            (
                case(4, Some(75), Some(135 + 375)),
                Some("4 keepalive probes tried in vain, every 75 s, default give-up in 6 min"),
            ),
            (Silent { since: at(96), ..case(3, Some(1), None) }, None),
        ] {
            let found = found(std::slice::from_ref(&case));
            let told: Vec<_> = found.iter().map(|finding| finding.told.as_str()).collect();
            assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{case:?}");
            // However long: nobody has to wait for it.
            assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{case:?}");
        }
    }

    #[test]
    fn who_says_so_is_told() {
        let by_wire = Silent { wire: Some(3), kernel: None, who: None, ..case(0, Some(75), None) };
        let both = Silent { wire: Some(4), ..case(4, Some(75), None) };
        let mut unsent = case(4, Some(75), None);
        unsent.kernel = unsent.kernel.map(|kernel| Backoff { unsent: true, ..kernel });
        let [kernel, wire, both, unsent] =
            [case(4, Some(75), None), by_wire, both, unsent].map(|case| found(&[case]).remove(0));
        assert_eq!((kernel.confidence, wire.confidence), (Confidence::Medium, Confidence::Medium));
        assert_eq!((both.confidence, unsent.confidence), (Confidence::High, Confidence::Medium));
        assert!(kernel.why.contains("this host's own routes or rules") && kernel.remedy.contains("ip rule"));
        assert!(!both.why.contains("routes or rules") && !both.remedy.contains("ip rule"), "{}", both.why);
        assert_eq!(unsent.told, "4 keepalive probes tried, none on the wire, every 75 s");
        assert!(kernel.why.contains("the next in 35 s); nothing has come from the peer for 2 h: "), "{}", kernel.why);
        assert!(wire.why.contains("(inferred from the wire): "), "{}", wire.why);
        assert!(
            kernel.remedy.contains("TCP_KEEPIDLE") && kernel.remedy.contains("mtr -T -P 5432"),
            "{}",
            kernel.remedy
        );
    }

    #[test]
    fn data_that_waits_on_the_same_path_is_told_for_itself() {
        let data = Silent { flow: FlowId(4), sent: Sent::Data, since: at(80), ..case(5, None, Some(900)) };
        let found = found(&[case(4, Some(75), Some(135 + 375)), data.clone(), data]);
        let told: Vec<_> = found.iter().map(|finding| (finding.told.as_str(), finding.flow)).collect();
        let lines = [
            (
                "2 connections, nothing back for 20 s, tried again 5 times, the first default give-up in \
                 13 min",
                Some(FlowId(4)),
            ),
            ("4 keepalive probes tried in vain, every 75 s, default give-up in 6 min", Some(FlowId(3))),
        ];
        assert_eq!(told, lines);
        assert!(found.iter().all(|finding| finding.severity == Severity::Warning));
    }
}
