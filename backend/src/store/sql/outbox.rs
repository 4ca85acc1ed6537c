use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction, dialect, list};
use crate::store::{DeadLetter, Error, Outbox, Outgoing, micros, time};

fn outgoing(row: &Row) -> Result<Outgoing, Error> {
    Ok(Outgoing {
        id: row.try_get("id")?,
        topic: row.try_get("topic")?,
        event: row.try_get("event")?,
        created_at: time(row.try_get("created_at")?)?,
        attempts: row.try_get("attempts")?,
    })
}

fn dead_letter(row: &Row) -> Result<DeadLetter, Error> {
    Ok(DeadLetter {
        id: row.try_get("id")?,
        topic: row.try_get("topic")?,
        event: row.try_get("event")?,
        reason: row.try_get("reason")?,
        at: time(row.try_get("at")?)?,
    })
}

/// How many, and since when.
fn counted(row: &Row) -> Result<(i64, Option<DateTime<Utc>>), Error> {
    let since: Option<i64> = row.try_get("since")?;
    Ok((row.try_get("events")?, since.map(time).transpose()?))
}

#[async_trait]
impl Outbox for Transaction {
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
        .await?;
        Ok(())
    }

    async fn postpone_outgoing(&mut self, ids: &[Uuid], until: DateTime<Utc>) -> Result<(), Error> {
        self.settle(ids, |query| {
            // A lease that was written has counted the attempt.
            let attempt = i64::from(!dialect::LEASES);
            query.push(format_args!("attempts = attempts + {attempt}, due_at = ")).push_bind(micros(until));
        })
        .await?;
        Ok(())
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
            "SELECT count(*) AS events, min(created_at) AS since FROM outbox WHERE due_at IS NOT NULL",
        )
        .fetch_one(&mut *self.tx)
        .await?;
        counted(&row)
    }

    async fn outgoing_kept(&mut self) -> Result<(i64, Option<DateTime<Utc>>), Error> {
        let row = sqlx::query::<Db>(
            "SELECT count(*) AS events, min(published_at) AS since FROM outbox WHERE published_at IS NOT NULL",
        )
        .fetch_one(&mut *self.tx)
        .await?;
        counted(&row)
    }

    async fn published_since(&mut self, since: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
        let rows = sqlx::query::<Db>("SELECT id FROM outbox WHERE published_at >= $1 ORDER BY published_at")
            .bind(micros(since))
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    async fn publish_again(&mut self, ids: &[Uuid], now: DateTime<Utc>) -> Result<u64, Error> {
        self.settle(ids, |query| {
            query.push("attempts = 0, published_at = NULL, due_at = ").push_bind(micros(now));
        })
        .await
    }

    async fn add_dead_letter(&mut self, letter: &DeadLetter) -> Result<bool, Error> {
        let done = sqlx::query::<Db>(
            "INSERT INTO dead_letters (id, topic, event, reason, at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(letter.id)
        .bind(&letter.topic)
        .bind(&letter.event)
        .bind(&letter.reason)
        .bind(micros(letter.at))
        .execute(&mut *self.tx)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn dead_letters(
        &mut self,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, Error> {
        // Before all times, unless said.
        let (at, id) = after.map_or((i64::MIN, Uuid::nil()), |(at, id)| (micros(at), id));
        let rows = sqlx::query::<Db>(
            "SELECT id, topic, event, reason, at FROM dead_letters WHERE (at, id) > ($1, $2) ORDER BY at, id LIMIT $3",
        )
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(dead_letter).collect()
    }

    async fn dead_letter(&mut self, id: Uuid) -> Result<Option<DeadLetter>, Error> {
        let row = sqlx::query::<Db>("SELECT id, topic, event, reason, at FROM dead_letters WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(dead_letter).transpose()
    }

    async fn take_dead_letter(&mut self, id: Uuid) -> Result<Option<DeadLetter>, Error> {
        let row = sqlx::query::<Db>("DELETE FROM dead_letters WHERE id = $1 RETURNING id, topic, event, reason, at")
            .bind(id)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(dead_letter).transpose()
    }
}

impl Transaction {
    /// Sets columns of outbox rows; answers how many there are.
    async fn settle(&mut self, ids: &[Uuid], set: impl FnOnce(&mut QueryBuilder<Db>) + Send) -> Result<u64, Error> {
        if ids.is_empty() {
            return Ok(0);
        }
        let mut query = QueryBuilder::<Db>::new("UPDATE outbox SET ");
        set(&mut query);
        query.push(" WHERE id ");
        list(&mut query, ids);
        Ok(query.build().execute(&mut *self.tx).await?.rows_affected())
    }
}
