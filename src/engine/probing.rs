//! Keepalive probes that a socket's kernel sends in vain, from one reading to the next.
//!
//! sock_diag tells how many there were and when the next is due, but not how far apart they are (TCP_KEEPINTVL): that
//! shows where a reading catches the timer just set anew. Read first: net/ipv4/tcp_timer.c (`tcp_keepalive_timer`),
//! tcp(7).

use std::time::Duration;

use crate::base::{TcpState, Timestamp};
use crate::kernel::{Limits, Socket, Timer, TimerKind};

use super::end::End;

/// Probes that nobody has answered, as readings in a row showed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probing {
    /// The first of the readings.
    pub(super) since: Timestamp,
    /// How far apart they are, in whole seconds as TCP_KEEPINTVL has it; `None` until a probe was seen to be sent.
    pub(super) every: Option<Duration>,
}

impl Probing {
    /// As of the reading `is` at `at`, which follows what `end` was; `None` where no probe is unanswered.
    pub(super) fn on(end: &End, is: &Socket, at: Timestamp) -> Option<Self> {
        let timer = probes(is)?;
        let was = end.socket.timer.filter(|was| was.kind == TimerKind::Keepalive && was.retries <= timer.retries);
        let before = end.probing.filter(|_| was.is_some());
        let just_sent = was.filter(|was| timer.retries - was.retries == 1);
        let every = just_sent.and_then(|was| {
            // What is left of the timer falls short of the whole by the time since the probe, which the reading before
            // did not have yet (where it was overdue, nothing was left of its time).
            whole_seconds(timer.left, timer.left + at.since(end.began + was.left))
        });
        Some(Self {
            since: before.map_or(at, |before| before.since),
            every: every.or_else(|| before.and_then(|before| before.every)),
        })
    }
}

/// The only number of seconds from `least` to `most`, if there is one only.
fn whole_seconds(least: Duration, most: Duration) -> Option<Duration> {
    let up = least.as_secs() + u64::from(least.subsec_nanos() > 0);
    (up == most.as_secs()).then(|| Duration::from_secs(up))
}

/// The timer of a socket that has sent probes since its peer was last heard. (The timer of one that no process holds
/// ends its FIN-WAIT-2.)
pub(super) fn probes(socket: &Socket) -> Option<Timer> {
    let held = socket.inode.is_some() || socket.state.0 != TcpState::FinWait2;
    socket.timer.filter(|timer| held && timer.kind == TimerKind::Keepalive && timer.retries > 0)
}

/// When the kernel gives up a socket that was read at `at`, if its options are the limits of the host: as far as
/// they can be seen, which is how far apart its probes are and how long it was at rest before. How many it sends nothing
/// shows; a TCP_USER_TIMEOUT takes the place of their number, and may end it before or after.
pub(super) fn gives_up(socket: &Socket, at: Timestamp, every: Duration, limits: &Limits) -> Option<Timestamp> {
    let (timer, sent) = probes(socket).map(|timer| (timer, u32::from(timer.retries)))?;
    let secs = |limit: Option<u32>| limit.map(|secs| Duration::from_secs(secs.into()));
    let usual = secs(limits.tcp_keepalive_intvl)? == every;
    let unheard = socket.info.as_ref()?.last_ack_recv?;
    let rest = (unheard + timer.left).saturating_sub(every * sent);
    let expected = secs(limits.tcp_keepalive_time)?;
    // A timer may end late by an eighth (kernel/time/timer.c, granularity of levels).
    let late = (expected + every * sent) / 8 + Duration::from_secs(1);
    let rested = rest + Duration::from_secs(1) >= expected && rest <= expected + late;
    let more = limits.tcp_keepalive_probes?.checked_sub(sent)?;
    (usual && rested).then(|| at + timer.left + every * more)
}
