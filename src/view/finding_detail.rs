//! One finding in full: the numbers that show it, why, what to do, how sure it is, and the flows that it is about.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::engine::{Concerned, FlowPane, FlowRow, concerned};
use crate::findings::{Confidence, Fact, Finding, Value};
use crate::ui::wrap;

use super::findings::{style, subject};
use super::format::{age, bytes, clock, count, rate, span};
use super::theme::Theme;
use super::widgets::{left, pane, put_all, styled, title, width};
use super::{Context, flow_columns, flows, keep_by_weight};

/// Columns of a label.
const LABEL: usize = 12;

/// From this width on its flows stand beside it, else below it.
const BESIDE_FROM: u16 = 150;
/// Lines of the flows' box below a finding, at least: borders, headings, two rows.
const LEAST: u16 = 5;
/// Where so many lines are left for them, the parts of the finding stand apart.
const ROOMY: u16 = 13;

pub(super) fn draw(context: &Context<'_>, finding: &Finding, flows: Option<&FlowPane>, area: Rect, buf: &mut Buffer) {
    let theme = context.theme;
    let any = flows.is_some_and(|flows| !flows.rows.is_empty());
    let beside = any && area.width >= BESIDE_FROM;
    let wide = if beside { area.width * 2 / 5 } else { area.width };
    let sections = sections(context, finding, usize::from(wide).saturating_sub(4));
    let lines = sections.iter().map(|(_, lines)| lines.len()).sum::<usize>() + 2;
    let spaced_lines = lines + sections.len() - 1;
    let roomy = spaced_lines + usize::from(ROOMY) <= usize::from(area.height);
    let tall = u16::try_from(if roomy { spaced_lines } else { lines }).unwrap_or(u16::MAX).min(area.height);
    let (detail, rest) = match (beside, area.height - tall) {
        (true, _) => (Rect { width: wide, ..area }, Rect { x: area.x + wide, width: area.width - wide, ..area }),
        (false, left) if any && left >= LEAST => {
            (Rect { height: tall, ..area }, Rect { y: area.y + tall, height: left, ..area })
        }
        _ => (area, Rect { height: 0, ..area }),
    };
    let height = usize::from(detail.height.saturating_sub(2));
    let all = lines - 2;
    let (shown, cut) = match context.ui.finding_zoomed() {
        true if all > height => page(context, sections, height),
        zoomed => {
            let shown = spaced(sections, height);
            let cut = if shown.len() < all { format!("  {} of {all} lines", shown.len()) } else { String::new() };
            let more = if zoomed || cut.is_empty() { "" } else { ", z zooms" };
            (shown, cut + more)
        }
    };
    let name = format!("{} {}", finding.severity.mark(), finding.kind.name());
    let room = usize::from(detail.width).saturating_sub(8 + width(&name) + width(&cut));
    let title = vec![
        styled(name, style(finding.severity, theme)),
        styled(format!("  {}", subject(finding, room)), theme.strong),
        styled(cut, theme.dim),
    ];
    let inner = pane(buf, detail, title, false, theme);
    put_all(buf, inner, &shown);
    if let Some(flows) = flows.filter(|_| !rest.is_empty()) {
        draw_flows(context, flows, rest, buf);
    }
}

/// A page of the parts, of which there is more than `height` has room for, and what it is of all.
fn page(context: &Context<'_>, sections: Vec<(u8, Vec<Line<'static>>)>, height: usize) -> (Vec<Line<'static>>, String) {
    let lines: Vec<Line<'static>> = sections.into_iter().flat_map(|(_, lines)| lines).collect();
    let height = height.max(1);
    // The last page is a full one, too.
    let first = (context.ui.finding_page(lines.len().div_ceil(height)) * height).min(lines.len() - height);
    let last = first + height;
    let cut = format!("  {}–{last} of {} lines, PgDn", first + 1, lines.len());
    (lines[first..last].to_vec(), cut)
}

