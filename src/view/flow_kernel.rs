//! What the kernel alone knows of one end: its memory, its congestion control, what held it up, its last word.

use std::time::Duration;

use crate::base::Timestamp;
use crate::kernel::{LastWord, Socket, TcpInfo};

use super::Context;
use super::flow_end::{LABEL, Sections, plain};
use super::format::{age, bytes, clock, count, span};
use super::widgets::as_fit;

/// Memory against its limits, what was dropped, and where it belongs.
pub(super) fn socket_lines(context: &Context<'_>, socket: &Socket, room: usize) -> Sections {
    let room = room.saturating_sub(LABEL);
    let mut sections = Sections::new();
    if let Some(memory) = socket.memory {
        let (rcvbuf, sndbuf) = socket.buffers.unzip();
        let of = |name: &str, taken: u32, limit: Option<u32>| {
            let limit = limit.map_or_else(String::new, |limit| format!(" of {}", bytes(limit.into())));
            format!("{name} {}{limit}", bytes(taken.into()))
        };
        let mut parts = vec![of("recv", memory.recv, rcvbuf), of("send", memory.queued, sndbuf)];
        parts.extend((memory.backlog > 0).then(|| of("backlog", memory.backlog, None)));
        parts.extend(socket.drops.filter(|drops| *drops > 0).map(|drops| format!("drops {}", count(drops.into()))));
        sections.push((9, vec![plain(context, "memory", as_fit(&parts, "  ", room))]));
    }
    let control =
        [socket.congestion.map(|name| format!("by {}", name.as_str())), socket.cgroup.map(|id| format!("cgroup {id}"))];
    let parts: Vec<String> = control.into_iter().flatten().collect();
    if !parts.is_empty() {
        sections.push((11, vec![plain(context, "control", as_fit(&parts, "  ", room))]));
    }
    sections
}

/// How long it had data to send, and how much of that it was held up by the peer's window or by its own buffer: times,
/// and shares as `ss -i` prints them.
pub(super) fn limit_parts(info: &TcpInfo) -> Vec<Option<String>> {
    let some = |time: Option<Duration>| time.filter(|time| !time.is_zero());
    let part = |name: &str, time: Option<Duration>| {
        let time = some(time)?;
        let of = |busy: Duration| (time.as_secs_f64() * 100.0 / busy.as_secs_f64()).min(100.0);
        let share = some(info.busy_time).map_or_else(String::new, |busy| format!(" ({:.0} %)", of(busy)));
        Some(format!("{name} {}{share}", span(time)))
    };
    vec![
        some(info.busy_time).map(span),
        part("rwnd-limited", info.rwnd_limited),
        part("sndbuf-limited", info.sndbuf_limited),
    ]
}

/// What the kernel said of the end's socket when it let go of it.
pub(super) fn last_word_lines(context: &Context<'_>, word: &LastWord, room: usize) -> Sections {
    let info = &word.info;
    let volume = |name: &str, amount: Option<u64>| amount.map(|amount| format!("{name} {}", bytes(amount)));
    let number = |name: &str, n: Option<u32>| n.filter(|n| *n > 0).map(|n| format!("{name} {}", count(n.into())));
    let counts = [volume("sent", info.bytes_sent), volume("received", info.bytes_received)];
    let rest = [
        number("retrans", info.total_retrans),
        (word.unread > 1).then(|| format!("never read {}", bytes(word.unread.into()))),
        info.min_rtt.map(|rtt| format!("min rtt {}", span(rtt))),
        info.busy_time.filter(|busy| !busy.is_zero()).map(|busy| format!("busy {}", span(busy))),
    ];
    let line =
        |label: &str, parts: Vec<String>| plain(context, label, as_fit(&parts, "  ", room.saturating_sub(LABEL)));
    let when = format!("by the kernel {}", clock(word.ts, &context.theme.zone));
    let mut lines = vec![line("final", counts.into_iter().flatten().chain([when]).collect())];
    let rest: Vec<String> = rest.into_iter().flatten().collect();
    if !rest.is_empty() {
        lines.push(line("", rest));
    }
    vec![(2, lines)]
}

/// A socket that left the state it was read in, and was not read in any other since.
pub(super) fn left_lines(context: &Context<'_>, socket: &Socket, left: Timestamp) -> Sections {
    let text = format!("left {} {} ago: in TIME-WAIT, or gone", socket.state.0.name(), age(context.ago(left)));
    vec![(1, vec![plain(context, "socket", text)])]
}
