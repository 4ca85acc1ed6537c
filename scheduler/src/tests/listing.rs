//! The window, and what this replica says it holds.

use chrono::TimeDelta;
use todo_proto::v1::{DueKind, ListRemindersRequest, ListSchedulesRequest};
use todo_runtime::health::Check;
use todo_runtime::status;

use crate::Options;
use crate::due::instant;
use crate::testing::{Fault, World, after, due, id, noon};

#[tokio::test]
async fn the_window_is_three_minutes_and_is_looked_through_every_thirty_seconds() {
    let world = World::with_scheduler([]).await;
    let until = world.status().await.window_until.and_then(|until| instant(&until));
    assert_eq!(until, Some(after(180)));
    world.backend.add(due(DueKind::Reminder, 1, after(31)));
    world.set(after(30));
    world.eventually("it is found", async |world| world.status().await.timers == 1).await;
    assert_eq!(world.backend.listings(), 2);
}

#[tokio::test]
async fn hints_that_come_together_are_one() {
    let world = World::with_scheduler([]).await;
    for _ in 0..10 {
        world.tick().await;
    }
    world.pass(TimeDelta::milliseconds(50));
    world.eventually("it is listed", async |world| world.backend.listings() == 2).await;
    world.backend.add(due(DueKind::Reminder, 1, after(1)));
    world.tick().await;
    world.pass(TimeDelta::milliseconds(50));
    world.eventually("it is found", async |world| world.status().await.timers == 1).await;
    assert_eq!(world.backend.listings(), 3);
}

#[tokio::test]
async fn a_backend_that_comes_late_is_waited_for() {
    let mut world = World::new();
    world.backend.set(Fault::List, true);
    world.backend.add(due(DueKind::Reminder, 1, noon()));
    world.start(Options::default());
    world.eventually("it is missed", async |world| !world.status().await.last_error.is_empty()).await;
    assert!(matches!(world.replicas[0].health.checks()["backend"], Check::Degraded(_)));
    assert_eq!(world.status().await.window_until, None);
    world.backend.set(Fault::List, false);
    world.in_time("it fires", async |world| world.sidecar.count_published() == 1).await;
    world.eventually("all is well", async |world| world.status().await.last_error.is_empty()).await;
    assert_eq!(world.replicas[0].health.checks()["backend"], Check::Ok);
}

#[tokio::test]
async fn timers_go_on_while_listing_fails() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    world.backend.set(Fault::List, true);
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
}

#[tokio::test]
async fn what_is_due_no_more_goes_with_the_next_listing() {
    let world =
        World::with_scheduler([due(DueKind::Reminder, 1, after(60)), due(DueKind::Reminder, 2, after(60))]).await;
    world.backend.remove(1);
    world.backend.add(due(DueKind::Reminder, 2, after(90)));
    world.set(after(30));
    world.eventually("one is gone", async |world| world.status().await.timers == 1).await;
    world.backend.add(due(DueKind::Reminder, 3, after(60)));
    world.tick().await;
    world.pass(TimeDelta::milliseconds(50));
    world.eventually("another came", async |world| world.status().await.timers == 2).await;
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!((world.backend.asked_about(1), world.backend.asked_about(2)), (0, 0));
}

#[tokio::test]
async fn after_a_long_outage_memory_stays_bounded_and_everything_fires() {
    let mut world = World::new();
    for number in 1..=5_000 {
        world.backend.add(due(DueKind::Reminder, number, after(-60)));
    }
    world.backend.hold(true);
    world.start(Options { capacity: 1_500, ..Options::default() });
    world.eventually("it is known in part", async |world| world.status().await.window_until.is_some()).await;
    assert_eq!(world.status().await.timers, 2_000);
    world.backend.hold(false);
    world.in_time("all fire", async |world| world.backend.pending() == 0).await;
    world.eventually("all are published", async |world| world.status().await.unpublished == 0).await;
    assert!(world.sidecar.count_published() >= 5_000);
}

#[tokio::test]
async fn lists_are_by_owner_and_by_what_has_not_rung() {
    let other = |mut due: todo_proto::v1::Due| {
        due.user_id = id(2).to_string();
        due
    };
    let (late, soon) = (due(DueKind::Reminder, 1, after(90)), due(DueKind::Reminder, 2, after(30)));
    let theirs = other(due(DueKind::Reminder, 3, after(60)));
    let series = due(DueKind::Series, 4, after(60));
    let world = World::with_scheduler([late.clone(), soon.clone(), theirs.clone(), series.clone()]).await;
    world.backend.set(Fault::Decide, true);
    let reminders = async |user: Option<u128>, pending_only| {
        let user_id = user.map(|user| id(user).to_string()).unwrap_or_default();
        let request = ListRemindersRequest { user_id, pending_only };
        world.client().list_reminders(request).await.expect("a list").into_inner().reminders
    };
    let schedules = async |user: u128| {
        let request = ListSchedulesRequest { user_id: id(user).to_string(), pending_only: true };
        world.client().list_schedules(request).await.expect("a list").into_inner().schedules
    };
    assert_eq!(reminders(None, false).await, [soon.clone(), theirs.clone(), late.clone()]);
    assert_eq!(reminders(Some(1), false).await, [soon.clone(), late.clone()]);
    assert_eq!(reminders(Some(2), true).await, [theirs]);
    assert_eq!(reminders(Some(9), false).await, []);
    assert_eq!(schedules(1).await, [series]);
    assert_eq!(schedules(2).await, []);

    world.set(after(30));
    world.eventually("one rings", async |world| world.backend.asked_about(2) > 0).await;
    assert_eq!(reminders(Some(1), true).await, std::slice::from_ref(&late));
    assert_eq!(reminders(Some(1), false).await, [soon, late]);
}

#[tokio::test]
async fn an_owner_that_is_no_uuid_is_refused_by_name() {
    let world = World::with_scheduler([]).await;
    let request = ListRemindersRequest { user_id: "me".into(), pending_only: false };
    let refused = world.client().list_reminders(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert_eq!(status::reason(&refused).as_deref(), Some("INVALID_ID_FORMAT"));
    assert_eq!(refused.message(), "user_id must be a UUID");
}
