//! The table of fields: what each is called, what it holds, and one line of help.
//!
//! Read next: `subject` (where each is found in a record), `meaning` (how its values are read).

use crate::base::TcpState;
use crate::flow::{ConnState, HandshakeOutcome, Mark};
use crate::kernel::TimerKind;
use crate::wire::TunnelKind;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Other words for it.
    pub(super) also: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// What a field holds, and so which values it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    State(Claim),
    Address(Ends),
    Number(Number, Unit),
    Text(Text),
    /// Letters whose case means something.
    History,
    Set(Set),
}

/// Whose claim a state is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Claim {
    Any,
    Inferred,
    Reported,
}

/// Which ends of a flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ends {
    Both,
    /// Those on this host.
    Local,
    /// Those that are not, or both where both are or none is.
    Peer,
    Orig,
    Resp,
}

/// A number of a flow or of its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Port(Ends),
    Pid,
    Fd,
    Uid,
    RecvQ,
    SendQ,
    Lost,
    Unacked,
    /// By the wire and by the kernel.
    Retrans,
    OfFlow(OfFlow),
}

/// A number of which a flow has one at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum OfFlow {
    Retries,
    Rtt,
    Connect,
    Rate,
    Bytes,
    Segments,
    Age,
    Idle,
    Vlan,
    Id,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A name that happens to be a number: it is not compared in size as a rule.
    Label,
    Count,
    Bytes,
    BitsPerS,
    /// In nanoseconds.
    Time,
}

/// A text of a flow's ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Text {
    Proc,
    Cmd,
    User,
    /// What the responder is called.
    Name,
}

/// A set of words, of which a flow has some.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Set {
    Outcome,
    ConnState,
    Mark,
    Timer,
    Tunnel,
    Is,
}

const fn row(name: &'static str, also: &'static [&'static str], kind: Kind, help: &'static str) -> Field {
    Field { name, also, kind, help }
}

/// Every field, in the order in which they are offered.
#[rustfmt::skip]
pub(super) const FIELDS: [Field; 41] = {
    use Number::OfFlow as One;
    use Kind::{Address, History, Number as N, Set as S, State, Text as T};
    use Unit::{BitsPerS, Bytes, Count, Label, Time};
    [
        row("state", &["st"], State(Claim::Any), "of either end, by wire or kernel"),
        row("proc", &["process", "comm"], T(Text::Proc), "a part of a process's name"),
        row("port", &[], N(Number::Port(Ends::Both), Label), "of either end"),
        row("peer", &[], Address(Ends::Peer), "address of the other end; of either where a capture tells no host"),
        row("local", &[], Address(Ends::Local), "address on this host; of either end where a capture tells no host"),
        row("addr", &["host", "ip", "net"], Address(Ends::Both), "address or port of either end"),
        row("orig", &[], Address(Ends::Orig), "address or port of the originator"),
        row("resp", &[], Address(Ends::Resp), "address or port of the responder"),
        row("recvq", &["recv-q"], N(Number::RecvQ, Bytes), "Recv-Q of an end on this host"),
        row("sendq", &["send-q"], N(Number::SendQ, Bytes), "Send-Q of an end on this host"),
        row("unacked", &[], N(Number::Unacked, Bytes), "sent by an end and not acknowledged, by the wire"),
        row("rtt", &[], N(One(OfFlow::Rtt), Time), "the kernel's round trip, else the handshake's"),
        row("retrans", &["retransmissions"], N(Number::Retrans, Count), "both directions, by wire or kernel"),
        row("lost", &[], N(Number::Lost, Count), "segments lost by our verdict, or held for lost by the kernel"),
        row("retries", &[], N(One(OfFlow::Retries), Count), "SYNs and SYN-ACKs sent again"),
        row("connect", &[], N(One(OfFlow::Connect), Time), "first SYN to the ACK, retries included"),
        row("outcome", &["handshake"], S(Set::Outcome), "how the handshake went"),
        row("rate", &[], N(One(OfFlow::Rate), BitsPerS), "in the last second, both directions"),
        row("bytes", &[], N(One(OfFlow::Bytes), Bytes), "payload, both directions"),
        row("segments", &["packets"], N(One(OfFlow::Segments), Count), "both directions"),
        row("age", &[], N(One(OfFlow::Age), Time), "since first seen"),
        row("idle", &[], N(One(OfFlow::Idle), Time), "since the last segment"),
        row("is", &[], S(Set::Is), "closed partial failed mismatch local orphan unaccepted zero-window silent undelivered ipv4 ipv6"),
        row("mark", &["analysis"], S(Set::Mark), "Wireshark's tcp.analysis of a segment"),
        row("pid", &[], N(Number::Pid, Label), "of an owning process"),
        row("fd", &[], N(Number::Fd, Label), "by which a process holds it"),
        row("user", &[], T(Text::User), "a part of an owning process's user"),
        row("uid", &[], N(Number::Uid, Label), "of the socket"),
        row("cmd", &["cmdline", "args"], T(Text::Cmd), "a part of an owning process's arguments"),
        row("name", &["sni"], T(Text::Name), "a part of the responder's name, by SNI, HTTP host or DNS"),
        row("lport", &[], N(Number::Port(Ends::Local), Label), "port on this host"),
        row("pport", &[], N(Number::Port(Ends::Peer), Label), "port of the other end"),
        row("service", &["rport"], N(Number::Port(Ends::Resp), Label), "port of the responder"),
        row("inferred", &["wire"], State(Claim::Inferred), "state of either end, by the wire"),
        row("reported", &["kernel"], State(Claim::Reported), "state of either end, by the kernel"),
        row("vlan", &[], N(One(OfFlow::Vlan), Label), "outermost VLAN id of the first segment"),
        row("tunnel", &[], S(Set::Tunnel), "outermost tunnel of the first segment"),
        row("timer", &[], S(Set::Timer), "pending in the kernel, as ss -o names it"),
        row("conn_state", &["conn-state"], S(Set::ConnState), "Zeek's"),
        row("history", &[], History, "letters of Zeek's history, upper case the originator's"),
        row("id", &["flow"], N(One(OfFlow::Id), Label), "its number"),
    ]
};

impl Field {
    /// The field of this name, in any case, short or long.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        FIELDS.iter().find(|field| is(field.name) || field.also.iter().any(|also| is(also)))
    }

    /// Every name of every field.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().flat_map(|field| [field.name].into_iter().chain(field.also.iter().copied()))
    }

    /// What most often follows the name: what is counted is compared, all else is named.
    pub(super) const fn usual_op(&self) -> &'static str {
        match self.kind {
            Kind::Number(_, Unit::Label) => ":",
            Kind::Number(..) => ">",
            _ => ":",
        }
    }

    /// The values that it can have, where these are known words.
    pub(super) fn words(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::State(_) => TcpState::ALL.map(TcpState::name).to_vec(),
            Kind::Set(set) => set.words(),
            Kind::Address(Ends::Local | Ends::Peer | Ends::Both) => vec!["lo"],
            _ => Vec::new(),
        }
    }

    /// Other words for some of them, each with the one that it stands for.
    pub(super) const fn other_words(&self) -> &'static [(&'static str, &'static str)] {
        match self.kind {
            Kind::Set(set) => set.other_words(),
            _ => &[],
        }
    }
}

