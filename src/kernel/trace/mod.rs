//! The kernel's own record of who connects: bytes of a tracefs ring → events → which process opened which connection.
//!
//! May touch `base`; files and clocks are `io::tracer`'s. Read first: Documentation/trace/ring-buffer-design.rst,
//! Documentation/trace/events.rst, net/ipv4/tcp_ipv4.c (tcp_v4_connect), kernel/fork.c (copy_process).
//!
//! `sock:inet_sock_set_state` from CLOSE to SYN-SENT runs in the task that calls connect(2), but before there is a
//! source port; the next event of that socket has the port, but may run in softirq, where the current task is a
//! bystander. The two are joined by the socket's address, which is reused at once. Task names and who is a thread of
//! whom come from the same ring, so that a process that ended long before its events are read is named all the same.

mod event;
mod format;
mod join;
mod page;
mod tasks;

#[cfg(test)]
mod tests;

pub use event::{Comm, Decoder, EVENTS, Event, Stamped};
pub use format::{Fields, fields};
pub use join::{Claim, Deed, Joiner};
pub use page::{Layout, Page};
pub use tasks::{Caller, Started, Task, Tasks};
