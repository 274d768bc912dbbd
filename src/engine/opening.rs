//! What the opening of a connection shows: names (by DNS, TLS, HTTP) and where the wait was.
//!
//! Messages come as [`FlowName`]s, the moments between them from the segments while something is still to be learned.
//! First times stand: a segment that brings no new bytes (a retransmission) moves none. The TLS handshake ends with the
//! first application data, as far as the wire tells what that is: up to TLS 1.2 the first record of it from either end;
//! in TLS 1.3, where most of the handshake is dressed as application data, the client's first, which is its last flight
//! (RFC 8446 §2). Early data hides that end, and so does a ServerHello cut before its version: then it is not known.
//! The request is the client's first after that (in TLS 1.3 its second record at the earliest); its answer is the
//! server's first new data that acknowledges any of the request, which in TLS 1.3 may be a session ticket.

#[cfg(test)]
pub(crate) mod fixture;
mod shown;
mod waits;

use crate::base::{Endpoint, Seq, Timestamp};
use crate::names::{FlowName, Message, TlsVersion};
use crate::wire::Segment;

pub use shown::{Exchange, Http, Lookup, NameSource, Opening, PeerName, Tls};
pub use waits::{Wait, WaitKind};

/// A connection's opening: unknown, under way, or with nothing left to learn from further segments.
#[derive(Debug, Clone, Default)]
pub(super) enum Watched {
    #[default]
    None,
    Open(Box<Talk>),
    Settled(Box<Talk>),
}

/// What is shown, and where the conversation stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Talk {
    shown: Opening,
    /// Who sent the ClientHello or the first request.
    client: Option<Endpoint>,
    /// Past the newest byte of the client and of the server.
    next: [Option<Seq>; 2],
    /// The first byte of the request.
    asked_from: Option<Seq>,
}

impl Watched {
    /// What is to be shown, if anything.
    pub(super) const fn shown(&self) -> Option<&Opening> {
        match self {
            Self::None => None,
            Self::Open(talk) | Self::Settled(talk) => Some(&talk.shown),
        }
    }

    /// A segment of the connection, before what it says. At no cost once nothing is left to learn.
    pub(super) fn feed(&mut self, segment: &Segment) {
        if let Self::Open(talk) = self
            && segment.payload_len > 0
            && !segment.flags.rst()
        {
            talk.feed(segment);
            if talk.is_settled() {
                *self = Self::Settled(std::mem::take(talk));
            }
        }
    }

    /// What a segment said that was fed before.
    pub(super) fn hear(&mut self, name: &FlowName) {
        let mut talk = match std::mem::take(self) {
            Self::None => Box::default(),
            Self::Open(talk) | Self::Settled(talk) => talk,
        };
        talk.hear(name);
        *self = if talk.is_settled() { Self::Settled(talk) } else { Self::Open(talk) };
    }

    /// The connection begins, and this lookup was for it.
    pub(super) fn resolve(&mut self, lookup: Option<Lookup>) {
        if lookup.is_some() {
            let shown = Opening { dns: lookup, ..Opening::default() };
            *self = Self::Settled(Box::new(Talk { shown, ..Talk::default() }));
        }
    }
}

impl Talk {
    fn feed(&mut self, segment: &Segment) {
        let Some(client) = self.client else { return };
        let from_client = segment.src == client;
        let next = &mut self.next[usize::from(!from_client)];
        if next.is_some_and(|next| !segment.end().after(next)) {
            return;
        }
        *next = Some(segment.end());
        if from_client { self.client_sent(segment) } else { self.server_sent(segment) }
    }

    fn client_sent(&mut self, segment: &Segment) {
        let in_request = self.shown.exchange.is_some_and(|exchange| exchange.answered.is_none());
        let asks = match &mut self.shown.tls {
            Some(tls) => tls.client_sent(segment.ts, segment.app_records),
            None => false,
        };
        if in_request || asks {
            self.ask(segment.ts, segment.seq);
        }
    }

    fn server_sent(&mut self, segment: &Segment) {
        if let Some(tls) = &mut self.shown.tls {
            tls.server_sent(segment.ts, segment.app_records);
        }
        let heard = self.asked_from.is_some_and(|from| segment.ack.after(from));
        if let Some(exchange) = &mut self.shown.exchange
            && heard
        {
            exchange.answered.get_or_insert(segment.ts);
        }
    }

    /// The request's first byte, or more of it.
    fn ask(&mut self, ts: Timestamp, from: Seq) {
        let exchange = self.shown.exchange.get_or_insert(Exchange { asked: ts, answered: None });
        if exchange.answered.is_none() {
            exchange.asked = exchange.asked.max(ts);
            self.asked_from.get_or_insert(from);
        }
    }

