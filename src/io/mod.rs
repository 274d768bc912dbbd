//! The only system calls: libpcap, netlink, /proc, files, the terminal, the clock.
//!
//! May touch `base`, `wire`, `kernel` and the operating system; no flow state, no engine, no screen.
//! Read first: sock_diag(7), proc(5), namespaces(7), pcap(3PCAP), termios(3).

#[cfg(feature = "tui")]
mod background;
pub mod bpf;
mod callers;
pub mod capture;
pub mod clock;
mod fd_table;
pub mod file;
mod following;
pub mod host;
pub mod ignored;
mod last_words;
mod mono;
mod netlink;
mod owners;
pub mod privileges;
mod proc_dir;
mod proc_file;
mod proc_table;
pub mod recording;
mod sampler;
pub mod schedule;
mod syns;
mod tracefs;
mod tracer;
#[cfg(feature = "tui")]
pub mod tty;

pub use following::{Following, Watch};
pub use last_words::LastWords;
pub use netlink::DiagError;
pub use sampler::{Sampler, SamplerError, Sockets};
pub use syns::{SynError, SynWatch};
pub use tracefs::TraceError;
pub use tracer::{DRAIN_EVERY, Tracer};
