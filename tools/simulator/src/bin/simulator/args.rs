//! The command line.

use crate::time::{parse_duration, parse_timestamp};
use clap::{Parser, ValueEnum};
use simulator::{FaultKind, Profile};
use std::path::PathBuf;
use std::time::Duration;

/// Pretends to be a fleet of devices that send temperatures, with labelled faults.
///
/// Connection strings come from the environment: IOTHUB_DEVICE_CONNECTION_STRING (that one device),
/// IOTHUB_CONNECTION_STRING (a fleet, which is registered) and EVENTHUB_CONNECTION_STRING;
/// API_KEY is the key of the app whose rejects are sent again.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// Where to send.
    #[arg(long, value_enum, default_value_t = TargetName::Local)]
    pub(crate) target: TargetName,
    /// Address of the local host.
    #[arg(long, default_value = "http://127.0.0.1:7071")]
    pub(crate) url: String,
    /// Event hub, when the connection string has no EntityPath.
    #[arg(long)]
    pub(crate) hub: Option<String>,

    /// Number of devices [default: 10, or 1 with IOTHUB_DEVICE_CONNECTION_STRING].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) devices: Option<u32>,
    /// Seed of the fleet: the same seed is the same fleet.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// `mixed`, or one family: room, fridge, freezer, office, outdoor, lab, server, machine, classic.
    #[arg(long, default_value = "mixed")]
    pub(crate) profile: Profile,
    /// Text in front of each device id.
    #[arg(long, default_value = "")]
    pub(crate) prefix: String,
    /// Time between readings of the history: a duration, or `usual` for each family's own.
    #[arg(long, default_value = "60s")]
    pub(crate) interval: Interval,
    /// Past to play before going live, ending now.
    #[arg(long, default_value = "0", value_parser = parse_duration)]
    pub(crate) history: Duration,
    /// Time between live readings.
    #[arg(long, default_value = "5s", value_parser = parse_duration)]
    pub(crate) every: Duration,
    /// Length of the live phase; 0 sends the history only [default: until stopped].
    #[arg(long, value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Readings to send in all.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// Faults per device and day [default: 0.1; classic: 20].
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) fault_rate: Option<f64>,
    /// One fault soon after going live: DEVICE:KIND[:AT[:FOR]], as in `fridge-002:shift:10s:5m` (repeatable).
    ///
    /// DEVICE is an id or a number from 1.
    #[arg(long, value_name = "DEVICE:KIND[:AT[:FOR]]")]
    pub(crate) inject: Vec<Injection>,
    /// Writes the faults that were injected to this CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,

    /// Plays a recording (timestamp,value) instead of a simulated fleet; the file's name is the device (repeatable).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["devices", "history", "inject", "labels", "fault_rate"])]
    pub(crate) replay: Vec<PathBuf>,
    /// Unit of the recordings.
    #[arg(long, value_enum, default_value_t = Unit::Celsius)]
    pub(crate) unit: Unit,
    /// What to do with rows that cannot be read.
    #[arg(long, value_enum, default_value_t = BadRows::Skip)]
    pub(crate) bad_rows: BadRows,
    /// Pace of history and recordings: a multiple of real time, or `max`.
    #[arg(long, default_value = "max")]
    pub(crate) speed: Speed,

    /// Sends the events again that the app at this address has rejected, oldest first, each as its device.
    ///
    /// For use once what was wrong with them is mended; parts that were readings are not sent again.
    #[arg(long, value_name = "URL", conflicts_with_all = ["replay", "devices", "history", "duration", "count", "inject", "labels", "fault_rate"])]
    pub(crate) replay_rejects: Option<String>,
    /// Only rejects of this device.
    #[arg(long, value_name = "ID", requires = "replay_rejects")]
    pub(crate) reject_device: Option<String>,
    /// Only rejects with this reason, such as `clock-ahead`.
    #[arg(long, value_name = "REASON", requires = "replay_rejects")]
    pub(crate) reject_reason: Option<String>,
    /// Only rejects that the hub took in at this time or later.
    #[arg(long, value_name = "TIME", requires = "replay_rejects", value_parser = timestamp)]
    pub(crate) rejects_from: Option<i64>,
    /// Only rejects that the hub took in at this time or earlier.
    #[arg(long, value_name = "TIME", requires = "replay_rejects", value_parser = timestamp)]
    pub(crate) rejects_to: Option<i64>,

    /// Most readings of a device in one message [default: 20; stdout: 1].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) readings_per_message: Option<u16>,
    /// How timestamps are written.
    #[arg(long, value_enum, default_value_t = Timestamps::Rfc3339)]
    pub(crate) timestamps: Timestamps,
    /// Messages under way at a time, each of another device.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// How long to retry before giving up on an unreachable target.
    #[arg(long, default_value = "2m", value_parser = parse_duration)]
    pub(crate) give_up_after: Duration,
}

