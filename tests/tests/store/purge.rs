//! Retention: what nobody needs any more goes, a bounded batch at a time.

use chrono::{DateTime, TimeDelta, Utc};
use todo_backend::store::{AccessToken, Change, Firing, Outgoing, RefreshToken, Reply, Series, Slot, SlotState};
use uuid::Uuid;

use crate::{
    db::Db,
    letters::letter,
    log::change,
    make::{conversation, decision, id, recurrence, second, series, task},
    tenants::access_token,
};

/// Kinds of rows that are purged.
const KINDS: u64 = 9;

fn now() -> DateTime<Utc> {
    second(0)
}

fn ago(age: TimeDelta) -> DateTime<Utc> {
    now() - age
}

/// Purges once, as the backend does.
async fn purge(db: &Db, limit: i64) -> u64 {
    let mut tx = db.begin().await;
    let purged = tx
        .purge(now(), ago(TimeDelta::hours(1)), ago(TimeDelta::days(1)), ago(TimeDelta::days(7)), limit)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    purged
}

/// One row of each kind, `age` before or after the moment from which it may go (a little is enough either way).
async fn add(db: &Db, owner: Uuid, number: u32, past: TimeDelta) {
    let (key, kept) = (number.to_string(), i64::from(number));
    let unique = id(number.into());
    let week = ago(TimeDelta::days(7)) - past;
    let mut tx = db.begin().await;
    tx.add_attempt(unique, &key, ago(TimeDelta::hours(1)) - past).await.unwrap();
    tx.add_refresh_token(&token(owner, number, now() - past)).await.unwrap();
    let event = Outgoing { id: unique, topic: "t".into(), event: Vec::new(), created_at: week, attempts: 0 };
    tx.add_outgoing(&[event]).await.unwrap();
    tx.set_published(&[unique], week).await.unwrap();
    tx.add_firing(&firing(owner, number, week, true)).await.unwrap();
    tx.put_series(&Series { ended_at: Some(week), ..source(owner, number) }).await.unwrap();
    tx.put_slot(&slot(number)).await.unwrap();
    tx.add_reply(owner, &key, &reply(), ago(TimeDelta::days(1)) - past).await.unwrap();
    tx.add_change(owner, &Change { at: week, ..change(kept) }).await.unwrap();
    let talk = conversation(owner, number.into());
    tx.add_conversation(&talk).await.unwrap();
    let month = ago(TimeDelta::days(30)) - past;
    tx.add_decision(&decision(&talk, number.into(), month), &[]).await.unwrap();
    let hash = number.to_be_bytes().to_vec();
    tx.add_access_token(&AccessToken { id: unique, hash, expires_at: Some(month), ..access_token(owner) })
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn token(user_id: Uuid, number: u32, expires_at: DateTime<Utc>) -> RefreshToken {
    let hash = number.to_be_bytes().to_vec();
    RefreshToken { hash, user_id, family: id(number.into()), expires_at, rotated_at: None }
}

fn firing(user_id: Uuid, number: u32, fired_at: DateTime<Utc>, seen: bool) -> Firing {
    Firing {
        event_id: id(number.into()),
        notification_id: id(1),
        reminder_id: id(2),
        task_id: id(3),
        user_id,
        task_title: "x".into(),
        due: None,
        trigger_at: fired_at,
        fired_at,
        seen,
        traceparent: None,
    }
}

fn source(owner: Uuid, number: u32) -> Series {
    series(&task(owner, number.into(), "x"), &recurrence(number.into()))
}

fn slot(number: u32) -> Slot {
    Slot {
        series_id: id(number.into()),
        slot: second(0),
        task_id: id(u128::from(number) + 1_000_000),
        event_id: id(number.into()),
        epoch: 0,
        state: SlotState::Made,
        decided_at: second(0),
        announcement: Vec::new(),
        made_revision: None,
    }
}

fn reply() -> Reply {
    Reply { request: Vec::new(), response: Vec::new(), revision: None, announced: false }
}

/// Which rows with this number are there; published events show only in how many are purged.
async fn there(db: &Db, owner: Uuid, number: u32) -> [bool; 9] {
    let mut tx = db.read().await;
    let unique = id(number.into());
    [
        tx.attempts(&number.to_string(), now() - TimeDelta::days(100)).await.unwrap().0 > 0,
        tx.refresh_token(&number.to_be_bytes()).await.unwrap().is_some(),
        tx.firing(unique).await.unwrap().is_some(),
        tx.series(unique).await.unwrap().is_some(),
        tx.slot(unique, second(0)).await.unwrap().is_some(),
        tx.reply(owner, &number.to_string()).await.unwrap().is_some(),
        tx.change(owner, number.into()).await.unwrap().is_some(),
        tx.decision(owner, unique).await.unwrap().is_some(),
        tx.access_token(&number.to_be_bytes()).await.unwrap().is_some(),
    ]
}

pub(crate) async fn only_what_nobody_needs_goes(db: &Db) {
    let owner = db.owner("ada").await;
    let little = TimeDelta::microseconds(1);
    add(db, owner, 10, little).await;
    add(db, owner, 11, TimeDelta::zero()).await;
    add(db, owner, 12, -little).await;
    // However old: an event that waits, a firing that had no effect yet, a series that goes on.
    let long_ago = ago(TimeDelta::days(365));
    let mut tx = db.begin().await;
    let waiting = Outgoing { id: id(20), topic: "t".into(), event: Vec::new(), created_at: long_ago, attempts: 0 };
    tx.add_outgoing(&[waiting]).await.unwrap();
    tx.add_firing(&firing(owner, 20, long_ago, false)).await.unwrap();
    tx.put_series(&source(owner, 20)).await.unwrap();
    tx.put_slot(&Slot { decided_at: long_ago, ..slot(20) }).await.unwrap();
    tx.add_dead_letter(&letter(20, long_ago)).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(purge(db, 100).await, KINDS);
    assert_eq!(there(db, owner, 10).await, [false; 9]);
    assert_eq!(there(db, owner, 11).await, [true; 9], "the boundary itself is kept");
    assert_eq!(there(db, owner, 12).await, [true; 9]);
    assert_eq!(there(db, owner, 20).await, [false, false, true, true, true, false, false, false, false]);
    assert_eq!(db.read().await.outgoing_backlog().await.unwrap(), (1, Some(long_ago)));
    assert_eq!(db.read().await.dead_letters(None, 10).await.unwrap().len(), 1);
    assert_eq!(purge(db, 100).await, 0);
}

pub(crate) async fn purging_is_bounded_and_comes_to_an_end(db: &Db) {
    let owner = db.owner("ada").await;
    for number in 1..=25 {
        add(db, owner, number, TimeDelta::minutes(number.into())).await;
    }
    let mut batches = Vec::new();
    loop {
        match purge(db, 10).await {
            0 => break,
            purged => batches.push(purged),
        }
    }
    assert_eq!(batches, [10 * KINDS, 10 * KINDS, 5 * KINDS]);
    for number in 1..=25 {
        assert_eq!(there(db, owner, number).await, [false; 9]);
    }
}

pub(crate) async fn the_floor_rises_with_the_purge(db: &Db) {
    let (ada, bob) = (db.owner("ada").await, db.owner("bob").await);
    let old = ago(TimeDelta::days(8));
    let mut tx = db.begin().await;
    for revision in 1..=10 {
        // Several revisions of one transaction share their moment.
        let at = old + TimeDelta::minutes(revision / 4);
        tx.add_change(ada, &Change { at, ..change(revision) }).await.unwrap();
    }
    tx.add_change(ada, &Change { at: now(), ..change(11) }).await.unwrap();
    tx.add_change(bob, &Change { at: now(), ..change(1) }).await.unwrap();
    tx.set_revision(ada, 11).await.unwrap();
    tx.set_revision(bob, 1).await.unwrap();
    tx.commit().await.unwrap();

    let mut floor = 0;
    loop {
        let purged = purge(db, 3).await;
        let mut tx = db.read().await;
        let owner = tx.owner(ada).await.unwrap().unwrap();
        assert!(owner.floor >= floor && owner.revision == 11);
        floor = owner.floor;
        // From the floor on, the log has no gap.
        let changes = tx.changes(ada, floor, 100).await.unwrap();
        assert!(changes.iter().map(|change| change.revision).eq(floor + 1..=11), "{floor} {changes:?}");
        if purged == 0 {
            break;
        }
    }
    assert_eq!(floor, 10);
    assert_eq!(db.read().await.owner(bob).await.unwrap().unwrap().floor, 0);
}
