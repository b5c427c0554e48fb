//! The ways of signing in, read from the environment in both families of variables (`AZURE_*`, `ARM_*`). Sends
//! nothing but one look for the metadata service of a virtual machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, HttpClient, Method, Request, Url};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};

use serde_json::Value;

use super::assertion::{Certificate, Proof};
use super::{SignIn, door};

type Made = azure_core::Result<Arc<dyn TokenCredential>>;

/// One way.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) found: Found,
    /// Set up on purpose: if it fails, nothing else is tried.
    configured: bool,
    /// Ask first, with this, whether the machine is in Azure.
    probe: Option<Arc<dyn HttpClient>>,
}

/// What the settings say of a way.
pub(super) enum Found {
    /// It can be tried.
    Ready { how: String, make: Box<dyn Fn() -> Made + Send + Sync> },
    /// Not set up.
    Absent(String),
    /// Set up by half.
    Broken(String),
}

impl Way {
    pub(super) const fn is_configured(&self) -> bool {
        self.configured
    }

    pub(super) fn make(&self) -> Option<Made> {
        match &self.found {
            Found::Ready { make, .. } => Some(make()),
            _ => None,
        }
    }

    /// Why there is no use in trying. Other clouds have a metadata service at the same address: only Azure's
    /// describes a machine in these words.
    pub(super) async fn unreachable(&self) -> Option<String> {
        let transport = self.probe.as_ref()?;
        let mut request = Request::new(Url::parse(MACHINE).ok()?, Method::Get);
        request.insert_header("metadata", "true");
        let asked = async {
            let raw = transport.execute_request(&request).await?.try_into_raw_response().await?;
            let body: Value = serde_json::from_slice(raw.body()).unwrap_or_default();
            Ok::<_, azure_core::Error>(raw.status().is_success() && body.get("azEnvironment").is_some())
        };
        match tokio::time::timeout(KNOCK, asked).await {
            Ok(Ok(true)) => None,
            _ => Some("this is no machine in Azure".to_owned()),
        }
    }
}

/// Where a machine in Azure learns what it is.
const MACHINE: &str = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01&format=json";
/// It answers in milliseconds, or nobody does.
const KNOCK: Duration = Duration::from_millis(500);

/// Every way, in the order of trying: what was set up on purpose before what happens to be there.
pub(super) fn all(sign_in: &SignIn) -> Vec<Way> {
    let settings = Settings(sign_in);
    let configured = |name, found| Way { name, found, configured: true, probe: None };
    let (managed, asked, probe) = settings.managed();
    let probe = probe.then(|| Arc::clone(&sign_in.transport));
    vec![
        configured("client secret", settings.secret()),
        configured("client certificate", settings.certificate()),
        configured("workload identity (OIDC)", settings.federated()),
        Way { name: "managed identity", found: managed, configured: asked, probe },
        Way { name: "Azure CLI", found: settings.cli(), configured: false, probe: None },
        Way { name: "Azure Developer CLI", found: settings.developer_cli(), configured: false, probe: None },
    ]
}

/// The environment, read with the rules of both families.
struct Settings<'a>(&'a SignIn);

/// A setting and the variable it came from.
struct Named {
    variable: String,
    value: String,
}

/// An application in the directory.
struct Application {
    tenant: String,
    client: String,
}

