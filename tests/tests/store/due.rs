//! What is due: reminders and series in one order; snoozes.

use chrono::{DateTime, Utc};
use todo_backend::store::{DueKind, DueRow, ReminderRow, Series};
use todo_domain::task::{Reminder, ReminderState, Task, When};
use uuid::Uuid;

use crate::{
    db::Db,
    make::{NONE, Random, at, id, recurrence, reminder, second, series, snooze, task},
};

const FOREVER: &str = "9999-12-31T23:59:59.999999Z";

async fn due(db: &Db, until: DateTime<Utc>) -> Vec<DueRow> {
    db.read().await.due(until, None, 10_000).await.unwrap()
}

/// Many reminders and series of two owners that share a few moments; answers all that are due some time, in order.
async fn crowd(db: &Db, seed: u64, tasks: u32) -> Vec<DueRow> {
    let owners = [db.owner("ada").await, db.owner("bob").await];
    let mut random = Random(seed);
    let mut rows = Vec::new();
    let mut tx = db.begin().await;
    for number in 0..tasks {
        let owner = *random.pick(&owners);
        let mut task = task(owner, u128::from(number) + 1, "x");
        for _ in 0..random.below(6) {
            let moment = random.moment(5);
            let state = *random.pick(ReminderState::ALL);
            let made = Reminder { state, ..reminder(random.id().as_u128(), moment) };
            if state == ReminderState::Pending {
                rows.push(row(&task, DueKind::Reminder, made.id, moment));
            }
            task.reminders.push(made);
        }
        assert!(tx.insert_task(&task, None).await.unwrap());
        if random.one_in(2) {
            let recurrence = recurrence(random.id().as_u128());
            let due_at = (!random.one_in(4)).then(|| random.moment(5));
            tx.put_series(&Series { due_at, ..series(&task, &recurrence) }).await.unwrap();
            rows.extend(due_at.map(|due_at| row(&task, DueKind::Series, recurrence.id, due_at)));
        }
    }
    tx.commit().await.unwrap();
    rows.sort_by_key(|row| (row.at, row.kind, row.id));
    rows
}

fn row(task: &Task, kind: DueKind, id: Uuid, at: DateTime<Utc>) -> DueRow {
    DueRow { at, kind, id, task_id: task.id, user_id: task.user_id }
}

pub(crate) async fn pages_visit_everything_due_once_and_in_order(db: &Db) {
    let rows = crowd(db, 31, 150).await;
    assert!(rows.len() > 150);
    assert!(due(db, at(FOREVER)).await == rows);
    for limit in [1, 2, 7, 50] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = db.read().await.due(at(FOREVER), after, limit).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.kind, last.id));
            seen.extend(page);
        }
        assert!(seen == rows, "in pages of {limit}");
    }
    // From any place, one that nothing holds included.
    for place in rows.iter().step_by(9) {
        for (kind, id) in [
            (place.kind, place.id),
            (DueKind::Reminder, Uuid::max()),
            (DueKind::Series, Uuid::nil()),
            (DueKind::Reminder, Uuid::nil()),
            (DueKind::Series, Uuid::max()),
        ] {
            let after = (place.at, kind, id);
            let expected: Vec<_> = rows.iter().filter(|row| (row.at, row.kind, row.id) > after).cloned().collect();
            let found = db.read().await.due(at(FOREVER), Some(after), 10_000).await.unwrap();
            assert!(found == expected, "after {after:?}");
        }
    }
}

pub(crate) async fn until_is_inclusive(db: &Db) {
    let rows = crowd(db, 32, 60).await;
    let micro = chrono::TimeDelta::microseconds(1);
    for moment in rows.iter().map(|row| row.at).flat_map(|moment| [moment - micro, moment, moment + micro]) {
        let expected = rows.iter().filter(|row| row.at <= moment).count();
        assert_eq!(due(db, moment).await, rows[..expected]);
    }
}

pub(crate) async fn only_what_is_pending_is_due(db: &Db) {
    let owner = db.owner("ada").await;
    let source = Task {
        reminders: vec![
            reminder(11, second(1)),
            Reminder { state: ReminderState::Fired, ..reminder(12, second(2)) },
            Reminder { state: ReminderState::Cancelled, ..reminder(13, second(3)) },
            Reminder {
                when: When::BeforeDue(5),
                trigger_at: None,
                state: ReminderState::Cancelled,
                ..reminder(14, second(4))
            },
        ],
        ..task(owner, 1, "x")
    };
    db.insert(std::slice::from_ref(&source)).await;
    let mut tx = db.begin().await;
    tx.put_snooze(&snooze(15, &source, 90, second(5)), second(0)).await.unwrap();
    let waiting = Series { due_at: Some(second(6)), ..series(&source, &recurrence(16)) };
    tx.put_series(&waiting).await.unwrap();
    tx.commit().await.unwrap();
    let ids = async || due(db, at(FOREVER)).await.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids().await, [id(11), id(15), id(16)]);

    let mut tx = db.begin().await;
    tx.set_fired(&[owner], &[id(11)]).await.unwrap();
    tx.cancel_snoozes(owner, source.id).await.unwrap();
    tx.put_series(&Series { due_at: None, ..waiting }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ids().await, NONE);
}

