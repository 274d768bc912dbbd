//! What was lost of a flow: our own verdict beside Wireshark's counts, the latest episodes, what cannot be told.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::engine::FlowDetail;
use crate::flow::{AnalysisCounts, Cause, Episode, HalfVerdict, Mark, Side, VerdictView};
use crate::ui::wrap;

use super::flow_end::{LABEL, Sections, field, plain};
use super::format::{clock_ms, count};
use super::theme::Severity;
use super::widgets::{packed, pane, put_all, styled, title};
use super::{Context, keep_by_weight};

/// Wireshark's marks that speak of the same segments.
const BESIDE: [Mark; 6] = [
    Mark::Retransmission,
    Mark::FastRetransmission,
    Mark::SpuriousRetransmission,
    Mark::OutOfOrder,
    Mark::KeepAlive,
    Mark::ZeroWindowProbe,
];

pub(super) fn draw(context: &Context<'_>, detail: &FlowDetail, area: Rect, buf: &mut Buffer) {
    let Some(view) = detail.verdict.as_ref().filter(|_| area.height >= 3) else { return };
    let inner = pane(buf, area, title("Losses", "", context.theme), false, context.theme);
    let room = usize::from(inner.width).saturating_sub(LABEL);
    let mut sections = Sections::new();
    for side in Side::BOTH {
        let half = &view.halves[side.index()];
        if !half.is_quiet() {
            let marks = detail.analysis.as_ref().map(|counts| &counts[side.index()]);
            sections.extend(half_lines(context, detail, side, half, marks, room));
        }
    }
    sections.extend(limit_lines(context, view, room));
    put_all(buf, inner, &keep_by_weight(sections, usize::from(inner.height)));
}

/// One end's segments: why they came again, what Wireshark calls them, and the latest episodes, newest first.
fn half_lines(
    context: &Context<'_>,
    detail: &FlowDetail,
    side: Side,
    half: &HalfVerdict,
    marks: Option<&AnalysisCounts>,
    room: usize,
) -> Sections {
    let theme = context.theme;
    let lost = half.counts.of(Cause::Lost) > 0;
    let name =
        |(cause, shown): &(Cause, _)| format!("{} {} ({shown})", cause.words(), count(half.counts.of(*cause).into()));
    let causes: Vec<String> = half.shown.iter().map(name).collect();
    let style = if lost { theme.warning } else { theme.text };
    let lines = labelled(context, side.name(), wrap(&causes.join(", "), room), style).into_iter().enumerate();
    let mut sections: Sections = lines.map(|(at, line)| (u8::from(at > 0), vec![line])).collect();
    if let Some(marks) = marks {
        let beside = BESIDE.iter().filter(|mark| marks.of(**mark) > 0);
        let parts: Vec<String> = beside.map(|mark| format!("{} {}", mark.words(), count(marks.of(*mark)))).collect();
        let parts = if parts.is_empty() { vec!["none of them".to_owned()] } else { parts };
        sections.push((2, labelled(context, "tshark", packed(&parts, "  ", room), theme.dim)));
    }
    let now = context.dashboard.now.unwrap_or_default();
    let told = |episode: &Episode| {
        let clock = clock_ms(episode.since, &theme.zone);
        wrap(&format!("{clock} {}", episode.tell(now, detail.row.closed)), room)
    };
    for (weight, episode) in (1_u8..).zip(half.open.iter().chain(half.episodes.iter().rev())) {
        sections.push((weight.min(4), labelled(context, "", told(episode), theme.text)));
    }
    let kept = u32::try_from(half.episodes.len()).unwrap_or(u32::MAX);
    if let Some(worst) = half.worst.as_ref().filter(|worst| half.ended > kept && !half.episodes.contains(worst)) {
        sections.push((3, labelled(context, "worst of", told(worst), theme.text)));
        sections.push((5, vec![plain(context, "", format!("{} such events in all", count(half.ended.into())))]));
    }
    sections
}

fn limit_lines(context: &Context<'_>, view: &VerdictView, room: usize) -> Sections {
    let theme = context.theme;
    let mut sections = Sections::new();
    if let Some(injected) = view.injected {
        let text = format!("{} {injected}", Severity::Warning.mark());
        sections.push((0, labelled(context, "reset", wrap(&text, room), theme.warning)));
    }
    if !view.limits.is_empty() {
        let limits: Vec<String> = view.limits.iter().map(ToString::to_string).collect();
        sections.push((1, labelled(context, "limits", wrap(&limits.join(", "), room), theme.text)));
    }
    sections
}

/// Lines of which the first has a label.
fn labelled(
    context: &Context<'_>,
    label: &str,
    lines: Vec<String>,
    style: ratatui::style::Style,
) -> Vec<Line<'static>> {
    let lines = lines.into_iter().enumerate();
    lines.map(|(at, text)| field(context, if at == 0 { label } else { "" }, vec![styled(text, style)])).collect()
}
