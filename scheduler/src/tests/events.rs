//! Task events set, move and remove timers at once.

use chrono::TimeDelta;
use serde_json::json;
use todo_proto::v1::{self, DueKind};
use todo_sidecar::{Ack, Subscription};

use crate::testing::{World, after, created, deleted, due, event, id, task, updated};

#[tokio::test]
async fn it_takes_task_events_and_both_cron_ticks() {
    let world = World::with_scheduler([]).await;
    let subscriber = &world.replicas[0].service.subscriber;
    let types = ["task.created", "task.updated", "task.completed", "task.deleted", "recurring.scheduled"]
        .map(|it| format!("com.todo.{it}"));
    assert_eq!(
        subscriber.subscriptions(),
        [Subscription {
            topic: "tasks".into(),
            dead_letter_topic: Some("tasks-dead-letter".into()),
            types: types.into(),
        }]
    );
    assert_eq!(subscriber.bindings(), ["reminder-check-trigger", "recurring-task-trigger"]);
}

#[tokio::test]
async fn a_reminder_within_the_window_rings_without_a_listing() {
    let world = World::with_scheduler([]).await;
    world.backend.add(due(DueKind::Reminder, 1, after(3)));
    let told = created(task(10, &[(1, after(3)), (2, after(3600))]), 1);
    assert_eq!(world.tell(told).await, Ack::Success);
    assert_eq!(world.status().await.timers, 1);
    world.set(after(3));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.listings(), 1);
}

#[tokio::test]
async fn a_moved_reminder_does_not_ring_at_its_old_time() {
    // One known by listing, one by an event.
    let sentinel = due(DueKind::Reminder, 9, after(60));
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60)), sentinel.clone()]).await;
    world.tell(created(task(11, &[(2, after(60))]), 1)).await;
    let moved = [
        due(DueKind::Reminder, 1, after(90)),
        v1::Due { task_id: id(11).to_string(), ..due(DueKind::Reminder, 2, after(90)) },
    ];
    for due in &moved {
        world.backend.add(due.clone());
    }
    world.tell(updated(task(10, &[(1, after(90))]), 3)).await;
    world.tell(updated(task(11, &[(2, after(90))]), 4)).await;

    world.set(after(60));
    world.eventually("the sentinel fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.asked(), [vec![sentinel]]);
    world.set(after(90));
    world.eventually("they fire", async |world| world.sidecar.count_published() == 3).await;
    assert_eq!(world.backend.asked()[1], moved);
}

#[tokio::test]
async fn an_older_event_that_comes_late_moves_nothing() {
    let world = World::with_scheduler([]).await;
    world.backend.add(due(DueKind::Reminder, 1, after(60)));
    world.tell(updated(task(10, &[(1, after(60))]), 5)).await;
    world.tell(updated(task(10, &[(1, after(30))]), 4)).await;
    world.tell(deleted(10, 3)).await;
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.asked().len(), 1);
}

#[tokio::test]
async fn an_old_event_that_contradicts_a_listing_is_checked() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    // A replay: the backend knows better, and is asked.
    world.tell(deleted(10, 1)).await;
    assert_eq!(world.status().await.timers, 0);
    world.pass(TimeDelta::milliseconds(50));
    world.eventually("it is back", async |world| world.status().await.timers == 1).await;
}

#[tokio::test]
async fn a_replay_of_the_past_asks_for_no_decisions() {
    let world = World::with_scheduler([]).await;
    for revision in 1..=100 {
        world.tell(created(task(10, &[(1, after(-31)), (2, after(-3600))]), revision)).await;
    }
    // What only just passed may have come late, and is asked about.
    world.tell(created(task(11, &[(3, after(-1))]), 101)).await;
    world.eventually("it is decided", async |world| world.backend.asked_about(3) == 1).await;
    assert_eq!((world.backend.asked_about(1), world.backend.asked_about(2)), (0, 0));
}

