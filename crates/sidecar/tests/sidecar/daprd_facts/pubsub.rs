//! Publishing.

use bytes::Bytes;
use serde_json::json;
use todo_sidecar::{CloudEvent, DaprSidecar, Error, Match, Sidecar};

use super::{DEADLINE, Raw, eventually, listening};
use crate::support::event;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_as_json_comes_in_an_envelope_of_daprds() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (_daprds, options, recorder) = listening("wrapped").await;
    Raw::new(&options).publish("wrapped", "application/json", br#"{"type":"ours"}"#.to_vec()).await;
    let seen = recorder.until(DEADLINE, "one event", |seen| !seen.is_empty()).await.unwrap();
    assert_eq!(seen[0].event.type_, "com.dapr.event.sent");
    assert_eq!(seen[0].event.data, json!({"type": "ours"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_traceparent_is_overwritten_unless_a_traceid_stands_beside_it() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (_daprds, options, recorder) = listening("traced").await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut traced = event("traced");
    traced.extensions.insert("traceparent".into(), trace.into());
    Raw::new(&options).publish("traced", "application/cloudevents+json", traced.to_json()).await;
    let arrived = recorder.first(DEADLINE, "traced").await.unwrap().event;
    assert_ne!(arrived.extensions.get("traceparent").map(String::as_str), Some(trace));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_the_data_go_through_a_float_and_data_without_a_content_type_is_lost() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (_daprds, options, recorder) = listening("numbers").await;
    let sidecar = DaprSidecar::new(options.clone()).unwrap();
    let large = CloudEvent { data: json!({"exact": 1_i64 << 53, "rounded": (1_i64 << 53) + 1}), ..event("large") };
    sidecar.publish("numbers", &large).await.unwrap();
    let arrived = recorder.first(DEADLINE, "large").await.unwrap().event;
    assert_eq!(arrived.data, json!({"exact": 1_i64 << 53, "rounded": 1_i64 << 53}));

    let mut envelope: serde_json::Value = serde_json::from_slice(&event("untyped").to_json()).unwrap();
    envelope.as_object_mut().unwrap().remove("datacontenttype");
    Raw::new(&options).publish("numbers", "application/cloudevents+json", envelope.to_string().into_bytes()).await;
    let arrived = recorder.first(DEADLINE, "untyped").await.unwrap().event;
    assert_eq!(arrived.data, serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_app_cannot_read_becomes_a_dead_letter() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (daprds, options, recorder) = listening("unreadable").await;
    let mut raw = Raw::new(&options);
    raw.publish("unreadable", "text/plain", b"not an event of ours".to_vec()).await;
    raw.publish("unreadable", "application/cloudevents+json", br#"{"id":"x","time":"yesterday"}"#.to_vec()).await;
    let sidecar = DaprSidecar::new(options).unwrap();
    sidecar.publish("unreadable", &event("good")).await.unwrap();
    recorder.first(DEADLINE, "good").await.unwrap();
    let redis = daprds.redis().await;
    eventually("two dead letters", || redis.ask("XLEN unreadable-dead-letter") == ":2\r\n").await;
    assert_eq!(recorder.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_comes_back_is_used_again_though_it_be_empty() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (daprds, options, recorder) = listening("emptied").await;
    let sidecar = DaprSidecar::new(options).unwrap();
    sidecar.publish("emptied", &event("before")).await.unwrap();
    recorder.first(DEADLINE, "before").await.unwrap();
    sidecar.put("key", Bytes::from_static(b"1"), Match::Absent, None).await.unwrap();
    let stored = sidecar.get("key").await.unwrap();
    for (id, keep_data, expected) in [("kept", true, stored), ("lost", false, None)] {
        let mut redis = daprds.redis().await;
        tokio::task::block_in_place(|| redis.restart(keep_data));
        drop(redis);
        sidecar.publish("emptied", &event(id)).await.unwrap();
        recorder.first(DEADLINE, id).await.unwrap();
        assert_eq!(sidecar.get("key").await, Ok(expected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_that_cannot_be_published_fails_its_whole_batch_in_name() {
    if !todo_test_dapr::installed() {
        return;
    }
    let (daprds, options, recorder) = listening("batch").await;
    let sidecar = DaprSidecar::new(options).unwrap();
    assert_eq!(daprds.redis().await.ask("CONFIG SET proto-max-bulk-len 1mb"), "+OK\r\n");
    // daprd writes each of these as six characters.
    let large = CloudEvent { data: json!({"text": "<".repeat(300_000)}), ..event("large") };
    let results = sidecar.publish_many("batch", &[event("a"), large, event("b")]).await;
    assert!(results.iter().all(|result| result.as_ref().is_err_and(Error::is_passing)), "{results:?}");
    // They were published all the same; the caller publishes them again under the same ids.
    recorder.first(DEADLINE, "a").await.unwrap();
    recorder.first(DEADLINE, "b").await.unwrap();
}
