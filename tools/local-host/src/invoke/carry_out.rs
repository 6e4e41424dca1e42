//! The outputs of an accepted answer are carried out: work enters, documents and messages leave, all bindings at once.
//!
//! Each output runs as a task of its own, as in the real host: a call that is given up does not stop it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::oneshot;

use super::outputs::Work;
use crate::config::{Output, OutputKind, UnsetSetting};
use crate::cosmos::{self, ResourceNames};
use crate::faults::CallFault;
use crate::handler_process::Handler;
use crate::json_net::Json;
use crate::signalr;

/// The clients that outputs go through, one set a host.
#[derive(Debug, Clone)]
pub struct Services {
    /// Cosmos DB.
    pub cosmos: Arc<cosmos::OutputClient>,
    /// SignalR.
    pub signalr: Arc<signalr::OutputClient>,
}

/// How the outputs of a call ended.
pub(super) enum OutputsEnd {
    /// All were carried out.
    Done,
    /// One failed; the others may have been carried out.
    Failed(String),
    /// The host has given the call up; some go on.
    Abandoned,
}

/// Starts all outputs together and waits for their end, or for the call to be given up.
pub(super) async fn carry_out(
    services: &Services,
    work: Vec<(&Output, Work)>,
    handler: &Handler,
    fault: Option<CallFault>,
) -> OutputsEnd {
    let (give_up, given_up) = oneshot::channel();
    let mut interruption = Interruption::of(fault, handler, give_up);
    let tasks: Vec<_> = work
        .into_iter()
        .map(|(output, work)| {
            let (services, output) = (services.clone(), output.clone());
            let interruption = interruption.take_if(|_| matches!(work, Work::Upsert(_)));
            tokio::spawn(async move { carry_out_one(&services, &output, work, interruption).await })
        })
        .collect();
    // Without documents nothing is interrupted, and nobody gives up.
    drop(interruption);
    tokio::select! {
        Ok(()) = given_up => OutputsEnd::Abandoned,
        ends = join_all(tasks) => {
            for end in ends {
                match end {
                    Ok(Ok(())) => {}
                    Ok(Err(reason)) => return OutputsEnd::Failed(reason),
                    Err(error) => return OutputsEnd::Failed(format!("an output ended early: {error}")),
                }
            }
            OutputsEnd::Done
        }
    }
}

async fn carry_out_one(
    services: &Services,
    output: &Output,
    work: Work,
    interruption: Option<Interruption>,
) -> Result<(), String> {
    let failed = |reason: String| format!("output `{}`: {reason}", output.name);
    let name = |text: &Result<String, UnsetSetting>| text.clone().map_err(|unset| failed(unset.to_string()));
    match (&output.kind, work) {
        (_, Work::Fail(reason)) => Err(reason),
        (OutputKind::Cosmos { database, container, .. }, Work::Upsert(documents)) => {
            let names = ResourceNames { database: name(database)?, container: name(container)? };
            let texts: Vec<String> = documents.iter().map(Json::to_text).collect();
            upsert(&services.cosmos, &names, &texts, interruption).await.map_err(failed)
        }
        (OutputKind::SignalR { hub, .. }, Work::Send(items)) => {
            services.signalr.send_all(&name(hub)?, items).await.map_err(failed)
        }
        _ => Err(failed("it cannot take this value".to_owned())),
    }
}

async fn upsert(
    client: &cosmos::OutputClient,
    names: &ResourceNames,
    documents: &[String],
    interruption: Option<Interruption>,
) -> Result<(), String> {
    let n_first = interruption.as_ref().map_or(documents.len(), |interruption| interruption.after);
    let (first, rest) = documents.split_at(n_first.min(documents.len()));
    client.upsert_all(names, first).await.map_err(|error| error.to_string())?;
    if let Some(interruption) = interruption {
        interruption.strike().await;
    }
    client.upsert_all(names, rest).await.map_err(|error| error.to_string())
}

/// What happens in the middle of an answer's documents.
struct Interruption {
    /// So many have been written by then.
    after: usize,
    blow: Blow,
}

enum Blow {
    Kill(Handler),
    GiveUp { tell: oneshot::Sender<()>, go_on_after: Duration },
}

impl Interruption {
    fn of(fault: Option<CallFault>, handler: &Handler, tell: oneshot::Sender<()>) -> Option<Self> {
        match fault? {
            CallFault::KillAfterUpserts(after) => Some(Self { after, blow: Blow::Kill(handler.clone()) }),
            CallFault::Abandon(abandonment) => Some(Self {
                after: abandonment.after_upserts,
                blow: Blow::GiveUp { tell, go_on_after: abandonment.later() },
            }),
            CallFault::KillAtRequestByte(_) | CallFault::KillAtAnswerByte(_) => None,
        }
    }

    async fn strike(self) {
        match self.blow {
            Blow::Kill(handler) => handler.kill().await,
            Blow::GiveUp { tell, go_on_after } => {
                // Nobody listens when the call has already failed by another output.
                let _ = tell.send(());
                tokio::time::sleep(go_on_after).await;
            }
        }
    }
}
