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
pub(super) fn digest(datagram: &[u8]) -> u32 {
    match datagram.first_chunk::<HASHED>() {
        Some(bytes) => hash(words(bytes), HASHED) as u32,
        None => hash(padded(datagram), datagram.len()) as u32,
    }
}

#[inline(always)]
fn hash(mut words: [u64; WORDS], len: usize) -> u64 {
    let kept = if words[0] as u8 >> 4 == 4 { KEPT_V4 } else { KEPT_V6 };
    words[0] &= kept[0];
    words[1] &= kept[1];
    let mut sum = len as u64;
    for at in 0..WORDS / 2 {
        let [first, second] = [2 * at, 2 * at + 1];
        sum = sum.rotate_left(13) ^ folded(words[first] ^ KEYS[first], words[second] ^ KEYS[second]);
    }
    folded(sum ^ KEYS[0], KEYS[1])
}

#[inline(always)]
fn words(bytes: &[u8; HASHED]) -> [u64; WORDS] {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// The words of fewer bytes, filled up with zeros. Every acknowledgment alone is as short: word by word, since a copy of
/// all at once would have to be waited for before a word of it can be read.
#[inline(always)]
fn padded(datagram: &[u8]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    let (whole, rest) = datagram.as_chunks::<8>();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_le_bytes(*bytes);
    }
    if let (Some(word), Some(last)) = (words.get_mut(whole.len()), datagram.last_chunk())
        && !rest.is_empty()
    {
        *word = u64::from_le_bytes(*last) >> (64 - 8 * rest.len());
    } else {
        rest.iter().rev().for_each(|byte| words[0] = words[0] << 8 | u64::from(*byte));
    }
    words
}

/// Both halves of the product.
#[inline]
const fn folded(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
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

    /// The digests must stay what they are: recordings hold some.
    #[test]
    fn fewer_bytes_are_as_if_filled_up_with_zeros() {
        let datagram: Vec<u8> = (0x40..0x40 + HASHED as u8).collect();
        for len in 0..HASHED {
            let mut filled = datagram[..len].to_vec();
            filled.resize(HASHED, 0);
            assert_eq!(padded(&datagram[..len]), words(filled.first_chunk().unwrap()), "{len}");
        }
        assert_eq!(digest(&datagram[..52]), 0x4ecc_9a7b);
        assert_eq!(digest(&datagram), 0xc5b6_3cdc);
    }

    #[test]
    fn length_counts() {
        assert_ne!(digest(&[0x45; 40]), digest(&[0x45; 41]));
        assert_eq!(digest(&[]), digest(&[]));
    }
}
