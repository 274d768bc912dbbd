//! What a finding is the same by: its kind and what it is about, small and copied, so that a cursor stays on it.

use std::net::IpAddr;

use crate::base::Endpoint;
use crate::flow::FlowId;

use super::finding::{Finding, Kind, Subject};

/// Two findings with one key are the same finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FindingKey {
    pub kind: Kind,
    pub about: About,
    /// Where there may be several about the same: the connection that it was about first.
    pub flow: Option<FlowId>,
}

/// A [`Subject`] without its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    Capture,
    Host,
    Destination(Endpoint),
    Scanner(IpAddr),
    Listener(Endpoint),
    Process { pid: u32, start_time: Option<u64> },
    Connections { holder: IpAddr, service: Endpoint },
    Route { from: IpAddr, to: Endpoint },
    Path { from: IpAddr, to: IpAddr },
    Flow(FlowId, Endpoint),
}

impl Finding {
    /// What tells it from every other.
    pub fn key(&self) -> FindingKey {
        let about = match &self.subject {
            Subject::Capture => About::Capture,
            Subject::Host => About::Host,
            Subject::Destination(end) => About::Destination(*end),
            Subject::Scanner(from) => About::Scanner(*from),
            Subject::Listener(end) => About::Listener(*end),
            Subject::Process { pid, start_time, .. } => About::Process { pid: *pid, start_time: *start_time },
            Subject::Connections { holder, service } => About::Connections { holder: *holder, service: *service },
            Subject::Route { from, to } => About::Route { from: *from, to: *to },
            Subject::Path { from, to } => About::Path { from: *from, to: *to },
            Subject::Flow { id, local, .. } => About::Flow(*id, *local),
        };
        let flow = self.flow.filter(|_| self.kind == Kind::PeerSilent);
        FindingKey { kind: self.kind, about, flow }
    }
}
