//! The outbox: events wait until they are published, each as it was committed.

use chrono::{DateTime, Utc};
use todo_backend::store::Outgoing;
use todo_tests::SOON;
use uuid::Uuid;

use crate::{
    db::Db,
    make::{id, second},
};

fn event(number: u32) -> Outgoing {
    Outgoing {
        id: id(number.into()),
        topic: if number.is_multiple_of(2) { "tasks".into() } else { "reminders".into() },
        event: format!("{{\"n\":{number}}}\0\u{ff}").into_bytes(),
        created_at: second(number.into()),
        attempts: 0,
    }
}

async fn add(db: &Db, numbers: impl IntoIterator<Item = u32>) {
    let events: Vec<_> = numbers.into_iter().map(event).collect();
    let mut tx = db.begin().await;
    tx.add_outgoing(&events).await.unwrap();
    tx.commit().await.unwrap();
}

/// Takes what is due and commits, as the relay does.
async fn lease(db: &Db, now: DateTime<Utc>, until: DateTime<Utc>, limit: i64) -> Vec<Outgoing> {
    let mut tx = db.begin().await;
    let leased = tx.lease_outgoing(now, until, limit).await.unwrap();
    tx.commit().await.unwrap();
    leased
}

fn ids(events: &[Outgoing]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}

