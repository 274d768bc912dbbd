//! The findings of a report: the engine's, those about connects over the whole source; and their JSON. Pure.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use foldhash::fast::RandomState;
use serde::Serialize;
use serde_json::{Map, Number, Value as Json};

use crate::base::{Endpoint, Timestamp};
use crate::engine::{Dashboard, Gist};
use crate::findings::{
    Askers, Connects, Failures, Finding, Holder, Kind, Subject, TRIED_IN_VAIN, Tries, Value, Way, connects, sort,
    suspects, without_flooded,
};
use crate::flow::{HandshakeOutcome, HandshakeView};

use super::summary::Tally;

/// What is wrong, the worst first: connects as the flows counted in `tally` tell of the whole source (the engine speaks
/// of its last minute), all else as it stands at the end. Where an address may scan, `again` tells the same flows once
/// more: of whoever else was answered nothing is kept.
pub fn findings(dashboard: &Dashboard, tally: &Tally, again: impl FnOnce(&mut dyn FnMut(&Gist))) -> Vec<Finding> {
    let now = dashboard.findings.iter().filter(|finding| !finding.kind.is_connects()).cloned();
    let mut all: Vec<Finding> = now.collect();
    let connects = connects(&tally.attempts.evidence(dashboard, again));
    let connects = without_flooded(connects, &all);
    all.extend(connects);
    sort(&mut all);
    all
}

/// Whether a listener at `listens` takes connections to `to`, an end of its own host.
pub(super) fn takes(listens: Endpoint, to: Endpoint) -> bool {
    listens.port() == to.port() && (listens.ip() == to.ip() || listens.ip().is_unspecified())
}

/// What became of connects, by destination.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    /// How many completed: nearly all do, so that they are counted apart. Packets choose the keys.
    completed: HashMap<Endpoint, u64, RandomState>,
    failed: BTreeMap<Endpoint, Failed>,
}

/// Those of one destination that failed.
#[derive(Debug, Clone)]
struct Failed {
    told: Connects,
    askers: Askers,
    /// The destination is on this host.
    here: bool,
}

impl Attempts {
    /// Counts one flow.
    pub(super) fn count(&mut self, gist: &Gist) {
        let Some(handshake) = &gist.handshake else { return };
        if handshake.outcome.is_completed() {
            *self.completed.entry(gist.resp).or_default() += 1;
            return;
        }
        let Some(way) = way(handshake) else { return };
        let Gist { id, first, last, ref asker, .. } = *gist;
        let Failed { told, askers, here } = self.failed(gist.resp);
        let waits = handshake.outcome == HandshakeOutcome::Waiting && way == Way::Unanswered;
        told.waiting += u64::from(waits);
        told.given_up += u64::from(handshake.outcome == HandshakeOutcome::GivenUp);
        told.rejection = gist.rejected.as_ref().map(ToString::to_string).or(told.rejection.take());
        let failures = told.failures_mut(way);
        let one = Failures { count: u64::from(!waits), first, last, flow: id };
        *failures = Some(Failures::and(*failures, one));
        *here = gist.resp_is_here;
        asker.iter().for_each(|process| askers.note(process));
        told.by.note(Tries::of(gist.orig.ip(), first, last, id, asker.clone()).and_failed(way));
    }

    fn failed(&mut self, to: Endpoint) -> &mut Failed {
        let fresh = || Failed { told: Connects::to(to), askers: Askers::default(), here: false };
        self.failed.entry(to).or_insert_with(fresh)
    }

    /// Adds what was counted of the flows that come after all that were counted here.
    pub(super) fn add(&mut self, later: Self) {
        for (to, more) in later.completed {
            *self.completed.entry(to).or_default() += more;
        }
        for (to, more) in later.failed {
            let Failed { told, askers, here } = self.failed(to);
            told.add(more.told);
            askers.add(&more.askers);
            *here |= more.here;
        }
    }

