use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row as _};
use todo_domain::{
    query::{Filter, Key, Order, Query, SortKey},
    recurrence::Recurrence,
    task::{Priority, Reminder, ReminderState, Status, Task, When},
    text,
};
use uuid::Uuid;

use super::{
    Db, Row, Transaction, dialect,
    time::{CANCELLED, FIRED, PENDING, recurrence},
};
use crate::store::{Counts, Error, Tasks, micros, time};

const COLUMNS: &str = "id, user_id, title, description, status, priority, tags, due_at, due_all_day, created_at,
     updated_at, completed_at, revision, content_revision, source_task_id";

/// The stored number of a status; that of the proto.
pub(super) fn stored_status(status: Status) -> i64 {
    match status {
        Status::Pending => 1,
        Status::InProgress => 2,
        Status::Completed => 3,
    }
}

fn status(stored: i64) -> Result<Status, Error> {
    Ok(match stored {
        1 => Status::Pending,
        2 => Status::InProgress,
        3 => Status::Completed,
        _ => return Err(Error::Corrupt("status")),
    })
}

fn priority(stored: i64) -> Result<Priority, Error> {
    i16::try_from(stored).ok().and_then(Priority::from_rank).ok_or(Error::Corrupt("priority"))
}

/// Between the fields that text search looks at, so that no term matches across two; a term that holds it matches
/// nothing.
const SEPARATOR: &str = "\u{1f}";

/// What text search looks at.
fn searchable(task: &Task) -> String {
    let tags = task.tags.iter().map(String::as_str);
    let parts: Vec<_> = [task.title.as_str(), &task.description].into_iter().chain(tags).map(text::fold).collect();
    parts.join(SEPARATOR)
}

/// A task without its reminders and recurrence.
fn task(row: &Row) -> Result<Task, Error> {
    let optional = |column| row.try_get::<Option<i64>, _>(column).map_err(Error::from)?.map(time).transpose();
    Ok(Task {
        id: row.try_get("id")?,
        user_id: row.try_get("user_id")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        status: status(row.try_get("status")?)?,
        priority: priority(row.try_get("priority")?)?,
        tags: serde_json::from_str(row.try_get("tags")?).map_err(|_| Error::Corrupt("list of tags"))?,
        due: optional("due_at")?,
        due_all_day: row.try_get("due_all_day")?,
        reminders: Vec::new(),
        recurrence: None,
        created_at: time(row.try_get("created_at")?)?,
        updated_at: time(row.try_get("updated_at")?)?,
        completed_at: optional("completed_at")?,
        revision: row.try_get("revision")?,
        content_revision: row.try_get("content_revision")?,
        source_task_id: row.try_get("source_task_id")?,
    })
}

fn reminder(row: &Row) -> Result<Reminder, Error> {
    let trigger_at = row.try_get::<Option<i64>, _>("trigger_at")?.map(time).transpose()?;
    let before_due: Option<i64> = row.try_get("before_due")?;
    Ok(Reminder {
        id: row.try_get("id")?,
        when: match (before_due, trigger_at) {
            (Some(seconds), _) => When::BeforeDue(seconds),
            (None, Some(at)) => When::At(at),
            (None, None) => return Err(Error::Corrupt("reminder")),
        },
        trigger_at,
        state: match row.try_get::<i64, _>("state")? {
            PENDING => ReminderState::Pending,
            FIRED => ReminderState::Fired,
            CANCELLED => ReminderState::Cancelled,
            _ => return Err(Error::Corrupt("reminder state")),
        },
        created_at: time(row.try_get("created_at")?)?,
    })
}

/// The term of a filter, if the text index can serve it: trigrams know nothing of shorter ones.
fn indexed_term(filter: &Filter) -> Option<&str> {
    filter.search.as_deref().filter(|term| term.chars().count() >= 3)
}

