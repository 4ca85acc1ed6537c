//! Series whose next task appears when the last one is closed.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use todo_domain::ids;
use todo_tests::{rest::Rest, system::Ground};

use crate::{
    MONDAY, at,
    envelope::{CREATED, SCHEDULED},
    text,
};

/// A task due on Monday at nine, with a recurrence that goes by completion.
async fn source(user: &Rest, mut recurrence: Value) -> String {
    recurrence["anchor"] = json!("completion");
    let task = json!({
        "title": "Water plants", "due_date": "2026-03-02T09:00:00Z", "tags": ["home"], "recurrence": recurrence,
        "reminders": [{ "before_due_seconds": 600 }, { "trigger_at": "2026-04-01T00:00:00Z" }],
    });
    text(&user.create(task).await["id"]).to_owned()
}

async fn complete(user: &Rest, id: &str) -> Value {
    user.act(&format!("/api/tasks/{id}/complete")).await.expect(200)
}

/// The instances of a series that are open: their ids and when they are due.
async fn open(user: &Rest, source: &str) -> Vec<(String, String)> {
    let instances = user.instances(source).await.into_iter().filter(|task| task["status"] != "completed");
    instances.map(|task| (text(&task["id"]).to_owned(), text(&task["due_date"]).to_owned())).collect()
}

/// The one instance that is open.
async fn only(user: &Rest, source: &str) -> (String, String) {
    let [only] = &open(user, source).await[..] else { panic!("not one is open") };
    only.clone()
}

pub(crate) async fn closing_a_task_makes_the_next_one_interval_later(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let source = source(&ann, json!({ "recurrence_type": "daily" })).await;
    system.pass(&clock, TimeDelta::days(2) + TimeDelta::hours(4)).await;
    assert_eq!(open(&ann, &source).await, [], "time alone makes nothing");
    let recurrence = ann.task(&source).await["recurrence"].clone();
    assert_eq!((&recurrence["next_occurrence"], &recurrence["active"]), (&Value::Null, &json!(true)));

    // With the answer it is there: nobody waits for the scheduler.
    let done = ann.act(&format!("/api/tasks/{source}/complete")).await;
    let (first, due) = only(&ann, &source).await;
    assert_eq!(due, "2026-03-05T09:00:00Z");
    let made = ann.task(&first).await;
    assert_eq!(
        (&made["title"], &made["tags"], &made["recurrence"]),
        (&json!("Water plants"), &json!(["home"]), &Value::Null)
    );
    assert_eq!(made["reminders"][0]["trigger_at"], "2026-03-05T08:50:00Z");
    assert_eq!(made["reminders"].as_array().map(Vec::len), Some(1), "the absolute one is the source's own");
    let series = text(&recurrence["id"]).parse().expect("an id");
    assert_eq!(first, ids::follower_id(series, source.parse().expect("an id")).to_string());
    let event = observer.event(SCHEDULED, &first).await;
    assert_eq!(event.id, ids::follower_event_id(series, source.parse().expect("an id"), 0).to_string());
    assert_eq!(
        event.data,
        json!({
            "source_task_id": source, "new_task_id": first, "user_id": ann.user_id, "title": "Water plants",
            "description": "", "priority": "medium", "tags": ["home"], "recurrence_type": "daily",
            "scheduled_for": "2026-03-05T09:00:00Z", "next_occurrence": null,
        })
    );
    assert_eq!(observer.event(CREATED, &first).await.data["task"]["source_task_id"], source);
    todo_tests::eventually("the state store knows it", todo_tests::SOON, async || {
        let state = system.state(&format!("recurring:{source}")).await?;
        (state["last_scheduled"] == "2026-03-05T09:00:00Z" && state["next_occurrence"].is_null()).then_some(())
    })
    .await;

    // Complete, reopen, complete, and all of that by an undo: one successor.
    complete(&ann, &source).await;
    ann.patch(&format!("/api/tasks/{source}"), &json!({ "status": "pending" })).await.expect(200);
    complete(&ann, &source).await;
    let revision = done.header("x-revision").expect("a change").to_owned();
    let undone = ann.act(&format!("/api/changes/{revision}/undo")).await.expect(200);
    assert_eq!((&undone["task"]["id"], &undone["task"]["status"]), (&json!(source), &json!("pending")));
    complete(&ann, &source).await;
    assert_eq!(only(&ann, &source).await.0, first);

    // Done before it is due, so the next one is due at the same moment, and both are kept.
    complete(&ann, &first).await;
    let (second, due) = only(&ann, &source).await;
    assert_eq!((due.as_str(), second == first), ("2026-03-05T09:00:00Z", false));
    // Deleting counts as doing; the undo of that leaves two.
    system.pass(&clock, TimeDelta::days(1)).await;
    ann.delete(&format!("/api/tasks/{second}")).await.expect(204);
    let (third, due) = only(&ann, &source).await;
    assert_eq!(due, "2026-03-06T09:00:00Z");
    system.settled().await;

    // Nothing that comes again makes anything again.
    let before = ann.instances(&source).await;
    for delivery in observer.deliveries() {
        system.publish(&delivery.topic, &delivery.event).await;
    }
    system.pass(&clock, TimeDelta::seconds(1)).await;
    assert_eq!(ann.instances(&source).await, before);
    system.stop().await;

    // Nor does a restart, nor time.
    let system = setup.start().await;
    let ann = system.back(&ann);
    system.pass(&clock, TimeDelta::days(9)).await;
    assert_eq!(only(&ann, &source).await.0, third);
    ann.delete(&format!("/api/tasks/{source}")).await.expect(204);
    complete(&ann, &third).await;
    assert_eq!(open(&ann, &source).await, [], "the series ended with its source");
    system.stop().await;
}

