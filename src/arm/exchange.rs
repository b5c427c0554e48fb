//! One request until its answer: token, concurrency, repeats. Does not know what an answer is good for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use azure_core::credentials::{Secret, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, Context, Method};
use tokio::sync::Semaphore;

use super::calls::{Count, Counter};
use super::client::{Note, Notes, Parts};
use super::credential::Refused;
use super::error::{ArmError, Class};
use super::limiter::{Lane, Limiter};
use super::reply::Reply;
use super::request::{Address, Call, Takes};
use super::retry::{self, Attempt};
use super::tempo::Tempo;

/// ARM gives a provider 60 s for a reply; what takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(100);
/// The same on the wall, at least: a fast clock must not call a busy machine silent.
const WALL_PATIENCE: Duration = Duration::from_secs(10);
/// While nobody has ever answered, the address is more likely wrong than the network down.
const FIRST_CONTACT: Duration = Duration::from_secs(10);
/// Requests on the wire at one time. A wide plan stays far below Azure's buckets with it.
const ABREAST: usize = 32;

/// The state all clones of a client share.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) parts: Parts,
    pub(super) address: Address,
    pub(super) counter: Counter,
    scope: String,
    limiter: Limiter,
    permits: Semaphore,
    met: AtomicBool,
    /// How fast this cloud is.
    pub(super) tempo: Tempo,
    /// Polling URLs of deletes begun by this process: their resource is expected to vanish.
    deletes: Mutex<BTreeSet<String>>,
}

impl Door {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            address: Address::new(&parts.cloud, parts.correlation),
            scope: parts.cloud.scope(),
            parts,
            counter: Counter::default(),
            limiter: Limiter::default(),
            permits: Semaphore::new(ABREAST),
            met: AtomicBool::new(false),
            tempo: Tempo::default(),
            deletes: Mutex::default(),
        }
    }

    /// Remembers that an operation is a delete.
    pub(super) fn deletes(&self, url: &str) {
        self.deletes.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned());
    }

    /// Whether an operation is known to be a delete.
    pub(super) fn is_delete(&self, url: &str) -> bool {
        self.deletes.lock().unwrap_or_else(PoisonError::into_inner).contains(url)
    }

    /// Sends until there is an answer that the call takes, or no hope of one.
    pub(super) async fn send(&self, call: &Call, notes: Notes<'_>) -> Result<Reply, ArmError> {
        let begun = self.parts.clock.now();
        let lane = Lane::of(call.method.as_ref(), &call.path);
        let mut sent = 0;
        loop {
            sent += 1;
            let error = match self.with_token(call, &lane).await {
                Ok(reply) if call.takes.status(reply.status) => return Ok(reply),
                Ok(reply) => ArmError::refusal(&reply),
                Err(error) => error,
            };
            let error = error.of_request(&call.shown());
            let elapsed = self.parts.clock.now().saturating_sub(begun);
            let Some(after) = self.pause(call, &error, sent, elapsed) else { return Err(error) };
            if error.class == Class::Throttled {
                self.limiter.slow(&lane, self.parts.clock.now(), after);
            }
            tracing::debug!(request = %call.shown(), ?after, code = %error.code, "sending again");
            self.counter.add(Count::Retry);
            notes(Note::Retrying { after, cause: error.into() });
            self.parts.clock.sleep(after).await;
        }
    }

    fn pause(&self, call: &Call, error: &ArmError, sent: u32, elapsed: Duration) -> Option<Duration> {
        if error.class == Class::Unreachable && !self.met.load(Ordering::Relaxed) && elapsed > FIRST_CONTACT {
            return None;
        }
        let hint = error.trail.retry_after.map(|wall| self.parts.clock.of_wall(wall));
        retry::next(error.class, &Attempt { sent, elapsed, hint, jitter: (self.parts.chance)(), writes: call.writes() })
    }

    /// Sends once; after a 401 once more with a new token.
    async fn with_token(&self, call: &Call, lane: &Lane) -> Result<Reply, ArmError> {
        let token = self.token(None).await?;
        let reply = self.once(call, lane, &token).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        if let Some(error) = hopeless(&reply) {
            return Err(error);
        }
        let renewed = self.token(Some(token)).await?;
        self.once(call, lane, &renewed).await
    }

    /// A token; `refused` is one that Azure did not take.
    async fn token(&self, refused: Option<Secret>) -> Result<Secret, ArmError> {
        let options = refused.map(|token| {
            let context = Context::new().with_value(Refused(token));
            TokenRequestOptions { method_options: ClientMethodOptions { context } }
        });
        match self.parts.credential.get_token(&[&self.scope], options).await {
            Ok(token) => Ok(token.token),
            Err(error) => {
                let text = chain(&error);
                let code = entra_code(&text).unwrap_or_default();
                Err(ArmError { code, ..ArmError::local(Class::SignIn, format!("sign-in failed: {text}")) })
            }
        }
    }

    async fn once(&self, call: &Call, lane: &Lane, token: &Secret) -> Result<Reply, ArmError> {
        let clock = &self.parts.clock;
        loop {
            let wait = self.limiter.wait(lane, clock.now());
            if wait.is_zero() {
                break;
            }
            // Not all at the same moment again.
            clock.sleep(wait.mul_f64(1.0 + (self.parts.chance)() / 10.0)).await;
        }
        let _permit = self.permits.acquire().await;
        self.counter.add(counted(call));
        let mut request = self.address.request(call)?;
        request.insert_header("authorization", format!("Bearer {}", token.secret()));
        let exchange = async {
            let raw = self.parts.transport.execute_request(&request).await?.try_into_raw_response().await?;
            let (status, headers, body) = raw.deconstruct();
            let headers: BTreeMap<_, _> =
                headers.iter().map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str().to_owned())).collect();
            Ok(Reply::read(status.into(), headers, body.as_ref()))
        };
        let reply = tokio::select! {
            reply = exchange => reply.map_err(|error| lost(&error))?,
            () = clock.sleep(PATIENCE.max(clock.of_wall(WALL_PATIENCE))) => return Err(ArmError::local(Class::Unknown, "no answer within 100 seconds")),
        };
        self.met.store(true, Ordering::Relaxed);
        tracing::debug!(request = %call.shown(), status = reply.status, "answered");
        Ok(reply)
    }
}

