//! The clouds: three tables, and any other ARM by its own description. Sends one request, without a token.

use azure_core::http::{HttpClient, Method, Request, Url};
use serde_json::Value;

use super::exchange::chain;
use crate::model::CloudNames;

/// Where one cloud's ARM and sign-in are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud`, or the custom base URL.
    pub name: String,
    /// ARM; a path in it is a prefix of every resource's.
    pub endpoint: Url,
    /// The sign-in: `{authority}/{tenant}/oauth2/v2.0/token`.
    pub authority: Url,
    /// Whom tokens are for, without a slash at the end.
    pub audience: String,
    /// Host names that bodies need.
    pub names: CloudNames,
}

/// Why a cloud cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Neither a name nor a URL.
    #[error("`{0}` is no cloud: expected AzureCloud, AzureUSGovernment, AzureChinaCloud or the URL of an ARM")]
    Unknown(String),
    /// Clear text to another machine.
    #[error("`{0}` is not encrypted: plain http goes to a loopback address only")]
    ClearText(String),
    /// The description could not be read.
    #[error("`{url}` does not describe itself: {problem}")]
    Metadata {
        /// What was asked.
        url: String,
        /// Why not.
        problem: String,
    },
    /// The HTTP client could not be made.
    #[error("no secure connections on this machine: {0}")]
    Tls(String),
}

/// The version of `/metadata/endpoints` that describes one cloud, its own.
const METADATA: &str = "2022-09-01";

impl Cloud {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        Self::table("https://management.azure.com", "https://login.microsoftonline.com", CloudNames::public())
    }

    /// Azure Government.
    #[must_use]
    pub fn us_government() -> Self {
        Self::table(
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
            CloudNames::us_government(),
        )
    }

    /// Azure operated by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        Self::table("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", CloudNames::china())
    }

    fn table(endpoint: &str, authority: &str, names: CloudNames) -> Self {
        let url = |text: &str| Url::parse(text).expect("the tables hold valid URLs");
        Self {
            name: names.name.clone(),
            endpoint: url(endpoint),
            authority: url(authority),
            audience: endpoint.to_owned(),
            names,
        }
    }

    /// A cloud of the tables, by its name in any case; the short names of azurerm (`public`, `usgovernment`,
    /// `china`) are understood as well.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "azurecloud" | "public" => Some(Self::public()),
            "azureusgovernment" | "usgovernment" => Some(Self::us_government()),
            "azurechinacloud" | "china" => Some(Self::china()),
            _ => None,
        }
    }

    /// A cloud by name, or by the base URL of its ARM, which is then asked to describe itself.
    ///
    /// # Errors
    /// When the text is neither, or the ARM does not say where its sign-in is.
    pub async fn open(text: &str, transport: &dyn HttpClient) -> Result<Self, CloudError> {
        if let Some(cloud) = Self::named(text) {
            return Ok(cloud);
        }
        let base = Url::parse(text).map_err(|_| CloudError::Unknown(text.to_owned()))?;
        encrypted(&base)?;
        let asked = format!("{}/metadata/endpoints?api-version={METADATA}", base.as_str().trim_end_matches('/'));
        let metadata = |problem: String| CloudError::Metadata { url: asked.clone(), problem };
        let url = Url::parse(&asked).map_err(|error| metadata(error.to_string()))?;
        let mut request = Request::new(url, Method::Get);
        request.insert_header("accept", "application/json");
        let raw = transport.execute_request(&request).await.map_err(|error| metadata(chain(&error)))?;
        let raw = raw.try_into_raw_response().await.map_err(|error| metadata(chain(&error)))?;
        if !raw.status().is_success() {
            return Err(metadata(format!("it answers {}", u16::from(raw.status()))));
        }
        let body: Value = serde_json::from_slice(raw.body()).map_err(|error| metadata(error.to_string()))?;
        Self::described(&base, &body).map_err(|error| match error {
            CloudError::Metadata { problem, .. } => metadata(problem),
            other => other,
        })
    }

    /// Reads a description: one object, or a list of clouds from older ARMs.
    ///
    /// # Errors
    /// When it names no usable sign-in.
    pub fn described(base: &Url, body: &Value) -> Result<Self, CloudError> {
        let problem = |problem: &str| CloudError::Metadata { url: base.to_string(), problem: problem.to_owned() };
        let own = match body {
            Value::Array(clouds) => clouds.iter().find(|c| is_of(c, base)).or(clouds.first()),
            one => Some(one),
        };
        let own = own.filter(|own| own.is_object()).ok_or_else(|| problem("no cloud in the answer"))?;
        let login = text(own, "/authentication/loginEndpoint").ok_or_else(|| problem("no loginEndpoint"))?;
        let authority = Url::parse(login).map_err(|_| problem("its loginEndpoint is no URL"))?;
        encrypted(&authority)?;
        Ok(Self {
            name: base.as_str().trim_end_matches('/').to_owned(),
            endpoint: base.clone(),
            authority,
            audience: audience(own, base),
            names: names(own, base),
        })
    }

    /// What tokens are asked for.
    #[must_use]
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// Whether ARM is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.endpoint)
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
}

