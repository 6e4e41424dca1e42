//! From arguments and connection strings to a plan: which devices, which target.
//!
//! Everything that can be wrong with a call is found here, before anything is sent.

use crate::args::{Args, Injection, Interval, TargetName};
use crate::connection_string::{ConnectionString, address, is_loopback};
use crate::delivery::Patience;
use crate::feed::{Simulated, Source, Track};
use crate::http::{SendError, client};
use crate::message::Packing;
use crate::rejects::{Listing, Resend, Span};
use crate::replay::Recording;
use crate::report::Report;
use crate::sas::Signer;
use crate::targets::Target;
use crate::targets::device_call::DeviceCall;
use crate::targets::event_hub::{EventHub, event_hubs_host};
use crate::targets::registry::Registry;
use crate::time::{duration_ms, now_ms};
use anyhow::{Context, Result, bail, ensure};
use futures::stream::{StreamExt, TryStreamExt, iter};
use secrecy::{ExposeSecret, SecretString};
use simulator::{Family, Profile};
use std::collections::HashMap;

/// Devices of a fleet when nobody says how many.
const USUAL_DEVICES: u32 = 10;
/// Registrations under way at a time; IoT Hub allows few a second.
const REGISTRATIONS: usize = 4;

/// Connection strings from the environment.
pub(crate) struct Secrets {
    device: Option<SecretString>,
    hub: Option<SecretString>,
    event_hub: Option<SecretString>,
    /// Of the app whose rejects are listed.
    app_key: Option<SecretString>,
}

impl Secrets {
    /// Reads the variables; an empty one counts as unset.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let secret = |name| variable(name).filter(|value| !value.trim().is_empty()).map(SecretString::from);
        Self {
            device: secret("IOTHUB_DEVICE_CONNECTION_STRING"),
            hub: secret("IOTHUB_CONNECTION_STRING"),
            event_hub: secret("EVENTHUB_CONNECTION_STRING"),
            app_key: secret("API_KEY"),
        }
    }
}

/// What a run will do.
pub(crate) struct Plan {
    pub(crate) args: Args,
    pub(crate) work: Work,
    pub(crate) destination: Destination,
}

/// What is sent.
pub(crate) enum Work {
    /// Simulated devices, or recordings.
    Play { tracks: Vec<Track>, packing: Packing },
    /// What an app has rejected.
    Resend(Resend),
}

/// A target that may need its devices to be registered first.
pub(crate) enum Destination {
    Ready(Target),
    /// IoT Hub with the rights to register.
    Fleet {
        registry: Registry,
        client: reqwest::Client,
        host: String,
    },
}

impl Plan {
    /// Checks a call and opens what it names.
    ///
    /// # Errors
    ///
    /// When the call makes no sense, with what to change.
    pub(crate) fn new(args: Args, secrets: &Secrets) -> Result<Self> {
        ensure!(!args.every.is_zero(), "--every must be above 0");
        let rate = args.fault_rate.unwrap_or(0.0);
        ensure!((0.0..=10_000.0).contains(&rate), "--fault-rate must be between 0 and 10000 a day");
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        ensure!(
            args.prefix.len() <= 100 && args.prefix.chars().all(allowed),
            "--prefix may hold up to 100 letters, digits and - . _ : only"
        );
        let (destination, only_device) = destination(&args, secrets)?;
        if let Some(app) = &args.replay_rejects {
            let listing = listing(app, &args, secrets)?;
            let work = Work::Resend(Resend { listing, reason: args.reject_reason.clone(), only_device });
            return Ok(Self { args, work, destination });
        }
        let mut tracks =
            if args.replay.is_empty() { simulated(&args, only_device.is_some()) } else { recorded(&args)? };
        if let Some(device_id) = only_device {
            let [track] = tracks.as_mut_slice() else {
                bail!(
                    "IOTHUB_DEVICE_CONNECTION_STRING is one device: for {} devices set IOTHUB_CONNECTION_STRING instead",
                    tracks.len()
                );
            };
            track.device_id = device_id;
        }
        for injection in &args.inject {
            find(&tracks, injection)?;
        }
        let usual = if args.target == TargetName::Stdout { 1 } else { 20 };
        let readings_per_message = args.readings_per_message.map_or(usual, usize::from);
        let packing = Packing { readings_per_message, timestamps: args.timestamps };
        Ok(Self { args, work: Work::Play { tracks, packing }, destination })
    }
}

