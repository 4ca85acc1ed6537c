//! The one table of tools.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::{MessageDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};
use todo_proto::json;

use crate::{
    call::Code,
    schema::{closed, input, or_null, output},
};

/// What an agent can do to tasks.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// How it is called.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// What a model reads.
    pub description: &'static str,
    /// It changes nothing.
    pub read_only: bool,
    /// It may take something away.
    pub destructive: bool,
    /// The same call again does nothing more.
    pub idempotent: bool,
    /// What it wraps.
    pub rpc: Rpc,
    takes: Takes,
}

/// The rpcs of `TaskService` that tools wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the rpcs")]
pub enum Rpc {
    CreateTask,
    ListTasks,
    GetTask,
    UpdateTask,
    CompleteTask,
    DeleteTask,
    BatchChange,
    UndoChange,
    PreviewOccurrences,
    ListTags,
}

/// How arguments become a request.
#[derive(Clone, Copy, Debug)]
enum Takes {
    /// They are the request, without some fields.
    Request(&'static [&'static str]),
    /// They are a new task.
    Draft,
    /// They are a task's id and new values.
    Patch,
    /// They are the id of a task to reopen.
    Reopen,
    /// They are the request, with new values for all.
    Batch,
}

/// Guarding against changes that come between is left to programs.
const ID_ONLY: Takes = Takes::Request(&["expected_revision"]);

const READ: Tool = Tool {
    name: "",
    title: "",
    description: "",
    read_only: true,
    destructive: false,
    idempotent: true,
    rpc: Rpc::ListTasks,
    takes: Takes::Request(&[]),
};
const WRITE: Tool = Tool { read_only: false, ..READ };

/// Every tool.
pub const TABLE: [Tool; 11] = [
    Tool {
        name: "add_task",
        title: "Add a task",
        description: "Adds a task, with reminders and a recurrence if wanted. Answers with the task as it is kept.",
        rpc: Rpc::CreateTask,
        takes: Takes::Draft,
        idempotent: false,
        ..WRITE
    },
    Tool {
        name: "list_tasks",
        title: "List tasks",
        description: "Lists tasks, newest first unless asked otherwise. Filters combine; without any, all tasks are \
            listed, completed ones too. Long lists come in pages.",
        rpc: Rpc::ListTasks,
        takes: Takes::Request(&["skip_total"]),
        ..READ
    },
    Tool {
        name: "get_task",
        title: "Read a task",
        description: "Reads one task by its id.",
        rpc: Rpc::GetTask,
        ..READ
    },
    Tool {
        name: "update_task",
        title: "Change a task",
        description: "Changes the fields that are given and leaves the others; null clears one. reminders, recurrence \
            and tags replace what was there; moving due_date keeps the recurrence. To complete a task use \
            complete_task.",
        rpc: Rpc::UpdateTask,
        takes: Takes::Patch,
        ..WRITE
    },
    Tool {
        name: "complete_task",
        title: "Complete a task",
        description: "Marks a task as done. One that is done stays so. For several tasks use batch_change.",
        rpc: Rpc::CompleteTask,
        takes: ID_ONLY,
        ..WRITE
    },
    Tool {
        name: "reopen_task",
        title: "Reopen a task",
        description: "Makes a completed task pending again.",
        rpc: Rpc::UpdateTask,
        takes: Takes::Reopen,
        ..WRITE
    },
    Tool {
        name: "delete_task",
        title: "Delete a task",
        description: "Deletes a task with its reminders and recurrence, at once. If there is no such task, nothing \
            happens and deleted is false. undo_change with the revision of the answer brings it back for 7 days.",
        rpc: Rpc::DeleteTask,
        takes: ID_ONLY,
        destructive: true,
        ..WRITE
    },
    Tool {
        name: "list_tags",
        title: "List tags",
        description: "Lists the tags in use, with the number of tasks of each.",
        rpc: Rpc::ListTags,
        ..READ
    },
    Tool {
        name: "undo_change",
        title: "Undo a change",
        description: "Undoes one change of the last 7 days, a deletion included. The change is named by the revision \
            that the task, or the answer of delete_task or batch_change, had after it.",
        rpc: Rpc::UndoChange,
        destructive: true,
        idempotent: false,
        ..WRITE
    },
    Tool {
        name: "batch_change",
        title: "Change many tasks",
        description: "Completes, reopens, deletes or updates up to 500 tasks in two steps. The first call changes \
            nothing: it shows the tasks and gives a confirm_token. Show them to the user; if they agree, call again \
            with the same arguments and the token within 5 minutes. All are changed, or none if one has changed since.",
        rpc: Rpc::BatchChange,
        takes: Takes::Batch,
        destructive: true,
        idempotent: false,
        ..WRITE
    },
    Tool {
        name: "preview_occurrences",
        title: "Preview a recurrence",
        description: "Says when a recurrence would make its next tasks. Stores nothing.",
        rpc: Rpc::PreviewOccurrences,
        ..READ
    },
];

