//! Events of the ring: records by their formats → what happened to a socket or a task.
//!
//! Read first: include/trace/events/sock.h (inet_sock_set_state), task.h (task_newtask, task_rename), sched.h.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::format::{Field, Fields};
use crate::base::Endpoint;
use crate::kernel::bytes::u32_at;

/// A task's name as the kernel keeps it (TASK_COMM_LEN), ended by NUL; hostile until it is scrubbed.
pub type Comm = [u8; 16];

/// The events that are needed, each with the filter under which it is recorded.
pub const EVENTS: [(&str, Option<&str>); 5] = [
    ("sock/inet_sock_set_state", Some(STATES)),
    ("task/task_newtask", None),
    ("task/task_rename", None),
    ("sched/sched_process_exec", None),
    ("sched/sched_process_exit", None),
];

/// 7 is CLOSE, 2 SYN-SENT, 1 ESTAB, 4 FIN-WAIT-1, 8 CLOSE-WAIT, 9 LAST-ACK (net/tcp_states.h).
const STATES: &str = "protocol==6 && ((oldstate==7&&newstate==2)||oldstate==2||(oldstate==1&&newstate==4)\
                      ||(oldstate==8&&newstate==9))";

const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;
const ESTAB: u64 = 1;
const SYN_SENT: u64 = 2;
const FIN_WAIT_1: u64 = 4;
const CLOSE: u64 = 7;
const CLOSE_WAIT: u64 = 8;
const LAST_ACK: u64 = 9;
/// `CLONE_THREAD` (sched.h): the new task is a thread of its parent's process.
const CLONE_THREAD: u64 = 0x1_0000;

/// An event and when it happened, in nanoseconds of CLOCK_MONOTONIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamped {
    pub ts: u64,
    pub event: Event,
}

/// What happened. Tasks are threads: their ids are those of gettid(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The task called connect(2) on the socket at this address (of the kernel's memory), which had a port already:
    /// `bound`, by bind(2).
    Connecting {
        tid: u32,
        socket: u64,
        bound: bool,
    },
    /// That socket left SYN-SENT: `connected` or not any more to be, or where that is not told for something else.
    Settled {
        socket: u64,
        local: Endpoint,
        peer: Endpoint,
        connected: Option<bool>,
    },
    /// The task closed the socket, or shut down its sending: the last step that a process takes, whoever runs later.
    Closing {
        tid: u32,
        local: Endpoint,
        peer: Endpoint,
    },
    /// The parent made a task: a thread of its own process, or a process.
    Began {
        parent: u32,
        tid: u32,
        comm: Comm,
        thread: bool,
    },
    /// The task has another name now.
    Renamed {
        tid: u32,
        comm: Comm,
    },
    /// The task runs another program, as the only task of its process; before, it may have had another number.
    Executed {
        tid: u32,
        before: u32,
    },
    Ended {
        tid: u32,
    },
    /// From here to `until` at least `count` events of one processor were lost.
    Missed {
        until: u64,
        count: u64,
    },
}

/// Reads records by the formats of the running kernel.
#[derive(Debug, Clone)]
pub struct Decoder {
    kind: Field,
    caller: Field,
    state: StateFormat,
    newtask: NewtaskFormat,
    rename: RenameFormat,
    exec: ExecFormat,
    exit: ExitFormat,
}

/// Declares a format: its event's id and the fields that are read, by their names in the kernel.
macro_rules! format {
    ($name:ident { $($field:ident),* }) => {
        #[derive(Debug, Clone)]
        struct $name { id: u64, $($field: Field),* }
        impl $name {
            fn of(fields: &Fields) -> Option<Self> {
                Some(Self { id: fields.id?.into(), $($field: fields.get(stringify!($field))?),* })
            }
        }
    };
}

format!(StateFormat { skaddr, oldstate, newstate, sport, dport, family, saddr, daddr, saddr_v6, daddr_v6 });
format!(NewtaskFormat { pid, comm, clone_flags });
format!(RenameFormat { pid, newcomm });
format!(ExecFormat { pid, old_pid });
format!(ExitFormat { pid });

