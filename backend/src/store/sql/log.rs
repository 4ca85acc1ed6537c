use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction, dialect, list};
use crate::store::{Change, ChangeKind, Error, Log, Owner, Reply, micros, time, weekday};

fn owner(row: &Row) -> Result<Owner, Error> {
    Ok(Owner {
        revision: row.try_get("revision")?,
        floor: row.try_get("floor")?,
        time_zone: row.try_get("time_zone")?,
        week_start: weekday(row.try_get("week_start")?)?,
        disabled: row.try_get::<Option<i64>, _>("disabled_at")?.is_some(),
    })
}

fn change(row: &Row) -> Result<Change, Error> {
    Ok(Change {
        revision: row.try_get("revision")?,
        kind: ChangeKind::from_stored(row.try_get("kind")?)?,
        entity_id: row.try_get("entity_id")?,
        before: row.try_get("before")?,
        fields: serde_json::from_str(row.try_get("fields")?).map_err(|_| Error::Corrupt("list of fields"))?,
        at: time(row.try_get("at")?)?,
    })
}

const OWNER: &str = "SELECT o.user_id, o.revision, o.floor, u.time_zone, u.week_start, u.disabled_at FROM owners o
     JOIN users u ON u.id = o.user_id WHERE o.user_id ";

/// What nobody needs any more: table, primary key, condition on one bound time.
const PURGES: &[(&str, &str, &str, Age)] = &[
    ("attempts", "id", "at < ", Age::Hour),
    ("refresh_tokens", "hash", "expires_at < ", Age::None),
    // Not at once: whoever finds a program refused can see why.
    ("access_tokens", "id", "expires_at < ", Age::Month),
    ("outbox", "id", "published_at < ", Age::Week),
    ("firings", "event_id", "seen AND fired_at < ", Age::Week),
    ("series", "id", "ended_at < ", Age::Week),
    ("decisions", "id", "created_at < ", Age::Month),
];

/// Where revisions are, but for those of the owners.
const REVISIONS: &[(&str, &str)] = &[
    ("tasks", "revision"),
    ("tasks", "content_revision"),
    ("slots", "made_revision"),
    ("notifications", "revision"),
    ("changes", "revision"),
    ("idempotency", "revision"),
    ("push_subscriptions", "sent"),
    ("push_subscriptions", "rung"),
];

#[derive(Clone, Copy)]
enum Age {
    None,
    Hour,
    Week,
    Month,
}

