//! Findings as a list: what was found, in the order that is asked for, and which flows each is about.

use std::cmp::Reverse;

use rustc_hash::FxHashSet;

use crate::findings::{About, Finding, FindingKey, Kind};
use crate::flow::HandshakeOutcome;

use super::super::record::Record;
use super::super::{Engine, Filter, FlowPane, Sort, SortKey};
use super::{FindingSort, FlowId, Keyed, RowKey, sort_by_key};

impl Keyed for Finding {
    fn key(&self) -> RowKey {
        RowKey::Finding(Self::key(self))
    }
}

/// `rows`, the worst first as they come, in the order that is asked for.
pub(super) fn ordered(mut rows: Vec<Finding>, sort: Sort<FindingSort>) -> Vec<Finding> {
    match sort.by {
        FindingSort::Worst if sort.reverse => rows.reverse(),
        FindingSort::Worst => {}
        FindingSort::Recent => sort_by_key(&mut rows, sort.reverse, |finding| Reverse(finding.since)),
        FindingSort::Kind => sort_by_key(&mut rows, sort.reverse, |finding| finding.kind),
    }
    rows
}

/// Flows shown beside a finding, at most.
const FLOWS_SHOWN: usize = 60;

/// The flows that a finding is about: those that are shown, the latest first, and how many there are.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct FlowsOf {
    first: Vec<FlowId>,
    all: usize,
}

impl Engine {
    /// The flows that a finding is about.
    pub(super) fn flows_of_finding(&self, finding: Option<FindingKey>) -> FlowsOf {
        match finding.and_then(concerned) {
            None => FlowsOf::default(),
            Some(Concerned::Flow(flow)) => FlowsOf { first: vec![flow], all: 1 },
            Some(Concerned::Fitting(words)) => {
                let filter = Filter::parse(&words).unwrap_or_default();
                let sort = Sort { by: SortKey::Recent, reverse: false };
                let mut all = 0;
                let first = self.in_order(self.matching(&filter).inspect(|_| all += 1), sort, FLOWS_SHOWN);
                FlowsOf { first, all }
            }
        }
    }

    /// Those of the findings that are about a flow that fits `filter`, or about no flow at all.
    pub fn findings_about(&self, found: Vec<Finding>, filter: &Filter) -> Vec<Finding> {
        if filter.is_empty() {
            return found;
        }
        // There may be as many findings of destinations as flows: these are looked up, the few others tried.
        let mut destinations = FxHashSet::default();
        let mut others: Vec<(FindingKey, Filter)> = Vec::new();
        for key in found.iter().map(Finding::key).filter(|key| !matches!(key.about, About::Destination(_))) {
            if let Some(Concerned::Fitting(words)) = concerned(key) {
                others.push((key, Filter::parse(&words).unwrap_or_default()));
            }
        }
        let mut fitting = FxHashSet::default();
        for record in self.matching(filter).map(|(slot, _)| self.table.get(slot)) {
            fitting.insert(record.id);
            destinations.extend(failing(record).map(|kind| (kind, record.resp)));
            // What is left at the end is about none of them.
            others.retain(|(_, about)| !about.matches(self, record));
        }
        let is_about = |finding: &Finding| match finding.key().about {
            About::Capture | About::Host => true,
            About::Flow(flow, _) => fitting.contains(&flow),
            About::Destination(to) => destinations.contains(&(finding.kind, to)),
            _ => !others.iter().any(|(key, _)| *key == finding.key()),
        };
        found.into_iter().filter(is_about).collect()
    }

    /// Their first rows.
    pub(super) fn finding_flows(&self, flows: &FlowsOf) -> FlowPane {
        let known = flows.first.iter().filter_map(|id| self.table.find_id(*id));
        let rows = known.map(|slot| self.row(self.table.get(slot))).collect();
        FlowPane { all: self.table.len(), matching: flows.all, offset: 0, followed: None, rows }
    }
}

/// Which finding about its destination a flow adds to.
fn failing(record: &Record) -> Option<Kind> {
    match record.wire.as_ref()?.outcome() {
        HandshakeOutcome::Refused => Some(Kind::ConnectsRefused),
        HandshakeOutcome::Rejected => Some(Kind::ConnectsRejected),
        HandshakeOutcome::Unanswered | HandshakeOutcome::GivenUp | HandshakeOutcome::Waiting => {
            Some(Kind::ConnectsUnanswered)
        }
        _ => None,
    }
}

/// The flows that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerned {
    Flow(FlowId),
    /// Those that fit this filter.
    Fitting(String),
}

