//! An opening for tests of what shows it: a lookup of 12 ms, a TLS handshake of 41 ms, a request of 180 ms.

use super::{Exchange, Lookup, Opening, Tls};
use crate::base::{Endpoint, Scrubbed, Timestamp};
use crate::names::TlsVersion;

const MS: i64 = 1_000_000;

/// Around a handshake that lasted from `syn` to `ack`.
pub(crate) fn opening(syn: Timestamp, ack: Timestamp) -> Opening {
    let after = |from: Timestamp, millis: i64| Timestamp::from_nanos(from.nanos() + millis * MS);
    let text = |text: &str| Some(Scrubbed::new(text));
    Opening {
        dns: Some(Lookup {
            name: Scrubbed::new("shop.example.org"),
            server: Endpoint::new([10, 0, 0, 1], 53),
            asked: Some(after(syn, -15)),
            answered: after(syn, -3),
        }),
        tls: Some(Tls {
            hello_at: Some(after(ack, 1)),
            answered_at: Some(after(ack, 25)),
            data_at: Some(after(ack, 42)),
            sni: text("shop.example.org"),
            offered: text("h2,http/1.1"),
            version: Some(TlsVersion::TLS_1_3),
            ..Tls::default()
        }),
        exchange: Some(Exchange { asked: after(ack, 42), answered: Some(after(ack, 222)) }),
        ..Opening::default()
    }
}