/// What is to find the rows of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found<'a> {
    /// An index of the owner's tasks, in the order asked for.
    Owner,
    /// The text index.
    Text,
    /// The index of tags, by this one.
    Tag(&'a str),
}

/// Writes the conditions.
fn filter(query: &mut QueryBuilder<Db>, user_id: Uuid, filter: &Filter, found: Found<'_>) {
    let owner = if found == Found::Owner { "user_id = " } else { dialect::OWNER_BY_OTHERS };
    query.push(" FROM tasks WHERE ").push(owner).push_bind(user_id);
    any_of(query, "status", filter.statuses.iter().copied().map(stored_status));
    any_of(query, "priority", filter.priorities.iter().map(|priority| i64::from(priority.rank())));
    for tag in &filter.tags {
        let (head, tail) = if found == Found::Tag(tag) {
            (" AND id IN (SELECT t.task_id FROM task_tags t WHERE t.user_id = ", ")")
        } else {
            (" AND EXISTS (SELECT 1 FROM task_tags t WHERE t.user_id = ", " AND t.task_id = tasks.id)")
        };
        query.push(head).push_bind(user_id).push(" AND t.tag_key = ").push_bind(tag.clone()).push(tail);
    }
    if let Some(before) = filter.due_before {
        query.push(" AND due_at < ").push_bind(micros(before));
    }
    if let Some(after) = filter.due_after {
        query.push(" AND due_at >= ").push_bind(micros(after));
    }
    if let Some(term) = &filter.search {
        let ((head, tail), bound) = match indexed_term(filter) {
            Some(term) => (dialect::SEARCH, dialect::search_term(term)),
            None => (dialect::SEARCH_SHORT, term.clone()),
        };
        query.push(" AND ").push(head).push_bind(bound).push(tail);
        if term.contains(SEPARATOR) {
            query.push(" AND 1 = 0");
        }
    }
}

fn any_of(query: &mut QueryBuilder<Db>, column: &str, values: impl ExactSizeIterator<Item = i64>) {
    if values.len() > 0 {
        query.push(format_args!(" AND {column} IN ("));
        let mut list = query.separated(", ");
        for value in values {
            list.push_bind(value);
        }
        query.push(")");
    }
}

fn sort_column(key: SortKey, order: Order) -> &'static str {
    match (key, order) {
        (SortKey::DueDate, Order::Asc) => "due_asc",
        (SortKey::DueDate, Order::Desc) => "due_desc",
        (SortKey::Priority, _) => "priority",
        (SortKey::CreatedAt, _) => "created_at",
        (SortKey::UpdatedAt, _) => "updated_at",
        (SortKey::Title, _) => "title_key",
    }
}

#[async_trait]
impl Tasks for Transaction {
    async fn task(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Task>, Error> {
        Ok(self.tasks(user_id, &[id]).await?.pop())
    }

    async fn tasks(&mut self, user_id: Uuid, ids: &[Uuid]) -> Result<Vec<Task>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT ");
        query.push(COLUMNS).push(" FROM tasks WHERE user_id = ").push_bind(user_id).push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        query.push(")");
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        let mut tasks = rows.iter().map(task).collect::<Result<Vec<_>, _>>()?;
        self.complete_tasks(&mut tasks).await?;
        Ok(tasks)
    }

    async fn insert_task(&mut self, task: &Task, request: Option<&[u8]>) -> Result<bool, Error> {
        let done = sqlx::query::<Db>(
            "INSERT INTO tasks (id, user_id, title, title_key, description, status, priority, tags, due_at, due_asc,
                 due_desc, due_all_day, created_at, updated_at, completed_at, revision, content_revision,
                 source_task_id, request_hash, search)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(task.id)
        .bind(task.user_id)
        .bind(&task.title)
        .bind(text::fold(&task.title))
        .bind(&task.description)
        .bind(stored_status(task.status))
        .bind(i64::from(task.priority.rank()))
        .bind(stored_tags(task)?)
        .bind(task.due.map(micros))
        .bind(task.due.map_or(i64::MAX, micros))
        .bind(task.due.map_or(i64::MIN, micros))
        .bind(task.due_all_day)
        .bind(micros(task.created_at))
        .bind(micros(task.updated_at))
        .bind(task.completed_at.map(micros))
        .bind(task.revision)
        .bind(task.content_revision)
        .bind(task.source_task_id)
        .bind(request)
        .bind(searchable(task))
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.insert_tags(task).await?;
        self.insert_reminders(task).await?;
        Ok(true)
    }