/// Whether an entry of a list describes the ARM that was asked.
fn is_of(cloud: &Value, base: &Url) -> bool {
    let manager = text(cloud, "/resourceManager").and_then(|t| Url::parse(t).ok());
    manager.is_some_and(|url| url.host_str() == base.host_str())
}

/// ARM's own URL where it is among the audiences, else the first, else the URL.
fn audience(cloud: &Value, base: &Url) -> String {
    let listed = cloud.pointer("/authentication/audiences").and_then(Value::as_array);
    let listed: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    let own = base.as_str().trim_end_matches('/');
    let same = listed.iter().find(|a| a.trim_end_matches('/').eq_ignore_ascii_case(own));
    let chosen = same.or(listed.first()).copied().unwrap_or(own);
    chosen.trim_end_matches('/').to_owned()
}

/// The names of the cloud that the description calls itself, the public one's otherwise, with its own suffixes.
fn names(cloud: &Value, base: &Url) -> CloudNames {
    let table = text(cloud, "/name").and_then(Cloud::named).unwrap_or_else(Cloud::public);
    let mut names = CloudNames { name: base.as_str().trim_end_matches('/').to_owned(), ..table.names };
    let suffix = |pointer: &str| text(cloud, pointer).map(|t| t.trim_start_matches('.').to_owned());
    if let Some(storage) = suffix("/suffixes/storage") {
        names.storage = storage;
    }
    if let Some(registry) = suffix("/suffixes/acrLoginServer") {
        names.registry = registry;
    }
    if let Some(vault) = suffix("/suffixes/keyVaultDns") {
        // `vault.azure.net` is the service's name, `vaultcore.azure.net` its private zone's.
        names.vault_zone = vault.strip_prefix("vault.").map_or(vault.clone(), |rest| format!("vaultcore.{rest}"));
    }
    let portal = text(cloud, "/portal").or_else(|| text(cloud, "/portalEndpoint"));
    if let Some(host) = portal.and_then(|t| Some(Url::parse(t).ok()?.authority().to_owned())) {
        names.portal = host;
    }
    names
}

fn encrypted(url: &Url) -> Result<(), CloudError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(CloudError::ClearText(url.to_string())),
        _ => Err(CloudError::Unknown(url.to_string())),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base() -> Url {
        Url::parse("https://arm.example:8443/").unwrap()
    }

    fn description() -> Value {
        json!({
            "name": "Own",
            "portal": "https://portal.example/",
            "authentication": {"loginEndpoint": "https://login.example/", "audiences": ["https://aud.example/"]},
            "suffixes": {"storage": "core.example", "keyVaultDns": "vault.example", "acrLoginServer": ".cr.example"},
            "resourceManager": "https://arm.example:8443/"
        })
    }

    #[test]
    fn one_object_and_a_list_say_the_same() {
        let one = Cloud::described(&base(), &description()).unwrap();
        let other =
            json!({"resourceManager": "https://else.example", "authentication": {"loginEndpoint": "https://x"}});
        let list = Cloud::described(&base(), &json!([other, description()])).unwrap();
        assert_eq!(one, list);
        assert_eq!(one.scope(), "https://aud.example/.default");
        assert_eq!(one.names.vault_zone, "vaultcore.example");
        assert_eq!(one.names.registry, "cr.example");
        assert_eq!(one.names.portal, "portal.example");
        assert_eq!(one.names.ml_api, CloudNames::public().ml_api);
        assert_eq!(one.names.name, "https://arm.example:8443");
    }

    #[test]
    fn a_bare_description_falls_back() {
        let bare = json!({"authentication": {"loginEndpoint": "https://login.example"}});
        let cloud = Cloud::described(&base(), &bare).unwrap();
        assert_eq!(cloud.audience, "https://arm.example:8443");
        assert_eq!(cloud.names.storage, "core.windows.net");
        assert!(Cloud::described(&base(), &json!({})).is_err());
        assert!(Cloud::described(&base(), &json!([])).is_err());
    }

    #[test]
    fn clear_text_stays_on_this_machine() {
        for (url, fine) in [
            ("http://127.0.0.1:9000", true),
            ("http://localhost:9000", true),
            ("http://[::1]:9000", true),
            ("http://arm.example", false),
            ("http://127.0.0.1.example", false),
            ("ftp://localhost", false),
        ] {
            assert_eq!(encrypted(&Url::parse(url).unwrap()).is_ok(), fine, "{url}");
        }
        let leaky = json!({"authentication": {"loginEndpoint": "http://login.example"}});
        assert!(matches!(Cloud::described(&base(), &leaky), Err(CloudError::ClearText(_))));
    }

    #[test]
    fn the_tables_are_found_by_name() {
        assert_eq!(Cloud::named("azureusgovernment"), Some(Cloud::us_government()));
        assert_eq!(Cloud::china().scope(), "https://management.chinacloudapi.cn/.default");
        assert_eq!(Cloud::named("AzureGermanCloud"), None);
    }
}
