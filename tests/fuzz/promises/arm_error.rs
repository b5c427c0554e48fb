//! Any answer of ARM, or of what stands in front of it: read, told in words, judged for repeats and polls. Whatever a
//! server says, a pause is finite and nothing is sent to another host.

use std::time::Duration;

use privaml::arm::operation::{self, Begun, Poll};
use privaml::arm::reply::Reply;
use privaml::arm::retry::{self, Attempt};
use privaml::arm::{ArmError, Class, Known, pace};
use privaml::model::{Cause, Flavour, Operation};

use super::http::{Message, parts};

const PATH: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/azureFirewalls/f?api-version=1";
/// No pause may be longer, whatever a server asks for.
const LONGEST: Duration = Duration::from_secs(2 * 86_400);

/// The target: the first answer is one to a write and a delete, every one is one to a poll.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    for part in parts(data).take(20) {
        let message = Message::read(part);
        let status = message.first.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(200);
        let reply = Reply::read(status, message.headers.into_iter().collect(), message.body);
        told(&ArmError::refusal(&reply));
        paused(&ArmError::refusal(&reply), &reply);
        for verb in [Begun::Write, Begun::Delete] {
            let hint = reply.retry_after().map(|pause| pause.as_secs());
            if let Some(operation) = operation::begun(verb, PATH, &reply, hint) {
                begun(&operation, &reply);
            }
        }
        for flavour in [Flavour::AsyncOperation, Flavour::Location, Flavour::Provisioning, Flavour::Gone] {
            polled(flavour, &reply);
        }
    }
}

fn told(error: &ArmError) {
    let text = error.to_string();
    assert!(!text.trim().is_empty(), "an error without words");
    let advice = error.known().map(Known::advice);
    let cause = Cause::from(error.clone());
    assert_eq!((cause.message, cause.remedy), (text, advice));
}

fn begun(operation: &Operation, reply: &Reply) {
    assert!(operation.url.starts_with('/'), "an operation on another host: {}", operation.url);
    assert!(reply.status != 204, "nothing runs after 204");
    let kept = serde_json::to_value(operation).expect("an operation is JSON");
    let read: Operation = serde_json::from_value(kept).expect("a kept operation is read");
    assert_eq!(&read, operation);
}

fn polled(flavour: Flavour, reply: &Reply) {
    for age in [0, 59, 60, 5400, u64::MAX].map(Duration::from_secs) {
        match operation::read(flavour, reply, age) {
            Poll::Again { .. } => {
                for expected in [0, 3, 360].map(Duration::from_secs) {
                    let pauses = [
                        pace::next(age, expected, reply.retry_after()),
                        pace::early(age, expected, reply.retry_after()),
                    ];
                    assert!(pauses.iter().all(|pause| *pause <= LONGEST && !pause.is_zero()), "{pauses:?}");
                }
            }
            Poll::Done => {
                assert!(reply.status < 300 || flavour == Flavour::Gone, "{} ends an operation well", reply.status);
            }
            Poll::Failed(error) | Poll::Lost(error) => told(&error),
        }
    }
}

fn paused(error: &ArmError, reply: &Reply) {
    for (sent, elapsed, jitter) in [(1, 0, 0.0), (2, 10, 0.5), (u32::MAX, 899, 0.999), (9, u64::MAX, 0.1)] {
        for writes in [true, false] {
            let hint = error.trail.retry_after;
            let attempt = Attempt { sent, elapsed: Duration::from_secs(elapsed), hint, jitter, writes };
            let Some(pause) = retry::next(error.class, &attempt) else { continue };
            assert!(pause <= LONGEST && hint.is_none_or(|hint| pause >= hint), "{pause:?} where {hint:?} was asked");
            assert!(elapsed < 900, "sent again after a quarter of an hour");
            let hopeless = [Class::Denied, Class::Policy, Class::Quota, Class::Invalid, Class::Conflict, Class::SignIn];
            assert!(!hopeless.contains(&error.class), "{} {:?} is sent again", reply.status, error.class);
        }
    }
}
