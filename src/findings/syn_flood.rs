//! The rule: handshakes with one end pile up that nobody completes: a SYN flood, or a way back that is broken.
//!
//! A client's TCP tries again what is not answered, a flood's sender does not: that tells them apart on the wire. What
//! clients try in vain the rule of `connects` tells. Read first: RFC 4987 §2, §3.6; tcp(7) on tcp_syncookies and
//! tcp_max_syn_backlog; net/ipv4/tcp_input.c (`tcp_conn_request`, `tcp_syn_flood_action`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Endpoint, Timestamp};
use crate::flow::FlowId;

use super::finding::{Confidence, Fact, Finding, Holder, Kind, Run, Severity, Subject, Value};
use super::flood_words;
use super::words::percent;

/// A TCP that gets no answer tries again after 1 s (RFC 6298 §2.1), which takes half a round trip to be seen; a responder
/// repeats its SYN-ACK as soon. What waits for longer was not a moment ago.
pub const PATIENCE: Duration = Duration::from_millis(1_500);
/// A request that nobody completes stays in a SYN queue for 63 s (tcp_synack_retries 5), so what comes in a minute is
/// there together, and the smallest of the usual queues holds so many (listen(fd, 128), the least tcp_max_syn_backlog).
const FEW: u64 = 128;
/// From fewer addresses, SYNs that nobody answers are of clients that a rule about connects tells of.
const ADDRESSES: u64 = 128;
/// So many under way at once are no burst of clients, however young: 16 of the largest SYN queues by default (4,096). A
/// server that takes 100,000 connections a second from 100 ms away has 10,000 under way.
const MANY: u64 = 65_536;
/// Below this share of all handshakes with that end, in percent, most are completed: it is busy.
const SHARE: u64 = 10;
/// Addresses told one by one at most: more are "over" so many.
pub const COUNTED: usize = 1_000;

/// Ends with which handshakes pile up, and what is known besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Piles {
    pub all: Vec<Pile>,
    /// By the kernel of this host, at all its listeners.
    pub cookies: Option<Grown>,
    pub drops: Option<Grown>,
    pub crowding: Crowding,
    /// Some flow shows more than the beginning of a handshake.
    pub shows_more: bool,
}

/// How the table of flows copes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Crowding {
    /// Half-open flows that had to go, whichever end they were with.
    pub evicted: u64,
    /// Flows that it holds.
    pub flows: u64,
}

impl Crowding {
    /// Whether so many handshakes are under way as no burst of clients is: where half-open flows had to go for others,
    /// that is most of the table.
    pub const fn is_by(self, under_way: u64) -> bool {
        under_way >= MANY || (self.evicted > 0 && under_way >= FEW && under_way * 2 >= self.flows)
    }

    /// Whether an end may be told of with which so many handshakes are under way, and so many [overdue](PATIENCE).
    pub const fn may_be_by(self, under_way: u64, overdue: u64) -> bool {
        overdue >= FEW || self.is_by(under_way)
    }
}

/// By how much a counter has grown since some reading, and in which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grown {
    pub count: u64,
    pub since: Timestamp,
    pub run: Run,
}

/// Handshakes with one end that were not completed, of the last minute: those that are over, and those that have waited
/// for longer than [`PATIENCE`]; or all that wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Pile {
    pub to: Endpoint,
    /// So many are under way that the young ones count too: see [`Crowding::is_by`].
    pub at_once: bool,
    /// Without a SYN-ACK, their SYN sent once.
    pub unanswered: Open,
    /// With a SYN-ACK, without its ACK.
    pub half_open: Open,
    /// Of the half-open: the SYN came again, and the SYN-ACK.
    pub syn_again: u64,
    pub syn_ack_again: u64,
    /// Besides: without a SYN-ACK, their SYN sent again.
    pub in_vain: u64,
    /// Handshakes with the same end that completed in the same time.
    pub completed: u64,
    /// And with whatever end, of flows that the table does not hold any more.
    pub forgotten: u64,
    /// That time: since the first of them, but a minute at most.
    pub within: Duration,
    pub from: Senders,
    /// The first SYN of the time through which they go on.
    pub since: Timestamp,
    /// The first that is counted.
    pub flow: FlowId,
    /// The end is on this host.
    pub here: bool,
    /// Sockets in SYN-RECV by the last readings; `None` where there was none.
    pub syn_recv: Option<u64>,
    /// The listener's limit.
    pub limit: Option<u32>,
    pub who: Option<Holder>,
}

/// How many, and how many of these still wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    pub count: u64,
    pub waiting: u64,
}