    async fn request_hash(&mut self, user_id: Uuid, id: Uuid) -> Result<Option<Vec<u8>>, Error> {
        let sql = "SELECT request_hash FROM tasks WHERE id = $2 AND user_id = $1";
        let hash =
            sqlx::query_scalar::<Db, Option<Vec<u8>>>(sql).bind(user_id).bind(id).fetch_optional(&mut *self.tx).await?;
        Ok(hash.flatten())
    }

    async fn update_task(&mut self, before: &Task, task: &Task) -> Result<(), Error> {
        let done = sqlx::query::<Db>(
            "UPDATE tasks SET title = $3, title_key = $4, description = $5, status = $6, priority = $7, tags = $8,
                 due_at = $9, due_asc = $10, due_desc = $11, due_all_day = $12, updated_at = $13, completed_at = $14,
                 revision = $15, content_revision = $16, search = $17
             WHERE id = $1 AND user_id = $2",
        )
        .bind(task.id)
        .bind(task.user_id)
        .bind(&task.title)
        .bind(text::fold(&task.title))
        .bind(&task.description)
        .bind(stored_status(task.status))
        .bind(i64::from(task.priority.rank()))
        .bind(stored_tags(task)?)
        .bind(task.due.map(micros))
        .bind(task.due.map_or(i64::MAX, micros))
        .bind(task.due.map_or(i64::MIN, micros))
        .bind(task.due_all_day)
        .bind(micros(task.updated_at))
        .bind(task.completed_at.map(micros))
        .bind(task.revision)
        .bind(task.content_revision)
        .bind(searchable(task))
        .execute(&mut *self.tx)
        .await?;
        if done.rows_affected() == 0 {
            // Another owner's: it must not get tags and reminders of this one.
            return Ok(());
        }
        if before.tags != task.tags {
            self.execute_for("DELETE FROM task_tags WHERE user_id = $1 AND task_id = $2", task).await?;
            self.insert_tags(task).await?;
        }
        if before.reminders != task.reminders {
            let sql = "DELETE FROM reminders WHERE user_id = $1 AND task_id = $2 AND notification_id IS NULL";
            self.execute_for(sql, task).await?;
            self.insert_reminders(task).await?;
        }
        Ok(())
    }

