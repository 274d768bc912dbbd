//! Who connects, by the kernel's own record: a ring of our own in tracefs, drained and joined.
//!
//! May touch tracefs and /proc. Read first: `kernel::trace`. Cheap enough to leave on: three events a connection and
//! two or three a process, in binary, for at most 1.5 % of one processor at 5,000 connections a second.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::{Errno, read};

use super::callers::Callers;
use super::mono::Clocks;
use super::proc_file;
use super::tracefs::{Instance, TraceError, step};
use crate::base::{Scope, Timestamp};
use crate::kernel::process::Users;
use crate::kernel::trace::{
    Caller, Claim, Decoder, Deed, EVENTS, Event, Fields, Joiner, Layout, Page, Stamped, fields,
};
use crate::kernel::{Close, Connect, KernelEvent, LostEvents, Process, Rung};

/// How often to drain: what happened is told one to two of these later.
pub const DRAIN_EVERY: Duration = Duration::from_millis(20);
/// KiB of ring for each processor, and for all of them at most.
const RING_KIB: usize = 2048;
const RINGS_KIB: usize = 64 << 10;
const LEAST_KIB: usize = 128;
/// A sub-buffer is a page of memory; pages are of 64 KiB at most.
const PAGE: usize = 64 << 10;
/// Pages read of one processor in one go: more than its ring holds.
const PAGES: usize = 1024;
/// After a loss all tasks are asked anew, at most this often.
const LEARN_GAP: Duration = Duration::from_secs(1);

/// A running trace. Dropping it removes all that it made in the kernel.
#[derive(Debug)]
pub struct Tracer {
    rings: Vec<Ring>,
    layout: Layout,
    decoder: Decoder,
    joiner: Joiner,
    callers: Callers,
    buffer: Box<[u8]>,
    /// Every ring has been read up to here, on the trace's clock.
    read_upto: u64,
    claims: Vec<Claim>,
    lost: u64,
    /// What was told of that.
    told: u64,
    learnt: Instant,
    learn_due: bool,
    /// Dropped last: nothing of it may be open when it is removed.
    instance: Instance,
}

#[derive(Debug)]
struct Ring {
    pipe: OwnedFd,
    /// The time of the last event read.
    last: u64,
}

impl Tracer {
    /// Makes the instance and begins.
    ///
    /// # Errors
    /// Where this user may not trace, or this kernel cannot: the words say what is missing.
    pub fn start() -> Result<Self, TraceError> {
        Self::with_ring(RING_KIB)
    }

    /// The same with a ring of as many KiB for each processor: a small one loses events sooner.
    ///
    /// # Errors
    /// As [`Tracer::start`].
    pub fn with_ring(kib: usize) -> Result<Self, TraceError> {
        let instance = Instance::new()?;
        let rings = instance.rings().map_err(step("per_cpu"))?;
        // Before anything is recorded: both empty the ring. The clock of the default is each processor's own.
        instance.set("trace_clock", "mono").map_err(step("trace_clock"))?;
        let each = (RINGS_KIB / rings.len().max(1)).max(LEAST_KIB).min(kib);
        instance.set("buffer_size_kb", &each.to_string()).map_err(step("buffer_size_kb"))?;
        // Names come from events; keeping the kernel's own list of them would cost at every switch of tasks.
        for option in ["options/record-cmd", "options/record-tgid"] {
            let _older_kernels_lack_it = instance.set(option, "0");
        }
        let header = instance_header(&instance)?;
        let decoder = Decoder::of(&formats(&instance)?).map_err(TraceError::Format)?;
        let users = Users::parse(&proc_file::text("/etc/passwd").unwrap_or_default());
        let mut tracer = Self {
            rings: rings.into_iter().map(|pipe| Ring { pipe, last: 0 }).collect(),
            layout: header,
            decoder,
            joiner: Joiner::default(),
            callers: Callers::new(users).map_err(TraceError::Proc)?,
            buffer: vec![0; PAGE].into(),
            read_upto: 0,
            claims: Vec::new(),
            lost: 0,
            told: 0,
            learnt: Instant::now(),
            learn_due: false,
            instance,
        };
        tracer.enable()?;
        tracer.callers.learn_tasks(&mut tracer.joiner);
        tracer.read_upto = Clocks::read().mono;
        Ok(tracer)
    }

    /// The tasks' events first: a connection's caller must be known when it calls.
    fn enable(&self) -> Result<(), TraceError> {
        for (name, filter) in EVENTS.iter().rev() {
            if let Some(filter) = filter {
                self.instance.set(&format!("events/{name}/filter"), filter).map_err(step("the filter"))?;
            }
            self.instance.set(&format!("events/{name}/enable"), "1").map_err(step("enabling an event"))?;
        }
        Ok(())
    }