/// Where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    One(IpAddr),
    Several(u64),
    /// More than [`COUNTED`].
    Many,
}

impl Senders {
    pub(super) const fn are_many(self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Several(addresses) => addresses >= ADDRESSES,
            Self::Many => true,
        }
    }

    fn fact(self) -> Fact {
        match self {
            Self::One(_) => Fact::count("addresses", 1),
            Self::Several(addresses) => Fact::count("addresses", addresses),
            Self::Many => Fact::count("addresses_over", COUNTED as u64),
        }
    }
}

/// With whom handshakes pile up.
pub(super) fn floods(piles: &Piles, lossy: bool, now: Timestamp) -> Vec<Finding> {
    piles.all.iter().filter_map(|pile| Some(Flood::of(pile, piles, lossy, now)?.finding())).collect()
}

/// `connects` without the destinations of whose unanswered SYNs one of `found` tells why: none failed before that began.
pub fn without_flooded(mut connects: Vec<Finding>, found: &[Finding]) -> Vec<Finding> {
    let flooded: BTreeMap<Endpoint, Timestamp> = found.iter().filter_map(flooded).collect();
    let told = |finding: &Finding| match (finding.kind, &finding.subject) {
        (Kind::ConnectsUnanswered, Subject::Destination(to)) => {
            flooded.get(to).is_some_and(|since| finding.since >= *since)
        }
        _ => false,
    };
    connects.retain(|finding| !told(finding));
    connects
}

/// The end that is flooded with SYNs of which some were not answered, and since when.
fn flooded(finding: &Finding) -> Option<(Endpoint, Timestamp)> {
    let unanswered = finding.evidence.iter().find(|fact| fact.name == "unanswered")?;
    match (finding.kind, &finding.subject) {
        (Kind::SynFlood, Subject::Listener(to)) if unanswered.value != Value::Count(0) => Some((*to, finding.since)),
        _ => None,
    }
}

/// What most of a pile are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Not answered.
    Unanswered,
    /// Answered, and nothing comes of it.
    Unacked,
    /// Answered, and their senders try again.
    Unheard,
}

/// A pile that is told.
pub(super) struct Flood<'a> {
    pub(super) pile: &'a Pile,
    pub(super) unanswered: Open,
    pub(super) half_open: Open,
    pub(super) cause: Cause,
    pub(super) cookies: Option<Grown>,
    pub(super) drops: Option<Grown>,
    pub(super) besides: &'a Piles,
    pub(super) lossy: bool,
    pub(super) now: Timestamp,
}

impl<'a> Flood<'a> {
    fn of(pile: &'a Pile, besides: &'a Piles, lossy: bool, now: Timestamp) -> Option<Self> {
        // Where most try again, so will those that have not yet.
        let are_clients = pile.in_vain >= pile.unanswered.count;
        let left_to_connects = are_clients || !(pile.at_once || pile.from.are_many());
        let unanswered = if left_to_connects { Open::default() } else { pile.unanswered };
        let half_open = pile.half_open;
        let all = unanswered.count + half_open.count;
        let cause = match () {
            () if unanswered.count > half_open.count => Cause::Unanswered,
            () if pile.syn_again * 2 >= half_open.count => Cause::Unheard,
            () => Cause::Unacked,
        };
        let here = |grown: Option<Grown>| grown.filter(|grown| pile.here && grown.run.lasts(now));
        let (cookies, drops) = (here(besides.cookies), here(besides.drops));
        // Who is remembered takes a place in the SYN queue, however busy the end is.
        let held = half_open.waiting >= FEW && pile.syn_ack_again * 2 >= half_open.count;
        let harms = held || cookies.is_some() || drops.is_some();
        let told = all >= FEW && (harms || percent(all, all + pile.completed + pile.forgotten) >= SHARE);
        told.then_some(Self { pile, unanswered, half_open, cause, cookies, drops, besides, lossy, now })
    }

    /// A capture of SYNs alone looks the same.
    pub(super) const fn is_doubtful(&self) -> bool {
        !self.besides.shows_more && self.pile.syn_ack_again == 0 && !self.is_counted_by_kernel()
    }

    fn severity(&self) -> Severity {
        let fails = self.pile.completed + self.pile.forgotten == 0 && !self.is_doubtful();
        if fails || self.drops.is_some() { Severity::Critical } else { Severity::Warning }
    }

    const fn is_counted_by_kernel(&self) -> bool {
        let held = matches!(self.pile.syn_recv, Some(FEW..));
        held || self.cookies.is_some() || self.drops.is_some()
    }

