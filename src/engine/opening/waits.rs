//! Where the wait was, on one axis of time: the lookup, the handshake, TLS, the first request.

use std::time::Duration;

use crate::base::Timestamp;
use crate::engine::{FlowDetail, Lookup, Opening};
use crate::flow::HandshakeView;

/// What was waited for, in the order in which a connection waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitKind {
    /// From the (first) DNS query to its answer, where the SYN came soon after.
    Dns,
    /// From the first SYN to the ACK that completes the handshake.
    Tcp,
    /// From the ClientHello to the first application data.
    Tls,
    /// From the first request to the first byte of its answer.
    Request,
}

impl WaitKind {
    /// As screens write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Request => "request",
        }
    }
}

/// A wait whose beginning was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub kind: WaitKind,
    pub from: Timestamp,
    /// `None` where its end was not captured, or cannot be told.
    pub to: Option<Timestamp>,
}

impl Wait {
    /// How long it lasted.
    pub fn time(&self) -> Option<Duration> {
        self.to.map(|to| to.since(self.from))
    }
}

impl FlowDetail {
    /// When the first SYN came, where it was captured.
    pub fn syn_at(&self) -> Option<Timestamp> {
        self.handshake.as_ref().and_then(|view| view.syn_at)
    }

    /// What is spoken, in words; nothing where that was not captured.
    pub fn spoken(&self) -> Vec<String> {
        let opening = self.opening.as_ref();
        opening.map_or_else(Vec::new, |opening| opening.facts(self.row.orig.endpoint, self.syn_at()))
    }

    /// The waits, as far as the capture shows them, in order.
    pub fn waits(&self) -> Vec<Wait> {
        waits(self.opening.as_deref(), self.handshake.as_ref())
    }
}

/// What a flow's opening and handshake show of waits, in order.
pub(in crate::engine) fn waits(opening: Option<&Opening>, handshake: Option<&HandshakeView>) -> Vec<Wait> {
    let syn_at = handshake.and_then(|view| view.syn_at);
    let awaited = |lookup: &&Lookup| syn_at.is_some_and(|syn_at| lookup.is_awaited(syn_at));
    let dns = opening.and_then(|opening| opening.dns.as_ref()).filter(awaited);
    let dns = dns.and_then(|lookup| Some((lookup.asked?, Some(lookup.answered))));
    let tcp = handshake.filter(|view| view.connect_time.is_some());
    let tcp = tcp.and_then(|view| Some((view.syn_at?, Some(view.ack_at?))));
    let tls = opening.and_then(|opening| opening.tls.as_ref());
    let tls = tls.and_then(|tls| Some((tls.hello_at?, tls.data_at)));
    let request = opening.and_then(|opening| opening.exchange);
    let request = request.map(|exchange| (exchange.asked, exchange.answered));
    let waits = [(WaitKind::Dns, dns), (WaitKind::Tcp, tcp), (WaitKind::Tls, tls), (WaitKind::Request, request)];
    let wait = |(kind, times): (WaitKind, Option<(Timestamp, Option<Timestamp>)>)| {
        times.map(|(from, to)| Wait { kind, from, to })
    };
    waits.into_iter().filter_map(wait).collect()
}