#[tokio::test]
async fn completed_and_deleted_tasks_ring_no_more() {
    let series = v1::Due { task_id: id(11).to_string(), ..due(DueKind::Series, 3, after(60)) };
    let snooze = due(DueKind::Reminder, 2, after(60));
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60)), snooze, series]).await;
    // A change of something else leaves a snooze alone, which no task's list names.
    world.tell(updated(task(10, &[(1, after(60))]), 2)).await;
    assert_eq!(world.status().await.timers, 3);

    let mut done = task(10, &[(1, after(60))]);
    done.reminders[0].cancelled = true;
    let (task_id, user_id) = (done.id.clone(), done.user_id.clone());
    let completed = v1::TaskCompleted { task_id, user_id, revision: 3, task: Some(done), ..Default::default() };
    world.tell(event("completed", &completed)).await;
    assert_eq!(world.status().await.timers, 1, "its series lives");
    world.tell(deleted(11, 4)).await;
    assert_eq!(world.status().await.timers, 0);
}

#[tokio::test]
async fn whatever_may_bring_a_series_on_is_a_hint() {
    let recurring = v1::Task {
        recurrence: Some(v1::Recurrence {
            recurrence_type: v1::RecurrenceType::Daily.into(),
            active: true,
            ..v1::Recurrence::default()
        }),
        ..task(10, &[])
    };
    let instance = v1::Task { source_task_id: Some(id(10).to_string()), ..task(11, &[]) };
    let mut cleared = updated(task(10, &[]), 4);
    cleared.data["changes"] = json!({"recurrence": {"old_value": {"recurrence_type": "daily"}, "new_value": null}});
    let world = World::with_scheduler([]).await;
    let mut listings = 1;
    for told in [created(recurring, 1), updated(instance, 2), deleted(12, 3), cleared] {
        world.tell(told).await;
        world.pass(TimeDelta::milliseconds(50));
        listings += 1;
        world.eventually("it is listed", async |world| world.backend.listings() == listings).await;
    }
    world.tell(updated(task(12, &[(1, after(3600))]), 5)).await;
    world.pass(TimeDelta::milliseconds(50));
    world.backend.add(v1::Due { task_id: id(13).to_string(), ..due(DueKind::Reminder, 2, after(1)) });
    world.tell(created(task(13, &[(2, after(1))]), 6)).await;
    world.set(after(1));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.listings(), listings, "a plain task is none");
}

#[tokio::test]
async fn a_known_type_that_cannot_be_read_is_dropped_and_an_unknown_one_passed_over() {
    let world = World::with_scheduler([]).await;
    let good = created(task(10, &[]), 1);
    let with = |field: &str, value: serde_json::Value| {
        let mut poison = good.clone();
        poison.data[field] = value;
        poison
    };
    let mut other_task = task(10, &[]);
    other_task.id = id(11).to_string();
    let poisons = [
        with("task_id", json!("x")),
        with("revision", json!(null)),
        with("task", json!(null)),
        with("task", json!({"title": "Water the plants"})),
        with("task", todo_proto::json::of(&other_task)),
        with("user_id", json!(["Water the plants"])),
    ];
    for poison in poisons {
        let Ack::Drop(why) = world.tell(poison).await else { panic!("must be dropped") };
        assert!(!why.is_empty() && !why.contains("Water"), "{why}");
    }
    let mut unknown = good.clone();
    unknown.type_ = "com.todo.task.pondered".into();
    unknown.data = json!(null);
    assert_eq!(world.tell(unknown).await, Ack::Success);
    assert_eq!(world.tell(good).await, Ack::Success);
    let bare = v1::TaskDeleted {
        task_id: id(10).to_string(),
        user_id: id(1).to_string(),
        revision: 2,
        reminder_ids: Vec::new(),
    };
    assert_eq!(world.tell(event("deleted", &bare)).await, Ack::Success);
}