    fn confidence(&self) -> Confidence {
        match () {
            () if self.is_counted_by_kernel() => Confidence::High,
            () if self.lossy || self.is_doubtful() => Confidence::Low,
            () => Confidence::Medium,
        }
    }

    fn evidence(&self) -> Vec<Fact> {
        let Pile { in_vain, syn_again, syn_ack_again, completed, from, syn_recv, limit, .. } = *self.pile;
        let mut evidence = vec![
            Fact::count("half_open", self.half_open.count),
            Fact::count("unanswered", self.unanswered.count),
            Fact::count("waiting", self.half_open.waiting + self.unanswered.waiting),
            from.fact(),
            Fact::count("syn_again", syn_again + in_vain),
            Fact::count("syn_ack_again", syn_ack_again),
            Fact::count("completed", completed),
            Fact::time("counted_over_ns", self.pile.within),
        ];
        evidence.extend(syn_recv.map(|sockets| Fact::count("syn_recv", sockets)));
        evidence.extend(limit.map(|limit| Fact::count("limit", limit.into())));
        evidence.extend(self.cookies.map(|grown| Fact::count("syncookies_sent", grown.count)));
        evidence.extend(self.drops.map(|grown| Fact::count("req_q_full_drops", grown.count)));
        let evicted = Some(self.besides.crowding.evicted).filter(|evicted| *evicted > 0);
        evidence.extend(evicted.map(|evicted| Fact::count("half_open_evicted", evicted)));
        evidence
    }

