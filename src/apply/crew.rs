//! The steps under way and the line on which they report. All run inside one task: dropping it stops them all at once.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};

use crate::arm::Note;
use crate::model::{Cause, Outcome, StepId, What};

use super::Stop;

/// What a step says; `seen` is answered once it is on disk.
pub(super) struct Message {
    pub(super) what: What,
    pub(super) seen: Option<oneshot::Sender<()>>,
}

/// How a step ended.
pub(super) struct End {
    pub(super) step: StepId,
    pub(super) outcome: Outcome,
    /// False when Azure may still be doing it, or may have done it: the step then stays open in the state.
    pub(super) is_certain: bool,
}

/// Why a step did not get done.
pub(super) struct Failure {
    pub(super) cause: Box<Cause>,
    pub(super) is_certain: bool,
}

impl Failure {
    /// Azure's verdict, or ours.
    pub(super) fn certain(cause: Cause) -> Self {
        Self { cause: Box::new(cause), is_certain: true }
    }

    /// Nobody knows what became of it.
    pub(super) fn unknown(cause: Cause) -> Self {
        Self { cause: Box::new(cause), is_certain: false }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed { cause: *failure.cause }
    }
}

/// A step's way to speak.
#[derive(Clone)]
pub(super) struct Teller {
    step: StepId,
    line: mpsc::UnboundedSender<Message>,
}

impl Teller {
    /// Returns once `what` is on disk. Never returns when the run is over: this step is about to be dropped.
    pub(super) async fn tell(&self, what: What) {
        let (answer, seen) = oneshot::channel();
        let sent = self.line.send(Message { what, seen: Some(answer) });
        if sent.is_err() || seen.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Passes on what is only shown.
    pub(super) fn note(&self, note: Note) {
        let step = self.step.clone();
        let what = match note {
            Note::Retrying { after, cause } => What::Retrying { step, after, cause },
            Note::Waiting { status } => What::Waiting { step, status },
        };
        let _ = self.line.send(Message { what, seen: None });
    }
}

/// What the loop hears next.
pub(super) enum News {
    /// The user asked to leave at once.
    Urgent,
    /// The user asked to stop.
    Asked,
    /// A step has something to say.
    Said(Message),
    /// A step is over.
    Ended(End),
    /// Nobody is under way.
    Quiet,
}

/// The steps under way.
pub(super) struct Crew<F> {
    tasks: FuturesUnordered<F>,
    line: mpsc::UnboundedSender<Message>,
    heard: mpsc::UnboundedReceiver<Message>,
    ended: VecDeque<End>,
}

impl<F: Future<Output = End>> Crew<F> {
    pub(super) fn new() -> Self {
        let (line, heard) = mpsc::unbounded_channel();
        Self { tasks: FuturesUnordered::new(), line, heard, ended: VecDeque::new() }
    }

    /// A line for the step to speak on.
    pub(super) fn teller(&self, step: &StepId) -> Teller {
        Teller { step: step.clone(), line: self.line.clone() }
    }

    /// Sets a step going.
    pub(super) fn send_out(&self, task: F) {
        self.tasks.push(task);
    }

    /// A step that is over before it began.
    pub(super) fn send_back(&mut self, end: End) {
        self.ended.push_back(end);
    }

    /// Waits for what happens next, always in the same order of preference, so that a run can be replayed. What a step
    /// said comes before its end, even if it spoke and ended in one breath.
    pub(super) async fn news(&mut self, stop: &Stop, heeds_stop: bool) -> News {
        loop {
            if stop.is_urgent() {
                return News::Urgent;
            }
            if let Ok(message) = self.heard.try_recv() {
                return News::Said(message);
            }
            if let Some(end) = self.ended.pop_front() {
                return News::Ended(end);
            }
            tokio::select! {
                biased;
                () = stop.urgent() => return News::Urgent,
                () = stop.asked(), if heeds_stop => return News::Asked,
                Some(message) = self.heard.recv() => return News::Said(message),
                end = self.tasks.next() => match end {
                    Some(end) => self.ended.push_back(end),
                    None => return News::Quiet,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::fake::id;

    #[tokio::test]
    async fn a_steps_words_come_before_its_end() {
        let mut crew = Crew::new();
        let (stop, teller) = (Stop::new(), crew.teller(&id("a")));
        crew.send_out(async move {
            for status in ["one", "two"] {
                teller.note(Note::Waiting { status: status.to_owned() });
            }
            End { step: id("a"), outcome: Outcome::Cancelled, is_certain: true }
        });
        let mut heard = Vec::new();
        loop {
            match crew.news(&stop, true).await {
                News::Said(Message { what: What::Waiting { status, .. }, .. }) => heard.push(status),
                News::Ended(_) => heard.push("end".to_owned()),
                _ => break,
            }
        }
        assert_eq!(heard, ["one", "two", "end"]);
        stop.ask();
        assert!(matches!(crew.news(&stop, true).await, News::Asked));
        stop.ask();
        assert!(matches!(crew.news(&stop, true).await, News::Urgent));
    }
}
