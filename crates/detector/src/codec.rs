//! The bytes of a device's state: what snapshots and key frames hold.
//!
//! Integers are variable-length (LEB128, signed ones in zigzag), numbers are the bits of IEEE 754 in little-endian
//! order, so what is read back is bit for bit what was written.

use thiserror::Error;

/// Greater numbers are in no state: what is computed from smaller ones stays finite.
const GREATEST: f64 = 1e30;

/// Why bytes are no state.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// They were written by another version of this code.
    #[error("the state has format {0}, which this program does not know")]
    Version(u8),
    /// They end too early.
    #[error("the state ends too early")]
    Truncated,
    /// Something in them cannot be.
    #[error("the state says something impossible of its {0}")]
    Impossible(&'static str),
}

pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(crate) fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

pub(crate) fn put_f32(out: &mut Vec<u8>, value: f32) {
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Takes values off the front of bytes.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    bytes: &'a [u8],
}

impl<'a> Source<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn byte(&mut self) -> Result<u8, StateError> {
        let (first, rest) = self.bytes.split_first().ok_or(StateError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, StateError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(StateError::Impossible("numbers"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, StateError> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(crate) fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, StateError> {
        T::try_from(self.unsigned()?).map_err(|_| StateError::Impossible(what))
    }

    pub(crate) fn f64(&mut self) -> Result<f64, StateError> {
        Ok(f64::from_bits(u64::from_le_bytes(self.array()?)))
    }

    pub(crate) fn finite(&mut self, what: &'static str) -> Result<f64, StateError> {
        self.at_most(GREATEST, what)
    }

    /// A number of at most this size.
    pub(crate) fn at_most(&mut self, greatest: f64, what: &'static str) -> Result<f64, StateError> {
        let number = self.f64()?;
        if number.abs() <= greatest { Ok(number) } else { Err(StateError::Impossible(what)) }
    }

    /// A finite number that is not negative: an amount, a spread, a time that has passed.
    pub(crate) fn amount(&mut self, what: &'static str) -> Result<f64, StateError> {
        let number = self.finite(what)?;
        if number >= 0.0 { Ok(number) } else { Err(StateError::Impossible(what)) }
    }

    pub(crate) fn f32(&mut self) -> Result<f32, StateError> {
        Ok(f32::from_bits(u32::from_le_bytes(self.array()?)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or(StateError::Truncated)?;
        self.bytes = rest;
        Ok(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(unsigned in any::<u64>(), signed in any::<i64>(), number in prop::num::f64::ANY) {
            let mut bytes = Vec::new();
            put_unsigned(&mut bytes, unsigned);
            put_signed(&mut bytes, signed);
            put_f64(&mut bytes, number);
            let mut source = Source::new(&bytes);
            prop_assert_eq!(source.unsigned(), Ok(unsigned));
            prop_assert_eq!(source.signed(), Ok(signed));
            prop_assert_eq!(source.f64().map(f64::to_bits), Ok(number.to_bits()));
            prop_assert!(source.rest().is_empty());
        }
    }

    #[test]
    fn what_ends_early_or_never_is_refused() {
        assert_eq!(Source::new(&[0x80]).unsigned(), Err(StateError::Truncated));
        assert_eq!(Source::new(&[0xff; 11]).unsigned(), Err(StateError::Impossible("numbers")));
        assert_eq!(Source::new(&[1, 2, 3]).f64(), Err(StateError::Truncated));
        for impossible in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Source::new(&impossible.to_le_bytes()).amount("interval").is_err());
        }
    }
}
