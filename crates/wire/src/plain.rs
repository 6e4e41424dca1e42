//! How far a JSON string goes on as it is.
//!
//! Enters: a text and a place in it. Leaves: the place of the next *mark*: a quote, a backslash or a control character,
//! which alone are special in a JSON string. It refuses to know what the mark means.
//!
//! Strings in envelopes and readings are short. So sixteen bytes are looked at together, in the caller's own code: a
//! search that is made for long texts costs more to call than it saves.

use wide::u8x16;

const BLOCK_BYTES: usize = 16;
const QUOTES: u8x16 = u8x16::new([b'"'; BLOCK_BYTES]);
const BACKSLASHES: u8x16 = u8x16::new([b'\\'; BLOCK_BYTES]);
const LAST_CONTROLS: u8x16 = u8x16::new([0x1f; BLOCK_BYTES]);

/// The place of the next mark at or after `from`; `None` when there is none.
#[inline]
pub(crate) fn find_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if let Some(n_before) = first_mark(*block) {
            return Some(at + n_before);
        }
        at += BLOCK_BYTES;
    }
    let rest = bytes.get(at..)?;
    Some(at + rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'))?)
}

/// As [`find_mark`], and appends what lies before the mark.
#[inline]
pub(crate) fn copy_to_mark(bytes: &[u8], from: usize, out: &mut Vec<u8>) -> Option<usize> {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        // A whole block is cheaper to append than a part of one.
        out.extend_from_slice(block);
        if let Some(n_before) = first_mark(*block) {
            out.truncate(out.len() - BLOCK_BYTES + n_before);
            return Some(at + n_before);
        }
        at += BLOCK_BYTES;
    }
    let mark = find_mark(bytes, at)?;
    out.extend_from_slice(&bytes[at..mark]);
    Some(mark)
}

/// How many bytes of the block come before its first mark.
#[inline]
fn first_mark(block: [u8; BLOCK_BYTES]) -> Option<usize> {
    let block = u8x16::new(block);
    let controls = block.min(LAST_CONTROLS).simd_eq(block);
    let marks = (block.simd_eq(QUOTES) | block.simd_eq(BACKSLASHES) | controls).to_bitmask();
    if marks == 0 { None } else { Some(marks.trailing_zeros() as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(bytes: &[u8], from: usize) -> Option<usize> {
        (from..bytes.len()).find(|at| bytes[*at] < 0x20 || bytes[*at] == b'"' || bytes[*at] == b'\\')
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..40 {
                let mut bytes = [b'a'; 40];
                bytes[place] = byte;
                assert_eq!(find_mark(&bytes, 0), slow(&bytes, 0), "{byte} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn finds_and_copies_what_a_slow_search_does(
            bytes in prop::collection::vec(prop_oneof![20 => b'a'..=b'z', 1 => any::<u8>(), 1 => Just(b'"')], 0..70),
            from in 0_usize..75,
        ) {
            let expected = slow(&bytes, from);
            prop_assert_eq!(find_mark(&bytes, from), expected);
            let mut out = b"before".to_vec();
            prop_assert_eq!(copy_to_mark(&bytes, from, &mut out), expected);
            if let Some(mark) = expected {
                prop_assert_eq!(&out[6..], &bytes[from..mark]);
            }
        }
    }
}
