//! The rule: a listener's accept queue is over its limit, so that the kernel drops what comes.
//!
//! Read first: listen(2), net/ipv4/tcp_ipv4.c (`tcp_conn_request`, `sk_acceptq_is_full`: full is more than the limit),
//! ip-sysctl on tcp_abort_on_overflow, nstat(8) on TcpExtListenOverflows.

use std::collections::BTreeMap;

use crate::base::{Endpoint, Timestamp};

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Run, Severity, Subject};
use super::words::{count, time};

/// The listeners of a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AcceptQueues {
    pub listeners: Vec<AcceptQueue>,
    /// By how much TcpExt.ListenOverflows has grown since some reading, and in which run; for all listeners together.
    pub overflows: u64,
    pub counted_since: Timestamp,
    pub overflowing: Option<Run>,
    /// net.core.somaxconn.
    pub somaxconn: Option<u32>,
}

/// One listener's accept queue.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptQueue {
    pub local: Endpoint,
    pub waiting: u32,
    pub limit: Option<u32>,
    /// When readings have found it over its limit.
    pub over: Option<Run>,
    pub who: Option<Holder>,
}

impl AcceptQueue {
    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.waiting > limit)
    }
}

/// Whose accept queue overflows.
pub(super) fn overflows(all: &AcceptQueues, now: Timestamp) -> Vec<Finding> {
    let counted = all.overflowing.filter(|run| run.lasts(now));
    let over =
        |queue: &&AcceptQueue| queue.over.is_some_and(|run| run.lasts(now)) && (queue.is_over() || counted.is_some());
    // Several sockets may listen at one place (SO_REUSEPORT), each with a queue of its own.
    let mut places: BTreeMap<Endpoint, Vec<&AcceptQueue>> = BTreeMap::new();
    for queue in all.listeners.iter().filter(over) {
        places.entry(queue.local).or_default().push(queue);
    }
    let dropped = counted.map(|_| Dropped { count: all.overflows, since: all.counted_since, alone: places.len() == 1 });
    let mut found: Vec<Finding> =
        places.values().filter_map(|queues| overflow(queues, all.somaxconn, dropped, now)).collect();
    if let Some(run) = counted.filter(|_| found.is_empty()) {
        found.push(unnamed(all, run, now));
    }
    found
}

/// What the kernel counted of late.
#[derive(Debug, Clone, Copy)]
struct Dropped {
    count: u64,
    since: Timestamp,
    /// Only one listener is over its limit, so it is its count.
    alone: bool,
}

impl Dropped {
    fn told(self, now: Timestamp) -> String {
        let all = if self.alone { "" } else { " at all of them" };
        format!("{} dropped{all} in {}", count(self.count), time(now.since(self.since)))
    }
}

/// `queues` listen at one place.
fn overflow(
    queues: &[&AcceptQueue],
    somaxconn: Option<u32>,
    dropped: Option<Dropped>,
    now: Timestamp,
) -> Option<Finding> {
    let queue = queues.iter().max_by_key(|queue| queue.waiting.saturating_sub(queue.limit.unwrap_or(0)))?;
    let (limit, since) = (queue.limit?, queues.iter().filter_map(|queue| queue.over).map(|run| run.since).min()?);
    let mut evidence = vec![
        Fact::count("queues", queues.len() as u64),
        Fact::count("waiting", queue.waiting.into()),
        Fact::count("limit", limit.into()),
    ];
    if let Some(dropped) = dropped {
        evidence.push(Fact::count("listen_overflows", dropped.count));
        evidence.push(Fact::time("counted_over_ns", now.since(dropped.since)));
    }
    Some(Finding {
        kind: Kind::AcceptOverflow,
        severity: if queue.is_over() && dropped.is_some() { Severity::Critical } else { Severity::Warning },
        subject: Subject::Listener(queue.local),
        since,
        who: queue.who.clone(),
        flow: None,
        told: told(queues, queue, dropped, now)?,
        evidence,
        confidence: Confidence::High,
        why: WHY.into(),
        remedy: remedy(limit, somaxconn),
    })
}

/// `6 wait, limit 5, 31 dropped in 39 s`; of a queue that is over its limit no more since when that is so.
fn told(queues: &[&AcceptQueue], fullest: &AcceptQueue, dropped: Option<Dropped>, now: Timestamp) -> Option<String> {
    let limit = count(fullest.limit?.into());
    let over = || queues.iter().filter_map(|queue| queue.over);
    let of = if queues.len() > 1 { format!(" (the fullest of {})", queues.len()) } else { String::new() };
    let waits = if fullest.is_over() {
        format!("{} wait, limit {limit}{of}", count(fullest.waiting.into()))
    } else {
        let last = over().map(|run| run.last).max()?;
        format!("over limit {limit} until {} ago{of}", time(now.since(last)))
    };
    Some(match dropped {
        Some(dropped) => format!("{waits}, {}", dropped.told(now)),
        None => format!("{waits} for {}", time(now.since(over().map(|run| run.since).min()?))),
    })
}

