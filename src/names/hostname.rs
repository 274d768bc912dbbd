//! Whether bytes are a hostname, so that what is shown as one is one. Read first: RFC 1123 §2.1, RFC 952.

use crate::base::Scrubbed;

/// Characters of a name, and of a label of it (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A hostname: letters, digits, hyphens and (as practice has it) underscores, in labels. A final dot is left out.
pub(super) fn hostname(bytes: &[u8]) -> Option<Scrubbed> {
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    let label = |label: &[u8]| {
        let fits = (1..=MAX_LABEL).contains(&label.len());
        fits && label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let valid = bytes.len() <= MAX_NAME && bytes.split(|byte| *byte == b'.').all(label);
    valid.then(|| Scrubbed::from_bytes(bytes))
}

/// A host header: a hostname or an address, and perhaps a port (RFC 9110 §7.2).
pub(super) fn host(bytes: &[u8]) -> Option<Scrubbed> {
    const PORT: usize = 6;
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~%!$&'()*+,;=:[]".contains(byte);
    let valid = (1..=MAX_NAME + PORT).contains(&bytes.len()) && bytes.iter().all(part);
    valid.then(|| Scrubbed::from_bytes(bytes))
}
