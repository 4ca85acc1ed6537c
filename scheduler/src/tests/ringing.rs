//! What rings, and who decides.

use chrono::TimeDelta;
use todo_proto::v1::{DueKind, SetTimersRequest};

use crate::Options;
use crate::testing::{Fault, World, after, due, id, noon};

#[tokio::test]
async fn a_reminder_fires_on_the_dot() {
    let sentinel = due(DueKind::Reminder, 1, after(60) - TimeDelta::microseconds(1));
    let reminder = due(DueKind::Reminder, 2, after(60));
    let world = World::with_scheduler([sentinel.clone(), reminder.clone()]).await;

    world.set(after(60) - TimeDelta::microseconds(1));
    world.eventually("the one before fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.asked(), [vec![sentinel]]);

    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 2).await;
    assert_eq!(world.backend.asked()[1], [reminder]);
    assert_eq!(world.status().await.timers, 0);
}

#[tokio::test]
async fn what_a_clock_step_or_a_sleeping_laptop_passed_over_fires_at_once() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    // Beyond the window: only a listing can find it.
    world.backend.add(due(DueKind::Reminder, 2, after(7200)));
    world.set(after(8 * 3600));
    world.eventually("both fire", async |world| world.sidecar.count_published() == 2).await;
}

#[tokio::test]
async fn a_clock_set_back_makes_nothing_ring_and_stops_nothing() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    let listings = world.backend.listings();
    world.set(after(-3600));
    world.eventually("it looks again", async |world| world.backend.listings() > listings).await;
    world.set(after(60));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.asked_about(1), 1);
}

#[tokio::test]
async fn what_was_decided_by_another_is_forgotten() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(20))]).await;
    world.backend.remove(1);
    world.set(after(20));
    world.eventually("it is forgotten", async |world| world.status().await.timers == 0).await;
    assert_eq!(world.backend.asked_about(1), 1);
    assert_eq!(world.sidecar.count_published(), 0);
}

#[tokio::test]
async fn what_is_not_yet_due_by_the_backends_clock_rings_again() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    world.backend.set_behind(TimeDelta::milliseconds(30));
    world.set(after(60));
    world.in_time("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert!(world.backend.asked_about(1) > 1);
}

#[tokio::test]
async fn nothing_is_lost_while_decisions_cannot_be_asked() {
    let dues = (1..=20).map(|number| due(DueKind::Reminder, number, after(60)));
    let world = World::with_scheduler(dues).await;
    world.backend.set(Fault::Decide, true);
    world.set(after(60));
    world.in_time("it is asked three times", async |world| world.backend.asked_about(20) >= 3).await;
    assert!(world.status().await.last_error.contains("the database is away"));
    assert_eq!(world.status().await.timers, 20);

    world.backend.set(Fault::Decide, false);
    world.in_time("all fire", async |world| world.sidecar.count_published() == 20).await;
    world.eventually("all is well", async |world| world.status().await.last_error.is_empty()).await;
    assert_eq!(world.backend.overlaps(), 0);
}

#[tokio::test]
async fn a_decision_whose_answer_was_lost_is_announced_all_the_same() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    world.backend.set(Fault::Answer, true);
    world.set(after(60));
    world.eventually("it is decided", async |world| world.backend.pending() == 0).await;
    world.backend.set(Fault::Answer, false);
    world.in_time("it is handed out again", async |world| world.sidecar.count_published() == 1).await;
}

#[tokio::test]
async fn one_that_the_backend_chokes_on_does_not_hold_up_the_others() {
    let dues = (1..=20).map(|number| due(DueKind::Reminder, number, after(60)));
    let world = World::with_scheduler(dues).await;
    world.backend.set(Fault::Chokes(id(7).to_string()), true);
    world.set(after(60));
    world.in_time("the others fire", async |world| world.sidecar.count_published() == 19).await;
    world.backend.set(Fault::Chokes(id(7).to_string()), false);
    world.in_time("it fires", async |world| world.sidecar.count_published() == 20).await;
}

