//! Segments → what each endpoint's TCP must be doing.
//!
//! May touch `base` and `wire::Segment`; no kernel, no bytes, no text, no clock but the segments'. Each half (one
//! direction's sender) has its own RFC 9293 state, driven by sequence numbers and flags. The observer is not an
//! endpoint: what it did not see it says, and what an endpoint would not believe it does not believe (RFC 5961).
//! Read first: RFC 9293 §3.3.2, §3.6, §3.10; RFC 5961 §3–5; RFC 6191. Then `transitions` (the table), `machine`
//! (what is called), `feed` (a segment's way through), `handshake`, `close`, `believe`. Beside it, and apart from it,
//! `analysis` says of each segment what Wireshark's tcp.analysis says, `verdict` why it was sent again as far as the
//! evidence goes, `zeek` what Zeek's connection log would say, and `timing` measures round trips and waits. `plain`,
//! `run`, `beginning` and `ending` are the short ways that nearly all segments go, with the very same results.

mod analysis;
mod beginning;
mod believe;
mod brief;
mod close;
mod ending;
mod feed;
mod half;
mod handshake;
mod id;
mod life;
mod machine;
mod past_run;
mod plain;
mod run;
mod stamp;
mod timing;
mod told;
mod transitions;
mod verdict;
mod view;
mod zeek;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace;

pub use analysis::{Analysis, AnalysisCounts, Mark, Marks};
pub use beginning::Beginning;
pub use brief::{Brief, Slip};
pub use id::FlowId;
pub use machine::{Flow, LoneSyn};
pub use past_run::PastRun;
pub use run::Run;
pub use timing::{Delays, HalfTiming, IdleGap, InFlight, Stalls, Starts, Throughput, Timing, TimingView};
pub use verdict::{
    Around, Cause, CauseCounts, Episode, Evidence, HalfVerdict, InVain, Injected, Limit, Recovery, SentAgain, Unmoved,
    Verdict, VerdictView,
};
pub use view::{
    Class, Completeness, HalfView, HandshakeOutcome, HandshakeView, LifeEvent, LifeEventKind, Negotiated, Side,
};
pub use zeek::{ConnState, History, RowEnd, Zeek, ZeekRow, ZeekView};
