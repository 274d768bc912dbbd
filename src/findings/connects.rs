//! The rule: connections to a destination are refused (RST), rejected (ICMP) or not answered.
//!
//! Read first: tcp(7), connect(2) on ECONNREFUSED, EHOSTUNREACH and ETIMEDOUT; ip-sysctl on tcp_syn_retries and
//! tcp_abort_on_overflow.

use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;

use super::finding::{Confidence, Fact, Finding, Holder, Severity, Subject};
use super::scan::{self, ByAddress, Scans};
use super::way::Way;
use super::words::{count, counted, percent, watched};

/// One failure is a try, two may be one program's fallback from IPv6 to IPv4 and back; the third is a habit.
const FEW: u64 = 3;
/// Below this share of the attempts, in percent, most get through: then only [`MANY`] are worth a word.
const SHARE: u64 = 10;
const MANY: u64 = 100;
/// From here on the destination cannot be used: at least half of this many or more.
pub(super) const UNUSABLE: u64 = 10;

/// SYNs sent again after which a connect that still waits counts as not answered: three tries in vain, 7 s by RFC
/// 6298's timer (3 s by Linux's from 6.5 on).
pub const TRIED_IN_VAIN: u32 = 3;

/// What became of the connections to one destination, over some span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Connects {
    pub to: Endpoint,
    pub refused: Option<Failures>,
    pub rejected: Option<Failures>,
    /// Who sent the ICMP error, and which: `rejected by 10.0.0.1: host prohibited`.
    pub rejection: Option<String>,
    /// Those that are over; where none is yet, its count is 0 and it tells of those that wait.
    pub unanswered: Option<Failures>,
    /// Of those, the ones that their process let go of before the timer ran out.
    pub given_up: u64,
    /// How many still wait, after [`TRIED_IN_VAIN`] tries or more, whenever they began.
    pub waiting: u64,
    /// Attempts that completed in the same span.
    pub completed: u64,
    /// The span in which those that are over ended; `None` of the whole source.
    pub within: Option<Duration>,
    /// More of them ended in that span, or wait, than are remembered.
    pub at_least: bool,
    /// The same by the address that they came from.
    pub by: ByAddress,
    /// Who asks most, where that is known.
    pub who: Option<Holder>,
    /// A listener of this host there has an accept queue over its limit: that is why it does not answer.
    pub listener_is_full: bool,
    /// The capture lost segments meanwhile: an answer may be among them.
    pub lossy: bool,
}

/// Attempts that failed in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The first of them that is remembered.
    pub flow: FlowId,
}

impl Failures {
    /// Whether some of these and of the others were at the same time.
    fn overlap(&self, others: &Self) -> bool {
        self.first <= others.last && others.first <= self.last
    }

    /// These and `more`, which came later.
    #[must_use]
    pub fn and(before: Option<Self>, more: Self) -> Self {
        before.map_or(more, |all| Self {
            count: all.count + more.count,
            first: all.first.min(more.first),
            last: all.last.max(more.last),
            flow: all.flow,
        })
    }
}

impl Connects {
    /// Nothing yet.
    pub const fn to(to: Endpoint) -> Self {
        Self {
            to,
            refused: None,
            rejected: None,
            rejection: None,
            unanswered: None,
            given_up: 0,
            waiting: 0,
            completed: 0,
            within: None,
            at_least: false,
            by: ByAddress::new(),
            who: None,
            listener_is_full: false,
            lossy: false,
        }
    }

    /// Those that failed in one way.
    pub const fn failures(&self, way: Way) -> Option<Failures> {
        match way {
            Way::Refused => self.refused,
            Way::Rejected => self.rejected,
            Way::Unanswered => self.unanswered,
        }
    }

    /// The same, to be set.
    pub const fn failures_mut(&mut self, way: Way) -> &mut Option<Failures> {
        match way {
            Way::Refused => &mut self.refused,
            Way::Rejected => &mut self.rejected,
            Way::Unanswered => &mut self.unanswered,
        }
    }

    /// Whether any failed or waits in vain.
    pub fn has_failures(&self) -> bool {
        Way::ALL.into_iter().any(|way| self.failures(way).is_some())
    }

    /// Adds what became of others to the same destination, which came later.
    pub fn add(&mut self, later: Self) {
        for way in Way::ALL {
            let (own, more) = (self.failures_mut(way), later.failures(way));
            *own = more.map(|more| Failures::and(*own, more)).or(*own);
        }
        self.rejection = later.rejection.or(self.rejection.take());
        self.given_up += later.given_up;
        self.waiting += later.waiting;
        self.completed += later.completed;
        self.by.append(later.by);
    }

