use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row as _};
use todo_domain::{recurrence::Recurrence, task::Status};
use uuid::Uuid;

use super::{Db, Row, Transaction, list, tasks::stored_status};
use crate::store::{DueKind, DueRow, Error, Firing, Outline, ReminderRow, Series, Slot, SlotState, Time, micros, time};

/// What was decided so long after a moment that lies a little in the past, a clock wrote that ran ahead and was set back.
const AHEAD: i64 = 60_000_000;

/// `reminders.state`
pub(super) const PENDING: i64 = 1;
pub(super) const FIRED: i64 = 2;
pub(super) const CANCELLED: i64 = 3;

fn optional(row: &Row, column: &str) -> Result<Option<DateTime<Utc>>, Error> {
    row.try_get::<Option<i64>, _>(column)?.map(time).transpose()
}

/// The rule of a series, with what was found of it.
pub(super) fn recurrence(row: &Row) -> Result<Recurrence, Error> {
    let recurrence: Recurrence =
        serde_json::from_str(row.try_get("recurrence")?).map_err(|_| Error::Corrupt("recurrence"))?;
    Ok(Recurrence { blocked: row.try_get("blocked")?, ..recurrence })
}

fn series(row: &Row) -> Result<Series, Error> {
    Ok(Series {
        recurrence: recurrence(row)?,
        task_id: row.try_get("task_id")?,
        user_id: row.try_get("user_id")?,
        decided_to: optional(row, "decided_to")?,
        due_at: optional(row, "due_at")?,
        blocked: row.try_get("blocked")?,
        ended_at: optional(row, "ended_at")?,
    })
}

fn slot(row: &Row) -> Result<Slot, Error> {
    Ok(Slot {
        series_id: row.try_get("series_id")?,
        slot: time(row.try_get("slot")?)?,
        task_id: row.try_get("task_id")?,
        event_id: row.try_get("event_id")?,
        epoch: i32::try_from(row.try_get::<i64, _>("epoch")?).map_err(|_| Error::Corrupt("epoch"))?,
        state: match row.try_get::<i64, _>("state")? {
            1 => SlotState::Decided,
            2 => SlotState::Made,
            3 => SlotState::Withdrawn,
            _ => return Err(Error::Corrupt("slot state")),
        },
        decided_at: time(row.try_get("decided_at")?)?,
        announcement: row.try_get("announcement")?,
        made_revision: row.try_get("made_revision")?,
    })
}

fn firing(row: &Row) -> Result<Firing, Error> {
    Ok(Firing {
        event_id: row.try_get("event_id")?,
        notification_id: row.try_get("notification_id")?,
        reminder_id: row.try_get("reminder_id")?,
        task_id: row.try_get("task_id")?,
        user_id: row.try_get("user_id")?,
        task_title: row.try_get("task_title")?,
        due: optional(row, "due_at")?,
        trigger_at: time(row.try_get("trigger_at")?)?,
        fired_at: time(row.try_get("fired_at")?)?,
        seen: row.try_get("seen")?,
        traceparent: row.try_get("traceparent")?,
    })
}

const SERIES: &str = "SELECT id, task_id, user_id, recurrence, decided_to, due_at, blocked, ended_at FROM series";
const SLOT: &str = "SELECT series_id, slot, task_id, event_id, epoch, state, decided_at, announcement, made_revision
     FROM slots";
const FIRING: &str = "SELECT event_id, notification_id, reminder_id, task_id, user_id, task_title, due_at, trigger_at,
     fired_at, seen, traceparent FROM firings";

