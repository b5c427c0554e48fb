//! Who signs in: the ways there are, tried in order, and which one won. Never goes on silently after a way that was
//! configured and does not work.

mod assertion;
mod door;
mod ways;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::HttpClient;
use azure_core::time::{Duration, OffsetDateTime};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::sync::Mutex;

use super::cloud::Cloud;
use super::exchange::chain;
use ways::{Found, Way};

/// Reads a variable of the environment; tests hand in a table.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// In the context of a token request: the token that Azure did not take, so that the same one is not given again.
#[derive(Clone, Debug)]
pub struct Refused(pub Secret);

/// What signing in needs to know.
#[derive(Clone)]
pub struct SignIn {
    /// Where.
    pub cloud: Cloud,
    /// `--tenant`; else a variable.
    pub tenant: Option<String>,
    /// The variables.
    pub env: Env,
    /// Carries token requests.
    pub transport: Arc<dyn HttpClient>,
}

/// How one way of signing in went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Such as `client secret`.
    pub way: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It gave the token. The text says by which settings.
    Won(String),
    /// Not set up. The text says what is missing.
    Absent(String),
    /// Set up, but it does not work. The text says why.
    Failed(String),
    /// Not tried: an earlier one won or failed for good.
    Untried,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Won(how) => write!(f, "{}: signed in ({how})", self.way),
            Verdict::Absent(why) => write!(f, "{}: not set up ({why})", self.way),
            Verdict::Failed(why) => write!(f, "{}: failed ({why})", self.way),
            Verdict::Untried => write!(f, "{}: not tried", self.way),
        }
    }
}

/// The ways of signing in as one credential. The first that works is kept; its token is cached and renewed in time.
pub struct Credentials {
    ways: Vec<Way>,
    held: Mutex<Held>,
}

/// What is known after the first token.
#[derive(Default)]
struct Held {
    /// Index of the way that won, and its credential.
    winner: Option<(usize, Arc<dyn TokenCredential>)>,
    /// Scopes and token.
    token: Option<(String, AccessToken)>,
    /// One for each way, once tried.
    attempts: Vec<Attempt>,
}

/// How long before its end a token is renewed.
const EARLY: Duration = Duration::minutes(5);

impl Credentials {
    /// Reads the settings; nothing is sent yet.
    #[must_use]
    pub fn new(sign_in: &SignIn) -> Self {
        Self { ways: ways::all(sign_in), held: Mutex::default() }
    }

    /// How each way went, in the order of trying; empty before the first token.
    pub async fn attempts(&self) -> Vec<Attempt> {
        self.held.lock().await.attempts.clone()
    }

    async fn first(&self, held: &mut Held, scopes: &[&str]) -> azure_core::Result<AccessToken> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut outcome = None;
        for (index, way) in self.ways.iter().enumerate() {
            let verdict = if outcome.is_some() {
                Verdict::Untried
            } else {
                match way.attempt(scopes).await {
                    Ok((how, credential, token)) => {
                        held.winner = Some((index, credential));
                        outcome = Some(Ok(token));
                        Verdict::Won(how)
                    }
                    Err(verdict) => {
                        if way.is_configured() && matches!(verdict, Verdict::Failed(_)) {
                            outcome = Some(Err(()));
                        }
                        verdict
                    }
                }
            };
            attempts.push(Attempt { way: way.name, verdict });
        }
        held.attempts.clone_from(&attempts);
        match outcome {
            Some(Ok(token)) => Ok(token),
            _ => Err(no_token(&attempts)),
        }
    }

    async fn again(&self, held: &mut Held, scopes: &[&str]) -> azure_core::Result<AccessToken> {
        match &held.winner {
            Some((_, credential)) => credential.get_token(scopes, None).await,
            None => self.first(held, scopes).await,
        }
    }

    /// Makes the winner's credential anew, so that its own cache is empty.
    fn forget(&self, held: &mut Held) {
        held.token = None;
        if let Some((index, _)) = held.winner
            && let Some(Ok(credential)) = self.ways.get(index).and_then(Way::make)
        {
            held.winner = Some((index, credential));
        }
    }
}

