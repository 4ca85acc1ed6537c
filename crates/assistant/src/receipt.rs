//! What was done, in words. They are made from what a tool answered, never from what was asked for, so that they are true.

use serde_json::{Map, Value};

use crate::{
    call::{Code, Done, Failure},
    chat::{Named, Outcome},
    table::{Rpc, Tool},
    words::{When, and, counted, excerpt, has_own_times, moment, numbered, priority, quoted, tags, text, titled},
};

/// How many tasks of a list are shown.
pub const SHOWN: usize = 20;
/// How many tasks are named where many were changed.
const NAMED: usize = 10;

/// What a call did: "Added “Pay rent”: every month on the 1st at 9:00 AM, first on Tue, Dec 1; #home, high; reminder 1 hour
/// before." `known` are tasks by their names, for results that have none.
#[must_use]
pub fn of(tool: &Tool, arguments: &Map<String, Value>, done: &Done, known: &[Named], when: &When) -> String {
    let data = &done.data;
    let argument = |name: &str| arguments.get(name).map_or("", text);
    match tool.rpc {
        Rpc::CreateTask => sentence(&format!("Added {}", titled(data)), &facts(data, when)),
        Rpc::CompleteTask => completed(data, done.revision.is_some(), when),
        Rpc::UpdateTask if tool.name == "reopen_task" => {
            let words = if done.revision.is_some() { "is open again" } else { "is open already" };
            format!("{} {words}.", titled(data))
        }
        Rpc::UpdateTask => updated(arguments, data, done.revision.is_some(), when),
        Rpc::DeleteTask => {
            let id = argument("id");
            let name =
                known.iter().find(|task| task.id == id).map_or("The task".to_owned(), |task| quoted(&task.title));
            if data["deleted"] == true { format!("Deleted {name}.") } else { format!("{name} was gone already.") }
        }
        Rpc::UndoChange => undone(None, &[], data, when),
        Rpc::BatchChange => batch(argument("action"), arguments, data, when),
        Rpc::ListTasks => {
            let tasks = data["tasks"].as_array().map_or(&[][..], Vec::as_slice);
            let total = data["total"].as_u64().and_then(|total| usize::try_from(total).ok()).unwrap_or(tasks.len());
            list(tasks, total, when)
        }
        Rpc::GetTask => detailed(data, when),
        Rpc::ListTags => {
            let tags = data["tags"].as_array().into_iter().flatten();
            let lines: Vec<_> = tags
                .map(|tag| format!("#{} ({})", text(&tag["tag"]), tag["count"].as_i64().unwrap_or_default()))
                .collect();
            if lines.is_empty() { "There are no tags.".to_owned() } else { format!("Tags: {}.", lines.join(", ")) }
        }
        Rpc::PreviewOccurrences => {
            let slots = data["occurrences"].as_array().into_iter().flatten().filter_map(moment);
            let slots: Vec<_> = slots.map(|at| when.moment(at)).collect();
            if slots.is_empty() { "It never comes.".to_owned() } else { format!("It comes on {}.", and(slots)) }
        }
    }
}

/// Why a call did not do it, as a sentence without ids.
#[must_use]
pub fn failed(failure: &Failure) -> String {
    match (failure.code, failure.reason.as_deref()) {
        (Code::AccessDenied, _) => {
            "I am not allowed to do that: the token that is used here does not permit it.".to_owned()
        }
        (Code::NotFound, Some("CHANGE_NOT_FOUND")) => "That change can no longer be undone.".to_owned(),
        (Code::NotFound, _) => "That task is not there any more.".to_owned(),
        (Code::ValidationError, Some("REVISION_CONFLICT")) => {
            "Something was changed in the meantime, so I changed nothing. Please ask again.".to_owned()
        }
        (Code::ValidationError, _) => format!("That is not possible: {}.", failure.message.trim_end_matches('.')),
        (Code::DatabaseError, _) => format!("That did not work: {}.", failure.message.trim_end_matches('.')),
    }
}

