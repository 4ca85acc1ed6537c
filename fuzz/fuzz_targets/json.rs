//! Any JSON as a request of any public rpc. What is read can be written, and reads as the same again.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use prost_reflect::MessageDescriptor;
use todo_proto::json::{Options, from_json, pool, to_json};

static REQUESTS: LazyLock<Vec<MessageDescriptor>> =
    LazyLock::new(|| pool().services().flat_map(|service| service.methods().map(|it| it.input()).collect::<Vec<_>>()).collect());

fuzz_target!(|input: (u8, &[u8])| {
    let (which, text) = input;
    let Ok(json) = serde_json::from_slice(text) else { return };
    let descriptor = &REQUESTS[usize::from(which) % REQUESTS.len()];
    let Ok(message) = from_json(descriptor, &json, &Options::event()) else { return };
    let written = to_json(&message);
    let again = from_json(descriptor, &written, &Options::event());
    assert!(again.is_ok_and(|again| to_json(&again) == written), "{json} became {written}");
});