    fn evidence(&self, dashboard: &Dashboard, again: impl FnOnce(&mut dyn FnMut(&Gist))) -> Vec<Connects> {
        let lossy = dashboard.loss.is_some_and(|loss| loss.unseen() > 0);
        let full: Vec<Endpoint> = dashboard.findings.iter().filter_map(full_listener).collect();
        let completed = |to: &Endpoint| self.completed.get(to).copied();
        let told = |to: &Endpoint, failed: &Failed| Connects {
            completed: completed(to).unwrap_or(0),
            who: failed.askers.most(),
            listener_is_full: failed.here && full.iter().any(|listens| takes(*listens, *to)),
            lossy,
            ..failed.told.clone()
        };
        let failed = self.failed.iter().map(|(to, failed)| (*to, told(to, failed)));
        let mut all: BTreeMap<Endpoint, Connects> = failed.collect();
        // Whoever failed with many is told of with those that answered.
        let suspects = suspects(all.values());
        if !suspects.is_empty() {
            again(&mut |gist| {
                let (from, to) = (gist.orig.ip(), gist.resp);
                let answered = gist.handshake.as_ref().is_some_and(HandshakeView::is_answered);
                if answered && suspects.contains(&from) {
                    let fresh = || Connects { completed: completed(&to).unwrap_or(0), lossy, ..Connects::to(to) };
                    let tries = Tries::of(from, gist.first, gist.last, gist.id, None);
                    all.entry(to).or_insert_with(fresh).by.note(tries.and_answered());
                }
            });
        }
        all.into_values().collect()
    }
}

/// How it failed, as far as it did.
const fn way(handshake: &HandshakeView) -> Option<Way> {
    match handshake.outcome {
        HandshakeOutcome::Refused => Some(Way::Refused),
        // One that its originator took back, nobody was waited for to answer.
        HandshakeOutcome::Partial | HandshakeOutcome::Reset => None,
        _ if handshake.is_answered() => None,
        HandshakeOutcome::Rejected => Some(Way::Rejected),
        // It is told that nobody has answered so far, also where the source ends before the last retry.
        HandshakeOutcome::Waiting if handshake.syn_retries < TRIED_IN_VAIN => None,
        _ => Some(Way::Unanswered),
    }
}

fn full_listener(finding: &Finding) -> Option<Endpoint> {
    match (finding.kind, &finding.subject) {
        (Kind::AcceptOverflow, Subject::Listener(listens)) => Some(*listens),
        _ => None,
    }
}

/// A finding. `type` is "finding".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FindingRecord {
    r#type: &'static str,
    /// What is wrong: connects_refused, connects_rejected, connects_unanswered, scan, not_reading, peer_silent,
    /// path_unreachable, path_mtu, close_wait_leak, syn_flood, accept_overflow, ports_run_out, capture_loss. More may come at
    /// any version.
    kind: &'static str,
    /// info, warning, critical.
    severity: &'static str,
    /// low, medium (inferred: by the wire alone, or from a trend), high (counted by the kernel, or said by the very
    /// segments).
    confidence: &'static str,
    /// What it is about. The same kind and subject are the same finding.
    subject: SubjectRecord,
    /// Since when it has held, as far as was watched.
    since_ts_ns: i64,
    /// Who holds or asks for it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<ProcessRecord>,
    /// A flow of this report that shows it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<u64>,
    /// Numbers (and names) by name, in the units that names of flows have; those that a kind has depend on it.
    evidence: Map<String, Json>,
    /// The numbers, the meaning and the remedy, for readers.
    told: String,
    why: String,
    remedy: String,
}

