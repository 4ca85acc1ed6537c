use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction, dialect};
use crate::store::{Change, ChangeKind, Error, Log, Outgoing, Owner, Reply, micros, time};

fn owner(row: &Row) -> Result<Owner, Error> {
    Ok(Owner {
        revision: row.try_get("revision")?,
        floor: row.try_get("floor")?,
        time_zone: row.try_get("time_zone")?,
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

fn outgoing(row: &Row) -> Result<Outgoing, Error> {
    Ok(Outgoing {
        id: row.try_get("id")?,
        topic: row.try_get("topic")?,
        event: row.try_get("event")?,
        created_at: time(row.try_get("created_at")?)?,
        attempts: row.try_get("attempts")?,
    })
}

const OWNER: &str = "SELECT o.revision, o.floor, u.time_zone, u.disabled_at FROM owners o
     JOIN users u ON u.id = o.user_id WHERE o.user_id = $1";

/// What nobody needs any more: table, primary key, condition on one bound time.
const PURGES: &[(&str, &str, &str, Age)] = &[
    ("attempts", "id", "at < ", Age::Hour),
    ("refresh_tokens", "hash", "expires_at < ", Age::None),
    ("outbox", "id", "published_at < ", Age::Week),
    ("firings", "event_id", "seen AND fired_at < ", Age::Week),
    ("series", "id", "ended_at < ", Age::Week),
];

#[derive(Clone, Copy)]
enum Age {
    None,
    Hour,
    Week,
}

#[async_trait]
impl Log for Transaction {
    async fn lock_owner(&mut self, user_id: Uuid) -> Result<Option<Owner>, Error> {
        let sql = const_format(OWNER, dialect::LOCK_OWNER);
        let row = sqlx::query::<Db>(sql).bind(user_id).fetch_optional(&mut *self.tx).await?;
        row.as_ref().map(owner).transpose()
    }

    async fn owner(&mut self, user_id: Uuid) -> Result<Option<Owner>, Error> {
        let row = sqlx::query::<Db>(OWNER).bind(user_id).fetch_optional(&mut *self.tx).await?;
        row.as_ref().map(owner).transpose()
    }

    async fn set_revision(&mut self, user_id: Uuid, revision: i64) -> Result<(), Error> {
        sqlx::query::<Db>("UPDATE owners SET revision = $2 WHERE user_id = $1")
            .bind(user_id)
            .bind(revision)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn revisions(&mut self, user_ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT user_id, revision FROM owners WHERE user_id IN (");
        let mut ids = query.separated(", ");
        for id in user_ids {
            ids.push_bind(*id);
        }
        query.push(")");
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| Ok((row.try_get("user_id")?, row.try_get("revision")?))).collect()
    }

    async fn add_change(&mut self, user_id: Uuid, change: &Change) -> Result<(), Error> {
        let fields = serde_json::to_string(&change.fields).map_err(|_| Error::Corrupt("list of fields"))?;
        sqlx::query::<Db>(
            "INSERT INTO changes (user_id, revision, kind, entity_id, before, fields, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(user_id)
        .bind(change.revision)
        .bind(change.kind as i64)
        .bind(change.entity_id)
        .bind(change.before.as_deref())
        .bind(fields)
        .bind(micros(change.at))
        .execute(&mut *self.tx)
        .await?;
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

    async fn add_outgoing(&mut self, events: &[Outgoing]) -> Result<(), Error> {
        for event in events {
            sqlx::query::<Db>(
                "INSERT INTO outbox (id, topic, event, created_at, attempts, due_at) VALUES ($1, $2, $3, $4, 0, $4)",
            )
            .bind(event.id)
            .bind(&event.topic)
            .bind(&event.event)
            .bind(micros(event.created_at))
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }

    async fn lease_outgoing(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Outgoing>, Error> {
        const DUE: &str = "FROM outbox WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let rows = if dialect::LEASES {
            let sql = format!(
                "UPDATE outbox SET due_at = $3, attempts = attempts + 1 WHERE id IN (SELECT id {DUE}{})
                 RETURNING id, topic, event, created_at, attempts",
                dialect::SKIP_LOCKED
            );
            sqlx::query::<Db>(AssertSqlSafe(sql))
                .bind(micros(now))
                .bind(limit)
                .bind(micros(until))
                .fetch_all(&mut *self.tx)
                .await?
        } else {
            let sql = format!("SELECT id, topic, event, created_at, attempts + 1 AS attempts {DUE}");
            sqlx::query::<Db>(AssertSqlSafe(sql)).bind(micros(now)).bind(limit).fetch_all(&mut *self.tx).await?
        };
        let mut leased = rows.iter().map(outgoing).collect::<Result<Vec<_>, _>>()?;
        // What an UPDATE answers has no order.
        leased.sort_by_key(|event| event.created_at);
        Ok(leased)
    }

    async fn set_published(&mut self, ids: &[Uuid], at: DateTime<Utc>) -> Result<(), Error> {
        self.settle(ids, |query| {
            query.push("due_at = NULL, published_at = ").push_bind(micros(at));
        })
        .await
    }

    async fn postpone_outgoing(&mut self, ids: &[Uuid], until: DateTime<Utc>) -> Result<(), Error> {
        self.settle(ids, |query| {
            // A lease that was written has counted the attempt.
            let attempt = i64::from(!dialect::LEASES);
            query.push(format_args!("attempts = attempts + {attempt}, due_at = ")).push_bind(micros(until));
        })
        .await
    }

    async fn recall_outgoing(&mut self, now: DateTime<Utc>, never_after: DateTime<Utc>) -> Result<u64, Error> {
        let done = sqlx::query::<Db>("UPDATE outbox SET due_at = $1 WHERE due_at > $2")
            .bind(micros(now))
            .bind(micros(never_after))
            .execute(&mut *self.tx)
            .await?;
        Ok(done.rows_affected())
    }

    async fn outgoing_backlog(&mut self) -> Result<(i64, Option<DateTime<Utc>>), Error> {
        let row = sqlx::query::<Db>(
            "SELECT count(*) AS waiting, min(created_at) AS since FROM outbox WHERE due_at IS NOT NULL",
        )
        .fetch_one(&mut *self.tx)
        .await?;
        let since: Option<i64> = row.try_get("since")?;
        Ok((row.try_get("waiting")?, since.map(time).transpose()?))
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

    async fn add_dead_letter(
        &mut self,
        id: Uuid,
        topic: &str,
        event: &[u8],
        reason: &str,
        at: DateTime<Utc>,
    ) -> Result<(), Error> {
        sqlx::query::<Db>(
            "INSERT INTO dead_letters (id, topic, event, reason, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(topic)
        .bind(event)
        .bind(reason)
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
    /// Sets columns of outbox rows.
    async fn settle(&mut self, ids: &[Uuid], set: impl FnOnce(&mut QueryBuilder<Db>) + Send) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("UPDATE outbox SET ");
        set(&mut query);
        query.push(" WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        query.build().execute(&mut *self.tx).await?;
        Ok(())
    }

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

fn const_format(sql: &str, suffix: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("{sql}{suffix}"))
}
