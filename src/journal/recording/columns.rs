//! A row of the socket table as numbers, so that a reading is told by what changed since the one before.
//!
//! Each field is a column: 0 where it is absent, else its value and 1. What runs with the clock (timers, how long ago
//! data went) is expected to have moved on by the time between two readings, so that a socket at rest costs nothing.

use std::time::Duration;

use super::codec::{Code, Reader, Writer, duration};
use crate::base::{Endpoint, TcpState};
use crate::kernel::{Reported, Socket, TcpInfo, Timer, TimerKind};

/// A row but for its ends; what changes most comes first, as changes are told with a mask.
const COLUMNS: usize = 43;

/// How far the kernel's clock moved between two readings, milliseconds.
pub(super) type Shift = i64;

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

/// Columns being filled or read, from the first on.
struct Cells {
    columns: [u128; COLUMNS],
    at: usize,
}

impl Cells {
    fn put(&mut self, cell: impl Cell) {
        self.columns[self.at] = cell.told().map_or(0, |number| number + 1);
        self.at += 1;
    }

    fn get<T: Cell>(&mut self) -> Option<T> {
        let number = self.columns.get(self.at)?.checked_sub(1);
        self.at += 1;
        T::of(number)
    }
}

/// The columns of a tcp_info, in order.
macro_rules! info {
    ($($field:ident),* $(,)?) => {
        fn put_info(info: Option<&TcpInfo>, cells: &mut Cells) {
            cells.put(info.map(|_| 0u8));
            let TcpInfo { $($field),* } = info.copied().unwrap_or_default();
            $(cells.put($field);)*
        }

        fn get_info(cells: &mut Cells) -> Option<Option<Box<TcpInfo>>> {
            let there: Option<u8> = cells.get()?;
            let info = TcpInfo { $($field: cells.get()?),* };
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

impl Columns {
    /// What a row is told from that was not there before.
    pub(super) const NOTHING: Self = Self([0; COLUMNS]);

    pub(super) fn of(socket: &Socket) -> Self {
        let Socket { local: _, peer: _, state, recv_q, send_q, timer, uid, inode, cookie, buffers, drops, info } =
            socket;
        let mut cells = Cells { columns: [0; COLUMNS], at: 0 };
        cells.put(Some(state.0.index() as u32));
        cells.put(Some(*recv_q));
        cells.put(*send_q);
        cells.put(timer.map(|timer| timer.kind));
        cells.put(timer.map(|timer| timer.left));
        cells.put(timer.map(|timer| timer.retries));
        put_info(info.as_deref(), &mut cells);
        cells.put(*uid);
        cells.put(*inode);
        cells.put(*cookie);
        cells.put(buffers.map(|(receive, _)| receive));
        cells.put(buffers.map(|(_, send)| send));
        cells.put(*drops);
        Self(cells.columns)
    }

    /// The row with these columns; `None` where they are none's.
    pub(super) fn socket(self, local: Endpoint, peer: Endpoint) -> Option<Socket> {
        let mut cells = Cells { columns: self.0, at: 0 };
        let state: Option<u32> = cells.get()?;
        let state = Reported(*TcpState::ALL.get(usize::try_from(state?).ok()?)?);
        let (recv_q, send_q) = (cells.get::<Option<u32>>()??, cells.get()?);
        let (kind, left, retries) = (cells.get()?, cells.get()?, cells.get()?);
        let timer = match (kind, left, retries) {
            (Some(kind), Some(left), Some(retries)) => Some(Timer { kind, left, retries }),
            (None, None, None) => None,
            _ => return None,
        };
        let info = get_info(&mut cells)?;
        let (uid, inode, cookie) = (cells.get()?, cells.get()?, cells.get()?);
        let buffers: (Option<u32>, Option<u32>) = (cells.get()?, cells.get()?);
        let buffers = buffers.0.zip(buffers.1);
        Some(Socket {
            local,
            peer,
            state,
            recv_q,
            send_q,
            timer,
            uid,
            inode,
            cookie,
            buffers,
            drops: cells.get()?,
            info,
        })
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

/// What a row is expected to be one reading later, if nothing happens to it.
pub(super) fn expected(before: &Socket, shift: Shift) -> Socket {
    let Socket { local, peer, state, recv_q, send_q, timer, uid, inode, cookie, buffers, drops, ref info } = *before;
    let info = info.as_deref().map(|info| Box::new(later_info(info, shift)));
    let timer = later_timer(timer, shift);
    Socket { local, peer, state, recv_q, send_q, timer, uid, inode, cookie, buffers, drops, info }
}

/// Whether `now` is what `before` was expected to be.
pub(super) fn is_expected(now: &Socket, before: &Socket, shift: Shift) -> bool {
    let info = || match (&now.info, &before.info) {
        (Some(now), Some(before)) => **now == later_info(before, shift),
        (None, None) => true,
        _ => false,
    };
    let rest = |socket: &Socket| {
        let Socket { local, peer, state, recv_q, send_q, timer: _, uid, inode, cookie, buffers, drops, info: _ } =
            *socket;
        (local, peer, state, recv_q, send_q, uid, inode, cookie, buffers, drops)
    };
    now.timer == later_timer(before.timer, shift) && rest(now) == rest(before) && info()
}

/// How far the clock has moved, as this row has it.
pub(super) fn shift_of(now: &Socket, before: &Socket) -> Option<Shift> {
    let millis = |span: Duration| i64::try_from(span.as_millis()).ok();
    if let (Some(now), Some(before)) = (now.timer, before.timer) {
        return millis(before.left)?.checked_sub(millis(now.left)?);
    }
    let (now, before) = (now.info.as_ref()?, before.info.as_ref()?);
    let of = |info: &TcpInfo| info.last_data_recv.or(info.last_data_sent).and_then(millis);
    of(now)?.checked_sub(of(before)?)
}

fn later_timer(timer: Option<Timer>, shift: Shift) -> Option<Timer> {
    timer.map(|timer| Timer { left: moved(timer.left, shift.saturating_neg()), ..timer })
}

fn later_info(info: &TcpInfo, shift: Shift) -> TcpInfo {
    let later = |span: Option<Duration>| span.map(|span| moved(span, shift));
    TcpInfo { last_data_sent: later(info.last_data_sent), last_data_recv: later(info.last_data_recv), ..*info }
}

fn moved(span: Duration, by: Shift) -> Duration {
    let millis = Duration::from_millis(by.unsigned_abs());
    if by < 0 { span.saturating_sub(millis) } else { span.saturating_add(millis) }
}
