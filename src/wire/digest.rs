//! A digest that is equal wherever the same datagram is seen: it leaves out what a hop changes.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

/// How much of a datagram is hashed: the headers of IP and TCP, whose checksum stands for the payload, and options that
/// tell of time.
const HASHED: usize = 80;

/// Hashes a datagram's captured bytes, at most 80 of them, without TTL and header checksum (IPv4) or hop limit (IPv6).
#[inline]
pub(super) fn digest(datagram: &[u8]) -> u64 {
    let len = datagram.len().min(HASHED);
    let mut bytes = datagram.first_chunk::<HASHED>().copied().unwrap_or_else(|| padded(datagram));
    if bytes[0] >> 4 == 4 {
        bytes[8] = 0;
        bytes[10..12].fill(0);
    } else {
        bytes[7] = 0;
    }
    let mut hasher = FixedState::with_seed(len as u64).build_hasher();
    hasher.write(&bytes);
    hasher.finish()
}

#[cold]
fn padded(datagram: &[u8]) -> [u8; HASHED] {
    let mut bytes = [0; HASHED];
    bytes[..datagram.len()].copy_from_slice(datagram);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(datagram: &[u8], at: usize) -> bool {
        let mut other = datagram.to_vec();
        other[at] ^= 1;
        digest(datagram) != digest(&other)
    }

    #[test]
    fn what_a_hop_changes_is_left_out() {
        let mut v4 = vec![0; 200];
        v4[0] = 0x45;
        let mut v6 = vec![0; 200];
        v6[0] = 0x60;
        let unseen_v4: Vec<_> = (1..200).filter(|at| !changed(&v4, *at)).collect();
        let unseen_v6: Vec<_> = (1..200).filter(|at| !changed(&v6, *at)).collect();
        assert_eq!(unseen_v4, [8, 10, 11].into_iter().chain(HASHED..200).collect::<Vec<_>>());
        assert_eq!(unseen_v6, [7].into_iter().chain(HASHED..200).collect::<Vec<_>>());
    }

    #[test]
    fn length_counts() {
        assert_ne!(digest(&[0x45; 40]), digest(&[0x45; 41]));
        assert_eq!(digest(&[]), digest(&[]));
    }
}
