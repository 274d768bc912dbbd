//! The sections of the text report that speak of the source as a whole, in their order.

use std::io;

use crate::base::Timestamp;
use crate::engine::{AcceptRow, Dashboard, Evicted, Ownership, QueueRow, WireCounts};
use crate::flow::HandshakeOutcome;
use crate::wire::Undecoded;

use super::super::marks;
use super::super::units::{bytes, count, counted, from_start, losses, span, utc_span, watched};
use super::{Page, ReportContext, host, padded};

/// Rows of a list before "and N more".
const ROWS: usize = 10;
/// Columns of the table of failing responders beside the first.
const FAILING_COLUMNS: usize = 44;
/// Columns of a queue's name and size.
const QUEUE_COLUMNS: usize = 19;
const NOT_RECORDED: &str = "not recorded";

/// What was looked at, of when, how much, and what is missing.
pub(super) fn header(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    let dashboard = context.dashboard;
    page.paragraph("", 2, &format!("sockscope {} · {}", env!("CARGO_PKG_VERSION"), context.source))?;
    match dashboard.since.zip(dashboard.now) {
        Some((from, to)) => page.line(&format!("time    {} · {}", utc_span(from, to), span(to.since(from))))?,
        None => page.line("time    nothing was seen")?,
    }
    page.paragraph("wire    ", 8, &wire_line(dashboard))?;
    page.paragraph("kernel  ", 8, &kernel_line(dashboard))?;
    match &dashboard.loss {
        None => page.line("lost    not told")?,
        Some(loss) => {
            let reasons: Vec<String> = Undecoded::ALL
                .into_iter()
                .filter(|reason| loss.frames.undecoded(*reason) > 0)
                .map(|reason| format!("{} {}", reason.name(), count(loss.frames.undecoded(reason))))
                .collect();
            let why = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
            page.paragraph("lost    ", 8, &format!("{}{why}", losses(loss)))?;
        }
    }
    if dashboard.totals.evicted.total() > 0 {
        page.paragraph("evicted ", 8, &evicted(dashboard.totals.evicted))?;
    }
    if let Some(damage) = context.damage {
        let before = if damage.offset == 0 { "nothing stands before it" } else { "everything before it was used" };
        let text = format!("{} at byte {}: {}; {before}", damage.file, count(damage.offset), damage.reason);
        page.paragraph("DAMAGED ", 8, &text)?;
    }
    for mark in context.marks {
        page.paragraph("marked  ", 8, &marks::line(mark, dashboard.since))?;
    }
    if !context.filter.is_empty() {
        let of = "handshakes, single flows that went wrong and the largest are those of flows that match; findings are those about them; all else is of the whole source";
        let pane = &dashboard.flows;
        let fit = match (pane.matching as u64, counted(pane.all as u64, "flow")) {
            (0, all) => format!("no flow matches, of {all}{}", pane.hint(context.filter)),
            (some, all) => format!("{} of {all} fit", count(some)),
        };
        page.paragraph("filter  ", 8, &format!("{}: {fit}; {of}", context.filter.text().trim()))?;
    }
    Ok(())
}

/// Whether a filter was asked for that no flow fits, though there are flows.
pub(super) fn is_unmatched(context: &ReportContext<'_>) -> bool {
    !context.filter.is_empty() && context.dashboard.flows.fits_none()
}

fn wire_line(dashboard: &Dashboard) -> String {
    if !dashboard.sees.wire {
        return NOT_RECORDED.to_owned();
    }
    let totals = &dashboard.totals;
    let mut facts = Vec::new();
    if let Some(loss) = &dashboard.loss {
        facts.push(counted(loss.frames.frames, "frame"));
        facts.push(format!("{} not TCP", count(loss.frames.not_tcp)));
        if loss.frames.joined > 0 {
            facts.push(format!("{} joined", counted(loss.frames.joined, "fragment")));
        }
    }
    facts.push(format!("{} with {} of payload", counted(totals.segments, "segment"), bytes(totals.payload_bytes)));
    facts.push(counted(totals.flows_on_wire, "flow"));
    for (number, what) in
        [(totals.duplicates, "seen again on another interface"), (totals.regressions, "out of order in time")]
    {
        if number > 0 {
            facts.push(format!("{} {what}", count(number)));
        }
    }
    facts.join(" · ")
}

