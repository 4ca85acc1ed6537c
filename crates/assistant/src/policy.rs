//! What every engine keeps to: deletions and changes of many tasks are shown before they are made, and made as they were
//! shown when the next message is a yes and nothing else.

use serde_json::{Map, Value, json};
use todo_language::{IntentType, Request, read_message};

use crate::{
    call::{Code, Done, Failure},
    chat::{Answer, Call, Change, Decision, Named, Outcome, Pending, Turn},
    receipt,
    table::{Rpc, Tool},
    words::{When, and, counted, numbered, one, quoted, text},
};

/// How many tasks may be changed without being shown before.
pub const FEW: usize = 3;
/// How many tasks one question may be about.
pub const MOST: usize = 500;
/// How many tasks of a question are listed.
const LISTED: usize = 10;

/// What is to be done to tasks if the user agrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What is done to each.
    pub act: Act,
    /// The tasks, 1 to [`MOST`].
    pub tasks: Vec<Named>,
}

/// What is done to each of some tasks.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// They are completed.
    Complete,
    /// They are reopened.
    Reopen,
    /// They are deleted.
    Delete,
    /// They get these values, the same for all.
    Update(Map<String, Value>),
    /// Each gets values of its own, which are the arguments of `update_task`, in the order of the tasks.
    UpdateEach(Vec<Map<String, Value>>),
}

impl Act {
    const fn action(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
            Self::Update(_) | Self::UpdateEach(_) => "update",
        }
    }
}