#[async_trait]
impl Log for Transaction {
    async fn lock_owners(&mut self, user_ids: &[Uuid]) -> Result<BTreeMap<Uuid, Owner>, Error> {
        if user_ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut query = QueryBuilder::<Db>::new(OWNER);
        list(&mut query, user_ids);
        query.push(" ORDER BY o.user_id").push(dialect::LOCK_OWNER);
        let rows = query.build().persistent(user_ids.len() == 1).fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok((row.try_get("user_id")?, owner(row)?))).collect()
    }

    async fn owner(&mut self, user_id: Uuid) -> Result<Option<Owner>, Error> {
        let mut query = QueryBuilder::<Db>::new(OWNER);
        query.push("= ").push_bind(user_id);
        query.build().fetch_optional(&mut *self.tx).await?.as_ref().map(owner).transpose()
    }

    async fn set_revisions(&mut self, revisions: &[(Uuid, i64)]) -> Result<(), Error> {
        if revisions.is_empty() {
            return Ok(());
        }
        // The names of the columns are those that both databases give to VALUES.
        let mut query = QueryBuilder::<Db>::new("UPDATE owners SET revision = v.column2 FROM (");
        query.push_values(revisions, |mut row, (user_id, revision)| {
            row.push_bind(*user_id).push_bind(*revision);
        });
        query.push(") AS v WHERE owners.user_id = v.column1");
        query.build().persistent(revisions.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn revisions(&mut self, user_ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT user_id, revision FROM owners WHERE user_id ");
        list(&mut query, user_ids);
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok((row.try_get("user_id")?, row.try_get("revision")?))).collect()
    }

    async fn jump(&mut self, by: i64) -> Result<(), Error> {
        for (table, column) in REVISIONS {
            let sql = format!("UPDATE {table} SET {column} = {column} + $1");
            sqlx::query::<Db>(AssertSqlSafe(sql)).bind(by).execute(&mut *self.tx).await?;
        }
        let owners = "UPDATE owners SET revision = revision + $1, floor = revision + $1";
        sqlx::query::<Db>(owners).bind(by).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn add_changes(&mut self, changes: &[(Uuid, Change)]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut query =
            QueryBuilder::<Db>::new("INSERT INTO changes (user_id, revision, kind, entity_id, before, fields, at) ");
        query.push_values(changes, |mut row, (user_id, change)| {
            row.push_bind(*user_id)
                .push_bind(change.revision)
                .push_bind(change.kind as i64)
                .push_bind(change.entity_id)
                .push_bind(change.before.as_deref())
                .push_bind(serde_json::Value::from(change.fields.as_slice()).to_string())
                .push_bind(micros(change.at));
        });
        query.build().persistent(changes.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn change(&mut self, user_id: Uuid, revision: i64) -> Result<Option<Change>, Error> {
        let row = sqlx::query::<Db>(
            "SELECT revision, kind, entity_id, before, fields, at FROM changes WHERE user_id = $1 AND revision = $2",
        )
        .bind(user_id)
        .bind(revision)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(change).transpose()
    }

    async fn changes(&mut self, user_id: Uuid, since: i64, limit: i64) -> Result<Vec<Change>, Error> {
        let rows = sqlx::query::<Db>(
            "SELECT revision, kind, entity_id, NULL AS before, fields, at FROM changes
             WHERE user_id = $1 AND revision > $2 ORDER BY revision LIMIT $3",
        )
        .bind(user_id)
        .bind(since)
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(change).collect()
    }

    async fn was_deleted(&mut self, user_id: Uuid, task_id: Uuid) -> Result<bool, Error> {
        let row =
            sqlx::query::<Db>("SELECT 1 FROM changes WHERE entity_id = $2 AND user_id = $1 AND kind = $3 LIMIT 1")
                .bind(user_id)
                .bind(task_id)
                .bind(ChangeKind::Deleted as i64)
                .fetch_optional(&mut *self.tx)
                .await?;
        Ok(row.is_some())
    }

    async fn reply(&mut self, user_id: Uuid, key: &str) -> Result<Option<Reply>, Error> {
        let row = sqlx::query::<Db>(
            "SELECT request, response, revision, announced FROM idempotency WHERE user_id = $1 AND key = $2",
        )
        .bind(user_id)
        .bind(key)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.map(|row| {
            Ok(Reply {
                request: row.try_get("request")?,
                response: row.try_get("response")?,
                revision: row.try_get("revision")?,
                announced: row.try_get("announced")?,
            })
        })
        .transpose()
    }

    async fn add_reply(&mut self, user_id: Uuid, key: &str, reply: &Reply, at: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO idempotency (user_id, key, request, response, revision, announced, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(user_id)
        .bind(key)
        .bind(&reply.request)
        .bind(&reply.response)
        .bind(reply.revision)
        .bind(reply.announced)
        .bind(micros(at))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    async fn purge(
        &mut self,
        now: DateTime<Utc>,
        hour_ago: DateTime<Utc>,
        day_ago: DateTime<Utc>,
        week_ago: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, Error> {
        let mut purged = 0;
        for (table, key, condition, age) in PURGES {
            let before = match age {
                Age::None => now,
                Age::Hour => hour_ago,
                Age::Week => week_ago,
                Age::Month => now - chrono::TimeDelta::days(30),
            };
            let sql =
                format!("DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {condition}$1 LIMIT $2)");
            let done =
                sqlx::query::<Db>(AssertSqlSafe(sql)).bind(micros(before)).bind(limit).execute(&mut *self.tx).await?;
            purged += done.rows_affected();
        }
        let done = sqlx::query::<Db>(
            "DELETE FROM idempotency WHERE (user_id, key) IN
             (SELECT user_id, key FROM idempotency WHERE created_at < $1 LIMIT $2)",
        )
        .bind(micros(day_ago))
        .bind(limit)
        .execute(&mut *self.tx)
        .await?;
        Ok(purged + done.rows_affected() + self.purge_changes(week_ago, limit).await?)
    }
}

impl Transaction {
    /// Purges changes and notes up to where, so that whoever asks for older ones is told to start over.
    async fn purge_changes(&mut self, before: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
        let rows = sqlx::query::<Db>(
            "DELETE FROM changes WHERE (user_id, revision) IN
             (SELECT user_id, revision FROM changes WHERE at < $1 ORDER BY at LIMIT $2) RETURNING user_id, revision",
        )
        .bind(micros(before))
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        let mut floors = std::collections::BTreeMap::<Uuid, i64>::new();
        for row in &rows {
            let floor = floors.entry(row.try_get("user_id")?).or_default();
            *floor = (*floor).max(row.try_get("revision")?);
        }
        for (user_id, floor) in floors {
            sqlx::query::<Db>("UPDATE owners SET floor = $2 WHERE user_id = $1 AND floor < $2")
                .bind(user_id)
                .bind(floor)
                .execute(&mut *self.tx)
                .await?;
        }
        Ok(rows.len() as u64)
    }
}