impl Settings<'_> {
    fn var(&self, variable: &str) -> Option<Named> {
        let value = (self.0.env)(variable)?.trim().to_owned();
        (!value.is_empty()).then(|| Named { variable: variable.to_owned(), value })
    }

    fn first(&self, variables: &[&str]) -> Option<Named> {
        variables.iter().find_map(|variable| self.var(variable))
    }

    fn is_on(&self, variable: &str) -> Option<bool> {
        self.var(variable).map(|named| named.value.eq_ignore_ascii_case("true") || named.value == "1")
    }

    /// The application that belongs to a setting: ids of the same family first, so that two half-filled families do
    /// not make one wrong pair.
    fn application(&self, of: &Named) -> Result<Application, String> {
        let families = if of.variable.starts_with("ARM_") { ["ARM", "AZURE"] } else { ["AZURE", "ARM"] };
        let find = |what: &str| {
            let names = families.map(|family| format!("{family}_{what}"));
            self.first(&[&names[0], &names[1]])
                .map(|named| named.value)
                .ok_or_else(|| format!("{} is set, but neither {} nor {}", of.variable, names[0], names[1]))
        };
        let tenant = self.0.tenant.clone().map_or_else(|| find("TENANT_ID"), Ok)?;
        Ok(Application { tenant, client: find("CLIENT_ID")? })
    }

    fn options(&self) -> ClientOptions {
        door::options(&self.0.cloud.authority, &self.0.transport)
    }

    /// Options for credentials made later, any number of times.
    fn later(&self) -> impl Fn() -> ClientOptions + Send + Sync + use<> {
        let (authority, transport) = (self.0.cloud.authority.clone(), Arc::clone(&self.0.transport));
        move || door::options(&authority, &transport)
    }

    fn secret(&self) -> Found {
        let by_file = |variable: &str| {
            let named = self.var(variable)?;
            Some(match std::fs::read_to_string(&named.value) {
                Ok(text) => Ok(Named { value: text.trim().to_owned(), ..named }),
                Err(error) => Err(format!("{variable}: {error}")),
            })
        };
        let given = self.first(&["AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"]).map(Ok);
        let secret = match given.or_else(|| by_file("ARM_CLIENT_SECRET_FILE_PATH")) {
            None => return Found::Absent("no AZURE_CLIENT_SECRET or ARM_CLIENT_SECRET".to_owned()),
            Some(Err(problem)) => return Found::Broken(problem),
            Some(Ok(secret)) => secret,
        };
        let Application { tenant, client } = match self.application(&secret) {
            Ok(application) => application,
            Err(problem) => return Found::Broken(problem),
        };
        let how = format!("{}, application {client}", secret.variable);
        let (options, value) = (self.later(), Secret::from(secret.value));
        let make = move || {
            let options = ClientSecretCredentialOptions { client_options: options() };
            let made = ClientSecretCredential::new(&tenant, client.clone(), value.clone(), Some(options))?;
            Ok(made as Arc<dyn TokenCredential>)
        };
        Found::Ready { how, make: Box::new(make) }
    }

    fn certificate(&self) -> Found {
        if let Some(inline) = self.var("ARM_CLIENT_CERTIFICATE") {
            let problem = "a PKCS#12 file as text is not supported: set ARM_CLIENT_CERTIFICATE_PATH to a PEM file";
            return Found::Broken(format!("{}: {problem}", inline.variable));
        }
        let Some(path) = self.first(&["AZURE_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_CERTIFICATE_PATH"]) else {
            let text = "no AZURE_CLIENT_CERTIFICATE_PATH or ARM_CLIENT_CERTIFICATE_PATH";
            return Found::Absent(text.to_owned());
        };
        let read = |application: &Application| {
            let pem = std::fs::read(&path.value).map_err(|error| error.to_string())?;
            Certificate::read(&pem, &application.client, self.endpoint(&application.tenant))
        };
        let application = match self.application(&path) {
            Ok(application) => application,
            Err(problem) => return Found::Broken(problem),
        };
        match read(&application) {
            Ok(certificate) => self.asserted(&path.variable, application, Proof::Certificate(Arc::new(certificate))),
            Err(problem) => Found::Broken(format!("{}: {problem}", path.variable)),
        }
    }

    fn endpoint(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.0.cloud.authority.as_str().trim_end_matches('/'))
    }

    fn asserted(&self, by: &str, application: Application, proof: Proof) -> Found {
        let Application { tenant, client } = application;
        let how = format!("{by}, application {client}");
        let options = self.later();
        let make = move || {
            let options = ClientAssertionCredentialOptions { client_options: options() };
            let made = ClientAssertionCredential::new(tenant.clone(), client.clone(), proof.clone(), Some(options))?;
            Ok(made as Arc<dyn TokenCredential>)
        };
        Found::Ready { how, make: Box::new(make) }
    }

    fn federated(&self) -> Found {
        if self.is_on("ARM_USE_OIDC") == Some(false) {
            return Found::Absent("ARM_USE_OIDC says no".to_owned());
        }
        if let Some(path) = self.first(&["AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH"]) {
            return self.application(&path).map_or_else(Found::Broken, |app| self.by_file_token(&path, app));
        }
        if let Some(token) = self.var("ARM_OIDC_TOKEN") {
            let proof = Proof::Given(Secret::from(token.value.clone()));
            return self
                .application(&token)
                .map_or_else(Found::Broken, |app| self.asserted(&token.variable, app, proof));
        }
        self.issuer().unwrap_or_else(|| {
            if self.is_on("ARM_USE_OIDC") == Some(true) {
                Found::Broken("ARM_USE_OIDC is set, but no token, token file or token issuer".to_owned())
            } else {
                Found::Absent("no AZURE_FEDERATED_TOKEN_FILE, ARM_OIDC_TOKEN or ARM_OIDC_REQUEST_URL".to_owned())
            }
        })
    }

    fn by_file_token(&self, path: &Named, application: Application) -> Found {
        let Application { tenant, client } = application;
        let (options, file) = (self.later(), PathBuf::from(&path.value));
        let how = format!("{}, application {client}", path.variable);
        let make = move || {
            let made = WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions { client_options: options() },
                client_id: Some(client.clone()),
                tenant_id: Some(tenant.clone()),
                token_file_path: Some(file.clone()),
            }))?;
            Ok(made as Arc<dyn TokenCredential>)
        };
        Found::Ready { how, make: Box::new(make) }
    }

    /// GitHub sets its two variables for every job that may ask for a token; they count only with an application.
    fn issuer(&self) -> Option<Found> {
        let url = self.var("ARM_OIDC_REQUEST_URL").or_else(|| {
            let known = self.first(&["AZURE_CLIENT_ID", "ARM_CLIENT_ID"]).is_some();
            self.var("ACTIONS_ID_TOKEN_REQUEST_URL").filter(|_| known)
        })?;
        let token =
            if url.variable.starts_with("ARM_") { "ARM_OIDC_REQUEST_TOKEN" } else { "ACTIONS_ID_TOKEN_REQUEST_TOKEN" };
        let Some(token) = self.var(token) else {
            return Some(Found::Broken(format!("{} is set, but not {token}", url.variable)));
        };
        Some(match (self.application(&url), Url::parse(&url.value)) {
            (Err(problem), _) => Found::Broken(problem),
            (_, Err(error)) => Found::Broken(format!("{}: {error}", url.variable)),
            (Ok(application), Ok(address)) => {
                let transport = Arc::clone(&self.0.transport);
                let proof = Proof::Issuer { url: address, token: Secret::from(token.value), transport };
                self.asserted(&url.variable, application, proof)
            }
        })
    }

    /// The way, whether it was asked for, and whether to look first if there is one.
    fn managed(&self) -> (Found, bool, bool) {
        let asked = self.is_on("ARM_USE_MSI");
        if asked == Some(false) {
            return (Found::Absent("ARM_USE_MSI says no".to_owned()), false, false);
        }
        let here = self.first(&["IDENTITY_ENDPOINT", "MSI_ENDPOINT"]);
        let user = self.first(&["AZURE_CLIENT_ID", "ARM_CLIENT_ID"]);
        let mut how = match &here {
            Some(marker) => marker.variable.clone(),
            None if asked.is_some() => "ARM_USE_MSI".to_owned(),
            None => "the machine's own".to_owned(),
        };
        if let Some(user) = &user {
            how = format!("{how}, user-assigned {}", user.value);
        }
        let (options, id) = (self.options(), user.map(|named| UserAssignedId::ClientId(named.value)));
        let make = move || {
            let made = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                user_assigned_id: id.clone(),
                client_options: options.clone(),
            }))?;
            Ok(made as Arc<dyn TokenCredential>)
        };
        let found = Found::Ready { how, make: Box::new(make) };
        (found, asked == Some(true), asked.is_none() && here.is_none())
    }

    fn tenant(&self) -> Option<String> {
        self.0.tenant.clone().or_else(|| self.first(&["AZURE_TENANT_ID", "ARM_TENANT_ID"]).map(|named| named.value))
    }

    fn cli(&self) -> Found {
        if self.is_on("ARM_USE_CLI") == Some(false) {
            return Found::Absent("ARM_USE_CLI says no".to_owned());
        }
        let tenant = self.tenant();
        let make = move || {
            let options =
                AzureCliCredentialOptions { tenant_id: tenant.clone(), ..AzureCliCredentialOptions::default() };
            Ok(AzureCliCredential::new(Some(options))? as Arc<dyn TokenCredential>)
        };
        Found::Ready { how: "the account of `az login`".to_owned(), make: Box::new(make) }
    }

    fn developer_cli(&self) -> Found {
        let tenant = self.tenant();
        let make = move || {
            let options = AzureDeveloperCliCredentialOptions {
                tenant_id: tenant.clone(),
                ..AzureDeveloperCliCredentialOptions::default()
            };
            Ok(AzureDeveloperCliCredential::new(Some(options))? as Arc<dyn TokenCredential>)
        };
        Found::Ready { how: "the account of `azd auth login`".to_owned(), make: Box::new(make) }
    }
}
