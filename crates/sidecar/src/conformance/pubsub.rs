//! Publishing and delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;
use serde_json::json;

use super::{Answer, App, Fixture, Outcome, Recorder, check, ok, same, suite};
use crate::{Ack, CloudEvent, DEAD_LETTER_APP, DEAD_LETTER_REASON, Delivery, Error, Subscription, TOPIC};

suite![
    an_event_arrives_as_it_was_published,
    what_is_published_while_nobody_listens_is_kept,
    many_events_at_once_all_arrive,
    an_invalid_event_is_refused_and_its_neighbours_go_on,
    every_app_gets_every_event,
    replicas_of_an_app_share_its_events,
    a_retry_brings_the_same_event_again,
    a_delivery_counts_its_retries,
    a_panic_is_a_retry,
    a_dropped_event_becomes_a_dead_letter_with_its_topic,
    a_dead_letter_says_why_and_of_whom,
    used_up_retries_end_in_the_dead_letter,
    a_poison_event_does_not_hold_up_the_good_ones,
    a_hanging_handler_does_not_hold_up_the_others,
    types_that_nobody_handles_are_acknowledged_unseen,
    an_unacknowledged_event_comes_again_after_a_restart,
    all_that_was_not_done_comes_again_after_a_restart,
];

fn event(id: &str) -> CloudEvent {
    CloudEvent {
        id: id.to_owned(),
        type_: "com.todo.conformance".into(),
        source: "/sidecar/conformance".into(),
        subject: Some("a subject".into()),
        time: DateTime::from_timestamp_micros(1_772_000_000_123_456).unwrap_or_default(),
        data: json!({"title": "Grüße \u{1f44b}", "revision": 9_007_199_254_740_991_i64, "tags": [], "due_date": null}),
        extensions: BTreeMap::from([("partitionkey".into(), "user-1".into())]),
    }
}

/// A subscription without a dead letter.
fn plain(topic: &str) -> Subscription {
    Subscription { topic: topic.to_owned(), dead_letter_topic: None, types: Vec::new() }
}

fn ids(seen: &[Delivery]) -> BTreeSet<&str> {
    seen.iter().map(|delivery| delivery.event.id.as_str()).collect()
}

/// An app that listens on a topic's dead letters.
async fn undertaker(fixture: &dyn Fixture, id: &str, topic: &str) -> Arc<Recorder> {
    let recorder = Arc::new(Recorder::new(vec![plain(&format!("{topic}-dead-letter"))]));
    fixture.start(App::new(format!("{id}-undertaker"), recorder.clone())).await;
    recorder
}

async fn an_event_arrives_as_it_was_published(fixture: &dyn Fixture) -> Outcome {
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("arrives")]));
    let sidecar = fixture.start(App::new("arrives", recorder.clone())).await;
    let mut event = event("arrives-1");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    event.extensions.insert("traceparent".into(), trace.into());
    event.extensions.insert("tracestate".into(), "vendor=1".into());
    ok("publish", sidecar.publish("arrives", &event).await)?;
    let delivery = recorder.first(fixture.deadline(), "arrives-1").await?;
    same("topic", delivery.topic.as_str(), "arrives")?;
    for (name, value) in &event.extensions {
        same(name, delivery.event.extensions.get(name), Some(value))?;
    }
    // The sidecar may add extensions of its own.
    let arrived = CloudEvent { extensions: event.extensions.clone(), ..delivery.event };
    same("event", arrived, event)
}

async fn what_is_published_while_nobody_listens_is_kept(fixture: &dyn Fixture) -> Outcome {
    let publisher = fixture.start(App::new("kept-publisher", Arc::new(Recorder::new(vec![])))).await;
    ok("publish", publisher.publish("kept", &event("kept-1")).await)?;
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("kept")]));
    fixture.start(App::new("kept", recorder.clone())).await;
    recorder.first(fixture.deadline(), "kept-1").await.map(drop)
}

