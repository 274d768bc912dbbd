//! The sock_diag protocol's payloads: the request for a dump, and each row of its answer.
//!
//! May touch `base`; framing and the socket are `io::netlink`'s. Read first: sock_diag(7), linux/inet_diag.h,
//! net/ipv4/inet_diag.c (inet_sk_diag_fill, inet_twsk_diag_fill, inet_req_diag_fill).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::bytes::{array, be16_at, u8_at, u16_at, u32_at, u64_at};
use super::event::LastWord;
use super::sample::{Congestion, Memory, Reported, Socket, Timer, TimerKind};
use super::tcp_info;
use crate::base::{Endpoint, Scope, StateSet, TcpState, Timestamp};

/// `SOCK_DIAG_BY_FAMILY`: the netlink message type of both the request and the rows.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `TCPDIAG_GETSOCK`: the message type of the older request and its rows.
pub const TCPDIAG_GETSOCK: u16 = 18;
/// Bytes of `struct inet_diag_req_v2`.
const REQUEST_LEN: usize = 56;
/// Bytes of the older `struct inet_diag_req`.
const OLD_REQUEST_LEN: usize = 60;
/// Bytes of `struct inet_diag_msg`; attributes follow.
const ROW_LEN: usize = 72;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;

const EXT_INFO: u16 = 2;
const EXT_CONG: u16 = 4;
const EXT_SKMEMINFO: u16 = 7;
/// Given unasked, on kernels from 5.9.
const ATTR_CGROUP_ID: u16 = 21;
/// What is asked of each socket.
const EXTENSIONS: u8 = 1 << (EXT_INFO - 1) | 1 << (EXT_CONG - 1) | 1 << (EXT_SKMEMINFO - 1);

/// Which sockets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Those of both families, which only the older request asks for.
    Both,
    V4,
    /// Also holds the IPv4 connections of IPv6 sockets, as IPv4-mapped addresses.
    V6,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Both => "all",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The type and payload of the message that asks for every TCP socket of `family` in one of `states`, with TCP_INFO,
/// SKMEMINFO and congestion control; the rows come under the same type. Whatever is asked for but LISTEN alone, the
/// kernel walks its whole table: to ask for both families at once saves a walk, which is a fifth of a reading of
/// 100,000 sockets.
pub fn request(family: Family, states: StateSet) -> (u16, Vec<u8>) {
    let states = mask(states).to_ne_bytes();
    let family = match family {
        Family::Both => {
            let mut bytes = vec![0; OLD_REQUEST_LEN];
            // The kernel passes over it (inet_diag_dump_compat).
            bytes[0] = AF_INET;
            bytes[3] = EXTENSIONS;
            bytes[52..56].copy_from_slice(&states);
            return (TCPDIAG_GETSOCK, bytes);
        }
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    };
    let mut bytes = vec![0; REQUEST_LEN];
    bytes[..3].copy_from_slice(&[family, IPPROTO_TCP, EXTENSIONS]);
    bytes[4..8].copy_from_slice(&states);
    (SOCK_DIAG_BY_FAMILY, bytes)
}

/// The `inet_diag_req_v2` that asks for one socket by its ends. Where there is none, the listener that would take a
/// connection to `local` answers: hold the answer's ends against these.
pub fn request_one(local: Endpoint, peer: Endpoint) -> [u8; REQUEST_LEN] {
    let mut bytes = [0; REQUEST_LEN];
    bytes[1] = IPPROTO_TCP;
    bytes[2] = EXTENSIONS;
    bytes[4..8].copy_from_slice(&mask(StateSet::ALL).to_ne_bytes());
    bytes[8..10].copy_from_slice(&local.port().to_be_bytes());
    bytes[10..12].copy_from_slice(&peer.port().to_be_bytes());
    for (at, ip) in [(12, local.ip()), (28, peer.ip())] {
        match ip {
            IpAddr::V4(ip) => {
                bytes[0] = AF_INET;
                bytes[at..at + 4].copy_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                bytes[0] = AF_INET6;
                bytes[at..at + 16].copy_from_slice(&ip.octets());
            }
        }
    }
    // No cookie is asked for (INET_DIAG_NOCOOKIE).
    bytes[48..56].fill(0xFF);
    bytes
}