/// What had to go from the full table, and what that leaves out.
fn evicted(Evicted { closed, half_open, idle }: Evicted) -> String {
    let counts = [(closed, "closed"), (half_open, "half-open"), (idle, "idle")];
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, what)| format!("{} {what}", count(*number))).collect();
    let of_kept = "outcomes and states are of flows that were kept";
    let new = "one that goes on is a new flow, first seen mid-stream";
    format!("{} from the full table: {of_kept}, and {new}; a larger --flows keeps more", counts.join(", "))
}

fn kernel_line(dashboard: &Dashboard) -> String {
    let Some(kernel) = dashboard.sees.kernel else { return NOT_RECORDED.to_owned() };
    let mut facts =
        vec![counted(kernel.sockets, "socket"), format!("owner known of {} of {}", kernel.owned, kernel.ownable)];
    if kernel.processes_denied > 0 {
        let denied = counted(kernel.processes_denied.into(), "process");
        let which = kernel.which_denied().map(|which| format!(" ({which})")).unwrap_or_default();
        facts.push(format!("fds of {denied} not readable{which}"));
    }
    if let Some(trace) = dashboard.sees.trace {
        facts.push(format!("{} traced", counted(trace.connects, "connect()")));
        if trace.lost > 0 {
            facts.push(format!("{} of the trace lost", counted(trace.lost, "event")));
        }
    }
    if let Some(words) = dashboard.sees.last_words {
        facts.push(format!("{} let go", counted(words.heard, "socket")));
        if words.lost > 0 {
            facts.push(format!("final counts of {} lost", count(words.lost)));
        }
    }
    if kernel.bad_rows > 0 {
        facts.push(format!("{} not readable", counted(kernel.bad_rows, "row")));
    }
    facts.join(" · ")
}

/// How handshakes went over the whole source, but for flows that had to go.
pub(super) fn handshakes(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    let tally = context.tally;
    let all_kept = context.dashboard.totals.evicted.total() == 0;
    let of = match (context.filter.is_empty(), all_kept) {
        (true, true) => "whole source",
        (true, false) => "flows that were kept",
        (false, true) => "flows that match",
        (false, false) => "flows that match and were kept",
    };
    page.heading("Handshakes", of)?;
    if !context.dashboard.sees.wire {
        return page.line(NOT_RECORDED);
    }
    if is_unmatched(context) {
        return page.line("no flow matches");
    }
    let shown = HandshakeOutcome::CONCLUDED.into_iter().chain([HandshakeOutcome::Waiting, HandshakeOutcome::Partial]);
    let outcomes: Vec<String> = shown
        .filter(|outcome| tally.with(*outcome) > 0)
        .map(|outcome| match outcome {
            HandshakeOutcome::Partial => format!("{} first seen mid-stream", count(tally.with(outcome))),
            _ => format!("{} {}", outcome.name(), count(tally.with(outcome))),
        })
        .collect();
    page.paragraph("", 0, &if outcomes.is_empty() { "none seen".to_owned() } else { outcomes.join(" · ") })?;
    if let Some(times) = tally.connect_times() {
        page.line(&format!(
            "SYN to ACK, {}: p50 {}  p95 {}  p99 {}  longest {}",
            counted(times.count, "handshake"),
            span(times.p50),
            span(times.p95),
            span(times.p99),
            span(times.max)
        ))?;
    }
    failing(page, context)
}

