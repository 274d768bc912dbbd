//! What a row of the socket table is expected to be at the next reading, if nothing happens to it.
//!
//! What runs with the clock (timers, how long ago data went) moves on by the time between the readings, so that a
//! socket at rest costs nothing.

use std::time::Duration;

use crate::kernel::{Socket, TcpInfo, Timer};

/// How far the kernel's clock moved between two readings, milliseconds.
pub(super) type Shift = i64;

/// What a row is expected to be one reading later, if nothing happens to it.
pub(super) fn expected(before: &Socket, shift: Shift) -> Socket {
    Socket {
        timer: later_timer(before.timer, shift),
        info: before.info.as_deref().map(|info| Box::new(later_info(info, shift))),
        ..*before
    }
}

/// Whether `now` is what `before` was expected to be.
pub(super) fn is_expected(now: &Socket, before: &Socket, shift: Shift) -> bool {
    let info = || match (&now.info, &before.info) {
        (Some(now), Some(before)) => **now == later_info(before, shift),
        (None, None) => true,
        _ => false,
    };
    let rest = |socket: &Socket| {
        let Socket {
            local,
            peer,
            state,
            recv_q,
            send_q,
            timer: _,
            uid,
            inode,
            cookie,
            buffers,
            drops,
            memory,
            congestion,
            cgroup,
            info: _,
        } = *socket;
        ((local, peer, state, recv_q, send_q, uid, inode), (cookie, buffers, drops, memory, congestion, cgroup))
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
    TcpInfo {
        last_data_sent: later(info.last_data_sent),
        last_data_recv: later(info.last_data_recv),
        last_ack_recv: later(info.last_ack_recv),
        ..*info
    }
}

fn moved(span: Duration, by: Shift) -> Duration {
    let millis = Duration::from_millis(by.unsigned_abs());
    if by < 0 { span.saturating_sub(millis) } else { span.saturating_add(millis) }
}