/// What `is:` can ask, in the order of its bits.
pub(super) const IS: [&str; 12] = [
    "closed",
    "partial",
    "failed",
    "mismatch",
    "local",
    "orphan",
    "unaccepted",
    "zero-window",
    "silent",
    "undelivered",
    "ipv4",
    "ipv6",
];

impl Set {
    /// Its words, each at the place of its bit.
    pub(super) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Outcome => OUTCOMES.map(HandshakeOutcome::name).to_vec(),
            Self::ConnState => CONN_STATES.map(ConnState::name).to_vec(),
            Self::Mark => Mark::ALL.map(Mark::name).to_vec(),
            Self::Timer => TIMERS.map(TimerKind::name).to_vec(),
            Self::Tunnel => TUNNELS.map(TunnelKind::name).to_vec(),
            Self::Is => IS.to_vec(),
        }
    }

    /// Words that people know for some of them, each with the one that it stands for.
    pub(super) const fn other_words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // What an unanswered handshake was called before.
            Self::Outcome => const { &[("timed-out", HandshakeOutcome::Unanswered.name())] },
            _ => &[],
        }
    }
}

pub(super) const OUTCOMES: [HandshakeOutcome; 10] = {
    use HandshakeOutcome::{
        Completed, GivenUp, HalfOpen, Partial, Refused, Rejected, Reset, Simultaneous, Unanswered, Waiting,
    };
    [Completed, Simultaneous, Refused, Rejected, Unanswered, GivenUp, HalfOpen, Reset, Waiting, Partial]
};

pub(super) const CONN_STATES: [ConnState; 13] = {
    use ConnState::{Oth, Rej, Rsto, Rstos0, Rstr, Rstrh, S0, S1, S2, S3, Sf, Sh, Shr};
    [S0, S1, Sf, Rej, S2, S3, Rsto, Rstr, Rstos0, Rstrh, Sh, Shr, Oth]
};

pub(super) const TIMERS: [TimerKind; 4] = {
    use TimerKind::{Keepalive, On, Persist, TimeWait};
    [On, Keepalive, TimeWait, Persist]
};

pub(super) const TUNNELS: [TunnelKind; 18] = {
    use TunnelKind::{
        Ayiya, Capwap, Erspan, EtherIp, FabricPath, Geneve, Gre, GtpU, IpInIp, L2tp, Lisp, Mpls, Nsh, Pbb, PppoE,
        Teredo, Tzsp, Vxlan,
    };
    [
        Vxlan, Geneve, Gre, IpInIp, Erspan, GtpU, Teredo, L2tp, EtherIp, Ayiya, Lisp, Capwap, Tzsp, Nsh, Mpls, PppoE,
        Pbb, FabricPath,
    ]
};
