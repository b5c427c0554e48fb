//! Opens the way to a cloud, real or embedded, for one command. The same client serves both.

use std::path::Path;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::{HttpClient, Url};

use super::errors::{of_arm, of_cloud};
use super::session::Session;
use crate::arm::{self, Client, Clock, Cloud, Credentials, Parts, Recorder, SignIn, account};
use crate::failure::{ExitCode, Failure};
use crate::model::{CloudNames, Home};
use crate::sandbox::Sandbox;

/// The word for the embedded ARM in states and messages.
const SANDBOX: &str = "sandbox";

/// An open way to one account.
pub(super) struct Connection {
    /// The client.
    pub(super) client: Client,
    /// Cloud and account.
    pub(super) home: Home,
    /// The cloud's names.
    pub(super) names: CloudNames,
    /// The embedded ARM, if it is that.
    pub(super) sandbox: Option<Sandbox>,
}

impl Connection {
    /// The cloud's names where nobody else knows them: a custom cloud's.
    pub(super) fn own_names(&self) -> Option<CloudNames> {
        (self.sandbox.is_none() && Cloud::named(&self.home.cloud).is_none()).then(|| self.names.clone())
    }

    /// Lets an embedded ARM write its world down as it is now: what ended after the last write included.
    pub(super) fn rest(&self) -> Result<(), Failure> {
        let Some(sandbox) = &self.sandbox else { return Ok(()) };
        sandbox.save().map_err(|error| Failure::new(ExitCode::Failed, error.to_string()).because_of(&error))
    }
}

/// Connects to the cloud that the options name, else the state's, else the public one.
///
/// A state never meets another cloud than its own.
pub(super) async fn connect(session: &Session, home: Option<&Home>) -> Result<Connection, Failure> {
    let options = &session.options;
    let asked = if options.sandbox { Some(SANDBOX.to_owned()) } else { options.cloud.clone() };
    if let (Some(asked), Some(home)) = (&asked, home)
        && !same_cloud(asked, &home.cloud)
    {
        return Err(elsewhere(asked, home, &options.state));
    }
    let cloud = asked.or_else(|| home.map(|h| h.cloud.clone())).unwrap_or_else(|| "AzureCloud".to_owned());
    if cloud == SANDBOX { embedded(session, home) } else { real(session, &cloud, home).await }
}

fn same_cloud(asked: &str, home: &str) -> bool {
    let plain = |text: &str| {
        Cloud::named(text).map_or_else(|| text.trim_end_matches('/').to_ascii_lowercase(), |cloud| cloud.name)
    };
    plain(asked) == plain(home)
}

fn elsewhere(asked: &str, home: &Home, state: &Path) -> Failure {
    Failure::new(ExitCode::Usage, format!("{} belongs to another cloud", state.display()))
        .because(format!("it was made in `{}`, this command asks for `{asked}`", home.cloud))
        .remedy("leave the flag out to use the state's own cloud, or give another --state FILE")
}

fn embedded(session: &Session, home: Option<&Home>) -> Result<Connection, Failure> {
    let speed = session.options.sandbox_speed;
    let path = session.world();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(ExitCode::Failed, format!("cannot open the sandbox's world {}", path.display()))
            .because(error.to_string())
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let sandbox = Sandbox::open(&path, speed).map_err(|error| failed(&error))?;
    if !path.exists() {
        // The next command must meet the same world, whatever this one does.
        sandbox.save().map_err(|error| failed(&error))?;
    }
    let (subscription, tenant) = {
        let world = sandbox.world();
        (world.subscription.clone(), world.tenant.clone())
    };
    if let Some(home) = home.filter(|h| h.subscription != subscription) {
        return Err(Failure::new(ExitCode::Usage, "the state and the sandbox's world do not belong together")
            .because(format!(
                "the state knows subscription {}, {} holds {subscription}",
                home.subscription,
                path.display()
            ))
            .remedy("bring the world's file back, or remove both the state and the world"));
    }
    let cloud = Cloud { name: SANDBOX.to_owned(), ..Cloud::public() };
    let names = cloud.names.clone();
    let credential = Arc::new(sandbox.credential());
    let client = client(session, Arc::new(sandbox.clone()), credential, cloud, Clock::scaled(speed))?;
    let home = Home { cloud: SANDBOX.to_owned(), subscription, tenant };
    Ok(Connection { client, home, names, sandbox: Some(sandbox) })
}

