//! Undoing a change: the named fields take their old values, as far as time allows.

use super::{Context, Field, Outcome, Reminder, ReminderState, Task};

/// What undoing a change comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// The task as it is again, and what that changed.
    Updated(Box<Task>, Outcome),
    /// A deleted task returns, with its id.
    Returned(Box<Task>),
    /// The creation is undone: the task is to be deleted.
    Removed,
    /// There is nothing left to undo.
    Nothing,
}

/// Undoes a change of a task, of which `before` is the before-image (nothing for a creation) and `current` the present
/// state (nothing when it is deleted), by giving `fields` their old values. A completion is undone by naming
/// [`Field::Status`]; for a deletion `fields` does not matter.
///
/// * A restored reminder that rang since stays fired; a pending one already past is cancelled; otherwise it is pending.
/// * Undoing a completion brings back the reminders which that cancelled, as far as they are still to come.
/// * A restored recurrence begins now: slots that passed in between are gone.
///
/// As with [`Task::apply`], revisions and `updated_at` are left to whoever stores the result.
#[must_use]
pub fn undo(current: Option<&Task>, before: Option<&Task>, fields: &[Field], context: &Context<'_>) -> Undone {
    match (current, before) {
        (None, None) => Undone::Nothing,
        (Some(_), None) => Undone::Removed,
        (None, Some(before)) => Undone::Returned(Box::new(returned(before, context))),
        (Some(current), Some(before)) => {
            let mut task = current.clone();
            let outcome = restore(&mut task, before, fields, context);
            if outcome.is_unchanged() { Undone::Nothing } else { Undone::Updated(Box::new(task), outcome) }
        }
    }
}

fn returned(before: &Task, context: &Context<'_>) -> Task {
    let mut task = before.clone();
    let open = task.status.is_open();
    for reminder in &mut task.reminders {
        reminder.restore(None, open, context.now);
    }
    if let Some(recurrence) = &mut task.recurrence {
        recurrence.anchor_to(recurrence.anchor_at, context.now);
    }
    task
}

fn restore(task: &mut Task, before: &Task, fields: &[Field], context: &Context<'_>) -> Outcome {
    let has = |field| fields.contains(&field);
    let mut next = task.clone();
    let completes = has(Field::Status) && next.step_to(before.status);
    if has(Field::Title) {
        next.title.clone_from(&before.title);
    }
    if has(Field::Description) {
        next.description.clone_from(&before.description);
    }
    if has(Field::Priority) {
        next.priority = before.priority;
    }
    if has(Field::Tags) {
        next.tags.clone_from(&before.tags);
    }
    restore_due(&mut next, before, fields, context);
    restore_reminders(&mut next, task, before, fields, context);
    if has(Field::Recurrence) {
        next.recurrence.clone_from(&before.recurrence);
        if let Some(recurrence) = &mut next.recurrence {
            let anchor_at = if next.due == before.due { recurrence.anchor_at } else { next.due.unwrap_or(context.now) };
            recurrence.anchor_to(anchor_at, context.now);
        }
    }
    task.settle(next, completes.then(|| before.completed_at.unwrap_or(context.now)))
}

fn restore_due(next: &mut Task, before: &Task, fields: &[Field], context: &Context<'_>) {
    let due = if fields.contains(&Field::DueDate) { before.due } else { next.due };
    let all_day = if fields.contains(&Field::DueAllDay) { before.due_all_day } else { next.due_all_day };
    if (due, all_day) == (before.due, before.due_all_day) {
        // Exactly what it was, even when the owner's zone has changed since.
        next.set_due(due, all_day, context);
    } else {
        next.move_due(due, all_day, context);
    }
}

fn restore_reminders(next: &mut Task, current: &Task, before: &Task, fields: &[Field], context: &Context<'_>) {
    let open = next.status.is_open();
    let present = |reminder: &Reminder| current.reminders.iter().find(|it| it.id == reminder.id);
    if fields.contains(&Field::Reminders) {
        next.reminders.clone_from(&before.reminders);
        let base = next.reminder_base(context.zone);
        for reminder in &mut next.reminders {
            reminder.restore(present(reminder), open, context.now);
            reminder.retime(base, open, context.now);
        }
    } else if fields.contains(&Field::Status) && open && !current.status.is_open() {
        for reminder in next.reminders.iter_mut().filter(|it| it.state == ReminderState::Cancelled) {
            if before.reminders.iter().any(|it| it.id == reminder.id && it.when == reminder.when && it.is_pending()) {
                reminder.state = ReminderState::Pending;
                reminder.restore(None, open, context.now);
            }
        }
    }
    super::reminder::sort(&mut next.reminders);
}
