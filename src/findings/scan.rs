//! The rule: one address tries many ports of a host, or one port of many hosts, and as many fail as answer, or more.
//!
//! Each of its destinations fails once or twice, which is no habit of any of them; together they are one. What a scan
//! tells is not told of its destinations besides. Read first: RFC 9293 §3.10.7.1 (a closed port answers with RST).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;
use crate::kernel::Process;

use super::askers::{Askers, asker};
use super::connects::{Connects, UNUSABLE, in_span};
use super::finding::{Confidence, Fact, Finding, Holder, Kind, Severity, Subject};
use super::way::Way;
use super::words::{count, counted, time};

/// Ports of one host, and hosts with one port, that are tried in vain: Zeek's thresholds (policy/misc/scan). A client
/// that goes through the replicas or the usual ports of a service tries fewer.
const PORTS: usize = 15;
const HOSTS: usize = 25;
/// Who comes back after so long uses what is there, or checks whether it is (a load balancer its backends, each 30 s):
/// most scans try a place again at once, if at all. But to as many places as [`CHECKED`] at most, and of them not to
/// many ports of a host that answers on none: who comes back to those has run his scan again.
const REGULAR: Duration = Duration::from_secs(20);
const CHECKED: usize = 30;
/// Where more addresses than these try one destination, it is none that a scan alone finds.
const ADDRESSES: usize = 16;

/// What became of connects to one destination, by the address that they came from: of as many as [`ADDRESSES`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByAddress {
    tries: Vec<Tries>,
    many: bool,
}

/// What became of one address' connects to a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Tries {
    pub from: IpAddr,
    /// In each [`Way`]; unanswered are also those that still wait in vain.
    failed: [u64; Way::ALL.len()],
    /// A SYN-ACK came.
    answered: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// When the latest of them was begun; and the first of all, those included that are not counted any more.
    latest: Timestamp,
    ever: Timestamp,
    /// The first of them that is remembered.
    pub flow: FlowId,
    /// The process of all of them; `None` where that of one is not known, or is another.
    pub who: Option<Arc<Process>>,
}

impl Tries {
    /// None yet; `flow` is the first.
    pub const fn of(from: IpAddr, first: Timestamp, last: Timestamp, flow: FlowId, who: Option<Arc<Process>>) -> Self {
        let (latest, ever) = (first, first);
        Self { from, failed: [0; Way::ALL.len()], answered: 0, first, last, latest, ever, flow, who }
    }

    /// And one that failed.
    #[must_use]
    pub const fn and_failed(mut self, way: Way) -> Self {
        self.failed[way as usize] += 1;
        self
    }

    /// And one that was answered.
    #[must_use]
    pub const fn and_answered(mut self) -> Self {
        self.answered += 1;
        self
    }

    fn failed(&self) -> u64 {
        self.failed.iter().sum()
    }

    /// They failed, and too seldom for the destination to be told of for itself.
    fn is_of_scan(&self) -> bool {
        self.failed() > 0 && self.answered == 0 && !self.is_many()
    }

    fn is_many(&self) -> bool {
        self.failed() + self.answered >= UNUSABLE
    }

    /// They are tried again as by a client, or by a health check.
    fn comes_back(&self) -> bool {
        self.latest.since(self.ever) >= REGULAR
    }

    /// They go on as those of a client.
    fn is_regular(&self) -> bool {
        self.is_many() || self.comes_back()
    }

    fn add(&mut self, more: &Self) {
        self.failed.iter_mut().zip(more.failed).for_each(|(own, more)| *own += more);
        self.answered += more.answered;
        self.first = self.first.min(more.first);
        self.last = self.last.max(more.last);
        (self.latest, self.ever) = (self.latest.max(more.latest), self.ever.min(more.ever));
        self.who = self.who.take().filter(|who| more.who.as_deref().is_some_and(|more| asker(who) == asker(more)));
    }
}

