//! The same work on parts of the flows, on every processor at once.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, bounded};

use crate::engine::FlowId;

/// Flows that are worth a thread of their own.
const LEAST: usize = 1_000;
/// Flows of which one thread makes the words at once: some hundreds of KiB, which a cache holds until they are written.
const TURN: usize = 128;

/// The results of the parts, which are few, in order.
pub(super) fn in_parts<T: Send>(ids: &[FlowId], work: impl Fn(&[FlowId]) -> T + Sync) -> Vec<T> {
    let mut parts = ids.chunks(ids.len().div_ceil(threads(ids)).max(1));
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(|| work(part))).collect();
        let mut results = vec![work(first)];
        results.extend(others.into_iter().map(|other| other.join().expect("a part of the report is made")));
        results
    })
}

/// Gives `take` the results of small parts in order, one after another, while the next ones are made: at most a few
/// wait. Where `take` fails, the rest is left.
pub(super) fn in_turns<T: Send>(
    ids: &[FlowId],
    work: impl Fn(&[FlowId]) -> io::Result<T> + Sync,
    mut take: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let (work, threads) = (&work, threads(ids));
    thread::scope(|scope| {
        let lane = |first: usize| {
            let (send, receive) = bounded(1);
            scope.spawn(move || {
                let mut turns = ids.chunks(TURN).skip(first).step_by(threads);
                turns.all(|turn| send.send(work(turn)).is_ok())
            });
            receive
        };
        let lanes: Vec<Receiver<_>> = (0..threads).map(lane).collect();
        lanes.iter().cycle().take(ids.len().div_ceil(TURN)).try_for_each(|lane| {
            let made = lane.recv().expect("a part of the report is made");
            take(made?)
        })
    })
}

/// Threads that are worth it for so many flows; one at least.
fn threads(ids: &[FlowId]) -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(ids.len().div_ceil(LEAST)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Vec<FlowId> {
        (0..count as u64).map(FlowId).collect()
    }

    #[test]
    fn turns_come_in_order() {
        for count in [0, 1, TURN, TURN + 1, 20 * LEAST + 3] {
            let (ids, mut came) = (ids(count), Vec::new());
            let taken = in_turns(
                &ids,
                |turn| Ok(turn.to_vec()),
                |turn| {
                    came.extend(turn);
                    Ok(())
                },
            );
            assert!(taken.is_ok() && came == ids, "{count}");
            assert_eq!(in_parts(&ids, <[_]>::to_vec).concat(), ids);
        }
    }

    #[test]
    fn what_fails_ends_the_turns() {
        let ids = ids(20 * LEAST);
        let mut taken = 0;
        let full = in_turns(
            &ids,
            |_| Ok(()),
            |()| {
                taken += 1;
                if taken == 3 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            },
        );
        assert_eq!((full.map_err(|error| error.kind()), taken), (Err(io::ErrorKind::StorageFull), 3));
        let broken = in_turns(&ids, |_| Err::<(), _>(io::ErrorKind::InvalidData.into()), |()| Ok(()));
        assert_eq!(broken.map_err(|error| error.kind()), Err(io::ErrorKind::InvalidData));
    }
}
