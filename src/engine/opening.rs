//! What the opening of a connection shows: names (by DNS, TLS, HTTP) and where the wait was.
//!
//! Messages come as [`FlowName`]s, the moments between them from the segments while something is still to be learned.
//! First times stand: a segment that brings no new bytes (a retransmission) moves none, and none is taken from bytes
//! behind a hole: what was not captured may have been the first. The TLS handshake ends with the
//! first application data, as far as the wire tells what that is: up to TLS 1.2 the first record of it from either end;
//! in TLS 1.3, where most of the handshake is dressed as application data, the client's first, which is its last flight
//! (RFC 8446 §2). Early data hides that end, and so does a ServerHello cut before its version: then it is not known.
//! The request is the client's first after that (in TLS 1.3 its second record at the earliest); its answer is the
//! very next byte from the server, in a segment that acknowledges any of the request, and in TLS 1.3 behind the session
//! tickets.

#[cfg(test)]
pub(crate) mod fixture;
mod shown;
mod tickets;
mod waits;

use crate::base::{Endpoint, Seq, Timestamp};
use crate::names::{FlowName, Message, TlsVersion};
use crate::wire::{AppRecords, Segment};

pub use shown::{Exchange, Http, Lookup, NameSource, Opening, PeerName, Tls};
use tickets::{Tickets, Verdict};
pub(super) use waits::waits;
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
    /// Whose segments left a hole so far: the client's, the server's.
    holed: [bool; 2],
    /// The first application data was behind a hole: when the TLS handshake was over is not known.
    missed: bool,
    /// The first byte of the request, and of the answer where the request tells it.
    asked_from: Option<Seq>,
    answer_from: Option<Seq>,
    /// Of the answer, whether its first byte is awaited while others were seen, or was never captured.
    answer: Answer,
    tickets: Tickets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Answer {
    #[default]
    Awaited,
    Begun,
    Missed,
}