/// The responders whose handshakes fail, most first.
fn failing(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    let mut rows: Vec<_> = context.tally.failing.iter().collect();
    rows.sort_by_key(|((resp, outcome), failing)| (std::cmp::Reverse(failing.flows), *resp, *outcome));
    let left_out = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    let widest = rows.iter().map(|((resp, _), _)| resp.to_string().len()).max().unwrap_or(0);
    let column = widest.clamp(22, page.width - FAILING_COLUMNS) + 2;
    if !rows.is_empty() {
        page.line(&format!("{}{:<10}{:>8}{:>9}  last", padded("fails", column), "outcome", "flows", "retries"))?;
    }
    for ((resp, outcome), row) in rows {
        page.line(&format!(
            "{}{:<10}{:>8}{:>9}  {}",
            padded(&resp.to_string(), column),
            outcome.name(),
            count(row.flows),
            count(row.retries),
            after(row.last, context.dashboard)
        ))?;
    }
    more(page, left_out)
}

/// The states at the end, the kernel's beside the wire's.
pub(super) fn states(page: &mut Page<'_>, dashboard: &Dashboard) -> io::Result<()> {
    let pane = &dashboard.states;
    let all_kept = dashboard.totals.evicted.total() == 0;
    let wire = match (pane.wire_counts, all_kept) {
        (WireCounts::BothEnds, true) => "wire: both ends of every flow",
        (WireCounts::BothEnds, false) => "wire: both ends of flows that were kept",
        (WireCounts::LocalEnds, true) => "wire: ends on this host",
        (WireCounts::LocalEnds, false) => "wire: ends on this host of flows that were kept",
    };
    page.heading("States", &format!("at the end · {wire}"))?;
    let told = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), count);
    let rows: Vec<_> =
        pane.rows.iter().filter(|row| row.kernel.unwrap_or(0) > 0 || row.wire.unwrap_or(0) > 0).collect();
    if rows.is_empty() {
        return page.line("no connection in any state");
    }
    page.line(&format!("{:<14}{:>9}{:>9}", "", "kernel", "wire"))?;
    for row in rows {
        page.line(&format!("{:<14}{:>9}{:>9}", row.state.name(), told(row.kernel), told(row.wire)))?;
    }
    if dashboard.sees.kernel.is_none() {
        page.line("– the kernel's side was not recorded")?;
    }
    if pane.mismatched > 0 {
        page.line(&format!("{} where wire and kernel disagree", counted(pane.mismatched, "end")))?;
    }
    Ok(())
}

/// What waits in queues at the end.
pub(super) fn queues(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    let dashboard = context.dashboard;
    let pane = &dashboard.queues;
    page.heading("Queues", "at the end · fullest first")?;
    match &pane.kernel {
        None => page.line("Recv-Q, Send-Q, accept: not recorded")?,
        Some(kernel) => {
            for (name, arrow, rows) in [("Recv-Q", "←", &kernel.recv), ("Send-Q", "→", &kernel.send)] {
                for row in rows.iter().take(ROWS) {
                    let mark = if arrow == "←" { host::unread(row, context.findings) } else { String::new() };
                    let size = format!("{name} {:>10}  {mark}", bytes(row.bytes.into()));
                    page.paragraph(&size, QUEUE_COLUMNS, &queue_row(row, arrow, dashboard))?;
                }
            }
            let accept = waiting(&kernel.accept);
            for row in accept.iter().take(ROWS) {
                let limit = row.limit.map_or_else(|| "?".to_owned(), |limit| count(limit.into()));
                let mark = host::overflow(row, context.findings);
                let size = format!("accept {:>10}  {mark}", format!("{}/{limit}", count(row.waiting.into())));
                let full = row.full_since.zip(dashboard.now);
                let full =
                    full.map_or_else(String::new, |(since, now)| format!("full for {} · ", span(now.since(since))));
                page.paragraph(&size, QUEUE_COLUMNS, &host::told(&format!("{full}{}", row.local), &owner(&row.owner)))?;
            }
            let dropped = [("overflows", kernel.listen_overflows), ("drops", kernel.listen_drops)];
            for (name, number) in dropped.into_iter().filter_map(|(name, n)| Some((name, n.filter(|n| *n > 0)?))) {
                page.line(&format!("listen {name}: {}", count(number)))?;
            }
            if kernel.recv.is_empty() && kernel.send.is_empty() && accept.is_empty() {
                page.line("every queue is empty")?;
            }
        }
    }
    for row in pane.wire.iter().take(ROWS) {
        let closed = row.zero_window_since.zip(dashboard.now).map_or_else(String::new, |(since, now)| {
            format!(" · its peer's window has been closed for {}", span(now.since(since)))
        });
        let size = format!("unacked {:>9}  ", bytes(row.unacked.into()));
        page.paragraph(&size, QUEUE_COLUMNS, &format!("{} → {}{closed}", row.from, row.to))?;
    }
    Ok(())
}

