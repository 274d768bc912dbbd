//! Which signals this process was started to ignore, read from /proc/self/status: nohup(1) asks for that, and is to get
//! it.

use procfs::process::Process;

/// Whether a signal is ignored (signal(7)); false where that cannot be read.
pub fn is_ignored(signal: i32) -> bool {
    let bit = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    let Some(mask) = bit.and_then(|bit| 1_u64.checked_shl(bit)) else { return false };
    let status = Process::myself().and_then(|process| process.status());
    status.is_ok_and(|status| status.sigign & mask != 0)
}