/// Decodes one row: a `struct inet_diag_msg` and its attributes. `None` if it is cut short, or of a family or state
/// that this program does not know: such a row is to be counted, never guessed at.
pub fn socket(payload: &[u8]) -> Option<Socket> {
    let row = payload.get(..ROW_LEN)?;
    let family = u8_at(row, 0)?;
    let state = state(u8_at(row, 1)?)?;
    let timer = timer(u8_at(row, 2)?, u8_at(row, 3)?, u32_at(row, 52)?);
    let inode = u32_at(row, 68).filter(|&inode| inode != 0).map(u64::from);
    let mut socket = Socket {
        local: Endpoint::new(address(family, row, 8)?, be16_at(row, 4)?),
        peer: Endpoint::new(address(family, row, 24)?, be16_at(row, 6)?),
        state: Reported(state),
        recv_q: u32_at(row, 56)?,
        send_q: u32_at(row, 60),
        timer,
        uid: owner_uid(u32_at(row, 64)?, inode),
        inode,
        cookie: Some(u64::from(u32_at(row, 44)?) | u64::from(u32_at(row, 48)?) << 32),
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    };
    for (kind, value) in Attributes(&payload[ROW_LEN..]) {
        match kind {
            // A listener's TCP_INFO reuses the fields of a connection for its accept queue (tcp_get_info).
            EXT_INFO if state != TcpState::Listen => socket.info = Some(Box::new(tcp_info::decode(value))),
            EXT_SKMEMINFO => {
                socket.buffers = u32_at(value, 4).zip(u32_at(value, 12));
                socket.drops = u32_at(value, 32);
                socket.memory = memory(value);
            }
            EXT_CONG if state != TcpState::Listen => socket.congestion = Congestion::from_bytes(value),
            ATTR_CGROUP_ID => socket.cgroup = u64_at(value, 0).filter(|id| *id != 0),
            _ => {}
        }
    }
    Some(socket)
}

/// `SK_MEMINFO_*` (linux/sock_diag.h), where the kernel gives all of these.
fn memory(value: &[u8]) -> Option<Memory> {
    Some(Memory {
        recv: u32_at(value, 0)?,
        sent: u32_at(value, 8)?,
        ahead: u32_at(value, 16)?,
        queued: u32_at(value, 20)?,
        backlog: u32_at(value, 28)?,
    })
}

/// Decodes a destroy notification: the same row, and what TCP_INFO was at the end. `None` if it is cut short, of an
/// unknown family, or of a socket that was never connected.
pub fn last_word(payload: &[u8], ts: Timestamp, scope: Scope) -> Option<LastWord> {
    let Socket { local, peer, cookie, recv_q, info, .. } = socket(payload)?;
    (peer.port() != 0).then_some(LastWord { ts, scope, local, peer, cookie, unread: recv_q, info: info? })
}

