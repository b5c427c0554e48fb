//! Signing in from tables of variables, against an authority that answers from a list.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex as StdMutex;

use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, ClientMethodOptions, Context, Request, StatusCode, Url};
use serde_json::json;

use super::*;

/// Answers token requests one by one, and keeps what was asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    ready: StdMutex<VecDeque<(u16, Value)>>,
    asked: StdMutex<Vec<(String, String)>>,
}

#[async_trait]
impl HttpClient for Answers {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else { panic!("no streams here") };
        let body = String::from_utf8(body.to_vec()).unwrap();
        self.asked.lock().unwrap().push((request.url().to_string(), body));
        let (status, answer) = self.ready.lock().unwrap().pop_front().expect("an answer for every request");
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), Headers::new(), answer.to_string()))
    }
}

fn token(text: &str, seconds: u32) -> (u16, Value) {
    (200, json!({"token_type": "Bearer", "expires_in": seconds, "access_token": text}))
}

fn credentials(variables: &[(&str, &str)], answers: Vec<(u16, Value)>) -> (Credentials, Arc<Answers>) {
    let table: BTreeMap<String, String> = variables.iter().map(|&(k, v)| (k.into(), v.into())).collect();
    let answers = Arc::new(Answers { ready: StdMutex::new(answers.into()), ..Answers::default() });
    let cloud = Cloud { authority: Url::parse("http://127.0.0.1:8080/login").unwrap(), ..Cloud::public() };
    let sign_in =
        SignIn { cloud, tenant: None, env: Arc::new(move |name| table.get(name).cloned()), transport: answers.clone() };
    (Credentials::new(&sign_in), answers)
}

const SCOPE: &[&str] = &["https://management.azure.com/.default"];
const SECRET: [(&str, &str); 3] = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "app"), ("ARM_CLIENT_SECRET", "s3")];

fn refusing(token: &str) -> TokenRequestOptions<'static> {
    let context = Context::new().with_value(Refused(Secret::from(token.to_owned())));
    TokenRequestOptions { method_options: ClientMethodOptions { context } }
}

