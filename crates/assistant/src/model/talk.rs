//! A turn: the model answers and asks for tools, round after round, within what the policy allows.

use std::time::Duration;

use serde_json::{Map, Value, json};
use todo_language::{IntentType, Request, read_message};
use tokio::time::Instant;

use super::{
    Model,
    claim::{Did, Kind},
    client::Unavailable,
    history,
    reply::{self, Reply},
    tools::{self, Handles, refused},
    voice::Voice,
};
use crate::{
    call::{Done, Failure},
    chat::{Answer, Decision, Named, Outcome, Turn},
    policy::{self, Act, Asked},
    receipt,
    table::{Rpc, Tool},
    words::When,
};

/// How long a turn may take; it has 110 seconds, and something is to be said at the end.
const BUDGET: Duration = Duration::from_secs(100);
/// How many calls of tools a turn has at most.
const CALLS: usize = 40;

/// A turn of the model's.
pub(super) struct Talk<'a> {
    model: &'a Model,
    turn: &'a mut Turn,
    handles: Handles,
    voice: Voice,
    /// What was changed.
    did: Vec<Did>,
    /// The tasks that were.
    touched: Vec<Named>,
    /// What is to be asked before it is done.
    waits: Vec<Asked>,
    /// What the calls were for, in order.
    wanted: Vec<Rpc>,
    /// The last change that failed.
    failure: Option<Failure>,
    /// An earlier try of this turn made other changes, and no more are made.
    closed: bool,
}

/// How the model's part of a turn ended.
enum End {
    Said,
    /// It would have gone on.
    Rounds,
    Failed,
}

impl<'a> Talk<'a> {
    pub(super) fn new(model: &'a Model, turn: &'a mut Turn) -> Self {
        let (handles, voice) = Default::default();
        let (did, touched, waits, wanted) = Default::default();
        Self { model, turn, handles, voice, did, touched, waits, wanted, failure: None, closed: false }
    }

    /// `None` where the provider failed and nothing was changed: then another engine can answer.
    pub(super) async fn run(mut self) -> Option<Answer> {
        let rounds = self.model.options.rounds;
        let budget = Instant::now() + BUDGET;
        let mut messages = history::messages(self.turn, &mut self.handles);
        for round in 0..=rounds {
            let mut reply = match self.ask(&messages, round == rounds, budget).await {
                Ok(reply) => reply,
                Err(Unavailable(error)) => {
                    tracing::warn!(error, round, "the language model failed");
                    let untouched = self.did.is_empty() && self.failure.is_none();
                    return if untouched { None } else { Some(self.answer(&End::Failed)) };
                }
            };
            if reply.calls.is_empty() {
                break;
            }
            if round == rounds {
                return Some(self.answer(&End::Rounds));
            }
            reply.name_calls(round);
            messages.push(reply.message());
            for call in &reply.calls {
                let told = self.call(call).await.unwrap_or_else(|why| refused(&why));
                messages.push(json!({ "role": "tool", "tool_call_id": call.id, "content": told }));
            }
            if !self.waits.is_empty() {
                return Some(self.confirm().await);
            }
        }
        Some(self.answer(&End::Said))
    }

    /// One call of the model, which says what it says.
    async fn ask(&mut self, messages: &[Value], last: bool, budget: Instant) -> Result<Reply, Unavailable> {
        let options = &self.model.options;
        let body = json!({
            "model": options.model,
            "messages": messages,
            "tools": *tools::DEFINITIONS,
            "tool_choice": if last { "none" } else { "auto" },
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "stream": true,
        });
        let deadline = budget.min(Instant::now() + options.timeout);
        let (voice, turn, handles, did) = (&mut self.voice, &mut *self.turn, &self.handles, &self.did);
        let reply = self.model.client.ask(&body, deadline, |text| voice.hear(text, turn, handles, did)).await;
        self.voice.end(self.turn, &self.handles, &self.did);
        reply
    }

