//! What this user may not do, what is missing for it, and the exact command that grants it.

use crate::io::capture::CaptureError;
use crate::io::privileges::{self, Capability};
use crate::io::{DiagError, TraceError};

/// Why there are no packets, and what to do.
pub(super) fn without_packets(error: &CaptureError) -> String {
    match error {
        CaptureError::NotPermitted { .. } => {
            format!("no packets: capturing needs cap_net_raw. To grant it: {}", grant("cap_net_raw"))
        }
        CaptureError::Device { .. } | CaptureError::Filter { .. } => format!("no packets: {error}"),
    }
}

/// The error of whoever asked for packets by name, with the command that permits it.
pub(super) fn refused(error: CaptureError) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("no packets; to grant it: {}", grant("cap_net_raw")))
}

/// Why other users' sockets have no owner, and what to do; `None` where they have.
pub(super) fn without_owners() -> Option<String> {
    let may = |capability| privileges::has(capability);
    // Both are needed: one to enter /proc/PID/fd, one to read its links (proc(5), ptrace(2)).
    (!(may(Capability::SysPtrace) && may(Capability::DacReadSearch))).then(|| {
        format!(
            "owners: only of this user's own processes. To see the others': {}",
            grant("cap_net_raw,cap_sys_ptrace,cap_dac_read_search")
        )
    })
}

/// Why the socket table comes from /proc, and what that lacks.
pub(super) fn without_diag(error: &DiagError) -> String {
    format!("sockets: read from /proc, all at one rate, without listen limits, TCP_INFO and buffers: {error}")
}

/// Why the final counts of closed connections are not told.
pub(super) fn without_last_words(error: &std::io::Error) -> String {
    format!("last words: the kernel's final counts of closed connections are not told: {error}")
}

/// Why connections that live shorter than a reading of the socket table may have no owner; `by_syn`: each SYN is looked
/// up.
pub(super) fn without_trace(error: &TraceError, by_syn: bool) -> String {
    let left = if by_syn { "only those found at their SYN have one" } else { "those have none" };
    format!("owners of short connections: {left}, since connect() is not traced: {error}")
}

fn grant(capabilities: &str) -> String {
    let program = std::env::current_exe().map_or_else(|_| "sockscope".into(), |path| path.display().to_string());
    format!("sudo setcap {capabilities}+ep {}", crate::base::scrub(&program))
}
