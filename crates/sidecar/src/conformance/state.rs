//! State.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{App, Fixture, Outcome, Recorder, check, ok, same, suite};
use crate::{Entry, Error, Match, Sidecar};

suite![
    a_missing_key_is_nothing,
    a_value_comes_back_as_it_was,
    anything_may_be_overwritten_when_asked_so,
    creating_makes_a_key_once,
    creating_a_key_that_exists_is_a_conflict,
    creating_a_key_that_was_overwritten_is_a_conflict,
    an_empty_value_is_not_nothing,
    a_key_is_swapped_by_its_etag,
    a_stale_etag_is_a_conflict,
    an_etag_that_never_was_is_a_conflict,
    of_many_swaps_none_is_lost,
    of_many_last_writers_all_are_heard,
    a_key_with_a_ttl_is_gone_when_its_time_is_over,
    a_key_written_without_a_ttl_stays,
    a_stale_etag_of_an_expired_key_is_a_conflict,
    many_keys_are_read_at_once,
    keys_belong_to_their_app,
    a_key_must_be_one_that_dapr_takes,
    state_survives_a_restart,
];

const NEVER: Option<Duration> = None;

async fn app(fixture: &dyn Fixture, id: &str) -> Arc<dyn Sidecar> {
    fixture.start(App::new(id, Arc::new(Recorder::new(vec![])))).await
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn put(sidecar: &Arc<dyn Sidecar>, key: &str, value: &str, expect: Match) -> Result<(), Error> {
    sidecar.put(key, bytes(value), expect, NEVER).await
}

async fn get(sidecar: &Arc<dyn Sidecar>, key: &str) -> Result<Option<Entry>, String> {
    ok(&format!("get {key}"), sidecar.get(key).await)
}

async fn value(sidecar: &Arc<dyn Sidecar>, key: &str) -> Result<Option<Bytes>, String> {
    Ok(get(sidecar, key).await?.map(|entry| entry.value))
}

async fn etag(sidecar: &Arc<dyn Sidecar>, key: &str) -> Result<Match, String> {
    Ok(Match::Etag(get(sidecar, key).await?.ok_or("the key is missing")?.etag))
}

async fn a_missing_key_is_nothing(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "missing").await;
    same("entry", get(&sidecar, "missing").await?, None)
}

async fn a_value_comes_back_as_it_was(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "back").await;
    for value in [r#"{"title":"Grüße","revision":7}"#, "text that is not JSON \"{", "1"] {
        ok("put", put(&sidecar, "back:1", value, Match::Any).await)?;
        let entry = get(&sidecar, "back:1").await?.ok_or("the key is missing")?;
        same("value", entry.value, bytes(value))?;
        check(!entry.etag.is_empty(), "an entry has an ETag")?;
    }
    Ok(())
}

async fn anything_may_be_overwritten_when_asked_so(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "any").await;
    ok("first", put(&sidecar, "any", "1", Match::Any).await)?;
    ok("second", put(&sidecar, "any", "2", Match::Any).await)?;
    same("value", value(&sidecar, "any").await?, Some(bytes("2")))
}

async fn creating_makes_a_key_once(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "once").await;
    ok("first", put(&sidecar, "once", "1", Match::Absent).await)?;
    check(put(&sidecar, "once", "2", Match::Absent).await.is_err(), "the second creation succeeded")?;
    same("value", value(&sidecar, "once").await?, Some(bytes("1")))
}

async fn creating_a_key_that_exists_is_a_conflict(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "exists").await;
    ok("first", put(&sidecar, "exists", "1", Match::Absent).await)?;
    same("second", put(&sidecar, "exists", "2", Match::Absent).await, Err(Error::Conflict))
}

async fn creating_a_key_that_was_overwritten_is_a_conflict(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "overwritten").await;
    ok("first", put(&sidecar, "overwritten", "1", Match::Any).await)?;
    ok("overwrite", put(&sidecar, "overwritten", "2", Match::Any).await)?;
    same("creation", put(&sidecar, "overwritten", "3", Match::Absent).await, Err(Error::Conflict))?;
    same("value", value(&sidecar, "overwritten").await?, Some(bytes("2")))
}