    /// Makes a call, or says why not; gives what the model is told.
    async fn call(&mut self, asked: &reply::Asked) -> Result<String, String> {
        let Some(tool) = Tool::named(&asked.name) else { return Err("there is no such function".to_owned()) };
        if self.wanted.len() >= CALLS {
            return Err("these are too many calls for one message".to_owned());
        }
        if self.closed && !tool.read_only {
            return Err("this message has changed things before; nothing more is changed".to_owned());
        }
        self.wanted.push(tool.rpc);
        let mut arguments = tools::arguments(&asked.arguments)?;
        match tool.rpc {
            Rpc::DeleteTask => {
                let tasks = self.handles.tasks(arguments.get("id").unwrap_or(&Value::Null))?;
                return Ok(self.wait(Act::Delete, tasks));
            }
            Rpc::BatchChange => {
                let act = act(&mut arguments)?;
                self.wanted.pop();
                self.wanted.push(match act {
                    Act::Complete => Rpc::CompleteTask,
                    Act::Delete => Rpc::DeleteTask,
                    _ => Rpc::UpdateTask,
                });
                let tasks = self.handles.tasks(arguments.get("ids").unwrap_or(&Value::Null))?;
                return Ok(self.wait(act, tasks));
            }
            Rpc::UndoChange => return self.undo(tool).await,
            Rpc::ListTasks => tools::page(&mut arguments),
            Rpc::CreateTask => {
                arguments.remove("id");
            }
            _ => {}
        }
        if let Some(handle) = arguments.get("id") {
            let task = self.handles.tasks(handle)?.remove(0);
            let known = self.touched.iter().any(|touched| touched.id == task.id);
            if !tool.read_only && !known && self.touched.len() >= policy::FEW {
                return Err("these are too many tasks to change unasked; use batch_change for the others".to_owned());
            }
            arguments.insert("id".to_owned(), task.id.into());
        }
        let done = self.turn.call(tool, arguments.clone()).await;
        self.note(tool, &arguments, &done);
        Ok(self.handles.told(tool, &done, self.turn.zone))
    }

    /// Leaves something to be asked at the end of the round; what is done to the same end is asked at once.
    fn wait(&mut self, act: Act, tasks: Vec<Named>) -> String {
        match self.waits.iter_mut().find(|asked| asked.act == act) {
            Some(asked) => {
                let new = |task: &Named| asked.tasks.iter().all(|known| known.id != task.id);
                let tasks: Vec<_> = tasks.into_iter().filter(new).collect();
                asked.tasks.extend(tasks);
            }
            None => self.waits.push(Asked { act, tasks }),
        }
        refused("the person is asked first")
    }

    /// Undoes the last change, if the person says so: a deletion by the back door it is not.
    async fn undo(&mut self, tool: &Tool) -> Result<String, String> {
        let read = read_message(&self.turn.text, &self.turn.context());
        if !read.iter().any(|intent| intent.request == Request::Undo) {
            return Err("the person has not asked for it; they can say: undo".to_owned());
        }
        let Some((change, came)) = policy::undo(self.turn).await else {
            return Err("there is nothing to undo in this conversation".to_owned());
        };
        let mut told = String::new();
        for done in came {
            told = self.handles.told(tool, &done, self.turn.zone);
            match done {
                Ok(Done { data, .. }) => {
                    let words = receipt::undone(Some(&change.tool), &change.titles, &data, &When::of(self.turn));
                    self.voice.receipt(&words, self.turn);
                    self.did.push(Did { kind: Kind::Undone, titles: change.titles.clone() });
                    self.touched.extend(Named::of(&data["task"]));
                }
                Err(failure) => self.failure = Some(failure),
            }
        }
        Ok(told)
    }

    /// Notes what a call changed, and says it.
    fn note(&mut self, tool: &Tool, arguments: &Map<String, Value>, done: &Result<Done, Failure>) {
        let kind = match tool.name {
            "add_task" => Kind::Added,
            "complete_task" => Kind::Completed,
            "reopen_task" => Kind::Reopened,
            "update_task" => Kind::Changed,
            _ => return,
        };
        match done {
            Ok(done) => {
                let named: Vec<_> = self.handles.named().cloned().collect();
                let words = receipt::of(tool, arguments, done, &named, &When::of(self.turn));
                let task = Named::of(&done.data);
                if done.revision.is_some() {
                    let before = named.iter().filter(|named| task.as_ref().is_some_and(|task| task.id == named.id));
                    let titles = before.chain(&task).map(|task| task.title.clone()).collect();
                    self.did.push(Did { kind, titles });
                }
                let known = |task: &Named| self.touched.iter().any(|touched| touched.id == task.id);
                self.touched.extend(task.filter(|task| tool.rpc != Rpc::CreateTask && !known(task)));
                self.failure = None;
                self.voice.receipt(&words, self.turn);
            }
            Err(failure) => {
                // Another change in its place would be one too many.
                self.closed = failure.reason.as_deref() == Some("IDEMPOTENCY_CONFLICT");
                self.failure = Some(failure.clone());
            }
        }
    }