/// Which flows show what was found; `None` where it is about none.
pub fn concerned(FindingKey { kind, about, .. }: FindingKey) -> Option<Concerned> {
    let state = if kind == Kind::CloseWaitLeak { " state:close-wait" } else { "" };
    Some(Concerned::Fitting(match about {
        About::Capture | About::Host => return None,
        About::Flow(flow, _) => return Some(Concerned::Flow(flow)),
        About::Destination(end) if kind == Kind::ConnectsRefused => format!("resp:{end} outcome:refused"),
        About::Destination(end) if kind == Kind::ConnectsRejected => format!("resp:{end} outcome:rejected"),
        About::Destination(end) => format!("resp:{end} outcome:unanswered,given,waiting"),
        About::Scanner(from) => format!("orig:{from} outcome:refused,rejected,unanswered,given,waiting"),
        About::Listener(end) if kind == Kind::SynFlood => format!("resp:{end} outcome:waiting,half-open,unanswered"),
        About::Listener(end) if end.is_wildcard() => format!("service:{}", end.port()),
        About::Listener(end) => format!("resp:{end}"),
        About::Process { pid, .. } if kind == Kind::NotReading => format!("pid:{pid} recvq>0"),
        About::Process { pid, .. } => format!("pid:{pid}{state}"),
        About::Connections { holder, service } if holder == service.ip() => format!("resp:{service}{state}"),
        About::Connections { holder, service } => format!("orig:{holder} resp:{service}{state}"),
        About::Route { from, to } => format!("orig:{from} resp:{to}"),
        About::Path { from, to } if kind == Kind::PeerSilent => format!("addr:{from} addr:{to} is:silent"),
        About::Path { from, to } => format!("addr:{from} addr:{to} is:undelivered"),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{at as after, end as endpoint, fed, segment, show};
    use super::super::super::{Filter, Input};
    use super::*;
    use crate::base::{Scope, Seq};
    use crate::findings::fixture::{at, end, flood, incident, scan};
    use crate::wire::{IcmpError, IcmpQuote};

    #[test]
    fn findings_come_in_the_order_that_is_asked_for() {
        let found = incident(at(1_000));
        let by = |by, reverse| ordered(found.clone(), Sort { by, reverse });
        assert_eq!(by(FindingSort::Worst, false), found);
        assert_eq!(by(FindingSort::Worst, true).last(), found.first());
        assert!(by(FindingSort::Recent, false).is_sorted_by_key(|finding| Reverse(finding.since)));
        assert!(by(FindingSort::Kind, true).is_sorted_by_key(|finding| Reverse(finding.kind)));
    }

    #[test]
    fn of_the_flows_between_two_addresses_a_finding_lists_its_own() {
        const SERVER: &str = "10.0.0.5:80";
        const ENDS: [&str; 3] = ["10.0.0.2:40000", "10.0.0.2:40001", "10.0.0.2:40002"];
        let mut engine = fed([]);
        for (at, from) in (0..).zip(ENDS) {
            for one in [
                segment(at, from, SERVER, "S", 100, 0, 0),
                segment(at + 10, SERVER, from, "S.", 500, 101, 0),
                segment(at + 11, from, SERVER, ".", 101, 501, 0),
            ] {
                engine.feed(&Input::Segment(one));
            }
        }
        // Of the first somebody says that it is too long, the second is silent, and of the third something waits.
        for millis in [1_000, 1_300, 1_900, 3_100] {
            for from in &ENDS[..2] {
                engine.feed(&Input::Segment(segment(millis, from, SERVER, ".", 101, 501, 1_448)));
            }
            engine.feed(&Input::Icmp(IcmpQuote {
                ts: after(millis),
                scope: Scope::FILE,
                from: [10, 0, 0, 1].into(),
                error: IcmpError { v6: false, kind: 3, code: 4 },
                src: endpoint(ENDS[0]),
                dst: endpoint(SERVER),
                seq: Seq(101),
                flags: None,
                mtu: Some(1_400),
            }));
        }
        engine.feed(&Input::Segment(segment(6_900, ENDS[2], SERVER, "P.", 101, 501, 10)));
        engine.feed(&Input::Tick(after(7_000)));
        let found = show(&engine).findings;
        let listed = |kind| {
            let finding = found.iter().find(|finding| finding.kind == kind).expect("found");
            engine.flows_of_finding(Some(finding.key())).first
        };
        assert_eq!(listed(Kind::PathMtu), [FlowId(0)]);
        assert_eq!(listed(Kind::PeerSilent), [FlowId(1)]);
    }

    #[test]
    fn the_flows_of_every_finding_can_be_asked_for() {
        let mut found = incident(at(1_000));
        found.extend([scan(at(1_000)), flood(at(1_000))]);
        let told: Vec<_> = found.iter().map(|finding| (finding.kind, concerned(finding.key()))).collect();
        for (kind, flows) in &told {
            match flows {
                None => assert_eq!(*kind, Kind::CaptureLoss),
                Some(Concerned::Flow(_)) => assert_eq!(*kind, Kind::NotReading),
                Some(Concerned::Fitting(filter)) => assert!(Filter::parse(filter).is_ok(), "{kind:?}: {filter}"),
            }
        }
        let of = |about| match concerned(FindingKey { kind: Kind::CloseWaitLeak, about, flow: None }) {
            Some(Concerned::Fitting(filter)) => filter,
            other => panic!("{other:?}"),
        };
        let (service, client) = (end("[2001:db8::2]:80"), end("10.0.0.9:0").ip());
        let own = About::Connections { holder: service.ip(), service };
        assert_eq!(of(own), "resp:[2001:db8::2]:80 state:close-wait");
        assert_eq!(of(About::Listener(end("0.0.0.0:80"))), "service:80");
        assert_eq!(
            of(About::Connections { holder: client, service }),
            "orig:10.0.0.9 resp:[2001:db8::2]:80 state:close-wait"
        );
    }
}
