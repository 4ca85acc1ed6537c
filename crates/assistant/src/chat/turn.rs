//! What an engine is given.

use std::sync::Arc;

use chrono::Weekday;
use prost_types::Struct;
use serde_json::{Map, Value};
use todo_domain::{Clock, Timestamp, ids, zone::Tz};
use todo_language::Context;
use todo_proto::{
    json,
    v1::{self, ToolInvocation, send_message_response::Step},
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};
use tonic::Status;

use crate::{
    call::{Caller, Done, Failure, Tools},
    chat::{Change, Pending, Scene},
    table::{Rpc, Tool},
};

/// How many items of a list are kept with a call.
const KEPT: usize = 50;

/// A message that is to be answered, and the means.
#[expect(missing_debug_implementations, reason = "a channel has nothing to show")]
pub struct Turn {
    /// What was said.
    pub text: String,
    /// When it was said: for a turn that is repeated the same, so that "tomorrow" stays what it was.
    pub now: Timestamp,
    /// The user's zone.
    pub zone: Tz,
    /// The user's first day of the week.
    pub week_start: Weekday,
    /// What was said before, oldest first.
    pub history: Vec<v1::Message>,
    /// What waits for a word of the user's.
    pub pending: Option<Pending>,
    /// What the message may refer to. What is changed here is what the next one may refer to; [`Turn::call`] notes what
    /// it changes.
    pub scene: Scene,
    pub(super) message_id: String,
    pub(super) caller: Caller,
    pub(super) tools: Tools,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) listener: Listener,
    pub(super) calls: Vec<ToolInvocation>,
    pub(super) writes: u32,
    pub(super) said: String,
}

/// Whoever is told of a turn as it goes; it may be gone.
#[derive(Clone)]
pub(super) struct Listener(pub(super) UnboundedSender<Result<v1::SendMessageResponse, Status>>);

impl Listener {
    pub(super) fn tell(&self, step: Step) {
        let event_type = match step {
            Step::Started(_) => "started",
            Step::ToolCall(_) => "tool_call",
            Step::ToolResult(_) => "tool_result",
            Step::Text(_) => "text",
            Step::Done(_) => "done",
        };
        let _ = self.0.send(Ok(v1::SendMessageResponse { event_type: event_type.to_owned(), step: Some(step) }));
    }
}

impl Turn {
    /// What the message is read against.
    #[must_use]
    pub fn context(&self) -> Context {
        Context { week_start: self.week_start, ..Context::new(self.now, self.zone) }
    }

    /// Says more of the answer.
    pub fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.said.push_str(text);
            self.listener.tell(Step::Text(text.to_owned()));
        }
    }

    /// What was said so far.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// The calls that were made so far.
    #[must_use]
    pub fn calls(&self) -> &[ToolInvocation] {
        &self.calls
    }

    /// Calls a tool. It is told, kept with the turn, and noted in the scene; and a turn that is repeated does nothing
    /// twice, because each change has a key that follows from the message and its place in the turn.
    ///
    /// # Errors
    /// The tool's.
    pub async fn call(&mut self, tool: &Tool, arguments: Map<String, Value>) -> Result<Done, Failure> {
        let mut call = ToolInvocation {
            tool_name: tool.name.to_owned(),
            parameters: Some(json::structure(&arguments)),
            invoked_at: Some(timestamp(self.clock.now())),
            sequence: i32::try_from(self.calls.len() + 1).unwrap_or(i32::MAX),
            ..ToolInvocation::default()
        };
        self.listener.tell(Step::ToolCall(call.clone()));
        let begun = Instant::now();
        let done = self.make(tool, arguments).await;
        call.duration_ms = begun.elapsed().as_millis().try_into().unwrap_or(i64::MAX);
        call.success = done.is_ok();
        match &done {
            Ok(done) => {
                self.note(tool, done);
                call.result = done.data.as_object().map(shortened);
            }
            Err(failure) => {
                call.error_code = Some(failure.code.as_str().to_owned());
                call.error_message = Some(failure.message.clone());
            }
        }
        self.listener.tell(Step::ToolResult(call.clone()));
        self.calls.push(call);
        done
    }

    async fn make(&mut self, tool: &Tool, arguments: Map<String, Value>) -> Result<Done, Failure> {
        if tool.read_only {
            return self.tools.call(tool, arguments, &self.caller).await;
        }
        self.writes += 1;
        let key = ids::derived("call", &format!("{}/{}", self.message_id, self.writes)).to_string();
        let mut caller = self.caller.clone();
        caller.metadata.insert("idempotency-key", key.parse().expect("a UUID is ASCII"));
        let id = arguments.get("id").cloned();
        match (self.tools.call(tool, arguments, &caller).await, id) {
            // An earlier try of this turn made the change, and what it was made from has changed by it.
            (Err(failure), Some(id)) if failure.reason.as_deref() == Some("IDEMPOTENCY_CONFLICT") => {
                let read = Tool::named("get_task").expect("it is in the table");
                self.tools.call(read, Map::from_iter([("id".to_owned(), id)]), &self.caller).await
            }
            (done, _) => done,
        }
    }

    /// Notes what a change can be undone by.
    fn note(&mut self, tool: &Tool, done: &Done) {
        if tool.rpc == Rpc::UndoChange {
            return;
        }
        let data = &done.data;
        let revisions: Vec<_> = match data["revisions"].as_array() {
            Some(revisions) => revisions.iter().filter_map(Value::as_i64).collect(),
            None => done.revision.into_iter().collect(),
        };
        if revisions.is_empty() {
            return;
        }
        let tasks = data["tasks"].as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
        self.scene.changed(Change {
            revisions: revisions.iter().map(ToString::to_string).collect(),
            tool: tool.name.to_owned(),
            titles: tasks.iter().filter_map(|task| task["title"].as_str()).map(ToOwned::to_owned).collect(),
        });
    }
}

/// An object whose long lists are cut.
fn shortened(result: &Map<String, Value>) -> Struct {
    let mut result = result.clone();
    for value in result.values_mut() {
        if let Value::Array(items) = value {
            items.truncate(KEPT);
        }
    }
    json::structure(&result)
}

pub(super) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: at.timestamp_subsec_nanos().try_into().expect("below a billion"),
    }
}