/// What a finding is about: `type`, and the fields that this one has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SubjectRecord {
    Capture,
    Host,
    Destination {
        addr: IpAddr,
        port: u16,
    },
    /// Who scans.
    Scanner {
        addr: IpAddr,
    },
    Listener {
        addr: IpAddr,
        port: u16,
    },
    /// Named in `process`.
    Process {
        pid: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_time: Option<u64>,
        comm: String,
    },
    /// Connections at `addr` with (or of) a service, whose process is not known.
    Connections {
        addr: IpAddr,
        service: String,
    },
    Route {
        from: IpAddr,
        to: String,
    },
    /// The connections of two addresses, whichever opened them.
    Path {
        from: IpAddr,
        to: IpAddr,
    },
    /// A flow of this report, at its end `local`.
    Flow {
        id: u64,
        local: String,
        peer: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ProcessRecord {
    pid: u32,
    comm: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fd: Option<u32>,
    /// How many more hold or ask for it.
    others: usize,
}

impl FindingRecord {
    pub(super) fn of(finding: &Finding) -> Self {
        let value = |value: &Value| match value {
            Value::Count(number) => Json::from(*number),
            Value::At(at) => Json::from(Timestamp::nanos(*at)),
            Value::Rate(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::from(text.as_str()),
        };
        Self {
            r#type: "finding",
            kind: finding.kind.key(),
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
            subject: SubjectRecord::of(&finding.subject),
            since_ts_ns: Timestamp::nanos(finding.since),
            process: finding.who.as_ref().map(ProcessRecord::of),
            flow: finding.flow.map(|flow| flow.0),
            evidence: finding.evidence.iter().map(|fact| (fact.name.to_owned(), value(&fact.value))).collect(),
            told: finding.told.clone(),
            why: finding.why.clone(),
            remedy: finding.remedy.clone(),
        }
    }
}

impl SubjectRecord {
    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::Capture => Self::Capture,
            Subject::Host => Self::Host,
            Subject::Destination(end) => Self::Destination { addr: end.ip(), port: end.port() },
            Subject::Scanner(from) => Self::Scanner { addr: *from },
            Subject::Listener(end) => Self::Listener { addr: end.ip(), port: end.port() },
            Subject::Process { pid, start_time, comm } => {
                Self::Process { pid: *pid, start_time: *start_time, comm: comm.to_string() }
            }
            Subject::Connections { holder, service } => {
                Self::Connections { addr: *holder, service: service.to_string() }
            }
            Subject::Route { from, to } => Self::Route { from: *from, to: to.to_string() },
            Subject::Path { from, to } => Self::Path { from: *from, to: *to },
            Subject::Flow { id, local, peer } => {
                Self::Flow { id: id.0, local: local.to_string(), peer: peer.to_string() }
            }
        }
    }
}

