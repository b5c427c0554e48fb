//! Where the state is kept, and the way to a remote one. Decides nothing about its content.

use std::path::Path;
use std::sync::Arc;

use super::connect::sign_in_to;
use super::errors::of_store;
use super::session::Session;
use crate::arm::blob::{Container, Proof};
use crate::arm::network;
use crate::config::{Azblob, EMULATOR};
use crate::failure::{ExitCode, Failure};
use crate::model::{BlobError, BlobFault, Blobs};
use crate::store::{Remote, Store};

/// The remote state, if there is one: as the parameter file says; without one, as the local copy knows.
pub(super) fn of(session: &Session) -> Result<Option<Remote>, Failure> {
    Ok(settings(session)?.map(|azblob| at(session, azblob)))
}

/// The same, not opened.
pub(super) fn settings(session: &Session) -> Result<Option<Azblob>, Failure> {
    if session.has_parameters() { Ok(session.parameters()?.state.azblob) } else { origin(session) }
}

/// Where the local file is a copy from.
pub(super) fn origin(session: &Session) -> Result<Option<Azblob>, Failure> {
    let path = &session.options.state;
    let Some(place) = Store::origin(path).map_err(|error| of_store(&error))? else { return Ok(None) };
    serde_json::from_value(place).map(Some).map_err(|error| {
        Failure::new(ExitCode::State, format!("the note {}.remote is damaged", path.display()))
            .because(error.to_string())
            .remedy("remove it and run `privaml state pull --save --force` with the parameter file")
    })
}

/// The remote state at a place.
pub(super) fn at(session: &Session, azblob: Azblob) -> Remote {
    let place = format!("{}/{}/{}", azblob.account, azblob.container, azblob.key);
    let settings = serde_json::to_value(&azblob).unwrap_or_default();
    let (tenant, cloud) = (session.options.tenant.clone(), cloud(session));
    Remote::new(place, settings, azblob.key.clone(), async move {
        let opened = if azblob.account == EMULATOR { emulator(&azblob) } else { real(&azblob, tenant, &cloud).await };
        opened.map(|container| Arc::new(container) as Arc<dyn Blobs>).map_err(|failure| BlobError {
            fault: if failure.exit == ExitCode::SignIn { BlobFault::SignIn } else { BlobFault::Refused },
            code: String::new(),
            message: [vec![failure.message], failure.causes].concat().join(": "),
        })
    })
}

/// Whose sign-in gives the token, and whose suffix the account has.
fn cloud(session: &Session) -> String {
    let known = || {
        let state = Store::read(&session.options.state).ok().flatten()?;
        Some(state.home?.cloud).filter(|cloud| cloud != "sandbox")
    };
    session.options.cloud.clone().or_else(known).unwrap_or_else(|| "AzureCloud".to_owned())
}

fn emulator(azblob: &Azblob) -> Result<Container, Failure> {
    let endpoint = azblob.endpoint.clone().unwrap_or_default();
    let roots = std::env::var_os("SSL_CERT_FILE");
    let transport = network(roots.as_deref().map(Path::new), true).map_err(|error| super::errors::of_cloud(&error))?;
    let proof = Proof::Emulator { account: azblob.account.clone() };
    Ok(Container::new(&format!("{endpoint}/{}", azblob.container), proof, transport))
}

async fn real(azblob: &Azblob, tenant: Option<String>, cloud: &str) -> Result<Container, Failure> {
    let (transport, cloud, credentials) = sign_in_to(tenant, cloud).await?;
    let own = || format!("https://{}.blob.{}", azblob.account, cloud.names.storage);
    let endpoint = azblob.endpoint.clone().unwrap_or_else(own);
    Ok(Container::new(&format!("{endpoint}/{}", azblob.container), Proof::Token(Arc::new(credentials)), transport))
}
