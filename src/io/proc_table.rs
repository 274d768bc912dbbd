//! The socket table by /proc/net/tcp and tcp6, where sock_diag is refused or not wanted.
//!
//! May touch files under /proc. Read first: proc(5); `kernel::proc_net` reads the rows.

use std::io;

use super::proc_file::{net_path, text};
use crate::kernel::proc_net::ProcTable;

/// Reads both files. tcp6 may be missing (no IPv6); tcp may not. The error comes with the path it is about.
pub(super) fn read() -> Result<ProcTable, (String, io::Error)> {
    let mut table = ProcTable::default();
    for (name, required) in [("tcp", true), ("tcp6", false)] {
        let path = net_path(name);
        match text(&path) {
            Ok(text) => table.add(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {}
            Err(error) => return Err((path, error)),
        }
    }
    Ok(table)
}