/// A field of a request that is wrong.
pub(crate) type Wrong = (String, &'static str);

impl Tool {
    /// The tool of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        static TOOLS: [Tool; TABLE.len()] = TABLE;
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// What it wraps, as the contract describes it.
    ///
    /// # Panics
    /// If the contract has no such rpc; the tests call this for each.
    #[must_use]
    pub fn method(&self) -> MethodDescriptor {
        let service = json::pool().get_service_by_name("todo.v1.TaskService").expect("the service of tasks");
        let name = format!("{:?}", self.rpc);
        service.methods().find(|method| method.name() == name).expect("a rpc of the service of tasks")
    }

    /// The JSON Schema of its arguments.
    #[must_use]
    pub fn input_schema(&self) -> Value {
        let request = self.method().input();
        match self.takes {
            Takes::Request(without) => input(&request, without, false),
            Takes::Draft => standing(input(&task(), &[], false), &json!(["pending"])),
            Takes::Patch => {
                let mut schema = patch();
                schema["properties"]["id"] = id();
                schema["required"] = json!(["id"]);
                schema
            }
            Takes::Reopen => closed(&Map::from_iter([("id".to_owned(), id())]), &["id".to_owned()]),
            Takes::Batch => {
                let mut schema = input(&request, &["task", "update_mask"], false);
                schema["properties"]["task"] = patch();
                schema["properties"]["task"]["description"] =
                    json!("With action update: the new values, the same for all tasks.");
                schema
            }
        }
    }

    /// The JSON Schema of its result.
    #[must_use]
    pub fn output_schema(&self) -> Value {
        let data = if self.rpc == Rpc::DeleteTask {
            json!({
                "type": "object",
                "properties": {
                    "id": id(),
                    "deleted": { "type": "boolean", "description": "There was such a task." },
                    "revision": {
                        "type": ["integer", "null"],
                        "description": "Names the change for undo_change; null if nothing was deleted.",
                    },
                },
                "required": ["id", "deleted", "revision"],
            })
        } else {
            output(&self.method().output())
        };
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let mut code = or_null(json!({ "type": "string", "enum": codes }));
        code["description"] = json!("What kind of error; null if it was done.");
        json!({
            "type": "object",
            "properties": {
                "success": { "type": "boolean", "description": "It was done." },
                "data": or_null(data),
                "error": {
                    "type": ["string", "null"],
                    "description": "Why it was not done: each field that is wrong and what it takes.",
                },
                "error_code": code,
            },
            "required": ["success", "data", "error", "error_code"],
        })
    }

    /// The request that arguments stand for, as JSON.
    pub(crate) fn request(&self, mut arguments: Map<String, Value>) -> Result<Value, Vec<Wrong>> {
        static KNOWN: LazyLock<HashMap<&str, Value>> =
            LazyLock::new(|| TABLE.iter().map(|tool| (tool.name, tool.input_schema())).collect());
        let known = &KNOWN[self.name]["properties"];
        let unknown = arguments.keys().filter(|name| known.get(name.as_str()).is_none());
        let unknown: Vec<Wrong> = unknown.map(|name| (name.clone(), "unknown field")).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        match self.takes {
            Takes::Request(_) => Ok(Value::Object(arguments)),
            Takes::Draft => {
                day_or_time(&mut arguments);
                Ok(json!({ "task": arguments }))
            }
            Takes::Patch => {
                if arguments.get("status").is_some_and(|status| status == "completed") {
                    return Err(vec![("status".to_owned(), "must be pending or in_progress; use complete_task")]);
                }
                day_or_time(&mut arguments);
                let mask = mask(&arguments);
                Ok(json!({ "task": arguments, "update_mask": mask }))
            }
            Takes::Reopen => {
                arguments.insert("status".to_owned(), json!("pending"));
                Ok(json!({ "task": arguments, "update_mask": "status" }))
            }
            Takes::Batch => {
                if let Some(Value::Object(task)) = arguments.get_mut("task") {
                    day_or_time(task);
                    let mask = mask(task);
                    arguments.insert("update_mask".to_owned(), mask.into());
                }
                Ok(Value::Object(arguments))
            }
        }
    }

    /// What the request calls the message that the arguments are.
    pub(crate) fn prefix(&self) -> &'static str {
        match self.takes {
            Takes::Request(_) | Takes::Batch => "",
            Takes::Draft | Takes::Patch | Takes::Reopen => "task.",
        }
    }
}

fn task() -> MessageDescriptor {
    json::descriptor::<todo_proto::v1::Task>()
}

fn id() -> Value {
    json!({ "type": "string", "description": "UUID of the task." })
}

/// New values of a task. Completing has a tool of its own.
fn patch() -> Value {
    let schema = input(&task(), &["id"], true);
    standing(schema, &json!(["pending", "in_progress", null]))
}

/// Fields of a task that has only these statuses to choose from.
fn standing(mut fields: Value, statuses: &Value) -> Value {
    fields["properties"]["status"]["enum"] = statuses.clone();
    fields["properties"]["status"]["description"] = json!("Where the task stands.");
    fields
}

/// The fields that are given are those that change.
fn mask(values: &Map<String, Value>) -> String {
    values.keys().filter(|name| *name != "id").cloned().collect::<Vec<_>>().join(",")
}

/// A due date without a time means the day, and one with a time means that time, unless it is said.
fn day_or_time(task: &mut Map<String, Value>) {
    let Some(due) = task.get("due_date").and_then(Value::as_str) else { return };
    let day = due.len() == "2026-12-24".len();
    if task.get("due_all_day").is_none_or(Value::is_null) {
        task.insert("due_all_day".to_owned(), day.into());
    }
}
