//! A thread beside the engine's that seals the courses of flows that are over: half of the work on most flows.

use std::mem;
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::engine::{Courses, Engine, Spare};

/// Blocks of courses that are handed over together, half a megabyte: the thread is woken once for them.
const BLOCKS: usize = 8;
/// How many times as many may wait.
const AHEAD: usize = 3;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sealing {
    /// What is handed over next.
    next: Work,
    send: Sender<Work>,
    /// What was sealed comes back.
    done: Receiver<Work>,
}

/// Courses to be sealed, and what those lay in that are.
#[derive(Debug, Default)]
struct Work {
    courses: Vec<Courses>,
    spare: Spare,
}

impl Work {
    fn seal(&mut self) {
        self.courses.drain(..).for_each(|courses| courses.seal(&mut self.spare));
    }
}

impl Sealing {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start() -> Result<Self> {
        let (send, receive) = bounded::<Work>(AHEAD);
        let (give_back, done) = bounded(AHEAD);
        let run = move || {
            receive.iter().for_each(|mut work| {
                work.seal();
                let _not_needed = give_back.try_send(work);
            });
        };
        thread::Builder::new().name("sealing".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { next: Work::default(), send, done })
    }

    /// Has all sealed that the engine leaves to others, but for a few that wait for the next. Where the thread is
    /// behind, it is done here: then there is enough to do for both.
    pub(super) fn take(&mut self, engine: &mut Engine) {
        while let Some(courses) = engine.next_unsealed() {
            self.next.courses.push(courses);
            if self.next.courses.len() == BLOCKS {
                self.hand_over(engine);
            }
        }
    }

    /// What comes back is handed over next: its lists have room already.
    fn hand_over(&mut self, engine: &mut Engine) {
        let mut done = self.done.try_recv().unwrap_or_default();
        engine.reuse(&mut done.spare);
        let work = mem::replace(&mut self.next, done);
        if let Err(TrySendError::Full(mut work) | TrySendError::Disconnected(mut work)) = self.send.try_send(work) {
            work.seal();
            engine.reuse(&mut work.spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Endpoint, Seq, Timestamp};
    use crate::engine::{Config, Filter, FlowDetail, Input};
    use crate::wire::{Flags, Segment};

    /// A connection of the `n`th client, from its SYN to a RST.
    fn served(n: u32) -> Vec<Input> {
        let ends = [Endpoint::new([10, 0, (n >> 8) as u8, n as u8], 40_000), Endpoint::new([192, 0, 2, 1], 80)];
        let steps = [
            (0, Flags::SYN, 100, 0, 0),
            (1, Flags::SYN | Flags::ACK, 500, 101, 0),
            (0, Flags::ACK, 101, 501, 0),
            (0, Flags::ACK | Flags::PSH, 101, 501, 40),
            (1, Flags::ACK | Flags::PSH, 501, 141, 700),
            (0, Flags::ACK | Flags::RST, 141, 1_201, 0),
        ];
        let segment = |(step, (from, flags, seq, ack, payload_len)): (i64, (usize, Flags, u32, u32, u32))| {
            let ts = Timestamp::from_nanos(1_700_000_000_000_000_000 + i64::from(n) * 1_000_000 + step * 7_000);
            let bare = Segment::bare(ts, ends[from], ends[1 - from], flags);
            Input::Segment(Segment { seq: Seq(seq), ack: Seq(ack), payload_len, ..bare })
        };
        (0..).zip(steps).map(segment).collect()
    }

    fn told(engine: &Engine) -> Vec<FlowDetail> {
        engine.flow_ids(&Filter::default()).into_iter().filter_map(|id| engine.detail(id)).collect()
    }

    #[test]
    fn what_the_thread_has_sealed_is_told_as_before() {
        let (mut alone, mut engine) = (Engine::new(Config::replay(10_000, 7)), Engine::new(Config::replay(10_000, 7)));
        let mut sealing = Sealing::start().expect("a thread");
        for batch in 0..8 {
            for inputs in (batch * 512..batch * 512 + 512).map(served) {
                alone.feed_batch(&inputs);
                engine.feed_batch(&inputs);
            }
            sealing.take(&mut engine);
            assert!(engine.next_unsealed().is_none() && sealing.next.courses.len() < BLOCKS);
            // Each 512 are handed over as two.
            assert!(sealing.done.recv().expect("one comes back").courses.is_empty());
        }
        let told = [&engine, &alone].map(told);
        assert!(told[0].len() == 4_096 && told[0] == told[1]);
    }
}
