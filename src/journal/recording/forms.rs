//! The form of each kind of input in a recording: its fields in order, and the numbers of its variants.
//!
//! The form is a list of its own, so that a field that an input gains does not compile until it is given a place here:
//! then [`super::VERSION`] goes up.

use super::codec::{Code, Reader, Writer};
use crate::base::{Scope, Seq, StateSet, TcpState};
use crate::engine::Loss;
use crate::kernel::{
    Close, Connect, Covers, KernelEvent, LastWord, Limits, LostEvents, Owner, Process, Reported, Rung, TableSource,
    TimerKind,
};
use crate::names::{Alert, ClientHello, Dns, DnsSays, FlowName, Message, Request, Response, ServerHello, TlsVersion};
use crate::wire::{
    AppRecords, Flags, FrameCounts, IcmpError, IcmpQuote, Options, Segment, Tunnel, TunnelId, TunnelKind, Undecoded,
    VlanId,
};

/// A struct: its fields one after another; behind them those that a later version of the format brought, of which an
/// older one tells nothing. A number stands in the file as a wider one, of which the lower bits are kept.
macro_rules! fields {
    ($type:ident { $($field:ident $(as $wide:ident)?),* $(,)? } $($since:literal { $later:ident })*) => {
        impl Code for $type {
            fn put(&self, out: &mut Writer) {
                let Self { $($field,)* $($later,)* } = self;
                $($(let $field = &$wide::from(*$field);)? $field.put(out);)*
                $($later.put(out);)*
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Some(Self {
                    $($field: fields!(from $($wide)?),)*
                    $($later: if from.version < $since { None } else { Code::get(from)? },)*
                })
            }
        }
    };
    ($from:ident) => { Code::get($from)? };
    ($from:ident $wide:ident) => { $wide::get($from)? as _ };
}

/// A struct around one value: that.
macro_rules! wrapped {
    ($($type:ident),*) => {$(
        impl Code for $type {
            fn put(&self, out: &mut Writer) {
                self.0.put(out);
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Code::get(from).map(Self)
            }
        }
    )*};
}

/// An enum: the variant's number, then what it holds.
macro_rules! variants {
    ($type:ident { $($number:literal $variant:ident $(($value:ident))?),* $(,)? }) => {
        impl Code for $type {
            fn put(&self, out: &mut Writer) {
                match self {
                    $(Self::$variant $(($value))? => {
                        out.bytes.push($number);
                        $($value.put(out);)?
                    })*
                }
            }

            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Some(match from.byte()? {
                    $($number => Self::$variant $(({
                        let $value = Code::get(from)?;
                        $value
                    }))?,)*
                    _ => return None,
                })
            }
        }
    };
}

wrapped!(Scope, Seq, Flags, Reported, TlsVersion);

fields!(Segment {
    ts,
    scope,
    iface,
    src,
    dst,
    seq,
    ack,
    flags,
    window,
    payload_len,
    malformed,
    frame_len,
    options,
    ttl,
    vlan,
    tunnel,
    digest as u64,
    app_records,
});
fields!(AppRecords { count, len });
fields!(Tunnel { kind, id });
variants!(TunnelKind {
    0 IpInIp, 1 Gre, 2 Erspan, 3 Vxlan, 4 Geneve, 5 GtpU, 6 Teredo, 7 L2tp, 8 EtherIp, 9 Ayiya, 10 Lisp, 11 Capwap,
    12 Tzsp, 13 Nsh, 14 Mpls, 15 PppoE, 16 Pbb, 17 FabricPath,
});
fields!(IcmpQuote { ts, scope, from, error, src, dst, seq, flags } 3 { mtu });
fields!(IcmpError { v6, kind, code });

impl Code for TunnelId {
    fn put(&self, out: &mut Writer) {
        u32::from(*self).put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        u32::get(from).map(Self::from)
    }
}

impl Code for VlanId {
    fn put(&self, out: &mut Writer) {
        self.number().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        u16::get(from).map(Self::of_tag)
    }
}