fn no_token(attempts: &[Attempt]) -> azure_core::Error {
    let failed = attempts.iter().find(|a| matches!(a.verdict, Verdict::Failed(_)));
    let all = || attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let last_configured = attempts.iter().any(|a| a.verdict == Verdict::Untried);
    let text = match failed {
        // A way that was set up failed for good: the others are beside the point.
        Some(attempt) if last_configured => attempt.to_string(),
        _ => format!("no way to sign in works: {}", all()),
    };
    azure_core::Error::with_message(ErrorKind::Credential, text)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.ways.iter().map(|way| way.name).collect();
        f.debug_struct("Credentials").field("ways", &names).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Credentials {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let key = scopes.join(" ");
        // Held over the request: a hundred waiters need one token, not a hundred.
        let mut held = self.held.lock().await;
        if let Some(Refused(refused)) = options.as_ref().and_then(|o| o.method_options.context.value::<Refused>())
            && held.token.as_ref().is_some_and(|(_, token)| token.token == *refused)
        {
            self.forget(&mut held);
        }
        let now = OffsetDateTime::now_utc();
        let cached = held.token.clone().filter(|(scopes, token)| *scopes == key && token.expires_on > now);
        if let Some((_, token)) = &cached
            && token.expires_on > now + EARLY
        {
            return Ok(token.clone());
        }
        match (self.again(&mut held, scopes).await, cached) {
            (Ok(token), _) => {
                held.token = Some((key, token.clone()));
                Ok(token)
            }
            // The old one is good for minutes still: the next request tries again.
            (Err(_), Some((_, token))) => Ok(token),
            (Err(error), None) => Err(error),
        }
    }
}

impl Way {
    async fn attempt(&self, scopes: &[&str]) -> Result<(String, Arc<dyn TokenCredential>, AccessToken), Verdict> {
        let failed = |error: &azure_core::Error| match chain(error) {
            // A tool that is not there is no failure of a configuration.
            text if !self.is_configured() && text.contains("not found on PATH") => Verdict::Absent(text),
            text => Verdict::Failed(text),
        };
        let how = match &self.found {
            Found::Absent(why) => return Err(Verdict::Absent(why.clone())),
            Found::Broken(why) => return Err(Verdict::Failed(why.clone())),
            Found::Ready { how, .. } => how.clone(),
        };
        if let Some(why) = self.unreachable().await {
            return Err(Verdict::Absent(why));
        }
        let Some(made) = self.make() else { return Err(Verdict::Untried) };
        let credential = made.map_err(|error| failed(&error))?;
        let token = credential.get_token(scopes, None).await.map_err(|error| failed(&error))?;
        Ok((how, credential, token))
    }
}

/// Who a token speaks for. Read from the token itself, which is Azure's to check, not ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Object id in the directory: for role assignments and access policies.
    pub object_id: String,
    /// Tenant.
    pub tenant: String,
    /// A user's name, or an application's id.
    pub name: String,
    /// `User` or `ServicePrincipal`, as role assignments spell it.
    pub kind: &'static str,
}

impl Identity {
    /// Reads a token; `None` where it is no JWT (a sandbox's).
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&bytes).ok()?;
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let application = claim("appid").or_else(|| claim("azp"));
        let user = claim("upn").or_else(|| claim("unique_name")).or_else(|| claim("preferred_username"));
        let kind = match claim("idtyp").as_deref() {
            Some("app") => "ServicePrincipal",
            Some(_) => "User",
            None if user.is_some() => "User",
            None => "ServicePrincipal",
        };
        Some(Self {
            object_id: claim("oid")?,
            tenant: claim("tid").unwrap_or_default(),
            name: user.or(application).unwrap_or_default(),
            kind,
        })
    }
}

#[cfg(test)]
mod tests;
