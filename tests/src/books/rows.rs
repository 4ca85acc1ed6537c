//! Reading the backend's database; compiled for each of the two.

use sqlx::Row as _;

use super::{Connection, DbRow};
use crate::books::{Books, Broker, Change, Firing, Outgoing, Reminder, Series, Slot, Task};

/// `tasks.status` of a completed task.
const COMPLETED: i64 = 3;

pub(in crate::books) async fn read(file: &mut Connection, broker: Broker) -> Books {
    let owners = all(file, "SELECT * FROM owners", |row| (row.get("user_id"), row.get("revision"))).await;
    let tasks = all(file, "SELECT * FROM tasks", |row| (row.get("id"), task(row))).await;
    let notifications =
        all(file, "SELECT * FROM notifications", |row| (row.get("id"), (row.get("user_id"), row.get("reminder_id"))));
    let notifications = notifications.await;
    let series = all(file, "SELECT * FROM series", |row| (row.get("id"), series(row))).await;
    Books {
        owners: owners.into_iter().collect(),
        changes: all(file, "SELECT * FROM changes ORDER BY user_id, revision", change).await,
        outbox: all(file, "SELECT * FROM outbox", outgoing).await,
        tasks: tasks.into_iter().collect(),
        reminders: all(file, "SELECT * FROM reminders", reminder).await,
        firings: all(file, "SELECT * FROM firings", firing).await,
        notifications: notifications.into_iter().collect(),
        series: series.into_iter().collect(),
        slots: all(file, "SELECT * FROM slots", slot).await,
        dead_letters: all(file, "SELECT topic || ': ' || reason AS letter FROM dead_letters", |row| row.get("letter"))
            .await,
        broker,
    }
}

/// What is left to do by a moment, and how much of it.
pub(in crate::books) async fn left_to_do(file: &mut Connection, now: i64) -> Vec<(String, i64)> {
    sqlx::query_as(
        "SELECT 'events to publish', count(*) FROM outbox WHERE due_at IS NOT NULL
         UNION ALL SELECT 'firings without effect', count(*) FROM firings WHERE NOT seen
         UNION ALL SELECT 'slots without effect', count(*) FROM slots WHERE state = 1
         UNION ALL SELECT 'series to decide', count(*) FROM series WHERE due_at <= $1
         UNION ALL SELECT 'reminders to decide', count(*) FROM reminders WHERE state = 1 AND trigger_at <= $1",
    )
    .bind(now)
    .fetch_all(file)
    .await
    .expect("the rows are counted")
}

pub(in crate::books) async fn all<T>(file: &mut Connection, sql: &'static str, read: impl Fn(&DbRow) -> T) -> Vec<T> {
    let rows = sqlx::query(sql).fetch_all(file).await.expect("the rows are read");
    rows.iter().map(read).collect()
}

fn change(row: &DbRow) -> Change {
    Change {
        user_id: row.get("user_id"),
        revision: row.get("revision"),
        kind: row.get("kind"),
        entity_id: row.get("entity_id"),
    }
}

fn outgoing(row: &DbRow) -> Outgoing {
    let published: Option<i64> = row.get("published_at");
    let due: Option<i64> = row.get("due_at");
    Outgoing {
        id: row.get("id"),
        topic: row.get("topic"),
        event: serde_json::from_slice(row.get("event")).expect("an event is JSON"),
        published: published.is_some() && due.is_none(),
    }
}

fn task(row: &DbRow) -> Task {
    Task {
        user_id: row.get("user_id"),
        open: row.get::<i64, _>("status") != COMPLETED,
        revision: row.get("revision"),
        source_task_id: row.get("source_task_id"),
    }
}

fn reminder(row: &DbRow) -> Reminder {
    Reminder {
        id: row.get("id"),
        task_id: row.get("task_id"),
        trigger_at: row.get("trigger_at"),
        before_due: row.get("before_due"),
        state: row.get("state"),
        snoozes: row.get("notification_id"),
    }
}

fn firing(row: &DbRow) -> Firing {
    Firing {
        event_id: row.get("event_id"),
        notification_id: row.get("notification_id"),
        reminder_id: row.get("reminder_id"),
        task_id: row.get("task_id"),
        trigger_at: row.get("trigger_at"),
        fired_at: row.get("fired_at"),
        seen: row.get("seen"),
    }
}

fn series(row: &DbRow) -> Series {
    Series {
        task_id: row.get("task_id"),
        recurrence: serde_json::from_str(row.get("recurrence")).expect("a rule is JSON"),
        decided_to: row.get("decided_to"),
        due_at: row.get("due_at"),
        blocked: row.get("blocked"),
        ended: row.get::<Option<i64>, _>("ended_at").is_some(),
    }
}

fn slot(row: &DbRow) -> Slot {
    Slot {
        series_id: row.get("series_id"),
        slot: row.get("slot"),
        task_id: row.get("task_id"),
        event_id: row.get("event_id"),
        epoch: row.get("epoch"),
        state: row.get("state"),
        made_revision: row.get("made_revision"),
    }
}
