//! What a custom cloud says of itself and how it hands out tokens: enough for `--cloud URL` and the Azure CLI.

use serde_json::{Value, json};

use super::reply::{Reply, Request};
use super::world::World;

/// Answers the two paths that need no token; `None` for all others.
pub(super) fn answer(world: &World, request: &Request) -> Option<Reply> {
    let path = request.path.to_ascii_lowercase();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method.as_str(), &segments[..]) {
        ("GET", ["metadata", "endpoints"]) => Some(Reply::of(200, metadata(request))),
        ("POST", [tenant, "oauth2", "v2.0" | "token", ..]) => Some(token(world, request, tenant)),
        ("GET", [_, "v2.0", ".well-known", "openid-configuration"]) => {
            Some(Reply::of(200, openid(request, segments[0])))
        }
        ("GET", ["common", "discovery", "instance"]) => Some(Reply::of(200, discovery(request))),
        _ => None,
    }
    .map(|reply| reply.header("content-type", "application/json; charset=utf-8"))
}

/// The object form of 2022-09-01; older versions answer a list of it.
fn metadata(request: &Request) -> Value {
    let origin = &request.origin;
    let cloud = json!({
        "name": "PrivamlSandbox",
        "portal": origin,
        "authentication": {"loginEndpoint": origin, "audiences": [origin], "tenant": "common", "identityProvider": "AAD"},
        "resourceManager": origin,
        "microsoftGraphResourceId": format!("{origin}/"),
        "graph": origin, "graphAudience": origin,
        "suffixes": {
            "storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "acrLoginServer": "azurecr.io",
            "sqlServerHostname": "database.windows.net", "storageSyncEndpointSuffix": "afs.azure.net",
        },
    });
    if request.version() >= "2022-09-01" { cloud } else { json!([cloud]) }
}

fn token(world: &World, request: &Request, tenant: &str) -> Reply {
    let form = Request::new("GET", &format!("/?{}", String::from_utf8_lossy(&request.body))).query;
    let refuse = |status, code: &str, text: String| {
        Reply::of(status, json!({"error": code, "error_description": text, "error_codes": [7_000_215]}))
    };
    let known = tenant.eq_ignore_ascii_case(&world.tenant) || ["common", "organizations"].contains(&tenant);
    if !known {
        return refuse(400, "invalid_request", format!("AADSTS90002: Tenant '{tenant}' not found."));
    }
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return refuse(
            400,
            "unsupported_grant_type",
            "AADSTS70003: only client_credentials is offered here.".to_owned(),
        );
    }
    if form.get("client_id").is_none_or(String::is_empty)
        || ["client_secret", "client_assertion"].iter().all(|name| form.get(*name).is_none_or(String::is_empty))
    {
        return refuse(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.".to_owned());
    }
    let bearer = bearer(world);
    Reply::of(200, json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": bearer}))
}

/// An unsigned token in JWT's shape: clients read tenant and object id from it.
pub(super) fn bearer(world: &World) -> String {
    let part = |value: &Value| base64(value.to_string().as_bytes());
    let header = part(&json!({"alg": "none", "typ": "JWT"}));
    let claims = json!({
        "aud": "https://management.azure.com", "iss": format!("https://sts.windows.net/{}/", world.tenant),
        "tid": world.tenant, "oid": world.subscription, "appid": world.subscription, "exp": 4_102_444_800_u64, "ver": "1.0",
    });
    format!("{header}.{}.sandbox", part(&claims))
}

/// URL-safe, without padding (RFC 4648 section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let index = (word >> (18 - 6 * at)) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

fn openid(request: &Request, tenant: &str) -> Value {
    let origin = &request.origin;
    json!({
        "issuer": format!("{origin}/{tenant}/v2.0"),
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "tenant_region_scope": null,
    })
}

fn discovery(request: &Request) -> Value {
    let host = request.origin.split_once("://").map_or("", |(_, host)| host);
    json!({
        "tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", request.origin),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_known_values() {
        for (bytes, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("??>", "Pz8-")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_token_needs_a_known_tenant_and_a_secret() {
        let world = World::new(1);
        let ask = |tenant: &str, form: &str| {
            let mut request = Request::new("POST", &format!("/{tenant}/oauth2/v2.0/token"));
            request.body = form.as_bytes().to_vec();
            answer(&world, &request).unwrap().status
        };
        let form = "grant_type=client_credentials&client_id=a&client_secret=b&scope=x";
        assert_eq!(ask(&world.tenant, form), 200);
        assert_eq!(ask("other", form), 400);
        assert_eq!(ask(&world.tenant, "grant_type=client_credentials&client_id=a"), 401);
        assert_eq!(ask(&world.tenant, "grant_type=password"), 400);
    }
}