    /// Reads what has happened and tells what is known by now, in order of time; returns up to when that is all.
    ///
    /// # Errors
    /// Where the ring cannot be read any more.
    pub fn drain(&mut self, tell: &mut Vec<KernelEvent>) -> Result<Timestamp, TraceError> {
        let begin = Clocks::read();
        for ring in &mut self.rings {
            let missed = ring.read(&mut self.buffer, self.read_upto, &self.layout, &self.decoder, &mut self.joiner);
            self.lost += missed.map_err(step("trace_pipe_raw"))?;
        }
        // What was written while this went on may be on a ring that had been read: it is for the next time.
        let upto = std::mem::replace(&mut self.read_upto, begin.mono);
        self.joiner.release(upto, &mut self.claims);
        self.learn_again();
        self.callers.begin();
        for claim in self.claims.drain(..) {
            let name = |caller: Caller| {
                let lives = self.joiner.lives(caller.pid);
                self.callers.name(&caller, lives, &begin)
            };
            let (process, here) = claim.caller.map(name).unzip();
            tell.extend(event(&claim, process, here.flatten(), &begin));
        }
        let upto = begin.real_of(upto);
        if std::mem::replace(&mut self.told, self.lost) != self.lost {
            // Each ring had been read to its end after `upto`, so all that was lost since is younger.
            let until = begin.real_of(Clocks::read().mono);
            tell.push(KernelEvent::Lost(LostEvents { ts: upto, until, total: self.lost }));
        }
        Ok(upto)
    }

    /// Counts what the caller could not take.
    pub fn count_lost(&mut self, events: usize) {
        self.lost += events as u64;
    }

    fn learn_again(&mut self) {
        self.learn_due |= self.joiner.take_loss();
        if self.learn_due && self.learnt.elapsed() >= LEARN_GAP {
            self.callers.learn_tasks(&mut self.joiner);
            (self.learnt, self.learn_due) = (Instant::now(), false);
        }
    }
}

impl Ring {
    /// Reads all that is there; returns how many events were lost.
    fn read(
        &mut self,
        buffer: &mut [u8],
        released: u64,
        layout: &Layout,
        decoder: &Decoder,
        joiner: &mut Joiner,
    ) -> rustix::io::Result<u64> {
        let mut lost = 0;
        for _ in 0..PAGES {
            let len = match read(&self.pipe, &mut *buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(len) => len,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            lost += self.page(&buffer[..len], released, layout, decoder, joiner);
        }
        Ok(lost)
    }

    fn page(&mut self, bytes: &[u8], released: u64, layout: &Layout, decoder: &Decoder, joiner: &mut Joiner) -> u64 {
        let page = Page::parse(bytes, layout);
        let mut lost = page.map_or(1, |page| page.missed);
        if lost > 0 {
            let until = page.map_or_else(|| Clocks::read().mono, |page| page.ts);
            joiner.push(Stamped { ts: self.last.max(released), event: Event::Missed { until, count: lost } });
        }
        let Some(page) = page else { return lost };
        let last = &mut self.last;
        let whole = page.entries(|ts, record| {
            *last = ts;
            if let Some(event) = decoder.read(record) {
                joiner.push(Stamped { ts, event });
            }
        });
        if !whole {
            lost += 1;
            let until = Clocks::read().mono;
            joiner.push(Stamped { ts: self.last.max(released), event: Event::Missed { until, count: 1 } });
        }
        lost
    }
}

/// What is told of a claim.
fn event(claim: &Claim, process: Option<Arc<Process>>, here: Option<bool>, clocks: &Clocks) -> Option<KernelEvent> {
    let Claim { deed, local, peer, bound, connected, .. } = *claim;
    let (scope, rung) = (Scope(0), Rung::Trace);
    let (begin, ts) = (clocks.real_of(claim.begin), clocks.real_of(claim.end));
    match deed {
        Deed::Connected => {
            let end = ts;
            Some(KernelEvent::Connect(Connect {
                begin,
                end,
                scope,
                local,
                peer,
                process,
                here,
                bound,
                connected,
                rung,
            }))
        }
        // Nothing but the tuple ties it to a flow, so it must be known to be of this namespace; a kernel thread, which
        // has no arguments, closes for others.
        Deed::Closed => {
            let process = process.filter(|process| here == Some(true) && !process.cmdline.is_empty())?;
            Some(KernelEvent::Close(Close { ts, scope, local, peer, process, rung }))
        }
    }
}

fn instance_header(instance: &Instance) -> Result<Layout, TraceError> {
    let text = instance.text("events/header_page").map_err(step("header_page"))?;
    Layout::of(&fields(&text)).ok_or(TraceError::Format("header_page"))
}

fn formats(instance: &Instance) -> Result<[Fields; EVENTS.len()], TraceError> {
    let mut formats = [(); EVENTS.len()].map(|()| Fields::default());
    for (format, (name, _)) in formats.iter_mut().zip(EVENTS) {
        let text = instance.text(&format!("events/{name}/format")).map_err(|_| TraceError::Format(name))?;
        *format = fields(&text);
    }
    Ok(formats)
}
