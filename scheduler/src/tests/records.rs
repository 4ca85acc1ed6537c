//! What the state store is told.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use todo_proto::v1::{self, DueKind};
use todo_runtime::health::Check;
use todo_sidecar::{Ack, CloudEvent};

use crate::due::timestamp;
use crate::testing::{World, after, created, deleted, due, event, id, task, updated};

const DAY: Duration = Duration::from_hours(24);

fn recurring() -> v1::Task {
    v1::Task {
        description: "All of them".into(),
        tags: vec!["home".into()],
        recurrence: Some(v1::Recurrence {
            id: id(20).to_string(),
            recurrence_type: v1::RecurrenceType::Custom.into(),
            cron_expression: Some("0 9 * * *".into()),
            next_occurrence: Some(timestamp(after(60))),
            active: true,
            ..v1::Recurrence::default()
        }),
        ..task(10, &[])
    }
}

/// That a task of the series appeared.
fn made(minute: i64) -> CloudEvent {
    let made = v1::RecurringScheduled {
        source_task_id: id(10).to_string(),
        new_task_id: id(11).to_string(),
        user_id: id(1).to_string(),
        scheduled_for: Some(timestamp(after(minute * 60))),
        ..v1::RecurringScheduled::default()
    };
    CloudEvent { type_: "com.todo.recurring.scheduled".into(), ..event("", &made) }
}

fn reminder(fired: bool, cancelled: bool, revision: i64) -> Value {
    json!({
        "reminder_id": id(1),
        "task_id": id(10),
        "user_id": id(1),
        "task_title": "Water the plants",
        "trigger_at": "2026-03-01T12:01:00Z",
        "due_date": "2026-03-01T13:00:00Z",
        "fired": fired,
        "cancelled": cancelled,
        "revision": revision,
    })
}

#[tokio::test]
async fn a_reminder_is_kept_as_the_contract_says_from_setting_to_firing() {
    let world = World::with_scheduler([]).await;
    world.backend.add(due(DueKind::Reminder, 1, after(60)));
    world.tell(created(task(10, &[(1, after(60))]), 3)).await;
    let minute = Duration::from_mins(1);
    assert_eq!(world.sidecar.stored("reminder", id(1)), Some((reminder(false, false, 3), Some(DAY + minute))));
    world.set(after(60));
    let fired = (reminder(true, false, 3), Some(DAY));
    world
        .eventually("it is kept as fired", async |world| world.sidecar.stored("reminder", id(1)) == Some(fired.clone()))
        .await;

    // An event from between setting and firing comes late.
    world.tell(updated(task(10, &[(1, after(60))]), 4)).await;
    assert_eq!(world.sidecar.stored("reminder", id(1)), Some((reminder(true, false, 4), Some(DAY))));
}

#[tokio::test]
async fn a_series_is_kept_as_the_contract_says_from_setting_to_deletion() {
    let world = World::with_scheduler([]).await;
    world.backend.repeat_series(chrono::TimeDelta::days(1));
    world.backend.add(due(DueKind::Series, 20, after(60)));
    world.tell(created(recurring(), 3)).await;
    let mut series = json!({
        "task_id": id(10),
        "user_id": id(1),
        "title": "Water the plants",
        "description": "All of them",
        "priority": "high",
        "tags": ["home"],
        "recurrence_type": "custom",
        "cron_expression": "0 9 * * *",
        "rrule": null,
        "next_occurrence": "2026-03-01T12:01:00Z",
        "last_scheduled": null,
        "revision": 3,
    });
    assert_eq!(world.sidecar.stored("recurring", id(10)), Some((series.clone(), None)));

    world.in_time("it is made", async |world| world.sidecar.count_published() == 1).await;
    series["last_scheduled"] = json!("2026-03-01T12:01:00Z");
    series["next_occurrence"] = json!("2026-03-02T12:01:00Z");
    let made = (series.clone(), None);
    world.eventually("it is kept", async |world| world.sidecar.stored("recurring", id(10)) == Some(made.clone())).await;

    world.tell(deleted(10, 4)).await;
    series["revision"] = json!(4);
    for field in ["recurrence_type", "cron_expression", "next_occurrence"] {
        series[field] = json!(null);
    }
    assert_eq!(world.sidecar.stored("recurring", id(10)), Some((series.clone(), Some(DAY))));
    world.tell(updated(recurring(), 3)).await;
    assert_eq!(world.sidecar.stored("recurring", id(10)), Some((series, Some(DAY))));
}

