//! Creating, changing and completing a task.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Context, Draft, Field, Outcome, Patch, Status, Task, reminder};
use crate::{
    clock::{self, Timestamp},
    error::{Error, Violation, Violations},
    limits,
    recurrence::{Recurrence, RecurrenceDraft},
    text, zone,
};

impl Task {
    /// The pending task that `draft` asks for. `revision` and `content_revision` are 0 until it is stored.
    ///
    /// # Errors
    /// [`crate::Reason::ValidationError`] with everything that is wrong with the draft.
    pub fn create(draft: Draft, context: &Context<'_>) -> Result<Self, Error> {
        let mut violations = Violations::from(draft.wrong);
        if let Some(id) = draft.id {
            violations.check(is_client_id(id), "id", || "must be a UUID of version 4 or 7");
        }
        let mut task = Self {
            id: draft.id.unwrap_or_else(|| context.ids.new_id(context.now)),
            user_id: context.user_id,
            title: String::new(),
            description: String::new(),
            status: Status::Pending,
            priority: draft.priority,
            tags: Vec::new(),
            due: None,
            due_all_day: false,
            reminders: Vec::new(),
            recurrence: None,
            created_at: context.now,
            updated_at: context.now,
            completed_at: None,
            revision: 0,
            content_revision: 0,
            source_task_id: None,
        };
        task.write(
            Patch {
                title: Some(draft.title),
                description: Some(draft.description),
                tags: Some(draft.tags),
                due: Some(draft.due),
                due_all_day: Some(draft.due_all_day),
                reminders: Some(draft.reminders),
                recurrence: Some(draft.recurrence),
                ..Patch::default()
            },
            context,
            &mut violations,
        );
        violations.into_result(task)
    }

    /// Applies `patch` as a whole. Setting the status to completed is the same act as [`Task::complete`].
    ///
    /// `revision`, `content_revision` and `updated_at` are left to whoever stores the task.
    ///
    /// # Errors
    /// [`crate::Reason::ValidationError`] with everything that is wrong with the patch; the task is then untouched.
    pub fn apply(&mut self, mut patch: Patch, context: &Context<'_>) -> Result<Outcome, Error> {
        let mut violations = Violations::from(std::mem::take(&mut patch.wrong));
        let status = patch.status.unwrap_or(self.status);
        violations.check(
            self.status.is_open() || status != Status::InProgress,
            "status",
            || "must be pending to reopen a completed task",
        );
        let mut next = self.clone();
        let completes = next.step_to(status);
        next.write(patch, context, &mut violations);
        let next = violations.into_result(next)?;
        Ok(self.settle(next, completes.then_some(context.now)))
    }

    /// Completes the task: its pending reminders are cancelled. A completed one stays as it is.
    pub fn complete(&mut self, context: &Context<'_>) -> Outcome {
        let mut next = self.clone();
        let completes = next.step_to(Status::Completed);
        self.settle(next, completes.then_some(context.now))
    }

    /// Takes a step of status except for completing, which is done last; says whether that is still to do.
    pub(super) fn step_to(&mut self, status: Status) -> bool {
        let completes = self.status.is_open() && !status.is_open();
        if !completes {
            self.status = status;
            if status.is_open() {
                self.completed_at = None;
            }
        }
        completes
    }

    /// Becomes `next`, and completed if `completed_at` says when; tells what changed.
    pub(super) fn settle(&mut self, mut next: Self, completed_at: Option<Timestamp>) -> Outcome {
        let updated = changes(self, &next);
        let reopened = !self.status.is_open() && next.status.is_open();
        let between = (completed_at.is_some() && !updated.is_empty()).then(|| Box::new(next.clone()));
        if let Some(completed_at) = completed_at {
            next.status = Status::Completed;
            // Stored times never go backwards, even when a clock does.
            next.completed_at = Some(completed_at.max(next.created_at));
            next.reminders.iter_mut().for_each(super::Reminder::cancel);
        }
        *self = next;
        Outcome { updated, completed: completed_at.is_some(), reopened, between }
    }

    /// Writes everything but the status.
    fn write(&mut self, patch: Patch, context: &Context<'_>, violations: &mut Violations) {
        if let Some(title) = patch.title {
            let title = text::bounded(&title, "title", 1, limits::TITLE_MAX);
            self.title = violations.take(title).unwrap_or_default();
        }
        if let Some(description) = patch.description {
            let description = text::bounded_as_is(&description, "description", 0, limits::DESCRIPTION_MAX);
            self.description = violations.take(description).unwrap_or_default();
        }
        if let Some(priority) = patch.priority {
            self.priority = priority;
        }
        if let Some(tags) = patch.tags {
            self.tags = clean_tags(&tags, violations);
        }
        let read = self.reminders.clone();
        self.write_due(patch.due.unwrap_or(self.due), patch.due_all_day, context, violations);
        if let Some(drafts) = patch.reminders {
            let replacement = reminder::Replacement {
                read: &read,
                moved: &self.reminders,
                base: self.reminder_base(context.zone),
                open: self.status.is_open(),
            };
            // A moved list is sorted anew only when it is done, so that it stays in step with the one that was read.
            self.reminders = replacement.make(&drafts, context, violations);
        }
        reminder::sort(&mut self.reminders);
        if let Some(draft) = patch.recurrence {
            self.write_recurrence(draft.as_ref(), context, violations);
        }
    }

