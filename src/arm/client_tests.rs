//! The client against a scripted ARM, under a clock that does not wait.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Request, StatusCode};
use azure_core::time::OffsetDateTime;
use serde_json::json;

use super::super::credential::Refused;
use super::super::observe;
use super::*;

/// One scripted exchange.
enum Turn {
    Says(u16, Vec<(&'static str, &'static str)>, Value),
    Breaks(ErrorKind),
    Hangs,
}

fn says(status: u16, headers: &[(&'static str, &'static str)], body: Value) -> Turn {
    Turn::Says(status, headers.to_vec(), body)
}

/// An ARM that answers from a script and keeps what it was asked: verb, path, token, and when.
#[derive(Default)]
struct Script {
    turns: Mutex<VecDeque<Turn>>,
    asked: Mutex<Vec<(String, String, u64)>>,
    clock: Mutex<Option<Clock>>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let token = request.headers().get_optional_str(&"authorization".into()).unwrap_or_default().to_owned();
        let line = format!("{} {}", request.method().as_ref(), request.path_and_query());
        let at = self.clock.lock().unwrap().map_or(0, |c| c.now().as_secs());
        self.asked.lock().unwrap().push((line.clone(), token, at));
        let turn = self.turns.lock().unwrap().pop_front();
        match turn.unwrap_or_else(|| panic!("unexpected {line}")) {
            Turn::Says(status, headers, body) => {
                let mut map = Headers::new();
                for (name, value) in headers {
                    map.insert(name, value);
                }
                let text = if body.is_null() { String::new() } else { body.to_string() };
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), map, text))
            }
            Turn::Breaks(kind) => Err(azure_core::Error::with_message(kind, "broken")),
            Turn::Hangs => std::future::pending().await,
        }
    }
}

/// Gives `t1`, and `t2` for a refused `t1`.
#[derive(Debug)]
struct Tokens;

#[async_trait]
impl TokenCredential for Tokens {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://management.azure.com/.default"]);
        let refused = options.and_then(|o| o.method_options.context.value::<Refused>().cloned());
        let text = if refused.is_some() { "t2" } else { "t1" };
        Ok(AccessToken::new(text, OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1)))
    }
}

struct Bench {
    client: Client,
    script: Arc<Script>,
    notes: Mutex<Vec<Note>>,
}

impl Bench {
    fn new(turns: Vec<Turn>) -> Self {
        let script = Arc::new(Script { turns: Mutex::new(turns.into()), ..Script::default() });
        let client = Client::new(Parts::new(script.clone(), Arc::new(Tokens), Cloud::public(), Clock::real()));
        *script.clock.lock().unwrap() = Some(*client.clock());
        Self { client, script, notes: Mutex::default() }
    }

    async fn put(&self) -> Result<Sent, ArmError> {
        self.client.put(&vnet(), "1", &json!({"a": 1}), &|note| self.notes.lock().unwrap().push(note)).await
    }

    async fn wait(&self, operation: &Operation, expected: u64) -> Result<(), ArmError> {
        let note = |note| self.notes.lock().unwrap().push(note);
        self.client.wait(operation, &vnet(), "1", Duration::from_secs(expected), &note).await
    }

    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().unwrap().iter().map(|(line, ..)| line.clone()).collect()
    }

    fn times(&self) -> Vec<u64> {
        self.script.asked.lock().unwrap().iter().map(|(.., at)| *at).collect()
    }
}

const GROUP: &str = "/subscriptions/s/resourceGroups/g";