#[async_trait]
impl Time for Transaction {
    async fn due(
        &mut self,
        until: DateTime<Utc>,
        after: Option<(DateTime<Utc>, DueKind, Uuid)>,
        limit: i64,
    ) -> Result<Vec<DueRow>, Error> {
        let mut rows = Vec::new();
        for (kind, table, column, task, pending) in [
            (DueKind::Reminder, "reminders", "trigger_at", "task_id", " AND state = 1"),
            (DueKind::Series, "series", "due_at", "task_id", ""),
        ] {
            let mut query = QueryBuilder::<Db>::new(format!("SELECT id, {task} AS task_id, user_id, {column} AS at"));
            query.push(format_args!(" FROM {table} WHERE {column} <= ")).push_bind(micros(until)).push(pending);
            if let Some((at, after_kind, id)) = after {
                query.push(format_args!(" AND ({column} > ")).push_bind(micros(at));
                if kind >= after_kind {
                    query.push(format_args!(" OR ({column} = ")).push_bind(micros(at));
                    if kind == after_kind {
                        query.push(" AND id > ").push_bind(id);
                    }
                    query.push(")");
                }
                // Bounds the index scan, which an OR alone does not.
                query.push(format_args!(") AND {column} >= ")).push_bind(micros(at));
            }
            query.push(format_args!(" ORDER BY {column}, id LIMIT ")).push_bind(limit);
            for row in query.build().fetch_all(&mut *self.tx).await? {
                rows.push(DueRow {
                    at: time(row.try_get("at")?)?,
                    kind,
                    id: row.try_get("id")?,
                    task_id: row.try_get("task_id")?,
                    user_id: row.try_get("user_id")?,
                });
            }
        }
        rows.sort_by_key(|row| (row.at, row.kind, row.id));
        rows.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(rows)
    }