#[tokio::test]
async fn a_task_that_the_backend_made_is_kept_as_the_last_of_its_series() {
    let world = World::with_scheduler([]).await;
    let mut by_completion = recurring();
    by_completion.recurrence.as_mut().unwrap().next_occurrence = None;
    world.tell(created(by_completion, 3)).await;
    // Twice, out of order, and one that is for the backend to judge.
    let unreadable = CloudEvent { data: json!({}), ..made(1) };
    for event in [made(2), made(1), unreadable, made(2)] {
        assert_eq!(world.tell(event).await, Ack::Success);
    }
    let (stored, ttl) = world.sidecar.stored("recurring", id(10)).unwrap();
    assert_eq!(
        (&stored["last_scheduled"], &stored["next_occurrence"], ttl),
        (&json!("2026-03-01T12:02:00Z"), &json!(null), None)
    );
    assert_eq!((&stored["title"], &stored["revision"]), (&json!("Water the plants"), &json!(3)));
}

#[tokio::test]
async fn a_replay_changes_nothing_of_a_series_whose_first_task_was_heard_of_before_it() {
    let world = World::with_scheduler([]).await;
    for event in [made(1), created(recurring(), 3)] {
        assert_eq!(world.tell(event).await, Ack::Success);
    }
    let before = world.sidecar.stored("recurring", id(10)).unwrap();
    for event in [created(recurring(), 3), made(1)] {
        assert_eq!(world.tell(event).await, Ack::Success);
    }
    assert_eq!(world.sidecar.stored("recurring", id(10)), Some(before));
}

#[tokio::test]
async fn an_older_revision_is_dropped_and_a_newer_one_kept_whatever_their_order() {
    let renamed = |title: &str| v1::Task { title: title.into(), ..task(10, &[(1, after(3600))]) };
    let world = World::with_scheduler([]).await;
    for (title, revision) in [("two", 2), ("five", 5), ("three", 3), ("five again", 5)] {
        assert_eq!(world.tell(updated(renamed(title), revision)).await, Ack::Success);
    }
    let (stored, _) = world.sidecar.stored("reminder", id(1)).unwrap();
    assert_eq!((&stored["task_title"], &stored["revision"]), (&json!("five"), &json!(5)));
}

/// An update after which reminder 1 is no longer in the list.
fn removal(revision: i64) -> CloudEvent {
    let mut event = updated(task(10, &[]), revision);
    let old = todo_proto::json::of(&task(10, &[(1, after(60))]))["reminders"].clone();
    event.data["changes"] = json!({"reminders": {"old_value": old, "new_value": []}});
    event
}

#[tokio::test]
async fn a_removed_reminder_is_cancelled_and_stays_so() {
    let world = World::with_scheduler([]).await;
    world.tell(created(task(10, &[(1, after(60))]), 3)).await;
    world.tell(removal(4)).await;
    assert_eq!(world.status().await.timers, 0);
    assert_eq!(world.sidecar.stored("reminder", id(1)), Some((reminder(false, true, 4), Some(DAY))));
    world.tell(created(task(10, &[(1, after(60))]), 3)).await;
    assert_eq!(world.sidecar.stored("reminder", id(1)), Some((reminder(false, true, 4), Some(DAY))));
}

#[tokio::test]
async fn a_removal_that_comes_before_the_setting_wins() {
    let world = World::with_scheduler([]).await;
    world.tell(removal(4)).await;
    world.tell(created(task(10, &[(1, after(60))]), 3)).await;
    let (stored, ttl) = world.sidecar.stored("reminder", id(1)).unwrap();
    assert_eq!((&stored["cancelled"], &stored["revision"], ttl), (&json!(true), &json!(4), Some(DAY)));
}

#[tokio::test]
async fn the_reminders_of_a_deleted_task_are_cancelled() {
    let world = World::with_scheduler([]).await;
    // Within the window, memory knows it; beyond, the event has to name it.
    world.tell(created(task(10, &[(1, after(60))]), 3)).await;
    world.tell(deleted(10, 4)).await;
    assert_eq!(world.sidecar.stored("reminder", id(1)), Some((reminder(false, true, 4), Some(DAY))));

    world.tell(created(task(11, &[(2, after(3600))]), 5)).await;
    let mut named = deleted(11, 6);
    named.data["reminder_ids"] = json!([id(2)]);
    world.tell(named).await;
    let (stored, _) = world.sidecar.stored("reminder", id(2)).unwrap();
    assert_eq!(stored["cancelled"], json!(true));
}

#[tokio::test]
async fn without_the_state_store_timers_go_on_and_it_is_told_later() {
    let world = World::with_scheduler([]).await;
    world.sidecar.state_away.store(true, Ordering::SeqCst);
    world.backend.add(due(DueKind::Reminder, 1, after(60)));
    assert_eq!(world.tell(created(task(10, &[(1, after(60))]), 3)).await, Ack::Success);
    assert!(matches!(world.replicas[0].health.checks()["statestore"], Check::Degraded(_)));
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.sidecar.stored("reminder", id(1)), None);

    world.sidecar.state_away.store(false, Ordering::SeqCst);
    let fired = (reminder(true, false, 3), Some(DAY));
    world.in_time("it is told", async |world| world.sidecar.stored("reminder", id(1)) == Some(fired.clone())).await;
    world.eventually("all is well", async |world| world.replicas[0].health.checks()["statestore"] == Check::Ok).await;
}