async fn many_events_at_once_all_arrive(fixture: &dyn Fixture) -> Outcome {
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("many")]));
    let sidecar = fixture.start(App::new("many", recorder.clone())).await;
    let events: Vec<_> = (0..300).map(|n| event(&format!("many-{n}"))).collect();
    let results = sidecar.publish_many("many", &events).await;
    same("results", results.len(), events.len())?;
    for result in results {
        ok("publish", result)?;
    }
    recorder.until(fixture.deadline(), "300 events", |seen| ids(seen).len() == 300).await.map(drop)
}

async fn an_invalid_event_is_refused_and_its_neighbours_go_on(fixture: &dyn Fixture) -> Outcome {
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("invalid")]));
    let sidecar = fixture.start(App::new("invalid", recorder.clone())).await;
    let mut invalid = event("invalid-2");
    invalid.source.clear();
    let results = sidecar.publish_many("invalid", &[event("invalid-1"), invalid.clone(), event("invalid-3")]).await;
    check(
        matches!(&results[..], [Ok(()), Err(Error::Refused(why)), Ok(())] if why.contains("source")),
        format!("{results:?}"),
    )?;
    let alone = sidecar.publish("invalid", &invalid).await;
    check(matches!(alone, Err(Error::Refused(_))), format!("alone: {alone:?}"))?;
    let nowhere = sidecar.publish("", &event("invalid-4")).await;
    check(matches!(nowhere, Err(Error::Refused(_))), format!("without a topic: {nowhere:?}"))?;
    recorder.first(fixture.deadline(), "invalid-1").await?;
    recorder.first(fixture.deadline(), "invalid-3").await?;
    same("deliveries of the invalid one", recorder.count("invalid-2"), 0)
}

async fn every_app_gets_every_event(fixture: &dyn Fixture) -> Outcome {
    let one = Arc::new(Recorder::new(vec![Subscription::new("every")]));
    let two = Arc::new(Recorder::new(vec![Subscription::new("every")]));
    let sidecar = fixture.start(App::new("every-one", one.clone())).await;
    fixture.start(App::new("every-two", two.clone())).await;
    for n in 0..10 {
        ok("publish", sidecar.publish("every", &event(&format!("every-{n}"))).await)?;
    }
    for app in [one, two] {
        app.until(fixture.deadline(), "10 events", |seen| ids(seen).len() == 10).await?;
    }
    Ok(())
}

async fn replicas_of_an_app_share_its_events(fixture: &dyn Fixture) -> Outcome {
    // Both note what they get in the same place.
    let recorder = Arc::new(Recorder::new(vec![Subscription::new("shared")]));
    fixture.start(App::new("shared", recorder.clone())).await;
    let sidecar = fixture.start(App::new("shared", recorder.clone())).await;
    for n in 0..40 {
        ok("publish", sidecar.publish("shared", &event(&format!("shared-{n}"))).await)?;
    }
    let seen = recorder.until(fixture.deadline(), "40 events", |seen| ids(seen).len() == 40).await?;
    same("deliveries", seen.len(), 40)
}

/// Answers with `first` the first time and then with success.
fn only_first(first: fn() -> Answer) -> impl Fn(&Delivery, usize) -> Answer {
    move |_, before| if before == 0 { first() } else { Answer::Ack(Ack::Success) }
}

async fn comes_twice(fixture: &dyn Fixture, name: &str, first: fn() -> Answer) -> Result<Vec<Delivery>, String> {
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new(name)], only_first(first)));
    let sidecar = fixture.start(App::new(name, recorder.clone())).await;
    ok("publish", sidecar.publish(name, &event(name)).await)?;
    let seen = recorder.until(fixture.deadline(), "two deliveries", |seen| seen.len() >= 2).await?;
    same("event", seen[0].event.clone(), seen[1].event.clone())?;
    same("topic", seen[0].topic.clone(), seen[1].topic.clone())?;
    Ok(seen)
}