/// What a failed call makes of a turn.
#[must_use]
pub const fn outcome(failure: &Failure) -> Outcome {
    match failure.code {
        Code::AccessDenied => Outcome::MissingPermission,
        Code::ValidationError | Code::NotFound => Outcome::UserInput,
        Code::DatabaseError => Outcome::ToolInvocation,
    }
}

/// Some tasks as a numbered list, and how many more there are.
#[must_use]
pub fn list(tasks: &[Value], total: usize, when: &When) -> String {
    let lines: Vec<_> = tasks.iter().take(SHOWN).map(|task| when.line(task)).collect();
    numbered(&lines, SHOWN, total)
}

/// All there is to say of a task.
#[must_use]
pub fn detailed(task: &Value, when: &When) -> String {
    let mut lines = vec![match text(&task["status"]) {
        "completed" => match moment(&task["completed_at"]) {
            Some(at) => format!("done on {}", when.moment(at)),
            None => "done".to_owned(),
        },
        "in_progress" => "in progress".to_owned(),
        _ => "open".to_owned(),
    }];
    lines.extend(when.due(task).map(|due| format!("{} {due}", if when.is_overdue(task) { "was due" } else { "due" })));
    if let Some(repeats) = when.repeats(task) {
        let next = moment(&task["recurrence"]["next_occurrence"]).map(|at| format!("; next on {}", when.day(at)));
        lines.push(format!("repeats {repeats}{}", next.unwrap_or_default()));
    }
    lines.extend(priority(task).map(|priority| format!("{priority} priority")));
    lines.extend(tags(task));
    lines.extend(when.reminders(task));
    lines.extend(Some(excerpt(text(&task["description"]))).filter(|description| !description.is_empty()));
    let lines: Vec<_> = lines.iter().map(|line| format!("- {line}")).collect();
    format!("{}\n{}", titled(task), lines.join("\n"))
}

/// What was undone. What made the change, and of which tasks, may be known.
#[must_use]
pub fn undone(tool: Option<&str>, titles: &[String], data: &Value, when: &When) -> String {
    let task = &data["task"];
    if task.is_null() {
        let name = if let [title] = titles { quoted(title) } else { "the task".to_owned() };
        return format!("Undone: {name} is gone again.");
    }
    let name = titled(task);
    match tool {
        Some("delete_task") => sentence(&format!("Undone: {name} is back"), &facts(task, when)),
        Some("complete_task") if task["status"] != "completed" => format!("Undone: {name} is open again."),
        Some("reopen_task") if task["status"] == "completed" => format!("Undone: {name} is done again."),
        _ => sentence(&format!("Undone: {name} is as it was before"), &facts(task, when)),
    }
}

fn completed(task: &Value, now: bool, when: &When) -> String {
    let mut words =
        if now { format!("Done: {}.", titled(task)) } else { format!("{} was done already.", titled(task)) };
    if let Some(at) = moment(&task["recurrence"]["next_occurrence"]).filter(|_| now) {
        words = format!("{words} It comes again on {}.", when.day(at));
    }
    words
}

fn updated(arguments: &Map<String, Value>, task: &Value, now: bool, when: &When) -> String {
    let name = titled(task);
    let lead = match (now, arguments.contains_key("title")) {
        (true, true) => format!("Renamed to {name}"),
        (true, false) => format!("Changed {name}"),
        (false, _) => format!("{name} is so already"),
    };
    sentence(&lead, &changed(arguments, task, when))
}

