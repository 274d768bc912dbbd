//! The sections of the text report that tell of single flows: what went wrong, and the largest.

use std::io;

use unicode_width::UnicodeWidthStr;

use crate::base::Scope;
use crate::engine::FlowDetail;
use crate::flow::{LifeEventKind, Side, ZeekView};

use super::super::pick::{self, Trouble};
use super::super::units::{bytes, counted, span};
use super::sections::{after, is_unmatched, more, owner};
use super::{Page, ReportContext, findings, host, opening, padded, times};

/// The flows that went wrong, kind by kind.
pub(super) fn wrong(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    page.heading("What went wrong", "worst first · connects of the whole source, all else at the end")?;
    let mut any = findings::section(page, context)?;
    for lighter in [false, true] {
        for (kind, number, kept) in context.pick.wrong().filter(|(kind, _, _)| is_light(*kind) == lighter) {
            any = true;
            page.line(&format!("– {}", counted_kind(kind, number)))?;
            for detail in kept {
                flow_line(page, detail, context)?;
                flow_story(page, detail)?;
            }
            more(page, usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(kept.len()))?;
        }
    }
    any |= host::lost(page, context)?;
    if any { Ok(()) } else { page.line(nothing(context)) }
}

/// Why nothing is told to have gone wrong.
fn nothing(context: &ReportContext<'_>) -> &'static str {
    let dashboard = context.dashboard;
    let undecoded = dashboard.loss.is_some_and(|loss| loss.frames.undecoded_total() > 0);
    if is_unmatched(context) {
        "no flow matches, and nothing is wrong with the whole"
    } else if dashboard.sees.kernel.is_some() || dashboard.totals.segments > 0 {
        "nothing that can be seen"
    } else if undecoded || context.damage.is_some() {
        "nothing was decoded, so nothing can be said"
    } else {
        "no TCP was seen, so nothing can be said"
    }
}

fn counted_kind(kind: Trouble, number: u64) -> String {
    format!("{}: {}", kind.name(), counted(number, "flow"))
}

/// What a network does on a good day too. The marks of severity are for findings alone.
const fn is_light(kind: Trouble) -> bool {
    use Trouble::{NoAnswerYet, Reset, Retried, SentAgain, Unanswered};
    matches!(kind, Retried | Reset | NoAnswerYet | Unanswered | SentAgain)
}

/// The flows with most payload.
pub(super) fn largest(page: &mut Page<'_>, context: &ReportContext<'_>) -> io::Result<()> {
    if context.pick.largest().is_empty() {
        return Ok(());
    }
    page.heading("Largest flows", "by payload, what was sent again counted")?;
    for detail in context.pick.largest() {
        flow_line(page, detail, context)?;
        let told = context.pick.wrong().any(|(_, _, kept)| kept.iter().any(|told| told.row.id == detail.row.id));
        if told {
            continue;
        }
        who_and_what_for(page, detail)?;
        // A finding tells it, of this and of others.
        if !context.pick.is_left(detail.row.id) {
            story(page, detail)?;
        }
        numbers(page, detail)?;
    }
    Ok(())
}

/// Where Zeek sees it another way: the other originator, several rows.
fn zeek_remarks(detail: &FlowDetail) -> String {
    let Some(view) = &detail.zeek else { return String::new() };
    let turned = view.chosen().is_some_and(|row| row.orig == Side::Resp);
    let turned = if turned { "; its orig is resp" } else { "" };
    match view.count() {
        0 | 1 => turned.to_owned(),
        count => format!("{turned}; row {} of {count}", view.chosen_at() + 1),
    }
}

/// One flow: its ends, its size, and when.
fn flow_line(page: &mut Page<'_>, detail: &FlowDetail, context: &ReportContext<'_>) -> io::Result<()> {
    let row = &detail.row;
    let arrow = if row.orig_known { "→" } else { "–" };
    let scope = if row.scope == Scope::FILE { String::new() } else { format!(" in netns {}", row.scope.0) };
    let size = row.payload_bytes.map_or_else(|| "no segment seen".to_owned(), bytes);
    let tuple = format!("  #{} {} {arrow} {}{scope}", row.id, row.orig.endpoint, row.resp.endpoint);
    let from = after(row.first, context.dashboard);
    let facts = format!("{from} for {}  {size}", span(row.last.since(row.first)));
    let gap = page.width.saturating_sub(facts.width());
    if tuple.width() + 2 <= gap {
        page.line(&format!("{}{facts}", padded(&tuple, gap)))?;
    } else {
        page.line(&tuple)?;
        page.line(&format!("      {facts}"))?;
    }
    Ok(())
}

/// Who holds it, its story, what sequence analysis marked, and its times.
fn flow_story(page: &mut Page<'_>, detail: &FlowDetail) -> io::Result<()> {
    who_and_what_for(page, detail)?;
    story(page, detail)?;
    numbers(page, detail)
}

fn who_and_what_for(page: &mut Page<'_>, detail: &FlowDetail) -> io::Result<()> {
    let row = &detail.row;
    let owners: Vec<String> = Side::BOTH
        .into_iter()
        .filter(|side| row.end(*side).owner.process().is_some())
        .map(|side| format!("{}: {}", side.name(), owner(&row.end(side).owner)))
        .collect();
    if !owners.is_empty() {
        page.paragraph("      ", 6, &owners.join(" · "))?;
    }
    for line in [opening::names(detail), opening::waits(detail)].into_iter().flatten() {
        page.paragraph("      ", 6, &line)?;
    }
    Ok(())
}

fn story(page: &mut Page<'_>, detail: &FlowDetail) -> io::Result<()> {
    if detail.story.is_empty() { Ok(()) } else { page.paragraph("      ", 6, &detail.story) }
}

/// What was marked of it and why, its times, and what Zeek has of it.
fn numbers(page: &mut Page<'_>, detail: &FlowDetail) -> io::Result<()> {
    let facts = [marks(detail), verdicts(detail), unacknowledged(detail), resets(detail), limits(detail)];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    if !facts.is_empty() {
        page.paragraph("      ", 6, &facts.join(" · "))?;
    }
    for words in [times::stalls(detail), times::words(detail)].iter().filter(|words| !words.is_empty()) {
        page.paragraph("      ", 6, &words.join(" · "))?;
    }
    match detail.zeek.as_ref().and_then(ZeekView::chosen) {
        Some(row) => {
            let (state, meaning) = (row.conn_state.name(), row.conn_state.meaning());
            let more = zeek_remarks(detail);
            page.paragraph("      ", 6, &format!("Zeek: {state} ({meaning}), history {}{more}", row.history))
        }
        None => Ok(()),
    }
}

/// `orig sent: retransmission 2, zero window 1`, of each end of which something was marked.
fn marks(detail: &FlowDetail) -> Vec<String> {
    let words = |side: Side| {
        let counts = &detail.analysis.as_ref()?[side.index()];
        let words: Vec<String> = counts.iter().map(|(mark, n)| format!("{} {n}", mark.words())).collect();
        (!words.is_empty()).then(|| format!("{} sent: {}", side.name(), words.join(", ")))
    };
    Side::BOTH.into_iter().filter_map(words).collect()
}

/// `verdict on orig: lost 3 (SACK hole), reordered 1 (older TSval)`, of each end of which something was sent again.
fn verdicts(detail: &FlowDetail) -> Vec<String> {
    let words = |side: Side| {
        let half = &detail.verdict.as_ref()?.halves[side.index()];
        let words: Vec<String> = half
            .shown
            .iter()
            .map(|(cause, shown)| format!("{} {} ({shown})", cause.words(), half.counts.of(*cause)))
            .collect();
        (!words.is_empty()).then(|| format!("verdict on {}: {}", side.name(), words.join(", ")))
    };
    Side::BOTH.into_iter().filter_map(words).collect()
}

/// `limits: only orig was captured`.
fn limits(detail: &FlowDetail) -> Vec<String> {
    let limits = detail.verdict.iter().flat_map(|view| &view.limits);
    let words: Vec<String> = limits.map(ToString::to_string).collect();
    if words.is_empty() { Vec::new() } else { vec![format!("limits: {}", words.join(", "))] }
}

/// `1.0 kB of orig not acknowledged`, of an end that sent data again.
fn unacknowledged(detail: &FlowDetail) -> Vec<String> {
    let ends = Side::BOTH.into_iter().filter(|side| !detail.row.closed && pick::sent_again(detail, *side) > 0);
    ends.filter_map(|side| {
        Some(match pick::unacknowledged(detail, side)? {
            Some(left) => format!("{} of {} not acknowledged", bytes(left.into()), side.name()),
            None => format!("no acknowledgment of what {} sent was seen", side.name()),
        })
    })
    .collect()
}

/// `RST from resp`, of a flow that a RST ended.
fn resets(detail: &FlowDetail) -> Vec<String> {
    let rst = detail.life.iter().find(|event| event.kind == LifeEventKind::Rst);
    rst.map(|event| format!("RST from {}", event.side.name())).into_iter().collect()
}
