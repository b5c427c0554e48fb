//! What became of the steps that an earlier run left open. Asks Azure, writes nothing to it: no request that changes
//! anything leaves from here, so nothing can be created twice.

use serde_json::Value;

use crate::arm::DOUBT;
use crate::kind;
use crate::model::{Cause, Flavour, OWNER_TAG, Open, Operation, Outcome, Tally, Verb};
use crate::store::Store;

use super::crew::{Crew, End, Failure, News};
use super::ledger::Ledger;
use super::step::{Work, done, is_forgotten, state_of};
use super::{ApplyError, Cloud, Sink, Stop};

/// Brings every open step to its end: a recorded operation is polled, anything else is looked up. Must come before
/// the plan is made. A step that turns out not to have happened ends as cancelled; the plan then has it again.
///
/// # Errors
/// When the state cannot be written, the user asked to leave at once, or Azure could not be asked about some step
/// (the others are settled by then).
pub async fn resume<C: Cloud>(store: &mut Store, cloud: &C, sink: Sink<'_>, stop: &Stop) -> Result<Tally, ApplyError> {
    resume_with(Ledger::new(store, cloud, sink, kind::find), stop).await
}

/// The same with the books made by the caller.
pub(super) async fn resume_with<C: Cloud>(mut ledger: Ledger<'_, C>, stop: &Stop) -> Result<Tally, ApplyError> {
    let cloud = ledger.cloud;
    let mut crew = Crew::new();
    for (step, open) in ledger.state().open.clone() {
        match ledger.kind(&step) {
            Ok(kind) => {
                let (teller, resource, api_version) =
                    (crew.teller(&step), open.resource.clone(), open.api_version.clone());
                crew.send_out(conclude(Work { cloud, teller, kind, step, resource, api_version }, open));
            }
            Err(text) => {
                let outcome = Outcome::Failed { cause: Cause::of(text) };
                crew.send_back(End { step, outcome, is_certain: false });
            }
        }
    }
    let mut unresolved = None;
    loop {
        match crew.news(stop, false).await {
            News::Urgent => return Err(ApplyError::Left),
            News::Said(message) => ledger.hear(message)?,
            News::Ended(end) => {
                unresolved = unresolved.or_else(|| reason(&end));
                ledger.end(end)?;
            }
            News::Asked | News::Quiet => break,
        }
    }
    unresolved.map_or(Ok(ledger.tally), Err)
}

fn reason(end: &End) -> Option<ApplyError> {
    match &end.outcome {
        Outcome::Failed { cause } if !end.is_certain => {
            Some(ApplyError::Unresolved { step: end.step.clone(), cause: Box::new(cause.clone()) })
        }
        _ => None,
    }
}

/// How an open step ended.
async fn conclude<C: Cloud>(work: Work<'_, C>, open: Open) -> End {
    let result = match &open.operation {
        Some(operation) => match ask(&work, operation).await {
            Err(failure) if is_forgotten(&failure.cause) => look(&work, &open).await,
            result => result,
        },
        None => look(&work, &open).await,
    };
    work.end(result)
}

/// Polls the recorded operation to its end.
async fn ask<C: Cloud>(work: &Work<'_, C>, operation: &Operation) -> Result<Outcome, Failure> {
    if work.step.verb == Verb::Delete {
        return work.follow_removal(operation).await;
    }
    work.follow(operation).await?;
    work.read_back().await.map(done)
}

/// Without an operation only the resource itself can tell.
async fn look<C: Cloud>(work: &Work<'_, C>, open: &Open) -> Result<Outcome, Failure> {
    match work.step.verb {
        // Nothing was sent.
        Verb::Adopt => Ok(Outcome::Cancelled),
        Verb::Forget => Ok(done(Value::Null)),
        Verb::Create => match twice(work).await? {
            None => Ok(Outcome::Cancelled),
            Some(body) => created(work, open, &body).await,
        },
        Verb::Update => {
            if let Some(body) = work.get().await? {
                work.provisioned(&body).await?;
            }
            // Whether the write arrived cannot be seen: values that Azure never returns may be among it.
            Ok(Outcome::Cancelled)
        }
        Verb::Delete => match twice(work).await? {
            None => Ok(done(Value::Null)),
            Some(body) if state_of(&body) == Some("Deleting") => work.follow_removal(&work.itself(Flavour::Gone)).await,
            Some(_) => Ok(Outcome::Cancelled),
        },
    }
}

/// The resource; "not found" is doubted once: a replica that lags behind says so of what is there.
async fn twice<C: Cloud>(work: &Work<'_, C>) -> Result<Option<Value>, Failure> {
    if let Some(body) = work.get().await? {
        return Ok(Some(body));
    }
    work.cloud.sleep(DOUBT).await;
    work.get().await
}

/// A resource that we may have created: ours if it carries the tag that we sent.
async fn created<C: Cloud>(work: &Work<'_, C>, open: &Open, body: &Value) -> Result<Outcome, Failure> {
    let tag = |body: &Value| body.get("tags").and_then(|tags| tags.get(OWNER_TAG)).cloned();
    let sent = open.says.as_ref().and_then(tag);
    if sent.is_some() && sent != tag(body) {
        let mut cause = Cause::of(format!("{} exists and does not carry our tag `{OWNER_TAG}`", work.resource));
        cause.remedy = Some(format!("take it over with --adopt {}, or remove it", work.step.address));
        return Err(Failure::certain(cause));
    }
    if work.provisioned(body).await? {
        work.settle(Some(body.clone())).await.map(done)
    } else {
        work.read_back().await.map(done)
    }
}
