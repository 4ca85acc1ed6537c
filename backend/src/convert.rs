//! Between the messages of the contract and the domain. Numbers of enums that a message cannot know are violations, as
//! is every time that is none; all of them are reported at once.

use chrono::{DateTime, Utc, Weekday};
use prost_types::{FieldMask, Timestamp};
use todo_domain::{
    Error, Violation, Violations,
    query::{FilterDraft, Order, QueryDraft, SortKey},
    recurrence::{Anchor, CatchUp, Overlap, Recurrence, RecurrenceDraft, RecurrenceType},
    task::{Draft, Patch, Priority, Reminder, ReminderDraft, ReminderState, Status, Task},
};
use todo_proto::v1;

use crate::{
    core::id,
    store::{Counts, Notification},
};

/// A time as the contract has it.
pub(crate) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: time.timestamp(), nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default() }
}

/// A time of a request.
pub(crate) fn time(timestamp: Timestamp, field: &str, violations: &mut Violations) -> Option<DateTime<Utc>> {
    let time = u32::try_from(timestamp.nanos).ok().and_then(|nanos| DateTime::from_timestamp(timestamp.seconds, nanos));
    if time.is_none() {
        violations.push(field, "must be a time in the years 0001 to 9999");
    }
    time
}

fn choice<T>(
    number: i32,
    field: &str,
    takes: &str,
    violations: &mut Violations,
    from: impl Fn(i32) -> Option<T>,
) -> Option<T> {
    let value = from(number);
    if value.is_none() {
        violations.push(field, format!("must be one of {takes}"));
    }
    value
}

fn status(number: i32, field: &str, violations: &mut Violations) -> Option<Status> {
    choice(number, field, "pending, in_progress, completed", violations, |number| {
        match v1::Status::try_from(number).ok()? {
            v1::Status::Unspecified => None,
            v1::Status::Pending => Some(Status::Pending),
            v1::Status::InProgress => Some(Status::InProgress),
            v1::Status::Completed => Some(Status::Completed),
        }
    })
}

/// Unspecified is the default, medium.
fn priority(number: i32, field: &str, violations: &mut Violations) -> Option<Priority> {
    choice(number, field, "high, medium, low", violations, |number| match v1::Priority::try_from(number).ok()? {
        v1::Priority::Unspecified | v1::Priority::Medium => Some(Priority::Medium),
        v1::Priority::High => Some(Priority::High),
        v1::Priority::Low => Some(Priority::Low),
    })
}

/// What a create asks for.
pub(crate) fn draft(task: v1::Task) -> Result<Draft, Error> {
    let mut violations = Violations::new();
    if !matches!(v1::Status::try_from(task.status), Ok(v1::Status::Unspecified | v1::Status::Pending)) {
        violations.push("status", "must be pending in a new task");
    }
    Ok(Draft {
        id: if task.id.is_empty() { None } else { Some(id("id", &task.id)?) },
        title: task.title,
        description: task.description,
        priority: priority(task.priority, "priority", &mut violations).unwrap_or_default(),
        tags: task.tags,
        due: task.due_date.and_then(|due| time(due, "due_date", &mut violations)),
        due_all_day: task.due_all_day,
        reminders: reminder_drafts(&task.reminders, &mut violations),
        recurrence: task.recurrence.and_then(|recurrence| recurrence_draft(recurrence, &mut violations)),
        wrong: violations.into_vec(),
    })
}

/// The fields of a task that a mask may name.
const FIELDS: &str = "title, description, status, priority, tags, due_date, due_all_day, reminders, recurrence";