/// The kernel's number of a state (net/tcp_states.h); `None` for one that is not known.
pub(super) fn state(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Estab,
        2 => TcpState::SynSent,
        // NEW_SYN_RECV is the half-open socket's own number; to users both are SYN-RECV.
        3 | 12 => TcpState::SynRecv,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        // 13 is BOUND_INACTIVE, which today's kernels report as 7.
        7 | 13 => TcpState::Closed,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

/// `idiag_states`: a bit for each number that stands for one of `states`. Bit 13 asks for sockets that are bound and
/// nothing more (kernels from 6.6).
fn mask(states: StateSet) -> u32 {
    (1..=13).filter(|&number| state(number).is_some_and(|state| states.has(state))).fold(0, |bits, n| bits | 1 << n)
}

/// A pending timer from its number, the retries and what is left in ms; 0 is no timer.
fn timer(number: u8, retries: u8, left_ms: u32) -> Option<Timer> {
    Some(Timer { kind: timer_kind(number)?, left: Duration::from_millis(left_ms.into()), retries })
}

/// `idiag_timer`, which is also column `tr` of /proc/net/tcp.
pub(super) fn timer_kind(number: u8) -> Option<TimerKind> {
    Some(match number {
        1 => TimerKind::On,
        2 => TimerKind::Keepalive,
        3 => TimerKind::TimeWait,
        4 => TimerKind::Persist,
        _ => return None,
    })
}

/// The uid that a row tells; `None` where its 0 means nothing, which is wherever there is no inode: in TIME-WAIT (and
/// FIN-WAIT-2 kept in a time-wait bucket) there is none, sock_diag tells none of SYN-RECV (/proc its listener's), and
/// kernels before 6.17 tell none of any socket that no process holds.
pub(super) fn owner_uid(uid: u32, inode: Option<u64>) -> Option<u32> {
    (uid != 0 || inode.is_some()).then_some(uid)
}

fn address(family: u8, row: &[u8], offset: usize) -> Option<IpAddr> {
    match family {
        AF_INET => array::<4>(row, offset).map(|octets| Ipv4Addr::from(octets).into()),
        AF_INET6 => array::<16>(row, offset).map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// Netlink attributes (netlink(7): a u16 length with its header, a u16 type, the value, padded to 4 bytes). Ends at the
/// first one that contradicts itself.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const TYPE_MASK: u16 = 0x3fff;
        let len = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let value = self.0.get(4..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A row 10.0.0.1:5000 → 10.0.0.2:80 in ESTAB with cookie 0x1_0000_0007, uid 1000, inode 4711.
    fn row(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let mut bytes = vec![0; ROW_LEN];
        bytes[..4].copy_from_slice(&[AF_INET, 1, 0, 0]);
        bytes[4..8].copy_from_slice(&[0x13, 0x88, 0, 80]);
        bytes[8..12].copy_from_slice(&[10, 0, 0, 1]);
        bytes[24..28].copy_from_slice(&[10, 0, 0, 2]);
        for (offset, value) in [(44, 7_u32), (48, 1), (56, 300), (60, 42), (64, 1000), (68, 4711)] {
            bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        }
        change(&mut bytes);
        bytes
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_row_decodes_field_by_field() {
        let got = socket(&row(|_| {})).unwrap();
        assert_eq!((got.local.to_string(), got.peer.to_string()), ("10.0.0.1:5000".into(), "10.0.0.2:80".into()));
        assert_eq!((got.state.0, got.recv_q, got.send_q), (TcpState::Estab, 300, Some(42)));
        assert_eq!((got.uid, got.inode, got.cookie), (Some(1000), Some(4711), Some(0x1_0000_0007)));
        assert_eq!((got.timer, got.buffers, got.info), (None, None, None));
    }

    #[test]
    fn every_state_number_has_its_state_and_no_other_has_one() {
        let known = (0..=255).filter_map(state).count();
        assert_eq!(known, 13);
        assert_eq!((state(3), state(12)), (Some(TcpState::SynRecv), Some(TcpState::SynRecv)));
        assert_eq!(
            (state(7), state(10), state(11)),
            (Some(TcpState::Closed), Some(TcpState::Listen), Some(TcpState::Closing))
        );
        assert_eq!((state(0), state(14)), (None, None));
    }

    #[test]
    fn timers_by_number() {
        let timer = |number: u8| {
            let bytes = row(|row| {
                row[2] = number;
                row[3] = 4;
                row[52..56].copy_from_slice(&1500_u32.to_ne_bytes());
            });
            socket(&bytes).unwrap().timer
        };
        assert_eq!(timer(1), Some(Timer { kind: TimerKind::On, left: Duration::from_millis(1500), retries: 4 }));
        assert_eq!(timer(2).unwrap().kind, TimerKind::Keepalive);
        assert_eq!(timer(4).unwrap().kind, TimerKind::Persist);
        assert_eq!((timer(0), timer(5)), (None, None));
    }

    #[test]
    fn a_uid_that_means_nothing_is_absent() {
        let uid = |state: u8, timer: u8, uid: u32, inode: u32| {
            let bytes = row(|row| {
                row[1] = state;
                row[2] = timer;
                row[64..68].copy_from_slice(&uid.to_ne_bytes());
                row[68..72].copy_from_slice(&inode.to_ne_bytes());
            });
            let got = socket(&bytes).unwrap();
            (got.uid, got.inode)
        };
        assert_eq!(uid(1, 0, 0, 9), (Some(0), Some(9)), "root's own socket");
        assert_eq!(uid(6, 3, 0, 0), (None, None), "TIME-WAIT");
        assert_eq!(uid(5, 3, 0, 0), (None, None), "FIN-WAIT-2 in a time-wait bucket");
        assert_eq!(uid(3, 1, 0, 0), (None, None), "SYN-RECV");
        assert_eq!(uid(1, 0, 0, 0), (None, None), "not accepted, on a kernel that does not tell");
        assert_eq!(uid(1, 0, 33, 0), (Some(33), None), "not accepted, on one that does");
    }

    #[test]
    fn attributes_are_read_and_a_listeners_info_is_not() {
        let memory: Vec<u8> =
            [1_u32, 131_072, 3, 16_384, 5, 6, 7, 8, 9].iter().flat_map(|value| value.to_ne_bytes()).collect();
        let tail = [attribute(8, &[3]), attribute(EXT_SKMEMINFO, &memory), attribute(EXT_INFO, &[1; 104])].concat();
        let told = [tail.clone(), attribute(EXT_CONG, b"cu\x1bbic\0"), attribute(21, &4321_u64.to_ne_bytes())].concat();
        let estab = socket(&[row(|_| {}), told].concat()).unwrap();
        assert_eq!((estab.congestion.unwrap().as_str(), estab.cgroup), ("cu?bic", Some(4321)));
        let memory = Memory { recv: 1, sent: 3, ahead: 5, queued: 6, backlog: 8 };
        assert_eq!(estab.memory, Some(memory));
        assert_eq!((estab.buffers, estab.drops), (Some((131_072, 16_384)), Some(9)));
        assert_eq!(estab.info.unwrap().total_retrans, Some(0x0101_0101));
        let listen = socket(&[row(|row| row[1] = 10), tail].concat()).unwrap();
        assert!(listen.info.is_none() && listen.buffers.is_some());
    }

    #[test]
    fn drops_that_an_old_kernel_does_not_tell_are_not_0() {
        let memory: Vec<u8> = [1_u32, 2, 3, 4, 5, 6, 7, 8].iter().flat_map(|value| value.to_ne_bytes()).collect();
        let got = socket(&[row(|_| {}), attribute(EXT_SKMEMINFO, &memory)].concat()).unwrap();
        assert_eq!((got.buffers, got.drops), (Some((2, 4)), None));
        assert_eq!(got.memory.map(|memory| memory.backlog), Some(8));
    }

    #[test]
    fn a_lying_attribute_ends_the_list_and_keeps_the_row() {
        for tail in [vec![3, 0, 2, 0], vec![255, 255, 2, 0, 1], vec![8, 0], attribute(EXT_SKMEMINFO, &[0; 15])] {
            let got = socket(&[row(|_| {}), tail].concat()).unwrap();
            assert_eq!((got.inode, got.buffers), (Some(4711), None));
        }
    }

    #[test]
    fn a_last_word_has_its_counts_and_a_listener_has_none() {
        let closed = |row: &mut [u8]| row[1] = 7;
        let info = attribute(EXT_INFO, &[1; 104]);
        let word = |payload: &[u8]| last_word(payload, Timestamp::from_nanos(9), Scope(3));
        let got = word(&[row(closed), info.clone()].concat()).unwrap();
        assert_eq!((got.ts.nanos(), got.scope, got.local.port(), got.peer.port()), (9, Scope(3), 5000, 80));
        assert_eq!((got.cookie, got.unread, got.info.total_retrans), (Some(0x1_0000_0007), 300, Some(0x0101_0101)));
        assert_eq!(word(&row(closed)), None, "no counts");
        let unconnected = |row: &mut [u8]| row[6..8].fill(0);
        assert_eq!(word(&[row(unconnected), info].concat()), None);
    }

    #[test]
    fn ipv6_and_mapped_addresses() {
        let v6 = |octets: [u8; 16]| {
            let bytes = row(|row| {
                row[0] = AF_INET6;
                row[8..24].copy_from_slice(&octets);
                row[24..40].copy_from_slice(&octets);
            });
            socket(&bytes).unwrap().local.to_string()
        };
        assert_eq!(v6("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets()), "[2001:db8::1]:5000");
        assert_eq!(v6("::ffff:192.0.2.1".parse::<Ipv6Addr>().unwrap().octets()), "192.0.2.1:5000");
        assert_eq!(v6([0; 16]), "[::]:5000");
    }

    #[test]
    fn what_is_cut_or_unknown_is_no_socket() {
        assert_eq!(socket(&row(|_| {})[..71]), None);
        assert_eq!(socket(&row(|row| row[0] = 1)), None);
        assert_eq!(socket(&row(|row| row[1] = 0)), None);
    }

    #[test]
    fn the_request_asks_for_everything() {
        let (kind, bytes) = request(Family::V6, StateSet::ALL);
        assert_eq!((kind, &bytes[..4]), (20, &[10, 6, 0b0100_1010, 0][..]));
        assert_eq!(u32_at(&bytes, 4), Some(0x3ffe));
        assert_eq!(request(Family::V4, StateSet::ALL).1[0], 2);
        let (kind, bytes) = request(Family::Both, StateSet::ALL);
        assert_eq!((kind, &bytes[..4], u32_at(&bytes, 52)), (18, &[2, 0, 0, 0b0100_1010][..], Some(0x3ffe)));
        let of = |states: &[TcpState]| u32_at(&request(Family::V4, StateSet::of(states)).1, 4);
        assert_eq!(of(&[TcpState::Listen]), Some(1 << 10));
        assert_eq!(of(&[TcpState::TimeWait, TcpState::SynRecv]), Some(1 << 6 | 1 << 3 | 1 << 12));
        assert_eq!(of(&[TcpState::Closed]), Some(1 << 7 | 1 << 13));
    }

    proptest! {
        #[test]
        fn any_bytes_decode(mut bytes in prop::collection::vec(any::<u8>(), 0..300), family in 0_usize..3) {
            if let (Some(first), Some(known)) = (bytes.first_mut(), [AF_INET, AF_INET6].get(family)) {
                *first = *known;
            }
            prop_assert!(socket(&bytes).is_none() || bytes.len() >= ROW_LEN);
        }
    }
}