    /// Those that failed or wait in vain.
    pub(super) fn failed(&self) -> u64 {
        let failed = Way::ALL.into_iter().filter_map(|way| self.failures(way));
        self.waiting + failed.map(|failures| failures.count).sum::<u64>()
    }

    fn attempts(&self) -> u64 {
        self.completed + self.failed()
    }
}

/// What is wrong with destinations, and who scans.
pub fn connects(all: &[Connects]) -> Vec<Finding> {
    let Scans { findings, covered, acquitted } = scan::scans(all);
    let rest = all.iter().filter(|to| !covered.contains(&to.to));
    rest.flat_map(|to| failures(to, acquitted.contains(&to.to))).chain(findings).collect()
}

/// Each way in which connects to a destination fail by habit. Where none does, but all together do (a router sends ICMP
/// errors for some and is silent on others: icmp_ratelimit), the way of most tells of them. One of `many` that fail is
/// told however seldom.
fn failures(to: &Connects, many: bool) -> Vec<Finding> {
    let ways = |judged| {
        Way::ALL.into_iter().filter_map(move |way| {
            let failures = to.failures(way)?;
            Some((failures.count, failing(to, way, failures, judged)?))
        })
    };
    let each: Vec<Finding> = ways(None).map(|(_, finding)| finding).collect();
    if !each.is_empty() {
        return each;
    }
    let judged = if many { to.failed().max(FEW) } else { to.failed() };
    ways(Some(judged)).rev().max_by_key(|(count, _)| *count).map(|(_, finding)| finding).into_iter().collect()
}

const REJECTS: &str = "Look at the rules (nft list ruleset) and routes (ip route get ADDRESS) of who sent it.";
const DROPS: &str = "Look whether the host is up and whether a filter on the way drops SYNs; on that host, nstat -az \
                     TcpExtListenOverflows counts those that a full accept queue dropped.";

/// The finding of those that fail in one way; `None` if they, or the `judged` ones of every way, are too few.
fn failing(to: &Connects, way: Way, failures: Failures, judged: Option<u64>) -> Option<Finding> {
    // What waits in vain is about to be one of these.
    let waiting = if way == Way::Unanswered { to.waiting } else { 0 };
    let severity = severity(judged.unwrap_or(failures.count + waiting), to.attempts())?;
    let base = Finding { severity, ..base(to, way, failures, waiting) };
    match way {
        Way::Refused => Some(refused(to, failures, base)),
        Way::Rejected => Some(rejected(to, base)),
        // The same loss seen from its cause: the listener's finding tells it.
        Way::Unanswered if to.listener_is_full => None,
        Way::Unanswered => Some(unanswered(to, failures, base)),
    }
}

/// How bad it is that so many of the attempts failed; `None` if that is no habit.
fn severity(failed: u64, attempts: u64) -> Option<Severity> {
    match percent(failed, attempts) {
        50.. if failed >= UNUSABLE => Some(Severity::Critical),
        SHARE.. if failed >= FEW => Some(Severity::Warning),
        _ if failed >= MANY => Some(Severity::Info),
        _ => None,
    }
}

fn refused(to: &Connects, failures: Failures, base: Finding) -> Finding {
    let when = if failures.count == to.attempts() { "nothing listens" } else { "at times nothing listened" };
    Finding {
        confidence: Confidence::High,
        why: format!("A RST answered these SYNs: the host is up, and {when} on that port (or a filter answers so)."),
        remedy:
            "Start what should listen there, or correct the address or port; on that host, ss -ltnp shows who listens."
                .into(),
        ..base
    }
}

fn rejected(to: &Connects, base: Finding) -> Finding {
    let by = to.rejection.as_deref().unwrap_or("rejected by ICMP");
    Finding {
        confidence: Confidence::High,
        why: format!("An ICMP error quotes the very SYN ({by}): a filter or a router on the way says no."),
        remedy: REJECTS.into(),
        ..base
    }
}

