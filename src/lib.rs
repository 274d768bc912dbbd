//! sockscope shows what really happens to every TCP connection on a Linux host: what crossed the **wire**, what the
//! **kernel** holds for it, and which **process and file descriptor** own it, joined per connection, over time; live or
//! from a capture file; in a terminal, as a report, as a picture.
//!
//! # The one law
//! **Engine state is a pure function of the ordered list of inputs** ([`engine::Input`]). Live, replay and demo differ
//! only in who makes that list. Every input first moves the engine's clock (never back; packets out of order are
//! counted), fires the timers that are due in the order of (time, flow number), and is then applied. Ticks up to the
//! next input's time change nothing. A gap of any length is skipped, never iterated. Time is the capture's
//! ([`base::Timestamp`]); the core reads no clock, file or random number, and no map order is ever visible.
//!
//! # Rooms
//!
//! | room | charter | may import |
//! |---|---|---|
//! | [`base`] | time, sequence-number, address arithmetic; states' names; services of ports; series; units; words; marked instants; progress; scrubbing of text; packing into bits; colours, ASCII; memory brought near | `std` |
//! | [`wire`] | captured bytes → [`wire::Segment`]; total, never panics; keeps only fragments that wait | base, etherparse |
//! | [`names`] | first payload bytes → SNI, ALPN, alerts, HTTP host and status, DNS lookups; total, two segments joined | base, wire's `Segment`, httparse |
//! | [`kernel`] | /proc text, netlink bytes and the tracing ring → [`kernel::SocketSample`], counters, limits, owners, [`kernel::KernelEvent`] | base |
//! | [`flow`] | segments → what each endpoint's TCP must be doing; apart from it, what Wireshark's analysis and Zeek's log say of the same segments, the times between them, and our own verdict on what was sent again | base, wire's `Segment` |
//! | [`findings`] | evidence → a diagnosis with its reason and its remedy; a file a rule | base, flow, kernel |
//! | [`engine`] | joins wire, kernel and owner; history, timers, queries; the filter language; gathers the findings' evidence | base, wire, names, flow, kernel, findings, winnow |
//! | [`journal`] | captures → frames, in order; frames → inputs; several live sources → one list; recordings ↔ inputs; playing: the clock, checkpoints, the way to any instant | base, wire, names, kernel, engine |
//! | `ui` | key or mouse → message → state and effects | base, flow, engine |
//! | `view` | dashboard + state → ratatui buffer; themes | base, wire, names, flow, kernel, findings, engine, ui |
//! | `export` | buffer → text, SVG, PNG; dashboard and flows → text report, JSON | base, wire, names, flow, kernel, findings, engine |
//! | `io` | the only system calls: libpcap, netlink, /proc, tracefs, files, the terminal, the clock | base, wire, kernel |
//! | `app` | commands, threads, channels: the wiring | all |
//!
//! `tests/tidy.rs` holds the code against this table. The pure rooms build alone: `cargo check --lib
//! --no-default-features`. The feature `live` brings `io`, `tui` brings `ui`, `view` and `export`; both together `app`.
//!
//! ```text
//! [capture] libpcap ─► wire, names ──┐
//! [tracer]  tracefs ─► kernel ───────┤
//! [sampler] netlink,/proc ─► kernel ─┼─merge─► [engine thread] Engine ─Dashboard─► [main] ui ─► view ─► terminal
//! [reader]  file ─► wire, names ─────┘             ▲──────── Query, Control ◄────────┘      └► export
//! ```
//!
//! Channels are bounded. Live, a full one drops and counts (kernel drop, interface drop, ours, undecoded: four
//! counters, on the screen and in every export); reading a file blocks. The sources of a live run arrive apart (packets
//! up to 100 ms late, samples at once): [`journal::Merge`] orders them by time and holds an input back 200 ms at most.
//! Only the engine's thread touches the engine, so there is no lock around it: a screen sends a [`engine::Query`] and
//! gets an owned [`engine::Dashboard`]. Each view asks for one list ([`engine::List`]) and a window of its rows; its
//! order is re-evaluated at most twice a second, and a row's [`engine::RowKey`] keeps the cursor on it while rows move.
//!
//! To go back is to go on from before: a [`journal::Checkpoint`] is a copy of the engine with the place in its source
//! (of files: each one's offset and interfaces, what the decoders and the decompressor of gzip hold; of the last inputs
//! of a live run: a number), and a [`journal::Player`] feeds on from there. What is shown is what a replay up to there
//! would show, because state is a function of the inputs. While a source is read for the first time,
//! [`journal::Index`] notes what happened when. Live, one engine goes on and another is shown.
//!
//! Several captures are one list of frames before anything is decoded ([`journal::Captures`]): the oldest that is next in
//! its file goes first, so that a file's own order stays and a flow or fragment may lie in two of them.
//!
//! # Recordings
//! A recording ([`journal::recording`], where the format is told in full) is the list of inputs in a pcapng file that
//! any tool opens: a frame is a packet, cut behind its headers, and gives the segment that it gave live; every other
//! input is a journal entry, with words for people and bytes for us. The order is the engine's, so that replay feeds it
//! the very same list. A section stands alone, or says that it goes on from the one before; a file cut anywhere gives
//! its prefix, and the socket table is told by what changed, in full each minute. One that begins in mid-run is told
//! first what still holds: the newest reading of each part of the table, and what is traced. Entries that a reader
//! passes over are counted, and told. Whoever may write files does it: [`journal::recording::Recorder`] only makes
//! blocks.
//!
//! Live, the capture threads make each frame's block beside its inputs ([`journal::FrameBatch`]), where a recording
//! wants them; they pass the merge with those ([`journal::Trail`]), so that the recorder sees the engine's order. Blocks
//! go to a thread that writes them at once, behind a queue bounded in bytes: what finds no room is counted, and nobody
//! waits for a disk. Where a write fails, the file is cut back to its last whole block. While a file is written, inputs
//! are held back 60 ms at most, so that a kill costs 100 ms; what the kernel dropped is told before what was captured
//! behind it, so that such a file's holes are told. A ring in memory ([`journal::Chapters`]) is made of sections, each
//! with a head to stand alone behind and one to go on from the section before: the oldest go, and what is written out
//! tells nothing twice. What a dashboard keeps to go back in ([`journal::Past`]) tells readings as a recording does, and
//! holds no frames; where it is written out after the fact, their headers are made anew from the segments
//! ([`wire::Segment::headers`]).
//!
//! # Words
//! frame (captured link bytes) · segment (decoded TCP unit) · flow (one incarnation of a 4-tuple; [`engine::FlowId`] is
//! stable, a reused tuple gets a new one) · half (one direction's sender) · orig, resp (sender of the SYN and its peer)
//! · local, peer (a kernel socket's ends) · src, dst (a segment's) · inferred state (by the wire) and reported state
//! (by the kernel): two claims, never merged silently · sample (one reading of the socket table, or of what of it the
//! sample covers) · last word (what the kernel said of a socket when it let go of it) · partial (first seen mid-stream)
//! · opening (what the beginning of a flow shows: names and waits) · name (what a responder is called, with
//! whose word it is: SNI, HTTP host or DNS) · wait (of DNS, TCP, TLS or the first request) · lookup (a DNS answer and
//! its query) · mark (a word of Wireshark's tcp.analysis, said of a segment) · verdict, cause, evidence (why a segment
//! was sent again, by our own reading, and what shows it) · episode (what was lost together) · Recv-Q, Send-Q, timer
//! (as `ss -o` prints them) · RTT to resp, to orig (from the capture point to that end and back: together the whole
//! path's) · think time (from the peer's last byte to the first of the answer) · finding (a diagnosis: a kind and a
//! subject) · rung (the way in which an owner was found) · transcript (a flow's segments in order, each an arrow with
//! what is known of it, read again from the inputs) · ladder, graph (its two pictures). `None` always means not
//! recorded or not known; it is shown as that, never as 0.
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
//!   quoted in an ICMP error is no segment; an "unreachable" that quotes the very SYN is told with it, and of an open
//!   connection any error that quotes what waits to be acknowledged. Neither changes a state.
//! - **A RST** is believed only at the very next sequence number its receiver expects (RFC 5961 §3).
//! - **A handshake** that is waited for in vain is "unanswered" once the next retry is overdue (2.5 × the last gap, at
//!   least 3.5 s): then nobody tries any more, and the ends are CLOSED. It is "given up" where the kernel's table or its
//!   trace shows that the socket left SYN-SENT before its timer ran out: its process let go; the wire alone does not
//!   tell that from a time-out. It is "rejected" where an ICMP error quotes its very SYN, and
//!   "half-open" 3.5 s after a SYN-ACK without its ACK. An answer after all revises each.
//! - **A mark** ([`flow::Analysis`]) is what Wireshark 4.0 says of the same segment, questionable readings included, so
//!   that both give the same counts. The analysis is apart from the states: neither sees the other.
//! - **A verdict** ([`flow::Verdict`]) tells why a segment carries numbers that were sent before, by what went by the
//!   capture point: SACK holes, DSACK, the order and echo of timestamps, time. Later evidence revises it; without
//!   evidence it is "unexplained". What was acknowledged and never captured the capture lost, not the path.
//! - **Zeek's view** ([`flow::Zeek`]) is a machine of its own per tuple, with Zeek's time-outs and its idea of who
//!   began; a flow carries the rows that Zeek would log of it, and its line shows the first that was established.
//! - **A time** ([`flow::Timing`]) is what the capture point saw: a round trip is that from there to one end and back,
//!   never of anything sent twice (Karn's rule; timestamps tell copies apart). A stall is
//!   claimed only of a lone small segment whose ack, without data, came much later than the path takes, and whose next
//!   followed at once.
//! - **A name** is told with its evidence. SNI and HTTP host are the client's word to the responder itself; DNS is what
//!   an answer sent to the same host called the responder's address at most 5 s before the SYN (where its query was not
//!   captured, anybody may have sent it); more than 1 s before, it names and was not waited for. A message is known by
//!   its first bytes wherever it stands, so no flow is needed to read it; it comes as an input of its own right behind
//!   its segment ([`journal::Intake`]). The service of a port is a habit, and no name.
//! - **A wait** is claimed only where both ends of it were captured: not behind a hole, and not moved by a repeat. TLS
//!   ends with the first application data, in TLS 1.3 the client's first (its last flight); a request's answer is the
//!   server's very next byte, behind the session tickets of TLS 1.3: records alike are those, and where that does not
//!   tell them from the answer, nothing is claimed. Segments carry which records of application data begin in them, so
//!   that a flow needs no look into payloads.
//! - **The join** is by tuple, with IPv4-mapped addresses as IPv4. A socket's cookie tells whether a row is the same
//!   socket as before. Rows without an inode are explained, not guessed: not yet accepted (its listener's process),
//!   TIME-WAIT (the last holder seen), orphaned after close().
//! - **An owner** is named by the best rung that there is, and each row says which. The trace ([`kernel::trace`]) names
//!   whoever called connect(), however short the connection: the caller's task from the event in its own context, the
//!   port from the same socket's next event, and the flow whose SYN lies between the two. It also names whoever closed
//!   an end, which tells a listener's holders apart where accept() was not seen. Without it each SYN's socket is looked
//!   up at once and searched for in the newest processes. The scan of descriptors names whoever holds a socket that a
//!   reading of the table showed; a holder is told before a caller. A caller in another network namespace is told only
//!   of an end that is not of this one, and as elsewhere. Where two claims contradict each other, or events were lost
//!   since, nobody is named.
//! - **A reading** says which states it covers, or which sockets were looked up. What it does not cover stays as it was:
//!   a socket that is missing is in one of the states that may follow its own and were not read since ([`kernel::Covers`],
//!   [`base::StateSet::onward`]), and is gone once none is left. Readings of the parts, in the order of a connection's
//!   life, are one reading of the whole. A look-up's miss counts only where one has found the socket before.
//! - **A last word** is on the flow whose socket's cookie it has; where no reading told one, on the newest flow of its
//!   ends, once that is seen to have closed or is old enough. Two that contradict each other are none.
//! - **A mismatch** of inferred and reported state is claimed only when two readings in a row show it, each more than
//!   250 ms after the wire's last change, and never from a state that is only assumed because the flow was first seen
//!   mid-stream.
//! - **Ports**: headroom is counted per (namespace, source, destination) as connect() finds it: usable ports less those
//!   held for all (listeners, sockets seen bound before they connected) less the route's own sockets. The rate of
//!   closes is read off the ages of TIME-WAIT; they run out only where the level at which it settles exceeds what there
//!   is.
//! - **A transcript**: the table keeps no segment. Whoever opens a flow has the file read once more, by a thread of its
//!   own (live, what is kept of the past is gone through), and an [`engine::Collector`] find the flow's inputs again
//!   (scope, tuple, first segment) and take them through machines of their own. What only later evidence showed is kept
//!   with when it did, so that a ladder at an instant tells what was known then. "Lost" is said of a copy whose
//!   receiver acknowledged more and lacked it; a repeat after a timer alone shows only that no answer came.
//! - **A filter** ([`engine::Filter`]) answers yes, no or not known: what is not known of a flow fits neither a test
//!   nor its `not`. Where nothing tells which end is on this host (a capture), either end is taken for `local` and
//!   `peer`.
//! - **A finding** ([`findings::Finding`]) is said only beyond its rule's thresholds, which stand with their reasons at
//!   the top of the rule's file, and lasts as long as its evidence does: since when it holds is kept with the evidence,
//!   so that asking changes nothing. What the kernel counts is surer than what the wire lets infer, and both are said.
//! - **A flood** of SYNs is told from clients by what does not come again, as a TCP sends what nobody answers, and from a
//!   burst by its age (or its sheer number). Ends with which many handshakes are not completed are found in the walk over
//!   all flows that a screen takes anyway, in bounded space; only where there is one, a second walk gathers the rest.
//! - **The table is bounded**: closed flows go first, in TIME-WAIT too, then half-open ones, then those long
//!   untouched; each eviction is counted by reason. Flows live in pages that forks of the engine share until one of
//!   them writes. A lone SYN keeps only its flow; analysis, Zeek's view and rate are made from that for whoever asks,
//!   and kept from the second segment on. Once the flow is over they are packed into some 200 bytes (where nothing
//!   irregular was seen), and made again, the very same, for whoever asks and by what comes late. Of most flows it is
//!   the segments that are packed ([`flow::Beginning::pack`]): that none was irregular tells a report enough, and the
//!   rest is never made. Nothing else changes them any more, so a thread of its own may pack them
//!   ([`engine::Courses`]), as in a replay; what is told is the same before and after. A record is made in its place,
//!   and what packed courses lay in serves flows that begin.
//! - **The short ways** (`plain` in wire, flow, flow/analysis, flow/timing, flow/zeek): what nearly every frame and segment is takes
//!   few steps, with the very result of the long way; tests hold each against it. Of these segments a flow lets a few
//!   wait: then the times are shown each, and analysis, verdict and Zeek's view only where the run of them has come to
//!   ([`flow::Run`]). Those with which a flow begins wait too, and what tells of them is made once they are many or
//!   something else comes ([`flow::Beginning`]); so do those with which it ends, up to where it is packed. Whoever asks
//!   is told as if none had waited. Inputs go in batches, which are used again, and what the next inputs of a batch will
//!   touch is brought into the cache step by step while those before them are taken in (`engine/table/ahead.rs`, with
//!   the one unsafe leaf: [`fn@base::prefetch`]); so is what a walk over all flows comes to next. Reports read long
//!   captures on large pages where the kernel gives them to who asks (`app/large_pages.rs`). A frame's segment is built
//!   where the batch keeps it, and frames of a pcap file that were read are taken in one after another. A report's
//!   flows are put into words by every processor, in turns, and written in order while the next are made; one in text
//!   goes by their gists ([`engine::Gist`]), and makes the details of those alone that it may tell about.

#![deny(unsafe_code)]

pub mod base;
pub mod engine;
pub mod findings;
pub mod flow;
pub mod journal;
pub mod kernel;
pub mod names;
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