impl ByAddress {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { tries: Vec::new(), many: false }
    }

    /// Adds tries that came later than those before.
    pub fn note(&mut self, more: Tries) {
        let known = self.tries.iter().position(|tries| tries.from == more.from);
        match known {
            _ if self.many => {}
            Some(place) => self.tries[place].add(&more),
            None if self.tries.len() < ADDRESSES => {
                // Most destinations are tried from one address, and a scan tries many.
                if self.tries.is_empty() {
                    self.tries.reserve_exact(1);
                }
                self.tries.push(more);
            }
            None => (self.many, self.tries) = (true, Vec::new()),
        }
    }

    /// Notes that `from` had tried before, at `at`: too long ago to count.
    pub fn note_before(&mut self, from: IpAddr, at: Timestamp) {
        if let Some(tries) = self.tries.iter_mut().find(|tries| tries.from == from) {
            tries.ever = tries.ever.min(at);
        }
    }

    /// Adds what was noted later.
    pub fn append(&mut self, later: Self) {
        later.tries.into_iter().for_each(|tries| self.note(tries));
        if later.many {
            (self.many, self.tries) = (true, Vec::new());
        }
    }
}

/// Addresses that failed often enough to be looked at: of them it is to be told too where they were answered (of all
/// that were, a destination that many use would be [`ADDRESSES`] and more).
pub fn suspects<'a>(all: impl IntoIterator<Item = &'a Connects>) -> BTreeSet<IpAddr> {
    let mut failed: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for tries in all.into_iter().flat_map(|to| &to.by.tries).filter(|tries| tries.is_of_scan()) {
        *failed.entry(tries.from).or_default() += 1;
    }
    failed.into_iter().filter(|(_, failed)| *failed >= PORTS.min(HOSTS)).map(|(from, _)| from).collect()
}

/// What was tried together: ports of a host, or hosts with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Along {
    Host(IpAddr),
    Port(u16),
}

impl Along {
    fn both(to: Endpoint) -> [Self; 2] {
        [Self::Host(to.ip()), Self::Port(to.port())]
    }

    /// How many places along it that fail are a scan.
    const fn least(self) -> usize {
        match self {
            Self::Host(_) => PORTS,
            Self::Port(_) => HOSTS,
        }
    }
}

/// How many of the places along it failed, of those how many were tried again later, and how many answered.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    failed: usize,
    again: usize,
    answered: usize,
}

impl Row {
    /// What failed and was tried again is a client's, or a health check's.
    const fn acquits(self, along: Along) -> bool {
        let searched = matches!(along, Along::Host(_)) && self.failed >= PORTS && self.answered == 0;
        !searched && self.again <= CHECKED
    }

    const fn is_scan(self, along: Along) -> bool {
        let failed = if self.acquits(along) { self.failed - self.again } else { self.failed };
        failed >= along.least() && failed >= self.answered
    }
}

/// What is told of connects to many places.
pub(super) struct Scans {
    pub(super) findings: Vec<Finding>,
    /// The destinations of which they tell all.
    pub(super) covered: BTreeSet<Endpoint>,
    /// Those that would be of a scan if nobody came back to them.
    pub(super) acquitted: BTreeSet<Endpoint>,
}

/// The scans among these connects.
pub(super) fn scans(all: &[Connects]) -> Scans {
    let suspects = suspects(all);
    let tried = || all.iter().flat_map(|to| to.by.tries.iter().map(move |tries| (to, tries)));
    let tried = || tried().filter(|(_, tries)| suspects.contains(&tries.from));
    let mut rows: BTreeMap<(IpAddr, Along), Row> = BTreeMap::new();
    for (to, tries) in tried() {
        for along in Along::both(to.to) {
            let row = rows.entry((tries.from, along)).or_default();
            row.failed += usize::from(tries.is_of_scan());
            row.again += usize::from(tries.is_of_scan() && tries.comes_back());
            row.answered += usize::from(tries.answered > 0);
        }
    }
    let mut scans: BTreeMap<IpAddr, Scan> = BTreeMap::new();
    let mut told: BTreeMap<Endpoint, u64> = BTreeMap::new();
    let mut acquitted = BTreeSet::new();
    for (to, tries) in tried() {
        let row = |along| (along, rows.get(&(tries.from, along)).copied().unwrap_or_default());
        let lies_on = Along::both(to.to).map(row);
        let back = tries.comes_back();
        let of_scan = |&(along, row): &(Along, Row)| row.is_scan(along) && !(back && row.acquits(along));
        let counts = tries.is_of_scan() && lies_on.iter().any(of_scan);
        if lies_on.iter().any(|(along, row)| row.is_scan(*along)) {
            scans.entry(tries.from).or_insert_with(|| Scan::new(to, tries)).take(to, tries, counts);
            *told.entry(to.to).or_default() += if counts { tries.failed() } else { 0 };
        }
        if tries.is_of_scan() && back && !counts && lies_on.iter().any(|(along, row)| row.failed >= along.least()) {
            acquitted.insert(to.to);
        }
    }
    let whole = |to: &&Connects| told.get(&to.to).is_some_and(|told| *told == to.failed());
    let covered = all.iter().filter(whole).map(|to| to.to).collect();
    Scans { findings: scans.into_values().filter_map(Scan::finding).collect(), covered, acquitted }
}