/// What an update asks for: the fields of the mask, or those that are set where there is none.
pub(crate) fn patch(task: v1::Task, mask: Option<&FieldMask>) -> Patch {
    let mut violations = Violations::new();
    let named = |field: &str, is_set: bool| match mask {
        Some(mask) => mask.paths.iter().any(|path| path == field),
        None => is_set,
    };
    for path in mask.into_iter().flat_map(|mask| &mask.paths) {
        // The id is what names the task, so naming it changes nothing.
        violations.check(path == "id" || FIELDS.split(", ").any(|field| field == path), "update_mask", || {
            format!("must only name {FIELDS}; got {path:?}")
        });
    }
    let mut patch = Patch::default();
    if named("title", !task.title.is_empty()) {
        patch.title = Some(task.title);
    }
    if named("description", !task.description.is_empty()) {
        patch.description = Some(task.description);
    }
    if named("status", task.status != 0) {
        patch.status = status(task.status, "status", &mut violations);
    }
    if named("priority", task.priority != 0) {
        patch.priority = priority(task.priority, "priority", &mut violations);
    }
    if named("tags", !task.tags.is_empty()) {
        patch.tags = Some(task.tags);
    }
    if named("due_date", task.due_date.is_some()) {
        patch.due = Some(task.due_date.and_then(|due| time(due, "due_date", &mut violations)));
    }
    if named("due_all_day", task.due_all_day) {
        patch.due_all_day = Some(task.due_all_day);
    }
    if named("reminders", !task.reminders.is_empty()) {
        patch.reminders = Some(reminder_drafts(&task.reminders, &mut violations));
    }
    if named("recurrence", task.recurrence.is_some()) {
        patch.recurrence = Some(task.recurrence.and_then(|recurrence| recurrence_draft(recurrence, &mut violations)));
    }
    patch.wrong = violations.into_vec();
    patch
}

fn reminder_drafts(reminders: &[v1::Reminder], violations: &mut Violations) -> Vec<ReminderDraft> {
    let drafts = reminders.iter().enumerate().map(|(index, reminder)| {
        violations.nested(&format!("reminders[{index}]"), |violations| ReminderDraft {
            // An id that is none of ours cannot be an existing reminder's: the server gives a new one.
            id: id("id", &reminder.id).ok(),
            trigger_at: reminder.trigger_at.and_then(|at| time(at, "trigger_at", violations)),
            before_due_seconds: reminder.before_due_seconds,
        })
    });
    drafts.collect()
}

/// What a request asks for as a recurrence.
pub(crate) fn recurrence_draft(recurrence: v1::Recurrence, violations: &mut Violations) -> Option<RecurrenceDraft> {
    violations.nested("recurrence", |violations| {
        let recurrence_type = choice(
            recurrence.recurrence_type,
            "recurrence_type",
            "daily, weekly, custom, rrule",
            violations,
            |number| match v1::RecurrenceType::try_from(number).ok()? {
                v1::RecurrenceType::Unspecified => None,
                v1::RecurrenceType::Daily => Some(RecurrenceType::Daily),
                v1::RecurrenceType::Weekly => Some(RecurrenceType::Weekly),
                v1::RecurrenceType::Custom => Some(RecurrenceType::Custom),
                v1::RecurrenceType::Rrule => Some(RecurrenceType::Rrule),
            },
        );
        let anchor = choice(recurrence.anchor, "anchor", "schedule, completion", violations, |number| {
            Some(match v1::Anchor::try_from(number).ok()? {
                v1::Anchor::Unspecified | v1::Anchor::Schedule => Anchor::Schedule,
                v1::Anchor::Completion => Anchor::Completion,
            })
        });
        let overlap = choice(recurrence.overlap, "overlap", "keep, skip", violations, |number| {
            Some(match v1::Overlap::try_from(number).ok()? {
                v1::Overlap::Unspecified | v1::Overlap::Keep => Overlap::Keep,
                v1::Overlap::Skip => Overlap::Skip,
            })
        });
        let catch_up = choice(recurrence.catch_up, "catch_up", "latest, all, none", violations, |number| {
            Some(match v1::CatchUp::try_from(number).ok()? {
                v1::CatchUp::Unspecified | v1::CatchUp::Latest => CatchUp::Latest,
                v1::CatchUp::All => CatchUp::All,
                v1::CatchUp::None => CatchUp::None,
            })
        });
        let until = recurrence.until.and_then(|until| time(until, "until", violations));
        Some(RecurrenceDraft {
            recurrence_type: recurrence_type?,
            cron_expression: recurrence.cron_expression,
            rrule: recurrence.rrule,
            time_zone: recurrence.time_zone.filter(|zone| !zone.is_empty()),
            anchor: anchor?,
            until,
            count: recurrence.count.map(i64::from),
            paused: recurrence.paused,
            overlap: overlap?,
            lead_seconds: recurrence.lead_seconds,
            catch_up: catch_up?,
        })
    })
}