    /// Ends the turn with the question whether to do what waits.
    async fn confirm(&mut self) -> Answer {
        self.voice.paragraph(self.turn);
        let waits = std::mem::take(&mut self.waits);
        let mut answer = match policy::confirm(self.turn, &waits).await {
            Ok(pending) => {
                self.touched = waits.into_iter().flat_map(|asked| asked.tasks).collect();
                let (decision, outcome) = (Decision::RequestConfirmation, Outcome::ResponseGiven);
                Answer { pending: Some(pending), ..self.record(decision, outcome) }
            }
            Err(failure) => {
                self.voice.receipt(&receipt::failed(&failure), self.turn);
                self.record(Decision::InvokeTool, receipt::outcome(&failure))
            }
        };
        answer.confidence = 1.0;
        self.remember();
        answer
    }

    /// Ends the turn with what the model leaves open, said plainly.
    fn answer(&mut self, end: &End) -> Answer {
        let sum = if self.did.is_empty() { "I changed nothing." } else { "That is all I changed." };
        let mut last = match end {
            End::Failed => format!("The language model is not available any more, so I could not go on. {sum}"),
            End::Rounds => format!("I stopped there, because it took too many steps. {sum}"),
            End::Said if self.voice.doubtful => sum.to_owned(),
            End::Said if self.voice.spoke || !self.did.is_empty() => String::new(),
            End::Said if self.voice.leaked => "That I keep to myself. I can help you with your tasks.".to_owned(),
            End::Said => format!("I have no answer to that. {sum}"),
        };
        if let Some(failure) = self.failure.as_ref().filter(|_| !last.is_empty()) {
            last = format!("{} {last}", receipt::failed(failure));
        }
        if !last.is_empty() {
            self.voice.paragraph(self.turn);
            self.turn.say(&last);
        }
        let failed = self.failure.as_ref().map(receipt::outcome);
        let (decision, outcome) = match end {
            End::Failed | End::Rounds => (Decision::InvokeTool, Outcome::ResponseGeneration),
            End::Said => self.came_of_it(failed),
        };
        self.remember();
        self.record(decision, outcome)
    }

    fn came_of_it(&self, failed: Option<Outcome>) -> (Decision, Outcome) {
        let asks = self.turn.said().trim_end().ends_with('?');
        match (failed, self.wanted.is_empty()) {
            (Some(outcome), _) => (Decision::InvokeTool, outcome),
            (None, _) if !self.did.is_empty() => (Decision::InvokeTool, Outcome::TaskCompleted),
            (None, false) if asks => (Decision::AskClarification, Outcome::MultipleMatches),
            (None, false) => (Decision::InvokeTool, Outcome::ResponseGiven),
            (None, true) => match self.read().map(|(request, _)| request) {
                Some(Request::OutOfScope) => (Decision::RespondOnly, Outcome::OutOfScope),
                Some(Request::Chat(_)) => (Decision::RespondOnly, Outcome::ResponseGiven),
                _ if asks => (Decision::AskClarification, Outcome::UnclearIntent),
                _ => (Decision::RespondOnly, Outcome::ResponseGiven),
            },
        }
    }

