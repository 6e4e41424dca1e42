//! What notices an anomaly, and what sort of fault that looks like.

/// What noticed an anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The newest readings are not reconstructed by the autoencoder.
    Reconstruction,
    /// Readings differ from one to the next more than they ever do.
    Noise,
    /// The mean of about 2 readings left that of about 16.
    FastChange,
    /// The mean of about 8 readings left that of about 64.
    Change,
    /// The mean of about 32 readings left that of about 256.
    SlowChange,
    /// A reading is higher or lower than any usually is.
    Level,
    /// The mean of many readings is higher or lower than it usually is.
    SlowLevel,
    /// Readings differ from what is usual at this time of day.
    DailyProfile,
    /// A reading that a thermometer says when it is broken, or a temperature out of all range.
    Range,
    /// One value for longer than ever.
    Stuck,
    /// No readings for longer than ever.
    Silence,
    /// Outside the limit that a person has set, for longer than it tolerates.
    Limit,
}

impl Channel {
    /// All of them, in the order of their codes.
    const ALL: [Self; 12] = [
        Self::Reconstruction,
        Self::Noise,
        Self::FastChange,
        Self::Change,
        Self::SlowChange,
        Self::Level,
        Self::SlowLevel,
        Self::DailyProfile,
        Self::Range,
        Self::Stuck,
        Self::Silence,
        Self::Limit,
    ];

    /// Its code in stored documents, 1 to 15; 0 is for none.
    #[must_use]
    pub fn code(self) -> u8 {
        let place = Self::ALL.iter().position(|channel| *channel == self);
        place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
    }

    /// The channel of a code; `None` for 0 and for codes that nothing has.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Its name in documents and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reconstruction => "reconstruction",
            Self::Noise => "noise",
            Self::FastChange => "fast-change",
            Self::Change => "change",
            Self::SlowChange => "slow-change",
            Self::Level => "level",
            Self::SlowLevel => "slow-level",
            Self::DailyProfile => "daily-profile",
            Self::Range => "range",
            Self::Stuck => "stuck",
            Self::Silence => "silence",
            Self::Limit => "limit",
        }
    }

    /// The sort of fault that it notices first of all.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Limit => Kind::Limit,
            Self::Range => Kind::Range,
            Self::Stuck => Kind::Stuck,
            Self::Silence => Kind::Silence,
            Self::Noise => Kind::Noise,
            Self::FastChange => Kind::Spike,
            Self::Change | Self::Level => Kind::Shift,
            Self::SlowChange | Self::SlowLevel | Self::DailyProfile => Kind::Drift,
            Self::Reconstruction => Kind::Other,
        }
    }
}

/// What sort of fault an alert looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Outside the limit that a person has set.
    Limit,
    /// A code of a broken sensor, or a temperature out of all range.
    Range,
    /// One value all the time.
    Stuck,
    /// No readings.
    Silence,
    /// A short excursion.
    Spike,
    /// Another level.
    Shift,
    /// A level that moves slowly, or at a time of day at which it does not.
    Drift,
    /// More noise.
    Noise,
    /// None of the others.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Limit,
        Self::Range,
        Self::Stuck,
        Self::Silence,
        Self::Spike,
        Self::Shift,
        Self::Drift,
        Self::Noise,
        Self::Other,
    ];

    /// Its name in documents and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Range => "range",
            Self::Stuck => "stuck",
            Self::Silence => "silence",
            Self::Spike => "spike",
            Self::Shift => "shift",
            Self::Drift => "drift",
            Self::Noise => "noise",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back() {
        for channel in Channel::ALL {
            assert!((1..16).contains(&channel.code()));
            assert_eq!(Channel::of_code(channel.code()), Some(channel));
        }
        assert_eq!((Channel::of_code(0), Channel::of_code(13)), (None, None));
    }
}