/// The track that an injection means.
///
/// # Errors
///
/// When there is no such device.
pub(crate) fn find(tracks: &[Track], injection: &Injection) -> Result<usize> {
    let device = &injection.device;
    let named = tracks.iter().position(|track| track.device_id == *device);
    let numbered = device.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match named.or(numbered.filter(|index| *index < tracks.len())) {
        Some(index) => Ok(index),
        None => {
            let first = tracks.first().map_or("", |track| track.device_id.as_str());
            bail!(
                "--inject: no device `{device}`: give a number from 1 to {} or an id such as `{first}`",
                tracks.len()
            )
        }
    }
}

fn simulated(args: &Args, one: bool) -> Vec<Track> {
    let n_devices = args.devices.unwrap_or(if one { 1 } else { USUAL_DEVICES });
    let now = now_ms();
    let history_ms = duration_ms(args.history);
    let classic = args.profile == Profile::Only(Family::Classic);
    let rate = args.fault_rate.unwrap_or(if classic { 20.0 } else { 0.1 });
    let members = args.profile.members(usize::try_from(n_devices).unwrap_or(0), args.seed);
    let track = |member: &simulator::Member| {
        let interval_ms = match args.interval {
            Interval::Usual => member.family.usual_interval_ms(),
            Interval::Ms(ms) => ms,
        };
        // Readings of a device lie at whole multiples of its interval, so that a later run continues them.
        let start_ms =
            (now - history_ms).div_euclid(interval_ms).saturating_add(1).saturating_mul(interval_ms);
        // A fleet gets a quarter of its past to be learned before anything breaks.
        let series = member.series(start_ms, interval_ms, rate, start_ms.saturating_add(history_ms / 4));
        let source = Source::Simulated(Box::new(Simulated { series, interval_ms, start_ms }));
        Track { device_id: format!("{}{}", args.prefix, member.device_id), source }
    };
    members.iter().map(track).collect()
}

fn recorded(args: &Args) -> Result<Vec<Track>> {
    let mut tracks: Vec<Track> = Vec::new();
    for path in &args.replay {
        let device_id = format!("{}{}", args.prefix, Recording::device_id(path));
        if tracks.iter().any(|track| track.device_id == device_id) {
            bail!("`{}`: another recording is named `{device_id}` already", path.display());
        }
        let source = Source::Recorded(Box::new(Recording::open(path, args.unit, args.bad_rows)?));
        tracks.push(Track { device_id, source });
    }
    Ok(tracks)
}

/// The list of an app's rejects.
fn listing(app: &str, args: &Args, secrets: &Secrets) -> Result<Listing> {
    let app = web_address("--replay-rejects", app)?;
    let client = client(app.host_str().is_some_and(is_loopback))?;
    let span =
        Span { device: args.reject_device.clone(), from_ms: args.rejects_from, to_ms: args.rejects_to };
    Ok(Listing { client, app, key: secrets.app_key.clone(), span })
}

