//! `privaml sandbox serve`: the embedded ARM over HTTP, for other clients. Runs until it is stopped.

use std::net::{Ipv4Addr, SocketAddr};

use super::session::Session;
use crate::cli::SandboxAct;
use crate::failure::{ExitCode, Failure};
use crate::sandbox::Sandbox;
use crate::sandbox::server::{Server, Tls};

pub(super) async fn run(session: &Session, act: SandboxAct) -> Result<ExitCode, Failure> {
    let SandboxAct::Serve { port, tls_ca } = act;
    let failed = |error: &dyn std::error::Error| {
        Failure::new(ExitCode::Failed, "cannot serve the sandbox")
            .because(error.to_string())
            .because_of(error)
            .remedy("give another --port, or 0 for any free one")
    };
    let path = session.world();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let sandbox = Sandbox::open(&path, session.options.sandbox_speed).map_err(|error| failed(&error))?;
    let (subscription, tenant) = {
        let world = sandbox.world();
        (world.subscription.clone(), world.tenant.clone())
    };
    let tls = tls_ca.map(|ca_file| Tls { ca_file });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::bind(address, sandbox, tls.as_ref()).await.map_err(|error| failed(&error))?;
    session.screen.answer(&server.origin());
    session.screen.status(&format!(
        "Subscription {subscription}, tenant {tenant}; any client id and secret will do. Ctrl-C ends it.\n\
         Try: AZURE_CLIENT_ID=x AZURE_CLIENT_SECRET=x AZURE_TENANT_ID={tenant} \
         privaml apply --cloud {} --subscription {subscription}",
        server.origin()
    ));
    tokio::select! {
        ended = server.run() => ended.map_err(|error| failed(&error))?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::Done)
}
