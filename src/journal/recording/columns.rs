//! A row of the socket table as numbers, so that it is told by what changed.
//!
//! Each field is a column: 0 where it is absent, else its value and 1.

use std::time::Duration;

use super::codec::{Code, Reader, Writer, duration};
use crate::base::{Endpoint, TcpState};
use crate::kernel::{Congestion, Memory, Reported, Socket, TcpInfo, Timer, TimerKind};

/// A row but for its ends; what changes most comes first, as changes are told with a mask.
const COLUMNS: usize = 52;
/// These stand behind all others, since version 2 of the format brought them.
const LAST_ACK_RECV: usize = 50;
const SND_WND: usize = 51;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns([u128; COLUMNS]);

/// What a column can hold.
trait Cell: Sized {
    /// `None` where it is absent.
    fn told(self) -> Option<u128>;
    /// `None` where the number is no such value.
    fn of(number: Option<u128>) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Cell for Option<$number> {
            fn told(self) -> Option<u128> {
                self.map(u128::from)
            }

            fn of(number: Option<u128>) -> Option<Self> {
                number.map(<$number>::try_from).transpose().ok()
            }
        }
    )*};
}

numbers!(u8, u32, u64);

/// In microseconds where it is so many, which the kernel's times are: nanoseconds are the odd numbers.
impl Cell for Option<Duration> {
    fn told(self) -> Option<u128> {
        self.map(|span| {
            let nanos = span.as_nanos();
            if nanos.is_multiple_of(1_000) { nanos / 1_000 * 2 } else { nanos * 2 + 1 }
        })
    }

    fn of(number: Option<u128>) -> Option<Self> {
        let Some(number) = number else { return Some(None) };
        let nanos = if number % 2 == 0 { (number / 2).checked_mul(1_000)? } else { number / 2 };
        duration(nanos).map(Some)
    }
}

/// The numbers of each enum are those of its form.
impl Cell for Option<TimerKind> {
    fn told(self) -> Option<u128> {
        self.map(|kind| KINDS.iter().position(|known| *known == kind).unwrap_or_default() as u128)
    }

    fn of(number: Option<u128>) -> Option<Self> {
        let Some(number) = number else { return Some(None) };
        KINDS.get(usize::try_from(number).ok()?).map(|kind| Some(*kind))
    }
}

const KINDS: [TimerKind; 4] = [TimerKind::On, TimerKind::Keepalive, TimerKind::TimeWait, TimerKind::Persist];

/// The bytes of its name.
impl Cell for Option<Congestion> {
    fn told(self) -> Option<u128> {
        self.map(|name| name.as_str().bytes().rev().fold(0, |number, byte| number << 8 | u128::from(byte)))
    }

    fn of(number: Option<u128>) -> Option<Self> {
        let Some(number) = number else { return Some(None) };
        Congestion::from_bytes(&number.to_le_bytes()).map(Some)
    }
}

/// Columns being filled or read, from the first on.
struct Cells {
    columns: [u128; COLUMNS],
    at: usize,
}

impl Cells {
    fn put(&mut self, cell: impl Cell) {
        self.put_at(self.at, cell);
        self.at += 1;
    }

    fn put_at(&mut self, at: usize, cell: impl Cell) {
        self.columns[at] = cell.told().map_or(0, |number| number + 1);
    }

    fn get<T: Cell>(&mut self) -> Option<T> {
        self.at += 1;
        self.get_at(self.at - 1)
    }

    fn get_at<T: Cell>(&self, at: usize) -> Option<T> {
        T::of(self.columns.get(at)?.checked_sub(1))
    }
}

/// The columns of a tcp_info, in order, but for [`LAST_ACK_RECV`] and [`SND_WND`].
macro_rules! info {
    ($($field:ident),* $(,)?) => {
        fn put_info(info: Option<&TcpInfo>, cells: &mut Cells) {
            cells.put(info.map(|_| 0u8));
            let TcpInfo { $($field,)* last_ack_recv, snd_wnd } = info.copied().unwrap_or_default();
            $(cells.put($field);)*
            cells.put_at(LAST_ACK_RECV, last_ack_recv);
            cells.put_at(SND_WND, snd_wnd);
        }

        fn get_info(cells: &mut Cells) -> Option<Option<Box<TcpInfo>>> {
            let there: Option<u8> = cells.get()?;
            let (last_ack_recv, snd_wnd) = (cells.get_at(LAST_ACK_RECV)?, cells.get_at(SND_WND)?);
            let info = TcpInfo { $($field: cells.get()?,)* last_ack_recv, snd_wnd };
            Some(there.map(|_| Box::new(info)))
        }
    };
}

info!(
    last_data_sent,
    last_data_recv,
    segs_out,
    segs_in,
    bytes_sent,
    bytes_acked,
    bytes_received,
    busy_time,
    delivery_rate,
    pacing_rate,
    rtt,
    rttvar,
    min_rtt,
    rto,
    snd_cwnd,
    unacked,
    notsent_bytes,
    rcv_space,
    snd_ssthresh,
    total_retrans,
    bytes_retrans,
    retransmits,
    lost,
    rcv_mss,
    snd_mss,
    pmtu,
    rwnd_limited,
    sndbuf_limited,
    snd_wscale,
    rcv_wscale,
);