    fn finding(self) -> Finding {
        Finding {
            kind: Kind::SynFlood,
            severity: self.severity(),
            subject: Subject::Listener(self.pile.to),
            since: self.pile.since,
            who: self.pile.who.clone(),
            flow: Some(self.pile.flow),
            told: flood_words::told(&self),
            evidence: self.evidence(),
            confidence: self.confidence(),
            why: flood_words::why(&self),
            remedy: flood_words::remedy(&self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, end, flood, found};
    use super::super::{Connects, Evidence, Failures, diagnose};
    use super::*;

    const fn all_wait(count: u64) -> Open {
        Open { count, waiting: count }
    }

    /// So many answered and not, from over 1,000 addresses within 20 s, others of which complete.
    fn pile(half_open: u64, unanswered: u64, completed: u64) -> Pile {
        Pile {
            to: end("10.0.0.5:80"),
            at_once: false,
            unanswered: all_wait(unanswered),
            half_open: all_wait(half_open),
            syn_again: 0,
            syn_ack_again: 0,
            in_vain: 0,
            completed,
            forgotten: 0,
            within: Duration::from_secs(20),
            from: Senders::Many,
            since: at(80),
            flow: FlowId(7),
            here: false,
            syn_recv: None,
            limit: None,
            who: None,
        }
    }

    fn piles(pile: Pile) -> Piles {
        Piles { all: vec![pile], shows_more: true, ..Piles::default() }
    }

    fn finding_of(piles: &Piles) -> Option<Finding> {
        floods(piles, false, at(100)).pop()
    }

    fn is_told(pile: Pile) -> bool {
        finding_of(&piles(pile)).is_some()
    }

    #[test]
    fn many_that_nobody_completes_are_told() {
        use Severity::{Critical, Warning};
        let all_from = |pile| Pile { from: Senders::One([10, 0, 0, 9].into()), ..pile };
        let some_wait =
            Pile { half_open: Open { count: 300, waiting: 50 }, from: Senders::Several(5), ..pile(0, 7, 12) };
        let burst = Pile { at_once: true, from: Senders::Several(2), ..pile(0, 70_040, 0) };
        for (case, expected) in [
            (pile(127, 0, 0), None),
            (
                pile(128, 0, 0),
                Some((Critical, "128 half-open in 20 s, all wait now, from over 1,000 addresses, none completed")),
            ),
            (some_wait, Some((Warning, "300 half-open in 20 s, 50 wait now, from 5 addresses, 12 completed"))),
            (
                pile(128, 0, 1_152),
                Some((Warning, "128 half-open in 20 s, all wait now, from over 1,000 addresses, 1,152 completed")),
            ),
            (pile(128, 0, 1_300), None),
            (Pile { syn_ack_again: 63, ..pile(128, 0, 1_300) }, None),
            (
                Pile { syn_ack_again: 64, ..pile(128, 0, 1_300) },
                Some((Warning, "128 half-open in 20 s, all wait now, from over 1,000 addresses, 1,300 completed")),
            ),
            (Pile { forgotten: 1_300, ..pile(128, 0, 0) }, None),
            (
                Pile { forgotten: 20, ..pile(128, 0, 0) },
                Some((
                    Severity::Warning,
                    "128 half-open in 20 s, all wait now, from over 1,000 addresses, completed unknown",
                )),
            ),
            (
                pile(60, 90, 0),
                Some((
                    Critical,
                    "90 unanswered, 60 half-open in 20 s, all wait now, from over 1,000 addresses, none completed",
                )),
            ),
            (
                all_from(pile(200, 0, 0)),
                Some((Critical, "200 half-open in 20 s, all wait now, all from 10.0.0.9, none completed")),
            ),
            (all_from(pile(0, 9_000, 0)), None),
            (burst, Some((Critical, "70,040 unanswered in 20 s, all wait now, from 2 addresses, none completed"))),
        ] {
            let all = found(floods(&piles(case.clone()), false, at(100)));
            let told = all.first().map(|(_, severity, told)| (*severity, told.as_str()));
            assert_eq!(told, expected, "{case:?}");
        }
    }

    #[test]
    fn no_burst_of_clients_is_so_large() {
        for (evicted, flows, under_way, expected) in [
            (0, 1_000_000, MANY - 1, false),
            (0, 1_000_000, MANY, true),
            (0, 5_000, 4_000, false),
            (9, 8_001, 4_000, false),
            (9, 8_000, 4_000, true),
            (9, 100, 100, false),
        ] {
            let crowding = Crowding { evicted, flows };
            assert_eq!(crowding.is_by(under_way), expected, "{crowding:?} {under_way}");
            assert_eq!(crowding.may_be_by(under_way, FEW - 1), expected);
            assert!(crowding.may_be_by(under_way, FEW));
        }
        let crowding = Crowding { evicted: 9, flows: 8_000 };
        let finding = finding_of(&Piles { crowding, ..piles(pile(0, 4_000, 0)) }).expect("told");
        assert!(finding.told.starts_with("at least 4,000 unanswered"), "{}", finding.told);
        assert!(finding.why.contains("9 more half-open flows, with whatever end, found no room"), "{}", finding.why);
        let young = finding_of(&piles(Pile { at_once: true, ..pile(4_000, 0, 0) })).expect("told").why;
        assert!(!young.contains("SYN-ACKs"), "nobody can have sent it again: {young}");
    }

    #[test]
    fn what_clients_try_in_vain_is_another_rules() {
        let case = |unanswered, in_vain, addresses| Pile {
            in_vain,
            from: Senders::Several(addresses),
            ..pile(0, unanswered, 0)
        };
        assert!(is_told(case(500, 0, 128)) && is_told(case(500, 499, 200)));
        assert!(!is_told(case(500, 500, 200)), "most try again");
        assert!(!is_told(case(5_000, 0, 127)), "few addresses");
        let clients = finding_of(&piles(case(500, 42, 200))).expect("told").why;
        assert!(clients.contains("42 more came again and were not answered either: clients suffer."), "{clients}");
    }

    #[test]
    fn what_is_told_here_is_not_told_of_those_that_connect() {
        let failures = Some(Failures { count: 500, first: at(90), last: at(99), flow: FlowId(7) });
        let connects = |to| Connects { unanswered: failures, refused: failures, ..Connects::to(end(to)) };
        let case = |piles| Evidence {
            now: at(100),
            connects: vec![connects("10.0.0.5:80"), connects("10.0.0.6:80")],
            piles,
            ..Evidence::default()
        };
        let kinds = |evidence: &Evidence| {
            let mut all: Vec<(Kind, String)> =
                diagnose(evidence).into_iter().map(|found| (found.kind, found.subject.to_string())).collect();
            all.sort();
            all
        };
        let [here, there] = ["10.0.0.5:80", "10.0.0.6:80"].map(str::to_owned);
        let refused = [(Kind::ConnectsRefused, here.clone()), (Kind::ConnectsRefused, there.clone())];
        let unanswered = |to: &String| (Kind::ConnectsUnanswered, to.clone());
        assert_eq!(kinds(&case(Piles::default()))[..2], refused);
        assert_eq!(kinds(&case(Piles::default()))[2..], [unanswered(&here), unanswered(&there)]);
        let flooded = kinds(&case(piles(pile(0, 500, 0))));
        assert_eq!(flooded[..2], refused);
        assert_eq!(flooded[2..], [unanswered(&there), (Kind::SynFlood, here)]);
    }

    #[test]
    fn the_wire_tells_why() {
        let why = |pile| {
            let finding = finding_of(&piles(pile)).expect("told");
            (finding.why, finding.remedy)
        };
        let half_open = |syn_again, syn_ack_again| why(Pile { syn_again, syn_ack_again, ..pile(200, 0, 9) });
        let (cookies, remedy) = half_open(3, 0);
        assert!(cookies.contains("a SYN flood, its addresses most likely forged"), "{cookies}");
        assert!(cookies.contains("it keeps nothing of those (SYN cookies)"), "{cookies}");
        assert!(remedy.contains("net.ipv4.tcp_syncookies=1") && remedy.contains("synproxy"), "{remedy}");
        let (held, _) = half_open(3, 100);
        assert!(held.contains("each takes a place in its SYN queue"), "{held}");
        let (unheard, remedy) = half_open(100, 100);
        assert!(unheard.contains("the way back is broken") && !unheard.contains("flood"), "{unheard}");
        assert!(remedy.contains("rp_filter"), "{remedy}");
        let (dropped, remedy) = why(pile(9, 200, 9));
        assert!(dropped.contains("its SYN queue is full and it sends no SYN cookies"), "{dropped}");
        assert!(remedy.contains("TcpExtTCPReqQFullDrop"), "{remedy}");
        let (one, remedy) = why(Pile { from: Senders::One([10, 0, 0, 9].into()), ..pile(200, 0, 9) });
        assert!(
            one.contains("a SYN flood by 10.0.0.9") && remedy.contains("drop what 10.0.0.9 sends"),
            "{one} {remedy}"
        );
    }

    #[test]
    fn a_capture_of_syns_alone_is_doubted() {
        let of_syns = |pile| Piles { shows_more: false, ..piles(pile) };
        let sure = |piles: &Piles, lossy| {
            let finding = floods(piles, lossy, at(100)).pop().expect("told");
            (finding.severity, finding.confidence, finding.why.contains("if only SYNs were captured"))
        };
        assert_eq!(sure(&of_syns(pile(0, 500, 0)), false), (Severity::Warning, Confidence::Low, true));
        let again = Pile { syn_ack_again: 1, ..pile(500, 0, 0) };
        assert_eq!(
            sure(&of_syns(again), false),
            (Severity::Critical, Confidence::Medium, false),
            "an ACK did not come"
        );
        assert_eq!(sure(&piles(pile(0, 500, 0)), false), (Severity::Critical, Confidence::Medium, false));
        assert_eq!(sure(&piles(pile(0, 500, 0)), true), (Severity::Critical, Confidence::Low, false), "lossy");
    }

    #[test]
    fn the_kernel_is_surer() {
        let grown = |count, last| Some(Grown { count, since: at(70), run: Run { since: at(71), last: at(last) } });
        let case = |here, syn_recv, cookies, drops| {
            let pile = Pile { here, syn_recv, limit: Some(128), ..pile(500, 0, 4) };
            let finding = finding_of(&Piles { cookies, drops, ..piles(pile) }).expect("told");
            (finding.severity, finding.confidence, finding.why)
        };
        use Confidence::{High, Medium};
        let (severity, confidence, why) = case(true, Some(128), grown(9_000, 99), None);
        assert_eq!((severity, confidence), (Severity::Warning, High));
        assert!(
            why.contains("The kernel holds 128 of them in SYN-RECV (limit 128), sent 9,000 SYN cookies in 30 s."),
            "{why}"
        );
        let (severity, confidence, why) = case(true, None, None, grown(31, 99));
        assert_eq!((severity, confidence), (Severity::Critical, High));
        assert!(why.contains("The kernel dropped 31 at full SYN queues in 30 s."), "{why}");
        for (here, last) in [(false, 99), (true, 40)] {
            let (severity, confidence, why) = case(here, Some(3), grown(9_000, last), grown(31, last));
            assert_eq!((severity, confidence), (Severity::Warning, Medium), "of another host, or long ago");
            assert!(!why.contains("cookies in") && !why.contains("dropped 31"), "{why}");
        }
    }

    #[test]
    fn numbers_are_told_for_programs() {
        let finding = flood(at(100));
        let names: std::collections::BTreeSet<&str> = finding.evidence.iter().map(|fact| fact.name).collect();
        assert_eq!(names.len(), finding.evidence.len());
        for name in
            ["half_open", "waiting", "addresses_over", "completed", "counted_over_ns", "syn_recv", "half_open_evicted"]
        {
            assert!(names.contains(name), "{name}");
        }
    }
}
