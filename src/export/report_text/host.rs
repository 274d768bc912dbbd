//! The part of "What went wrong" that the kernel tells of queues: accept queues, losses at listeners, unread bytes.

use std::io;
use std::time::Duration;

use crate::engine::{AcceptRow, Dashboard, QueueRow};

use super::super::units::{bytes, count, counted, span};
use super::Page;
use super::sections::{more, owner};

/// How long bytes may wait in a Recv-Q before a report calls it trouble.
const UNREAD_PATIENCE: Duration = Duration::from_secs(10);
/// Rows told of each kind.
const EACH: usize = 8;

/// Whether the accept queue is over its limit, so that the kernel drops what comes.
pub(super) fn is_over(row: &AcceptRow) -> bool {
    row.limit.is_some_and(|limit| row.waiting > limit)
}

/// How long the bytes of a Recv-Q have waited, if that is too long.
pub(super) fn unread(row: &QueueRow, dashboard: &Dashboard) -> Option<Duration> {
    dashboard.now.map(|now| now.since(row.since)).filter(|waited| *waited >= UNREAD_PATIENCE)
}

/// Tells of accept queues over their limit; whether there is one.
pub(super) fn full(page: &mut Page<'_>, dashboard: &Dashboard) -> io::Result<bool> {
    let Some(kernel) = &dashboard.queues.kernel else { return Ok(false) };
    let over: Vec<&AcceptRow> = kernel.accept.iter().filter(|row| is_over(row)).collect();
    if !over.is_empty() {
        page.line(&format!("‼ accept queue over its limit: {}", counted(over.len() as u64, "listener")))?;
        for row in over.iter().take(EACH) {
            let limit = row.limit.map_or_else(|| "?".to_owned(), |limit| count(limit.into()));
            let waiting = format!("{} wait, limit {limit}", count(row.waiting.into()));
            page.paragraph("  ", 6, &told(&format!("{} · {waiting}", row.local), &owner(&row.owner)))?;
        }
        more(page, over.len().saturating_sub(EACH))?;
    }
    Ok(!over.is_empty())
}

/// Tells of connections lost at listeners and of bytes that nobody reads; whether there are any.
pub(super) fn late(page: &mut Page<'_>, dashboard: &Dashboard) -> io::Result<bool> {
    let Some(kernel) = &dashboard.queues.kernel else { return Ok(false) };
    let lost: Vec<String> = [("overflow", kernel.listen_overflows), ("drop", kernel.listen_drops)]
        .into_iter()
        .filter_map(|(name, number)| Some(counted(number.filter(|number| *number > 0)?, name)))
        .collect();
    if !lost.is_empty() {
        page.line(&format!("! lost at listeners while watched: {}", lost.join(", ")))?;
    }
    let late: Vec<_> = kernel.recv.iter().filter_map(|row| Some((row, unread(row, dashboard)?))).collect();
    if !late.is_empty() {
        page.line(&format!("! Recv-Q not read for long: {}", counted(late.len() as u64, "socket")))?;
        for (row, waited) in late.iter().take(EACH) {
            let ends = format!("#{} {} ← {}", row.flow, row.local, row.peer);
            let waiting = format!("{} for {} or longer", bytes(row.bytes.into()), span(*waited));
            page.paragraph("  ", 6, &told(&format!("{ends} · {waiting}"), &owner(&row.owner)))?;
        }
        more(page, late.len().saturating_sub(EACH))?;
    }
    Ok(!lost.is_empty() || !late.is_empty())
}

/// What is told, and who holds it where that is recorded.
pub(super) fn told(what: &str, owner: &str) -> String {
    if owner.is_empty() { what.to_owned() } else { format!("{what} · {owner}") }
}
