//! The two shells: the same answers, time, persistence, TLS.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{HttpClient, Method, Request as AzureRequest, StatusCode, Url};
use serde_json::{Value, json};

use crate::sandbox::fault::{Fault, Misfortune};
use crate::sandbox::server::{Server, Tls};
use crate::sandbox::{Sandbox, World};

const GROUP: &str = "/resourceGroups/g?api-version=2021-04-01";
const STORAGE: &str = "/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/stg1?api-version=2023-05-01";
const IP: &str = "/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p?api-version=2025-01-01";

fn request(method: Method, url: &str, body: Option<&Value>) -> AzureRequest {
    let mut request = AzureRequest::new(Url::parse(url).unwrap(), method);
    request.insert_header("authorization", "Bearer t");
    if let Some(body) = body {
        request.insert_header("content-type", "application/json");
        request.set_body(body.to_string());
    }
    request
}

/// Status, polling headers and body, with the origin taken out.
async fn ask(
    client: &dyn HttpClient,
    origin: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (StatusCode, Vec<String>, String) {
    let reply = client.execute_request(&request(method, &format!("{origin}{path}"), body)).await.unwrap();
    let reply = reply.try_into_raw_response().await.unwrap();
    let names = ["azure-asyncoperation", "location", "retry-after", "x-ms-request-id", "etag"];
    let headers = names
        .iter()
        .filter_map(|name| reply.headers().get_optional_str(&azure_core::http::headers::HeaderName::from_static(name)))
        .map(|value| value.replace(origin, ""))
        .collect();
    let text = String::from_utf8(reply.body().to_vec()).unwrap();
    (reply.status(), headers, text)
}

/// A small story, told to either shell.
async fn story(client: &dyn HttpClient, origin: &str, world: &World) -> Vec<(StatusCode, Vec<String>, String)> {
    let base = format!("/subscriptions/{}", world.subscription);
    let group = json!({"location": "westeurope"});
    let storage = json!({"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
    let ip = json!({"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}});
    let mut told = Vec::new();
    for (method, path, body) in [
        (Method::Put, GROUP, Some(&group)),
        (Method::Head, GROUP, None),
        (Method::Put, STORAGE, Some(&storage)),
        (Method::Put, IP, Some(&ip)),
        (Method::Put, IP, Some(&ip)),
        (Method::Get, IP, None),
        (Method::Get, "/resourceGroups/none?api-version=2021-04-01", None),
        (Method::Get, "/resourceGroups/g/resources?api-version=2021-04-01&$filter=resourceType%20eq%20'x'", None),
        (Method::Delete, GROUP, None),
    ] {
        told.push(ask(client, origin, method, &format!("{base}{path}"), body).await);
    }
    told
}

/// A server task that ends with the test.
struct Running(tokio::task::JoinHandle<()>, String);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn run(sandbox: Sandbox, tls: Option<&Tls>) -> Running {
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), sandbox, tls).await.unwrap();
    let origin = server.origin();
    Running(tokio::spawn(async move { server.run().await.unwrap() }), origin)
}

#[tokio::test]
async fn both_shells_answer_alike() {
    let (inside, outside) = (Sandbox::holding(World::new(3), 20.0), Sandbox::holding(World::new(3), 20.0));
    let world = inside.world().clone();
    let server = run(outside, None).await;
    let http = azure_core::http::new_http_client(None);
    let direct = story(&inside, "https://management.azure.com", &world).await;
    let wired = story(http.as_ref(), &server.1, &world).await;
    assert_eq!(direct, wired);
    assert_eq!(direct[0].0, StatusCode::Created);
    // Storage asks for 17 seconds; at twenty times the speed that is one.
    assert!(direct[2].1.contains(&"1".to_owned()), "{:?}", direct[2].1);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_runs_six_minutes_at_once() {
    let sandbox = Sandbox::fresh(1.0);
    let wall = std::time::Instant::now();
    let before = sandbox.clock().now();
    let url = format!("https://management.azure.com/subscriptions/{}{GROUP}", sandbox.world().subscription.clone());
    sandbox.execute_request(&request(Method::Put, &url, Some(&json!({"location": "westeurope"})))).await.unwrap();
    assert_eq!(sandbox.clock().now(), before + Duration::from_millis(600));
    sandbox.clock().sleep(Duration::from_secs(360)).await;
    assert!(wall.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_world_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/sandbox.json");
    let speed = 1000.0;
    let first = Sandbox::open(&file, speed).unwrap();
    let subscription = first.world().subscription.clone();
    let url = |path: &str| format!("https://management.azure.com/subscriptions/{subscription}{path}");
    first.execute_request(&request(Method::Put, &url(GROUP), Some(&json!({"location": "westeurope"})))).await.unwrap();
    let ip = json!({"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}});
    first.execute_request(&request(Method::Put, &url(IP), Some(&ip))).await.unwrap();
    // Nothing is said to the first one any more: it is as if it were killed.
    std::thread::sleep(Duration::from_millis(20));
    let second = Sandbox::open(&file, speed).unwrap();
    assert_eq!(second.world().subscription, subscription);
    assert!(second.clock().now() > Duration::from_secs(15));
    let read = second.execute_request(&request(Method::Get, &url(IP), None)).await.unwrap();
    let body = String::from_utf8(read.try_into_raw_response().await.unwrap().body().to_vec()).unwrap();
    assert!(body.contains("203.0.113.4"), "{body}");
    std::fs::write(&file, "{}").unwrap();
    assert!(Sandbox::open(&file, speed).is_err());
}

#[test]
fn a_world_round_trips() {
    let mut bench = super::Bench::new();
    bench.network();
    bench.workspace();
    bench.world.faults.push(Fault::once("PUT", "x", Misfortune::DropReply));
    let text = serde_json::to_string(&bench.world).unwrap();
    assert_eq!(serde_json::from_str::<World>(&text).unwrap(), bench.world);
}

#[tokio::test]
async fn a_lost_reply_is_an_io_error_in_both_shells() {
    let sandbox = Sandbox::fresh(100.0);
    let server = run(sandbox.clone(), None).await;
    let subscription = sandbox.world().subscription.clone();
    let body = json!({"location": "westeurope"});
    let http: Arc<dyn HttpClient> = azure_core::http::new_http_client(None);
    let direct: Arc<dyn HttpClient> = Arc::new(sandbox.clone());
    for (client, origin, name) in [(&direct, "https://management.azure.com", "a"), (&http, server.1.as_str(), "b")] {
        sandbox.world().faults.push(Fault::once("PUT", "", Misfortune::DropReply));
        let url = format!("{origin}/subscriptions/{subscription}/resourceGroups/{name}?api-version=2021-04-01");
        let outcome = match client.execute_request(&request(Method::Put, &url, Some(&body))).await {
            Ok(reply) => reply.try_into_raw_response().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(outcome.is_err());
    }
    assert_eq!(sandbox.world().resources.len(), 2);
}

#[tokio::test]
async fn the_credential_fits() {
    let sandbox = Sandbox::fresh(1000.0);
    let token = sandbox.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    let mut asked = request(Method::Get, "https://management.azure.com/subscriptions?api-version=2022-12-01", None);
    asked.insert_header("authorization", format!("Bearer {}", token.token.secret()));
    assert_eq!(sandbox.execute_request(&asked).await.unwrap().status(), StatusCode::Ok);
    assert_eq!(format!("{:?}", sandbox.credential()), "SandboxCredential");
}

#[tokio::test]
async fn https_is_trusted_through_the_written_authority() {
    use rustls::pki_types::pem::PemObject;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls { ca_file: folder.path().join("ca.pem") };
    let server = run(Sandbox::fresh(1000.0), Some(&tls)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(&tls.ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = server.1.strip_prefix("https://").unwrap();
    let socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    let ask =
        format!("GET /metadata/endpoints?api-version=2022-09-01 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut text = String::new();
    // The server may close without a TLS farewell; what came before counts.
    drop(stream.read_to_string(&mut text).await);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains(&format!("\"resourceManager\":\"{}\"", server.1)), "{text}");
}