/// One address' scan.
struct Scan {
    from: IpAddr,
    hosts: BTreeSet<IpAddr>,
    ports: BTreeSet<u16>,
    /// Destinations, by the way in which they failed, and those that answered.
    failed: [u64; Way::ALL.len()],
    answered: u64,
    span: Option<(Timestamp, Timestamp)>,
    flow: FlowId,
    /// Who asked, and for how many of the destinations that failed.
    askers: Askers,
    within: Option<Duration>,
    at_least: bool,
}

impl Scan {
    fn new(to: &Connects, tries: &Tries) -> Self {
        Self {
            from: tries.from,
            hosts: BTreeSet::new(),
            ports: BTreeSet::new(),
            failed: [0; Way::ALL.len()],
            answered: 0,
            span: None,
            flow: tries.flow,
            askers: Askers::default(),
            within: to.within,
            at_least: false,
        }
    }

    /// Takes in what it tried at a place, which `counts` among what failed.
    fn take(&mut self, to: &Connects, tries: &Tries, counts: bool) {
        // Nor what it uses besides.
        if !counts && (tries.answered == 0 || tries.is_regular()) {
            return;
        }
        self.hosts.insert(to.to.ip());
        self.ports.insert(to.to.port());
        let first_way = tries.failed.iter().position(|count| *count > 0);
        *match first_way.filter(|_| tries.answered == 0) {
            Some(way) => &mut self.failed[way],
            None => &mut self.answered,
        } += 1;
        if counts {
            let (first, last) = self.span.unwrap_or((tries.first, tries.last));
            if tries.first < first {
                self.flow = tries.flow;
            }
            self.span = Some((first.min(tries.first), last.max(tries.last)));
            if let Some(process) = &tries.who {
                self.askers.note(process);
            }
        }
        self.at_least |= to.at_least;
    }

    fn failed(&self) -> u64 {
        self.failed.iter().sum()
    }

    /// Who asked for most of what failed: nobody where that of some is not known.
    fn asks_most(&self) -> Option<Holder> {
        self.askers.most().filter(|_| self.askers.times() == self.failed())
    }

    /// How many destinations failed in each way, and answered, and the word for it.
    fn outcomes(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let failed = self.failed.into_iter().zip(Way::ALL.map(|way| way.kind().name()));
        failed.chain([(self.answered, "answered")])
    }

    /// What was tried: `200 ports of 10.0.0.5`, `port 22 of 40 hosts`, `4,000 ports of 40 hosts`.
    fn tried(&self) -> String {
        let all = self.failed() + self.answered;
        match (self.hosts.first(), self.ports.first()) {
            (Some(host), _) if self.hosts.len() == 1 => format!("{} of {host}", counted(all, "port")),
            (_, Some(port)) if self.ports.len() == 1 => format!("port {port} of {}", counted(all, "host")),
            _ => format!("{} of {}", counted(all, "port"), counted(self.hosts.len() as u64, "host")),
        }
    }

