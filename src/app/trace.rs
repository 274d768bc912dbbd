//! The thread that learns who connects: from the kernel's own record or, where that is not to be had, at each SYN.

use std::thread;

use anyhow::Result;

use crate::engine::Input;
use crate::io::{DRAIN_EVERY, SynWatch, Tracer};
use crate::kernel::KernelEvent;

use super::line::Line;

/// Claims that may wait for an engine that does not follow; beyond, they are dropped and counted with the trace's own
/// losses.
const MOST: usize = 1 << 16;

/// Follows the trace until the end; what it made in the kernel is removed then.
pub(super) fn follow(mut tracer: Tracer, line: &Line) -> Result<()> {
    let mut events = Vec::new();
    let mut waiting = Vec::new();
    let mut begun = false;
    while !line.stopped() {
        let upto = tracer.drain(&mut events)?;
        if !std::mem::replace(&mut begun, true) {
            waiting.push(Input::Kernel(KernelEvent::Tracing(upto)));
        }
        let dropped = (waiting.len() + events.len()).saturating_sub(MOST);
        if dropped > 0 {
            tracer.count_lost(dropped);
            events.truncate(events.len() - dropped.min(events.len()));
        }
        waiting.extend(events.drain(..).map(Input::Kernel));
        let Some(left) = line.hand_over(std::mem::take(&mut waiting), upto) else { return Ok(()) };
        waiting = left;
        thread::sleep(DRAIN_EVERY);
    }
    Ok(())
}

/// Looks up each SYN until the end. What an engine that does not follow cannot take is not told: these are hints for
/// connections that the scan may miss, and no record that is whole.
pub(super) fn follow_syns(mut watch: SynWatch, line: &Line) -> Result<()> {
    let mut events = Vec::new();
    while !line.stopped() {
        let upto = watch.follow(&mut events)?;
        if line.hand_over(events.drain(..).map(Input::Kernel).collect(), upto).is_none() {
            return Ok(());
        }
    }
    Ok(())
}