    async fn touch_tasks(&mut self, touched: &[(Uuid, Uuid, i64)]) -> Result<(), Error> {
        if touched.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("UPDATE tasks SET revision = v.column3 FROM (");
        query.push_values(touched, |mut row, (user_id, id, revision)| {
            row.push_bind(*user_id).push_bind(*id).push_bind(*revision);
        });
        query.push(") AS v WHERE tasks.id = v.column2 AND tasks.user_id = v.column1");
        query.build().persistent(touched.len() == 1).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn delete_task(&mut self, user_id: Uuid, id: Uuid) -> Result<(), Error> {
        sqlx::query::<Db>("DELETE FROM tasks WHERE id = $2 AND user_id = $1")
            .bind(user_id)
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn list_tasks(&mut self, user_id: Uuid, list: &Query) -> Result<(Vec<Task>, bool), Error> {
        let column = sort_column(list.sort, list.order);
        let (direction, beyond) = match list.order {
            Order::Asc => ("ASC", ">"),
            Order::Desc => ("DESC", "<"),
        };
        let found = self.finds_few(user_id, &list.filter).await?.unwrap_or(Found::Owner);
        let mut query = QueryBuilder::<Db>::new("SELECT ");
        query.push(COLUMNS);
        filter(&mut query, user_id, &list.filter, found);
        if let Some(place) = &list.after {
            query.push(format_args!(" AND ({column}, id) {beyond} ("));
            match (&place.key, list.order) {
                (Key::Due(due), Order::Asc) => query.push_bind(due.map_or(i64::MAX, micros)),
                (Key::Due(due), Order::Desc) => query.push_bind(due.map_or(i64::MIN, micros)),
                (Key::Time(at), _) => query.push_bind(micros(*at)),
                (Key::Priority(priority), _) => query.push_bind(i64::from(priority.rank())),
                (Key::Title(title), _) => query.push_bind(title.clone()),
            };
            query.push(", ").push_bind(place.id).push(")");
        }
        let limit = usize::try_from(list.limit).unwrap_or_default();
        query.push(format_args!(" ORDER BY {column} {direction}, id {direction} LIMIT ")).push_bind(list.limit + 1);
        if list.offset > 0 {
            query.push(" OFFSET ").push_bind(list.offset);
        }
        let rows = query.build().fetch_all(&mut *self.tx).await?;
        let mut tasks = rows.iter().take(limit).map(task).collect::<Result<Vec<_>, _>>()?;
        self.complete_tasks(&mut tasks).await?;
        Ok((tasks, rows.len() > limit))
    }

    async fn count_tasks(&mut self, user_id: Uuid, of: &Filter) -> Result<i64, Error> {
        let mut query = QueryBuilder::<Db>::new("SELECT count(*)");
        let found = match self.finds_few(user_id, of).await? {
            Some(found) => found,
            None if indexed_term(of).is_some() => Found::Text,
            None => Found::Owner,
        };
        filter(&mut query, user_id, of, found);
        Ok(query.build_query_scalar::<i64>().fetch_one(&mut *self.tx).await?)
    }

    async fn tags(&mut self, user_id: Uuid) -> Result<Vec<(String, i64)>, Error> {
        let rows = sqlx::query::<Db>(
            "SELECT tag_key, max(tag) AS tag, count(*) AS tasks FROM task_tags WHERE user_id = $1
             GROUP BY tag_key ORDER BY tag_key",
        )
        .bind(user_id)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("tag")?, row.try_get("tasks")?))).collect()
    }

    async fn counts(&mut self, user_id: Uuid, now: DateTime<Utc>, day_start: DateTime<Utc>) -> Result<Counts, Error> {
        let rows = sqlx::query::<Db>("SELECT status, count(*) AS tasks FROM tasks WHERE user_id = $1 GROUP BY status")
            .bind(user_id)
            .fetch_all(&mut *self.tx)
            .await?;
        let mut counts = Counts::default();
        for row in &rows {
            let tasks = row.try_get("tasks")?;
            match status(row.try_get("status")?)? {
                Status::Pending => counts.pending = tasks,
                Status::InProgress => counts.in_progress = tasks,
                Status::Completed => counts.completed = tasks,
            }
        }
        counts.overdue = sqlx::query_scalar::<Db, i64>(
            "SELECT count(*) FROM tasks WHERE user_id = $1 AND status IN (1, 2) AND due_asc < $2
             AND (NOT due_all_day OR due_asc < $3)",
        )
        .bind(user_id)
        .bind(micros(now))
        .bind(micros(day_start))
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(counts)
    }
}