fn unanswered(to: &Connects, failures: Failures, base: Finding) -> Finding {
    let mut evidence = base.evidence;
    evidence.push(Fact::count("given_up", to.given_up));
    evidence.push(Fact::count("still_waiting", to.waiting));
    let let_go = match to.given_up {
        0 => String::new(),
        all if all == failures.count => "; its process let go of each before TCP did".to_owned(),
        some => format!("; its process let go of {} before TCP did", count(some)),
    };
    let rejected = to.rejected.filter(|rejected| failures.overlap(rejected));
    let cause = match rejected {
        Some(rejected) => {
            let by = to.rejection.as_deref().unwrap_or("rejected by ICMP");
            let (others, were) = (count(rejected.count), if rejected.count == 1 { "was" } else { "were" });
            format!(
                "{others} more to the same end {were} {by} meanwhile, and who sends such errors sends only so many \
                 (icmp_ratelimit), so most likely these too met that filter or router"
            )
        }
        None => "the host is gone, a filter drops them, or its listener's accept queue is full".to_owned(),
    };
    let lossy = if to.lossy { "; but the capture lost segments, and the answers may be among them" } else { "" };
    Finding {
        confidence: if to.lossy { Confidence::Low } else { Confidence::Medium },
        why: format!("These SYNs were answered neither by SYN-ACK nor by RST{let_go}: {cause}{lossy}."),
        remedy: if rejected.is_some() { REJECTS } else { DROPS }.into(),
        evidence,
        ..base
    }
}

/// What failures of every way have in common, `waiting` more of which are about to be.
fn base(to: &Connects, way: Way, failures: Failures, waiting: u64) -> Finding {
    let mut evidence = vec![
        Fact::count("failed", failures.count),
        Fact::count("attempts", to.attempts()),
        Fact::time("failing_for_ns", failures.last.since(failures.first)),
    ];
    evidence.extend(to.within.map(|span| Fact::time("counted_over_ns", span)));
    Finding {
        kind: way.kind(),
        severity: Severity::Info,
        subject: Subject::Destination(to.to),
        since: failures.first,
        who: to.who.clone(),
        flow: Some(failures.flow),
        told: told(to, failures.count, waiting),
        evidence,
        confidence: Confidence::Medium,
        why: String::new(),
        remedy: String::new(),
    }
}

/// `all of 3 connects in 60 s, 1 more waits`: those that are over, of a span, and those that wait now, apart.
fn told(to: &Connects, failed: u64, waiting: u64) -> String {
    let over = to.attempts() - to.waiting;
    let least = if to.at_least { "at least " } else { "" };
    let all = if failed == over { "all".to_owned() } else { count(failed) };
    let span = in_span(to.within);
    let wait = if waiting == 1 { "waits" } else { "wait" };
    match (failed, waiting) {
        (_, 0) => format!("{least}{all} of {}{span}", counted(over, "connect")),
        (0, _) if over == 0 => format!("{least}{} {wait} in vain", counted(waiting, "connect")),
        (0, _) => {
            let others = counted(over, "other");
            let ended = if to.completed == over { "completed" } else { "ended" };
            format!("{least}{} {wait} in vain, {others} {ended}{span}", counted(waiting, "connect"))
        }
        _ => format!("{least}{all} of {}{span}, {} more {wait}", counted(over, "connect"), count(waiting)),
    }
}

