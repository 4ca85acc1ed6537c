//! Browsers to which reminders are pushed.

use todo_backend::store::{Change, ChangeKind, Notification, Subscription};
use uuid::Uuid;

use crate::{
    db::Db,
    log::change,
    make::{id, second},
    tenants::{notification, subscription},
};

/// Has a notification ring at the owner's next revision.
async fn ring(db: &Db, notification: &Notification, at: i64) {
    let owner = notification.user_id;
    let mut tx = db.begin().await;
    let revision = tx.lock_owner(owner).await.unwrap().unwrap().revision + 1;
    tx.put_notification(notification).await.unwrap();
    let rang = Change { kind: ChangeKind::Notified, entity_id: notification.id, ..change(revision) };
    tx.add_change(owner, &rang).await.unwrap();
    tx.set_revision(owner, revision).await.unwrap();
    tx.ring(&[owner], second(at), second(at + 100)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn lease(db: &Db, now: i64, until: i64) -> Vec<Subscription> {
    let mut tx = db.begin().await;
    let due = tx.is_push_due(second(now)).await.unwrap();
    let leased = tx.lease_subscriptions(second(now), second(until), 10).await.unwrap();
    assert_eq!(due, !leased.is_empty());
    tx.commit().await.unwrap();
    leased
}

async fn serve(db: &Db, served: &Subscription, next: i64) {
    let mut tx = db.begin().await;
    tx.serve_subscription(served, second(next)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn furnish(db: &Db) -> (Uuid, Notification) {
    let owner = db.owner("ada").await;
    let mut tx = db.begin().await;
    tx.add_subscription(&subscription(owner, 1)).await.unwrap();
    tx.commit().await.unwrap();
    (owner, Notification { snoozed_until: None, ..notification(owner) })
}

pub(crate) async fn a_subscription_is_served_by_one_until_nothing_more_rang(db: &Db) {
    let (_, rung) = furnish(db).await;
    assert_eq!(lease(db, 100, 200).await, []);
    ring(db, &rung, 10).await;
    assert_eq!(lease(db, 9, 200).await, []);
    let mut first = lease(db, 10, 70).await.pop().unwrap();
    assert_eq!((first.sent, first.rung), (0, 1));
    assert_eq!(lease(db, 69, 200).await, [], "somebody has it");

    // What rings meanwhile does not give it to another, and is not lost.
    ring(db, &Notification { id: id(2), ..rung.clone() }, 20).await;
    assert_eq!(lease(db, 69, 200).await, []);
    first.sent = 1;
    serve(db, &first, 30).await;
    let mut again = lease(db, 30, 90).await.pop().unwrap();
    assert_eq!((again.sent, again.rung), (1, 2));
    again.sent = 2;
    serve(db, &again, 40).await;
    assert_eq!(lease(db, 1_000, 2_000).await, [], "all is sent");
}

pub(crate) async fn who_fell_out_or_ran_ahead_keeps_nobody_from_it(db: &Db) {
    let (_, rung) = furnish(db).await;
    ring(db, &rung, 10).await;
    assert_eq!(lease(db, 10, 70).await.len(), 1);
    assert_eq!(lease(db, 70, 10_000).await.len(), 1, "the lease is over");
    ring(db, &rung, 80).await;
    assert_eq!(lease(db, 80, 140).await.len(), 1, "no lease is that long");
}

pub(crate) async fn what_rang_is_found_until_it_is_dealt_with(db: &Db) {
    let (owner, rung) = furnish(db).await;
    let found = async |after: i64, since: i64| {
        let found = db.read().await.rung(owner, after, second(since), 10).await.unwrap();
        found.into_iter().map(|(revision, notification)| (revision, notification.id)).collect::<Vec<_>>()
    };
    ring(db, &rung, 1).await;
    ring(db, &Notification { id: id(2), ..rung.clone() }, 1).await;
    assert_eq!(found(0, -1).await, [(1, rung.id), (2, id(2))]);
    assert_eq!(found(1, -1).await, [(2, id(2))]);
    ring(db, &rung, 1).await;
    assert_eq!(found(0, -1).await, [(2, id(2)), (3, rung.id)], "one that rang again is told once");
    assert_eq!(found(0, 0).await, [], "rung too long ago");
    let mut tx = db.begin().await;
    let read = Notification { read_at: Some(second(3)), ..rung.clone() };
    let snoozed = Notification { id: id(2), snoozed_until: Some(second(9)), ..rung };
    tx.put_notifications(&[read, snoozed]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(0, -1).await, []);
}

pub(crate) async fn a_browser_is_its_last_users(db: &Db) {
    let (ada, rung) = furnish(db).await;
    let bob = db.owner("bob").await;
    ring(db, &rung, 10).await;
    let mut tx = db.begin().await;
    // Again by the same one: as it is.
    tx.add_subscription(&Subscription { sent: 9, rung: 9, ..subscription(ada, 1) }).await.unwrap();
    assert_eq!(tx.subscriptions(ada).await.unwrap()[0].rung, 1);
    let his = Subscription { sent: 9, rung: 9, ..subscription(bob, 1) };
    tx.add_subscription(&his).await.unwrap();
    assert_eq!(tx.subscriptions(ada).await.unwrap(), []);
    assert_eq!(tx.subscriptions(bob).await.unwrap(), [his]);
    tx.commit().await.unwrap();
    assert_eq!(lease(db, 1_000, 2_000).await, [], "what rang for the one is not sent to the other");
    let mut tx = db.begin().await;
    tx.end_sessions(bob, None).await.unwrap();
    assert_eq!(tx.subscriptions(bob).await.unwrap(), []);
}