/// The fields that were asked for, as they are now.
pub(crate) fn changed(arguments: &Map<String, Value>, task: &Value, when: &When) -> Vec<String> {
    let mut facts = Vec::new();
    let has = |name: &str| arguments.contains_key(name);
    if has("status") {
        facts.push(if task["status"] == "in_progress" { "in progress" } else { "not started" }.to_owned());
    }
    if has("due_date") || has("due_all_day") {
        facts.push(when.due(task).map_or("no due date".to_owned(), |due| format!("due {due}")));
    }
    if has("recurrence") {
        facts.push(when.repeats(task).map_or("does not repeat".to_owned(), |words| format!("repeats {words}")));
    }
    if has("priority") {
        facts.push(format!("{} priority", text(&task["priority"])));
    }
    if has("tags") {
        facts.push(tags(task).unwrap_or("no tags".to_owned()));
    }
    if has("reminders") {
        facts.push(when.reminders(task).unwrap_or("no reminders".to_owned()));
    }
    if has("description") {
        facts.push(match text(&task["description"]) {
            "" => "no description".to_owned(),
            description => format!("description {}", quoted(&excerpt(description))),
        });
    }
    facts
}

fn batch(action: &str, arguments: &Map<String, Value>, data: &Value, when: &When) -> String {
    let tasks = data["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let count = counted(i64::try_from(tasks.len()).unwrap_or(i64::MAX), "task");
    let lines: Vec<_> = tasks.iter().take(NAMED).map(titled).collect();
    let names = numbered(&lines, NAMED, tasks.len());
    if data["confirm_token"].is_string() {
        return format!("Nothing is changed yet; these are the {count}:\n{names}");
    }
    let lead = match action {
        "complete" => format!("Done: {count}."),
        "reopen" => format!("Open again: {count}."),
        "delete" => format!("Deleted {count}."),
        _ => {
            let fields = arguments.get("task").and_then(Value::as_object).cloned().unwrap_or_default();
            sentence(
                &format!("Changed {count}"),
                &tasks.first().map(|task| changed(&fields, task, when)).unwrap_or_default(),
            )
        }
    };
    format!("{lead}\n{names}")
}

/// What there is to say of a new task besides its title.
fn facts(task: &Value, when: &When) -> Vec<String> {
    let due = when.due(task);
    let mut facts = Vec::new();
    match when.repeats(task) {
        Some(repeats) => facts.push(match moment(&task["due_date"]) {
            Some(at) if has_own_times(task) => format!("{repeats}, first on {}", when.moment(at)),
            Some(at) => format!("{repeats}, first on {}", when.day(at)),
            None => repeats,
        }),
        None => facts.extend(due.map(|due| format!("due {due}"))),
    }
    if task["status"] == "in_progress" {
        facts.push("in progress".to_owned());
    }
    let marks: Vec<_> = tags(task).into_iter().chain(priority(task)).collect();
    if !marks.is_empty() {
        facts.push(marks.join(", "));
    }
    facts.extend(when.reminders(task));
    let description = text(&task["description"]);
    if !description.is_empty() {
        facts.push(format!("description {}", quoted(&excerpt(description))));
    }
    facts
}

fn sentence(lead: &str, facts: &[String]) -> String {
    if facts.is_empty() { format!("{lead}.") } else { format!("{lead}: {}.", facts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use todo_domain::zone::Tz;

    use super::*;

    const WHEN: fn() -> When =
        || When { now: "2026-11-21T12:00:00Z".parse().expect("a time"), zone: Tz::America__New_York };

    fn said(tool: &str, arguments: &Value, data: Value, changed: bool) -> String {
        let done = Done { data, revision: changed.then_some(7) };
        let known = [Named { id: "1".to_owned(), title: "Pay rent".to_owned() }];
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        of(Tool::named(tool).expect("a tool"), &arguments, &done, &known, &WHEN())
    }

    fn rent() -> Value {
        json!({
            "id": "1", "title": "Pay rent", "status": "pending", "priority": "high", "tags": ["home"], "description": "",
            "due_date": "2026-12-01T14:00:00Z", "due_all_day": false,
            "reminders": [{ "trigger_at": "2026-12-01T13:00:00Z", "before_due_seconds": 3600 }],
            "recurrence": { "recurrence_type": "rrule", "rrule": "FREQ=MONTHLY;BYMONTHDAY=1", "anchor": "schedule" },
        })
    }

    #[test]
    fn a_new_task_is_said_as_it_was_kept() {
        assert_eq!(
            said("add_task", &json!({}), rent(), true),
            "Added “Pay rent”: every month on the 1st at 9:00 AM, first on Tue, Dec 1; #home, high; reminder 1 hour before."
        );
        let bare = json!({ "title": "Milk", "priority": "medium", "tags": [] });
        assert_eq!(said("add_task", &json!({ "title": "Beer" }), bare, true), "Added “Milk”.");
        let day =
            json!({ "title": "Milk", "due_date": "2027-01-05T05:00:00Z", "due_all_day": true, "description": "2 l" });
        assert_eq!(said("add_task", &json!({}), day, true), "Added “Milk”: due Tue, Jan 5, 2027; description “2 l”.");
    }

    #[test]
    fn what_changed_nothing_is_not_said_to_have_been_done() {
        assert_eq!(said("complete_task", &json!({}), rent(), true), "Done: “Pay rent”.");
        assert_eq!(said("complete_task", &json!({}), rent(), false), "“Pay rent” was done already.");
        assert_eq!(said("reopen_task", &json!({}), rent(), false), "“Pay rent” is open already.");
        let urgent = json!({ "id": "1", "priority": "high" });
        assert_eq!(said("update_task", &urgent, rent(), true), "Changed “Pay rent”: high priority.");
        assert_eq!(said("update_task", &urgent, rent(), false), "“Pay rent” is so already: high priority.");
        let gone = |deleted: bool| said("delete_task", &json!({ "id": "1" }), json!({ "deleted": deleted }), deleted);
        assert_eq!((&*gone(true), &*gone(false)), ("Deleted “Pay rent”.", "“Pay rent” was gone already."));
        let preview = json!({ "tasks": [rent()], "confirm_token": "x" });
        assert!(
            said("batch_change", &json!({ "action": "delete" }), preview, false).starts_with("Nothing is changed yet")
        );
    }

    #[test]
    fn what_is_said_of_an_update_is_what_came_of_it() {
        let asked = json!({ "id": "1", "tags": [], "due_date": "2026-12-24", "recurrence": null, "reminders": [] });
        assert_eq!(
            said("update_task", &asked, rent(), true),
            "Changed “Pay rent”: due Tue, Dec 1 at 9:00 AM; repeats every month on the 1st at 9:00 AM; #home; \
             reminder 1 hour before."
        );
    }

    #[test]
    fn an_undo_says_what_is_so_again() {
        let undone = |tool: &str| undone(Some(tool), &[], &json!({ "task": rent() }), &WHEN());
        assert!(undone("delete_task").starts_with("Undone: “Pay rent” is back: every month"));
        assert_eq!(undone("complete_task"), "Undone: “Pay rent” is open again.");
        assert!(undone("update_task").starts_with("Undone: “Pay rent” is as it was before: every month"));
        assert_eq!(
            super::undone(Some("add_task"), &[], &json!({ "task": null }), &WHEN()),
            "Undone: the task is gone again."
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let tasks = vec![rent(); 30];
        let list = list(&tasks, 45, &WHEN());
        assert!(list.starts_with("1. Pay rent (due Tue, Dec 1 at 9:00 AM, high, #home)\n2. "));
        assert!(list.ends_with("20. Pay rent (due Tue, Dec 1 at 9:00 AM, high, #home)\nand 25 more"));
    }

    #[test]
    fn no_failure_shows_ids_or_is_taken_for_success() {
        for code in Code::ALL {
            let message = "task 0190-11 is not there".to_owned();
            let failure = Failure { code, message, reason: Some("TASK_NOT_FOUND".to_owned()) };
            let words = failed(&failure);
            assert!(!words.contains("Done") & (code != Code::NotFound || !words.contains("0190")), "{words}");
        }
    }
}
