//! The one place where a run's events are numbered, written, counted and shown, in that order.

use std::time::Duration;

use crate::kind::Kind;
use crate::model::{Event, Outcome, State, StepId, Tally, Verb, What};
use crate::store::{Store, StoreError};

use super::crew::{End, Message};
use super::{Cloud, Secrets, Sink};

/// Finds a kind by name.
pub(super) type Catalogue = fn(&str) -> Option<&'static Kind>;

/// A run's books.
pub(super) struct Ledger<'a, C> {
    pub(super) cloud: &'a C,
    pub(super) tally: Tally,
    store: &'a mut Store,
    sink: Sink<'a>,
    kinds: Catalogue,
    began: Duration,
    secrets: Secrets,
}

impl<'a, C: Cloud> Ledger<'a, C> {
    pub(super) fn new(store: &'a mut Store, cloud: &'a C, sink: Sink<'a>, kinds: Catalogue) -> Self {
        let (began, tally, secrets) = (cloud.now(), Tally::default(), Secrets::new());
        Self { cloud, tally, store, sink, kinds, began, secrets }
    }

    /// Masks these in whatever is written from now on.
    pub(super) fn masking(mut self, secrets: &Secrets) -> Self {
        self.secrets = secrets.clone();
        self
    }

    pub(super) const fn state(&self) -> &State {
        self.store.state()
    }

    /// The kind of a step's resource.
    pub(super) fn kind(&self, step: &StepId) -> Result<&'static Kind, String> {
        let name = step.address.kind();
        (self.kinds)(name).ok_or_else(|| format!("this version of privaml knows no kind `{name}`"))
    }

    /// Writes, then shows.
    pub(super) fn record(&mut self, what: What) -> Result<(), StoreError> {
        let event = self.store.record(what, self.at())?;
        self.show(&event);
        Ok(())
    }

    /// Writes what a step says, then lets it go on.
    pub(super) fn hear(&mut self, message: Message) -> Result<(), StoreError> {
        let what = match message.what {
            What::Retrying { step, after, cause } => {
                What::Retrying { step, after, cause: self.secrets.mask_cause(cause) }
            }
            what => what,
        };
        self.record(what)?;
        if let Some(seen) = message.seen {
            let _ = seen.send(()); // A step that is gone needs no answer.
        }
        Ok(())
    }

    /// Writes how a step ended. An uncertain end is only shown: the step stays open.
    pub(super) fn end(&mut self, end: End) -> Result<(), StoreError> {
        let outcome = match end.outcome {
            Outcome::Failed { cause } => Outcome::Failed { cause: self.secrets.mask_cause(cause) },
            outcome => outcome,
        };
        self.count(end.step.verb, &outcome);
        let what = What::Ended { step: end.step, outcome };
        if end.is_certain {
            return self.record(what);
        }
        let event = self.store.announce(what, self.at());
        self.show(&event);
        Ok(())
    }

    /// Writes that a step never started.
    pub(super) fn end_unstarted(&mut self, step: StepId, outcome: Outcome) -> Result<(), StoreError> {
        self.end(End { step, outcome, is_certain: true })
    }

    const fn count(&mut self, verb: Verb, outcome: &Outcome) {
        let tally = &mut self.tally;
        let field = match (outcome, verb) {
            (Outcome::Done { .. }, Verb::Create) => &mut tally.created,
            (Outcome::Done { .. }, Verb::Update) => &mut tally.updated,
            (Outcome::Done { .. }, Verb::Adopt) => &mut tally.adopted,
            (Outcome::Done { .. }, Verb::Delete | Verb::Forget) => &mut tally.deleted,
            (Outcome::Failed { .. }, _) => &mut tally.failed,
            (Outcome::Skipped { .. }, _) => &mut tally.skipped,
            (Outcome::Cancelled, _) => &mut tally.cancelled,
        };
        *field += 1;
    }

    fn at(&self) -> Duration {
        self.cloud.now().saturating_sub(self.began)
    }

    fn show(&mut self, event: &Event) {
        (self.sink)(event);
    }
}
