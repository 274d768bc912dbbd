//! Names and waits of one flow, as JSON: part of the schema.

use serde::Serialize;

use crate::base::service;
use crate::engine::{FlowDetail, NameSource, Opening, Tls, WaitKind};

use crate::base::nanos;

/// What the responder is called and what is spoken with it, as far as payloads were captured (live, a snap length of
/// 256 bytes cuts most of it). Each name tells whose word it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct NamesRecord {
    /// The name by the strongest evidence, and which that is: sni, http_host or dns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// The usual service of the responder's port: no claim about what is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'static str>,
    /// What a DNS answer to the same host called the responder's address, at most 5 s before the SYN; where `waits` has
    /// no `dns_ns`, its query was not captured, or the answer came more than 1 s before the SYN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    /// The server's name in the TLS ClientHello, and the protocols that it offers, joined by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn_offered: Option<String>,
    /// What the ServerHello chose: the protocol (hidden in TLS 1.3), and the version ("TLS 1.3").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<&'static str>,
    /// The server asked for another ClientHello; the client sent early data. Absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_retried: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_early_data: bool,
    /// The first fatal alert that was not encrypted, else the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_alert: Option<AlertRecord>,
    /// The heads of the first HTTP/1 exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_reason: Option<String>,
    /// The client speaks HTTP/2 without TLS. Absent if not seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub http2: bool,
}

/// A TLS alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertRecord {
    /// As RFC 8446 §6 writes it ("handshake_failure"), or "alert" and its number.
    pub description: String,
    pub fatal: bool,
    /// "orig" or "resp": who sent it.
    pub from: &'static str,
    pub at_ns: i64,
}

/// Where the wait was; each is absent where its beginning or its end was not captured or cannot be told.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct WaitsRecord {
    /// From the first DNS query to its answer, where that came at most 1 s before the SYN; from it to the SYN; and who
    /// answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_to_syn_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_server: Option<String>,
    /// From the first SYN to the ACK (as `connect_ns`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_ns: Option<u64>,
    /// From the ClientHello to the first application data: in TLS 1.3 the client's first, which is its last flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ns: Option<u64>,
    /// From the last of the first request to the first byte of its answer, of HTTP/1 or inside TLS (in HTTP/2
    /// what its server sends first). Absent where in TLS 1.3 session tickets cannot be told from the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_ns: Option<u64>,
}

impl NamesRecord {
    /// `None` where nothing is known.
    pub(super) fn of(detail: &FlowDetail) -> Option<Self> {
        let service = service(detail.row.resp.endpoint.port());
        let Some(opening) = detail.opening.as_deref() else {
            return service.is_some().then(|| Self { service, ..Self::default() });
        };
        let record = Self { service, ..Self::of_opening(opening, detail) };
        (record != Self::default()).then_some(record)
    }

    fn of_opening(opening: &Opening, detail: &FlowDetail) -> Self {
        let name = opening.name();
        let tls = opening.tls.as_ref();
        let http = opening.http.as_ref();
        let request = http.and_then(|http| http.request.as_ref());
        let response = http.and_then(|http| http.response.as_ref());
        let text = |text: Option<&crate::base::Scrubbed>| text.map(ToString::to_string);
        Self {
            by: name.as_ref().map(|name| match name.by {
                NameSource::Sni => "sni",
                NameSource::HttpHost => "http_host",
                NameSource::Dns => "dns",
            }),
            name: text(name.as_ref().map(|name| &name.text)),
            service: None,
            dns: text(opening.dns.as_ref().map(|lookup| &lookup.name)),
            sni: text(tls.and_then(|tls| tls.sni.as_ref())),
            alpn_offered: text(tls.and_then(|tls| tls.offered.as_ref())),
            alpn: text(tls.and_then(|tls| tls.alpn.as_ref())),
            tls_version: tls.and_then(|tls| tls.version).map(crate::names::TlsVersion::name),
            tls_retried: tls.is_some_and(|tls| tls.retried),
            tls_early_data: tls.is_some_and(|tls| tls.early_data),
            tls_alert: tls.and_then(|tls| AlertRecord::of(tls, detail)),
            http_method: text(request.map(|request| &request.method)),
            http_host: text(request.and_then(|request| request.host.as_ref())),
            http_status: response.map(|response| response.status),
            http_reason: text(response.and_then(|response| response.reason.as_ref())),
            http2: opening.http2,
        }
    }
}

impl AlertRecord {
    fn of(tls: &Tls, detail: &FlowDetail) -> Option<Self> {
        let (alert, from, at) = tls.alert?;
        let from = if from == detail.row.orig.endpoint { "orig" } else { "resp" };
        Some(Self { description: alert.to_string(), fatal: alert.fatal, from, at_ns: at.nanos() })
    }
}

impl WaitsRecord {
    /// `None` where none was captured.
    pub(super) fn of(detail: &FlowDetail) -> Option<Self> {
        let waits = detail.waits();
        let time = |kind: WaitKind| waits.iter().find(|wait| wait.kind == kind)?.time().map(nanos);
        let dns = detail.opening.as_deref().and_then(|opening| opening.dns.as_ref());
        let syn_at = detail.handshake.as_ref().and_then(|view| view.syn_at);
        let record = Self {
            dns_ns: time(WaitKind::Dns),
            dns_to_syn_ns: dns.zip(syn_at).map(|(lookup, syn_at)| nanos(syn_at.since(lookup.answered))),
            dns_server: dns.map(|lookup| lookup.server.to_string()),
            tcp_ns: time(WaitKind::Tcp),
            tls_ns: time(WaitKind::Tls),
            request_ns: time(WaitKind::Request),
        };
        (record != Self::default()).then_some(record)
    }
}
