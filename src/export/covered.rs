//! Which flows that went wrong a finding tells of already, so that a report does not say it twice. Pure.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::base::Endpoint;
use crate::engine::{FlowDetail, FlowId, Gist};
use crate::findings::{Finding, Kind, Subject};
use crate::flow::Side;

use super::findings::takes;
use super::pick::Trouble;

/// A flow that went wrong, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) id: FlowId,
    orig: IpAddr,
    resp: Endpoint,
    /// The responder is on this host.
    here: bool,
    /// Of which of its ends what it sends goes unanswered, or the path does not take it.
    in_vain: [bool; 2],
}

impl Wrong {
    pub(super) fn of(gist: &Gist, in_vain: [bool; 2]) -> Self {
        Self { id: gist.id, orig: gist.orig.ip(), resp: gist.resp, here: gist.resp_is_here, in_vain }
    }
}

/// What findings tell of, to be asked for each flow of a report: there may be as many findings as flows.
#[derive(Debug, Default)]
pub(super) struct Told {
    destinations: HashSet<(Kind, Endpoint)>,
    scanners: HashSet<IpAddr>,
    full: Vec<Endpoint>,
    flooded: HashSet<Endpoint>,
    flows: HashSet<(Kind, FlowId)>,
    processes: HashSet<(Kind, u32, Option<u64>)>,
    connections: HashSet<(Kind, IpAddr, Endpoint)>,
    paths: HashSet<(IpAddr, IpAddr)>,
}

impl Told {
    pub(super) fn by(findings: &[Finding]) -> Self {
        let mut told = Self::default();
        for Finding { kind, subject, .. } in findings {
            let _new = match subject {
                Subject::Destination(to) => told.destinations.insert((*kind, *to)),
                Subject::Scanner(from) => told.scanners.insert(*from),
                Subject::Flow { id, .. } => told.flows.insert((*kind, *id)),
                Subject::Process { pid, start_time, .. } => told.processes.insert((*kind, *pid, *start_time)),
                Subject::Connections { holder, service } => told.connections.insert((*kind, *holder, *service)),
                Subject::Path { from, to } => told.paths.insert((*from, *to)),
                Subject::Listener(to) if *kind == Kind::SynFlood => told.flooded.insert(*to),
                Subject::Listener(listens) => {
                    told.full.extend(Some(*listens).filter(|_| *kind == Kind::AcceptOverflow));
                    true
                }
                _ => false,
            };
        }
        told
    }

    /// Whether one of the findings is of the trouble of this flow, whose details `detail` gives where they are needed.
    pub(super) fn covers(
        &self,
        trouble: Trouble,
        wrong: &Wrong,
        detail: &dyn Fn(FlowId) -> Option<FlowDetail>,
    ) -> bool {
        let scans = self.scanners.contains(&wrong.orig);
        let to = |kind| scans || self.destinations.contains(&(kind, wrong.resp));
        let flooded = || self.flooded.contains(&wrong.resp);
        match trouble {
            Trouble::Refused => to(Kind::ConnectsRefused),
            Trouble::Rejected => to(Kind::ConnectsRejected),
            Trouble::NoAnswer | Trouble::GivenUp | Trouble::NoAnswerYet => {
                let dropped = || wrong.here && self.full.iter().any(|listens| takes(*listens, wrong.resp));
                to(Kind::ConnectsUnanswered) || flooded() || dropped()
            }
            Trouble::HalfOpen => flooded(),
            Trouble::WindowClosed => self.is_of(Kind::NotReading, wrong.id, detail),
            Trouble::CloseWait => self.is_of(Kind::CloseWaitLeak, wrong.id, detail),
            // Other flows between the same addresses may be answered.
            Trouble::Unanswered => {
                let (orig, resp) = (wrong.orig, wrong.resp.ip());
                let paths = [(orig, resp), (resp, orig)];
                paths.iter().zip(wrong.in_vain).any(|(path, in_vain)| in_vain && self.paths.contains(path))
            }
            _ => false,
        }
    }

