//! Asks the processor for memory before anybody waits for it.
//!
//! A hint: nothing is read, nothing is changed, and who asks goes on at once. A load would do as well but for that: all
//! behind it waits until it has come.

#![allow(unsafe_code)]

use std::ops::Range;

/// A line of the processor's cache, bytes.
const LINE: usize = 64;

/// Has all of `place` brought near.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    prefetch_part(place, 0..size_of::<T>());
    // It need not begin with a line.
    if align_of::<T>() < LINE {
        prefetch_line(std::ptr::from_ref(place).wrapping_add(1).cast::<u8>().wrapping_sub(1));
    }
}

/// Has some bytes of `place`, which begins with a line, brought near, and the rest of their lines.
#[inline(always)]
pub fn prefetch_part<T>(place: &T, part: Range<usize>) {
    for at in part.step_by(LINE) {
        prefetch_line(std::ptr::from_ref(place).cast::<u8>().wrapping_add(at));
    }
}

/// The same of a row of bytes, wherever it begins.
#[inline]
pub fn prefetch_bytes(bytes: &[u8]) {
    bytes.chunks(LINE).for_each(|line| prefetch_line(line.as_ptr()));
    if let Some(last) = bytes.last() {
        prefetch_line(last);
    }
}

/// Has the line that an address is in brought near; of an address where nothing is, nothing comes of it.
#[inline(always)]
fn prefetch_line(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which does not fault whatever the address is (Intel SDM volume 2, PREFETCHh); every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint, which does not fault whatever the address is (Arm ARM, PRFM); it changes no register and no flag.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}
