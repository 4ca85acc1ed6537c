//! The rpcs: a turn from its beginning to its end, told as it goes. It goes on when nobody listens any more, and a turn
//! that broke off is taken up when its message is sent again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::Weekday;
use futures::FutureExt as _;
use prost_types::Struct;
use serde_json::{Map, Value};
use todo_domain::{Clock, Ids, Timestamp};
use todo_language::IntentType;
use todo_proto::{
    json,
    v1::{
        self, BeginTurnResponse, DecisionRecord, chat_service_server::ChatServiceServer,
        conversation_store_client::ConversationStoreClient, send_message_response::Step,
    },
};
use todo_runtime::observe::observed;
use todo_sidecar::ApiChannel;
use tokio::{sync::mpsc::unbounded_channel, time::Instant};
use tokio_stream::{StreamExt as _, wrappers::UnboundedReceiverStream};
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, metadata::MetadataMap, service::Routes};
use tracing::Instrument as _;

use super::{
    Answer, Decision, Engine, Outcome, Pending, Scene, Turn,
    turn::{Listener, timestamp},
};
use crate::{
    call::{Caller, Tools, weekday_of, with, zone_of},
    policy,
};

/// How long an engine may take unless said: the lease of a turn lasts 120 seconds.
pub const PATIENCE: Duration = Duration::from_secs(110);
/// How long a pending action waits.
const PENDING: Duration = Duration::from_mins(5);
/// How many messages before it a turn is given.
const HISTORY: i32 = 40;
/// The longest answer, in characters.
const LONGEST: usize = 32_000;
/// What is passed on of a request's metadata: who calls, and which request it is.
const FORWARDED: [&str; 4] = ["authorization", "traceparent", "tracestate", "x-request-id"];

/// What the chat stands on.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "ports have nothing to show")]
pub struct Ports {
    /// The backend, its internal services included.
    pub backend: ApiChannel,
    /// What answers.
    pub engine: Arc<dyn Engine>,
    /// The present moment.
    pub clock: Arc<dyn Clock>,
    /// Ids of messages that come without.
    pub ids: Arc<dyn Ids>,
    /// How long the engine may take; [`PATIENCE`] but for tests.
    pub patience: Duration,
}

/// The chat, ready to be served.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "services have nothing to show")]
pub struct Service {
    /// `ChatService`, of which this is [`v1::chat_service_server::ChatService::chat`] and `send_message`.
    pub routes: Routes,
    turns: TaskTracker,
}

impl Service {
    /// Waits until all turns that have begun are over.
    pub async fn ended(&self) {
        self.turns.close();
        self.turns.wait().await;
    }
}

/// Builds the chat.
#[must_use]
pub fn build(ports: Ports) -> Service {
    let turns = TaskTracker::new();
    let tools = Tools::new(ports.backend.clone());
    let chat = Chat { ports, tools, turns: turns.clone() };
    Service { routes: observed(Routes::new(ChatServiceServer::new(chat))), turns }
}

#[derive(Clone)]
struct Chat {
    ports: Ports,
    tools: Tools,
    turns: TaskTracker,
}

type Steps = UnboundedReceiverStream<Result<v1::SendMessageResponse, Status>>;

impl Chat {
    /// Begins a turn, and sees to it that it ends.
    async fn open(&self, metadata: &MetadataMap, asked: v1::ChatRequest) -> Result<Steps, Status> {
        let mut caller = Caller { metadata: forwarded(metadata), zone: None };
        let account = self.tools.account(&caller).await?;
        caller.zone = Some(zone_of(&account.time_zone));
        let week_start = weekday_of(account.week_start());
        let now = self.ports.clock.now();
        let request = v1::BeginTurnRequest {
            conversation_id: asked.conversation_id,
            message_id: asked.message_id.unwrap_or_else(|| self.ports.ids.new_id(now).to_string()),
            content: asked.content,
            history: HISTORY,
        };
        let begun = self.store().begin_turn(with(&caller, request)).await?.into_inner();
        let (sender, steps) = unbounded_channel();
        let listener = Listener(sender);
        listener.tell(Step::Started(v1::TurnStarted {
            conversation: begun.conversation.clone(),
            message: begun.message.clone(),
        }));
        if let Some(reply) = &begun.reply {
            repeat(&listener, &begun, reply.clone());
        } else {
            let chat = self.clone();
            let turn = async move {
                if let Err(status) = chat.go(begun, caller, week_start, listener.clone()).await {
                    let _ = listener.0.send(Err(status));
                }
            };
            self.turns.spawn(turn.in_current_span());
        }
        Ok(UnboundedReceiverStream::new(steps))
    }

