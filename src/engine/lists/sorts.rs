//! What each list can be ordered by.

/// An order of a list: its keys in the order in which `s` walks through them, and what a screen calls each.
pub trait SortBy: Copy + PartialEq + 'static {
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
}

/// A list's orders with their names.
macro_rules! orders {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $key:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum $name { $($(#[$doc])* $key,)+ }

        impl SortBy for $name {
            const ALL: &'static [Self] = &[$(Self::$key,)+];
            fn name(self) -> &'static str {
                match self { $(Self::$key => $text,)+ }
            }
        }
    };
}

orders! {
    /// What findings are ordered by.
    FindingSort {
        /// The most severe first, of these the oldest.
        #[default]
        Worst = "worst",
        /// Latest to begin first.
        Recent = "recent",
        /// Each kind together.
        Kind = "kind",
    }
}

orders! {
    /// What handshakes are ordered by.
    HandshakeSort {
        /// Those that failed first, each outcome together; then those that wait; within them the latest first.
        #[default]
        Failures = "failures",
        /// Latest first.
        Recent = "recent",
        /// Longest first, from the first SYN to the conclusion, or to now.
        Slowest = "slowest",
    }
}

orders! {
    /// What queues are ordered by.
    QueueSort {
        /// Overflowing accept queues, closed windows, then the fullest.
        #[default]
        Worst = "worst",
        /// Each kind together, the fullest first.
        Kind = "kind",
        /// Longest not empty first.
        Longest = "longest",
    }
}

orders! {
    /// What users of ports are ordered by.
    PortSort {
        /// Most in TIME-WAIT first.
        #[default]
        TimeWait = "TIME-WAIT",
        /// Most local ports taken first.
        Ports = "ports",
        /// Most connections that are not in TIME-WAIT first.
        Open = "other",
        Service = "service",
    }
}

orders! {
    /// What listeners are ordered by.
    ListenerSort {
        /// Over its limit first, then what overflowed, then the fullest accept queue.
        #[default]
        Worst = "worst",
        Port = "port",
        /// Most established connections first.
        Estab = "ESTAB",
        /// Most connections that came in first.
        CameIn = "came in",
        Process = "process",
    }
}

orders! {
    /// What processes are ordered by.
    ProcessSort {
        /// Most bits a second first; what is quiet, most sockets first.
        #[default]
        Rate = "rate",
        Sockets = "sockets",
        /// Most unread bytes first.
        RecvQ = "Recv-Q",
        /// Most unacknowledged bytes first.
        SendQ = "Send-Q",
        /// Most sockets in CLOSE-WAIT first.
        CloseWait = "CLOSE-WAIT",
        Name = "name",
        Pid = "pid",
    }
}
