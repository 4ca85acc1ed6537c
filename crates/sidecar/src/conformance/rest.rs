//! Secrets, bindings, outages.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;

use super::{App, BINDING, Fixture, Outcome, Recorder, SECRET, SECRET_VALUE, check, ok, same, suite};
use crate::{CloudEvent, Error, Match};

suite![
    a_secret_is_found_by_its_name,
    a_secret_that_does_not_exist_is_not_found,
    a_binding_ticks_at_its_interval,
    an_app_ticks_only_for_its_own_bindings,
    without_its_store_a_sidecar_is_unavailable,
];

async fn a_secret_is_found_by_its_name(fixture: &dyn Fixture) -> Outcome {
    let sidecar = fixture.start(App::new("secret", Arc::new(Recorder::new(vec![])))).await;
    let secret = ok("secret", sidecar.secret(SECRET).await)?;
    check(secret.expose() == SECRET_VALUE, "it has another value")
}

async fn a_secret_that_does_not_exist_is_not_found(fixture: &dyn Fixture) -> Outcome {
    let sidecar = fixture.start(App::new("nosecret", Arc::new(Recorder::new(vec![])))).await;
    same("secret", sidecar.secret("no-such-secret").await, Err(Error::NotFound))
}

async fn a_binding_ticks_at_its_interval(fixture: &dyn Fixture) -> Outcome {
    let recorder = Arc::new(Recorder::new(vec![]).with_binding(BINDING));
    fixture.start(App::new("ticks", recorder.clone())).await;
    fixture.pass(fixture.interval()).await;
    recorder.ticked(fixture.deadline(), BINDING, 1).await?;
    fixture.pass(fixture.interval()).await;
    recorder.ticked(fixture.deadline(), BINDING, 2).await
}

async fn an_app_ticks_only_for_its_own_bindings(fixture: &dyn Fixture) -> Outcome {
    let other = Arc::new(Recorder::new(vec![]));
    fixture.start(App::new("noticks", other.clone())).await;
    let recorder = Arc::new(Recorder::new(vec![]).with_binding(BINDING));
    fixture.start(App::new("owner", recorder.clone())).await;
    fixture.pass(fixture.interval()).await;
    recorder.ticked(fixture.deadline(), BINDING, 1).await?;
    same("ticks of the other app", other.ticks(), 0)
}

async fn without_its_store_a_sidecar_is_unavailable(fixture: &dyn Fixture) -> Outcome {
    let sidecar = fixture.start(App::new("cut", Arc::new(Recorder::new(vec![])))).await;
    ok("put", sidecar.put("cut", Bytes::from_static(b"0"), Match::Absent, None).await)?;
    let etag = ok("get", sidecar.get("cut").await)?.ok_or("the key is missing")?.etag;
    fixture.cut_off().await;
    let event = CloudEvent {
        id: "cut".into(),
        type_: "com.todo.conformance".into(),
        source: "/sidecar/conformance".into(),
        subject: None,
        time: DateTime::UNIX_EPOCH,
        data: serde_json::Value::Null,
        extensions: BTreeMap::new(),
    };
    let results = [
        ("publish", sidecar.publish("cut", &event).await),
        ("publish_many", sidecar.publish_many("cut", &[event]).await.remove(0)),
        ("get", sidecar.get("cut").await.map(drop)),
        ("get_many", sidecar.get_many(&["cut".into()]).await.map(drop)),
        ("put", sidecar.put("cut", Bytes::from_static(b"1"), Match::Any, None).await),
        ("create", sidecar.put("cut", Bytes::from_static(b"2"), Match::Absent, None).await),
        ("swap", sidecar.put("cut", Bytes::from_static(b"3"), Match::Etag(etag), None).await),
    ];
    for (what, result) in results {
        let passing = result.as_ref().is_err_and(Error::is_passing);
        check(passing, format!("{what}: {result:?}"))?;
    }
    Ok(())
}