/// The counter grew, and no reading found a queue over its limit, or none tells limits (/proc).
fn unnamed(all: &AcceptQueues, run: Run, now: Timestamp) -> Finding {
    Finding {
        kind: Kind::AcceptOverflow,
        severity: Severity::Warning,
        subject: Subject::Host,
        since: run.since,
        who: None,
        flow: None,
        told: format!("{} dropped at some listener in {}", count(all.overflows), time(now.since(all.counted_since))),
        evidence: vec![
            Fact::count("listen_overflows", all.overflows),
            Fact::time("counted_over_ns", now.since(all.counted_since)),
        ],
        confidence: Confidence::Medium,
        why: format!("TcpExt.ListenOverflows grew; which listener's queue it was no reading showed. {WHY}"),
        remedy: "Watch ss -ltn: a listener with Recv-Q above Send-Q overflows. Accept faster, or raise listen()'s \
                 backlog and net.core.somaxconn."
            .into(),
    }
}

const WHY: &str = "The process accepts more slowly than connections come. Nothing is refused: the SYN or the last ACK is \
                   dropped, the client tries again or believes itself connected, and each try is counted again.";

fn remedy(limit: u32, somaxconn: Option<u32>) -> String {
    let raise = match somaxconn {
        Some(most) if limit >= most => {
            format!("net.core.somaxconn, which caps it now ({}), then listen()'s backlog", count(most.into()))
        }
        Some(most) => format!("listen()'s backlog (net.core.somaxconn allows {})", count(most.into())),
        None => "listen()'s backlog (net.core.somaxconn caps it)".to_owned(),
    };
    format!(
        "Call accept() more often (more workers, no slow work between two accept()s). If only bursts fill the queue, \
         raise {raise}."
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    fn queues(waiting: u32, over: Option<(i64, i64)>, overflowing: Option<(i64, i64)>) -> AcceptQueues {
        let run = |(since, last)| Run { since: at(since), last: at(last) };
        let queue = AcceptQueue {
            local: end("0.0.0.0:8080"),
            waiting,
            limit: Some(5),
            over: over.map(run),
            who: Some(holder(99, "app", Some(3))),
        };
        let overflows = if overflowing.is_some() { 31 } else { 0 };
        let counted_since = at(overflowing.map_or(0, |(since, _)| since));
        AcceptQueues {
            listeners: vec![queue],
            overflows,
            counted_since,
            overflowing: overflowing.map(run),
            somaxconn: Some(4096),
        }
    }

    #[test]
    fn a_queue_over_its_limit_is_found_and_a_full_one_is_not() {
        use Severity::{Critical, Warning};
        for (case, expected) in [
            (queues(5, None, None), vec![]),
            (queues(6, Some((60, 99)), Some((61, 99))), vec![(Critical, "6 wait, limit 5, 31 dropped in 39 s")]),
            (queues(6, Some((99, 99)), None), vec![(Warning, "6 wait, limit 5 for 1 s")]),
            (queues(2, Some((60, 70)), None), vec![]),
            (
                queues(2, Some((60, 70)), Some((61, 69))),
                vec![(Warning, "over limit 5 until 30 s ago, 31 dropped in 39 s")],
            ),
            (queues(2, Some((10, 40)), Some((11, 40))), vec![]),
            (queues(2, None, Some((80, 90))), vec![(Warning, "31 dropped at some listener in 20 s")]),
        ] {
            let all = found(overflows(&case, at(100)));
            let all: Vec<_> = all.iter().map(|(_, severity, told)| (*severity, told.as_str())).collect();
            assert_eq!(all, expected, "{case:?}");
        }
    }

    #[test]
    fn queues_at_one_place_are_one_finding() {
        let mut case = queues(6, Some((60, 99)), Some((61, 99)));
        let other =
            AcceptQueue { waiting: 9, over: Some(Run { since: at(70), last: at(99) }), ..case.listeners[0].clone() };
        case.listeners.push(other);
        let told =
            |case: &AcceptQueues| overflows(case, at(100)).into_iter().map(|found| found.told).collect::<Vec<_>>();
        assert_eq!(told(&case), ["9 wait, limit 5 (the fullest of 2), 31 dropped in 39 s"]);
        case.listeners[1].local = end("0.0.0.0:8081");
        assert_eq!(
            told(&case),
            [
                "6 wait, limit 5, 31 dropped at all of them in 39 s",
                "9 wait, limit 5, 31 dropped at all of them in 39 s"
            ]
        );
    }

    #[test]
    fn what_caps_the_queue_is_named() {
        let remedy = |somaxconn| {
            let case = AcceptQueues { somaxconn, ..queues(6, Some((60, 99)), None) };
            overflows(&case, at(100)).remove(0).remedy
        };
        assert!(remedy(Some(4096)).contains("raise listen()'s backlog (net.core.somaxconn allows 4,096)."));
        assert!(remedy(Some(5)).contains("raise net.core.somaxconn, which caps it now (5), then listen()'s backlog."));
        assert!(remedy(None).contains("raise listen()'s backlog (net.core.somaxconn caps it)."));
    }
}