    /// The decision as it is kept: the intent is what tools were called for, and certain; without any it is talk, as sure
    /// as the grammar's reading.
    fn record(&self, decision: Decision, outcome: Outcome) -> Answer {
        let asked =
            if decision == Decision::AskClarification { IntentType::Ambiguous } else { IntentType::GeneralChat };
        let called = intent(&self.wanted);
        let confidence = if called.is_some() { 1.0 } else { self.read().map_or(0.0, |(_, confidence)| confidence) };
        let tools: Vec<_> = self.turn.calls().iter().map(|call| call.tool_name.as_str()).collect();
        Answer {
            intent: called.unwrap_or(asked),
            confidence,
            params: Map::from_iter([("tools".to_owned(), json!(tools))]),
            decision,
            outcome,
            pending: None,
        }
    }

    /// The first thing that the grammar reads out of the message, and how sure that is.
    fn read(&self) -> Option<(Request, f64)> {
        let read = read_message(&self.turn.text, &self.turn.context());
        read.into_iter().next().map(|intent| (intent.request, intent.evidence.confidence()))
    }

    /// What the next message may refer to: the list as it was shown, and the tasks that were changed or named.
    fn remember(&mut self) {
        let said = self.turn.said();
        let place = |task: &&Named| said.find(task.title.as_str());
        let mut shown: Vec<_> = self.handles.named().filter(|task| place(task).is_some()).cloned().collect();
        shown.sort_by_key(|task| place(&task));
        if self.wanted.contains(&Rpc::ListTasks) && self.touched.is_empty() && !shown.is_empty() {
            self.turn.scene.listed.clone_from(&shown);
        }
        let touched = if self.touched.is_empty() { shown } else { std::mem::take(&mut self.touched) };
        if !touched.is_empty() {
            self.turn.scene.touched = touched;
        }
    }
}

/// What a batch does to each task. The model's token is nothing: the set is shown first, and the token is ours.
fn act(arguments: &mut Map<String, Value>) -> Result<Act, String> {
    match arguments.get("action").and_then(Value::as_str) {
        Some("complete") => Ok(Act::Complete),
        Some("reopen") => Ok(Act::Reopen),
        Some("delete") => Ok(Act::Delete),
        Some("update") => match arguments.remove("task") {
            Some(Value::Object(values)) => Ok(Act::Update(values)),
            _ => Err("action update takes the new values in task".to_owned()),
        },
        _ => Err("action must be complete, reopen, delete or update".to_owned()),
    }
}

/// What the calls were for. Reading before a change looks the task up; a list after it was asked for.
fn intent(wanted: &[Rpc]) -> Option<IntentType> {
    let kind = |rpc: Rpc| match rpc {
        Rpc::CreateTask => IntentType::CreateTask,
        Rpc::CompleteTask => IntentType::CompleteTask,
        Rpc::DeleteTask => IntentType::DeleteTask,
        Rpc::UpdateTask | Rpc::UndoChange | Rpc::BatchChange => IntentType::UpdateTask,
        Rpc::ListTasks | Rpc::GetTask | Rpc::PreviewOccurrences | Rpc::ListTags => IntentType::ListTasks,
    };
    let change = wanted.iter().rposition(|rpc| kind(*rpc) != IntentType::ListTasks);
    let counts = |(place, rpc): &(usize, &Rpc)| match change {
        Some(change) => kind(**rpc) != IntentType::ListTasks || *place > change && **rpc == Rpc::ListTasks,
        None => true,
    };
    let mut kinds = wanted.iter().enumerate().filter(counts).map(|(_, rpc)| kind(*rpc));
    let first = kinds.next()?;
    Some(if kinds.all(|kind| kind == first) { first } else { IntentType::MultiIntent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intent_is_what_tools_were_called_for() {
        use IntentType::{CompleteTask, CreateTask, ListTasks, MultiIntent};
        let cases: [(&[Rpc], Option<IntentType>); 6] = [
            (&[], None),
            (&[Rpc::ListTasks, Rpc::GetTask], Some(ListTasks)),
            (&[Rpc::ListTasks, Rpc::CompleteTask], Some(CompleteTask)),
            (&[Rpc::CreateTask, Rpc::CreateTask], Some(CreateTask)),
            (&[Rpc::CreateTask, Rpc::ListTasks], Some(MultiIntent)),
            (&[Rpc::CreateTask, Rpc::CompleteTask], Some(MultiIntent)),
        ];
        for (wanted, expected) in cases {
            assert_eq!(intent(wanted), expected, "{wanted:?}");
        }
    }
}
