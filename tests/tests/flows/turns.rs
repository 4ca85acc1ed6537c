//! Turns of the chat, whoever answers them: told, kept, taken up.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use futures::StreamExt as _;
use serde_json::{Map, Value, json};
use todo_assistant::{
    Tool,
    chat::{self, Answer, Decision, Engine, Outcome, Turn},
};
use todo_domain::Ids as _;
use todo_language::IntentType;
use todo_proto::v1::{self, chat_service_client::ChatServiceClient, send_message_response::Step};
use todo_runtime::system::SystemIds;
use todo_sidecar::ApiChannel;
use todo_tests::{
    SOON,
    clock::TestClock,
    eventually,
    rest::Rest,
    system::{Ground, System},
};
use tokio::sync::oneshot;

use crate::{MONDAY, at, surface::refused};

/// Adds a task, makes its description longer, and then does what it is told to.
struct Scripted(Mutex<Then>);

enum Then {
    Answer,
    Panic,
    Wait(oneshot::Receiver<()>),
}

#[tonic::async_trait]
impl Engine for Scripted {
    async fn answer(&self, turn: &mut Turn) -> Answer {
        let task = call(turn, "add_task", json!({ "title": turn.text })).await;
        let read = call(turn, "get_task", json!({ "id": task["id"] })).await;
        let longer = format!("{}and on", read["description"].as_str().unwrap_or_default());
        turn.say("Added ");
        let task = call(turn, "update_task", json!({ "id": task["id"], "description": longer })).await;
        let then = std::mem::replace(&mut *self.0.lock().expect("it is whole"), Then::Answer);
        match then {
            Then::Answer => {}
            Then::Panic => panic!("as it was told to"),
            Then::Wait(until) => until.await.expect("a word"),
        }
        turn.say(&format!("“{}”: {}.", task["title"], task["description"]));
        Answer {
            intent: IntentType::CreateTask,
            confidence: 1.0,
            params: Map::new(),
            decision: Decision::InvokeTool,
            outcome: Outcome::TaskCompleted,
            pending: None,
        }
    }
}

async fn call(turn: &mut Turn, tool: &str, arguments: Value) -> Value {
    let Value::Object(arguments) = arguments else { panic!("no object") };
    turn.call(Tool::named(tool).expect("a tool"), arguments).await.expect("it is done").data
}

/// A chat beside the system's own, with an engine that does what it is told to.
struct Chat {
    client: ChatServiceClient<ApiChannel>,
    user: Rest,
}

impl Chat {
    fn of(system: &System, user: &Rest, clock: &Arc<TestClock>, then: Then, patience: Duration) -> Self {
        let engine = Arc::new(Scripted(Mutex::new(then)));
        let (clock, ids) = (Arc::clone(clock), Arc::new(SystemIds));
        let chat = chat::build(chat::Ports { backend: system.backend(), engine, clock, ids, patience });
        Self { client: ChatServiceClient::new(ApiChannel::from_routes(chat.routes)), user: user.clone() }
    }

    fn asked(message_id: &str) -> v1::ChatRequest {
        let (message_id, content) = (Some(message_id.to_owned()), "milk".to_owned());
        v1::ChatRequest { conversation_id: None, message_id, content }
    }

    async fn says(&self, message_id: &str) -> Result<v1::ChatResponse, String> {
        let answer = self.client.clone().chat(self.user.call(Self::asked(message_id))).await;
        answer.map(tonic::Response::into_inner).map_err(|status| refused(&status).0)
    }

    async fn steps(&self, message_id: &str) -> tonic::Streaming<v1::SendMessageResponse> {
        let v1::ChatRequest { conversation_id, message_id, content } = Self::asked(message_id);
        let request = v1::SendMessageRequest { conversation_id, message_id, content };
        self.client.clone().send_message(self.user.call(request)).await.expect("a stream").into_inner()
    }
}

fn new_id() -> String {
    SystemIds.random().to_string()
}

fn content(answer: &v1::ChatResponse) -> &str {
    &answer.message.as_ref().expect("it has one").content
}

const SAID: &str = "Added “\"milk\"”: \"and on\".";