    fn is_of(&self, kind: Kind, flow: FlowId, detail: &dyn Fn(FlowId) -> Option<FlowDetail>) -> bool {
        if self.flows.contains(&(kind, flow)) {
            return true;
        }
        if self.processes.is_empty() && self.connections.is_empty() {
            return false;
        }
        let Some(detail) = detail(flow) else { return false };
        let service = detail.row.resp.endpoint;
        Side::BOTH.into_iter().map(|side| detail.row.end(side)).any(|end| {
            let held = end
                .owner
                .process()
                .is_some_and(|process| self.processes.contains(&(kind, process.pid, process.start_time)));
            held || self.connections.contains(&(kind, end.endpoint.ip(), service))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;
    use crate::findings::Finding;

    /// Whether `trouble` of a flow is told by a finding of this kind and subject.
    fn told(trouble: Trouble, detail: &FlowDetail, kind: Kind, subject: Subject) -> bool {
        let any = fixture::live_dashboard().findings.remove(0);
        let finding = Finding { kind, subject, ..any };
        Told::by(&[finding]).covers(trouble, &Wrong::of(&Gist::from(detail), detail.in_vain), &|_| Some(detail.clone()))
    }

    #[test]
    fn a_finding_tells_of_its_own_flows_alone() {
        use Kind::{AcceptOverflow, CloseWaitLeak, ConnectsRefused, ConnectsUnanswered, NotReading, PeerSilent};
        let end = |ip: [u8; 4], port| Endpoint::new(ip, port);
        let to = |port| Subject::Destination(end([198, 51, 100, 20], port));
        let refused = fixture::refused(1);
        assert!(told(Trouble::Refused, &refused, ConnectsRefused, to(6_379)));
        assert!(!told(Trouble::Refused, &refused, ConnectsRefused, to(6_380)));
        assert!(!told(Trouble::Refused, &refused, ConnectsUnanswered, to(6_379)), "that others were not answered");
        let scanner = |from| Subject::Scanner(from);
        assert!(told(Trouble::Refused, &refused, Kind::Scan, scanner(refused.row.orig.endpoint.ip())));
        assert!(!told(Trouble::Refused, &refused, Kind::Scan, scanner(refused.row.resp.endpoint.ip())));

        let flooded = |ip, port| Subject::Listener(end(ip, port));
        for trouble in [Trouble::HalfOpen, Trouble::NoAnswer, Trouble::NoAnswerYet] {
            assert!(told(trouble, &refused, Kind::SynFlood, flooded([198, 51, 100, 20], 6_379)));
            assert!(!told(trouble, &refused, Kind::SynFlood, flooded([198, 51, 100, 20], 6_380)));
        }
        assert!(!told(Trouble::Refused, &refused, Kind::SynFlood, flooded([198, 51, 100, 20], 6_379)));

        let mut silent = fixture::timed_out(2);
        let listener = || Subject::Listener(end([0, 0, 0, 0], 9_200));
        assert!(!told(Trouble::NoAnswer, &silent, AcceptOverflow, listener()), "another host's");
        silent.row.resp.local = Some(true);
        assert!(told(Trouble::NoAnswer, &silent, AcceptOverflow, listener()));
        assert!(!told(Trouble::Reset, &silent, AcceptOverflow, listener()));

        let closed = fixture::window_closed(3);
        let (local, peer) = (closed.row.resp.endpoint, closed.row.orig.endpoint);
        let flow = |id| Subject::Flow { id: FlowId(id), local, peer };
        assert!(told(Trouble::WindowClosed, &closed, NotReading, flow(3)));
        assert!(!told(Trouble::WindowClosed, &closed, NotReading, flow(4)));

        let mut unanswered = fixture::completed(5);
        let (orig, resp) = (unanswered.row.orig.endpoint.ip(), unanswered.row.resp.endpoint.ip());
        let path = |from, to| Subject::Path { from, to };
        for (in_vain, there, back) in
            [([false; 2], false, false), ([true, false], true, false), ([false, true], false, true)]
        {
            unanswered.in_vain = in_vain;
            assert_eq!(told(Trouble::Unanswered, &unanswered, PeerSilent, path(orig, resp)), there, "{in_vain:?}");
            assert_eq!(told(Trouble::Unanswered, &unanswered, PeerSilent, path(resp, orig)), back, "{in_vain:?}");
        }
        assert!(!told(
            Trouble::Unanswered,
            &unanswered,
            PeerSilent,
            path(resp, std::net::IpAddr::from([203, 0, 113, 9]))
        ));

        let waits = fixture::close_wait(4);
        let process = waits.row.orig.owner.process().expect("a process");
        assert!(told(Trouble::CloseWait, &waits, CloseWaitLeak, Subject::process(process)));
        let of = |service| Subject::Connections { holder: waits.row.orig.endpoint.ip(), service };
        assert!(told(Trouble::CloseWait, &waits, CloseWaitLeak, of(waits.row.resp.endpoint)));
        assert!(!told(Trouble::CloseWait, &waits, CloseWaitLeak, of(end([198, 51, 100, 5], 81))));
    }
}
