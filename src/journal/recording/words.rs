//! An input in words, on one line: what an entry's MESSAGE says to whoever reads it without sockscope.

use std::fmt;

use super::{Setup, VERSION};
use crate::base::{Mark, TcpState};
use crate::engine::{Input, Loss};
use crate::kernel::{Close, Connect, KernelEvent, Process, SocketSample};
use crate::names::{Dns, DnsSays, FlowName, Message};

/// What stands at the beginning.
pub(super) struct Begins<'a>(pub(super) &'a Setup);

impl fmt::Display for Begins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recording of format {VERSION}, ")?;
        self.0.host.iter().try_for_each(|host| write!(f, "host {host}, "))?;
        f.write_str("interfaces:")?;
        self.0.sources.iter().try_for_each(|source| write!(f, " {}", source.name))?;
        if self.0.sources.is_empty() {
            return f.write_str(" none");
        }
        match self.0.payload {
            0 => f.write_str("; headers, no payload"),
            payload => write!(f, "; headers and {payload} bytes of payload"),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mark: {}", self.note)
    }
}

/// An input.
pub(super) struct Words<'a>(pub(super) &'a Input);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Input::Segment(segment) => write!(f, "{} > {}: {}", segment.src, segment.dst, segment.flags),
            Input::Icmp(quote) => write!(f, "{}: {} ({} > {})", quote.from, quote.error, quote.src, quote.dst),
            Input::Name(name) => said(name, f),
            Input::Dns(dns) => lookup(dns, f),
            Input::Sample(sample) => table(sample, f),
            Input::Kernel(event) => happened(event, f),
            Input::Loss(loss) => lost(loss, f),
            Input::Tick(_) => f.write_str("nothing happened"),
        }
    }
}

fn said(name: &FlowName, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} > {}: ", name.src, name.dst)?;
    match &name.message {
        Message::ClientHello(hello) => {
            f.write_str("TLS ClientHello")?;
            hello.sni.iter().try_for_each(|sni| write!(f, ", SNI {sni}"))?;
            hello.alpn.iter().try_for_each(|alpn| write!(f, ", ALPN {alpn}"))
        }
        Message::ServerHello(hello) => {
            write!(f, "{} ServerHello", hello.version.map_or("TLS", |version| version.name()))
        }
        Message::Alert(alert) => write!(f, "TLS alert {alert}"),
        Message::Request(request) => {
            write!(f, "HTTP {}", request.method)?;
            request.host.iter().try_for_each(|host| write!(f, ", host {host}"))
        }
        Message::Response(response) => {
            write!(f, "HTTP {}", response.status)?;
            response.reason.iter().try_for_each(|reason| write!(f, " {reason}"))
        }
        Message::Http2Preface => f.write_str("HTTP/2"),
    }
}

fn lookup(dns: &Dns, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &dns.says {
        DnsSays::Query => write!(f, "{} asks {} for {}", dns.client, dns.server, dns.name),
        DnsSays::Answer(addresses) => {
            write!(f, "{} tells {} of {}:", dns.server, dns.client, dns.name)?;
            addresses.iter().try_for_each(|address| write!(f, " {address}"))?;
            if addresses.is_empty() { f.write_str(" no address") } else { Ok(()) }
        }
    }
}

/// The table in numbers: how many sockets are in which state.
fn table(sample: &SocketSample, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut states = [0u64; TcpState::ALL.len()];
    sample.sockets.iter().for_each(|socket| states[socket.state.0.index()] += 1);
    write!(f, "{} sockets", sample.sockets.len())?;
    let there = TcpState::ALL.iter().zip(states).filter(|(_, count)| *count > 0);
    there
        .enumerate()
        .try_for_each(|(at, (state, count))| write!(f, "{} {count} {state}", if at == 0 { ":" } else { "," }))
}

fn happened(event: &KernelEvent, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match event {
        KernelEvent::Tracing(_) => f.write_str("every connect() is told from here on"),
        KernelEvent::Connect(Connect { local, peer, process, .. }) => match process {
            Some(process) => write!(f, "{} connects {local} to {peer}", Called(process)),
            None => write!(f, "somebody connects {local} to {peer}"),
        },
        KernelEvent::Close(Close { local, peer, process, .. }) => {
            write!(f, "{} closes {local} to {peer}", Called(process))
        }
        KernelEvent::Lost(lost) => write!(f, "{} events of the kernel were lost", lost.total),
        KernelEvent::LastWords(_) => f.write_str("the last of every socket is told from here on"),
        KernelEvent::LastWord(word) => write!(f, "{} to {} is gone", word.local, word.peer),
        KernelEvent::LastWordsLost(lost) => write!(f, "the last of {} sockets was lost", lost.total),
    }
}

fn lost(loss: &Loss, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Loss { kernel, interface, ours, frames, .. } = loss;
    let dropped = [kernel.unwrap_or(0), interface.unwrap_or(0), *ours];
    let dropped = dropped.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
    write!(f, "{} frames, {dropped} dropped, {} undecoded", frames.frames, frames.undecoded_total())
}

/// A process by name.
pub(super) struct Called<'a>(pub(super) &'a Process);

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}, {})", self.0.comm, self.0.pid, self.0.user)
    }
}