pub(crate) async fn a_series_by_completion_stands_still_and_ends(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let every_three = json!({ "recurrence_type": "rrule", "rrule": "FREQ=DAILY;INTERVAL=3;COUNT=3" });
    let counted = source(&ann, every_three).await;
    assert_eq!(complete(&ann, &counted).await["recurrence"]["active"], true);
    let (second, due) = only(&ann, &counted).await;
    assert_eq!(due, "2026-03-05T09:00:00Z");
    complete(&ann, &second).await;
    assert_eq!(ann.task(&counted).await["recurrence"]["active"], false, "the third is the last");
    let (third, _) = only(&ann, &counted).await;
    complete(&ann, &third).await;
    assert_eq!(open(&ann, &counted).await, []);
    // One more is asked for, and counts from now.
    system.pass(&clock, TimeDelta::days(7)).await;
    let path = format!("/api/tasks/{counted}");
    let more =
        json!({ "recurrence_type": "rrule", "rrule": "FREQ=DAILY;INTERVAL=3", "count": 4, "anchor": "completion" });
    let more = ann.patch(&path, &json!({ "recurrence": more })).await.expect(200);
    assert_eq!(only(&ann, &counted).await.1, "2026-03-12T09:00:00Z");
    assert_eq!(more["recurrence"]["active"], false, "and that is it again");
    let twice = source(&ann, json!({ "recurrence_type": "daily", "count": 2 })).await;
    assert_eq!(complete(&ann, &twice).await["recurrence"]["active"], false, "the answer knows");

    let until = source(&ann, json!({ "recurrence_type": "daily", "until": "2026-03-10T09:00:00Z" })).await;
    complete(&ann, &until).await;
    let (last, due) = only(&ann, &until).await;
    assert_eq!(due, "2026-03-10T09:00:00Z");
    system.pass(&clock, TimeDelta::days(1)).await;
    complete(&ann, &last).await;
    assert_eq!(open(&ann, &until).await, []);
    assert_eq!(ann.task(&until).await["recurrence"]["active"], false);

    // While it stands still nothing follows; then it goes on from that moment.
    let paused = source(&ann, json!({ "recurrence_type": "weekly", "paused": true })).await;
    complete(&ann, &paused).await;
    system.pass(&clock, TimeDelta::days(1)).await;
    assert_eq!(open(&ann, &paused).await, []);
    let mut resumed = ann.task(&paused).await["recurrence"].clone();
    resumed["paused"] = json!(false);
    ann.patch(&format!("/api/tasks/{paused}"), &json!({ "recurrence": resumed })).await.expect(200);
    assert_eq!(only(&ann, &paused).await.1, "2026-03-18T09:00:00Z");

    let preview = json!({
        "recurrence": { "recurrence_type": "weekly", "anchor": "completion", "count": 3 },
        "due_date": "2026-03-02T09:00:00Z",
    });
    let preview = ann.post("/api/recurrence/preview", &preview).await.expect(200);
    assert_eq!(preview["occurrences"], json!(["2026-03-18T09:00:00Z", "2026-03-25T09:00:00Z"]));
    system.stop().await;
}