    async fn pending_reminders(&mut self, ids: &[Uuid]) -> Result<Vec<ReminderRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new(
            "SELECT id, task_id, user_id, trigger_at, notification_id, traceparent FROM reminders WHERE state = ",
        );
        query.push_bind(PENDING).push(" AND trigger_at IS NOT NULL AND id ");
        list(&mut query, ids);
        let rows = query.build().persistent(ids.len() == 1).fetch_all(&mut *self.tx).await?;
        rows.iter()
            .map(|row| {
                Ok(ReminderRow {
                    id: row.try_get("id")?,
                    task_id: row.try_get("task_id")?,
                    user_id: row.try_get("user_id")?,
                    trigger_at: time(row.try_get("trigger_at")?)?,
                    notification_id: row.try_get("notification_id")?,
                    traceparent: row.try_get("traceparent")?,
                })
            })
            .collect()
    }

    async fn outlines(&mut self, user_ids: &[Uuid], task_ids: &[Uuid]) -> Result<BTreeMap<Uuid, Outline>, Error> {
        if task_ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT id, user_id, title, due_at FROM tasks WHERE id ");
        list(&mut query, task_ids);
        query.push(" AND user_id ");
        list(&mut query, user_ids);
        let rows = query.build().persistent(task_ids.len() == 1).fetch_all(&mut *self.tx).await?;
        let outline = |row: &Row| {
            Ok::<_, Error>(Outline {
                user_id: row.try_get("user_id")?,
                title: row.try_get("title")?,
                due: optional(row, "due_at")?,
            })
        };
        rows.iter().map(|row| Ok((row.try_get("id")?, outline(row)?))).collect()
    }

    async fn set_fired(&mut self, user_ids: &[Uuid], ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("UPDATE reminders SET state = ");
        query.push_bind(FIRED).push(" WHERE id ");
        list(&mut query, ids);
        query.push(" AND user_id ");
        list(&mut query, user_ids);
        query.build().persistent(ids.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn put_snooze(&mut self, reminder: &ReminderRow, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO reminders (id, task_id, user_id, position, trigger_at, state, created_at, notification_id,
                 traceparent)
             VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET trigger_at = excluded.trigger_at, state = excluded.state,
                 traceparent = excluded.traceparent
             WHERE reminders.user_id = excluded.user_id",
        )
        .bind(reminder.id)
        .bind(reminder.task_id)
        .bind(reminder.user_id)
        .bind(micros(reminder.trigger_at))
        .bind(PENDING)
        .bind(micros(now))
        .bind(reminder.notification_id)
        .bind(&reminder.traceparent)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn cancel_snoozes(&mut self, user_id: Uuid, task_id: Uuid) -> Result<(), Error> {
        sqlx::query::<Db>(
            "UPDATE reminders SET state = $3 WHERE task_id = $2 AND user_id = $1 AND notification_id IS NOT NULL
             AND state = $4",
        )
        .bind(user_id)
        .bind(task_id)
        .bind(CANCELLED)
        .bind(PENDING)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn put_series(&mut self, series: &Series) -> Result<(), Error> {
        let recurrence = serde_json::to_string(&series.recurrence).map_err(|_| Error::Corrupt("recurrence"))?;
        sqlx::query::<Db>(
            "INSERT INTO series (id, task_id, user_id, recurrence, decided_to, due_at, blocked, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET recurrence = excluded.recurrence, decided_to = excluded.decided_to,
                 due_at = excluded.due_at, blocked = excluded.blocked, ended_at = excluded.ended_at
             WHERE series.user_id = excluded.user_id",
        )
        .bind(series.recurrence.id)
        .bind(series.task_id)
        .bind(series.user_id)
        .bind(recurrence)
        .bind(series.decided_to.map(micros))
        .bind(series.due_at.map(micros))
        .bind(series.blocked)
        .bind(series.ended_at.map(micros))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn series(&mut self, id: Uuid) -> Result<Option<Series>, Error> {
        let mut query = QueryBuilder::<Db>::new(SERIES);
        query.push(" WHERE id = ").push_bind(id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(series).transpose()
    }

    async fn put_slot(&mut self, slot: &Slot) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO slots (series_id, slot, task_id, event_id, epoch, state, decided_at, announcement,
                 made_revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (task_id) DO UPDATE SET slot = excluded.slot, event_id = excluded.event_id, epoch = excluded.epoch,
                 state = excluded.state, decided_at = excluded.decided_at, announcement = excluded.announcement,
                 made_revision = excluded.made_revision",
        )
        .bind(slot.series_id)
        .bind(micros(slot.slot))
        .bind(slot.task_id)
        .bind(slot.event_id)
        .bind(i64::from(slot.epoch))
        .bind(slot.state as i64)
        .bind(micros(slot.decided_at))
        .bind(&slot.announcement)
        .bind(slot.made_revision)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn slot(&mut self, series_id: Uuid, at: DateTime<Utc>) -> Result<Option<Slot>, Error> {
        let mut query = QueryBuilder::<Db>::new(SLOT);
        query.push(" WHERE series_id = ").push_bind(series_id).push(" AND slot = ").push_bind(micros(at));
        query.push(" ORDER BY state, epoch DESC LIMIT 1");
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(slot).transpose()
    }

    async fn slot_of(&mut self, task_id: Uuid) -> Result<Option<Slot>, Error> {
        let mut query = QueryBuilder::<Db>::new(SLOT);
        query.push(" WHERE task_id = ").push_bind(task_id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(slot).transpose()
    }

    async fn slots(&mut self, series_id: Uuid, state: SlotState) -> Result<Vec<Slot>, Error> {
        let mut query = QueryBuilder::<Db>::new(SLOT);
        query.push(" WHERE series_id = ").push_bind(series_id).push(" AND state = ").push_bind(state as i64);
        query.push(" ORDER BY slot").build().fetch_all(&mut *self.tx).await?.iter().map(slot).collect()
    }

    async fn slots_after(&mut self, series_id: Uuid, after: DateTime<Utc>) -> Result<Vec<Slot>, Error> {
        let mut query = QueryBuilder::<Db>::new(SLOT);
        query.push(" WHERE series_id = ").push_bind(series_id).push(" AND slot > ").push_bind(micros(after));
        query.push(" ORDER BY slot").build().fetch_all(&mut *self.tx).await?.iter().map(slot).collect()
    }

    async fn made(&mut self, series_id: Uuid) -> Result<(i64, Option<Uuid>), Error> {
        let row = sqlx::query::<Db>(
            "SELECT count(*) OVER () AS made, task_id FROM slots
             WHERE series_id = $1 AND state = $2 AND made_revision IS NOT NULL ORDER BY made_revision DESC LIMIT 1",
        )
        .bind(series_id)
        .bind(SlotState::Made as i64)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.map_or(Ok((0, None)), |row| Ok((row.try_get("made")?, Some(row.try_get("task_id")?))))
    }

    async fn open_instances(&mut self, user_id: Uuid, series_id: Uuid, source: Uuid) -> Result<i64, Error> {
        let row = sqlx::query::<Db>(
            "SELECT (SELECT count(*) FROM tasks WHERE source_task_id = $3 AND user_id = $1 AND status <> $4)
                  + (SELECT count(*) FROM slots WHERE series_id = $2 AND state = $5) AS open",
        )
        .bind(user_id)
        .bind(series_id)
        .bind(source)
        .bind(stored_status(Status::Completed))
        .bind(SlotState::Decided as i64)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(row.try_get("open")?)
    }

    async fn add_firings(&mut self, firings: &[Firing]) -> Result<BTreeSet<Uuid>, Error> {
        if firings.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut query = QueryBuilder::<Db>::new(
            "INSERT INTO firings (event_id, notification_id, reminder_id, task_id, user_id, task_title, due_at,
                 trigger_at, fired_at, seen, traceparent) ",
        );
        query.push_values(firings, |mut row, firing| {
            row.push_bind(firing.event_id)
                .push_bind(firing.notification_id)
                .push_bind(firing.reminder_id)
                .push_bind(firing.task_id)
                .push_bind(firing.user_id)
                .push_bind(&firing.task_title)
                .push_bind(firing.due.map(micros))
                .push_bind(micros(firing.trigger_at))
                .push_bind(micros(firing.fired_at))
                .push_bind(firing.seen)
                .push_bind(&firing.traceparent);
        });
        query.push(" ON CONFLICT (event_id) DO NOTHING RETURNING event_id");
        let rows = query.build().persistent(firings.len() == 1).fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok(row.try_get("event_id")?)).collect()
    }

    async fn firings(&mut self, event_ids: &[Uuid]) -> Result<Vec<Firing>, Error> {
        if event_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new(FIRING);
        query.push(" WHERE event_id ");
        list(&mut query, event_ids);
        let rows = query.build().persistent(event_ids.len() == 1).fetch_all(&mut *self.tx).await?;
        rows.iter().map(firing).collect()
    }

    async fn set_seen(&mut self, event_ids: &[Uuid]) -> Result<(), Error> {
        if event_ids.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("UPDATE firings SET seen = TRUE WHERE event_id ");
        list(&mut query, event_ids);
        query.build().persistent(event_ids.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn unseen(&mut self, before: DateTime<Utc>, limit: i64) -> Result<(Vec<Firing>, Vec<Slot>), Error> {
        let (mut firings, mut slots) = (Vec::new(), Vec::new());
        for (after, moment) in [("<=", micros(before)), (">", micros(before).saturating_add(AHEAD))] {
            let room = |taken: usize| limit - i64::try_from(taken).unwrap_or(limit);
            let mut query = QueryBuilder::<Db>::new(FIRING);
            query.push(format_args!(" WHERE NOT seen AND fired_at {after} ")).push_bind(moment);
            query.push(" ORDER BY fired_at LIMIT ").push_bind(room(firings.len()));
            firings.extend(query.build().fetch_all(&mut *self.tx).await?);
            let mut query = QueryBuilder::<Db>::new(SLOT);
            query.push(format_args!(" WHERE state = 1 AND decided_at {after} ")).push_bind(moment);
            query.push(" ORDER BY decided_at LIMIT ").push_bind(room(slots.len()));
            slots.extend(query.build().fetch_all(&mut *self.tx).await?);
        }
        Ok((firings.iter().map(firing).collect::<Result<_, _>>()?, slots.iter().map(slot).collect::<Result<_, _>>()?))
    }
}
