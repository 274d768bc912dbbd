//! /proc/net/tcp and tcp6, row by row: a bad row is counted, and the rows around it are kept.
//!
//! May touch `base`. Read first: proc(5), net/ipv4/tcp_ipv4.c (get_tcp4_sock, get_openreq4, get_timewait4_sock).

use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::diag::{owner_uid, state, timer_kind};
use super::sample::{Reported, Socket, Timer, TimerKind};
use crate::base::{Endpoint, TcpState};

/// Ticks a second of the times that /proc prints (`USER_HZ`, part of Linux's ABI; not the kernel's own HZ).
const USER_HZ: u64 = 100;

/// The rows of both files.
#[derive(Debug, Default)]
pub struct ProcTable {
    sockets: Vec<Socket>,
    places: FxHashMap<(Endpoint, Endpoint, u64), usize>,
    bad_rows: u32,
    duplicates: u32,
}

impl ProcTable {
    /// Takes in the text of /proc/net/tcp or /proc/net/tcp6.
    pub fn add(&mut self, text: &str) {
        for line in text.lines().filter(|line| !is_heading(line)) {
            match row(line) {
                Some(socket) => self.insert(socket),
                None => self.bad_rows = self.bad_rows.saturating_add(1),
            }
        }
    }

    /// Rows that could not be read.
    pub fn bad_rows(&self) -> u32 {
        self.bad_rows
    }

    /// Rows that repeated a socket already read: the file is not read in one moment, and sockets move in it.
    pub fn duplicates(&self) -> u32 {
        self.duplicates
    }

    /// The sockets, in the order of the files.
    pub fn into_sockets(self) -> Vec<Socket> {
        self.sockets
    }

    /// Keeps the later of two rows of one socket. Several listeners may share a port (SO_REUSEPORT): their inodes
    /// tell them apart.
    fn insert(&mut self, socket: Socket) {
        let listener = if socket.state.0 == TcpState::Listen { socket.inode.unwrap_or(0) } else { 0 };
        match self.places.entry((socket.local, socket.peer, listener)) {
            Entry::Occupied(place) => {
                self.duplicates = self.duplicates.saturating_add(1);
                self.sockets[*place.get()] = socket;
            }
            Entry::Vacant(place) => {
                place.insert(self.sockets.len());
                self.sockets.push(socket);
            }
        }
    }
}

fn is_heading(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with("sl ")
}

/// One row: `sl local rem st tx:rx tr:when retrnsmt uid timeout inode …`.
fn row(line: &str) -> Option<Socket> {
    let mut words = line.split_ascii_whitespace();
    words.next()?.strip_suffix(':')?;
    let local = endpoint(words.next()?)?;
    let peer = endpoint(words.next()?)?;
    let state = state(hex8(words.next()?)?)?;
    let (tx, rx) = words.next()?.split_once(':')?;
    let (timer_number, when) = words.next()?.split_once(':')?;
    let retransmits = hex32(words.next()?)?;
    let uid = words.next()?.parse().ok()?;
    let probes: u32 = words.next()?.parse().ok()?;
    let inode = words.next()?.parse().ok().map(|inode: u64| (inode != 0).then_some(inode))?;

    let timer = timer(hex8(timer_number)?, u64::from_str_radix(when, 16).ok()?, retransmits, probes);
    let send_q = hex32(tx)?;
    Some(Socket {
        local,
        peer,
        state: Reported(state),
        recv_q: hex32(rx)?,
        // A listener's limit is not in this file; the 0 that stands there is not it.
        send_q: (state != TcpState::Listen).then_some(send_q),
        timer,
        uid: owner_uid(uid, inode),
        inode,
        cookie: None,
        buffers: None,
        drops: None,
        memory: None,
        congestion: None,
        cgroup: None,
        info: None,
    })
}

fn timer(number: u8, ticks: u64, retransmits: u32, probes: u32) -> Option<Timer> {
    let kind = timer_kind(number)?;
    let retries = match kind {
        TimerKind::On | TimerKind::TimeWait => retransmits,
        TimerKind::Keepalive | TimerKind::Persist => probes,
    };
    let left = Duration::from_millis(ticks.saturating_mul(1000 / USER_HZ));
    Some(Timer { kind, left, retries: u8::try_from(retries).unwrap_or(u8::MAX) })
}

/// `0100007F:0016`: the address as 32-bit words in host byte order, the port as a number.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok().filter(|_| port.len() == 4)?;
    let word = |index: usize| {
        let digits = address.get(index * 8..index * 8 + 8)?;
        hex32(digits).map(u32::to_ne_bytes)
    };
    let ip: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut octets = [0; 16];
            for index in 0..4 {
                octets[index * 4..index * 4 + 4].copy_from_slice(&word(index)?);
            }
            Ipv6Addr::from(octets).into()
        }
        _ => return None,
    };
    Some(Endpoint::new(ip, port))
}

fn hex32(text: &str) -> Option<u32> {
    // from_str_radix would take a sign too.
    let is_hex = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(text, 16).ok().filter(|_| is_hex)
}