pub(crate) async fn a_series_can_go_by_time_and_by_completion_in_turn(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let (ann, observer) = (system.user("ann").await, system.observe());
    let task = json!({
        "title": "a", "due_date": "2026-03-02T09:00:00Z", "recurrence": { "recurrence_type": "daily", "lead_seconds": 60 },
    });
    let source = text(&ann.create(task).await["id"]).to_owned();
    let path = format!("/api/tasks/{source}");
    let by = async |anchor: &str| {
        let recurrence = json!({ "recurrence_type": "daily", "anchor": anchor });
        ann.patch(&path, &json!({ "recurrence": recurrence })).await.expect(200)
    };
    system.pass(&clock, TimeDelta::days(2)).await;
    system.pass(&clock, TimeDelta::hours(2)).await;
    // Those of the 3rd and the 4th are there and stay.
    let before = open(&ann, &source).await;
    by("completion").await;
    assert_eq!(open(&ann, &source).await, before);
    complete(&ann, &source).await;
    for (id, _) in &before[..before.len() - 1] {
        complete(&ann, id).await;
    }
    let last = before.last().expect("one").clone();
    assert_eq!(only(&ann, &source).await, last, "only the last is followed");
    complete(&ann, &last.0).await;
    let (follower, due) = only(&ann, &source).await;
    assert_eq!(due, "2026-03-05T09:00:00Z");

    // By time again: what nobody touched and the schedule does not have goes; it follows from no closing.
    ann.patch(&path, &json!({ "due_date": "2026-03-02T11:00:00Z" })).await.expect(200);
    assert_eq!(only(&ann, &source).await.0, follower, "what there is stays while completion counts");
    by("schedule").await;
    assert_eq!(open(&ann, &source).await, []);
    by("completion").await;
    assert_eq!(only(&ann, &source).await, (follower.clone(), "2026-03-05T11:00:00Z".to_owned()), "it comes back");
    observer
        .until("it is announced again", |seen| {
            let of_it =
                seen.iter().filter(|it| it.event.type_ == SCHEDULED && it.event.subject.as_deref() == Some(&follower));
            of_it.map(|it| &it.event.id).collect::<BTreeSet<_>>().len() == 2
        })
        .await;
    // Now the schedule has its slot, too, and does not make it twice.
    by("schedule").await;
    assert_eq!(only(&ann, &source).await.0, follower);
    system.pass(&clock, TimeDelta::hours(2)).await;
    system.pass(&clock, TimeDelta::days(1)).await;
    let due: Vec<_> = open(&ann, &source).await.into_iter().map(|(_, due)| due).collect();
    assert_eq!(due, ["2026-03-04T11:00:00Z", "2026-03-05T11:00:00Z"]);

    // A recurrence given to what is done already has its next at once.
    let done = text(&ann.create(json!({ "title": "b" })).await["id"]).to_owned();
    complete(&ann, &done).await;
    let recurrence = json!({ "recurrence_type": "rrule", "rrule": "FREQ=HOURLY;INTERVAL=3", "anchor": "completion" });
    ann.patch(&format!("/api/tasks/{done}"), &json!({ "recurrence": recurrence })).await.expect(200);
    assert_eq!(only(&ann, &done).await.1, "2026-03-05T15:00:00Z");
    system.stop().await;
}