impl ProcessRecord {
    fn of(holder: &Holder) -> Self {
        let Holder { process, fd, others } = holder;
        let text = |text: &crate::base::Scrubbed| text.to_string();
        Self { pid: process.pid, comm: text(&process.comm), user: text(&process.user), fd: *fd, others: *others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{FlowDetail, Rejection};
    use crate::export::fixture;
    use crate::wire::IcmpError;

    fn told(flows: &[FlowDetail], dashboard: &Dashboard) -> Vec<(Kind, String, String)> {
        let mut tally = Tally::new();
        flows.iter().for_each(|detail| tally.count(&Gist::from(detail)));
        let all =
            findings(dashboard, &tally, |tell| flows.iter().for_each(|detail| tell(&Gist::from(detail)))).into_iter();
        all.map(|finding| (finding.kind, finding.subject.to_string(), finding.told)).collect()
    }

    #[test]
    fn connects_are_of_the_whole_source() {
        let here = |detail: FlowDetail| {
            let mut detail = detail;
            detail.row.resp.endpoint = Endpoint::new([198, 51, 100, 20], 6_379);
            detail
        };
        let mut flows: Vec<FlowDetail> = (0..3).map(fixture::refused).collect();
        flows.extend([here(fixture::completed(3)), here(fixture::timed_out(4)), here(fixture::timed_out(5))]);
        flows.extend([fixture::partial(6), fixture::kernel_only(7), fixture::completed(8)]);
        let line = |told: &str| (Kind::ConnectsRefused, "198.51.100.20:6379".to_owned(), told.to_owned());
        assert_eq!(told(&flows, &fixture::dashboard()), [line("3 of 6 connects")]);
        // What the dashboard tells of its last minute is not told beside it.
        let of_live = told(&flows, &fixture::live_dashboard());
        assert_eq!(
            of_live.iter().filter(|(kind, ..)| kind.is_connects()).cloned().collect::<Vec<_>>(),
            [line("3 of 6 connects")]
        );
        assert!(of_live.len() > 1, "all else is");
    }

    #[test]
    fn a_port_that_many_use_hides_no_scan() {
        let from = |n: u8, port: u16, detail: FlowDetail| {
            let mut detail = detail;
            detail.row.orig.endpoint = Endpoint::new([203, 0, 113, n], 40_000);
            detail.row.resp.endpoint = Endpoint::new([198, 51, 100, 20], port);
            detail
        };
        // Port 15 answers twenty clients and refuses the scanner; port 16 answers both.
        let clients = (1..=20).flat_map(|n| [15, 16].map(|port| from(n, port, fixture::completed(u64::from(n)))));
        let mut flows: Vec<FlowDetail> = clients.collect();
        flows.extend((1..=15).map(|port| from(99, port, fixture::refused(u64::from(port) + 100))));
        flows.push(from(99, 16, fixture::completed(120)));
        let told: Vec<String> = told(&flows, &fixture::dashboard()).into_iter().map(|(.., told)| told).collect();
        assert_eq!(told, ["16 ports of 198.51.100.20: 15 refused, 1 answered"]);
        flows.pop();
        let told = self::told(&flows, &fixture::dashboard()).remove(0).2;
        assert_eq!(told, "15 ports of 198.51.100.20: 15 refused");
    }

    #[test]
    fn an_icmp_error_counts_unless_the_syn_still_waits() {
        let rejected = |id, outcome| {
            let mut detail = fixture::timed_out(id);
            detail.handshake.as_mut().unwrap().outcome = outcome;
            let error = IcmpError { v6: false, kind: 3, code: 10 };
            detail.rejected = Some(Rejection { at: fixture::at(3.0), from: [10, 0, 0, 1].into(), error });
            detail
        };
        for (outcome, kind, told) in [
            (HandshakeOutcome::Rejected, Kind::ConnectsRejected, "all of 3 connects"),
            (HandshakeOutcome::Waiting, Kind::ConnectsUnanswered, "3 connects wait in vain"),
        ] {
            let flows: Vec<FlowDetail> = (0..3).map(|id| rejected(id, outcome)).collect();
            let all = self::told(&flows, &fixture::dashboard());
            assert_eq!(all, [(kind, "198.51.100.99:9200".to_owned(), told.to_owned())]);
        }
    }

    #[test]
    fn a_full_listener_of_this_host_tells_of_its_unanswered_syns() {
        let silent = |id, local| {
            let mut detail = fixture::timed_out(id);
            detail.row.resp.endpoint = Endpoint::new([192, 0, 2, 10], 8_080);
            detail.row.resp.local = Some(local);
            detail
        };
        let told = |local| {
            let flows: Vec<FlowDetail> = (0..3).map(|id| silent(id, local)).collect();
            told(&flows, &fixture::live_dashboard()).iter().filter(|(kind, ..)| kind.is_connects()).count()
        };
        assert_eq!((told(true), told(false)), (0, 1), "its own; another host's of that port");
    }

    #[test]
    fn a_flood_tells_of_the_unanswered_syns_of_its_listener_since_it_began() {
        let told = |port, since| {
            let mut dashboard = fixture::dashboard();
            let flood = crate::findings::fixture::flood(fixture::at(60.0));
            let subject = Subject::Listener(Endpoint::new([198, 51, 100, 99], port));
            dashboard.findings = vec![Finding { subject, since: fixture::at(since), ..flood }];
            let flows: Vec<FlowDetail> = (0..3).map(fixture::timed_out).collect();
            told(&flows, &dashboard).into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>()
        };
        assert_eq!(told(9_200, 0.0), [Kind::SynFlood]);
        assert_eq!(told(9_201, 0.0), [Kind::ConnectsUnanswered, Kind::SynFlood]);
        assert_eq!(told(9_200, 59.0), [Kind::ConnectsUnanswered, Kind::SynFlood]);
    }

    #[test]
    fn findings_for_programs() {
        let mut all = fixture::live_dashboard().findings;
        all.sort_by_key(|finding| (finding.kind, finding.subject.clone()));
        let records: Vec<FindingRecord> = all.iter().map(FindingRecord::of).collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&records).unwrap());
    }
}