async fn an_empty_value_is_not_nothing(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "empty").await;
    ok("put", put(&sidecar, "empty", "", Match::Absent).await)?;
    same("value", value(&sidecar, "empty").await?, Some(Bytes::new()))?;
    let many = ok("get_many", sidecar.get_many(&["empty".into()]).await)?;
    same("in bulk", many, vec![get(&sidecar, "empty").await?])?;
    same("creation", put(&sidecar, "empty", "1", Match::Absent).await, Err(Error::Conflict))
}

async fn a_key_is_swapped_by_its_etag(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "swap").await;
    ok("create", put(&sidecar, "swap", "1", Match::Absent).await)?;
    let first = etag(&sidecar, "swap").await?;
    same("the ETag of an untouched key", etag(&sidecar, "swap").await?, first.clone())?;
    ok("swap", put(&sidecar, "swap", "2", first.clone()).await)?;
    same("value", value(&sidecar, "swap").await?, Some(bytes("2")))?;
    check(etag(&sidecar, "swap").await? != first, "the ETag did not change")
}

async fn a_stale_etag_is_a_conflict(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "stale").await;
    ok("create", put(&sidecar, "stale", "1", Match::Absent).await)?;
    let stale = etag(&sidecar, "stale").await?;
    ok("overwrite", put(&sidecar, "stale", "2", Match::Any).await)?;
    same("swap", put(&sidecar, "stale", "3", stale).await, Err(Error::Conflict))?;
    same("value", value(&sidecar, "stale").await?, Some(bytes("2")))
}

async fn an_etag_that_never_was_is_a_conflict(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "never").await;
    ok("put", put(&sidecar, "never", "1", Match::Any).await)?;
    for etag in ["", "0", "-0", "999999", "nonsense"] {
        let swapped = put(&sidecar, "never", "2", Match::Etag(etag.to_owned())).await;
        same(&format!("etag `{etag}`"), swapped, Err(Error::Conflict))?;
    }
    same("value", value(&sidecar, "never").await?, Some(bytes("1")))
}

async fn of_many_swaps_none_is_lost(fixture: &dyn Fixture) -> Outcome {
    const WRITERS: u32 = 8;
    const EACH: u32 = 10;
    let sidecar = app(fixture, "swaps").await;
    ok("create", put(&sidecar, "swaps", "0", Match::Absent).await)?;
    let writers = (0..WRITERS).map(|_| async {
        let mut done = 0;
        while done < EACH {
            let entry = get(&sidecar, "swaps").await?.ok_or("the key is missing")?;
            let count: u32 = ok("count", String::from_utf8_lossy(&entry.value).parse())?;
            match put(&sidecar, "swaps", &(count + 1).to_string(), Match::Etag(entry.etag)).await {
                Ok(()) => done += 1,
                Err(Error::Conflict) => {}
                Err(error) => return Err(format!("swap: {error:?}")),
            }
        }
        Ok(())
    });
    futures::future::try_join_all(writers).await?;
    same("count", value(&sidecar, "swaps").await?, Some(bytes(&(WRITERS * EACH).to_string())))
}

async fn of_many_last_writers_all_are_heard(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "last").await;
    let writes = (0..8).map(|n| {
        let sidecar = &sidecar;
        async move { put(sidecar, "last", &n.to_string(), Match::Any).await }
    });
    for written in futures::future::join_all(writes).await {
        ok("put", written)?;
    }
    check(value(&sidecar, "last").await?.is_some(), "the key is missing")
}