async fn a_retry_brings_the_same_event_again(fixture: &dyn Fixture) -> Outcome {
    comes_twice(fixture, "retry", || Answer::Ack(Ack::Retry("later".into()))).await.map(drop)
}

async fn a_delivery_counts_its_retries(fixture: &dyn Fixture) -> Outcome {
    let seen = comes_twice(fixture, "counts", || Answer::Ack(Ack::Retry("later".into()))).await?;
    same("retries", (seen[0].retries, seen[1].retries), (0, 1))
}

async fn a_panic_is_a_retry(fixture: &dyn Fixture) -> Outcome {
    comes_twice(fixture, "panic", || Answer::Panic).await.map(drop)
}

/// Publishes one event that is never handled; answers with its dead letter and how often it was tried.
async fn buried(fixture: &dyn Fixture, name: &str, ack: Ack) -> Result<(Delivery, usize), String> {
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new(name)], move |_, _| Answer::Ack(ack.clone())));
    let sidecar = fixture.start(App::new(name, recorder.clone())).await;
    let undertaker = undertaker(fixture, name, name).await;
    ok("publish", sidecar.publish(name, &event(name)).await)?;
    let letter = undertaker.first(fixture.deadline(), name).await?;
    same("topic", letter.topic.clone(), format!("{name}-dead-letter"))?;
    Ok((letter, recorder.count(name)))
}

async fn a_dropped_event_becomes_a_dead_letter_with_its_topic(fixture: &dyn Fixture) -> Outcome {
    let (letter, tries) = buried(fixture, "dropped", Ack::Drop("unreadable".into())).await?;
    same("tries", tries, 1)?;
    same("original topic", letter.event.extensions.get(TOPIC).map(String::as_str), Some("dropped"))?;
    same("partition key", letter.event.extensions.get("partitionkey").map(String::as_str), Some("user-1"))?;
    let original = event("dropped");
    same("event", CloudEvent { extensions: original.extensions.clone(), ..letter.event }, original)
}

async fn a_dead_letter_says_why_and_of_whom(fixture: &dyn Fixture) -> Outcome {
    let (letter, _) = buried(fixture, "why", Ack::Drop("unreadable:\nno owner".into())).await?;
    let extension = |name: &str| letter.event.extensions.get(name).map(String::as_str);
    same("reason", extension(DEAD_LETTER_REASON), Some("unreadable: no owner"))?;
    same("app", extension(DEAD_LETTER_APP), Some("why"))
}

async fn used_up_retries_end_in_the_dead_letter(fixture: &dyn Fixture) -> Outcome {
    let (letter, tries) = buried(fixture, "usedup", Ack::Retry("not yet".into())).await?;
    same("tries", tries, fixture.max_retries() + 1)?;
    same("original topic", letter.event.extensions.get(TOPIC).map(String::as_str), Some("usedup"))
}

async fn a_poison_event_does_not_hold_up_the_good_ones(fixture: &dyn Fixture) -> Outcome {
    let poison = |delivery: &Delivery, _| match delivery.event.id.as_str() {
        "poison-3" => Answer::Ack(Ack::Drop("poison".into())),
        "poison-5" => Answer::Ack(Ack::Retry("poison".into())),
        "poison-7" => Answer::Panic,
        _ => Answer::Ack(Ack::Success),
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("poison")], poison));
    let sidecar = fixture.start(App::new("poison", recorder.clone())).await;
    let undertaker = undertaker(fixture, "poison", "poison").await;
    let events: Vec<_> = (0..10).map(|n| event(&format!("poison-{n}"))).collect();
    for result in sidecar.publish_many("poison", &events).await {
        ok("publish", result)?;
    }
    recorder.until(fixture.deadline(), "all ten", |seen| ids(seen).len() == 10).await?;
    let letters = undertaker.until(fixture.deadline(), "three dead letters", |seen| ids(seen).len() == 3).await?;
    same("dead letters", ids(&letters), BTreeSet::from(["poison-3", "poison-5", "poison-7"]))
}

