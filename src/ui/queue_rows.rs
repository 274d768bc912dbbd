//! Which rows the queue pane has room for: fair shares of the height among the kinds of queue.

use crate::engine::{FlowId, KernelQueues, QueuePane};

/// A row of the queue pane: the index into its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueItem {
    Recv(usize),
    Send(usize),
    Accept(usize),
    Wire(usize),
}

impl QueueItem {
    /// The flow of the row; a listener has none.
    pub fn flow(self, pane: &QueuePane) -> Option<FlowId> {
        let kernel = pane.kernel.as_ref();
        match self {
            Self::Recv(index) => kernel?.recv.get(index).map(|row| row.flow),
            Self::Send(index) => kernel?.send.get(index).map(|row| row.flow),
            Self::Accept(_) => None,
            Self::Wire(index) => pane.wire.get(index).map(|row| row.flow),
        }
    }
}

/// Overflows and drops of accept queues since the first sample, if there were any: they take a line of the pane.
pub fn overflows(pane: &QueuePane) -> Option<(u64, u64)> {
    let kernel = pane.kernel.as_ref()?;
    let counts = (kernel.listen_overflows.unwrap_or(0), kernel.listen_drops.unwrap_or(0));
    (counts != (0, 0)).then_some(counts)
}

/// How many queues have something in them. A listener that nobody waits for is none: it takes no row of the pane.
pub fn queues_in_use(pane: &QueuePane) -> usize {
    counts(pane).iter().sum()
}

/// Of each kind.
fn counts(pane: &QueuePane) -> [usize; 4] {
    let kernel = pane.kernel.as_ref();
    // The fullest come first.
    let waited_for = |k: &KernelQueues| k.accept.iter().take_while(|row| row.waiting > 0).count();
    let [recv, send, accept] = kernel.map_or([0; 3], |k| [k.recv.len(), k.send.len(), waited_for(k)]);
    [recv, send, accept, pane.wire.len()]
}

/// The rows for `height` lines. Each kind that has rows gets one before any gets two; kinds stand together, fullest
/// first, as the engine ordered them.
pub fn queue_items(pane: &QueuePane, height: usize) -> Vec<QueueItem> {
    let counts = counts(pane);
    let mut shares = [0; 4];
    let mut left = height.saturating_sub(usize::from(overflows(pane).is_some()));
    while left > 0 && (0..4).any(|kind| shares[kind] < counts[kind]) {
        for kind in 0..4 {
            if left > 0 && shares[kind] < counts[kind] {
                shares[kind] += 1;
                left -= 1;
            }
        }
    }
    let make = [QueueItem::Recv, QueueItem::Send, QueueItem::Accept, QueueItem::Wire];
    (0..4).flat_map(|kind| (0..shares[kind]).map(move |index| make[kind](index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Endpoint;
    use crate::engine::WireQueueRow;

    fn wire(id: u64) -> WireQueueRow {
        let end = Endpoint::default();
        WireQueueRow { flow: FlowId(id), from: end, to: end, unacked: 1, zero_window_since: None }
    }

    #[test]
    fn every_kind_gets_a_row_before_any_gets_two() {
        let accept = crate::engine::AcceptRow {
            local: Endpoint::default(),
            waiting: 1,
            limit: None,
            full_since: None,
            history: Vec::new(),
            owner: crate::engine::Ownership::Unknown,
        };
        let kernel = KernelQueues { accept: vec![accept; 3], ..KernelQueues::default() };
        let pane = QueuePane { kernel: Some(kernel), wire: vec![wire(1), wire(2)], unknown_halves: 0 };
        use QueueItem::{Accept, Wire};
        assert_eq!(queue_items(&pane, 0), []);
        assert_eq!(queue_items(&pane, 2), [Accept(0), Wire(0)]);
        assert_eq!(queue_items(&pane, 3), [Accept(0), Accept(1), Wire(0)]);
        assert_eq!(queue_items(&pane, 99).len(), 5);
        assert_eq!(Wire(1).flow(&pane), Some(FlowId(2)));
        assert_eq!(Accept(0).flow(&pane), None);
    }

    #[test]
    fn an_idle_listener_takes_no_row() {
        let accept = |waiting| crate::engine::AcceptRow {
            local: Endpoint::default(),
            waiting,
            limit: Some(128),
            full_since: None,
            history: Vec::new(),
            owner: crate::engine::Ownership::Unknown,
        };
        let kernel = KernelQueues { accept: vec![accept(2), accept(0), accept(0)], ..KernelQueues::default() };
        let pane = QueuePane { kernel: Some(kernel), wire: vec![wire(1)], unknown_halves: 0 };
        assert_eq!(queue_items(&pane, 99), [QueueItem::Accept(0), QueueItem::Wire(0)]);
        assert_eq!(queues_in_use(&pane), 2);
    }
}
