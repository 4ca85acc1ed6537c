use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction, dialect, inbox, list};
use crate::store::{ChangeKind, Error, Notification, Push, Subscription, micros, time};

const COLUMNS: &str = "id, user_id, endpoint, p256dh, auth, created_at, sent, rung, attempts";

fn subscription(row: &Row) -> Result<Subscription, Error> {
    Ok(Subscription {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        endpoint: row.try_get("endpoint")?,
        p256dh: row.try_get("p256dh")?,
        auth: row.try_get("auth")?,
        created_at: time(row.try_get("created_at")?)?,
        sent: row.try_get("sent")?,
        rung: row.try_get("rung")?,
        attempts: row.try_get("attempts")?,
    })
}

#[async_trait]
impl Push for Transaction {
    async fn add_subscription(&mut self, subscription: &Subscription) -> Result<(), Error> {
        let sql = format!(
            "INSERT INTO push_subscriptions ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at,
                 sent = excluded.sent, rung = excluded.rung, attempts = 0, due_at = NULL
             WHERE push_subscriptions.user_id <> excluded.user_id"
        );
        sqlx::query::<Db>(AssertSqlSafe(sql))
            .bind(subscription.id)
            .bind(subscription.user_id)
            .bind(&subscription.endpoint)
            .bind(&subscription.p256dh)
            .bind(&subscription.auth)
            .bind(micros(subscription.created_at))
            .bind(subscription.sent)
            .bind(subscription.rung)
            .bind(subscription.attempts)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn subscriptions(&mut self, user_id: Uuid) -> Result<Vec<Subscription>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM push_subscriptions WHERE user_id = $1 ORDER BY created_at, id");
        let rows = sqlx::query::<Db>(AssertSqlSafe(sql)).bind(user_id).fetch_all(&mut *self.tx).await?;
        rows.iter().map(subscription).collect()
    }

    async fn remove_subscriptions(&mut self, user_id: Uuid, ids: &[Uuid]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("DELETE FROM push_subscriptions WHERE user_id = ");
        query.push_bind(user_id).push(" AND id ");
        list(&mut query, ids);
        query.build().execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn ring(&mut self, user_ids: &[Uuid], now: DateTime<Utc>, never_after: DateTime<Utc>) -> Result<(), Error> {
        let mut query = QueryBuilder::<Db>::new(
            "UPDATE push_subscriptions SET
                 rung = (SELECT revision FROM owners WHERE owners.user_id = push_subscriptions.user_id),
                 due_at = CASE WHEN due_at <= ",
        );
        query.push_bind(micros(never_after)).push(" THEN due_at ELSE ").push_bind(micros(now));
        query.push(" END WHERE user_id ");
        list(&mut query, user_ids);
        query.build().persistent(user_ids.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn is_push_due(&mut self, now: DateTime<Utc>) -> Result<bool, Error> {
        let row = sqlx::query::<Db>("SELECT 1 FROM push_subscriptions WHERE due_at <= $1 LIMIT 1")
            .bind(micros(now))
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
    }

    async fn lease_subscriptions(
        &mut self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Subscription>, Error> {
        // On any database: it also keeps one who is being sent to from being taken again by the same process.
        let sql = format!(
            "UPDATE push_subscriptions SET due_at = $2 WHERE id IN
             (SELECT id FROM push_subscriptions WHERE due_at <= $1 ORDER BY due_at LIMIT $3{}) RETURNING {COLUMNS}",
            dialect::SKIP_LOCKED
        );
        let rows = sqlx::query::<Db>(AssertSqlSafe(sql))
            .bind(micros(now))
            .bind(micros(until))
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(subscription).collect()
    }

    async fn rung(
        &mut self,
        user_id: Uuid,
        after: i64,
        since: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<(i64, Notification)>, Error> {
        let rows = sqlx::query::<Db>(
            "SELECT c.revision AS rung_at, n.id, n.user_id, n.reminder_id, n.task_id, n.task_title, n.due_at,
                 n.triggered_at, n.read_at, n.snoozed_until, n.revision
             FROM changes c JOIN notifications n ON n.id = c.entity_id AND n.user_id = c.user_id
             WHERE c.user_id = $1 AND c.revision > $2 AND c.kind = $3 AND n.triggered_at > $4 AND n.read_at IS NULL
                 AND n.snoozed_until IS NULL AND NOT EXISTS (
                     SELECT 1 FROM changes l WHERE l.entity_id = c.entity_id AND l.user_id = c.user_id
                         AND l.kind = c.kind AND l.revision > c.revision
                 )
             ORDER BY c.revision LIMIT $5",
        )
        .bind(user_id)
        .bind(after)
        .bind(ChangeKind::Notified as i64)
        .bind(micros(since))
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("rung_at")?, inbox::notification(row)?))).collect()
    }

    async fn serve_subscription(&mut self, served: &Subscription, next: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query::<Db>(
            "UPDATE push_subscriptions SET sent = $3, attempts = $4, due_at = CASE WHEN rung > $3 THEN $5 END
             WHERE id = $1 AND user_id = $2",
        )
        .bind(served.id)
        .bind(served.user_id)
        .bind(served.sent)
        .bind(served.attempts)
        .bind(micros(next))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
