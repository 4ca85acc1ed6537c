//! State.

use std::time::Duration;

use dapr::dapr::proto::common::v1::state_options::StateConcurrency;
use todo_sidecar::conformance::{App, Fixture};
use tonic::Code;

use super::{Raw, nothing};
use crate::daprd::Daprds;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_and_last_writes_do_not_mix() {
    use StateConcurrency::{ConcurrencyFirstWrite as First, ConcurrencyLastWrite as Last};
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let options = daprds.run(App::new("mixed", nothing())).await;
    let mut raw = Raw::new(&options);
    raw.save("first", "1", None, First, None).await.unwrap();
    let again = raw.save("first", "2", None, First, None).await.unwrap_err();
    assert_eq!(again.code(), Code::Internal, "not Aborted: {again:?}");
    let over = raw.save("first", "2", None, Last, None).await.unwrap_err();
    assert_eq!(over.code(), Code::Internal, "a first write can never be overwritten unseen: {over:?}");
    raw.save("last", "1", None, Last, None).await.unwrap();
    raw.save("last", "2", None, First, None).await.expect("a first write of a key that exists");
    assert_eq!(raw.get("last").await, ("2".into(), "2".into()));
    raw.save("zero", "1", None, Last, None).await.unwrap();
    raw.save("zero", "2", Some("0"), First, None).await.expect("an ETag of 0 is none");
    raw.save("gone", "1", Some("7"), First, None).await.expect("a stale ETag of a key that is gone");
    assert_eq!(raw.get("gone").await, ("1".into(), "1".into()), "versions begin at 1 again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ttl_outlives_the_value_it_was_given_to() {
    use StateConcurrency::ConcurrencyFirstWrite as First;
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let options = daprds.run(App::new("outlives", nothing())).await;
    let mut raw = Raw::new(&options);
    for key in ["kept", "ended"] {
        raw.save(key, "1", None, First, Some("3")).await.unwrap();
    }
    raw.save("kept", "2", Some("1"), First, None).await.unwrap();
    raw.save("ended", "2", Some("1"), First, Some("-1")).await.unwrap();
    daprds.pass(Duration::from_secs(4)).await;
    assert_eq!(raw.get("kept").await.0, "");
    assert_eq!(raw.get("ended").await.0, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_without_a_store_is_aborted_as_if_it_were_stale() {
    if !todo_test_dapr::installed() {
        return;
    }
    let daprds = Daprds::new().await;
    let options = daprds.run(App::new("aborted", nothing())).await;
    let mut raw = Raw::new(&options);
    raw.save("key", "1", None, StateConcurrency::ConcurrencyFirstWrite, None).await.unwrap();
    daprds.cut_off().await;
    let status = raw.save("key", "2", Some("1"), StateConcurrency::ConcurrencyFirstWrite, None).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
}
