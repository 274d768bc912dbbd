//! Which rungs may name owners (`--owners`), and what is said where a better one is not there.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::io::{Sampler, Sockets, Tracer};

use super::privileges;

/// Which rungs name owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OwnerChoice {
    /// Every one that there is, the best first
    Auto,
    /// The kernel's record of connect() alone: processes that connect, however short
    Trace,
    /// File descriptors alone, read beside the socket table
    Scan,
}

impl OwnerChoice {
    /// The trace, and what to say where there is none.
    ///
    /// # Errors
    /// Where it is asked for alone and is not there.
    pub(super) fn tracer(self) -> Result<(Option<Tracer>, Option<String>)> {
        if self == Self::Scan {
            return Ok((None, None));
        }
        match Tracer::start() {
            Ok(tracer) => Ok((Some(tracer), None)),
            Err(error) if self == Self::Trace => Err(error).context("--owners trace"),
            Err(error) => Ok((None, Some(privileges::without_trace(&error)))),
        }
    }

    /// The reader of the socket table, which looks for descriptors only if that is wanted.
    pub(super) fn sampler(self, sockets: Sockets) -> Result<Sampler> {
        let sampler = Sampler::new(sockets).context("cannot read the kernel's socket table")?;
        Ok(if self == Self::Trace { sampler.without_scan() } else { sampler })
    }

    /// Why the scan sees less than all; nothing where it is not wanted.
    pub(super) fn scan_notice(self) -> Option<String> {
        (self != Self::Trace).then(privileges::without_owners).flatten()
    }
}
