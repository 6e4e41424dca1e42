//! Timers, fired and called by hand, and the outputs recorded with them.

use std::sync::Arc;

use jiff::Timestamp;
use local_host::config::{Function, Trigger};
use local_host::faults::{Condition, Switch};
use local_host::invoke::{Reading, TimerStatus, Work, plan, read_answer, timer};
use local_host::json_net::Json;
use local_host::signalr::OutputClient;
use local_host::timer::Schedule;

use crate::{Recording, assert_same, assert_same_head, body, recordings};

#[test]
fn the_same_request_for_the_same_tick() {
    let mut held = 0;
    for file in ["timer.jsonl", "outputs.jsonl"] {
        for recording in recordings(file) {
            for request in recording.requests() {
                let name = request["path"].as_str().unwrap().trim_start_matches('/');
                let function = recording.function(name);
                let recorded = body(request);
                assert_same_head(&recording.id, name, request);
                assert_same(&recording.id, &build(&recording, &function, &recorded), &recorded);
                held += 1;
            }
        }
    }
    assert!(held >= 18, "only {held} requests were compared");
}

fn build(recording: &Recording, function: &Arc<Function>, recorded: &Json) -> Json {
    let Trigger::Timer(trigger) = &function.trigger else { panic!("{}", recording.id) };
    let schedule = Schedule::parse(&trigger.schedule).unwrap();
    let metadata = recorded.get("Metadata").unwrap();
    let attempt = recording.attempt(function, metadata);
    let info = recorded.get("Data").unwrap().get("timer").unwrap();
    let status = match info.get("ScheduleStatus").unwrap() {
        Json::Null => None,
        status => {
            let time = |name: &str| status.get(name).unwrap().as_str().unwrap().to_owned();
            let last: Timestamp = time("Last").parse().unwrap();
            let status = TimerStatus {
                last: Some(last).filter(|last| last.as_second() > 0),
                next: time("Next").parse().unwrap(),
                updated: time("LastUpdated").parse().unwrap(),
            };
            // The stored time of the next run is what the schedule says after the status was made.
            assert_eq!(schedule.next_after(status.updated), Some(status.next), "{}", recording.id);
            Some(status)
        }
    };
    assert_eq!(schedule.is_monitored(attempt.now), status.is_some(), "{}", recording.id);
    let input = recording.whole["stimulus"]["admin"]["input"].as_str();
    timer("timer", status.as_ref(), false, schedule.adjusts_for_dst(), input, &attempt)
}

#[tokio::test]
async fn the_same_outcome_of_the_same_outputs() {
    for recording in recordings("outputs.jsonl") {
        let function = recording.function("broadcast");
        let succeeded = recording.whole["outcome"]["log"].to_string().contains("(Succeeded");
        let Reading::Accepted(answer) = read_answer(&recording.answer().unwrap()) else {
            panic!("{}: the answer is not accepted", recording.id);
        };
        let condition = Arc::new(Switch::default());
        if recording.id.ends_with("-service-down") {
            condition.set(Condition::Refuses);
        }
        let signalr = OutputClient::new(Arc::default(), condition);
        let mut fails = false;
        for (_, work) in plan(&function, &answer).work {
            fails |= match work {
                Work::Fail(_) => true,
                Work::Send(items) => signalr.send_all("telemetry", items).await.is_err(),
                Work::Upsert(_) => false,
            };
        }
        assert_eq!(!fails, succeeded, "{}", recording.id);
    }
}