impl Code for Options {
    fn put(&self, out: &mut Writer) {
        self.mss().put(out);
        self.wscale().put(out);
        self.sack_permitted().put(out);
        self.sack().collect::<Vec<_>>().put(out);
        self.timestamps().put(out);
        self.fast_open().put(out);
        self.mptcp().put(out);
        self.cut().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(
            Self::default()
                .with_mss(Option::get(from)?)
                .with_wscale(Option::get(from)?)
                .with_sack_permitted(bool::get(from)?)
                .with_sack(Vec::get(from)?)
                .with_timestamps(Option::get(from)?)
                .with_fast_open(bool::get(from)?)
                .with_mptcp(Option::get(from)?)
                .with_cut(bool::get(from)?),
        )
    }
}

fields!(FlowName { ts, since, scope, src, dst, seq, end, ack, message });
variants!(Message {
    0 ClientHello(hello), 1 ServerHello(hello), 2 Alert(alert), 3 Request(request), 4 Response(response),
    5 Http2Preface,
});
fields!(ClientHello { sni, alpn, early_data, tickets });
fields!(ServerHello { version, alpn, retry });
fields!(Alert { fatal, description });
fields!(Request { method, host });
fields!(Response { status, reason });
fields!(Dns { ts, scope, client, server, id, name, says });
variants!(DnsSays { 0 Query, 1 Answer(addresses) });

variants!(KernelEvent {
    0 Tracing(ts), 1 Connect(connect), 2 Close(close), 3 Lost(lost), 4 LastWords(ts), 5 LastWord(word),
    6 LastWordsLost(lost)
});
fields!(LastWord { ts, scope, local, peer, cookie, unread, info });
fields!(Connect { begin, end, scope, local, peer, process, here, bound, rung } 2 { connected });
fields!(Close { ts, scope, local, peer, process, rung });
fields!(LostEvents { ts, until, total });
variants!(Rung { 0 Trace, 1 Syn, 2 Scan });
fields!(Process { pid, start_time, comm, cmdline, user });
fields!(Owner { process, fd });

variants!(Covers { 0 States(states), 1 Sockets(sockets) });

impl Code for StateSet {
    fn put(&self, out: &mut Writer) {
        self.iter().collect::<Vec<_>>().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Vec::get(from).map(|states| Self::of(&states))
    }
}

variants!(TableSource { 0 Diag, 1 Proc });
variants!(TimerKind { 0 On, 1 Keepalive, 2 TimeWait, 3 Persist });
fields!(Limits {
    port_range,
    reserved_ports,
    somaxconn,
    tcp_max_syn_backlog,
    tcp_max_tw_buckets,
    tcp_syn_retries,
    tcp_syn_linear_timeouts,
    tcp_synack_retries,
    tcp_tw_reuse,
    tcp_tw_reuse_delay,
    tcp_timestamps,
    tcp_fin_timeout,
} 2 { tcp_retries2 } 3 { tcp_keepalive_time } 3 { tcp_keepalive_intvl } 3 { tcp_keepalive_probes } 3 { tcp_rto_max_ms });
variants!(TcpState {
    0 Listen, 1 SynSent, 2 SynRecv, 3 Estab, 4 FinWait1, 5 FinWait2, 6 CloseWait, 7 Closing, 8 LastAck, 9 TimeWait,
    10 Closed,
});

fields!(Loss { ts, kernel, interface, ours, frames });

/// The reasons in the order of [`Undecoded::ALL`]; of a later version's list as many as are known.
impl Code for FrameCounts {
    fn put(&self, out: &mut Writer) {
        [self.frames, self.segments, self.not_tcp, self.joined].iter().for_each(|count| count.put(out));
        Undecoded::ALL.map(|reason| self.undecoded(reason)).to_vec().put(out);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let [frames, segments, not_tcp, joined] = [u64::get(from)?, u64::get(from)?, u64::get(from)?, u64::get(from)?];
        let reasons: Vec<u64> = Vec::get(from)?;
        let mut counts = Self::default().with_undecoded(&reasons);
        (counts.frames, counts.segments, counts.not_tcp, counts.joined) = (frames, segments, not_tcp, joined);
        Some(counts)
    }
}