fn timestamp(text: &str) -> Result<i64, String> {
    parse_timestamp(text)
        .ok_or_else(|| format!("expected a time such as `2026-01-02T03:04:05Z`, got `{text}`"))
}

/// Kinds of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetName {
    /// The local host, by the IoT Hub device call.
    Local,
    /// Azure IoT Hub by HTTPS.
    Iothub,
    /// Azure Event Hubs by HTTPS.
    Eventhub,
    /// JSON lines.
    Stdout,
}

/// Units of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unit {
    Celsius,
    Fahrenheit,
}

/// What becomes of rows that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadRows {
    /// Report and go on.
    Skip,
    /// Report and stop.
    Fail,
}

/// Forms of timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timestamps {
    Rfc3339,
    EpochMs,
}

/// Pace of what lies in the past.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    /// As fast as the target takes it.
    Max,
    /// Multiple of real time, above 0.
    Times(f64),
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times: f64 = text.parse().map_err(|_| format!("expected a number or `max`, got `{text}`"))?;
        if times > 0.0 && times.is_finite() {
            Ok(Self::Times(times))
        } else {
            Err(format!("expected a number above 0, got `{text}`"))
        }
    }
}

/// Time between two readings of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    /// Each family's own.
    Usual,
    /// The same for all, in milliseconds, above 0.
    Ms(i64),
}

impl std::str::FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "usual" {
            return Ok(Self::Usual);
        }
        match crate::time::duration_ms(parse_duration(text)?) {
            0 => Err("expected an interval above 0".to_owned()),
            ms => Ok(Self::Ms(ms)),
        }
    }
}

/// One fault that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Injection {
    /// Id, or number from 1.
    pub(crate) device: String,
    pub(crate) kind: FaultKind,
    /// Time after going live.
    pub(crate) at: Duration,
    /// Duration, when not the kind's usual one.
    pub(crate) lasting: Option<Duration>,
}

impl std::str::FromStr for Injection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let (device, kind, rest) = match parts.as_slice() {
            [device, kind, rest @ ..] if !device.is_empty() && rest.len() <= 2 => (device, kind, rest),
            _ => return Err(format!("expected DEVICE:KIND[:AT[:FOR]], got `{text}`")),
        };
        let kind = kind.parse().map_err(|error: simulator::faults::UnknownFault| error.to_string())?;
        let at = rest.first().map_or(Ok(Duration::from_secs(10)), |at| parse_duration(at))?;
        let lasting = rest.get(1).map(|lasting| parse_duration(lasting)).transpose()?;
        Ok(Self { device: (*device).to_owned(), kind, at, lasting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn injections_are_read() {
        let injection: Injection = "fridge-002:plant_off:1m:2h".parse().unwrap();
        assert_eq!(injection.device, "fridge-002");
        assert_eq!(injection.kind, FaultKind::PlantOff);
        assert_eq!(injection.at, Duration::from_secs(60));
        assert_eq!(injection.lasting, Some(Duration::from_secs(7200)));
        assert_eq!("1:spike".parse::<Injection>().unwrap().at, Duration::from_secs(10));
        for text in ["spike", ":spike", "1:fire", "1:spike:soon", "1:spike:1s:1s:1s"] {
            assert!(text.parse::<Injection>().is_err(), "{text}");
        }
    }

    #[test]
    fn speeds_and_intervals_are_above_zero() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("1000".parse(), Ok(Speed::Times(1000.0)));
        assert_eq!("5m".parse(), Ok(Interval::Ms(300_000)));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
        assert!("0s".parse::<Interval>().is_err());
    }
}