    /// Answers, and has the answer kept.
    async fn go(
        &self,
        begun: BeginTurnResponse,
        caller: Caller,
        week_start: Weekday,
        listener: Listener,
    ) -> Result<(), Status> {
        let since = Instant::now();
        let said = begun.message.clone().unwrap_or_default();
        let mut turn = self.turn(&begun, caller, week_start, listener);
        let answer = self.answer(&mut turn).await;
        let content: String = turn.said().chars().take(LONGEST).collect();
        let waiting = answer.pending.map(|pending| self.waiting(&pending));
        let confirmation = waiting.as_ref().map(confirmation);
        let request = v1::FinishTurnRequest {
            conversation_id: begun.conversation.unwrap_or_default().id,
            lease: begun.lease.unwrap_or_default(),
            reply: Some(v1::Message { content, tool_calls: turn.calls().to_vec(), ..v1::Message::default() }),
            pending: waiting,
            scene: serialized(&turn.scene),
            decision: Some(DecisionRecord {
                intent_type: answer.intent.as_str().to_owned(),
                confidence: answer.confidence,
                extracted_params: Some(json::structure(&answer.params)),
                decision_type: answer.decision.as_str().to_owned(),
                outcome_category: answer.outcome.as_str().to_owned(),
                duration_ms: since.elapsed().as_millis().try_into().unwrap_or(i64::MAX),
                ..DecisionRecord::default()
            }),
        };
        let conversation_id = request.conversation_id.clone();
        let kept = self.store().finish_turn(with(&turn.caller, request)).await?.into_inner();
        turn.listener.tell(Step::Done(done(conversation_id, said, kept.reply.unwrap_or_default(), confirmation)));
        Ok(())
    }

    /// Has the engine answer; if it takes too long or breaks down, that is the answer.
    async fn answer(&self, turn: &mut Turn) -> Answer {
        let answering = async {
            match policy::settle(turn).await {
                Some(answer) => answer,
                None => self.ports.engine.answer(turn).await,
            }
        };
        let answering = AssertUnwindSafe(answering).catch_unwind();
        let begun = Instant::now();
        let answered = tokio::time::timeout(self.ports.patience, answering).await;
        metrics::histogram!("todo_turn_seconds").record(begun.elapsed());
        let (why, outcome) = match answered {
            Ok(Ok(answer)) if !turn.said().trim().is_empty() => return answer,
            Ok(_) => ("Something went wrong on my side, so I could not finish this.", Outcome::ResponseGeneration),
            Err(_) => ("This took too long, so I stopped.", Outcome::ResponseGeneration),
        };
        if !turn.said().is_empty() {
            turn.say("\n\n");
        }
        turn.say(why);
        Answer {
            intent: IntentType::Ambiguous,
            confidence: 0.0,
            params: Map::new(),
            decision: Decision::RespondOnly,
            outcome,
            pending: None,
        }
    }

    fn turn(&self, begun: &BeginTurnResponse, caller: Caller, week_start: Weekday, listener: Listener) -> Turn {
        let said = begun.message.clone().unwrap_or_default();
        let pending = begun.pending.clone().and_then(|pending| deserialized(pending.action));
        Turn {
            text: said.content,
            now: said.created_at.and_then(moment).unwrap_or_else(|| self.ports.clock.now()),
            zone: caller.zone.unwrap_or_default(),
            week_start,
            history: begun.history.clone(),
            pending,
            scene: deserialized::<Scene>(begun.scene.clone()).unwrap_or_default(),
            message_id: said.id,
            caller,
            tools: self.tools.clone(),
            clock: Arc::clone(&self.ports.clock),
            listener,
            calls: Vec::new(),
            writes: 0,
            said: String::new(),
        }
    }

