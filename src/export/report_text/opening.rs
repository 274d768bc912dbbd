//! What the opening of a flow shows, as lines of the text report: names, then where the wait was.

use crate::engine::FlowDetail;

use super::super::units::span;

/// `www.example.org (SNI)`, what is spoken, an alert; nothing where no name and no message was recorded.
pub(super) fn names(detail: &FlowDetail) -> Option<String> {
    let opening = detail.opening.as_deref()?;
    let mut parts: Vec<String> =
        opening.name().map(|name| format!("{} (by {})", name.text, name.by.name())).into_iter().collect();
    parts.extend(detail.spoken());
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `waits: DNS 12 ms · TCP 20 ms · TLS 41 ms · request 120 ms`, where there is more than a handshake.
pub(super) fn waits(detail: &FlowDetail) -> Option<String> {
    detail.opening.as_ref()?;
    let waits = detail.waits().into_iter();
    let times: Vec<String> =
        waits.filter_map(|wait| Some(format!("{} {}", wait.kind.name(), span(wait.time()?)))).collect();
    (!times.is_empty()).then(|| format!("waits: {}", times.join(" · ")))
}
