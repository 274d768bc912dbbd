//! What a report says of queues: which are marked, and what was lost at listeners.

use std::io;
use std::time::Duration;

use crate::engine::{AcceptRow, Dashboard, QueueRow};
use crate::findings::Kind;

use super::super::units::counted;
use super::{Page, ReportContext};

/// How long bytes may wait in a Recv-Q before a report marks it.
const UNREAD_PATIENCE: Duration = Duration::from_secs(10);

/// Whether the accept queue is over its limit, so that the kernel drops what comes.
pub(super) fn is_over(row: &AcceptRow) -> bool {
    row.limit.is_some_and(|limit| row.waiting > limit)
}

/// How long the bytes of a Recv-Q have waited, if that is too long.
pub(super) fn unread(row: &QueueRow, dashboard: &Dashboard) -> Option<Duration> {
    dashboard.now.map(|now| now.since(row.since)).filter(|waited| *waited >= UNREAD_PATIENCE)
}

/// Tells of connections lost at listeners, where no finding does; whether there are any.
pub(super) fn lost(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<bool> {
    let told = context.findings.iter().any(|finding| finding.kind == Kind::AcceptOverflow);
    let Some(kernel) = context.dashboard.queues.kernel.as_ref().filter(|_| !told) else { return Ok(false) };
    let lost: Vec<String> = [("overflow", kernel.listen_overflows), ("drop", kernel.listen_drops)]
        .into_iter()
        .filter_map(|(name, number)| Some(counted(number.filter(|number| *number > 0)?, name)))
        .collect();
    if !lost.is_empty() {
        page.line(&format!("! lost at listeners while watched: {}", lost.join(", ")))?;
    }
    Ok(!lost.is_empty())
}

/// What is told, and who holds it where that is recorded.
pub(super) fn told(what: &str, owner: &str) -> String {
    if owner.is_empty() { what.to_owned() } else { format!("{what} · {owner}") }
}