    fn finding(self) -> Option<Finding> {
        let (since, last) = self.span?;
        let some = self.outcomes().filter(|(n, _)| *n > 0);
        let told: Vec<String> = some.map(|(n, outcome)| format!("{} {outcome}", count(n))).collect();
        let least = if self.at_least { "at least " } else { "" };
        let mut evidence =
            vec![Fact::count("hosts", self.hosts.len() as u64), Fact::count("ports", self.ports.len() as u64)];
        evidence.extend(self.outcomes().map(|(n, outcome)| Fact::count(outcome, n)));
        evidence.push(Fact::time("failing_for_ns", last.since(since)));
        evidence.extend(self.within.map(|span| Fact::time("counted_over_ns", span)));
        Some(Finding {
            kind: Kind::Scan,
            severity: Severity::Warning,
            subject: Subject::Scanner(self.from),
            since,
            who: self.asks_most(),
            flow: Some(self.flow),
            told: format!("{least}{}{}: {}", self.tried(), in_span(self.within), told.join(", ")),
            evidence,
            confidence: Confidence::Medium,
            why: format!(
                "Of what {} tried, {} of {} failed, within {}: a scan, a program that searches for its service, or a check of \
                 many that are down.",
                self.from,
                count(self.failed()),
                count(self.failed() + self.answered),
                time(last.since(since).max(Duration::from_secs(1)))
            ),
            remedy: "Look who is at that address (on it, ss -tnp state syn-sent, or lsof -nPiTCP). A program of yours \
                     needs the right address; a stranger needs a filter, and what answered is what it found."
                .into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::connects::{Failures, connects};
    use super::super::fixture::{at, end, found, holder};
    use super::*;

    const SCANNER: &str = "10.0.0.9";

    fn tries(from: &str, refused: u64, answered: u64) -> Tries {
        let tries = Tries::of(from.parse().unwrap(), at(1), at(5), FlowId(7), None);
        Tries { failed: [refused, 0, 0], answered, ..tries }
    }

    /// What became of connects to one place, by address.
    fn place(to: Endpoint, by: &[Tries]) -> Connects {
        let failed = by.iter().map(Tries::failed).sum();
        let failures = |count| (count > 0).then(|| Failures { count, first: at(1), last: at(5), flow: FlowId(7) });
        let mut place = Connects { refused: failures(failed), ..Connects::to(to) };
        place.completed = by.iter().map(|tries| tries.answered).sum();
        by.iter().for_each(|tries| place.by.note(tries.clone()));
        place
    }

    fn port(n: u16) -> Endpoint {
        Endpoint::new([10, 0, 0, 5], n)
    }

    fn ports(n: u16, by: &[Tries]) -> Vec<Connects> {
        (1..=n).map(|n| place(port(n), by)).collect()
    }

    fn hosts(n: u8, by: &[Tries]) -> Vec<Connects> {
        (1..=n).map(|n| place(Endpoint::new([10, 0, 1, n], 22), by)).collect()
    }

    fn told(all: &[Connects]) -> Vec<(Kind, String)> {
        found(connects(all)).into_iter().map(|(kind, _, told)| (kind, told)).collect()
    }

    fn scan(told: &str) -> Vec<(Kind, String)> {
        vec![(Kind::Scan, told.to_owned())]
    }

    fn refused(places: usize, told: &str) -> Vec<(Kind, String)> {
        vec![(Kind::ConnectsRefused, told.to_owned()); places]
    }

    #[test]
    fn many_places_tried_in_vain_are_one_scan() {
        let once = [tries(SCANNER, 1, 0)];
        for (all, expected) in [
            (ports(14, &once), vec![]),
            (ports(15, &once), scan("15 ports of 10.0.0.5: 15 refused")),
            (hosts(24, &once), vec![]),
            (hosts(25, &once), scan("port 22 of 25 hosts: 25 refused")),
            ([ports(15, &once), hosts(25, &once)].concat(), scan("40 ports of 26 hosts: 40 refused")),
            // Three tries of each are no fault of each.
            (ports(15, &[tries(SCANNER, 3, 0)]), scan("15 ports of 10.0.0.5: 15 refused")),
        ] {
            assert_eq!(told(&all), expected);
        }
    }

    #[test]
    fn what_mostly_gets_through_is_none() {
        let (failed, answered) = ([tries(SCANNER, 1, 0)], [tries(SCANNER, 0, 1)]);
        let crawl = |through| {
            let through = (0..through).map(|n| place(Endpoint::new([10, 0, 2, n], 22), &answered));
            hosts(25, &failed).into_iter().chain(through).collect::<Vec<_>>()
        };
        assert_eq!(told(&crawl(26)), vec![]);
        assert_eq!(told(&crawl(25)), scan("port 22 of 50 hosts: 25 refused, 25 answered"));
    }

    /// So many tries of the scanner at a place, over so many seconds.
    fn over(to: Endpoint, refused: u64, answered: u64, secs: i64) -> Connects {
        let last = at(1 + secs);
        place(to, &[Tries { last, latest: last, ..tries(SCANNER, refused, answered) }])
    }

    #[test]
    fn a_client_and_a_health_check_come_back() {
        // Backends that are down, checked every 10 s for 20 s and more, and what is tried thrice at once.
        let checked = |secs| (1..=25).map(|n| over(Endpoint::new([10, 0, 1, n], 8080), 3, 0, secs)).collect::<Vec<_>>();
        let down = told(&checked(20));
        assert_eq!(down.len(), 25);
        assert!(down.iter().all(|(kind, told)| *kind == Kind::ConnectsRefused && told == "all of 3 connects"));
        assert_eq!(told(&checked(19)), scan("port 8080 of 25 hosts: 25 refused"));
        // One client with many connections to a few ports.
        let few = (1..=4).map(|n| over(port(n), 0, 400, 60)).chain([over(port(5), 2, 0, 60)]);
        assert_eq!(told(&few.collect::<Vec<_>>()), vec![]);
        // What the scanner uses besides is not counted among what it tried.
        let uses =
            |answered, secs| [ports(15, &[tries(SCANNER, 1, 0)]), vec![over(port(99), 0, answered, secs)]].concat();
        assert_eq!(told(&uses(3, 20)), scan("15 ports of 10.0.0.5: 15 refused"));
        assert_eq!(told(&uses(10, 1)), scan("15 ports of 10.0.0.5: 15 refused"));
        assert_eq!(told(&uses(2, 19)), scan("16 ports of 10.0.0.5: 15 refused, 1 answered"));
    }

    #[test]
    fn a_check_twice_a_minute_and_one_each_minute_come_back_too() {
        let checked = |secs| (1..=25).map(|n| over(Endpoint::new([10, 0, 1, n], 8080), 2, 0, secs)).collect::<Vec<_>>();
        assert_eq!(told(&checked(30)), refused(25, "all of 2 connects"), "two of a minute are told all the same");
        assert_eq!(told(&checked(19)), scan("port 8080 of 25 hosts: 25 refused"));
        let mut slow = hosts(25, &[tries(SCANNER, 1, 0)]);
        assert_eq!(told(&slow), scan("port 22 of 25 hosts: 25 refused"), "the first minute of them");
        slow.iter_mut().for_each(|to| to.by.note_before(SCANNER.parse().unwrap(), at(-59)));
        assert_eq!(told(&slow), refused(25, "all of 1 connect"), "the second");
        // A scan that waits long for each answer is one all the same.
        let waits = |n: u16| {
            let waits = Tries { last: at(70), failed: [0, 0, 2], ..tries(SCANNER, 0, 0) };
            place(port(n), &[waits])
        };
        let waits: Vec<Connects> = (1..=15).map(waits).collect();
        assert_eq!(connects(&waits).last().map(|finding| finding.kind), Some(Kind::Scan));
    }

    #[test]
    fn a_scan_that_is_run_again_is_one_still() {
        let again = |n: u16| over(port(n), 2, 0, 30);
        let few = |n| (1..=n).map(again).collect::<Vec<_>>();
        assert_eq!(told(&few(500)), scan("500 ports of 10.0.0.5: 500 refused"));
        assert_eq!(told(&few(15)), scan("15 ports of 10.0.0.5: 15 refused"));
        assert_eq!(told(&few(14)), []);
        // One of them answers: a client of that host, some of whose services are down.
        let some = [few(15), vec![place(port(99), &[tries(SCANNER, 0, 1)])]].concat();
        assert_eq!(told(&some), refused(15, "all of 2 connects"));
        // More hosts than anybody checks.
        let checked = |n| (1..=n).map(|n| over(Endpoint::new([10, 0, 1, n], 22), 2, 0, 30)).collect::<Vec<_>>();
        assert_eq!(told(&checked(30)), refused(30, "all of 2 connects"));
        assert_eq!(told(&checked(31)), scan("port 22 of 31 hosts: 31 refused"));
        // A scan beside what is checked.
        let beside =
            [checked(5), (6..=30).map(|n| place(Endpoint::new([10, 0, 1, n], 22), &[tries(SCANNER, 1, 0)])).collect()];
        let told = told(&beside.concat());
        assert_eq!(told[..5], refused(5, "all of 2 connects"));
        assert_eq!(told[5..], scan("port 22 of 25 hosts: 25 refused"));
    }

    #[test]
    fn how_many_failed_is_said() {
        let all =
            [ports(15, &[tries(SCANNER, 1, 0)]), (16..=30).map(|n| place(port(n), &[tries(SCANNER, 0, 1)])).collect()];
        let why = connects(&all.concat()).remove(0).why;
        assert!(why.starts_with("Of what 10.0.0.9 tried, 15 of 30 failed, within 4 s:"), "{why}");
    }

    #[test]
    fn at_least_is_said_where_any_destination_is_counted_so() {
        let mut all = ports(15, &[tries(SCANNER, 1, 0)]);
        all[14].at_least = true;
        assert_eq!(told(&all), scan("at least 15 ports of 10.0.0.5: 15 refused"));
    }

    #[test]
    fn who_scans_is_told_where_all_tries_have_an_owner() {
        let by = |n: u16, pid: Option<u32>| {
            let who = pid.map(|pid| holder(pid, "nmap", None).process);
            place(port(n), &[Tries { who, ..tries(SCANNER, 1, 0) }])
        };
        let who = |of: &dyn Fn(u16) -> Option<u32>| {
            let all: Vec<Connects> = (1..=15).map(|n| by(n, of(n))).collect();
            connects(&all).remove(0).who.map(|holder| (holder.process.pid, holder.others))
        };
        assert_eq!(who(&|_| Some(7)), Some((7, 0)));
        assert_eq!(who(&|n| Some(n.min(3).into())), Some((3, 2)), "who asked for most");
        assert_eq!(who(&|n| (n > 1).then_some(7)), None, "one try is nobody's");
        // One destination, two processes; the same process twice.
        for (second, expected) in [(Some(8), None), (None, None), (Some(7), Some(7))] {
            let mut all: Vec<Connects> = (1..=15).map(|n| by(n, Some(7))).collect();
            all[3].by.append(by(4, second).by);
            let found = connects(&all).into_iter().find(|finding| finding.kind == Kind::Scan).unwrap();
            assert_eq!(found.who.map(|holder| holder.process.pid), expected, "{second:?}");
        }
    }

    #[test]
    fn many_addresses_at_one_host_are_none() {
        let each = |n: u16| place(port(n), &[tries(&format!("10.0.3.{n}"), 2, 0)]);
        assert_eq!(told(&(1..=40).map(each).collect::<Vec<_>>()), vec![]);
        let crowd: Vec<Tries> = (1..=17).map(|n| tries(&format!("10.0.4.{n}"), 1, 0)).collect();
        assert!(told(&ports(15, &crowd)).iter().all(|(kind, _)| *kind == Kind::ConnectsRefused));
    }

    #[test]
    fn what_a_scan_does_not_tell_is_told_besides() {
        let mut all = ports(15, &[tries(SCANNER, 1, 0)]);
        // A habit of the scanner's own, another's beside the scan's try, and one on another host.
        all[0] = place(port(1), &[tries(SCANNER, 10, 0)]);
        all[1] = place(port(2), &[tries(SCANNER, 1, 0), tries("10.0.0.8", 3, 0)]);
        all.push(place(port(16), &[tries(SCANNER, 1, 0)]));
        all.push(place(end("10.0.9.9:80"), &[tries(SCANNER, 3, 0)]));
        let habits = [
            (Kind::ConnectsRefused, "all of 10 connects".to_owned()),
            (Kind::ConnectsRefused, "all of 4 connects".to_owned()),
            (Kind::ConnectsRefused, "all of 3 connects".to_owned()),
        ];
        let mut told = told(&all);
        assert_eq!(told.pop().into_iter().collect::<Vec<_>>(), scan("15 ports of 10.0.0.5: 15 refused"));
        assert_eq!(told, habits);
    }

    #[test]
    fn a_destination_of_one_address_takes_room_for_one() {
        let mut by = ByAddress::new();
        by.note(tries(SCANNER, 1, 0));
        assert_eq!(by.tries.capacity(), 1);
    }

    #[test]
    fn parts_are_noted_as_the_whole_is() {
        for crowd in [3, 16, 17, 30] {
            let tries = |n: usize| tries(&format!("10.0.4.{}", n % crowd), 1, 0);
            let note = |range: std::ops::Range<usize>| {
                let mut by = ByAddress::default();
                range.for_each(|n| by.note(tries(n)));
                by
            };
            let whole = note(0..40);
            for split in [0, 1, 16, 17, 20, 40] {
                let mut first = note(0..split);
                first.append(note(split..40));
                assert_eq!(first, whole, "{crowd} addresses, split at {split}");
            }
        }
    }
}