impl Watched {
    /// What it holds beside itself and alone, bytes: texts are shared with every copy.
    pub(super) const fn held(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Open(_) | Self::Settled(_) => size_of::<Talk>(),
        }
    }

    /// What is to be shown, if anything.
    pub(super) const fn shown(&self) -> Option<&Opening> {
        match self {
            Self::None => None,
            Self::Open(talk) | Self::Settled(talk) => Some(&talk.shown),
        }
    }

    /// A segment of the connection, before what it says. At no cost once nothing is left to learn.
    #[inline]
    pub(super) fn feed(&mut self, segment: &Segment) {
        if matches!(self, Self::Open(_)) {
            self.feed_open(segment);
        }
    }

    #[inline(never)]
    fn feed_open(&mut self, segment: &Segment) {
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
        let side = usize::from(segment.src != client);
        if side == 1 {
            self.take_answer(segment);
        }
        if let Some(next) = self.next[side] {
            if !segment.end().after(next) {
                return;
            }
            self.holed[side] |= segment.seq.after(next);
        }
        self.next[side] = Some(segment.end());
        if side == 0 { self.client_sent(segment) } else { self.server_sent(segment) }
    }

    fn client_sent(&mut self, segment: &Segment) {
        let in_request = self.shown.exchange.is_some_and(|exchange| exchange.answered.is_none());
        let asks = match &mut self.shown.tls {
            Some(tls) if segment.app_records.count > 0 && !self.missed => {
                self.missed = self.holed[0] && tls.data_at.is_none();
                !self.missed && tls.client_sent(segment.ts, segment.app_records)
            }
            _ => false,
        };
        if in_request || asks {
            self.ask(segment.ts, segment.seq, Some(segment.ack).filter(|_| segment.flags.ack()));
        }
    }

    fn server_sent(&mut self, segment: &Segment) {
        if let Some(tls) = &mut self.shown.tls
            && segment.app_records.count > 0
            && !self.missed
            && tls.may_speak_first()
        {
            self.missed = self.holed[1];
            tls.data_at = Some(segment.ts).filter(|_| !self.missed);
        }
        if self.shown.exchange.is_none() && self.shown.tls.as_ref().is_some_and(|tls| tls.data_at.is_some()) {
            self.tickets.came(segment.app_records);
        }
    }

    /// The request's first byte, or more of it, up to the answer.
    fn ask(&mut self, ts: Timestamp, from: Seq, ack: Option<Seq>) {
        let exchange = self.shown.exchange.get_or_insert(Exchange { asked: ts, answered: None });
        if exchange.answered.is_some() {
            return;
        }
        if self.answer == Answer::Awaited {
            exchange.asked = exchange.asked.max(ts);
            self.asked_from.get_or_insert(from);
            let newer = |a: Seq, b: Seq| if b.after(a) { b } else { a };
            self.answer_from = [self.answer_from, ack, self.next[1]].into_iter().flatten().reduce(newer);
        } else if ack.zip(self.answer_from).is_some_and(|(ack, from)| ack.after(from)) {
            // The client has received what was not captured.
            self.answer = Answer::Missed;
        }
    }

    /// A segment of the server that may hold the first byte of the answer.
    fn take_answer(&mut self, segment: &Segment) {
        let unanswered = |exchange: &&mut Exchange| exchange.answered.is_none();
        let Some(exchange) = self.shown.exchange.as_mut().filter(unanswered) else { return };
        let heard = self.asked_from.is_some_and(|from| segment.ack.after(from));
        match self.answer_from {
            _ if self.answer == Answer::Missed => {}
            Some(from) if !segment.end().after(from) => {}
            Some(from) if segment.seq.after(from) => self.answer = if heard { Answer::Begun } else { self.answer },
            // On its way before the request came: the answer begins behind it.
            _ if !heard => {
                self.tickets.came(segment.app_records);
                self.answer_from = Some(segment.end());
            }
            _ => match self.tickets.judge(segment.app_records) {
                Verdict::Answer => exchange.answered = Some(segment.ts),
                Verdict::Ticket => self.answer_from = Some(segment.end()),
                Verdict::Unknown => self.answer = Answer::Missed,
            },
        }
    }

    fn is_settled(&self) -> bool {
        let answered = self.shown.exchange.is_some_and(|exchange| exchange.answered.is_some());
        let answered = answered || self.answer == Answer::Missed;
        match &self.shown.tls {
            Some(tls) => tls.is_over() || self.missed || (tls.data_at.is_some() && answered),
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
                    self.tickets = if hello.tickets { Tickets::Expected } else { Tickets::Never };
                }
            }
            Message::ServerHello(hello) => {
                let begins = self.shown.tls.is_none();
                if begins {
                    self.begin(name.dst, name);
                }
                if self.client == Some(name.dst) {
                    self.shown.tls.get_or_insert_default().chose(hello, name.since);
                    if hello.version.is_some_and(|version| !version.is_1_3()) {
                        self.tickets = Tickets::Never;
                    }
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
                self.ask(name.ts, name.seq, name.ack);
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
    fn client_sent(&mut self, ts: Timestamp, records: AppRecords) -> bool {
        if self.answered_at.is_none() || self.early_data {
            return false;
        }
        let finished = self.data_at.is_none() && self.version.is_none_or(TlsVersion::is_1_3);
        self.data_at.get_or_insert(ts);
        self.version.is_some() && (!finished || records.count > 1)
    }

    /// Application data by the server would be the first: in TLS 1.3 it may still be the handshake.
    fn may_speak_first(&self) -> bool {
        let old = self.version.is_some_and(|version| !version.is_1_3());
        self.data_at.is_none() && old && self.answered_at.is_some()
    }

    /// Nothing of its times can be learned any more.
    fn is_over(&self) -> bool {
        let failed = self.alert.is_some_and(|(alert, ..)| alert.fatal);
        failed || self.early_data || (self.data_at.is_some() && self.version.is_none())
    }
}