fn hex8(text: &str) -> Option<u8> {
    hex32(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADING: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn read(rows: &[&str]) -> ProcTable {
        let mut table = ProcTable::default();
        table.add(&format!("{HEADING}{}\n", rows.join("\n")));
        table
    }

    fn only(row: &str) -> Socket {
        let table = read(&[row]);
        assert_eq!((table.bad_rows(), table.sockets.len()), (0, 1), "{row}");
        table.into_sockets().remove(0)
    }

    // Rows as a little-endian kernel prints them.
    #[cfg(target_endian = "little")]
    #[test]
    fn rows_decode_field_by_field() {
        let estab = only(
            "   1: 0100007F:1F90 0200000A:C350 01 00000A00:00000010 01:00000014 00000002  1000        0 31337 4 0000000000000000 20 4 30 10 -1",
        );
        assert_eq!(
            (estab.local.to_string(), estab.peer.to_string()),
            ("127.0.0.1:8080".into(), "10.0.0.2:50000".into())
        );
        assert_eq!((estab.state.0, estab.recv_q, estab.send_q), (TcpState::Estab, 16, Some(2560)));
        assert_eq!(estab.timer, Some(Timer { kind: TimerKind::On, left: Duration::from_millis(200), retries: 2 }));
        assert_eq!((estab.uid, estab.inode, estab.cookie), (Some(1000), Some(31337), None));
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn ipv6_and_mapped_addresses() {
        let v6 = only(
            "   0: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0",
        );
        assert_eq!((v6.local.to_string(), v6.peer.to_string()), ("[2001:db8::1]:443".into(), "[::]:0".into()));
        assert_eq!((v6.state.0, v6.recv_q, v6.send_q), (TcpState::Listen, 3, None));
        let mapped = only(
            "   0: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:C000 06 00000000:00000000 03:0000176F 00000000     0        0 0 3 0000000000000000",
        );
        assert_eq!(mapped.local.to_string(), "127.0.0.1:80");
        assert_eq!((mapped.uid, mapped.inode), (None, None));
        let timer = Timer { kind: TimerKind::TimeWait, left: Duration::from_millis(59_990), retries: 0 };
        assert_eq!(mapped.timer, Some(timer));
    }

    #[test]
    fn probes_count_for_the_timers_that_probe() {
        let row = |number| {
            only(&format!(
                "   1: 0100007F:1F90 0100007F:C350 01 00000A00:00000000 0{number}:00000014 00000002  0        5 31337 4"
            ))
        };
        assert_eq!(row(1).timer.unwrap().retries, 2);
        assert_eq!(row(2).timer.unwrap().retries, 5);
        assert_eq!(row(4).timer.unwrap().retries, 5);
        assert_eq!(row(0).timer, None);
    }

    #[test]
    fn the_uid_of_a_half_open_socket_is_its_listeners() {
        let row = |uid: u32| {
            only(&format!(
                "   1: 0100007F:1F90 0100007F:C350 03 00000000:00000000 01:00000014 00000000  {uid}        0 0 1"
            ))
        };
        assert_eq!([33, 0].map(|uid| row(uid).uid), [Some(33), None]);
    }

    #[test]
    fn a_bad_row_is_counted_and_costs_no_other() {
        let good = "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0        0 31337 4";
        let table = read(&[
            good,
            "   2: 0100007F:1F90 0100007F:C351 01 00000000:00000000 00:00000000 00000000  0        0",
            "   3: 0100007F:1F90 0100007F:C352 63 00000000:00000000 00:00000000 00000000  0        0 1",
            "   4: 0100007:1F90 0100007F:C353 01 00000000:00000000 00:00000000 00000000  0        0 1",
            "   5: 0100007F:11F90 0100007F:C354 01 00000000:00000000 00:00000000 00000000  0        0 1",
            "   6: +100007F:1F90 0100007F:C354 01 00000000:00000000 00:00000000 00000000  0        0 1",
            "no row at all",
            &good.replace("C350", "C360"),
        ]);
        assert_eq!((table.bad_rows(), table.sockets.len(), table.duplicates()), (6, 2, 0));
    }

    #[test]
    fn the_later_row_of_a_socket_stands_and_listeners_on_one_port_are_several() {
        let row = |state: &str, inode: u32| {
            let peer = if state == "0A" { "00000000:0000" } else { "0100007F:C350" };
            format!("   1: 0100007F:1F90 {peer} {state} 00000000:00000000 00:00000000 00000000  0        0 {inode} 4")
        };
        let table = read(&[&row("01", 5), &row("0A", 7), &row("0A", 8), &row("0A", 7), &row("06", 0)]);
        assert_eq!((table.duplicates(), table.bad_rows()), (2, 0));
        let states: Vec<_> = table.into_sockets().iter().map(|socket| (socket.state.0, socket.inode)).collect();
        let listeners = [(TcpState::Listen, Some(7)), (TcpState::Listen, Some(8))];
        assert_eq!(states, [&[(TcpState::TimeWait, None)][..], &listeners[..]].concat());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}") {
            ProcTable::default().add(&text);
        }

        #[test]
        fn any_row_like_text_is_read(fields in prop::collection::vec("[0-9A-Fé:-]{0,34}", 0..14)) {
            let line = format!("0: {}", fields.join(" "));
            let mut table = ProcTable::default();
            table.add(&line);
            prop_assert_eq!(table.bad_rows() as usize + table.sockets.len(), 1);
        }
    }
}