fn web_address(option: &str, text: &str) -> Result<reqwest::Url> {
    let url: reqwest::Url = text.parse().with_context(|| format!("{option} `{text}` is no address"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "{option} `{text}` is neither http nor https");
    Ok(url)
}

/// The destination, and the one device's id where there is only one.
fn destination(args: &Args, secrets: &Secrets) -> Result<(Destination, Option<String>)> {
    match args.target {
        TargetName::Stdout => Ok((Destination::Ready(Target::Stdout), None)),
        TargetName::Local => {
            let url = web_address("--url", &args.url)?;
            let client = client(url.host_str().is_some_and(is_loopback))?;
            Ok((Destination::Ready(Target::Device(DeviceCall::unsigned(client, &args.url))), None))
        }
        TargetName::Eventhub => {
            let connection = connection("EVENTHUB_CONNECTION_STRING", secrets.event_hub.as_ref())?;
            let client = client_for(&event_hubs_host(&connection)?)?;
            let target = EventHub::new(client, &connection, args.hub.as_deref())?;
            Ok((Destination::Ready(Target::EventHub(target)), None))
        }
        TargetName::Iothub => match (&secrets.device, &secrets.hub) {
            (Some(_), Some(_)) => bail!(
                "both IOTHUB_DEVICE_CONNECTION_STRING (one device) and IOTHUB_CONNECTION_STRING (a fleet) are set: unset one"
            ),
            (Some(text), None) => one_device(text),
            (None, text) => fleet(text.as_ref()).map(|fleet| (fleet, None)),
        },
    }
}

fn one_device(text: &SecretString) -> Result<(Destination, Option<String>)> {
    let connection = connection("IOTHUB_DEVICE_CONNECTION_STRING", Some(text))?;
    let host = connection.get("HostName")?.expose_secret().to_owned();
    let device_id = connection.get("DeviceId")?.expose_secret().to_owned();
    let resource = format!("{host}/devices/{device_id}");
    let signer = Signer::for_iot_hub(resource, connection.get("SharedAccessKey")?, None)?;
    let signers = HashMap::from([(device_id.clone(), signer)]);
    let target = DeviceCall::signed(client_for(&host)?, address(&host), signers);
    Ok((Destination::Ready(Target::Device(target)), Some(device_id)))
}

fn fleet(text: Option<&SecretString>) -> Result<Destination> {
    let connection = connection("IOTHUB_CONNECTION_STRING", text)?;
    let host = connection.get("HostName")?.expose_secret().to_owned();
    let policy = connection.get("SharedAccessKeyName")?.expose_secret().to_owned();
    let signer = Signer::for_iot_hub(host.clone(), connection.get("SharedAccessKey")?, Some(policy))?;
    let client = client_for(&host)?;
    let registry = Registry::new(client.clone(), address(&host), signer);
    Ok(Destination::Fleet { registry, client, host })
}

fn connection(name: &'static str, text: Option<&SecretString>) -> Result<ConnectionString> {
    match text {
        Some(text) => ConnectionString::parse(name, text.expose_secret()),
        None => {
            bail!("{name} is not set: put the connection string from the Azure portal into the environment")
        }
    }
}

fn client_for(host: &str) -> Result<reqwest::Client> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    client(is_loopback(name))
}

impl Destination {
    /// Makes the target ready: registers the devices where that is needed.
    ///
    /// # Errors
    ///
    /// When a device cannot be registered.
    pub(crate) async fn prepare(self, devices: &[String], patience: Patience<'_>) -> Result<Target> {
        let (registry, client, host) = match self {
            Self::Ready(target) => return Ok(target),
            Self::Fleet { registry, client, host } => (registry, client, host),
        };
        let report: &Report = patience.report;
        report.begin("registering");
        let total = devices.len() as u64;
        let (registry, host, mut done) = (&registry, &host, 0);
        let mut keys = iter(devices)
            .map(|id| async move {
                let key = match patience.attempt(host, || registry.register(id)).await {
                    Ok(key) => key,
                    Err(SendError::Hopeless(reason) | SendError::Refused(reason)) => {
                        bail!("device `{id}` could not be registered: {host} {reason}")
                    }
                    Err(error) => bail!("device `{id}` could not be registered: {host} {error}"),
                };
                Ok((id.clone(), Signer::for_iot_hub(format!("{host}/devices/{id}"), &key, None)?))
            })
            .buffer_unordered(REGISTRATIONS);
        let mut signers = HashMap::new();
        while let Some((id, signer)) = keys.try_next().await? {
            signers.insert(id, signer);
            done += 1;
            report.progress((done, total));
        }
        report.reached(&format!("{total} devices are registered"));
        Ok(Target::Device(DeviceCall::signed(client, address(host), signers)))
    }
}
