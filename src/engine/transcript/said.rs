//! What a payload says, in a few words for a segment's arrow.

use crate::names::{Message, TlsVersion};

/// The words; names of peers are scrubbed where they were read.
pub(super) fn words(message: &Message) -> String {
    match message {
        Message::ClientHello(hello) => with("TLS ClientHello", hello.sni.as_deref()),
        Message::ServerHello(hello) => with("TLS ServerHello", hello.version.map(TlsVersion::name)),
        Message::Alert(_) => "TLS alert".to_owned(),
        Message::Request(request) => with(&format!("HTTP {}", request.method.as_str()), request.host.as_deref()),
        Message::Response(response) => format!("HTTP {}", response.status),
        Message::Http2Preface => "HTTP/2 preface".to_owned(),
    }
}

fn with(what: &str, name: Option<&str>) -> String {
    name.map_or_else(|| what.to_owned(), |name| format!("{what} {name}"))
}
