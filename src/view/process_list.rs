//! Processes that hold TCP sockets, or opened some; an open one with its descriptors, as `lsof -p` lists them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::base::TcpState;
use crate::engine::{
    DescriptorRow, KernelSight, ListPane, ProcessLine, ProcessRow, recv_q_is_fin, send_q_is_syn_or_fin,
};

use super::Context;
use super::format::{ABSENT, bits, bytes, count, counted, endpoint};
use super::queues::accept_severity;
use super::table::{self, Around, Column, Table, number, text, wide};
use super::widgets::{fit, gap, left, middle, styled, width};

pub(super) fn draw(context: &Context<'_>, area: Rect, buf: &mut Buffer) {
    let window = if let ListPane::Processes(window) = &context.dashboard.list { Some(window) } else { None };
    let closed = context.dashboard.sees.kernel.as_ref().and_then(closed_to_us);
    let [whole, rest] = closed.unwrap_or_default();
    let around = Around {
        name: "Processes",
        unit: " rows",
        filtered: true,
        rest: &[
            &context.and_age(&whole, |sight| Some(sight.at)),
            &context.and_age(&rest, |sight| Some(sight.at)),
            &rest,
        ],
        empty: &empty(context),
    };
    table::draw(context, &Processes { context }, window, &around, area, buf);
}

/// Into which processes nobody could look, with what would help where there is room for that, and without.
fn closed_to_us(sight: &KernelSight) -> Option<[String; 2]> {
    let number = counted(sight.processes_denied.into(), "process");
    match sight.which_denied() {
        _ if sight.processes_denied == 0 => None,
        Some(which) => Some([format!("no access to {which}: x tells why"), format!("no access to {which}")]),
        None => Some([format!("no access to {number}, not recorded to which"), format!("no access to {number}")]),
    }
}

fn empty(context: &Context<'_>) -> String {
    match (context.dashboard.sees.kernel, context.dashboard.now) {
        (Some(sight), _) if sight.ownable == 0 => "no process holds a TCP socket".to_owned(),
        (Some(sight), _) if sight.processes_denied == 0 => "no process is known to hold a TCP socket".to_owned(),
        (Some(_), _) => {
            "no process is known to hold a TCP socket; some may not be looked into (x tells why)".to_owned()
        }
        (None, Some(_)) if !context.source.of_host => {
            "not recorded: a capture tells nothing of processes; watch a host live to see them".to_owned()
        }
        (None, _) => context.none_of("reading of the socket table"),
    }
}

pub(super) struct Processes<'a> {
    context: &'a Context<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    User,
    Sockets,
    Listen,
    Estab,
    CloseWait,
    Opened,
    TimeWait,
    RecvQ,
    SendQ,
    Rate,
    Command,
}

impl Kind {
    /// A descriptor has nothing to tell in it.
    const fn is_of_processes_alone(self) -> bool {
        matches!(
            self,
            Self::User | Self::Listen | Self::Estab | Self::CloseWait | Self::Opened | Self::TimeWait | Self::Command
        )
    }
}

impl Processes<'_> {
    /// Descriptors are shown, and their ends need the room.
    fn is_tight(&self) -> bool {
        let ListPane::Processes(window) = &self.context.dashboard.list else { return false };
        let is_open = window.rows.iter().any(|row| matches!(row, ProcessLine::Descriptor(_)));
        is_open && self.context.ui.area().width < ROOMY
    }
}

impl Table for Processes<'_> {
    type Row = ProcessLine;
    type Kind = Kind;
    const COLUMNS: &'static [Column<Kind>] = &[
        wide(Kind::Name, "  process", (18, 52, 72), 0),
        text(Kind::User, "user", 8, 16, 8),
        number(Kind::Sockets, "sockets", 10, 1),
        number(Kind::Listen, "LISTEN", 6, 6),
        number(Kind::Estab, "ESTAB", 7, 5),
        number(Kind::CloseWait, "CLOSE-WAIT", 10, 1),
        number(Kind::Opened, "opened", 6, 2),
        number(Kind::TimeWait, "TIME-WAIT", 9, 4),
        number(Kind::RecvQ, "Recv-Q", 8, 3),
        number(Kind::SendQ, "Send-Q", 8, 3),
        number(Kind::Rate, "rate", 12, 2),
        wide(Kind::Command, "command", (16, 30, 200), 7),
    ];

    fn serves(&self, kind: Kind) -> bool {
        !kind.is_of_processes_alone() || self.sorted_by() == Some(kind) || !self.is_tight()
    }

    fn wish(&self, row: &ProcessLine, kind: Kind) -> usize {
        match (row, kind) {
            (ProcessLine::Process(row), Kind::Name) => 2 + width(&super::format::process(&row.process)),
            (ProcessLine::Process(row), Kind::User) => width(row.process.user.as_str()),
            (ProcessLine::Process(row), Kind::Command) => width(row.process.cmdline.as_str()),
            (ProcessLine::Descriptor(row), Kind::Name) => 8 + FD + width(&tuple(row, usize::MAX)),
            _ => 0,
        }
    }

    fn cell(&self, row: &ProcessLine, kind: Kind, room: usize) -> Vec<Span<'static>> {
        match row {
            ProcessLine::Process(row) => self.process(row, kind, room),
            ProcessLine::Descriptor(row) => self.descriptor(row, kind, room),
        }
    }

    fn sorted_by(&self) -> Option<Kind> {
        Some(match self.context.ui.order().0 {
            "sockets" => Kind::Sockets,
            "Recv-Q" => Kind::RecvQ,
            "Send-Q" => Kind::SendQ,
            "CLOSE-WAIT" => Kind::CloseWait,
            "name" | "pid" => Kind::Name,
            _ => Kind::Rate,
        })
    }
}