async fn a_hanging_handler_does_not_hold_up_the_others(fixture: &dyn Fixture) -> Outcome {
    let hang = |delivery: &Delivery, _| {
        if delivery.event.id == "hang-0" { Answer::Hang } else { Answer::Ack(Ack::Success) }
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("hang")], hang));
    let sidecar = fixture.start(App::new("hang", recorder.clone())).await;
    for n in 0..20 {
        ok("publish", sidecar.publish("hang", &event(&format!("hang-{n}"))).await)?;
    }
    recorder.until(fixture.deadline(), "20 events", |seen| ids(seen).len() == 20).await.map(drop)
}

async fn types_that_nobody_handles_are_acknowledged_unseen(fixture: &dyn Fixture) -> Outcome {
    let subscription = Subscription { types: vec!["com.todo.wanted".into()], ..Subscription::new("types") };
    let drop = |_: &Delivery, _| Answer::Ack(Ack::Drop("as a sign".into()));
    let recorder = Arc::new(Recorder::scripted(vec![subscription], drop));
    let sidecar = fixture.start(App::new("types", recorder.clone())).await;
    let undertaker = undertaker(fixture, "types", "types").await;
    ok("publish", sidecar.publish("types", &event("types-other")).await)?;
    let wanted = CloudEvent { type_: "com.todo.wanted".into(), ..event("types-wanted") };
    ok("publish", sidecar.publish("types", &wanted).await)?;
    undertaker.first(fixture.deadline(), "types-wanted").await?;
    same("deliveries of the other type", recorder.count("types-other"), 0)?;
    same("dead letters", ids(&undertaker.seen()), BTreeSet::from(["types-wanted"]))
}

async fn an_unacknowledged_event_comes_again_after_a_restart(fixture: &dyn Fixture) -> Outcome {
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("restart")], only_first(|| Answer::Hang)));
    let sidecar = fixture.start(App::new("restart", recorder.clone())).await;
    ok("publish", sidecar.publish("restart", &event("restart")).await)?;
    recorder.first(fixture.deadline(), "restart").await?;
    fixture.restart("restart").await;
    let seen = recorder.until(fixture.deadline(), "two deliveries", |seen| seen.len() >= 2).await?;
    same("event", seen[0].event.clone(), seen[1].event.clone())
}

async fn all_that_was_not_done_comes_again_after_a_restart(fixture: &dyn Fixture) -> Outcome {
    // Some wait for a retry, one hangs, the rest is done when the process is killed.
    let script = |delivery: &Delivery, before| match (delivery.event.id.as_str(), before) {
        ("again-2", 0) => Answer::Hang,
        ("again-4" | "again-6", 0) => Answer::Ack(Ack::Retry("later".into())),
        _ => Answer::Ack(Ack::Success),
    };
    let recorder = Arc::new(Recorder::scripted(vec![Subscription::new("again")], script));
    let sidecar = fixture.start(App::new("again", recorder.clone())).await;
    for n in 0..8 {
        ok("publish", sidecar.publish("again", &event(&format!("again-{n}"))).await)?;
    }
    recorder.until(fixture.deadline(), "eight events", |seen| ids(seen).len() == 8).await?;
    let sidecar = fixture.restart("again").await;
    ok("publish", sidecar.publish("again", &event("again-8")).await)?;
    recorder.first(fixture.deadline(), "again-8").await?;
    for id in ["again-2", "again-4", "again-6"] {
        let twice = |seen: &Vec<Delivery>| seen.iter().filter(|delivery| delivery.event.id == id).count() >= 2;
        recorder.until(fixture.deadline(), id, twice).await?;
    }
    Ok(())
}