/// What a list asks for.
pub(crate) fn query(request: v1::ListTasksRequest) -> QueryDraft {
    let mut violations = Violations::new();
    let mut draft = QueryDraft {
        filter: FilterDraft {
            statuses: request.status.iter().filter_map(|number| status(*number, "status", &mut violations)).collect(),
            priorities: request
                .priority
                .iter()
                .filter_map(|number| {
                    violations.check(*number != 0, "priority", || "must be one of high, medium, low");
                    priority(*number, "priority", &mut violations)
                })
                .collect(),
            tags: request.tag,
            search: Some(request.search),
            due_before: request.due_before.and_then(|at| time(at, "due_before", &mut violations)),
            due_after: request.due_after.and_then(|at| time(at, "due_after", &mut violations)),
        },
        sort: choice(
            request.sort_by,
            "sort_by",
            "created_at, updated_at, due_date, priority, title",
            &mut violations,
            |number| {
                Some(match v1::SortBy::try_from(number).ok()? {
                    v1::SortBy::Unspecified => None,
                    v1::SortBy::CreatedAt => Some(SortKey::CreatedAt),
                    v1::SortBy::UpdatedAt => Some(SortKey::UpdatedAt),
                    v1::SortBy::DueDate => Some(SortKey::DueDate),
                    v1::SortBy::Priority => Some(SortKey::Priority),
                    v1::SortBy::Title => Some(SortKey::Title),
                })
            },
        )
        .flatten(),
        order: choice(request.sort_order, "sort_order", "asc, desc", &mut violations, |number| {
            Some(match v1::SortOrder::try_from(number).ok()? {
                v1::SortOrder::Unspecified => None,
                v1::SortOrder::Asc => Some(Order::Asc),
                v1::SortOrder::Desc => Some(Order::Desc),
            })
        })
        .flatten(),
        limit: request.limit.map(i64::from),
        offset: request.offset.map(i64::from),
        page_token: request.page_token.filter(|token| !token.is_empty()),
        wrong: Vec::new(),
    };
    if draft.page_token.is_some() {
        violations.check(draft.offset.is_none(), "offset", || "must not be given with page_token");
    }
    draft.wrong = violations.into_vec();
    draft
}

/// A task as its owner reads it at `now`.
pub(crate) fn task(task: &Task, now: DateTime<Utc>) -> v1::Task {
    v1::Task {
        id: task.id.to_string(),
        user_id: task.user_id.to_string(),
        title: task.title.clone(),
        description: task.description.clone(),
        status: match task.status {
            Status::Pending => v1::Status::Pending,
            Status::InProgress => v1::Status::InProgress,
            Status::Completed => v1::Status::Completed,
        }
        .into(),
        priority: proto_priority(task.priority).into(),
        tags: task.tags.clone(),
        due_date: task.due.map(timestamp),
        due_all_day: task.due_all_day,
        created_at: Some(timestamp(task.created_at)),
        updated_at: Some(timestamp(task.updated_at)),
        completed_at: task.completed_at.map(timestamp),
        revision: task.revision,
        source_task_id: task.source_task_id.map(|id| id.to_string()),
        reminders: task.reminders.iter().map(reminder).collect(),
        recurrence: task.recurrence.as_ref().map(|it| recurrence(it, now)),
    }
}

pub(crate) fn proto_priority(priority: Priority) -> v1::Priority {
    match priority {
        Priority::High => v1::Priority::High,
        Priority::Medium => v1::Priority::Medium,
        Priority::Low => v1::Priority::Low,
    }
}

pub(crate) fn reminder(reminder: &Reminder) -> v1::Reminder {
    v1::Reminder {
        id: reminder.id.to_string(),
        trigger_at: reminder.trigger_at.map(timestamp),
        before_due_seconds: reminder.before_due_seconds(),
        fired: reminder.state == ReminderState::Fired,
        cancelled: reminder.state == ReminderState::Cancelled,
        created_at: Some(timestamp(reminder.created_at)),
    }
}

pub(crate) fn recurrence_type(recurrence: &Recurrence) -> v1::RecurrenceType {
    match recurrence.rule.recurrence_type() {
        RecurrenceType::Unspecified => v1::RecurrenceType::Unspecified,
        RecurrenceType::Daily => v1::RecurrenceType::Daily,
        RecurrenceType::Weekly => v1::RecurrenceType::Weekly,
        RecurrenceType::Custom => v1::RecurrenceType::Custom,
        RecurrenceType::Rrule => v1::RecurrenceType::Rrule,
    }
}