fn vnet() -> ResourceId {
    ResourceId::new(format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/v"))
}

fn vnet_line(verb: &str) -> String {
    format!("{verb} {}?api-version=1", vnet())
}

fn refusal(code: &str) -> Value {
    json!({"error": {"code": code, "message": "m"}})
}

fn running(url: &str) -> Operation {
    Operation { flavour: Flavour::AsyncOperation, url: url.to_owned(), retry_after: Some(10) }
}

const OPERATION: (&str, &str) = ("azure-asyncoperation", "https://eastus.example/op/1?api-version=9&s=a%2Fb");

#[tokio::test(start_paused = true)]
async fn a_slow_create_is_polled_on_our_host_until_it_ends() {
    let bench = Bench::new(vec![
        says(201, &[OPERATION, ("retry-after", "10")], json!({"properties": {"provisioningState": "Updating"}})),
        says(200, &[], json!({"status": "InProgress"})),
        says(200, &[], json!({"status": "Succeeded"})),
    ]);
    let Sent::Running { operation, body } = bench.put().await.unwrap() else { panic!("it takes time") };
    assert_eq!(operation, running("/op/1?api-version=9&s=a%2Fb"));
    assert_eq!(body["properties"]["provisioningState"], "Updating");
    bench.wait(&operation, 30).await.unwrap();
    let poll = "GET /op/1?api-version=9&s=a%2Fb".to_owned();
    assert_eq!(bench.asked(), [vnet_line("PUT"), poll.clone(), poll]);
    assert_eq!(*bench.notes.lock().unwrap(), [Note::Waiting { status: "InProgress".into() }]);
    let calls = bench.client.calls();
    assert_eq!((calls.put, calls.polls, calls.get, calls.retries), (1, 2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_operation_tells_its_code() {
    let failed = json!({"status": "Failed", "error": {"code": "GatewayAllocationFailed", "message": "full"}});
    let bench = Bench::new(vec![says(200, &[("x-ms-correlation-request-id", "c")], failed)]);
    let error = bench.wait(&running("/op"), 30).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::Capacity, "GatewayAllocationFailed"));
    assert_eq!(Cause::from(error).correlation_id.as_deref(), Some("c"));
}

#[tokio::test(start_paused = true)]
async fn a_polling_url_out_of_reach_means_asking_the_resource() {
    let updating = json!({"properties": {"provisioningState": "Updating"}});
    let bench = Bench::new(vec![
        says(403, &[], refusal("AuthorizationFailed")),
        says(200, &[], updating),
        says(200, &[], json!({"properties": {"provisioningState": "Succeeded"}})),
    ]);
    bench.wait(&running("/op"), 30).await.unwrap();
    assert_eq!(bench.asked()[1..], [vnet_line("GET"), vnet_line("GET")]);
    // A delete whose operation is forgotten ended if the resource is gone.
    let bench = Bench::new(vec![says(403, &[], Value::Null), says(404, &[], refusal("ResourceNotFound"))]);
    bench.wait(&running("/op"), 30).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn lost_connections_do_not_end_a_wait() {
    let broken = || Turn::Breaks(ErrorKind::Io);
    let done = says(200, &[], json!({"status": "Succeeded"}));
    let bench = Bench::new(vec![broken(), broken(), Turn::Hangs, broken(), done]);
    bench.wait(&running("/op"), 30).await.unwrap();
    assert_eq!(bench.client.calls().retries, 4);
}

#[tokio::test(start_paused = true)]
async fn throttling_waits_as_long_as_told_and_slows_the_neighbours() {
    let throttled = || says(429, &[("retry-after", "17")], refusal("TooManyRequests"));
    let bench = Bench::new(vec![throttled(), says(200, &[], json!({})), says(200, &[], json!({}))]);
    let neighbour = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bench.put().await
    };
    let (one, two) = tokio::join!(bench.put(), neighbour);
    assert_eq!((one.unwrap(), two.unwrap()), (Sent::Done(json!({})), Sent::Done(json!({}))));
    let times = bench.times();
    assert!(times[1] >= 17 && times[2] >= 17, "{times:?}");
    assert!(matches!(&bench.notes.lock().unwrap()[0], Note::Retrying { cause, .. } if cause.status == Some(429)));
}

#[tokio::test(start_paused = true)]
async fn the_same_body_is_sent_again_where_that_helps() {
    for (status, code) in [
        (409, "AnotherOperationInProgress"),
        (400, "ReferencedResourceNotProvisioned"),
        (400, "PrincipalNotFound"),
        (404, "ParentResourceNotFound"),
        (504, "GatewayTimeout"),
        (500, "InternalServerError"),
    ] {
        let bench = Bench::new(vec![says(status, &[], refusal(code)), says(200, &[], json!({}))]);
        assert_eq!(bench.put().await, Ok(Sent::Done(json!({}))), "{code}");
        assert_eq!(bench.client.calls().retries, 1);
    }
    for (status, code) in [(409, "SkuNotAvailable"), (400, "BadRequest"), (403, "RequestDisallowedByPolicy")] {
        let bench = Bench::new(vec![says(status, &[], refusal(code))]);
        assert_eq!(bench.put().await.unwrap_err().code, code);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_others_ends_after_ten_minutes() {
    let busy = || says(409, &[], refusal("AnotherOperationInProgress"));
    let bench = Bench::new((0..200).map(|_| busy()).collect());
    assert_eq!(bench.put().await.unwrap_err().class, Class::Busy);
    let last = *bench.times().last().unwrap();
    assert!((570..=630).contains(&last), "{last}");
}

#[tokio::test(start_paused = true)]
async fn an_address_where_nobody_ever_answers_is_given_up_soon() {
    let bench = Bench::new((0..100).map(|_| Turn::Breaks(ErrorKind::Connection)).collect());
    assert_eq!(bench.put().await.unwrap_err().class, Class::Unreachable);
    assert!(bench.times().last().unwrap() < &30);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once() {
    let unauthorized = || says(401, &[], refusal("ExpiredAuthenticationToken"));
    let bench = Bench::new(vec![unauthorized(), says(200, &[], json!({}))]);
    bench.put().await.unwrap();
    let tokens: Vec<_> = bench.script.asked.lock().unwrap().iter().map(|(_, token, _)| token.clone()).collect();
    assert_eq!(tokens, ["Bearer t1", "Bearer t2"]);
    let bench = Bench::new(vec![unauthorized(), unauthorized()]);
    assert_eq!(bench.put().await.unwrap_err().class, Class::SignIn);
}

#[tokio::test(start_paused = true)]
async fn the_wrong_tenant_is_named_and_not_tried_again() {
    let header =
        ("www-authenticate", "Bearer authorization_uri=\"https://login.windows.net/right\", error=\"invalid_token\"");
    let bench = Bench::new(vec![says(401, &[header], refusal("InvalidAuthenticationTokenTenant"))]);
    let cause = Cause::from(bench.put().await.unwrap_err());
    assert!(cause.message.contains("right") && cause.remedy.unwrap().contains("--tenant"), "{}", cause.message);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_none_and_a_wrong_subscription_is_an_error() {
    for code in ["ResourceNotFound", "ResourceGroupNotFound", "ParentResourceNotFound", "NotFound"] {
        let bench = Bench::new(vec![says(404, &[], refusal(code))]);
        assert_eq!(bench.client.get(&vnet(), "1").await, Ok(None), "{code}");
    }
    let bench = Bench::new(vec![says(404, &[], refusal("SubscriptionNotFound"))]);
    assert_eq!(bench.client.get(&vnet(), "1").await.unwrap_err().code, "SubscriptionNotFound");
}

#[tokio::test(start_paused = true)]
async fn deletes_wait_for_users_to_go_and_an_absent_resource_is_deleted() {
    let bench = Bench::new(vec![
        says(400, &[], refusal("InUseSubnetCannotBeDeleted")),
        says(202, &[("location", "https://h/results/1")], Value::Null),
    ]);
    let sent = bench.client.delete(&vnet(), "1", "force=true", &silence).await.unwrap();
    assert!(matches!(sent, Sent::Running { operation, .. } if operation.flavour == Flavour::Location));
    assert_eq!(bench.asked()[0], format!("{}&force=true", vnet_line("DELETE")));
    let bench = Bench::new(vec![says(404, &[], refusal("ResourceGroupNotFound"))]);
    assert_eq!(bench.client.delete(&vnet(), "1", "", &silence).await, Ok(Sent::Done(Value::Null)));
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_operation_cannot_be_read_ends_when_the_resource_is_gone() {
    let still = || says(200, &[], json!({"properties": {"provisioningState": "Succeeded"}}));
    let bench = Bench::new(vec![
        says(202, &[OPERATION], Value::Null),
        says(403, &[], Value::Null),
        still(),
        still(),
        says(404, &[], refusal("ResourceNotFound")),
    ]);
    let sent = bench.client.delete(&vnet(), "1", "", &silence).await.unwrap();
    let Sent::Running { operation, .. } = sent else { panic!("it takes time") };
    bench.wait(&operation, 10).await.unwrap();
    assert_eq!(bench.client.calls().polls, 4);
}

#[tokio::test(start_paused = true)]
async fn any_task_may_hold_the_door_and_all_count_together() {
    let bench = Bench::new(vec![says(200, &[], json!({})), says(200, &[], json!({}))]);
    let tasks = [(); 2].map(|()| {
        let client = bench.client.clone();
        tokio::spawn(async move { client.put(&vnet(), "1", &json!({}), &silence).await })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(bench.client.calls().put, 2);
}

#[tokio::test(start_paused = true)]
async fn providers_are_registered_where_the_cloud_has_them() {
    let state = |word: &str| says(200, &[], json!({"registrationState": word}));
    let bench = Bench::new(vec![
        state("Registered"),
        state("NotRegistered"),
        says(404, &[], refusal("NotFound")),
        state("Registering"),
        says(200, &[], json!({})),
    ]);
    let asked = ["A.A", "B.B", "C.C", "D.D"];
    assert_eq!(account::ensure_registered(&bench.client, "s", &asked).await.unwrap(), ["B.B"]);
    assert_eq!(bench.asked()[4], "POST /subscriptions/s/providers/B.B/register?api-version=2021-04-01");
}

#[tokio::test(start_paused = true)]
async fn a_missing_registration_is_made_up_for() {
    let message = json!({"error": {"code": "MissingSubscriptionRegistration",
        "message": "The subscription is not registered to use namespace 'Microsoft.Network'."}});
    let bench = Bench::new(vec![
        says(409, &[], message),
        says(200, &[], json!({"registrationState": "Registering"})),
        says(200, &[], json!({"registrationState": "Registering"})),
        says(200, &[], json!({"registrationState": "Registered"})),
        says(200, &[], json!({"id": "v"})),
    ]);
    assert_eq!(bench.put().await, Ok(Sent::Done(json!({"id": "v"}))));
    let provider = "/subscriptions/s/providers/Microsoft.Network";
    assert_eq!(bench.asked()[1], format!("POST {provider}/register?api-version=2021-04-01"));
    assert_eq!(bench.asked()[4], vnet_line("PUT"));
}

#[tokio::test(start_paused = true)]
async fn lists_follow_their_links_on_our_host() {
    let bench = Bench::new(vec![
        says(200, &[], json!({"value": [1], "nextLink": "https://evil.example/list?page=2&api-version=1"})),
        says(200, &[], json!({"value": [2]})),
    ]);
    assert_eq!(bench.client.list("/list", "1").await.unwrap(), [json!(1), json!(2)]);
    assert_eq!(bench.asked(), ["GET /list?api-version=1", "GET /list?page=2&api-version=1"]);
}

#[tokio::test(start_paused = true)]
async fn an_act_that_takes_time_gives_its_last_answer() {
    let bench = Bench::new(vec![
        says(202, &[("location", "https://h/results/1")], Value::Null),
        says(202, &[], Value::Null),
        says(200, &[], json!({"changes": []})),
    ]);
    assert_eq!(bench.client.post("/a/whatIf", "1", &json!({})).await, Ok(json!({"changes": []})));
}

#[tokio::test(start_paused = true)]
async fn an_absent_group_costs_one_call() {
    let group = ResourceId::new(GROUP);
    let targets: Vec<_> = [group.clone(), vnet(), group.provider("T/t", "x")].into_iter().map(|id| (id, "1")).collect();
    let bench = Bench::new(vec![says(404, &[], refusal("ResourceGroupNotFound"))]);
    assert!(observe(&bench.client, &targets, &BTreeSet::new(), 8).await.unwrap().is_empty());
    assert_eq!(bench.client.calls().total(), 1);

    let body = || json!({"id": "x"});
    let bench =
        Bench::new(vec![says(200, &[], body()), says(200, &[], body()), says(404, &[], refusal("ResourceNotFound"))]);
    let live = observe(&bench.client, &targets, &BTreeSet::new(), 1).await.unwrap();
    assert_eq!((live.len(), bench.client.calls().total()), (2, 3));
    assert!(live.contains_key(&group));
}

#[tokio::test(start_paused = true)]
async fn many_of_one_type_cost_one_list() {
    let group = ResourceId::new(GROUP);
    let ids: Vec<ResourceId> = ["a", "b", "c"].iter().map(|name| group.provider("T/t", name)).collect();
    let targets: Vec<_> = ids.iter().cloned().map(|id| (id, "1")).collect();
    let item = |id: &ResourceId| json!({"id": id.as_str().to_uppercase()});
    let there = || says(200, &[], json!({"id": GROUP}));
    let bench = Bench::new(vec![there(), says(200, &[], json!({"value": [item(&ids[0]), item(&ids[2])]}))]);
    let live = observe(&bench.client, &targets, &BTreeSet::new(), 8).await.unwrap();
    assert_eq!(live.keys().collect::<Vec<_>>(), [&ids[0], &ids[2]]);
    assert_eq!(bench.asked()[1], format!("GET {GROUP}/providers/T/t?api-version=1"));

    // A cloud that does not list is asked for each.
    let refused = says(403, &[], refusal("AuthorizationFailed"));
    let each = (0..3).map(|_| says(200, &[], json!({"id": "x"})));
    let bench = Bench::new([there(), refused].into_iter().chain(each).collect());
    assert_eq!(observe(&bench.client, &targets, &BTreeSet::new(), 1).await.unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_should_be_there_is_asked_for_twice() {
    let ids = [vnet(), ResourceId::new(GROUP).provider("T/t", "x")];
    let targets: Vec<_> = ids.iter().cloned().map(|id| (id, "1")).collect();
    let gone = || says(404, &[], refusal("ResourceNotFound"));
    let there = || says(200, &[], json!({"id": "x"}));
    let bench = Bench::new(vec![there(), gone(), gone(), there()]);
    let expected = BTreeSet::from([vnet()]);
    let live = observe(&bench.client, &targets, &expected, 1).await.unwrap();
    assert_eq!((live.keys().collect::<Vec<_>>(), bench.client.calls().total()), (vec![&ids[0]], 4));
}