/// The parts as far as there is room, apart from one another where there is room for that.
fn spaced(mut sections: Vec<(u8, Vec<Line<'static>>)>, height: usize) -> Vec<Line<'static>> {
    let lines: usize = sections.iter().map(|(_, lines)| lines.len()).sum();
    if lines + sections.len() <= height + 1 {
        for (_, lines) in sections.iter_mut().rev().skip(1) {
            lines.push(Line::default());
        }
    }
    keep_by_weight(sections, height)
}

/// The flows that it is about.
fn draw_flows(context: &Context<'_>, flows: &FlowPane, area: Rect, buf: &mut Buffer) {
    let words = format!("{}, latest first", count(flows.matching as u64));
    let inner = pane(buf, area, title("Its flows", &words, context.theme), false, context.theme);
    let rows: Vec<&FlowRow> = flows.rows.iter().take(usize::from(inner.height.saturating_sub(1))).collect();
    let columns = flow_columns::columns(context, &rows, usize::from(inner.width));
    let lines = rows.into_iter().map(|row| flows::row_line(context, row, &columns));
    let lines: Vec<Line<'static>> = [flows::head(context, &columns, None)].into_iter().chain(lines).collect();
    put_all(buf, inner, &lines);
}

fn sections(context: &Context<'_>, finding: &Finding, room: usize) -> Vec<(u8, Vec<Line<'static>>)> {
    let theme = context.theme;
    let part = |weight, label: &str, text: &str, style| (weight, labelled(label, text, style, room, theme.dim));
    let ago = age(context.ago(finding.since));
    let since = format!("{}, {ago} ago", clock(finding.since, &theme.zone));
    let sure = format!("{}: {}", finding.confidence.name(), carries(finding.confidence));
    let evidence: Vec<String> = finding.evidence.iter().map(|one| fact(one, theme)).collect();
    let mut sections = vec![
        part(0, "found", &finding.told, theme.strong),
        part(1, "why", &finding.why, theme.text),
        part(2, "what to do", &finding.remedy, theme.text),
        part(4, "evidence", &evidence.join(" · "), theme.text),
    ];
    if let Some(who) = finding.held_by() {
        sections.push(part(3, "held by", &who.to_string(), theme.text));
    }
    sections.push(part(6, "since", &since, theme.text));
    sections.push(part(5, "confidence", &sure, theme.text));
    if let Some(flows) = concerned(finding.key()) {
        let text = match flows {
            Concerned::Flow(flow) => format!("Enter opens flow {flow}"),
            Concerned::Fitting(filter) => format!("Enter lists those that fit {filter}"),
        };
        sections.push(part(7, "flows", &text, theme.info));
    }
    sections
}

/// A label at the left, and a text that keeps to the right of it.
fn labelled(label: &str, text: &str, style: Style, room: usize, dim: Style) -> Vec<Line<'static>> {
    let lines = wrap(text, room.saturating_sub(LABEL)).into_iter().enumerate();
    let label = |at| left(if at == 0 { label } else { "" }, LABEL.min(room));
    lines.map(|(at, text)| Line::from(vec![styled(label(at), dim), styled(text, style)])).collect()
}

const fn carries(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "counted by the kernel, or said by the very segments",
        Confidence::Medium => "inferred, by the wire alone or from a trend",
        Confidence::Low => "it may be otherwise, for evidence is missing",
    }
}