fn counted(call: &Call) -> Count {
    match (call.method, call.takes) {
        (_, Takes::Verdicts) => Count::Poll,
        (Method::Put, _) => Count::Put,
        (Method::Delete, _) => Count::Delete,
        (Method::Post, _) => Count::Post,
        _ => Count::Get,
    }
}

/// 401s that another token of the same account would not change.
fn hopeless(reply: &Reply) -> Option<ArmError> {
    let mut error = ArmError::refusal(reply);
    if error.has_code("InvalidAuthenticationTokenTenant") {
        if let Some(tenant) = tenant_named(reply) {
            error.message = format!("{} (the subscription's tenant is {tenant})", error.message);
        }
        return Some(error);
    }
    let challenge = reply.header("www-authenticate")?;
    challenge.contains("claims=").then(|| {
        error.message = format!("the organisation's conditional access asks to sign in again: {}", error.message);
        error
    })
}

/// `Bearer authorization_uri="https://login.windows.net/TENANT", …`.
fn tenant_named(reply: &Reply) -> Option<String> {
    let (_, rest) = reply.header("www-authenticate")?.split_once("authorization_uri=\"")?;
    let tenant = rest.split('"').next()?.trim_end_matches('/').rsplit('/').next()?;
    Some(tenant.to_owned()).filter(|t| !t.is_empty())
}

/// `AADSTS7000215`: Entra ID's own code, wherever it stands in the text.
fn entra_code(text: &str) -> Option<String> {
    let rest = &text[text.find("AADSTS")?..];
    let digits = rest["AADSTS".len()..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - "AADSTS".len());
    (digits > 0).then(|| rest[..("AADSTS".len() + digits)].to_owned())
}

fn lost(error: &azure_core::Error) -> ArmError {
    let text = chain(error);
    let class = match error.kind() {
        // A certificate does not become better by waiting.
        _ if text.contains(BAD_CERTIFICATE) => Class::Protocol,
        ErrorKind::Connection => Class::Unreachable,
        ErrorKind::Io => Class::Unknown,
        _ => Class::Protocol,
    };
    ArmError::local(class, format!("no answer: {text}"))
}

/// An error with its sources, each said once, on one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    if text.contains(BAD_CERTIFICATE) {
        text.push_str(" (SSL_CERT_FILE names more certificates to trust)");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How rustls begins its refusal of a server.
const BAD_CERTIFICATE: &str = "invalid peer certificate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untrusted_server_is_not_asked_again_and_the_way_out_is_named() {
        let refusal = std::io::Error::other("invalid peer certificate: UnknownIssuer");
        let error = lost(&azure_core::Error::with_error(ErrorKind::Connection, refusal, "failed\n  to send"));
        assert_eq!(error.class, Class::Protocol);
        assert!(error.message.starts_with("no answer: failed to send: invalid"), "{}", error.message);
        assert!(error.message.contains("SSL_CERT_FILE"));
    }

    #[test]
    fn entras_code_is_found_in_any_text() {
        let cases = [
            ("x AADSTS7000215: Invalid client secret", Some("AADSTS7000215")),
            ("AADSTS50076", Some("AADSTS50076")),
            ("AADSTS: none", None),
            ("nothing", None),
        ];
        for (text, code) in cases {
            assert_eq!(entra_code(text).as_deref(), code, "{text}");
        }
    }
}