#[tokio::test]
async fn a_secret_of_the_arm_family_signs_in_at_the_clouds_authority_once() {
    let (credentials, answers) = credentials(&SECRET, vec![token("one", 3600)]);
    for _ in 0..3 {
        assert_eq!(credentials.get_token(SCOPE, None).await.unwrap().token.secret(), "one");
    }
    let asked = answers.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].0, "http://127.0.0.1:8080/login/t/oauth2/v2.0/token");
    assert!(
        asked[0].1.contains("client_secret=s3")
            && asked[0].1.contains("scope=https%3A%2F%2Fmanagement.azure.com%2F.default")
    );
    let attempts = credentials.attempts().await;
    assert_eq!(attempts[0].verdict, Verdict::Won("ARM_CLIENT_SECRET, application app".into()));
    assert!(attempts[1..].iter().all(|a| a.verdict == Verdict::Untried));
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_held_it() {
    let (credentials, answers) = credentials(&SECRET, vec![token("one", 3600), token("two", 3600)]);
    credentials.get_token(SCOPE, None).await.unwrap();
    for _ in 0..3 {
        assert_eq!(credentials.get_token(SCOPE, Some(refusing("one"))).await.unwrap().token.secret(), "two");
    }
    assert_eq!(answers.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_configured_way_that_fails_is_the_end() {
    let refusal = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret.", "error_codes": [7_000_215]});
    let (credentials, _) = credentials(&SECRET, vec![(401, refusal)]);
    let error = credentials.get_token(SCOPE, None).await.unwrap_err().to_string();
    assert!(error.starts_with("client secret: failed") && error.contains("AADSTS7000215"), "{error}");
    assert_eq!(credentials.attempts().await[4].verdict, Verdict::Untried);
}

#[tokio::test]
async fn half_a_configuration_is_named() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_CLIENT_ID", "a")], "neither AZURE_TENANT_ID nor ARM_TENANT_ID"),
        (&[("ARM_CLIENT_SECRET_FILE_PATH", "/nowhere")], "ARM_CLIENT_SECRET_FILE_PATH"),
        (&[("ARM_USE_OIDC", "true")], "ARM_USE_OIDC is set"),
        (&[("ARM_OIDC_REQUEST_URL", "https://x")], "not ARM_OIDC_REQUEST_TOKEN"),
        (
            &[("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "a"), ("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere")],
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ),
    ];
    for (variables, wanted) in cases {
        let (credentials, answers) = credentials(variables, vec![]);
        let error = credentials.get_token(SCOPE, None).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(answers.asked.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn ids_of_a_secrets_own_family_are_taken() {
    let mixed = [("AZURE_CLIENT_ID", "other"), ("AZURE_TENANT_ID", "other"), SECRET[0], SECRET[1], SECRET[2]];
    let (credentials, answers) = credentials(&mixed, vec![token("one", 3600)]);
    credentials.get_token(SCOPE, None).await.unwrap();
    let asked = answers.asked.lock().unwrap()[0].clone();
    assert!(asked.0.contains("/t/oauth2/") && asked.1.contains("client_id=app"), "{asked:?}");
}

#[tokio::test]
async fn a_job_asks_its_issuer_and_presents_what_it_got() {
    let variables = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://issuer.example/token?v=1"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job"),
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_TENANT_ID", "t"),
    ];
    let (credentials, answers) = credentials(&variables, vec![(200, json!({"value": "proof"})), token("one", 3600)]);
    credentials.get_token(SCOPE, None).await.unwrap();
    let asked = answers.asked.lock().unwrap().clone();
    assert_eq!(asked[0].0, "https://issuer.example/token?v=1&audience=api%3A%2F%2FAzureADTokenExchange");
    assert!(asked[1].1.contains("client_assertion=proof"), "{asked:?}");
}

#[tokio::test]
async fn a_token_near_its_end_is_used_while_the_authority_is_down() {
    let down = || (400, json!({"error": "x", "error_description": "down"}));
    let (credentials, _) = credentials(&SECRET, vec![token("one", 120), down()]);
    credentials.get_token(SCOPE, None).await.unwrap();
    assert_eq!(credentials.get_token(SCOPE, None).await.unwrap().token.secret(), "one");
}

#[tokio::test]
async fn a_metadata_service_of_another_cloud_is_no_managed_identity() {
    let elsewhere = [(404, Value::Null), (200, json!({"instanceId": "i-1"}))];
    for answer in elsewhere {
        let off = [("ARM_USE_CLI", "false"), ("AZURE_TENANT_ID", "not a tenant!")];
        let (credentials, answers) = credentials(&off, vec![answer]);
        let error = credentials.get_token(SCOPE, None).await.unwrap_err().to_string();
        assert!(error.contains("managed identity: not set up (this is no machine in Azure)"), "{error}");
        assert!(error.contains("Azure CLI: not set up (ARM_USE_CLI says no)"), "{error}");
        assert!(error.contains("Azure Developer CLI: failed (invalid tenant ID"), "{error}");
        assert_eq!(answers.asked.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_token_tells_whose_it_is() {
    let jwt = |claims: Value| format!("h.{}.s", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let user = Identity::of(&jwt(json!({"oid": "o", "tid": "t", "upn": "a@b", "idtyp": "user"}))).unwrap();
    assert_eq!((user.name.as_str(), user.kind), ("a@b", "User"));
    let app = Identity::of(&jwt(json!({"oid": "o", "tid": "t", "appid": "i", "idtyp": "app"}))).unwrap();
    assert_eq!((app.name.as_str(), app.kind), ("i", "ServicePrincipal"));
    assert_eq!(Identity::of("sandbox"), None);
}