/// What the names of evidence mean, in words.
#[rustfmt::skip]
const WORDS: [(&str, &str); 70] = [
    ("failed", "failed"),
    ("attempts", "attempts"),
    ("given_up", "given up by its process"),
    ("counted_over_ns", "counted over"),
    ("hosts", "hosts"),
    ("ports", "ports"),
    ("refused", "refused"),
    ("rejected", "rejected"),
    ("unanswered", "unanswered"),
    ("answered", "answered"),
    ("still_waiting", "still waiting"),
    ("failing_for_ns", "first to last failure"),
    ("queues", "listeners over"),
    ("waiting", "waiting"),
    ("limit", "limit"),
    ("half_open", "half-open"),
    ("addresses", "addresses"),
    ("addresses_over", "addresses, more than"),
    ("syn_again", "SYN sent again"),
    ("syn_ack_again", "SYN-ACK sent again"),
    ("completed", "completed"),
    ("syn_recv", "in SYN-RECV"),
    ("syncookies_sent", "TcpExtSyncookiesSent"),
    ("req_q_full_drops", "TcpExtTCPReqQFullDrop"),
    ("half_open_evicted", "half-open flows evicted"),
    ("listen_overflows", "TcpExtListenOverflows"),
    ("kernel", "kernel dropped"),
    ("ours", "we dropped"),
    ("frames", "frames seen"),
    ("sockets", "sockets"),
    ("service", "service"),
    ("end_read", "end of file read by"),
    ("end_unread", "end of file unread by"),
    ("bytes_unread", "bytes unread in"),
    ("close_wait", "in CLOSE-WAIT for any time"),
    ("growing_over_ns", "over"),
    ("never_accepted", "never accepted"),
    ("oldest_for_ns", "oldest"),
    ("growth_per_s", "growing by"),
    ("unread_for_ns", "nothing read for"),
    ("recv_q", "Recv-Q"),
    ("recv_buffer_bytes", "receive buffer"),
    ("window_closed_for_ns", "window closed for"),
    ("persist_for_ns", "persist timer for"),
    ("peer_send_q_bytes", "Send-Q of its peer"),
    ("probes", "probes unanswered"),
    ("connections", "connections"),
    ("unanswered_for_ns", "unanswered for"),
    ("sent_again", "sent again, by the wire"),
    ("retransmit_timeouts", "by the kernel's timer"),
    ("keepalive_probes", "keepalive probes"),
    ("keepalives_seen", "keepalives on the wire"),
    ("probe_interval_ns", "every"),
    ("unacknowledged_for_ns", "not acknowledged for"),
    ("segment_bytes", "data in what is sent again"),
    ("path_mtu_bytes", "path MTU, says its kernel"),
    ("icmp_error", "by ICMP"),
    ("icmp_from", "from"),
    ("icmp_errors", "errors"),
    ("icmp_mtu_bytes", "the next link takes"),
    ("peer_unheard_for_ns", "peer last heard before"),
    ("next_try_ts_ns", "next try at"),
    ("gives_up_ts_ns", "given up at"),
    ("capacity", "ports usable"),
    ("live", "connections open"),
    ("time_wait", "in TIME-WAIT"),
    ("closes_per_s", "closed"),
    ("none_left_in_ns", "none left in"),
    ("runs_out_ts_ns", "that is at"),
    ("ran_out_ts_ns", "none left since"),
];

/// `none left in 5.00 s`.
fn fact(Fact { name, value }: &Fact, theme: &Theme) -> String {
    let words = WORDS.iter().find(|(known, _)| known == name).map_or(*name, |(_, words)| *words);
    let value = match value {
        Value::Count(nanos) if name.ends_with("_ns") => span(std::time::Duration::from_nanos(*nanos)),
        // What a link takes, and what is too long for it, is told to the byte.
        Value::Count(n) if matches!(*name, "path_mtu_bytes" | "icmp_mtu_bytes" | "segment_bytes") => n.to_string(),
        Value::Count(n) if name.ends_with("_bytes") || *name == "recv_q" => bytes(*n),
        Value::Count(n) => count(*n),
        Value::At(at) => clock(*at, &theme.zone),
        Value::Rate(per_second) => rate(*per_second),
        Value::Text(text) => text.clone(),
    };
    format!("{words} {value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::fixture::{at, flood, incident, scan};

    #[test]
    fn every_number_of_the_evidence_is_told_in_words() {
        let theme = Theme::new(crate::ui::ThemeName::Dark, jiff::tz::TimeZone::UTC);
        for finding in incident(at(1_000)).into_iter().chain([scan(at(1_000)), flood(at(1_000))]) {
            for one in &finding.evidence {
                assert!(WORDS.iter().any(|(name, _)| *name == one.name), "{:?}: {}", finding.kind, one.name);
                let told = fact(one, &theme);
                assert!(!told.contains('_'), "{told}");
            }
        }
    }

    #[test]
    fn an_mtu_is_told_to_the_byte_and_a_queue_is_not() {
        let theme = Theme::new(crate::ui::ThemeName::Dark, jiff::tz::TimeZone::UTC);
        for (name, told) in [
            ("path_mtu_bytes", "path MTU, says its kernel 1500"),
            ("icmp_mtu_bytes", "the next link takes 1500"),
            ("segment_bytes", "data in what is sent again 1500"),
            ("peer_send_q_bytes", "Send-Q of its peer 1.5 kB"),
        ] {
            assert_eq!(fact(&Fact { name, value: Value::Count(1_500) }, &theme), told);
        }
    }
}
