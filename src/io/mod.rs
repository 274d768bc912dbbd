//! The only system calls: netlink, /proc, the clock.
//!
//! May touch `base`, `wire`, `kernel` and the operating system; no flow state, no engine, no screen.
//! Read first: sock_diag(7), proc(5), namespaces(7).

pub mod capture;
pub mod clock;
pub mod file;
mod netlink;
mod owners;
mod proc_dir;
pub mod privileges;
mod proc_file;
mod proc_table;
mod sampler;

pub use netlink::DiagError;
pub use sampler::{Sampler, SamplerError, Sockets};