/// ` in 60 s`; nothing of the whole source.
pub(super) fn in_span(within: Option<Duration>) -> String {
    within.map_or_else(String::new, |span| format!(" in {}", watched(span)))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, found};
    use super::super::{Kind, Value};
    use super::*;

    fn to(refused: u64, unanswered: u64, completed: u64) -> Connects {
        let failures = |count| (count > 0).then(|| Failures { count, first: at(1), last: at(9), flow: FlowId(7) });
        Connects {
            refused: failures(refused),
            unanswered: failures(unanswered),
            completed,
            ..Connects::to(end("10.0.0.8:80"))
        }
    }

    fn told(connects_to: Connects) -> Vec<(Kind, Severity, String)> {
        found(connects(&[connects_to]))
    }

    #[test]
    fn a_habit_is_found_and_a_try_is_not() {
        use Kind::{ConnectsRefused, ConnectsUnanswered};
        use Severity::{Critical, Info, Warning};
        for (case, expected) in [
            (to(2, 0, 0), vec![]),
            (to(3, 0, 0), vec![(ConnectsRefused, Warning, "all of 3 connects")]),
            (to(3, 0, 27), vec![(ConnectsRefused, Warning, "3 of 30 connects")]),
            (to(3, 0, 31), vec![]),
            (to(9, 0, 0), vec![(ConnectsRefused, Warning, "all of 9 connects")]),
            (to(10, 0, 10), vec![(ConnectsRefused, Critical, "10 of 20 connects")]),
            (to(10, 0, 11), vec![(ConnectsRefused, Warning, "10 of 21 connects")]),
            (to(99, 0, 9_000), vec![]),
            (to(100, 0, 9_900), vec![(ConnectsRefused, Info, "100 of 10,000 connects")]),
            (to(0, 2, 0), vec![]),
            (to(2, 3, 1), vec![(ConnectsUnanswered, Warning, "3 of 6 connects")]),
            (to(2, 1, 0), vec![(ConnectsRefused, Warning, "2 of 3 connects")]),
            (to(1, 2, 27), vec![(ConnectsUnanswered, Warning, "2 of 30 connects")]),
            (to(1, 2, 31), vec![]),
            (to(1, 1, 0), vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(kind, how, text)| (kind, how, text.to_owned())).collect();
            assert_eq!(told(case.clone()), expected, "{case:?}");
        }
    }

    #[test]
    fn what_an_icmp_error_explains_names_who_sent_it() {
        let failures = Some(Failures { count: 3, first: at(1), last: at(2), flow: FlowId(7) });
        let rejection = Some("rejected by 10.0.0.1: host prohibited".to_owned());
        let all = connects(&[Connects { rejected: failures, rejection, ..to(0, 0, 0) }]);
        assert_eq!((all.len(), all[0].kind, all[0].confidence), (1, Kind::ConnectsRejected, Confidence::High));
        assert!(all[0].why.contains("(rejected by 10.0.0.1: host prohibited)"), "{}", all[0].why);
    }

    #[test]
    fn what_icmp_left_unanswered_is_told_beside_what_it_answered() {
        let rejected = |first, last| Some(Failures { count: 4, first: at(first), last: at(last), flow: FlowId(7) });
        let rejection = Some("rejected by 10.0.0.1: host unreachable".to_owned());
        let why = |rejected| {
            let case = Connects { rejected, rejection: rejection.clone(), ..to(0, 5, 0) };
            let all = connects(&[case]);
            all.into_iter().find(|finding| finding.kind == Kind::ConnectsUnanswered).expect("unanswered").why
        };
        let words = "4 more to the same end were rejected by 10.0.0.1: host unreachable meanwhile";
        assert!(why(rejected(2, 8)).contains(words), "{}", why(rejected(2, 8)));
        for apart in [rejected(10, 12), None] {
            assert!(why(apart).contains("the host is gone, a filter drops them"), "{apart:?}");
        }
    }

    #[test]
    fn a_span_and_what_still_waits_are_told() {
        let within = Some(Duration::from_secs(60));
        for (failed, waiting, completed, expected) in [
            (3, 0, 1, "3 of 4 connects in 60 s"),
            (3, 0, 0, "all of 3 connects in 60 s"),
            (2, 1, 1, "2 of 3 connects in 60 s, 1 more waits"),
            (3, 2, 0, "all of 3 connects in 60 s, 2 more wait"),
            (0, 3, 0, "3 connects wait in vain"),
            (0, 3, 1, "3 connects wait in vain, 1 other completed in 60 s"),
            (0, 3, 6, "3 connects wait in vain, 6 others completed in 60 s"),
        ] {
            let mut case = Connects { within, waiting, ..to(0, failed, completed) };
            case.unanswered = Some(Failures { count: failed, first: at(1), last: at(9), flow: FlowId(7) });
            let all = connects(&[case.clone()]);
            assert_eq!(all[0].told, expected);
            let number = |name| all[0].evidence.iter().find(|fact| fact.name == name).map(|fact| fact.value.clone());
            for (name, value) in
                [("failed", failed), ("still_waiting", waiting), ("attempts", failed + waiting + completed)]
            {
                assert_eq!(number(name), Some(Value::Count(value)), "{name}");
            }
            let many = connects(&[Connects { at_least: true, ..case }]).remove(0).told;
            assert_eq!(many, format!("at least {expected}"));
        }
        let few = Connects { waiting: 1, ..to(0, 1, 0) };
        assert_eq!(told(few), vec![], "one that failed and one that waits are no habit");
    }

    #[test]
    fn who_let_go_is_told() {
        let why = |given_up| connects(&[Connects { given_up, ..to(0, 3, 0) }]).remove(0).why;
        assert!(!why(0).contains("let go"));
        assert!(why(2).contains("its process let go of 2 before TCP did"), "{}", why(2));
        assert!(why(3).contains("its process let go of each before TCP did"), "{}", why(3));
    }

    #[test]
    fn a_full_listener_and_a_lossy_capture_are_considered() {
        assert_eq!(told(Connects { listener_is_full: true, ..to(0, 30, 0) }), vec![], "the listener's finding says it");
        assert_eq!(told(Connects { listener_is_full: true, ..to(30, 0, 0) }).len(), 1, "a full queue refuses nothing");
        let all = connects(&[Connects { lossy: true, ..to(0, 30, 0) }]);
        assert_eq!(all[0].confidence, Confidence::Low);
    }
}
