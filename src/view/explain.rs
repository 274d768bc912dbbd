//! What a pane or view shows, in plain words, with what to read further: a table of texts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use crate::ui::{Explained, FlowPart, Pane, View, wrap};

use super::widgets::{left, pane, put_all, styled, title};
use super::{Context, columns_explained, instants};

/// Draws the explanation of what is in front over the lower part of the body.
pub(super) fn draw(context: &Context<'_>, body: Rect, buf: &mut Buffer) {
    let Some(told) = context.ui.explains() else { return };
    let theme = context.theme;
    let (name, text, read) = explanation(context.ui.view(), context.ui.focus(context.source), context.ui.flow().part());
    let room = usize::from(body.width.saturating_sub(4));
    let mut lines: Vec<Line<'_>> = Vec::new();
    if told != Explained::Columns {
        lines.extend(wrap(text, room).into_iter().map(|line| Line::from(styled(line, theme.text))));
        let more = wrap(&format!("read {read}"), room);
        lines.extend(more.into_iter().map(|line| Line::from(styled(line, theme.info))));
    }
    if told != Explained::Text {
        lines.extend(columns(context, room));
    }
    let most = usize::from(body.height.saturating_sub(2)).max(1);
    if lines.len() > most {
        let more = lines.len() - most + 1;
        lines.truncate(most - 1);
        lines.push(Line::from(styled(format!("… {more} more: a higher screen shows them"), theme.dim)));
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(body.height);
    let area = Rect { y: body.bottom() - height, height, ..body };
    Clear.render(area, buf);
    buf.set_style(area, theme.text);
    let next = if told == Explained::Text { "x: its columns" } else { "x closes" };
    let inner = pane(buf, area, title(name, next, theme), true, theme);
    put_all(buf, inner, &lines);
}

/// Columns of a heading and of its meaning, and between one pair and the next.
const HEADING: usize = 12;
const MEANING: usize = 44;
const GAP: usize = 2;

/// What the columns of the list in front mean, in as many pairs beside each other as there is room for.
fn columns(context: &Context<'_>, room: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let all = columns_explained::columns(context.ui.view());
    let each = ((room + GAP) / (HEADING + MEANING + GAP)).clamp(1, 4);
    let meaning = (room + GAP) / each - HEADING - GAP;
    let rows = all.len().div_ceil(each);
    let pair = |(at, (name, text)): (usize, &'static (&'static str, &'static str))| {
        let before = styled(" ".repeat(if at == 0 { 0 } else { GAP }), theme.text);
        let told = matches!(context.ui.view(), View::Flows | View::Findings);
        let name = if told { instants::heading(context.ui.times(), name) } else { name };
        [before, styled(left(name, HEADING), theme.strong), styled(left(text, meaning), theme.text)]
    };
    let line =
        |row: usize| Line::from(all.iter().skip(row).step_by(rows).enumerate().flat_map(pair).collect::<Vec<_>>());
    (0..rows).map(line).collect()
}

/// Name, what it shows and means, what to read.
type Explanation = (&'static str, &'static str, &'static str);

const fn explanation(view: View, focus: Option<Pane>, part: FlowPart) -> Explanation {
    match (view, focus) {
        (View::Flow, _) if matches!(part, FlowPart::Ladder) => LADDER,
        (View::Flow, _) if matches!(part, FlowPart::Graph) => GRAPH,
        (View::Overview, Some(Pane::Handshakes)) | (View::Handshakes, _) => HANDSHAKES,
        (View::Overview, Some(Pane::Findings)) | (View::Findings, _) => FINDINGS,
        (View::Overview, Some(Pane::States)) => STATES,
        (View::Overview, Some(Pane::TimeWait)) | (View::TimeWait, _) => TIME_WAIT,
        (View::Overview, Some(Pane::Queues)) | (View::Queues, _) => QUEUES,
        (View::Overview, Some(Pane::Traffic)) => TRAFFIC,
        (View::Overview, Some(Pane::Busiest)) | (View::Processes, _) => PROCESSES,
        (View::Overview, Some(Pane::Flows) | None) | (View::Flows, _) => FLOWS,
        (View::Listeners, _) => LISTENERS,
        (View::Flow, _) => FLOW,
    }
}

const FINDINGS: Explanation = (
    "Findings",
    "What is wrong, worst first: ‼ critical, ! warning. Each names its subject, since when it holds, and the numbers that \
     show it; Enter on the overview shows why, how sure it is, and what to do, and the flows that it is about. \
     A finding goes when its evidence goes. With a filter, only findings about a flow that fits it are listed.",
    "connect(2), listen(2), ip-sysctl.rst; README: Findings",
);

const HANDSHAKES: Explanation = (
    "Handshakes",
    "A connection opens with SYN, SYN-ACK and ACK. refused: a RST answered the SYN. unanswered: nobody did, and the \
     next retry is overdue; given up: its process let go before. half-open: the SYN-ACK came, its ACK is overdue. reset: a RST came in between. The times are \
     those at the point of capture; a SYN that had to be sent again costs 1 s or more.",
    "RFC 9293 §3.5, RFC 6298 §5, connect(2), tcp_syn_retries in tcp(7)",
);

const STATES: Explanation = (
    "States",
    "How many ends are in each state: what the kernel reports beside what the sequence numbers on the wire imply. \
     CLOSE-WAIT: the peer has closed, and the process here has not called close(). FIN-WAIT-2: closed here, not there; \
     without a process the kernel keeps it for tcp_fin_timeout only, the wire shows it until the peer closes. \
     Many that stay in CLOSE-WAIT are a leak of the process.",
    "RFC 9293 §3.3.2, ss(8), sock_diag(7), tcp_fin_timeout in tcp(7)",
);

const TIME_WAIT: Explanation = (
    "TIME-WAIT and ports",
    "The end that closes first stays in TIME-WAIT for 60 s on Linux, so that late segments meet no new connection. Until \
     then its local port stays taken towards that service. Once all ports of the range are taken, connect() fails with \
     EADDRNOTAVAIL. At the service's own end it takes no port of the range.",
    "RFC 9293 §3.6, connect(2), ip_local_port_range and tcp_tw_reuse in ip-sysctl.rst",
);

const QUEUES: Explanation = (
    "Queues",
    "Recv-Q: bytes received that the process has not read. Send-Q: bytes written that the peer has not acknowledged. \
     accept: connections that are established and wait for accept(); past its limit, Linux drops SYNs and ACKs without a \
     word. window closed: the receiver has no room, for its process does not read, and the sender waits.",
    "ss(8), listen(2), RFC 9293 §3.8.6",
);

const TRAFFIC: Explanation = (
    "Traffic",
    "Bits and segments on the wire each second, headers included, and how many segments were retransmissions by what the \
     capture shows, counted as Wireshark does.",
    "RFC 6298, RFC 5681 §3.2, Wireshark's TCP analysis",
);

const PROCESSES: Explanation = (
    "Processes",
    "Who holds TCP sockets, as their file descriptors tell. A socket that several processes hold (after fork()) is \
     counted with each; fd 7+ has more descriptors. Enter opens a process: its sockets as lsof -p lists them. Rates are \
     those of the flows that were captured. No access: the kernel shows the sockets of another user's \
     process to root alone, or to cap_sys_ptrace with cap_dac_read_search, and those beyond a container to nobody in it.",
    "proc_pid_fd(5), lsof(8)",
);

const LISTENERS: Explanation = (
    "Listeners",
    "accept-Q: connections that are established and wait for accept(), against the limit: listen()'s backlog, at most \
     net.core.somaxconn. drops: SYNs and ACKs that this socket has dropped since it was opened, most of them since its \
     queue was full. came in: connections in the table whose handshake with it was completed. \
     bound: a socket that holds its port by bind() and neither listens nor connects.",
    "bind(2), listen(2), accept(2), SO_REUSEPORT in socket(7)",
);

const FLOWS: Explanation = (
    "Flows",
    "One row a connection: a pair of addresses and ports, from its SYN on. ESTAB is what the kernel reports, ~ESTAB is \
     inferred from the wire, ESTAB ≠ is where they disagree for longer than sampling explains. RTT is the kernel's \
     smoothed one, with h that of the handshake. What is over stays for a while, in a full table (--flows) for less.",
    "RFC 9293 §3.3.2, ss(8), tcp(7)",
);

const FLOW: Explanation = (
    "Flow",
    "What one connection does now and why; what each end's TCP must be doing by the wire, beside what the kernel reports \
     of an end on this host; its handshake with the options offered; the landmarks of its life. memory: what it takes of \
     its buffers, frames included. busy: the time with data to send, and how much of it the peer's window or its own \
     buffer held it up. final: the kernel's counts when it let go of the socket.",
    "RFC 9293, ss(8) (-m, -i), sock_diag(7), tcp(7)",
);

const LADDER: Explanation = (
    "Ladder",
    "Every segment from end to end as the capture point saw it, numbers relative to each half's first; the states that \
     it left both ends in at the sides. ╌ was sent again, ┈ repeats, ✗ was lost on its way, ? was sent again after a \
     time with no answer (lost, or its answer was), ═ is a run of plain data (Enter unfolds). Nothing is told before its \
     evidence came.",
    "RFC 9293 §3.3.2, §3.5; RFC 5681 §3.2; RFC 2018",
);

const GRAPH: Explanation = (
    "Graph",
    "What one end sent (upright: from its first number to its last), what was acknowledged (a line), and up to where the \
     window went (dots; not drawn far above what is sent, or while its scale is not known). Steep is fast, level waits. \
     rtt is from the capture point to the acknowledging end and back, never of what was sent twice.",
    "RFC 7323, RFC 6298 §3, RFC 2018; tcptrace's time-sequence graph",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_explanation_is_short_and_names_what_to_read() {
        for (name, text, read) in
            [FINDINGS, HANDSHAKES, STATES, TIME_WAIT, QUEUES, TRAFFIC, PROCESSES, LISTENERS, FLOWS, FLOW, LADDER, GRAPH]
        {
            assert!(wrap(text, 76).len() <= 6, "{name}: {text}");
            assert!(["RFC", "(2)", "(5)", "(8)"].iter().any(|source| read.contains(source)), "{name}: {read}");
        }
    }
}
