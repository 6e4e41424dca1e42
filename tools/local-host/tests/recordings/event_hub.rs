//! Event Hubs: batches and single events in all encodings, admin calls, every kind of answer.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_host::config::{EventHubTrigger, Function, Trigger};
use local_host::event_hub::Event;
use local_host::invoke::{
    Reading, Source, delay_before_retry, event_hub, event_hub_admin, plan, read_answer,
};
use local_host::json_net::{self, Json};
use serde_json::Value;
use wire::bindings::{Cardinality, DataType};

use crate::{Recording, assert_same, assert_same_head, body, recordings};

const BATCH3: [&str; 3] = [
    r#"{"deviceId":"d1","t":21.5,"at":"2024-01-01T02:00:00.000Z","v":1.10}"#,
    r#"{"deviceId":"d2","t":22.10}"#,
    r#"{"deviceId":"d3","t":-3}"#,
];

#[test]
fn the_same_request_for_the_same_events() {
    let recordings = recordings("event_hub.jsonl");
    let raw_bodies = raw_bodies(&recordings);
    let mut held = 0;
    for recording in &recordings {
        for request in recording.requests() {
            let name = request["path"].as_str().unwrap().trim_start_matches('/');
            let function = recording.function(name);
            assert_same_head(&recording.id, name, request);
            let recorded = body(request);
            let built = build(recording, &function, &recorded, &raw_bodies);
            assert_same(&recording.id, &built, &recorded);
            held += 1;
        }
    }
    assert!(held >= 250, "only {held} requests were compared");
}

#[test]
fn the_same_outcome_of_the_same_answer() {
    let recordings = recordings("event_hub.jsonl");
    let mut held = 0;
    for recording in &recordings {
        let outcome = &recording.whole["outcome"];
        let (Some(succeeded), Some(answer)) = (outcome["succeeded"].as_bool(), recording.answer()) else {
            continue;
        };
        let name = recording.requests()[0]["path"].as_str().unwrap().trim_start_matches('/');
        let function = recording.function(name);
        let posts = outcome["posts"].as_u64().unwrap_or_else(|| attempts(&recordings, &recording.id));
        let attempt = body(&recording.requests()[0]);
        let count =
            attempt.get("Metadata").and_then(|metadata| metadata.get("RetryContext")?.get("RetryCount"));
        let count: u64 = count.map_or(0, |count| count.to_text().parse().unwrap());
        let is_last = count + 1 == posts;
        // A handler killed while it slept has not given this answer.
        if outcome["handler_restarts"].as_u64().unwrap_or(0) > 0 && is_last && !succeeded {
            continue;
        }
        let reading = read_answer(&answer);
        let timed_out =
            outcome["exception"].as_str().is_some_and(|text| text.contains("FunctionTimeoutException"));
        assert_eq!(matches!(reading, Reading::Hangs(_)), timed_out, "{}: {reading:?}", recording.id);
        let good = match &reading {
            Reading::Accepted(answer) => plan(&function, answer).work.is_empty(),
            Reading::Failed(_) | Reading::Hangs(_) => false,
        };
        assert_eq!(good, succeeded && is_last, "{}: {reading:?}", recording.id);
        assert_eq!(outcome["checkpoint"], true, "{}: the checkpoint moves in every case", recording.id);
        if !good {
            let next = u32::try_from(count).unwrap() + 1;
            let delay = function.retry.and_then(|retry| delay_before_retry(&retry, next, 1.0));
            assert_eq!(delay.is_none(), is_last, "{}", recording.id);
        }
        held += 1;
    }
    assert!(held >= 180, "only {held} outcomes were compared");
}

/// Attempts of a series whose outcome does not count them: one more than the highest number in its ids.
fn attempts(recordings: &[Recording], id: &str) -> u64 {
    let Some((series, _)) = id.rsplit_once("-try") else { return 1 };
    let numbers = recordings.iter().filter_map(|recording| recording.id.rsplit_once("-try"));
    let last =
        numbers.filter(|(other, _)| *other == series).map(|(_, number)| number.parse::<u64>().unwrap()).max();
    last.unwrap_or(0) + 1
}

#[test]
fn recorded_delays_lie_within_the_policys_spread() {
    let mut held = 0;
    for recording in recordings("event_hub.jsonl").iter().filter(|recording| recording.id.starts_with("05-"))
    {
        let name = recording.requests()[0]["path"].as_str().unwrap().trim_start_matches('/');
        let Some(retry) = recording.function(name).retry else { continue };
        for (index, gap) in recording.whole["outcome"]["gaps_s"].as_array().into_iter().flatten().enumerate()
        {
            // A gap spans the attempt, too: an answer that hangs takes 22 s, others milliseconds.
            let gap = gap.as_f64().unwrap() % 22.0;
            let count = u32::try_from(index).unwrap() + 1;
            let [low, high] =
                [0.8, 1.2].map(|spread| delay_before_retry(&retry, count, spread).unwrap().as_secs_f64());
            assert!(gap > low - 0.05 && gap < high + 0.5, "{}: {gap} s, {low}..{high}", recording.id);
            held += 1;
        }
    }
    assert!(held >= 30, "only {held} delays were compared");
}

