//! What machine this is: uname(2).

use rustix::system::uname;

use crate::base::Scrubbed;

/// What a recording tells of the machine that it was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The processor's kind: `x86_64`.
    pub hardware: Option<Scrubbed>,
    /// The system and its release: `Linux 6.18.1`.
    pub os: Option<Scrubbed>,
    /// The host's own name.
    pub host: Option<Scrubbed>,
}

/// Asks the kernel.
pub fn about() -> Host {
    let uname = uname();
    let text = |bytes: &[u8]| (!bytes.is_empty()).then(|| Scrubbed::from_bytes(bytes));
    let os = [uname.sysname().to_bytes(), uname.release().to_bytes()].join(&b' ');
    Host { hardware: text(uname.machine().to_bytes()), os: text(&os), host: text(uname.nodename().to_bytes()) }
}