fn client(
    session: &Session,
    transport: Arc<dyn HttpClient>,
    credential: Arc<dyn TokenCredential>,
    cloud: Cloud,
    clock: Clock,
) -> Result<Client, Failure> {
    let transport: Arc<dyn HttpClient> = match &session.options.trace {
        None => transport,
        Some(path) => Arc::new(Recorder::create(path, transport, clock).map_err(|error| {
            Failure::new(ExitCode::Failed, format!("cannot write the trace {}", path.display()))
                .because(error.to_string())
        })?),
    };
    Ok(Client::new(Parts::new(transport, credential, cloud, clock)))
}

/// Transport, cloud and credential of a real ARM; used by `whoami` too.
pub(super) async fn sign_in(
    session: &Session,
    cloud: &str,
) -> Result<(Arc<dyn HttpClient>, Cloud, Credentials), Failure> {
    sign_in_to(session.options.tenant.clone(), cloud).await
}

/// The same without a session, for whoever outlives it.
pub(super) async fn sign_in_to(
    tenant: Option<String>,
    cloud: &str,
) -> Result<(Arc<dyn HttpClient>, Cloud, Credentials), Failure> {
    let local = Url::parse(cloud)
        .ok()
        .and_then(|url| url.host_str().map(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]")))
        .unwrap_or(false);
    let roots = std::env::var_os("SSL_CERT_FILE");
    let transport = arm::network(roots.as_deref().map(Path::new), local).map_err(|error| of_cloud(&error))?;
    let cloud = Cloud::open(cloud, transport.as_ref()).await.map_err(|error| of_cloud(&error))?;
    let sign_in = SignIn {
        cloud: cloud.clone(),
        tenant,
        env: Arc::new(|name: &str| std::env::var(name).ok()),
        transport: transport.clone(),
    };
    Ok((transport, cloud, Credentials::new(&sign_in)))
}

async fn real(session: &Session, cloud_text: &str, home: Option<&Home>) -> Result<Connection, Failure> {
    let (transport, cloud, credentials) = sign_in(session, cloud_text).await?;
    let (name, names) = (cloud.name.clone(), cloud.names.clone());
    let client = client(session, transport, Arc::new(credentials), cloud, Clock::real())?;
    let env = |name: &str| std::env::var(name).ok();
    let flag = session.options.subscription.as_deref();
    if let (Some(flag), Some(home)) = (flag, home)
        && !flag.eq_ignore_ascii_case(&home.subscription)
    {
        return Err(Failure::new(ExitCode::Usage, "the state belongs to another subscription")
            .because(format!("it was made in {}, --subscription says {flag}", home.subscription))
            .remedy("leave the flag out, or give another --state FILE"));
    }
    if let Some(home) = home {
        return Ok(Connection { client, home: home.clone(), names, sandbox: None });
    }
    let subscription = match account::chosen(flag, &env, account::cli_profile(&env).as_deref()) {
        Some(subscription) => subscription,
        None => only_subscription(&client).await?,
    };
    let account = account::account(&client, &subscription)
        .await
        .map_err(|error| of_arm(&format!("cannot read subscription {subscription}"), error))?;
    let home = Home { cloud: name, subscription, tenant: account.tenant };
    Ok(Connection { client, home, names, sandbox: None })
}

async fn only_subscription(client: &Client) -> Result<String, Failure> {
    let accounts = account::accounts(client).await.map_err(|error| of_arm("cannot list subscriptions", error))?;
    match accounts.as_slice() {
        [one] => Ok(one.subscription.clone()),
        [] => Err(Failure::new(ExitCode::SignIn, "the signed-in account sees no subscription")
            .remedy("give --subscription ID, and see `privaml whoami`")),
        many => {
            let list: Vec<String> = many.iter().map(|a| format!("{} ({})", a.subscription, a.name)).collect();
            Err(Failure::new(ExitCode::Usage, "which subscription?")
                .because(format!("the account sees {}", list.join(", ")))
                .remedy("give --subscription ID, or set AZURE_SUBSCRIPTION_ID"))
        }
    }
}
