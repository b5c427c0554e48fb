//! One step made ready: late values and secrets filled in, its kind found, its turn named. Sends nothing.

use crate::kind::{Kind, Turn};
use crate::model::late::{replace_strings, secret_name};
use crate::model::{Address, Late, ResourceId, State, Step, StepId, Verb, What};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::Secrets;

/// Everything a step needs to be carried out. Has no `Debug`: the body holds secrets in clear.
pub(super) struct Errand {
    pub(super) step: StepId,
    pub(super) resource: ResourceId,
    pub(super) kind: &'static Kind,
    /// The body to send; `None` where nothing is written.
    pub(super) body: Option<Value>,
    says: Option<Value>,
    needs: Vec<Address>,
}

impl Errand {
    /// Makes a step ready from what is known now, after all its needs have ended. `needs` is what its resource is
    /// built on.
    pub(super) fn prepare(
        step: Step,
        needs: Vec<Address>,
        kind: &'static Kind,
        state: &State,
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let (mut body, says) = match step.id.verb {
            Verb::Create | Verb::Update => (step.body, step.says),
            Verb::Adopt => (None, step.says.or(step.body)),
            Verb::Delete | Verb::Forget => (None, None),
        };
        if let Some(body) = &mut body {
            fill(body, state, secrets)?;
        }
        Ok(Self { step: step.id, resource: step.resource, kind, body, says, needs })
    }

    /// What goes to disk before the request leaves.
    pub(super) fn started(&self) -> What {
        What::Started {
            step: self.step.clone(),
            resource: self.resource.clone(),
            says: self.says.clone(),
            needs: self.needs.clone(),
            api_version: self.kind.api_version.to_owned(),
        }
    }
}

/// Puts values in the place of placeholders.
fn fill(body: &mut Value, state: &State, secrets: &Secrets) -> Result<(), String> {
    let mut missing = None;
    replace_strings(body, &mut |text| {
        if let Some(name) = secret_name(text) {
            let secret = secrets.get(name).map(|secret| Value::from(secret.expose_secret()));
            return secret.or_else(|| {
                missing = Some(format!("the secret `{name}` is not at hand"));
                None
            });
        }
        let late = Late::parse(text)?;
        state.reported(&late.of, &late.at).cloned().or_else(|| {
            missing = Some(format!("Azure did not report {} of {}", late.at, late.of));
            None
        })
    });
    missing.map_or(Ok(()), Err)
}

/// The turn a step takes: the id below or for which Azure takes one write at a time.
pub(super) fn turn(step: &Step, kind: &Kind, state: &State) -> Option<String> {
    if matches!(step.id.verb, Verb::Adopt | Verb::Forget) {
        return None;
    }
    match kind.turn {
        Turn::Free => None,
        Turn::Parent => step.resource.parent().map(|parent| parent.key()),
        Turn::Pointer(pointer) => {
            // A delete says nothing; what was said last tells whose turn it is.
            let said = || state.resources.get(&step.id.address).map(|known| &known.applied);
            let value = step.body.as_ref().or_else(said)?.pointer(pointer)?.as_str()?;
            Some(ResourceId::new(value).key())
        }
    }
}