/// From this width on there is room for what descriptors do not have.
const ROOMY: u16 = 100;
/// Columns under which of two ends only the far one is told.
const BOTH_ENDS: usize = 22;
/// Columns of `fd 1024`.
const FD: usize = 9;

impl Processes<'_> {
    fn process(&self, row: &ProcessRow, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let number =
            |n: u64, show: fn(u64) -> String| vec![styled(show(n), if n == 0 { theme.dim } else { theme.strong })];
        match kind {
            Kind::Name => {
                let pid = format!("[{}]", row.process.pid);
                let name = middle(row.process.comm.as_str(), room.saturating_sub(2 + pid.len()));
                let fold = match (row.open, row.sockets) {
                    (true, _) => "− ",
                    (false, 0) => "  ",
                    (false, _) => "+ ",
                };
                vec![styled(fold, theme.dim), styled(name, theme.strong), styled(pid, theme.text)]
            }
            Kind::User => vec![styled(fit(row.process.user.as_str(), room), theme.text)],
            Kind::Sockets => number(row.sockets, count),
            Kind::Listen => number(row.listen, count),
            Kind::Estab => number(row.estab, count),
            Kind::CloseWait => number(row.close_wait, count),
            Kind::Opened => number(row.opened, count),
            Kind::TimeWait => number(row.time_wait, count),
            Kind::RecvQ => number(row.recv_q, bytes),
            Kind::SendQ => number(row.send_q, bytes),
            Kind::Rate => row.bits_per_s.map_or_else(|| vec![styled(ABSENT, theme.dim)], |rate| number(rate, bits)),
            Kind::Command => vec![styled(fit(row.process.cmdline.as_str(), room), theme.dim)],
        }
    }

    fn descriptor(&self, row: &DescriptorRow, kind: Kind, room: usize) -> Vec<Span<'static>> {
        let theme = self.context.theme;
        let listens = row.state == TcpState::Listen;
        let queue = |n: u32, is_flag: bool| match n {
            0 => styled("0 B", theme.dim),
            _ if is_flag => styled("0 B", theme.dim),
            n => styled(bytes(n.into()), theme.text),
        };
        match kind {
            Kind::Name => {
                let fd = left(&format!("fd {}{}", row.fd, if row.shared { "+" } else { "" }), FD);
                let ends = tuple(row, room.saturating_sub(4 + FD));
                vec![gap(4), styled(fd, theme.dim), styled(ends, theme.text)]
            }
            // Of one socket there is its state to tell where there is a number of many.
            Kind::Sockets => vec![styled(row.state.name(), theme.state(row.state))],
            Kind::RecvQ if listens => vec![accept(row, self.context)],
            Kind::SendQ if listens => Vec::new(),
            Kind::RecvQ => vec![queue(row.recv_q, recv_q_is_fin(row.state, row.recv_q))],
            Kind::SendQ => match row.send_q {
                Some(n) => vec![queue(n, send_q_is_syn_or_fin(row.state, n))],
                None => vec![styled(ABSENT, theme.dim)],
            },
            Kind::Rate => match row.bits_per_s {
                Some(0) => vec![styled(bits(0), theme.dim)],
                Some(rate) => vec![styled(bits(rate), theme.text)],
                None => vec![styled(ABSENT, theme.dim)],
            },
            _ => Vec::new(),
        }
    }
}

/// A listener's accept queue, in the place of bytes.
fn accept(row: &DescriptorRow, context: &Context<'_>) -> Span<'static> {
    let theme = context.theme;
    match (row.send_q, accept_severity(context, row.local, row.recv_q, row.send_q)) {
        (Some(limit), Some(mark)) => styled(format!("{} {}/{limit}", mark.mark(), row.recv_q), mark.style(theme)),
        (Some(limit), None) => styled(format!("{}/{limit}", row.recv_q), theme.text),
        (None, _) => styled(format!("{}/?", row.recv_q), theme.text),
    }
}

/// Both ends; where they do not fit, of the near one the port stays and of the far one as much as can; where that is
/// little, the far one alone.
fn tuple(row: &DescriptorRow, room: usize) -> String {
    let Some(peer) = row.peer else { return endpoint(row.local, room) };
    let (local, far) = (row.local.to_string(), peer.to_string());
    if width(&local).saturating_add(3 + width(&far)) <= room {
        return format!("{local} – {far}");
    }
    if room < BOTH_ENDS {
        return format!("– {}", endpoint(peer, room.saturating_sub(2)));
    }
    let near = endpoint(row.local, room.saturating_sub(3 + width(&far)).max(8));
    format!("{near} – {}", endpoint(peer, room.saturating_sub(3 + width(&near))))
}
