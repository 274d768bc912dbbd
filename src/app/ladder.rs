//! Which rungs may name owners (`--owners`), and what is said where a better one is not there.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::io::capture::CaptureSettings;
use crate::io::{Sampler, Sockets, SynWatch, Tracer};

use super::privileges;

/// Which rungs name owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OwnerChoice {
    /// Every one that there is, the best first
    Auto,
    /// The kernel's record of connect() alone: processes that connect, however short
    Trace,
    /// Each SYN looked up at once, and its socket searched for in the newest processes
    Syn,
    /// File descriptors alone, read beside the socket table
    Scan,
}

/// Who tells of callers between two readings of the socket table.
#[derive(Debug)]
pub(super) enum Callers {
    Trace(Box<Tracer>),
    Syn(Box<SynWatch>),
    None,
}

impl OwnerChoice {
    /// The best source of callers that there is on the interfaces that are captured, and what to say where it is not
    /// the trace.
    ///
    /// # Errors
    /// Where one is asked for alone and is not there.
    pub(super) fn callers(self, captured: &[CaptureSettings]) -> Result<(Callers, Option<String>)> {
        match self {
            Self::Scan => Ok((Callers::None, None)),
            Self::Trace => Ok((Callers::Trace(Tracer::start().context("--owners trace")?.into()), None)),
            Self::Syn => Ok((Callers::Syn(SynWatch::start(captured).context("--owners syn")?.into()), None)),
            Self::Auto => Ok(match Tracer::start() {
                Ok(tracer) => (Callers::Trace(tracer.into()), None),
                Err(error) => {
                    if captured.is_empty() {
                        // Whoever sees no packets misses short connections altogether.
                        return Ok((Callers::None, None));
                    }
                    let callers = SynWatch::start(captured).map_or(Callers::None, |watch| Callers::Syn(watch.into()));
                    let notice = privileges::without_trace(&error, matches!(callers, Callers::Syn(_)));
                    (callers, Some(notice))
                }
            }),
        }
    }

    /// The reader of the socket table, which looks for descriptors only if that is wanted.
    pub(super) fn sampler(self, sockets: Sockets) -> Result<Sampler> {
        let sampler = Sampler::new(sockets).context("cannot read the kernel's socket table")?;
        Ok(if matches!(self, Self::Trace | Self::Syn) { sampler.without_scan() } else { sampler })
    }

    /// Why the scan sees less than all; nothing where it is not wanted.
    pub(super) fn scan_notice(self) -> Option<String> {
        (self != Self::Trace).then(privileges::without_owners).flatten()
    }
}
