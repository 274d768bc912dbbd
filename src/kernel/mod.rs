//! What the kernel says: /proc text and netlink bytes → [`SocketSample`], counters, limits, owners.
//!
//! May touch `base`; no file, no socket: bytes come in, values go out. Read first: sock_diag(7), proc(5),
//! linux/inet_diag.h, linux/tcp.h (struct tcp_info), net/ipv4/tcp_ipv4.c (get_tcp4_sock).

mod bytes;
pub mod counters;
pub mod diag;
mod event;
pub mod limits;
pub mod local;
pub mod proc_net;
pub mod process;
mod sample;
mod tcp_info;
pub mod trace;

pub use event::{Close, Connect, KernelEvent, LastWord, LostEvents, Rung};
pub use sample::{
    Congestion, Counters, Covers, Limits, Memory, Owner, Owners, Process, Reported, Socket, SocketSample, TableSource,
    TcpInfo, Timer, TimerKind,
};
