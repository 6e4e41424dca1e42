//! What people see: a progress bar, warnings, and the counts at the end.
//!
//! All goes to stderr, so that stdout stays clean; without a terminal only warnings and counts remain.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Refused messages that are named; the rest is only counted.
const NAMED_REFUSALS: u64 = 5;

/// Counts and the progress bar of one run.
pub(crate) struct Report {
    bar: ProgressBar,
    began: Instant,
    sent: AtomicU64,
    failed: AtomicU64,
    refusals: AtomicU64,
    outage: AtomicBool,
}

impl Report {
    /// A report with nothing in it.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % ({eta} left)");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let zero = || AtomicU64::new(0);
        let outage = AtomicBool::new(false);
        Self { bar, began: Instant::now(), sent: zero(), failed: zero(), refusals: zero(), outage }
    }

    /// Shows a bar, on a terminal, for a long piece of work.
    pub(crate) fn begin(&self, what: &str) {
        self.bar.reset();
        self.bar.set_message(what.to_owned());
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
    }

    /// Moves the bar.
    pub(crate) fn progress(&self, (done, total): (u64, u64)) {
        self.bar.set_length(total.max(1));
        self.bar.set_position(done);
    }

    /// Hides the bar and says what was reached.
    pub(crate) fn reached(&self, what: &str) {
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
        self.say(what);
    }

    /// Says something above the bar.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("simulator: {text}"));
    }

    /// Counts readings that the target has taken.
    pub(crate) fn count_sent(&self, n: u64) {
        self.sent.fetch_add(n, Ordering::Relaxed);
    }

    /// Counts readings that it has refused.
    pub(crate) fn count_failed(&self, n: u64, device_id: &str, reason: &str) {
        self.failed.fetch_add(n, Ordering::Relaxed);
        if self.refusals.fetch_add(1, Ordering::Relaxed) < NAMED_REFUSALS {
            self.say(&format!("a message of `{device_id}` was not taken: {reason}"));
        }
    }

    /// Says that the target does not take anything at present; once an outage.
    pub(crate) fn outage(&self, target: &str, reason: &str) {
        if !self.outage.swap(true, Ordering::Relaxed) {
            self.say(&format!("{target} {reason}; trying again"));
        }
    }

    /// Says that it takes messages again.
    pub(crate) fn recovered(&self, target: &str) {
        if self.outage.swap(false, Ordering::Relaxed) {
            self.say(&format!("{target} takes messages again"));
        }
    }

    /// Readings refused so far.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Readings taken so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends with the counts.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
        let seconds = self.began.elapsed().as_secs_f64();
        self.say(&format!("{} readings sent, {} failed, in {seconds:.1} s", self.sent(), self.failed()));
    }
}