    fn write_due(
        &mut self,
        due: Option<Timestamp>,
        all_day: Option<bool>,
        context: &Context<'_>,
        violations: &mut Violations,
    ) {
        let due = due.map(|due| clock::check(due, "due_date", violations));
        if due.is_none() {
            violations.check(all_day != Some(true), "due_all_day", || "must only be true when there is a due date");
        }
        self.move_due(due, all_day.unwrap_or(self.due_all_day), context);
    }

    /// Moves the due date; that of an all-day task to the start of its day.
    pub(super) fn move_due(&mut self, due: Option<Timestamp>, all_day: bool, context: &Context<'_>) {
        // What was read and is sent back stays as it is, even when the owner's zone has changed since.
        if (due, all_day) == (self.due, self.due_all_day) {
            return;
        }
        let start_of_day = |due| zone::start_of_day(context.zone, zone::local(context.zone, due).date());
        self.set_due(if all_day { due.map(start_of_day) } else { due }, all_day, context);
    }

    /// Sets the due date as it is, and moves all that hangs on it: relative reminders and the series.
    pub(super) fn set_due(&mut self, due: Option<Timestamp>, all_day: bool, context: &Context<'_>) {
        let old_due = self.due;
        self.due = due;
        self.due_all_day = all_day && due.is_some();
        let base = self.reminder_base(context.zone);
        let open = self.status.is_open();
        for reminder in &mut self.reminders {
            reminder.retime(base, open, context.now);
        }
        if self.due != old_due
            && let Some(recurrence) = &mut self.recurrence
        {
            recurrence.anchor_to(self.due.unwrap_or(context.now), context.now);
        }
    }

    fn write_recurrence(
        &mut self,
        draft: Option<&RecurrenceDraft>,
        context: &Context<'_>,
        violations: &mut Violations,
    ) {
        self.recurrence = draft.and_then(|draft| {
            violations.nested("recurrence", |violations| {
                Recurrence::write(draft, self.recurrence.as_ref(), self.due, context, violations)
            })
        });
    }
}

/// The fields whose visible values differ.
fn changes(old: &Task, new: &Task) -> Vec<Field> {
    // What a series is anchored to follows from the due date, which announces itself.
    let visible =
        |task: &Task| task.recurrence.as_ref().map(|recurrence| (recurrence.id, RecurrenceDraft::from(recurrence)));
    // A store may read reminders in another order than ours, which is not a change.
    let sorted = |task: &Task| {
        let mut reminders = task.reminders.clone();
        reminder::sort(&mut reminders);
        reminders
    };
    Field::ALL
        .iter()
        .copied()
        .filter(|field| match field {
            Field::Title => old.title != new.title,
            Field::Description => old.description != new.description,
            Field::Status => old.status != new.status,
            Field::Priority => old.priority != new.priority,
            Field::Tags => old.tags != new.tags,
            Field::DueDate => old.due != new.due,
            Field::DueAllDay => old.due_all_day != new.due_all_day,
            Field::Reminders => sorted(old) != sorted(new),
            Field::Recurrence => visible(old) != visible(new),
        })
        .collect()
}

fn clean_tags(tags: &[String], violations: &mut Violations) -> Vec<String> {
    let within = violations.check(tags.len() <= limits::TAGS_MAX, "tags", || {
        format!("must be at most {}, got {}", limits::TAGS_MAX, tags.len())
    });
    let mut seen = HashSet::new();
    let tags = tags.iter().enumerate().filter(|_| within);
    tags.filter_map(|(index, tag)| violations.take(clean_tag(tag, &format!("tags[{index}]"))))
        .filter(|tag| seen.insert(text::fold(tag)))
        .collect()
}

/// A tag as it is kept: trimmed, in normal form C, 1 to 50 characters.
pub(crate) fn clean_tag(tag: &str, field: &str) -> Result<String, Violation> {
    text::bounded(tag, field, 1, limits::TAG_MAX)
}

fn is_client_id(id: Uuid) -> bool {
    id.get_variant() == uuid::Variant::RFC4122 && matches!(id.get_version_num(), 4 | 7)
}
