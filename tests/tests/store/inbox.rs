//! Notifications.

use todo_backend::store::Notification;
use uuid::Uuid;

use crate::{
    db::Db,
    make::{NONE, at, id, second},
};

fn notification(user_id: Uuid, number: u128) -> Notification {
    Notification {
        id: id(number),
        user_id,
        reminder_id: id(number + 1_000),
        task_id: id(number + 2_000),
        task_title: "it's \"this\" ÄÖ 日本".into(),
        due: None,
        triggered_at: second(0),
        read_at: None,
        snoozed_until: None,
        revision: 1,
    }
}

async fn put(db: &Db, notifications: &[Notification]) {
    let mut tx = db.begin().await;
    for notification in notifications {
        tx.put_notification(notification).await.unwrap();
    }
    tx.commit().await.unwrap();
}

pub(crate) async fn a_notification_survives(db: &Db) {
    let owner = db.owner("ada").await;
    let plain = notification(owner, 1);
    let full = Notification {
        task_title: "else".into(),
        due: Some(at("1969-12-31T23:59:59.999999Z")),
        triggered_at: at("2026-03-29T01:59:59.123456Z"),
        read_at: Some(second(8)),
        snoozed_until: Some(second(9)),
        revision: i64::MAX,
        ..plain.clone()
    };
    for known in [plain.clone(), full, plain] {
        put(db, std::slice::from_ref(&known)).await;
        let mut tx = db.read().await;
        assert_eq!(tx.notifications(owner, &[id(1), id(404)]).await.unwrap(), std::slice::from_ref(&known));
        assert_eq!(tx.list_notifications(owner, false, 10, 0).await.unwrap(), [known]);
        assert_eq!(tx.notifications(owner, &[]).await.unwrap(), []);
    }
}

pub(crate) async fn the_newest_come_first_in_pages(db: &Db) {
    let (owner, other) = (db.owner("ada").await, db.owner("bob").await);
    // Three to a moment: ids decide.
    let mut known: Vec<_> = (1..=20)
        .map(|number| Notification {
            triggered_at: second(i64::try_from(number / 3).unwrap()),
            read_at: (number % 2 == 0).then(|| second(99)),
            ..notification(owner, number)
        })
        .collect();
    put(db, &known).await;
    put(db, &[notification(other, 100)]).await;
    known.sort_by_key(|notification| std::cmp::Reverse((notification.triggered_at, notification.id)));
    let unread: Vec<_> = known.iter().filter(|notification| notification.read_at.is_none()).cloned().collect();
    for (unread_only, expected) in [(false, known), (true, unread)] {
        let mut seen = Vec::new();
        loop {
            let offset = i64::try_from(seen.len()).unwrap();
            let page = db.read().await.list_notifications(owner, unread_only, 4, offset).await.unwrap();
            assert!(page.len() <= 4);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, expected);
    }
}

pub(crate) async fn unread_ones_are_counted_and_found(db: &Db) {
    let (owner, other) = (db.owner("ada").await, db.owner("bob").await);
    assert_eq!(db.read().await.count_notifications(owner).await.unwrap(), (0, 0));
    let read = Notification { read_at: Some(second(1)), ..notification(owner, 3) };
    let newer = Notification { triggered_at: second(5), ..notification(owner, 1) };
    put(db, &[newer.clone(), notification(owner, 2), read, notification(other, 4)]).await;
    let mut tx = db.read().await;
    assert_eq!(tx.count_notifications(owner).await.unwrap(), (3, 2));
    assert_eq!(tx.count_unread(owner).await.unwrap(), 2);
    assert_eq!(tx.unread(owner).await.unwrap(), [id(2), id(1)]);
    drop(tx);
    put(db, &[Notification { read_at: Some(second(6)), ..newer }]).await;
    let mut tx = db.read().await;
    assert_eq!(tx.count_notifications(owner).await.unwrap(), (3, 1));
    assert_eq!(tx.unread(owner).await.unwrap(), [id(2)]);
    assert_eq!(tx.count_unread(other).await.unwrap(), 1);
}

pub(crate) async fn snoozed_ones_of_a_task_are_found(db: &Db) {
    let (owner, other) = (db.owner("ada").await, db.owner("bob").await);
    let of_task = |owner, number| Notification { task_id: id(7), ..notification(owner, number) };
    let snoozed = Notification { snoozed_until: Some(second(9)), ..of_task(owner, 2) };
    let of_another = Notification { snoozed_until: Some(second(9)), ..notification(owner, 3) };
    put(db, &[of_task(owner, 1), snoozed.clone(), of_another]).await;
    put(db, &[Notification { snoozed_until: Some(second(9)), ..of_task(other, 4) }]).await;
    assert_eq!(db.read().await.snoozed(owner, id(7)).await.unwrap(), [id(2)]);
    put(db, &[Notification { snoozed_until: None, ..snoozed }]).await;
    assert_eq!(db.read().await.snoozed(owner, id(7)).await.unwrap(), NONE);
}
