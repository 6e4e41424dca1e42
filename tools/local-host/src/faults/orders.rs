//! The orders as JSON: what lasts until it is changed, and what happens once.

use serde::{Deserialize, Serialize};

use super::batches::{BatchFault, BatchOdds};
use super::calls::{CallFault, CallOdds};
use super::condition::Condition;
use super::throttle::Throttle;
use super::upserts::UpsertFault;

/// Faults that last until they are changed; by default all is well.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Standing {
    /// Cosmos DB.
    pub cosmos: StandingCosmos,
    /// SignalR.
    #[serde(rename = "signalR")]
    pub signalr: StandingService,
    /// Blob storage.
    pub blob: StandingService,
    /// Calls that are cut short by chance.
    pub calls: Option<CallOdds>,
    /// Batches that come again by chance.
    pub batches: Option<BatchOdds>,
    /// A handler is killed so often, in milliseconds; several instances take turns.
    pub kill_every_ms: Option<u64>,
}

/// Lasting faults of Cosmos DB.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StandingCosmos {
    /// Whether it can be reached.
    pub condition: Condition,
    /// Which requests are answered 429.
    pub throttle: Option<Throttle>,
    /// Reads see what was stored so long ago, in milliseconds.
    pub stale_by_ms: Option<u64>,
}

/// Lasting faults of a service that has no others.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StandingService {
    /// Whether it can be reached.
    pub condition: Condition,
}

impl std::str::FromStr for Standing {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

/// Something that happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Once {
    /// A handler is killed now and started again.
    Kill {
        /// Number of the instance, from 0.
        #[serde(default)]
        instance: usize,
    },
    /// A partition is moved now, also while a call of it is in flight.
    Move {
        /// The partition.
        partition: usize,
        /// Number of the instance that owns it from now on.
        to: usize,
    },
    /// Documents with a time to live end now if they are so old, in milliseconds.
    #[serde(rename_all = "camelCase")]
    Expire {
        /// Age of the youngest that ends; whole seconds count.
        #[serde(default)]
        older_than_ms: u64,
    },
    /// The next call is cut short.
    Call(CallFault),
    /// An upsert goes wrong.
    Upsert(UpsertFault),
    /// Something happens to a batch.
    Batch(BatchFault),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_documented_and_written_as_read() {
        for text in [
            r#"{"kill":{"instance":1}}"#,
            r#"{"move":{"partition":0,"to":1}}"#,
            r#"{"expire":{"olderThanMs":2000}}"#,
            r#"{"call":{"killAtRequestByte":100}}"#,
            r#"{"call":{"killAtAnswerByte":0}}"#,
            r#"{"call":{"killAfterUpserts":2}}"#,
            r#"{"call":{"abandon":{"afterUpserts":1,"laterMs":3000}}}"#,
            r#"{"upsert":{"nth":3,"outcome":{"fail":503}}}"#,
            r#"{"upsert":{"nth":1,"outcome":"loseReply"}}"#,
            r#"{"upsert":{"nth":1,"outcome":{"delayMs":200}}}"#,
            r#"{"batch":{"partition":0,"does":"repeat"}}"#,
            r#"{"batch":{"partition":0,"does":{"recut":{"skip":1,"size":3}}}}"#,
            r#"{"batch":{"partition":0,"does":{"goBack":100}}}"#,
            r#"{"batch":{"does":"loseAnswer"}}"#,
            r#"{"batch":{"does":"passOver"}}"#,
            r#"{"batch":{"does":"twice"}}"#,
        ] {
            let once: Once = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(serde_json::to_string(&once).unwrap(), text);
        }
        for text in [r#"{"batch":{"does":"nothing"}}"#, r#"{"kill":{"all":true}}"#, r#"{"call":"abandon"}"#] {
            assert!(serde_json::from_str::<Once>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_lasts_is_read_as_documented() {
        let text = r#"{"cosmos":{"condition":"silent","throttle":{"share":0.01},"staleByMs":3000},
            "signalR":{"condition":"refuses"},"calls":{"share":0.1,"seed":4,"laterMs":100},
            "batches":{"share":0.2},"killEveryMs":5000}"#;
        let standing: Standing = text.parse().unwrap();
        assert_eq!(standing.cosmos.throttle, Some(Throttle { share: 0.01, retry_after_ms: 20, seed: 0 }));
        assert_eq!(standing.kill_every_ms, Some(5000));
        assert!(r#"{"cosmos":{"up":true}}"#.parse::<Standing>().is_err());
    }
}