    fn waiting(&self, pending: &Pending) -> v1::PendingAction {
        v1::PendingAction {
            action: serialized(pending),
            expires_at: Some(timestamp(self.ports.clock.now() + PENDING)),
            replies: pending.replies(),
            destructive: pending.is_destructive(),
        }
    }

    fn store(&self) -> ConversationStoreClient<ApiChannel> {
        ConversationStoreClient::new(self.ports.backend.clone()).max_decoding_message_size(usize::MAX)
    }
}

/// Tells of a turn that is over.
fn repeat(listener: &Listener, begun: &BeginTurnResponse, reply: v1::Message) {
    for call in &reply.tool_calls {
        listener.tell(Step::ToolResult(call.clone()));
    }
    listener.tell(Step::Text(reply.content.clone()));
    let conversation_id = begun.conversation.clone().unwrap_or_default().id;
    let said = begun.message.clone().unwrap_or_default();
    listener.tell(Step::Done(done(conversation_id, said, reply, begun.pending.as_ref().map(confirmation))));
}

fn done(
    conversation_id: String,
    said: v1::Message,
    reply: v1::Message,
    confirmation: Option<v1::Confirmation>,
) -> v1::ChatResponse {
    v1::ChatResponse { conversation_id, message: Some(reply.clone()), messages: vec![said, reply], confirmation }
}

fn confirmation(pending: &v1::PendingAction) -> v1::Confirmation {
    let &v1::PendingAction { expires_at, destructive, .. } = pending;
    v1::Confirmation { replies: pending.replies.clone(), expires_at, destructive }
}

fn forwarded(metadata: &MetadataMap) -> MetadataMap {
    let mut kept = MetadataMap::new();
    for name in FORWARDED {
        if let Some(value) = metadata.get(name) {
            kept.insert(name, value.clone());
        }
    }
    kept
}

fn moment(at: prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::from_timestamp(at.seconds, at.nanos.try_into().ok()?)
}

fn serialized(value: &impl serde::Serialize) -> Option<Struct> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Some(json::structure(&fields)),
        _ => None,
    }
}

fn deserialized<T: serde::de::DeserializeOwned>(fields: Option<Struct>) -> Option<T> {
    let wrapped = v1::PendingAction { action: Some(fields?), ..v1::PendingAction::default() };
    serde_json::from_value(json::of(&wrapped)["action"].take()).ok()
}

/// Of these rpcs the backend serves the others.
fn elsewhere<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the backend serves this"))
}

#[tonic::async_trait]
impl v1::chat_service_server::ChatService for Chat {
    type SendMessageStream = Steps;

    async fn chat(&self, request: Request<v1::ChatRequest>) -> Result<Response<v1::ChatResponse>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let mut steps = self.open(&metadata, asked).await?;
        while let Some(step) = steps.next().await {
            if let Some(Step::Done(done)) = step?.step {
                return Ok(Response::new(done));
            }
        }
        Err(Status::internal("the turn broke off"))
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> Result<Response<Self::SendMessageStream>, Status> {
        let (metadata, _, asked) = request.into_parts();
        let v1::SendMessageRequest { conversation_id, message_id, content } = asked;
        let asked = v1::ChatRequest { conversation_id, message_id, content };
        Ok(Response::new(self.open(&metadata, asked).await?))
    }

    async fn list_conversations(
        &self,
        _: Request<v1::ListConversationsRequest>,
    ) -> Result<Response<v1::ListConversationsResponse>, Status> {
        elsewhere()
    }

    async fn get_conversation(
        &self,
        _: Request<v1::GetConversationRequest>,
    ) -> Result<Response<v1::GetConversationResponse>, Status> {
        elsewhere()
    }

    async fn rename_conversation(
        &self,
        _: Request<v1::RenameConversationRequest>,
    ) -> Result<Response<v1::Conversation>, Status> {
        elsewhere()
    }

    async fn delete_conversation(&self, _: Request<v1::DeleteConversationRequest>) -> Result<Response<()>, Status> {
        elsewhere()
    }
}