impl Decoder {
    /// From the formats of [`EVENTS`], in their order; the name of the first that is not as expected otherwise.
    ///
    /// # Errors
    /// Where a field is missing: the kernel is too old, or too new.
    pub fn of(formats: &[Fields; EVENTS.len()]) -> Result<Self, &'static str> {
        let [state, newtask, rename, exec, exit] = formats;
        let name = |index: usize| EVENTS[index].0;
        Ok(Self {
            kind: state.get("common_type").ok_or(name(0))?,
            caller: state.get("common_pid").ok_or(name(0))?,
            state: StateFormat::of(state).ok_or(name(0))?,
            newtask: NewtaskFormat::of(newtask).ok_or(name(1))?,
            rename: RenameFormat::of(rename).ok_or(name(2))?,
            exec: ExecFormat::of(exec).ok_or(name(3))?,
            exit: ExitFormat::of(exit).ok_or(name(4))?,
        })
    }

    /// What a record says; `None` if it is of another kind, or cut.
    pub fn read(&self, record: &[u8]) -> Option<Event> {
        let kind = self.kind.number(record)?;
        let caller = u32_at(record, self.caller.offset())?;
        if kind == self.state.id {
            return self.state.read(record, caller);
        }
        if kind == self.newtask.id {
            return self.newtask.read(record, caller);
        }
        if kind == self.rename.id {
            return Some(Event::Renamed {
                tid: tid(self.rename.pid, record)?,
                comm: self.rename.newcomm.array(record)?,
            });
        }
        if kind == self.exec.id {
            let (tid, before) = (tid(self.exec.pid, record)?, tid(self.exec.old_pid, record)?);
            return Some(Event::Executed { tid, before });
        }
        (kind == self.exit.id).then(|| Some(Event::Ended { tid: tid(self.exit.pid, record)? })).flatten()
    }
}

impl StateFormat {
    fn read(&self, record: &[u8], caller: u32) -> Option<Event> {
        let socket = self.skaddr.number(record)?;
        match (self.oldstate.number(record)?, self.newstate.number(record)?) {
            // connect() gives out a port only after this.
            (CLOSE, SYN_SENT) => {
                Some(Event::Connecting { tid: caller, socket, bound: self.sport.number(record)? != 0 })
            }
            (SYN_SENT, state) => {
                let (local, peer) = self.ends(record)?;
                let connected = matches!(state, ESTAB | CLOSE).then_some(state == ESTAB);
                Some(Event::Settled { socket, local, peer, connected })
            }
            (ESTAB, FIN_WAIT_1) | (CLOSE_WAIT, LAST_ACK) => {
                let (local, peer) = self.ends(record)?;
                Some(Event::Closing { tid: caller, local, peer })
            }
            _ => None,
        }
    }

    fn ends(&self, record: &[u8]) -> Option<(Endpoint, Endpoint)> {
        let v4 = |field: Field| Some(IpAddr::V4(Ipv4Addr::from(field.array::<4>(record)?)));
        let v6 = |field: Field| Some(IpAddr::V6(Ipv6Addr::from(field.array::<16>(record)?)));
        let (local, peer) = match self.family.number(record)? {
            AF_INET => (v4(self.saddr)?, v4(self.daddr)?),
            AF_INET6 => (v6(self.saddr_v6)?, v6(self.daddr_v6)?),
            _ => return None,
        };
        let port = |field: Field| u16::try_from(field.number(record)?).ok();
        Some((Endpoint::new(local, port(self.sport)?), Endpoint::new(peer, port(self.dport)?)))
    }
}

impl NewtaskFormat {
    fn read(&self, record: &[u8], parent: u32) -> Option<Event> {
        let thread = self.clone_flags.number(record)? & CLONE_THREAD != 0;
        Some(Event::Began { parent, tid: tid(self.pid, record)?, comm: self.comm.array(record)?, thread })
    }
}

fn tid(field: Field, record: &[u8]) -> Option<u32> {
    u32::try_from(field.number(record)?).ok()
}
