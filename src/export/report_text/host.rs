//! What a report says of queues: which are marked, and what was lost at listeners.

use std::io;

use crate::engine::{AcceptRow, QueueRow};
use crate::findings::{Finding, Kind, Subject};

use super::super::units::counted;
use super::{Page, ReportContext};

/// Whether the accept queue is over its limit, so that the kernel drops what comes.
pub(super) fn is_over(row: &AcceptRow) -> bool {
    row.limit.is_some_and(|limit| row.waiting > limit)
}

/// The mark of the finding that tells of a Recv-Q, and a space; nothing where none does.
pub(super) fn unread(row: &QueueRow, findings: &[Finding]) -> String {
    let pid = row.owner.process().map(|process| process.pid);
    mark(findings, Kind::NotReading, |finding| match &finding.subject {
        Subject::Process { pid: who, .. } => Some(*who) == pid,
        Subject::Flow { id, .. } => *id == row.flow,
        _ => false,
    })
}

/// The same of an accept queue.
pub(super) fn overflow(row: &AcceptRow, findings: &[Finding]) -> String {
    mark(findings, Kind::AcceptOverflow, |finding| finding.subject == Subject::Listener(row.local))
}

fn mark(findings: &[Finding], kind: Kind, is_of: impl Fn(&Finding) -> bool) -> String {
    let found = findings.iter().find(|finding| finding.kind == kind && is_of(finding));
    found.map(|finding| format!("{} ", finding.severity.mark())).unwrap_or_default()
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
        page.line(&format!("– lost at listeners while watched: {}", lost.join(", ")))?;
    }
    Ok(!lost.is_empty())
}

/// What is told, and who holds it where that is recorded.
pub(super) fn told(what: &str, owner: &str) -> String {
    if owner.is_empty() { what.to_owned() } else { format!("{what} · {owner}") }
}
