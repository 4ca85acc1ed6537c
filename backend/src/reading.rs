//! A line of plain language as the task that it asks for.

use chrono::Weekday;
use todo_domain::{
    Error, Violations, clock,
    task::{Context, Task},
    text, zone,
};
use todo_language::{Reading, SpanKind};
use todo_proto::v1;

use crate::convert;

/// Longest text, in characters.
const TEXT_MAX: usize = 4_000;

/// Reads a request in a context, which it may override.
pub(crate) fn read(
    request: &v1::ParseTaskRequest,
    mut context: Context<'_>,
    week_start: Weekday,
) -> Result<v1::ParseTaskResponse, Error> {
    let mut violations = Violations::new();
    violations.take(text::bounded(&request.text, "text", 1, TEXT_MAX));
    if let Some(time) = request.reference_time {
        let time = convert::time(time, "reference_time", &mut violations);
        context.now = time.map_or(context.now, |time| clock::check(time, "reference_time", &mut violations));
    }
    if let Some(zone) = &request.time_zone {
        context.zone = violations.take(zone::parse(zone, "time_zone")).unwrap_or(context.zone);
    }
    violations.into_result(())?;
    let language = todo_language::Context { week_start, ..todo_language::Context::new(context.now, context.zone) };
    let reading = todo_language::parse_task(&request.text, &language);
    // The task itself says what its reminders and its recurrence come to, and whether it could be made.
    let mut draft = reading.draft.clone();
    if !reading.has_title {
        "untitled".clone_into(&mut draft.title);
    }
    let task = convert::task(&Task::create(draft, &context)?, context.now);
    Ok(response(reading, task))
}

fn response(reading: Reading, task: v1::Task) -> v1::ParseTaskResponse {
    let unborn = |reminder| v1::Reminder { id: String::new(), created_at: None, ..reminder };
    let spans = reading.spans.into_iter().map(|span| v1::Span {
        start: place(span.start),
        end: place(span.end),
        kind: kind(span.kind).into(),
        text: span.text,
    });
    let refused = reading.refused.into_iter();
    v1::ParseTaskResponse {
        title: if reading.has_title { task.title } else { String::new() },
        description: task.description,
        priority: task.priority,
        tags: task.tags,
        due_date: task.due_date,
        due_all_day: task.due_all_day,
        reminders: task.reminders.into_iter().map(unborn).collect(),
        recurrence: task.recurrence.map(|it| v1::Recurrence { id: String::new(), created_at: None, ..it }),
        spans: spans.collect(),
        explanation: reading.explanation,
        refused: refused.map(|it| v1::Refusal { text: it.text, reason: it.reason.to_owned() }).collect(),
    }
}

/// A text is short enough for it.
fn place(offset: usize) -> i32 {
    i32::try_from(offset).unwrap_or(i32::MAX)
}

fn kind(kind: SpanKind) -> v1::SpanKind {
    match kind {
        SpanKind::Due => v1::SpanKind::Due,
        SpanKind::Time => v1::SpanKind::Time,
        SpanKind::Recurrence => v1::SpanKind::Recurrence,
        SpanKind::Reminder => v1::SpanKind::Reminder,
        SpanKind::Priority => v1::SpanKind::Priority,
        SpanKind::Tag => v1::SpanKind::Tag,
        SpanKind::Description => v1::SpanKind::Description,
    }
}