async fn a_key_with_a_ttl_is_gone_when_its_time_is_over(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "ttl").await;
    let ttl = Some(Duration::from_secs(3));
    ok("put", sidecar.put("ttl", bytes("1"), Match::Any, ttl).await)?;
    same("before", value(&sidecar, "ttl").await?, Some(bytes("1")))?;
    fixture.pass(Duration::from_secs(4)).await;
    same("after", get(&sidecar, "ttl").await?, None)?;
    same("in bulk", ok("get", sidecar.get_many(&["ttl".into()]).await)?, vec![None])?;
    ok("create again", put(&sidecar, "ttl", "2", Match::Absent).await)?;
    let nothing = sidecar.put("ttl", bytes("1"), Match::Any, Some(Duration::ZERO)).await;
    check(matches!(nothing, Err(Error::Refused(_))), format!("a TTL of zero: {nothing:?}"))
}

async fn a_key_written_without_a_ttl_stays(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "stays").await;
    ok("with", sidecar.put("stays", bytes("1"), Match::Any, Some(Duration::from_secs(2))).await)?;
    ok("without", put(&sidecar, "stays", "2", Match::Any).await)?;
    fixture.pass(Duration::from_secs(3)).await;
    same("value", value(&sidecar, "stays").await?, Some(bytes("2")))
}

async fn a_stale_etag_of_an_expired_key_is_a_conflict(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "expired").await;
    ok("put", sidecar.put("expired", bytes("1"), Match::Any, Some(Duration::from_secs(3))).await)?;
    let stale = etag(&sidecar, "expired").await?;
    fixture.pass(Duration::from_secs(4)).await;
    same("swap", put(&sidecar, "expired", "2", stale.clone()).await, Err(Error::Conflict))?;
    ok("create", put(&sidecar, "expired", "3", Match::Absent).await)?;
    same("swap of the new one", put(&sidecar, "expired", "4", stale).await, Err(Error::Conflict))
}

async fn many_keys_are_read_at_once(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "bulk").await;
    for n in 0..50 {
        ok("put", put(&sidecar, &format!("bulk:{n}"), &n.to_string(), Match::Any).await)?;
    }
    let keys: Vec<String> = (0..60).rev().map(|n| format!("bulk:{n}")).collect();
    let entries = ok("get_many", sidecar.get_many(&keys).await)?;
    let values: Vec<_> = entries.iter().map(|entry| entry.as_ref().map(|entry| entry.value.clone())).collect();
    let expected: Vec<_> = (0..60).rev().map(|n| (n < 50).then(|| bytes(&n.to_string()))).collect();
    same("values", values, expected)?;
    let one = get(&sidecar, "bulk:7").await?;
    same("entry", entries[60 - 1 - 7].clone(), one)?;
    same("none", ok("get_many", sidecar.get_many(&[]).await)?, vec![])
}

async fn keys_belong_to_their_app(fixture: &dyn Fixture) -> Outcome {
    let (one, two) = (app(fixture, "own-one").await, app(fixture, "own-two").await);
    ok("put", put(&one, "own", "1", Match::Any).await)?;
    same("another app's entry", get(&two, "own").await?, None)?;
    ok("create", put(&two, "own", "2", Match::Absent).await)?;
    same("value", value(&one, "own").await?, Some(bytes("1")))
}

async fn a_key_must_be_one_that_dapr_takes(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "keys").await;
    for key in ["", "a||b", "||"] {
        let written = put(&sidecar, key, "1", Match::Any).await;
        check(matches!(written, Err(Error::Refused(_))), format!("put of `{key}`: {written:?}"))?;
        let read = sidecar.get(key).await;
        check(matches!(read, Err(Error::Refused(_))), format!("get of `{key}`: {read:?}"))?;
        let read = sidecar.get_many(&["fine".into(), key.into()]).await;
        check(matches!(read, Err(Error::Refused(_))), format!("get_many of `{key}`: {read:?}"))?;
    }
    ok("a colon and one bar", put(&sidecar, "reminder:1|2", "1", Match::Any).await)
}

async fn state_survives_a_restart(fixture: &dyn Fixture) -> Outcome {
    let sidecar = app(fixture, "survives").await;
    ok("put", put(&sidecar, "survives", "1", Match::Any).await)?;
    let before = get(&sidecar, "survives").await?;
    let sidecar = fixture.restart("survives").await;
    same("entry", get(&sidecar, "survives").await?, before)
}
