//! Which flows that went wrong a finding tells of already, so that a report does not say it twice. Pure.

use crate::base::Endpoint;
use crate::engine::{FlowDetail, FlowId};
use crate::findings::{Finding, Kind, Subject};
use crate::flow::Side;

use super::findings::takes;
use super::pick::Trouble;

/// A flow that went wrong, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) id: FlowId,
    resp: Endpoint,
    /// The responder is on this host.
    here: bool,
}

impl Wrong {
    pub(super) fn of(detail: &FlowDetail) -> Self {
        let resp = &detail.row.resp;
        Self { id: detail.row.id, resp: resp.endpoint, here: resp.local == Some(true) }
    }
}

/// Whether one of the findings is of the trouble of this flow, whose details `detail` gives where they are needed.
pub(super) fn is_told(
    findings: &[Finding],
    trouble: Trouble,
    wrong: &Wrong,
    detail: &dyn Fn(FlowId) -> Option<FlowDetail>,
) -> bool {
    let any = |test: &dyn Fn(&Finding) -> bool| findings.iter().any(test);
    let to = |kinds: &[Kind]| {
        any(&|finding| kinds.contains(&finding.kind) && finding.subject == Subject::Destination(wrong.resp))
    };
    match trouble {
        Trouble::Refused => to(&[Kind::ConnectsRefused]),
        Trouble::TimedOut | Trouble::NoAnswerYet => {
            to(&[Kind::ConnectsUnanswered, Kind::ConnectsRejected]) || any(&|finding| is_dropped_by(finding, wrong))
        }
        Trouble::WindowClosed => any(&|finding| finding.kind == Kind::NotReading && is_of(finding, wrong.id, detail)),
        Trouble::CloseWait => any(&|finding| finding.kind == Kind::CloseWaitLeak && is_of(finding, wrong.id, detail)),
        _ => false,
    }
}

fn is_dropped_by(finding: &Finding, wrong: &Wrong) -> bool {
    let Subject::Listener(listens) = finding.subject else { return false };
    finding.kind == Kind::AcceptOverflow && wrong.here && takes(listens, wrong.resp)
}

fn is_of(finding: &Finding, flow: FlowId, detail: &dyn Fn(FlowId) -> Option<FlowDetail>) -> bool {
    if let Subject::Flow { id, .. } = finding.subject {
        return id == flow;
    }
    let Some(detail) = detail(flow) else { return false };
    let ends = Side::BOTH.map(|side| detail.row.end(side));
    match &finding.subject {
        Subject::Process { pid, start_time, .. } => {
            let processes = ends.into_iter().filter_map(|end| end.owner.process());
            processes.into_iter().any(|process| (process.pid, process.start_time) == (*pid, *start_time))
        }
        Subject::Connections { holder, service } => {
            detail.row.resp.endpoint == *service && ends.iter().any(|end| end.endpoint.ip() == *holder)
        }
        _ => false,
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
        is_told(&[finding], trouble, &Wrong::of(detail), &|_| Some(detail.clone()))
    }

    #[test]
    fn a_finding_tells_of_its_own_flows_alone() {
        use Kind::{AcceptOverflow, CloseWaitLeak, ConnectsRefused, ConnectsUnanswered, NotReading};
        let end = |ip: [u8; 4], port| Endpoint::new(ip, port);
        let to = |port| Subject::Destination(end([198, 51, 100, 20], port));
        let refused = fixture::refused(1);
        assert!(told(Trouble::Refused, &refused, ConnectsRefused, to(6_379)));
        assert!(!told(Trouble::Refused, &refused, ConnectsRefused, to(6_380)));
        assert!(!told(Trouble::Refused, &refused, ConnectsUnanswered, to(6_379)), "that others were not answered");

        let mut silent = fixture::timed_out(2);
        let listener = || Subject::Listener(end([0, 0, 0, 0], 9_200));
        assert!(!told(Trouble::TimedOut, &silent, AcceptOverflow, listener()), "another host's");
        silent.row.resp.local = Some(true);
        assert!(told(Trouble::TimedOut, &silent, AcceptOverflow, listener()));
        assert!(!told(Trouble::Reset, &silent, AcceptOverflow, listener()));

        let closed = fixture::window_closed(3);
        let (local, peer) = (closed.row.resp.endpoint, closed.row.orig.endpoint);
        let flow = |id| Subject::Flow { id: FlowId(id), local, peer };
        assert!(told(Trouble::WindowClosed, &closed, NotReading, flow(3)));
        assert!(!told(Trouble::WindowClosed, &closed, NotReading, flow(4)));

        let waits = fixture::close_wait(4);
        let process = waits.row.orig.owner.process().expect("a process");
        assert!(told(Trouble::CloseWait, &waits, CloseWaitLeak, Subject::process(process)));
        let of = |service| Subject::Connections { holder: waits.row.orig.endpoint.ip(), service };
        assert!(told(Trouble::CloseWait, &waits, CloseWaitLeak, of(waits.row.resp.endpoint)));
        assert!(!told(Trouble::CloseWait, &waits, CloseWaitLeak, of(end([198, 51, 100, 5], 81))));
    }
}