fn build(
    recording: &Recording,
    function: &Function,
    recorded: &Json,
    raw: &HashMap<String, Vec<u8>>,
) -> Json {
    let Trigger::EventHub(trigger) = &function.trigger else { panic!("{}", recording.id) };
    let metadata = recorded.get("Metadata").unwrap();
    let mut attempt = recording.attempt(function, metadata);
    if recording.id.contains("-collide-one_") {
        attempt.retry = None;
    }
    let is_admin = metadata.get("Offset") == Some(&Json::text("\"-1\""));
    if is_admin {
        let input = metadata.get(&function.trigger_name).unwrap().as_str().unwrap();
        let input: String = serde_json::from_str(input).unwrap();
        return event_hub_admin(trigger, &function.trigger_name, &input, &attempt).unwrap();
    }
    let bodies = bodies(recording, trigger, recorded, raw);
    let events = events(metadata, bodies);
    let context = metadata.get("PartitionContext").unwrap();
    let source = Source {
        namespace: context.get("FullyQualifiedNamespace").unwrap().as_str().unwrap(),
        partition: context.get("PartitionId").unwrap().as_str().unwrap(),
        trigger,
        binding: &function.trigger_name,
    };
    event_hub(&source, &events, &attempt).unwrap()
}

/// Positions and properties are the stimulus; they are taken from the recorded system properties.
fn events(metadata: &Json, bodies: Vec<Vec<u8>>) -> Vec<Event> {
    let list = |plural: &str, singular: &str| match metadata.get(plural).and_then(Json::as_str) {
        Some(text) => match json_net::read_with_plain_dates(text).unwrap() {
            Json::Array(items) => items,
            other => panic!("{other:?}"),
        },
        None => vec![metadata.get(singular).cloned().unwrap_or(Json::object([]))],
    };
    let system = list("SystemPropertiesArray", "SystemProperties");
    let mut properties = list("PropertiesArray", "Properties");
    // The merged body of a single event may have replaced its properties.
    if properties.len() < system.len() {
        properties.resize(system.len(), Json::object([]));
    }
    system
        .iter()
        .zip(properties)
        .zip(bodies)
        .map(|((system, properties), body)| event(system, &properties, body))
        .collect()
}

fn event(system: &Json, properties: &Json, body: Vec<u8>) -> Event {
    let stamped: Vec<(String, Value)> =
        pairs(system).into_iter().take_while(|(name, _)| name != "x-opt-sequence-number").collect();
    let enqueued = system.get("EnqueuedTimeUtc").unwrap().as_str().unwrap();
    Event {
        sequence_number: system.get("SequenceNumber").unwrap().to_text().parse().unwrap(),
        offset: system.get("Offset").unwrap().to_text().parse().unwrap(),
        enqueued: format!("{enqueued}Z").parse().unwrap(),
        partition_key: system.get("PartitionKey").and_then(Json::as_str).map(str::to_owned),
        properties: pairs(properties),
        system: stamped,
        body,
    }
}

fn pairs(object: &Json) -> Vec<(String, Value)> {
    let Json::Object(fields) = object else { panic!("{object:?}") };
    fields
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::from_str(&value.to_text()).unwrap()))
        .collect()
}

/// The bodies that the stimulus names; where it names none, those of the recorded strings.
fn bodies(
    recording: &Recording,
    trigger: &EventHubTrigger,
    recorded: &Json,
    raw: &HashMap<String, Vec<u8>>,
) -> Vec<Vec<u8>> {
    if let Some(number) = recording.id.strip_prefix("01-batch3-") {
        let all: Vec<Vec<u8>> = BATCH3.iter().map(|text| text.as_bytes().to_vec()).collect();
        return match trigger.cardinality {
            Cardinality::Many => all,
            Cardinality::One => {
                vec![all[number.rsplit('-').next().unwrap().parse::<usize>().unwrap()].clone()]
            }
        };
    }
    if let Some(body) = raw.get(&kind(&recording.id)) {
        return vec![body.clone()];
    }
    let data = recorded.get("Data").unwrap().get("events").unwrap().as_str().unwrap();
    match (trigger.cardinality, trigger.data_type) {
        (Cardinality::One, Some(DataType::Binary)) => vec![STANDARD.decode(data).unwrap()],
        (Cardinality::One, _) => vec![serde_json::from_str::<String>(data).unwrap().into_bytes()],
        (Cardinality::Many, Some(DataType::Binary)) => {
            let texts: Vec<String> = serde_json::from_str(data).unwrap();
            texts.iter().map(|text| STANDARD.decode(text).unwrap()).collect()
        }
        (Cardinality::Many, Some(DataType::String)) => {
            let texts: Vec<String> = serde_json::from_str(data).unwrap();
            texts.into_iter().map(String::into_bytes).collect()
        }
        (Cardinality::Many, _) => {
            let values: Vec<Value> = serde_json::from_str(data).unwrap();
            values.iter().map(|value| value.to_string().into_bytes()).collect()
        }
    }
}

/// Odd bodies by kind, from the recordings that show them as bytes or from the stimulus where it is not cut.
fn raw_bodies(recordings: &[Recording]) -> HashMap<String, Vec<u8>> {
    let mut bodies = HashMap::new();
    for recording in recordings.iter().filter(|recording| recording.id.starts_with("02-")) {
        let data = body(&recording.requests()[0]);
        let data = data.get("Data").unwrap().get("events").unwrap().as_str().unwrap().to_owned();
        if recording.id.ends_with("-many_binary") {
            let texts: Vec<String> = serde_json::from_str(&data).unwrap();
            bodies.insert(kind(&recording.id), STANDARD.decode(&texts[0]).unwrap());
        } else if recording.id.ends_with("-one_binary") {
            bodies.insert(kind(&recording.id), STANDARD.decode(&data).unwrap());
        }
    }
    bodies
}

fn kind(id: &str) -> String {
    id.rsplit_once('-').map_or(id, |(kind, _)| kind).to_owned()
}