/// The accept queues in which something waits: those over their limit first, then by their share of it.
fn waiting(rows: &[AcceptRow]) -> Vec<&AcceptRow> {
    let mut rows: Vec<_> = rows.iter().filter(|row| row.waiting > 0).collect();
    let share = |row: &AcceptRow| row.limit.map(|limit| u64::from(row.waiting) * 1_000 / u64::from(limit.max(1)));
    rows.sort_by_key(|row| std::cmp::Reverse((host::is_over(row), share(row))));
    rows
}

fn queue_row(row: &QueueRow, arrow: &str, dashboard: &Dashboard) -> String {
    let of = row.limit.map_or_else(String::new, |limit| format!("of {} ", bytes(limit.into())));
    let held = dashboard.now.map_or_else(String::new, |now| format!("for {} · ", span(now.since(row.since))));
    host::told(&format!("{of}{held}{} {arrow} {}", row.local, row.peer), &owner(&row.owner))
}

/// Who waits in TIME-WAIT, and for whom.
pub(super) fn time_wait(page: &mut Page<'_>, dashboard: &Dashboard) -> io::Result<()> {
    let pane = &dashboard.time_wait;
    page.heading("TIME-WAIT", "at the end")?;
    let told = |number: Option<u64>| number.map_or_else(|| NOT_RECORDED.to_owned(), count);
    page.line(&format!(
        "kernel {} · wire {} · entered in the last {}: {}",
        told(pane.kernel),
        told(pane.wire),
        watched(pane.entered_window),
        told(pane.entered)
    ))?;
    let list = |rows: &mut dyn Iterator<Item = (String, u64)>| {
        rows.take(5).map(|(name, number)| format!("{name} {}", count(number))).collect::<Vec<_>>().join(" · ")
    };
    if !pane.holders.is_empty() {
        let rows = list(&mut pane.holders.iter().map(|(ip, number)| (ip.to_string(), *number)));
        page.paragraph("waiting ", 8, &rows)?;
    }
    if !pane.peers.is_empty() {
        let rows = list(&mut pane.peers.iter().map(|(end, number)| (end.to_string(), *number)));
        page.paragraph("for     ", 8, &rows)?;
    }
    Ok(())
}

/// `nginx[812] fd 14`, with the relation where it is not "holds".
pub(super) fn owner(ownership: &Ownership) -> String {
    let name = ownership.process().map_or_else(String::new, |process| format!("{}[{}]", process.comm, process.pid));
    match ownership {
        Ownership::NotRecorded => String::new(),
        Ownership::Unknown => "owner unknown".to_owned(),
        Ownership::NoAccess => "owner not readable".to_owned(),
        Ownership::Held { fd, others: 0, .. } => format!("{name} fd {fd}"),
        Ownership::Held { fd, others, .. } => format!("{name} fd {fd} and {others} more"),
        Ownership::Listener { .. } => format!("{name} listens"),
        Ownership::Last { .. } | Ownership::Closed { .. } => format!("{name} closed it"),
        Ownership::Elsewhere { .. } => format!("{name} connected it, in another network namespace"),
        Ownership::Connected { .. } => format!("{name} connected it"),
        Ownership::Orphan => "orphan".to_owned(),
    }
}

/// `+12.3 s`: an instant by the time since the source began.
pub(super) fn after(ts: Timestamp, dashboard: &Dashboard) -> String {
    dashboard.since.map_or_else(String::new, |since| from_start(ts.since(since)))
}

pub(super) fn more(page: &mut Page<'_>, number: usize) -> io::Result<()> {
    if number == 0 { Ok(()) } else { page.line(&format!("  … and {} more", count(number as u64))) }
}