#[tokio::test]
async fn a_slow_decision_is_not_asked_again_meanwhile() {
    let world = World::with_scheduler([due(DueKind::Reminder, 1, after(60))]).await;
    world.backend.hold(true);
    world.set(after(60));
    world.eventually("it is asked", async |world| world.backend.asked_about(1) == 1).await;
    let listings = world.backend.listings();
    world.in_time("it is listed again", async |world| world.backend.listings() >= listings + 2).await;
    world.backend.hold(false);
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    world.eventually("it is forgotten", async |world| world.status().await.timers == 0).await;
    assert_eq!((world.backend.asked_about(1), world.backend.overlaps()), (1, 0));
}

#[tokio::test]
async fn a_series_goes_on_without_another_listing() {
    let world = World::with_scheduler([due(DueKind::Series, 1, after(3))]).await;
    world.backend.repeat_series(TimeDelta::seconds(3));
    for slot in 1..=3_u32 {
        world.set(after(3 * i64::from(slot)));
        world.eventually("a task appears", async |world| world.sidecar.count_published() == slot as usize).await;
        world.eventually("the next is known", async |world| world.status().await.timers == 1).await;
    }
    assert_eq!((world.backend.asked_about(1), world.backend.listings()), (3, 1));
}

#[tokio::test]
async fn of_two_schedulers_one_decides() {
    let mut world = World::new();
    for number in 1..=50 {
        world.backend.add(due(DueKind::Reminder, number, after(60)));
    }
    world.start(Options::default());
    world.start(Options { stagger: std::time::Duration::from_millis(50), ..Options::default() });
    world.eventually("both hold the window", async |world| world.backend.listings() >= 2).await;
    world.set(after(60));
    world.in_time("all fire", async |world| world.sidecar.count_published() >= 50).await;
    world.in_time("the second has asked", async |world| world.backend.asked_about(50) >= 2).await;
    world.stop().await;
    assert_eq!(world.sidecar.count_published(), 50);
}

#[tokio::test]
async fn ten_thousand_at_one_instant_are_decided_in_batches_and_published() {
    let dues = (1..=10_000).map(|number| due(DueKind::Reminder, number, after(60)));
    let world = World::with_scheduler(dues).await;
    assert_eq!(world.status().await.timers, 10_000);
    world.set(after(60));
    world.eventually("all fire", async |world| world.sidecar.count_published() == 10_000).await;
    assert_eq!(world.backend.asked().len(), 20);
    assert_eq!(world.backend.overlaps(), 0);
}

#[tokio::test]
async fn a_snooze_told_of_rings_without_a_listing() {
    let world = World::with_scheduler([]).await;
    let snooze = due(DueKind::Reminder, 1, after(5));
    world.backend.add(snooze.clone());
    let beyond = due(DueKind::Reminder, 2, after(3600));
    let told = SetTimersRequest { due: vec![snooze, beyond] };
    world.client().set_timers(told).await.expect("it is told");
    assert_eq!(world.status().await.timers, 1);
    world.set(after(5));
    world.eventually("it fires", async |world| world.sidecar.count_published() == 1).await;
    assert_eq!(world.backend.listings(), 1);
}

#[tokio::test]
async fn a_shutdown_hears_what_it_asked_and_publishes_it() {
    let mut world = World::with_scheduler([due(DueKind::Reminder, 1, noon())]).await;
    world.backend.hold(true);
    world.eventually("it is asked", async |world| world.backend.asked_about(1) == 1).await;
    let backend = world.backend.clone();
    let ((), ()) = tokio::join!(
        async {
            tokio::task::yield_now().await;
            backend.hold(false);
        },
        world.stop()
    );
    assert_eq!(world.sidecar.count_published(), 1);
    assert!(world.sidecar.stored("reminder", id(1)).is_some(), "and the state store knows");
}
