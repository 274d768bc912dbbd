//! What an opening shows, as values: absent is what was not recorded.

use std::time::Duration;

use crate::base::{Endpoint, Scrubbed, Timestamp};
use crate::names::{Alert, Request, Response, TlsVersion};

/// Names and waits at the beginning of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// The same host's lookup of the responder's address just before the SYN.
    pub dns: Option<Lookup>,
    pub tls: Option<Tls>,
    /// The first exchange, where it is HTTP/1 without TLS.
    pub http: Option<Http>,
    /// The client speaks HTTP/2 without TLS.
    pub http2: bool,
    /// The first request and its answer, of HTTP or inside TLS.
    pub exchange: Option<Exchange>,
}

/// A DNS lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    pub name: Scrubbed,
    pub server: Endpoint,
    /// The first query; `None` where it was not captured.
    pub asked: Option<Timestamp>,
    pub answered: Timestamp,
}

impl Lookup {
    /// How long the answer took.
    pub fn wait(&self) -> Option<Duration> {
        self.asked.map(|asked| self.answered.since(asked))
    }
}

/// A TLS handshake, as far as it is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// When the (first) ClientHello began; `None` where it was not captured.
    pub hello_at: Option<Timestamp>,
    /// When the ServerHello began.
    pub answered_at: Option<Timestamp>,
    /// The first application data: the handshake is over.
    pub data_at: Option<Timestamp>,
    /// The server's name as the client asked for it.
    pub sni: Option<Scrubbed>,
    /// The protocols offered, and the one chosen (which TLS 1.3 hides).
    pub offered: Option<Scrubbed>,
    pub alpn: Option<Scrubbed>,
    pub version: Option<TlsVersion>,
    /// The server asked for another ClientHello.
    pub retried: bool,
    /// The client sent data before the handshake was done.
    pub early_data: bool,
    /// The first fatal alert, else the first; who sent it, and when.
    pub alert: Option<(Alert, Endpoint, Timestamp)>,
}

impl Tls {
    /// From the ClientHello to the first application data.
    pub fn wait(&self) -> Option<Duration> {
        Some(self.data_at?.since(self.hello_at?))
    }
}

/// The heads of an HTTP exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub request: Request,
    pub response: Option<Response>,
}

/// A request and the beginning of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The last that the client sent of it before the answer.
    pub asked: Timestamp,
    /// The answer's first byte; `None` while it is waited for, or where it was not captured.
    pub answered: Option<Timestamp>,
}

impl Exchange {
    /// From the request to the answer's first byte.
    pub fn wait(&self) -> Option<Duration> {
        self.answered.map(|answered| answered.since(self.asked))
    }
}

/// What a responder is called, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerName {
    pub text: Scrubbed,
    pub by: NameSource,
}

/// Evidence of a name, strongest first: what the client asked the responder itself for, then what it had asked DNS for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameSource {
    Sni,
    HttpHost,
    Dns,
}

impl NameSource {
    /// As screens write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sni => "SNI",
            Self::HttpHost => "HTTP host",
            Self::Dns => "DNS",
        }
    }
}

impl Opening {
    /// The responder's name, by the strongest evidence.
    pub fn name(&self) -> Option<PeerName> {
        let sni = self.tls.as_ref().and_then(|tls| tls.sni.as_ref());
        let host = self.http.as_ref().and_then(|http| http.request.host.as_ref());
        let dns = self.dns.as_ref().map(|lookup| &lookup.name);
        let named = [(sni, NameSource::Sni), (host, NameSource::HttpHost), (dns, NameSource::Dns)];
        named.into_iter().find_map(|(text, by)| Some(PeerName { text: text?.clone(), by }))
    }
}