pub(crate) fn recurrence(recurrence: &Recurrence, now: DateTime<Utc>) -> v1::Recurrence {
    v1::Recurrence {
        id: recurrence.id.to_string(),
        recurrence_type: recurrence_type(recurrence).into(),
        cron_expression: recurrence.rule.cron_expression().map(str::to_owned),
        rrule: recurrence.rule.rrule().map(str::to_owned),
        time_zone: Some(recurrence.zone.name().to_owned()),
        anchor: match recurrence.anchor {
            Anchor::Schedule => v1::Anchor::Schedule,
            Anchor::Completion => v1::Anchor::Completion,
        }
        .into(),
        until: recurrence.until.map(timestamp),
        count: recurrence.count.and_then(|count| i32::try_from(count).ok()),
        paused: recurrence.paused,
        overlap: match recurrence.overlap {
            Overlap::Keep => v1::Overlap::Keep,
            Overlap::Skip => v1::Overlap::Skip,
        }
        .into(),
        lead_seconds: recurrence.lead_seconds,
        catch_up: match recurrence.catch_up {
            CatchUp::Latest => v1::CatchUp::Latest,
            CatchUp::All => v1::CatchUp::All,
            CatchUp::None => v1::CatchUp::None,
        }
        .into(),
        next_occurrence: recurrence.next_occurrence(now).map(timestamp),
        active: recurrence.active(now),
        created_at: Some(timestamp(recurrence.created_at)),
        blocked: recurrence.blocked,
    }
}

/// A day of the week; nothing for what is none.
pub(crate) fn weekday(number: i32) -> Option<Weekday> {
    Weekday::try_from(u8::try_from(number.checked_sub(1)?).ok()?).ok()
}

pub(crate) fn proto_weekday(day: Weekday) -> v1::Weekday {
    match day {
        Weekday::Mon => v1::Weekday::Monday,
        Weekday::Tue => v1::Weekday::Tuesday,
        Weekday::Wed => v1::Weekday::Wednesday,
        Weekday::Thu => v1::Weekday::Thursday,
        Weekday::Fri => v1::Weekday::Friday,
        Weekday::Sat => v1::Weekday::Saturday,
        Weekday::Sun => v1::Weekday::Sunday,
    }
}

pub(crate) fn notification(notification: &Notification) -> v1::Notification {
    v1::Notification {
        id: notification.id.to_string(),
        reminder_id: notification.reminder_id.to_string(),
        task_id: notification.task_id.to_string(),
        task_title: notification.task_title.clone(),
        due_date: notification.due.map(timestamp),
        triggered_at: Some(timestamp(notification.triggered_at)),
        read_at: notification.read_at.map(timestamp),
        snoozed_until: notification.snoozed_until.map(timestamp),
        revision: notification.revision,
    }
}

pub(crate) fn counts(counts: Counts) -> v1::TaskCounts {
    v1::TaskCounts {
        total: counts.pending + counts.in_progress + counts.completed,
        pending: counts.pending,
        in_progress: counts.in_progress,
        completed: counts.completed,
        overdue: counts.overdue,
    }
}

/// `limit` and `offset` of a list.
pub(crate) fn page(limit: Option<i32>, offset: Option<i32>) -> Result<(i64, i64), Error> {
    use todo_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
    page_of(PAGE_MAX, limit.map_or(PAGE_DEFAULT, i64::from), offset.map_or(0, i64::from))
}

/// A page of at most so many.
pub(crate) fn page_of(most: i64, limit: i64, offset: i64) -> Result<(i64, i64), Error> {
    let mut violations = Violations::new();
    violations.check((1..=most).contains(&limit), "limit", || format!("must be 1 to {most}, got {limit}"));
    violations.check(offset >= 0, "offset", || format!("must be 0 or more, got {offset}"));
    violations.into_result((limit, offset))
}

/// A message field that must be there.
pub(crate) fn required<T>(value: Option<T>, field: &str) -> Result<T, Error> {
    value.ok_or_else(|| Violation::new(field, "must be given").into())
}
