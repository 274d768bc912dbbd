//! Which capabilities this process has (capabilities(7)), read from /proc/self/status.

use procfs::process::Process;

/// A capability that sockscope can use, with its number in linux/capability.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    DacReadSearch = 2,
    NetRaw = 13,
    SysPtrace = 19,
}

/// Whether it is in this process's effective set; false where that cannot be read.
pub fn has(capability: Capability) -> bool {
    let status = Process::myself().and_then(|process| process.status());
    status.is_ok_and(|status| status.capeff & (1 << capability as u64) != 0)
}