pub(crate) async fn pending_reminders_are_found_snoozes_included(db: &Db) {
    let owner = db.owner("ada").await;
    let source = Task {
        reminders: vec![
            reminder(11, at("1969-12-31T23:59:59.999999Z")),
            Reminder { state: ReminderState::Fired, ..reminder(12, second(2)) },
            Reminder { state: ReminderState::Cancelled, ..reminder(13, second(3)) },
            Reminder { when: When::BeforeDue(5), ..reminder(14, second(4)) },
        ],
        ..task(owner, 1, "x")
    };
    db.insert(std::slice::from_ref(&source)).await;
    let snoozed = snooze(15, &source, 90, second(5));
    let mut tx = db.begin().await;
    tx.put_snooze(&snoozed, second(0)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.read().await;
    assert_eq!(tx.pending_reminders(&[]).await.unwrap(), []);
    let asked: Vec<_> = (10..=20).map(id).collect();
    let mut found = tx.pending_reminders(&asked).await.unwrap();
    found.sort_by_key(|row| row.id);
    let plain = |number, trigger_at| ReminderRow { notification_id: None, ..snooze(number, &source, 0, trigger_at) };
    assert_eq!(found, [plain(11, at("1969-12-31T23:59:59.999999Z")), plain(14, second(4)), snoozed]);
    assert_eq!(tx.pending_reminders(&[id(14)]).await.unwrap().len(), 1);
}

pub(crate) async fn a_snooze_rings_at_its_latest_time(db: &Db) {
    let owner = db.owner("ada").await;
    let source = task(owner, 1, "x");
    db.insert(std::slice::from_ref(&source)).await;
    let put = async |trigger_at| {
        let mut tx = db.begin().await;
        tx.put_snooze(&snooze(15, &source, 90, trigger_at), second(0)).await.unwrap();
        tx.commit().await.unwrap();
        due(db, at(FOREVER)).await
    };
    let rings = |trigger_at| [row(&source, DueKind::Reminder, id(15), trigger_at)];
    assert_eq!(put(second(5)).await, rings(second(5)));
    assert_eq!(put(second(3)).await, rings(second(3)));
    // One that rang, and one that was cancelled, ring again.
    let mut tx = db.begin().await;
    tx.set_fired(&[owner], &[id(15)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(due(db, at(FOREVER)).await, []);
    assert_eq!(put(second(9)).await, rings(second(9)));
    let mut tx = db.begin().await;
    tx.cancel_snoozes(owner, source.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(due(db, at(FOREVER)).await, []);
    assert_eq!(put(second(8)).await, rings(second(8)));
}

pub(crate) async fn a_snooze_is_none_of_its_tasks_reminders(db: &Db) {
    let owner = db.owner("ada").await;
    let before = Task { reminders: vec![reminder(11, second(1))], ..task(owner, 1, "x") };
    db.insert(std::slice::from_ref(&before)).await;
    let mut tx = db.begin().await;
    tx.put_snooze(&snooze(15, &before, 90, second(5)), second(0)).await.unwrap();
    assert_eq!(tx.task(owner, before.id).await.unwrap(), Some(before.clone()));
    // New reminders replace the task's own and leave the snooze; cancelling snoozes leaves the task's own.
    let after = Task { reminders: vec![reminder(12, second(2))], ..before.clone() };
    tx.update_task(&before, &after).await.unwrap();
    tx.commit().await.unwrap();
    let ids = async || due(db, at(FOREVER)).await.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids().await, [id(12), id(15)]);
    let mut tx = db.begin().await;
    tx.cancel_snoozes(owner, after.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ids().await, [id(12)]);
    assert_eq!(db.read().await.task(owner, after.id).await.unwrap(), Some(after));
}

pub(crate) async fn what_fired_is_pending_no_more(db: &Db) {
    let owner = db.owner("ada").await;
    let before = Task { reminders: vec![reminder(11, second(1)), reminder(12, second(1))], ..task(owner, 1, "x") };
    db.insert(std::slice::from_ref(&before)).await;
    let mut tx = db.begin().await;
    tx.set_fired(&[owner], &[id(11)]).await.unwrap();
    tx.set_fired(&[owner], &[id(404)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.read().await;
    let found = tx.pending_reminders(&[id(11), id(12)]).await.unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [id(12)]);
    let states: Vec<_> =
        tx.task(owner, before.id).await.unwrap().unwrap().reminders.iter().map(|reminder| reminder.state).collect();
    assert_eq!(states, [ReminderState::Fired, ReminderState::Pending]);
}