impl Transaction {
    /// What finds so few rows that it is quicker to sort them than to look for them in order.
    async fn finds_few<'a>(&mut self, user_id: Uuid, filter: &'a Filter) -> Result<Option<Found<'a>>, Error> {
        let Some(by_text) = dialect::COUNT_BY_TEXT else { return Ok(None) };
        for tag in &filter.tags {
            let found = sqlx::query_scalar::<Db, i64>(
                "SELECT count(*) FROM (SELECT 1 FROM task_tags WHERE user_id = $1 AND tag_key = $2 LIMIT $3) AS few",
            );
            let found = found.bind(user_id).bind(tag).bind(dialect::FEW + 1).fetch_one(&mut *self.tx).await?;
            if found <= dialect::FEW {
                return Ok(Some(Found::Tag(tag)));
            }
        }
        let Some(term) = indexed_term(filter) else { return Ok(None) };
        let found = sqlx::query_scalar::<Db, i64>(by_text).bind(dialect::search_term(term)).bind(dialect::FEW + 1);
        Ok((found.fetch_one(&mut *self.tx).await? <= dialect::FEW).then_some(Found::Text))
    }

    /// Adds reminders and recurrences.
    async fn complete_tasks(&mut self, tasks: &mut [Task]) -> Result<(), Error> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut reminders: HashMap<Uuid, Vec<Reminder>> = HashMap::new();
        let mut query = QueryBuilder::<Db>::new(
            "SELECT id, task_id, trigger_at, before_due, state, created_at FROM reminders
             WHERE notification_id IS NULL AND task_id IN (",
        );
        let mut ids = query.separated(", ");
        for task in tasks.iter() {
            ids.push_bind(task.id);
        }
        query.push(") ORDER BY position");
        for row in query.build().fetch_all(&mut *self.tx).await? {
            reminders.entry(row.try_get("task_id")?).or_default().push(reminder(&row)?);
        }
        let mut series: HashMap<Uuid, Recurrence> = HashMap::new();
        let mut query = QueryBuilder::<Db>::new(
            "SELECT task_id, recurrence, blocked FROM series WHERE ended_at IS NULL AND task_id IN (",
        );
        let mut ids = query.separated(", ");
        for task in tasks.iter() {
            ids.push_bind(task.id);
        }
        query.push(")");
        for row in query.build().fetch_all(&mut *self.tx).await? {
            series.insert(row.try_get("task_id")?, recurrence(&row)?);
        }
        for task in tasks {
            task.reminders = reminders.remove(&task.id).unwrap_or_default();
            task.recurrence = series.remove(&task.id);
        }
        Ok(())
    }

    async fn insert_tags(&mut self, task: &Task) -> Result<(), Error> {
        if task.tags.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new("INSERT INTO task_tags (user_id, tag_key, task_id, tag) ");
        query.push_values(&task.tags, |mut row, tag| {
            row.push_bind(task.user_id).push_bind(text::fold(tag)).push_bind(task.id).push_bind(tag.clone());
        });
        query.build().execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn insert_reminders(&mut self, task: &Task) -> Result<(), Error> {
        if task.reminders.is_empty() {
            return Ok(());
        }
        let mut query = QueryBuilder::<Db>::new(
            "INSERT INTO reminders (id, task_id, user_id, position, trigger_at, before_due, state, created_at,
                 traceparent) ",
        );
        let trace = todo_trace::current();
        query.push_values((0_i64..).zip(&task.reminders), |mut row, (position, reminder)| {
            row.push_bind(reminder.id)
                .push_bind(task.id)
                .push_bind(task.user_id)
                .push_bind(position)
                .push_bind(reminder.trigger_at.map(micros))
                .push_bind(reminder.before_due_seconds())
                .push_bind(match reminder.state {
                    ReminderState::Pending => PENDING,
                    ReminderState::Fired => FIRED,
                    ReminderState::Cancelled => CANCELLED,
                })
                .push_bind(micros(reminder.created_at))
                .push_bind(&trace);
        });
        query.build().execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn execute_for(&mut self, sql: &'static str, task: &Task) -> Result<(), Error> {
        sqlx::query::<Db>(sql).bind(task.user_id).bind(task.id).execute(&mut *self.tx).await?;
        Ok(())
    }
}

fn stored_tags(task: &Task) -> Result<String, Error> {
    serde_json::to_string(&task.tags).map_err(|_| Error::Corrupt("list of tags"))
}
