//! What was decided is published, whatever happens.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use serde_json::json;
use todo_domain::ids;
use todo_proto::v1::DueKind;
use todo_runtime::health::Check;

use crate::testing::{World, after, due, id};

#[tokio::test]
async fn a_reminder_is_announced_as_the_contract_says() {
    let world = World::with_scheduler([due(DueKind::Reminder, 5, after(60))]).await;
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    let attempt = world.sidecar.published().remove(0);
    assert_eq!(attempt.topic, "notifications");
    let envelope: serde_json::Value = serde_json::from_slice(&attempt.event.to_json()).unwrap();
    assert_eq!(
        envelope,
        json!({
            "specversion": "1.0",
            "id": ids::reminder_event_id(id(5), after(60)),
            "type": "com.todo.reminder.triggered",
            "source": "/scheduler/reminders",
            "subject": id(10),
            "time": "2026-03-01T12:01:00.000000Z",
            "datacontenttype": "application/json",
            "partitionkey": id(1),
            "data": {
                "reminder_id": id(5),
                "task_id": id(10),
                "user_id": id(1),
                "task_title": "Water the plants",
                "due_date": "2026-03-01T13:00:00Z",
                "trigger_at": "2026-03-01T12:01:00Z",
                "triggered_at": "2026-03-01T12:01:00Z",
            },
        })
    );
}

#[tokio::test]
async fn a_slot_is_announced_as_the_contract_says() {
    let world = World::with_scheduler([due(DueKind::Series, 5, after(60))]).await;
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    let attempt = world.sidecar.published().remove(0);
    assert_eq!(attempt.topic, "tasks");
    let envelope: serde_json::Value = serde_json::from_slice(&attempt.event.to_json()).unwrap();
    let instance = ids::instance_id(id(5), after(60));
    assert_eq!(
        envelope,
        json!({
            "specversion": "1.0",
            "id": ids::slot_event_id(id(5), after(60), 0),
            "type": "com.todo.recurring.scheduled",
            "source": "/scheduler/recurring",
            "subject": instance,
            "time": "2026-03-01T12:01:00.000000Z",
            "datacontenttype": "application/json",
            "partitionkey": id(1),
            "data": {
                "source_task_id": id(10),
                "new_task_id": instance,
                "user_id": id(1),
                "title": "Water the plants",
                "description": "",
                "priority": "high",
                "tags": ["home"],
                "recurrence_type": "daily",
                "scheduled_for": "2026-03-01T12:01:00Z",
                "next_occurrence": null,
            },
        })
    );
}

#[tokio::test]
async fn while_the_broker_is_away_events_wait_and_then_go_out_unchanged() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60)), due(DueKind::Series, 2, after(60))]).await;
    world.sidecar.broker_away.store(true, Ordering::SeqCst);
    world.set(after(60));
    world.in_time("it was tried three times", async |world| world.sidecar.attempts().len() >= 6).await;
    let status = world.status().await;
    assert_eq!((status.published, status.unpublished), (0, 2));
    assert!(matches!(world.replicas[0].health.checks()["pubsub"], Check::Degraded(_)));

    world.sidecar.broker_away.store(false, Ordering::SeqCst);
    world.in_time("both are published", async |world| world.status().await.published == 2).await;
    assert_eq!(world.status().await.unpublished, 0);
    assert_eq!(world.replicas[0].health.checks()["pubsub"], Check::Ok);
    let attempts = world.sidecar.attempts();
    for published in world.sidecar.published() {
        let tries = attempts.iter().filter(|attempt| attempt.event.id == published.event.id);
        assert!(tries.clone().count() >= 3);
        assert!(tries.into_iter().all(|attempt| attempt.event.to_json() == published.event.to_json()));
    }
}

#[tokio::test]
async fn what_was_not_seen_back_is_published_again_but_not_at_every_listing() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    world.backend.set_deaf(true);
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    world.set(after(70));
    listing(&world).await;
    world.eventually("it is published again", async |world| world.sidecar.count_published() == 2).await;
    let [first, second] = world.sidecar.published().try_into().unwrap();
    assert_eq!(first, second);

    // A consumer that is merely slow is given 20 seconds from here.
    world.set(after(85));
    listing(&world).await;
    assert_eq!(world.sidecar.count_published(), 2);
    world.set(after(95));
    listing(&world).await;
    world.eventually("and again", async |world| world.sidecar.count_published() == 3).await;
    assert_eq!(world.status().await.unpublished, 0);
}

#[tokio::test]
async fn whether_it_arrived_is_looked_at_without_a_hint_and_only_until_then() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(5))]).await;
    world.backend.set_deaf(true);
    world.set(after(5));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    world.set(after(10));
    world.eventually("it is too soon to tell", async |world| world.backend.listings() == 2).await;
    world.backend.set_deaf(false);
    world.set(after(20));
    world.eventually("it is published again", async |world| world.sidecar.count_published() == 2).await;
    world.set(after(30));
    world.eventually("it has arrived", async |world| world.backend.listings() == 4).await;
    world.set(after(59));
    world.in_time("nothing is to be looked at", async |world| world.status().await.timers == 0).await;
    assert_eq!(world.backend.listings(), 4);
}

#[tokio::test]
async fn what_another_process_decided_and_did_not_publish_is_published() {
    let mut world = World::new();
    let lost = due(DueKind::Reminder, 1, after(-60));
    let announcement = crate::testing::announce(&lost, after(-60), after(-60));
    world.backend.add_unseen(announcement, after(-60));
    world.start(crate::Options::default());
    world.eventually("it is published", async |world| world.sidecar.count_published() == 1).await;
}

/// A whole listing, from hint to end.
async fn listing(world: &World) {
    let listings = world.backend.listings();
    world.tick().await;
    world.pass(TimeDelta::milliseconds(50));
    world.eventually("it is listed", async |world| world.backend.listings() > listings).await;
}
