//! A series that benchmarks share.

use detector::Reading;

/// Milliseconds between readings.
const INTERVAL_MS: i64 = 300_000;
/// Readings of a month.
pub(crate) const N_HISTORY: usize = 8640;

/// Readings of a device with days, noise and the steps of a sensor, from a generator of fixed seed.
pub(crate) fn readings(n: usize) -> Vec<Reading> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u16::try_from(state >> 48).expect("16 bits")) / 32_768.0 - 1.0
    };
    let reading = |n: usize| {
        let at_ms = 1_767_225_600_000 + INTERVAL_MS * i64::try_from(n).expect("few readings");
        let day = f64::from(u32::try_from(n % 288).expect("below 288")) / 288.0;
        let celsius = 19.0 + 16.0 * day * (1.0 - day) + 0.3 * noise();
        Reading::new(at_ms, (celsius * 20.0).round() / 20.0).expect("a temperature")
    };
    (0..n).map(reading).collect()
}