    fn is_settled(&self) -> bool {
        let answered = self.shown.exchange.is_some_and(|exchange| exchange.answered.is_some());
        match &self.shown.tls {
            Some(tls) => tls.is_over() || (tls.data_at.is_some() && answered),
            None => answered || self.shown.exchange.is_none(),
        }
    }

    fn hear(&mut self, name: &FlowName) {
        match &name.message {
            Message::ClientHello(hello) => {
                let begins = self.shown.tls.is_none();
                if begins {
                    self.begin(name.src, name);
                }
                if self.client == Some(name.src) {
                    let tls = self.shown.tls.get_or_insert_default();
                    tls.offered(hello, Some(name.since).filter(|_| begins));
                }
            }
            Message::ServerHello(hello) => {
                let begins = self.shown.tls.is_none();
                if begins {
                    self.begin(name.dst, name);
                }
                if self.client == Some(name.dst) {
                    self.shown.tls.get_or_insert_default().chose(hello, name.since);
                }
            }
            Message::Alert(alert) => {
                self.shown.tls.get_or_insert_default().alerted(*alert, name.src, name.ts);
            }
            Message::Request(request) => self.requested(name, request),
            Message::Response(response) => self.responded(name, response),
            Message::Http2Preface => self.shown.http2 = true,
        }
    }

    /// Who is the client from now on, and how far the speaker has come.
    fn begin(&mut self, client: Endpoint, name: &FlowName) {
        if self.client != Some(client) {
            (self.client, self.next) = (Some(client), [None; 2]);
        }
        self.next[usize::from(name.src != client)] = Some(name.end);
    }

    /// The head of the first request, or the rest of it.
    fn requested(&mut self, name: &FlowName, request: &crate::names::Request) {
        if self.shown.tls.is_some() {
            return;
        }
        match self.shown.http.as_ref().and_then(|http| http.request.as_ref()) {
            // A response before it was to a request that was not captured.
            None => {
                self.begin(name.src, name);
                self.ask(name.ts, name.seq);
            }
            Some(first) if first.host.is_none() && self.asked_from == Some(name.seq) => {}
            Some(_) => return,
        }
        self.shown.http = Some(Http { request: Some(request.clone()), response: None });
    }

    /// The status line of the first response, interim ones left behind.
    fn responded(&mut self, name: &FlowName, response: &crate::names::Response) {
        if self.shown.tls.is_some() {
            return;
        }
        let http = self.shown.http.get_or_insert(Http { request: None, response: None });
        let to_client = self.client.is_none_or(|client| client == name.dst);
        if to_client && http.response.as_ref().is_none_or(crate::names::Response::is_interim) {
            http.response = Some(response.clone());
        }
    }
}

impl Tls {
    fn offered(&mut self, hello: &crate::names::ClientHello, at: Option<Timestamp>) {
        self.hello_at = self.hello_at.or(at);
        self.sni = self.sni.take().or_else(|| hello.sni.clone());
        self.offered = self.offered.take().or_else(|| hello.alpn.clone());
        self.early_data |= hello.early_data;
    }

    fn chose(&mut self, hello: &crate::names::ServerHello, at: Timestamp) {
        if hello.retry {
            self.retried = true;
            return;
        }
        self.answered_at = self.answered_at.or(Some(at));
        self.version = self.version.or(hello.version);
        self.alpn = self.alpn.take().or_else(|| hello.alpn.clone());
    }

    /// The first alert stands, unless it was only a warning.
    fn alerted(&mut self, alert: crate::names::Alert, from: Endpoint, at: Timestamp) {
        if self.alert.is_none_or(|(first, ..)| !first.fatal && alert.fatal) {
            self.alert = Some((alert, from, at));
        }
    }

    /// Records of application data by the client; returns whether any of them can be a request.
    fn client_sent(&mut self, ts: Timestamp, records: u8) -> bool {
        if records == 0 || self.answered_at.is_none() || self.early_data {
            return false;
        }
        let finished = self.data_at.is_none() && self.version.is_none_or(TlsVersion::is_1_3);
        self.data_at.get_or_insert(ts);
        self.version.is_some() && (!finished || records > 1)
    }

    /// Records of application data by the server: those of TLS 1.3 may be its handshake.
    fn server_sent(&mut self, ts: Timestamp, records: u8) {
        let old = self.version.is_some_and(|version| !version.is_1_3());
        if records > 0 && old && self.answered_at.is_some() {
            self.data_at.get_or_insert(ts);
        }
    }

    /// Nothing of its times can be learned any more.
    fn is_over(&self) -> bool {
        let failed = self.alert.is_some_and(|(alert, ..)| alert.fatal);
        failed || self.early_data || (self.data_at.is_some() && self.version.is_none())
    }
}