/// Asks whether some changes are to be made. What is given back has to be left with the turn ([`Answer::pending`]): then a
/// yes makes them, all that were shown and no others.
///
/// # Errors
/// The tool's that shows them; then nothing was asked.
pub async fn confirm(turn: &mut Turn, asked: &[Asked]) -> Result<Pending, Failure> {
    let (mut calls, mut tasks, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    for asked in asked {
        let shown = prepare(turn, asked, &mut calls).await?;
        questions.push(question(turn, asked, &shown));
        tasks.extend(asked.tasks.iter().cloned());
    }
    let all = if questions.len() > 1 { "Yes does all of it, no leaves all as it is." } else { "Yes or no?" };
    turn.say(&format!("{}\n{all}", questions.join("\n")));
    Ok(Pending::Calls { calls, tasks })
}

/// The calls that a yes makes, and the titles of the tasks that they are about.
async fn prepare(turn: &mut Turn, asked: &Asked, calls: &mut Vec<Call>) -> Result<Vec<String>, Failure> {
    let known = || asked.tasks.iter().map(|task| task.title.clone()).collect();
    if let Act::UpdateEach(changes) = &asked.act {
        calls.extend(
            changes.iter().map(|arguments| Call { tool: "update_task".to_owned(), arguments: arguments.clone() }),
        );
        return Ok(known());
    }
    if let (Act::Delete, [task]) = (&asked.act, &asked.tasks[..]) {
        calls.push(Call { tool: "delete_task".to_owned(), arguments: one("id", task.id.clone()) });
        return Ok(known());
    }
    let ids: Vec<_> = asked.tasks.iter().map(|task| task.id.as_str()).collect();
    let mut arguments = one("ids", ids);
    arguments.insert("action".to_owned(), asked.act.action().into());
    if let Act::Update(values) = &asked.act {
        arguments.insert("task".to_owned(), values.clone().into());
    }
    let batch = Tool::named("batch_change").expect("it is in the table");
    let shown = turn.call(batch, arguments.clone()).await?.data;
    arguments.insert("confirm_token".to_owned(), shown["confirm_token"].clone());
    calls.push(Call { tool: batch.name.to_owned(), arguments });
    Ok(shown["tasks"].as_array().into_iter().flatten().map(|task| text(&task["title"]).to_owned()).collect())
}

fn question(turn: &Turn, asked: &Asked, titles: &[String]) -> String {
    let quotes: Vec<_> = titles.iter().map(|title| quoted(title)).collect();
    if let (Act::Delete, [title]) = (&asked.act, &quotes[..]) {
        return format!("Delete {title}?");
    }
    let these = match titles.len() {
        1 => "this task".to_owned(),
        many => format!("these {}", counted(i64::try_from(many).unwrap_or(i64::MAX), "task")),
    };
    let lead = match &asked.act {
        Act::Complete => format!("Mark {these} as done?"),
        Act::Reopen => format!("Reopen {these}?"),
        Act::Delete => format!("Delete {these}?"),
        Act::Update(values) => {
            let mut facts = receipt::changed(values, &Value::Object(values.clone()), &When::of(turn));
            facts.extend(values.get("title").map(|title| format!("title {}", quoted(text(title)))));
            format!("Change {these}: {}?", and(facts))
        }
        Act::UpdateEach(changes) => {
            let fields =
                changes.iter().flat_map(Map::keys).filter(|name| !matches!(name.as_str(), "id" | "due_all_day"));
            let mut fields: Vec<_> = fields.map(|name| name.replace('_', " ")).collect();
            fields.sort_unstable();
            fields.dedup();
            format!("Change the {} of {these}?", and(fields))
        }
    };
    format!("{lead}\n{}", numbered(&quotes, LISTED, quotes.len()))
}

/// Takes the last change of the conversation back, of all tasks that it was about, the last one first: the change, and what
/// came of each. `None` if there is none. Where the tasks could not be reached, what is left of it can be asked for again.
pub(crate) async fn undo(turn: &mut Turn) -> Option<(Change, Vec<Result<Done, Failure>>)> {
    let change = turn.scene.changes.pop()?;
    let mut revisions: Vec<i64> = change.revisions.iter().filter_map(|revision| revision.parse().ok()).collect();
    revisions.sort_unstable();
    let tool = Tool::named("undo_change").expect("it is in the table");
    let mut came = Vec::new();
    while let Some(revision) = revisions.pop() {
        let done = turn.call(tool, one("revision", revision)).await;
        let is_away = matches!(&done, Err(failure) if failure.code == Code::DatabaseError);
        came.push(done);
        if is_away {
            revisions.push(revision);
            let revisions = revisions.iter().map(ToString::to_string).collect();
            turn.scene.changes.push(Change { revisions, ..change.clone() });
            break;
        }
    }
    Some((change, came))
}

/// Settles what waits for a yes: on a yes it is done, on a no it is given up, and so it is on any other message, which is
/// then still to be answered.
pub async fn settle(turn: &mut Turn) -> Option<Answer> {
    let Some(Pending::Calls { calls, tasks }) =
        turn.pending.take_if(|pending| matches!(pending, Pending::Calls { .. }))
    else {
        return None;
    };
    let read = read_message(&turn.text, &turn.context());
    let adds = calls.iter().all(|call| call.tool == "add_task");
    match read.first().map(|intent| &intent.request) {
        Some(Request::Yes) => Some(execute(turn, calls, &tasks).await),
        Some(Request::No) => {
            let left = if adds { "I added nothing.".to_owned() } else { left(&tasks) };
            turn.say(&format!("Okay. {left}"));
            let outcome = Outcome::ResponseGiven;
            Some(settled(IntentType::ConfirmNo, Decision::CancelPending, outcome, &calls))
        }
        _ => {
            // Who goes on without an answer is told only of what may be taken as done.
            if !adds {
                turn.say(&format!("({})\n\n", left(&tasks)));
            }
            None
        }
    }
}

/// Makes the calls that a yes was said to.
async fn execute(turn: &mut Turn, calls: Vec<Call>, tasks: &[Named]) -> Answer {
    let when = When::of(turn);
    let before = turn.scene.changes.last().cloned();
    let mut outcome = Outcome::TaskCompleted;
    let mut said = Vec::new();
    for call in &calls {
        let Some(tool) = Tool::named(&call.tool) else { continue };
        match turn.call(tool, call.arguments.clone()).await {
            Ok(done) => {
                said.push(receipt::of(tool, &call.arguments, &done, tasks, &when));
                match tool.rpc {
                    Rpc::CreateTask => turn.scene.touched = Named::of(&done.data).into_iter().collect(),
                    Rpc::DeleteTask => turn.scene.forget(tasks),
                    Rpc::BatchChange if call.arguments.get("action").is_some_and(|action| action == "delete") => {
                        turn.scene.forget(tasks);
                    }
                    _ => turn.scene.touched = tasks.to_vec(),
                }
            }
            Err(failure) => {
                said.push(receipt::failed(&failure));
                outcome = outcome.worse(receipt::outcome(&failure));
                if failure.code == Code::AccessDenied {
                    break;
                }
            }
        }
    }
    turn.scene.join_changes(before.as_ref());
    turn.say(&said.join("\n"));
    settled(IntentType::ConfirmYes, Decision::ExecutePending, outcome, &calls)
}

fn settled(intent: IntentType, decision: Decision, outcome: Outcome, calls: &[Call]) -> Answer {
    let tools: Vec<_> = calls.iter().map(|call| call.tool.as_str()).collect();
    let params = Map::from_iter([("pending".to_owned(), json!(tools))]);
    Answer { intent, confidence: 1.0, params, decision, outcome, pending: None }
}

fn left(tasks: &[Named]) -> String {
    match tasks {
        [task] => format!("I left {} as it is.", quoted(&task.title)),
        tasks => {
            format!("I left those {} as they are.", counted(i64::try_from(tasks.len()).unwrap_or(i64::MAX), "task"))
        }
    }
}