pub(crate) async fn a_turn_is_told_as_it_goes_and_kept_when_nobody_listens(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (go_on, wait) = oneshot::channel();
    let chat = Chat::of(&system, &ann, &clock, Then::Wait(wait), chat::PATIENCE);

    // Who listens is told of each step before the next is made, and then goes away.
    let id = new_id();
    let mut steps = chat.steps(&id).await;
    let mut told = Vec::new();
    while told.last().is_none_or(|(name, at)| (name, at) != (&"tool_result".to_owned(), &3)) {
        let step = steps.next().await.expect("there is more").expect("it goes well");
        let sequence = match step.step.expect("it has one") {
            Step::ToolCall(call) | Step::ToolResult(call) => call.sequence,
            _ => 0,
        };
        told.push((step.event_type, sequence));
    }
    let names: Vec<_> = told.iter().map(|(name, sequence)| (name.as_str(), *sequence)).collect();
    let tool = |number| [("tool_call", number), ("tool_result", number)];
    assert_eq!(names, [&[("started", 0)][..], &tool(1), &tool(2), &[("text", 0)], &tool(3)].concat());
    drop(steps);
    assert_eq!(chat.says(&id).await.unwrap_err(), "CONVERSATION_BUSY");
    go_on.send(()).expect("it waits");

    // The turn goes on to its end. Asked again it is told as a whole, and nothing more is done.
    let answer = eventually("it is kept", SOON, || async { chat.says(&id).await.ok() }).await;
    assert_eq!(content(&answer), SAID);
    let said: Vec<_> = answer.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(said, ["milk", SAID]);
    let steps: Vec<_> = chat.steps(&id).await.map(|step| step.expect("it goes well").event_type).collect().await;
    assert_eq!(steps, ["started", "tool_result", "tool_result", "tool_result", "text", "done"]);
    assert_eq!(ann.get("/api/tasks").await.expect(200)["total"], 1);
    let decisions = ann.get("/api/observability/decisions").await.expect(200);
    assert_eq!((&decisions["total"], &decisions["items"][0]["response_text"]), (&json!(1), &json!(SAID)));
    system.stop().await;
}

pub(crate) async fn a_turn_that_broke_off_is_taken_up_and_does_nothing_twice(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (_never, wait) = oneshot::channel();
    let lost = Chat::of(&system, &ann, &clock, Then::Wait(wait), chat::PATIENCE);
    let (id, mut steps) = (new_id(), None);
    let broken = async {
        let stream = steps.insert(lost.steps(&id).await);
        while let Some(Ok(step)) = stream.next().await {
            if matches!(step.step, Some(Step::ToolResult(call)) if call.sequence == 3) {
                break;
            }
        }
    };
    broken.await;
    let before = ann.get("/api/tasks").await.expect(200);
    assert_eq!(before["tasks"][0]["description"], "and on");

    // Its lease is over. What it did is not done again, and what it would have said is said.
    clock.advance(TimeDelta::seconds(121));
    let other = Chat::of(&system, &ann, &clock, Then::Answer, chat::PATIENCE);
    assert_eq!(content(&other.says(&id).await.expect("it is taken up")), SAID);
    let after = ann.get("/api/tasks").await.expect(200);
    assert_eq!((&after["total"], &after["tasks"]), (&json!(1), &before["tasks"]));
    system.stop().await;
}

pub(crate) async fn a_turn_that_fails_or_takes_too_long_says_so(ground: Ground) {
    let (setup, clock) = at(MONDAY, ground);
    let system = setup.start().await;
    let ann = system.user("ann").await;
    let (_never, wait) = oneshot::channel();
    let hanging = Chat::of(&system, &ann, &clock, Then::Wait(wait), Duration::from_secs(2));
    let broken = Chat::of(&system, &ann, &clock, Then::Panic, chat::PATIENCE);
    for (chat, why) in [(&hanging, "This took too long, so I stopped."), (&broken, "Something went wrong on my side")] {
        let answer = chat.says(&new_id()).await.expect("it ends");
        assert!(content(&answer).starts_with("Added \n\n") && content(&answer).contains(why), "{}", content(&answer));
        let calls = &answer.message.as_ref().expect("it has one").tool_calls;
        assert_eq!(calls.len(), 3, "what was done is not hidden");
        // Nothing is in the way of the next turn.
        let conversation_id = Some(answer.conversation_id.clone());
        let request = v1::ChatRequest { conversation_id, message_id: None, content: "bread".to_owned() };
        chat.client.clone().chat(ann.call(request)).await.expect("it is answered");
    }
    let decisions = ann.get("/api/observability/decisions?outcome_category=ERROR").await.expect(200);
    assert_eq!(
        (&decisions["total"], &decisions["items"][0]["outcome_category"]),
        (&json!(2), &json!("ERROR:RESPONSE_GENERATION"))
    );
    system.stop().await;
}
