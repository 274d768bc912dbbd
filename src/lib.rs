//! sockscope shows what really happens to every TCP connection on a Linux host: what crossed the **wire**, what the
//! **kernel** holds for it, and which **process and file descriptor** own it, joined per connection, over time; live or
//! from a capture file; in a terminal, as a report, as a picture.
//!
//! # The one law
//! **Engine state is a pure function of the ordered list of inputs** ([`engine::Input`]). Live, replay and demo differ
//! only in who makes that list. Every input first moves the engine's clock (never back; regressions are counted), fires
//! the timers that are due in the order of (time, flow number), and is then applied. Ticks up to the next input's time
//! change nothing. A gap of any length is skipped, never iterated. Time is the capture's ([`base::Timestamp`]); the core
//! reads no clock, file or random number, and no map order is ever visible.
//!
//! # Rooms
//!
//! | room | charter | may import |
//! |---|---|---|
//! | [`base`] | time, sequence-number, address arithmetic; states' names; series; units; scrubbing of text | `std` |
//! | [`wire`] | captured bytes → [`wire::Segment`]; total, never panics; keeps only fragments that wait | base, etherparse |
//! | [`kernel`] | /proc text, netlink bytes and the tracing ring → [`kernel::SocketSample`], counters, limits, owners, [`kernel::KernelEvent`] | base |
//! | [`flow`] | segments → what each endpoint's TCP must be doing; apart from it, what Wireshark's analysis and Zeek's log say of the same segments | base, wire's `Segment` |
//! | [`engine`] | joins wire, kernel and owner; history, timers, queries | base, wire, flow, kernel |
//! | [`journal`] | captures → frames, in order; several live sources → one list; the clock of a replay | base, wire, engine |
//! | `ui` | key or mouse → message → state and effects | base, flow, engine |
//! | `view` | dashboard + state → ratatui buffer | base, flow, kernel, engine, ui |
//! | `export` | buffer → text, SVG, PNG; dashboard and flows → text report, JSON | base, wire, flow, kernel, engine |
//! | `io` | the only system calls: libpcap, netlink, /proc, tracefs, files, the terminal, the clock | base, wire, kernel |
//! | `app` | commands, threads, channels: the wiring | all |
//!
//! `tests/tidy.rs` holds the code against this table. The pure rooms build alone: `cargo check --lib
//! --no-default-features`. The feature `live` brings `io`, `tui` brings `ui`, `view` and `export`; both together `app`.
//!
//! ```text
//! [capture] libpcap ─► wire ─batches─┐
//! [tracer]  tracefs ─► kernel ───────┤
//! [sampler] netlink,/proc ─► kernel ─┼─merge─► [engine thread] Engine ─Dashboard─► [main] ui ─► view ─► terminal
//! [reader]  file ─► journal ─► wire ─┘             ▲──────── Query, Control ◄────────┘      └► export
//! ```
//!
//! Channels are bounded. Live, a full one drops and counts (kernel drop, interface drop, ours, undecoded: four
//! counters, on the screen and in every export); reading a file blocks. The sources of a live run arrive apart (packets
//! up to 100 ms late, samples at once): [`journal::Merge`] orders them by time and holds an input back 200 ms at most.
//! Only the engine's thread touches the engine, so there is no lock around it: a screen sends a [`engine::Query`] and
//! gets an owned [`engine::Dashboard`].
//!
//! # Words
//! frame (captured link bytes) · segment (decoded TCP unit) · flow (one incarnation of a 4-tuple; [`engine::FlowId`] is
//! stable, a reused tuple gets a new one) · half (one direction's sender) · orig, resp (sender of the SYN and its peer) ·
//! local, peer (a kernel socket's ends) · src, dst (a segment's) · inferred state (by the wire) and reported state (by
//! the kernel): two claims, never merged silently · sample (one reading of the socket table) · partial (first seen
//! mid-stream) · mark (a word of Wireshark's tcp.analysis, said of a segment) · rung (the way in which an owner was found) ·
//! Recv-Q, Send-Q, timer (as `ss -o` prints them). `None` always means not recorded or not known; it is shown as that, never as 0.
//!
//! # How the hard questions are decided
//! - **A flow** is (scope, 4-tuple, incarnation). Only a SYN without ACK and with another ISS begins a new incarnation;
//!   neither FIN, RST nor idle time does. Until that SYN is answered by a SYN-ACK, segments that fit the older flow's
//!   numbers still go to it (RFC 5961 §4: a SYN in a synchronized state draws a challenge ACK and changes nothing).
//! - **A state** follows from sequence numbers (RFC 9293 figure 5 as a table): a FIN is acknowledged only when the
//!   acknowledgment passes it, so the three-segment close ends in TIME-WAIT on the side that closed first. TIME-WAIT's
//!   60 s are Linux's; of a remote end they are an assumption, and said to be one.
//! - **A segment** counts wherever it is found: behind any link header or tunnel (eight IP headers deep), once in the
//!   frame that completes its fragments. VLAN and tunnel are told, and are not part of the key. Fragments that overlap
//!   spoil their datagram (RFC 5722). One whose header ends past its datagram counts and changes nothing. A TCP header
//!   quoted in an ICMP error is no segment; an "unreachable" that quotes the very SYN is told beside the outcome.
//! - **A RST** is believed only at the very next sequence number its receiver expects (RFC 5961 §3).
//! - **A handshake** that is waited for in vain is "timed out" once the next retry is overdue (2.5 × the last gap, at
//!   least 3.5 s): then nobody tries any more, and the ends are CLOSED. It is "half-open" 3.5 s after a SYN-ACK without
//!   its ACK. An answer after all revises either.
//! - **A mark** ([`flow::Analysis`]) is what Wireshark 4.0 says of the same segment, questionable readings included, so
//!   that both give the same counts. The analysis is apart from the states: neither sees the other.
//! - **Zeek's view** ([`flow::Zeek`]) is a machine of its own per tuple, with Zeek's time-outs and its idea of who began; a
//!   flow carries the rows that Zeek would log of it, and its line shows the first that was established.
//! - **The join** is by tuple, with IPv4-mapped addresses as IPv4. A socket's cookie tells whether a row is the same
//!   socket as before. Rows without an inode are explained, not guessed: not yet accepted (its listener's process),
//!   TIME-WAIT (the last holder seen), orphaned after close().
//! - **An owner** is named by the best rung that there is, and each row says which. The trace ([`kernel::trace`]) names
//!   whoever called connect(), however short the connection: the caller's task from the event in its own context, the
//!   port from the same socket's next event, and the flow whose SYN lies between the two. It also names whoever closed an
//!   end, which tells a listener's holders apart where accept() was not seen. Without it each SYN's socket is looked up
//!   at once and searched for in the newest processes. The scan of descriptors names whoever holds a socket that a
//!   reading of the table showed; a holder is told before a caller. A caller in another network namespace is told only of
//!   an end that is not of this one, and as elsewhere. Where two claims contradict each other, or events were lost since,
//!   nobody is named.
//! - **A mismatch** of inferred and reported state is claimed only when two readings in a row show it, each more than
//!   250 ms after the wire's last change, and never from a state that is only assumed because the flow was first seen
//!   mid-stream.
//! - **The table is bounded**: closed flows go first, then half-open ones, then those long untouched; each eviction is
//!   counted by reason. Flows live in pages that copies of the engine share until one of them writes.

#![deny(unsafe_code)]

pub mod base;
pub mod engine;
pub mod flow;
pub mod journal;
pub mod kernel;
pub mod wire;

#[cfg(feature = "tui")]
pub mod export;
#[cfg(feature = "tui")]
pub mod ui;
#[cfg(feature = "tui")]
pub mod view;

#[cfg(feature = "live")]
pub mod io;

#[cfg(all(feature = "live", feature = "tui"))]
pub mod app;
