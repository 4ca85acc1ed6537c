use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use super::{Db, Row, Transaction, list};
use crate::store::{Error, Inbox, Notification, micros, time};

const COLUMNS: &str =
    "id, user_id, reminder_id, task_id, task_title, due_at, triggered_at, read_at, snoozed_until, revision";

pub(super) fn notification(row: &Row) -> Result<Notification, Error> {
    let at = |column| row.try_get::<Option<i64>, _>(column).map_err(Error::from)?.map(time).transpose();
    Ok(Notification {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        reminder_id: row.try_get("reminder_id")?,
        task_id: row.try_get("task_id")?,
        task_title: row.try_get("task_title")?,
        due: at("due_at")?,
        triggered_at: time(row.try_get("triggered_at")?)?,
        read_at: at("read_at")?,
        snoozed_until: at("snoozed_until")?,
        revision: row.try_get("revision")?,
    })
}

#[async_trait]
impl Inbox for Transaction {
    async fn list_notifications(
        &mut self,
        user_id: Uuid,
        unread_only: bool,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Notification>, Error> {
        let mut query = QueryBuilder::<Db>::new("SELECT ");
        query.push(COLUMNS).push(" FROM notifications WHERE user_id = ").push_bind(user_id);
        if unread_only {
            query.push(" AND read_at IS NULL");
        }
        query.push(" ORDER BY triggered_at DESC, id DESC LIMIT ").push_bind(limit);
        query.push(" OFFSET ").push_bind(offset);
        query.build().fetch_all(&mut *self.tx).await?.iter().map(notification).collect()
    }

    async fn count_notifications(&mut self, user_id: Uuid) -> Result<(i64, i64), Error> {
        let row = sqlx::query::<Db>(
            "SELECT count(*) AS total, count(*) - count(read_at) AS unread FROM notifications WHERE user_id = $1",
        )
        .bind(user_id)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok((row.try_get("total")?, row.try_get("unread")?))
    }

    async fn count_unread(&mut self, user_id: Uuid) -> Result<i64, Error> {
        let sql = "SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL";
        Ok(sqlx::query_scalar::<Db, i64>(sql).bind(user_id).fetch_one(&mut *self.tx).await?)
    }

    async fn notifications_of(&mut self, user_ids: &[Uuid], ids: &[Uuid]) -> Result<Vec<Notification>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT ");
        query.push(COLUMNS).push(" FROM notifications WHERE user_id ");
        list(&mut query, user_ids);
        query.push(" AND id ");
        list(&mut query, ids);
        let rows = query.build().persistent(ids.len() == 1).fetch_all(&mut *self.tx).await?;
        rows.iter().map(notification).collect()
    }

    async fn put_notifications(&mut self, notifications: &[Notification]) -> Result<(), Error> {
        if notifications.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("INSERT INTO notifications (");
        query.push(COLUMNS).push(") ");
        query.push_values(notifications, |mut row, notification| {
            row.push_bind(notification.id)
                .push_bind(notification.user_id)
                .push_bind(notification.reminder_id)
                .push_bind(notification.task_id)
                .push_bind(&notification.task_title)
                .push_bind(notification.due.map(micros))
                .push_bind(micros(notification.triggered_at))
                .push_bind(notification.read_at.map(micros))
                .push_bind(notification.snoozed_until.map(micros))
                .push_bind(notification.revision);
        });
        query.push(
            " ON CONFLICT (id) DO UPDATE SET task_title = excluded.task_title, due_at = excluded.due_at,
                 triggered_at = excluded.triggered_at, read_at = excluded.read_at,
                 snoozed_until = excluded.snoozed_until, revision = excluded.revision
             WHERE notifications.user_id = excluded.user_id",
        );
        query.build().persistent(notifications.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn unread(&mut self, user_id: Uuid) -> Result<Vec<Uuid>, Error> {
        let sql = "SELECT id FROM notifications WHERE user_id = $1 AND read_at IS NULL ORDER BY triggered_at, id";
        Ok(sqlx::query_scalar::<Db, Uuid>(sql).bind(user_id).fetch_all(&mut *self.tx).await?)
    }

    async fn snoozed(&mut self, user_id: Uuid, task_id: Uuid) -> Result<Vec<Uuid>, Error> {
        let sql = "SELECT id FROM notifications WHERE user_id = $1 AND task_id = $2 AND snoozed_until IS NOT NULL";
        Ok(sqlx::query_scalar::<Db, Uuid>(sql).bind(user_id).bind(task_id).fetch_all(&mut *self.tx).await?)
    }
}
