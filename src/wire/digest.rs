//! A digest that is equal wherever the same datagram is seen: it leaves out what a hop changes.

/// How much of a datagram is hashed: the headers of IP and TCP, whose checksum stands for the payload, and options that
/// tell of time.
const HASHED: usize = 80;
const WORDS: usize = HASHED / 8;

/// What of a datagram's first two words is hashed: all but TTL and header checksum (IPv4), or hop limit (IPv6).
const KEPT_V4: [u64; 2] = [u64::MAX, u64::from_le_bytes([0, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff])];
const KEPT_V6: [u64; 2] = [u64::from_le_bytes([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), u64::MAX];

/// Digits of pi: a number for each word, so that words change places for nothing.
const KEYS: [u64; WORDS] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
];

/// Hashes a datagram's captured bytes, at most 80 of them, without TTL and header checksum (IPv4) or hop limit (IPv6).
#[inline]
pub(super) fn digest(datagram: &[u8]) -> u64 {
    match datagram.first_chunk() {
        Some(bytes) => hash(bytes, HASHED),
        None => hash(&padded(datagram), datagram.len()),
    }
}

/// In whole words, and without a copy: it is asked of every segment.
#[inline]
fn hash(bytes: &[u8; HASHED], len: usize) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    let kept = if bytes[0] >> 4 == 4 { KEPT_V4 } else { KEPT_V6 };
    let word = |at: usize| (u64::from_le_bytes(words[at]) & kept.get(at).unwrap_or(&u64::MAX)) ^ KEYS[at];
    let pair = |at: usize| folded(word(at), word(at + 1));
    let sum = (0..WORDS).step_by(2).fold(len as u64, |sum, at| sum.rotate_left(13) ^ pair(at));
    folded(sum ^ KEYS[0], KEYS[1])
}

/// Both halves of the product.
#[inline]
const fn folded(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
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