fn get_timer(cells: &mut Cells) -> Option<Option<Timer>> {
    match (cells.get()?, cells.get()?, cells.get()?) {
        (Some(kind), Some(left), Some(retries)) => Some(Some(Timer { kind, left, retries })),
        (None::<TimerKind>, None::<Duration>, None::<u8>) => Some(None),
        _ => None,
    }
}

fn get_buffers(cells: &mut Cells) -> Option<Option<(u32, u32)>> {
    let (receive, send): (Option<u32>, Option<u32>) = (cells.get()?, cells.get()?);
    Some(receive.zip(send))
}

fn put_memory(memory: Option<Memory>, cells: &mut Cells) {
    let numbers = memory.map(|Memory { recv, sent, queued, ahead, backlog }| [recv, sent, queued, ahead, backlog]);
    (0..5).for_each(|at| cells.put(numbers.map(|numbers| numbers[at])));
}

fn get_memory(cells: &mut Cells) -> Option<Option<Memory>> {
    let mut number = || cells.get::<Option<u32>>();
    let numbers = [number()?, number()?, number()?, number()?, number()?];
    let [Some(recv), Some(sent), Some(queued), Some(ahead), Some(backlog)] = numbers else {
        return numbers.iter().all(Option::is_none).then_some(None);
    };
    Some(Some(Memory { recv, sent, queued, ahead, backlog }))
}

/// A tcp_info by itself, as a row that was not there is told.
impl Code for Box<TcpInfo> {
    fn put(&self, out: &mut Writer) {
        Columns::of_info(self).put(&Columns::NOTHING, out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let columns = Columns::get(&Columns::NOTHING, from)?;
        get_info(&mut Cells { columns: columns.0, at: 0 })?
    }
}

impl Columns {
    /// What a row is told from that was not there before.
    pub(super) const NOTHING: Self = Self([0; COLUMNS]);

    pub(super) fn of(socket: &Socket) -> Self {
        let Socket {
            local: _,
            peer: _,
            state,
            recv_q,
            send_q,
            timer,
            uid,
            inode,
            cookie,
            buffers,
            drops,
            memory,
            congestion,
            cgroup,
            ref info,
        } = *socket;
        let mut cells = Cells { columns: [0; COLUMNS], at: 0 };
        cells.put(Some(state.0.index() as u32));
        cells.put(Some(recv_q));
        cells.put(send_q);
        cells.put(timer.map(|timer| timer.kind));
        cells.put(timer.map(|timer| timer.left));
        cells.put(timer.map(|timer| timer.retries));
        put_memory(memory, &mut cells);
        put_info(info.as_deref(), &mut cells);
        cells.put(uid);
        cells.put(inode);
        cells.put(cookie);
        cells.put(buffers.map(|(receive, _)| receive));
        cells.put(buffers.map(|(_, send)| send));
        cells.put(drops);
        cells.put(congestion);
        cells.put(cgroup);
        Self(cells.columns)
    }

    /// The row with these columns; `None` where they are none's.
    pub(super) fn socket(self, local: Endpoint, peer: Endpoint) -> Option<Socket> {
        let mut cells = Cells { columns: self.0, at: 0 };
        let state: Option<u32> = cells.get()?;
        Some(Socket {
            local,
            peer,
            state: Reported(*TcpState::ALL.get(usize::try_from(state?).ok()?)?),
            recv_q: cells.get::<Option<u32>>()??,
            send_q: cells.get()?,
            timer: get_timer(&mut cells)?,
            memory: get_memory(&mut cells)?,
            info: get_info(&mut cells)?,
            uid: cells.get()?,
            inode: cells.get()?,
            cookie: cells.get()?,
            buffers: get_buffers(&mut cells)?,
            drops: cells.get()?,
            congestion: cells.get()?,
            cgroup: cells.get()?,
        })
    }

    /// Those of a tcp_info alone.
    fn of_info(info: &TcpInfo) -> Self {
        let mut cells = Cells { columns: [0; COLUMNS], at: 0 };
        put_info(Some(info), &mut cells);
        Self(cells.columns)
    }

    /// Writes which columns are not those of `expected`, and how far they are from them.
    pub(super) fn put(&self, expected: &Self, out: &mut Writer) {
        let changed = self.0.iter().zip(&expected.0).enumerate().filter(|(_, (now, expected))| now != expected);
        let mask = changed.clone().fold(0u64, |mask, (at, _)| mask | 1 << at);
        mask.put(out);
        for (_, (now, expected)) in changed {
            out.signed(now.wrapping_sub(*expected).cast_signed());
        }
    }

    pub(super) fn get(expected: &Self, from: &mut Reader<'_>) -> Option<Self> {
        let mask = u64::get(from)?;
        let mut columns = expected.0;
        for (at, column) in columns.iter_mut().enumerate() {
            if mask >> at & 1 == 1 {
                *column = column.wrapping_add(from.signed()?.cast_unsigned());
            }
        }
        (mask >> COLUMNS == 0).then_some(Self(columns))
    }
}