async fn published(db: &Db, events: &[Uuid]) {
    let mut tx = db.begin().await;
    tx.set_published(events, second(1_000)).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn the_oldest_are_leased_first(db: &Db) {
    add(db, [7, 3, 9, 1, 5, 8, 2, 6, 4]).await;
    // Not before their time, and at their time.
    assert_eq!(lease(db, second(0), second(30), 100).await, []);
    let due = lease(db, second(1), second(30), 100).await;
    assert_eq!(due, [Outgoing { attempts: 1, ..event(1) }]);
    published(db, &ids(&due)).await;

    let mut order = Vec::new();
    loop {
        let batch = lease(db, second(20), second(60), 3).await;
        if batch.is_empty() {
            break;
        }
        published(db, &ids(&batch)).await;
        order.extend(batch);
    }
    assert_eq!(order, (2..=9).map(|number| Outgoing { attempts: 1, ..event(number) }).collect::<Vec<_>>());
}

pub(crate) async fn what_was_published_is_not_leased_again(db: &Db) {
    add(db, 1..=4).await;
    published(db, &[id(2), id(3), id(404)]).await;
    published(db, &[]).await;
    assert_eq!(ids(&lease(db, second(100), second(130), 10).await), [id(1), id(4)]);
    published(db, &[id(1), id(4)]).await;
    assert_eq!(lease(db, second(10_000), second(10_030), 10).await, []);
    // An event is committed once.
    assert!(db.begin().await.add_outgoing(&[event(1)]).await.is_err());
}

pub(crate) async fn what_failed_waits_for_its_time(db: &Db) {
    add(db, 1..=3).await;
    assert_eq!(lease(db, second(10), second(40), 10).await.len(), 3);
    let mut tx = db.begin().await;
    tx.postpone_outgoing(&[], second(0)).await.unwrap();
    tx.postpone_outgoing(&[id(1)], second(500)).await.unwrap();
    tx.postpone_outgoing(&[id(2), id(3)], second(100)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(lease(db, second(99), second(120), 10).await, []);
    assert_eq!(ids(&lease(db, second(100), second(130), 10).await), [id(2), id(3)]);
    published(db, &[id(2), id(3)]).await;
    assert_eq!(lease(db, second(499), second(530), 10).await, []);
    assert_eq!(ids(&lease(db, second(500), second(530), 10).await), [id(1)]);
}

pub(crate) async fn attempts_count_how_often_publishing_was_begun(db: &Db) {
    add(db, [1]).await;
    // The wait between two tries grows with it, so it has to be the same everywhere.
    for attempt in 1..=4 {
        let now = second(attempt * 100);
        let leased = lease(db, now, now + chrono::TimeDelta::seconds(30), 10).await;
        assert_eq!(leased, [Outgoing { attempts: attempt, ..event(1) }]);
        let mut tx = db.begin().await;
        tx.postpone_outgoing(&[id(1)], second(attempt * 100 + 50)).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub(crate) async fn what_a_fast_clock_put_off_is_recalled(db: &Db) {
    add(db, 1..=4).await;
    let mut tx = db.begin().await;
    tx.postpone_outgoing(&[id(1)], second(1_000)).await.unwrap();
    tx.postpone_outgoing(&[id(2), id(3)], second(1_001)).await.unwrap();
    tx.set_published(&[id(3)], second(9_000)).await.unwrap();
    tx.commit().await.unwrap();
    let recall = async || {
        let mut tx = db.begin().await;
        let recalled = tx.recall_outgoing(second(50), second(1_000)).await.unwrap();
        tx.commit().await.unwrap();
        recalled
    };
    // What could have been put off by a clock that goes right waits on; what is published stays so.
    assert_eq!((recall().await, recall().await), (1, 0));
    assert_eq!(ids(&lease(db, second(50), second(80), 10).await), [id(2), id(4)]);
}

pub(crate) async fn the_backlog_tells_how_many_and_since_when(db: &Db) {
    let backlog = async || db.read().await.outgoing_backlog().await.unwrap();
    assert_eq!(backlog().await, (0, None));
    add(db, [3, 2, 5]).await;
    assert_eq!(backlog().await, (3, Some(second(2))));
    lease(db, second(2), second(100), 1).await;
    assert_eq!(backlog().await, (3, Some(second(2))), "what is leased still waits");
    let mut tx = db.begin().await;
    tx.postpone_outgoing(&[id(3)], second(9_000)).await.unwrap();
    tx.set_published(&[id(2)], second(9)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(backlog().await, (2, Some(second(3))));
    published(db, &[id(3), id(5)]).await;
    assert_eq!(backlog().await, (0, None));
}

pub(crate) async fn what_was_published_is_kept_and_can_wait_again(db: &Db) {
    let since = async |from| {
        let mut ids = db.read().await.published_since(second(from)).await.unwrap();
        ids.sort_unstable();
        ids
    };
    let kept = async || db.read().await.outgoing_kept().await.unwrap();
    assert_eq!((since(0).await, kept().await), (Vec::new(), (0, None)));
    add(db, 1..=5).await;
    let mut tx = db.begin().await;
    for number in 1..=4 {
        tx.postpone_outgoing(&[id(number)], second(50)).await.unwrap();
        tx.set_published(&[id(number)], second(100 * i64::try_from(number).unwrap())).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(kept().await, (4, Some(second(100))));
    // From that moment on, and not what was never published.
    assert_eq!(since(200).await, [id(2), id(3), id(4)]);
    assert_eq!(since(201).await, [id(3), id(4)]);

    let mut tx = db.begin().await;
    assert_eq!(tx.publish_again(&[], second(900)).await.unwrap(), 0);
    assert_eq!(tx.publish_again(&[id(3), id(4), id(404)], second(900)).await.unwrap(), 2);
    // What waits already is due at once, too.
    tx.postpone_outgoing(&[id(5)], second(9_000)).await.unwrap();
    assert_eq!(tx.publish_again(&[id(5)], second(900)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!((since(0).await, kept().await), (vec![id(1), id(2)], (2, Some(second(100)))));
    assert_eq!(db.read().await.outgoing_backlog().await.unwrap(), (3, Some(second(3))));
    assert_eq!(lease(db, second(899), second(929), 10).await, []);
    // Each as it was committed, as if nothing had been tried.
    let again = lease(db, second(900), second(930), 10).await;
    assert_eq!(again, [3, 4, 5].map(|number| Outgoing { attempts: 1, ..event(number) }));
}

/// Only on Postgres, where several replicas share the outbox.
pub(crate) async fn a_lease_hides_from_others(db: &Db) {
    add(db, 1..=6).await;
    let mut one = db.begin().await;
    let mut two = db.begin().await;
    let first = one.lease_outgoing(second(100), second(130), 4).await.unwrap();
    // Before the first is committed, and without waiting for it.
    let second_batch = two.lease_outgoing(second(100), second(130), 4).await.unwrap();
    assert_eq!((ids(&first), ids(&second_batch)), (vec![id(1), id(2), id(3), id(4)], vec![id(5), id(6)]));
    one.commit().await.unwrap();
    drop(two);
    // What was committed stays hidden until its time; what was dropped is free once the server has heard of it.
    let freed = todo_tests::eventually("a dropped lease is free", SOON, async || {
        let freed = lease(db, second(129), second(150), 10).await;
        (!freed.is_empty()).then_some(freed)
    });
    assert_eq!(ids(&freed.await), [id(5), id(6)]);
    let again = lease(db, second(130), second(160), 10).await;
    assert_eq!(ids(&again), ids(&first));
    assert!(again.iter().all(|event| event.attempts == 2));
}

/// Only on SQLite, where one process owns the file: a lease would cost a commit and hide from nobody.
pub(crate) async fn a_lease_hides_nothing(db: &Db) {
    add(db, 1..=2).await;
    let first = lease(db, second(100), second(130), 10).await;
    assert_eq!(lease(db, second(100), second(130), 10).await, first);
}
