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

/// A SYN that came so long after the answer did not wait for it: the program did something else first. A try at
/// another address before it (RFC 8305 waits 250 ms) is in time.
const SOON: Duration = Duration::from_secs(1);

impl Lookup {
    /// Whether the connection whose SYN came at `syn_at` waited for the answer, as far as times tell.
    pub fn is_awaited(&self, syn_at: Timestamp) -> bool {
        syn_at.since(self.answered) <= SOON
    }

    /// Whose answer, and how long before the SYN where that was not just before it.
    fn told(&self, syn_at: Option<Timestamp>) -> String {
        let early = syn_at.filter(|syn_at| !self.is_awaited(*syn_at)).map(|syn_at| syn_at.since(self.answered));
        let early = early.map_or_else(String::new, |early| format!(", {:.1} s before", early.as_secs_f64()));
        format!("address by DNS of {}{early}", self.server)
    }

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
    fn facts(&self, orig: Endpoint) -> impl Iterator<Item = String> {
        let version = self.version.map_or("TLS", TlsVersion::name).to_owned();
        let retried = self.retried.then(|| "ClientHello asked for again".to_owned());
        let early = self.early_data.then(|| "early data".to_owned());
        let chosen = self.alpn.as_ref().map(|alpn| format!("speaks {alpn}"));
        let offered = self.offered.as_ref().filter(|_| self.alpn.is_none()).map(|alpn| format!("offered {alpn}"));
        let alert = self.alert.map(|(alert, from, _)| {
            let level = if alert.fatal { "fatal alert" } else { "alert" };
            let side = if from == orig { "orig" } else { "resp" };
            format!("{level} {alert} by {side}")
        });
        [Some(version), chosen.or(offered), retried, early, alert].into_iter().flatten()
    }

    /// From the ClientHello to the first application data.
    pub fn wait(&self) -> Option<Duration> {
        Some(self.data_at?.since(self.hello_at?))
    }
}

/// The heads of the first HTTP exchange; of a response whose request was not captured, its own alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub request: Option<Request>,
    pub response: Option<Response>,
}

/// `GET, 404 Not Found`.
impl std::fmt::Display for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HTTP")?;
        if let Some(request) = &self.request {
            write!(f, " {}", request.method)?;
        }
        let Some(response) = &self.response else { return Ok(()) };
        write!(f, "{} {}", if self.request.is_some() { "," } else { "" }, response.status)?;
        response.reason.as_ref().map_or(Ok(()), |reason| write!(f, " {reason}"))
    }
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
        self.names().next().map(|(text, by)| PeerName { text: text.clone(), by })
    }

    /// Every name of the responder, the strongest evidence first.
    pub fn names(&self) -> impl Iterator<Item = (&Scrubbed, NameSource)> {
        let sni = self.tls.as_ref().and_then(|tls| tls.sni.as_ref());
        let host = self.http.as_ref().and_then(|http| http.request.as_ref()?.host.as_ref());
        let dns = self.dns.as_ref().map(|lookup| &lookup.name);
        let named = [(sni, NameSource::Sni), (host, NameSource::HttpHost), (dns, NameSource::Dns)];
        named.into_iter().filter_map(|(text, by)| Some((text?, by)))
    }

    /// What is spoken, in words: version and protocol of TLS, its alert, the HTTP exchange, the resolver.
    pub(in crate::engine) fn facts(&self, orig: Endpoint, syn_at: Option<Timestamp>) -> Vec<String> {
        let mut facts = Vec::new();
        if let Some(tls) = &self.tls {
            facts.extend(tls.facts(orig));
        }
        if let Some(http) = &self.http {
            facts.push(http.to_string());
        }
        if self.http2 {
            facts.push("HTTP/2 without TLS".to_owned());
        }
        facts.extend(self.dns.as_ref().map(|lookup| lookup.told(syn_at)));
        facts
    }
}
