//! A steady load of TCP segments on the loopback of a namespace, far faster than a kernel's TCP would make them.
//!
//! May touch raw packets of the namespace that it runs in. They go to a station that is not there: nobody answers.

use std::time::{Duration, Instant};

use pcap::Capture;

const PAYLOAD: usize = 100;

/// Sends so many segments a second for so long, each of the next of `flows` connections; how many they were.
pub(crate) fn send(flows: u16, rate: u64, span: Duration) -> u64 {
    let open = Capture::from_device("lo").expect("lo").open();
    let mut out = open.expect("the right to send");
    let mut frames: Vec<Vec<u8>> = (0..flows).map(frame).collect();
    let (begun, mut sent) = (Instant::now(), 0_u64);
    while begun.elapsed() < span {
        let due = (begun.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000) as u64;
        while sent < due {
            let frame = &mut frames[(sent % u64::from(flows)) as usize];
            let seq = &mut frame[38..42];
            let next = u32::from_be_bytes([seq[0], seq[1], seq[2], seq[3]]).wrapping_add(PAYLOAD as u32);
            seq.copy_from_slice(&next.to_be_bytes());
            out.sendpacket(&frame[..]).expect("it is sent");
            sent += 1;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    sent
}

/// A segment with data.
fn frame(flow: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0];
    let total = (40 + PAYLOAD) as u16;
    frame.extend([0x45, 0, (total >> 8) as u8, total as u8, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7]);
    frame.extend((1024 + flow).to_be_bytes());
    frame.extend([0x1f, 0x90, 0, 0, 0, 0, 0, 0, 0, 1, 0x50, 0x10, 4, 0, 0, 0, 0, 0]);
    frame.extend([7; PAYLOAD]);
    frame
}
