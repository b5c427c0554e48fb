//! `privaml whoami`: which credential wins, and as whom. Reads only.

use azure_core::credentials::TokenCredential as _;

use super::session::Session;
use super::{connect, errors};
use crate::arm::Identity;
use crate::failure::{ExitCode, Failure};

pub(super) async fn run(session: &Session) -> Result<ExitCode, Failure> {
    if session.options.sandbox {
        session.screen.answer("sandbox: everybody is welcome; no account is used");
        return Ok(ExitCode::Done);
    }
    let cloud = session.options.cloud.clone().unwrap_or_else(|| "AzureCloud".to_owned());
    let (_, cloud, credentials) = connect::sign_in(session, &cloud).await?;
    let token = credentials.get_token(&[&cloud.scope()], None).await;
    let attempts = credentials.attempts().await;
    let identity = token.as_ref().ok().and_then(|token| Identity::of(token.token.secret()));
    let ways: Vec<String> = attempts.iter().map(ToString::to_string).collect();
    if session.screen.is_json() {
        let who = identity
            .as_ref()
            .map(|i| serde_json::json!({"name": i.name, "object_id": i.object_id, "tenant": i.tenant, "kind": i.kind}));
        let document = serde_json::json!({"cloud": cloud.name, "identity": who, "credentials": ways});
        session.screen.answer(&document.to_string());
    } else {
        session.screen.answer(&format!("Cloud: {}\n{}", cloud.name, ways.join("\n")));
        if let Some(who) = &identity {
            session.screen.answer(&format!("Signed in as {} ({}), tenant {}", who.name, who.object_id, who.tenant));
        }
    }
    match token {
        Ok(_) => Ok(ExitCode::Done),
        // Each way that was tried, and why it failed, stands above.
        Err(_) => Err(Failure::new(ExitCode::SignIn, "nobody is signed in").remedy(errors::SIGN_IN)),
    }
}
