//! Any requests to the embedded ARM, one after the other: each gets an answer in ARM's words, and the world stays one that
//! can be kept on disk and looked at.

use std::time::Duration;

use privaml::sandbox::{Request, World, respond};

use super::http::{Message, parts};
use super::is_steady;

/// The target; the header `x-after` says how many seconds pass before a request.
///
/// # Panics
/// When a promise is broken.
pub fn run(data: &[u8]) {
    let mut world = World::new(7);
    "s".clone_into(&mut world.subscription);
    let mut now = Duration::ZERO;
    for part in parts(data).take(30) {
        let message = Message::read(part);
        let (method, target) = message.first.split_once(' ').unwrap_or((&message.first, "/"));
        let mut request = Request::new(method, target).header("authorization", "Bearer t");
        let after = message.header("x-after").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
        now += Duration::from_secs(after.into());
        request.headers.extend(message.headers.iter().cloned());
        request.body = message.body.to_vec();
        answered(&mut world, now, &request);
    }
    let kept = serde_json::to_string(&world).expect("a world is JSON");
    let read: World = serde_json::from_str(&kept).expect("a kept world is read");
    let steady = serde_json::to_value(&world).is_ok_and(|world| is_steady(&world));
    assert!(!steady || read == world, "a world changes on the way through its file");
}

fn answered(world: &mut World, now: Duration, request: &Request) {
    let reply = respond(world, now, request);
    assert!((200..600).contains(&reply.status), "{} {}: {}", request.method, request.path, reply.status);
    assert!(
        reply.status < 400 || request.method == "HEAD" || reply.code().is_some_and(|code| !code.is_empty()),
        "{} {}: {} without a code",
        request.method,
        request.path,
        reply.status
    );
    assert!(reply.headers.contains_key("x-ms-request-id"));
    assert!(world.now >= now, "time runs backwards");
    let _ = reply.bytes();
    for (key, resource) in &world.resources {
        assert_eq!(*key, resource.id.key());
    }
}
