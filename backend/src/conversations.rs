//! Conversations as their owner reads them, and their turns as the assistant makes them. A turn is two transactions: the
//! user's message is kept before an answer is attempted, and the answer, what waits for a yes and the decision are kept
//! together. Between them a lease keeps other turns out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use todo_domain::{
    Error, Violations,
    account::Scope,
    error::Reason,
    ids,
    limits::{CONVERSATION_TITLE_FIRST, CONVERSATION_TITLE_MAX, MESSAGE_MAX},
    text,
};
use todo_proto::{
    json,
    v1::{self, chat_service_server::ChatService, conversation_store_server::ConversationStore},
};
use todo_runtime::status::from_error;
use tokio_stream::Empty;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    accounts::attempts::{self, Limit},
    convert::{page_of, required, time, timestamp},
    core::{Call, Core, id},
    decisions,
    store::{Conversation, Lease, Message, Tx},
};

/// How long a turn may take before another may take it over.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// Conversations in a page when nothing is said, and at most.
const PAGE: (i32, i32) = (20, 100);
/// Messages of a conversation that are shown.
const SHOWN: i64 = 1_000;
/// Messages before a turn's that the assistant may ask for.
const HISTORY: i32 = 100;

pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
}

impl Service {
    async fn list(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> Result<v1::ListConversationsResponse, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let request = request.into_inner();
        let (limit, offset) = (request.limit.unwrap_or(PAGE.0), request.offset.unwrap_or(0));
        let (count, skipped) = page_of(PAGE.1.into(), limit.into(), offset.into())?;
        let (mut tx, _) = self.core.read(&call).await?;
        let page = tx.conversations(call.user_id, count, skipped).await?;
        let total = tx.count_conversations(call.user_id).await?;
        let conversations = page.iter().map(conversation).collect();
        Ok(v1::ListConversationsResponse { conversations, total, limit, offset })
    }

    async fn get(&self, request: Request<v1::GetConversationRequest>) -> Result<v1::GetConversationResponse, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let id = id("id", &request.get_ref().id)?;
        let (mut tx, _) = self.core.read(&call).await?;
        let found = tx.conversation(call.user_id, id).await?.ok_or_else(missing)?;
        let messages = tx.messages(id, i64::MAX, SHOWN).await?.iter().map(message).collect::<Result<_, _>>()?;
        let confirmation =
            waiting(&found, call.now)?.map(|v1::PendingAction { replies, expires_at, destructive, .. }| {
                v1::Confirmation { replies, expires_at, destructive }
            });
        Ok(v1::GetConversationResponse { conversation: Some(conversation(&found)), messages, confirmation })
    }

    async fn rename(&self, request: Request<v1::RenameConversationRequest>) -> Result<v1::Conversation, Error> {
        let call = self.core.call(&request, Scope::Write).await?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let title = text::bounded(&request.title, "title", 1, CONVERSATION_TITLE_MAX)?;
        let mut tx = self.core.lock(call.user_id).await?;
        let mut found = tx.conversation(call.user_id, id).await?.ok_or_else(missing)?;
        found.title = title;
        tx.put_conversation(&found).await?;
        tx.commit().await?;
        Ok(conversation(&found))
    }

    async fn delete(&self, request: Request<v1::DeleteConversationRequest>) -> Result<(), Error> {
        let call = self.core.call(&request, Scope::Write).await?;
        let id = id("id", &request.get_ref().id)?;
        let mut tx = self.core.lock(call.user_id).await?;
        if !tx.remove_conversation(call.user_id, id).await? {
            return Err(missing());
        }
        Ok(tx.commit().await?)
    }

    async fn begin_turn(&self, request: Request<v1::BeginTurnRequest>) -> Result<v1::BeginTurnResponse, Error> {
        let call = self.core.call(&request, Scope::Write).await?;
        let asked = Asked::parse(request.into_inner())?;
        let mut tx = self.core.lock(call.user_id).await?;
        let (mut found, said) = match tx.message(asked.message_id).await? {
            Some(said) => self.again(tx.as_mut(), &call, &asked, said).await?,
            None => self.say(tx.as_mut(), &call, &asked).await?,
        };
        let history = tx.messages(found.id, said.place, asked.history).await?;
        let reply = tx.message(reply_id(said.id)).await?;
        if reply.is_none() {
            if found.lease.as_ref().is_some_and(|lease| lease.until > call.now) {
                return Err(busy());
            }
            found.lease = Some(Lease { id: self.core.ids.random(), turn: said.id, until: call.now + LEASE });
            tx.put_conversation(&found).await?;
        }
        tx.commit().await?;
        // What waits now is not of a turn before the last.
        let is_last = reply.as_ref().is_none_or(|reply| reply.place == found.messages);
        let scene = found.scene.as_deref().map(structure).transpose()?;
        Ok(v1::BeginTurnResponse {
            conversation: Some(conversation(&found)),
            message: Some(message(&said)?),
            history: history.iter().map(message).collect::<Result<_, _>>()?,
            pending: waiting(&found, call.now)?.filter(|_| is_last),
            scene,
            lease: found.lease.filter(|_| reply.is_none()).map(|lease| lease.id.to_string()),
            reply: reply.as_ref().map(message).transpose()?,
        })
    }

    /// A message that was sent before.
    async fn again(
        &self,
        tx: &mut dyn Tx,
        call: &Call,
        asked: &Asked,
        said: Message,
    ) -> Result<(Conversation, Message), Error> {
        let found = tx.conversation(call.user_id, said.conversation_id).await?;
        let found = found
            .filter(|found| said.content == asked.content && asked.conversation_id.is_none_or(|id| id == found.id));
        let found =
            found.ok_or_else(|| Error::new(Reason::IdConflict, "this message id is taken by another message"))?;
        Ok((found, said))
    }

    /// A new message, in a new conversation unless one is named.
    async fn say(&self, tx: &mut dyn Tx, call: &Call, asked: &Asked) -> Result<(Conversation, Message), Error> {
        let core = &*self.core;
        let limit = Limit::new(&core.keys.secret(), &["chat", &call.user_id.to_string()], core.options.chats);
        attempts::count(tx, &*core.ids, &[limit], call.now).await?;
        let mut found = if let Some(id) = asked.conversation_id {
            tx.conversation(call.user_id, id).await?.ok_or_else(missing)?
        } else {
            let new = Conversation {
                id: core.ids.new_id(call.now),
                user_id: call.user_id,
                title: title(&asked.content),
                created_at: call.now,
                updated_at: call.now,
                messages: 0,
                lease: None,
                pending: None,
                scene: None,
            };
            tx.add_conversation(&new).await?;
            new
        };
        let said = add(tx, &mut found, asked.message_id, v1::Role::User, (&asked.content, "[]"), call.now).await?;
        Ok((found, said))
    }

    async fn finish_turn(&self, request: Request<v1::FinishTurnRequest>) -> Result<v1::FinishTurnResponse, Error> {
        let call = self.core.call(&request, Scope::Write).await?;
        let request = request.into_inner();
        let (conversation_id, lease) = (id("conversation_id", &request.conversation_id)?, id("lease", &request.lease)?);
        let reply = required(request.reply, "reply")?;
        let content = spoken(&reply.content, "reply.content")?;
        let record = required(request.decision, "decision")?;
        let until = match &request.pending {
            Some(pending) => {
                let mut violations = Violations::new();
                let until = required(pending.expires_at, "pending.expires_at")?;
                let until = time(until, "pending.expires_at", &mut violations);
                violations.into_result(until)?
            }
            None => None,
        };
        let mut tx = self.core.lock(call.user_id).await?;
        let mut found = tx.conversation(call.user_id, conversation_id).await?.ok_or_else(missing)?;
        // Its time may be over, as long as nobody took it.
        let lease = found.lease.take().filter(|held| held.id == lease).ok_or_else(busy)?;
        let said = tx.message(lease.turn).await?.ok_or_else(missing)?;
        let tools: Vec<Value> = reply.tool_calls.iter().map(json::of).collect();
        let calls = Value::Array(tools.clone()).to_string();
        let id = reply_id(said.id);
        let answer = add(tx.as_mut(), &mut found, id, v1::Role::Assistant, (&content, &calls), call.now).await?;
        found.pending = request.pending.zip(until).map(|(pending, until)| {
            let kept = v1::PendingAction { expires_at: None, ..pending };
            (json::of(&kept).to_string(), until)
        });
        found.scene = request.scene.map(|scene| object(Some(scene)).to_string());
        tx.put_conversation(&found).await?;
        let decision_id = self.core.ids.new_id(call.now);
        decisions::add(tx.as_mut(), &call, decision_id, &said, &answer, record, tools).await?;
        tx.commit().await?;
        Ok(v1::FinishTurnResponse { reply: Some(message(&answer)?), decision_id: decision_id.to_string() })
    }
}

/// A checked `BeginTurn`.
struct Asked {
    conversation_id: Option<Uuid>,
    message_id: Uuid,
    content: String,
    history: i64,
}

impl Asked {
    fn parse(request: v1::BeginTurnRequest) -> Result<Self, Error> {
        let history = request.history;
        let mut violations = Violations::new();
        violations
            .check((0..=HISTORY).contains(&history), "history", || format!("must be 0 to {HISTORY}, got {history}"));
        violations.into_result(())?;
        Ok(Self {
            conversation_id: request.conversation_id.map(|text| id("conversation_id", &text)).transpose()?,
            message_id: id("message_id", &request.message_id)?,
            content: spoken(&request.content, "content")?,
            history: history.into(),
        })
    }
}

/// What is said: not blank, and kept as it is.
fn spoken(content: &str, field: &str) -> Result<String, Error> {
    let length = content.chars().count();
    let mut violations = Violations::new();
    violations.check((1..=MESSAGE_MAX).contains(&length) && !content.trim().is_empty(), field, || {
        format!("must be 1 to {MESSAGE_MAX} characters, not only spaces, got {length}")
    });
    violations.check(!content.contains('\0'), field, || "must not have the character U+0000");
    violations.into_result(content.to_owned())
}

/// The beginning of a first message, on one line.
fn title(content: &str) -> String {
    let words: Vec<_> = content.split_whitespace().collect();
    words.join(" ").chars().take(CONVERSATION_TITLE_FIRST).collect::<String>().trim_end().to_owned()
}

/// The id of a turn's answer.
fn reply_id(message_id: Uuid) -> Uuid {
    ids::derived("reply", &message_id.to_string())
}

/// Adds a message at the end of a conversation, which is left to the caller to store.
async fn add(
    tx: &mut dyn Tx,
    to: &mut Conversation,
    id: Uuid,
    role: v1::Role,
    (content, tool_calls): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Message, Error> {
    to.messages += 1;
    to.updated_at = to.updated_at.max(now);
    let message = Message {
        id,
        conversation_id: to.id,
        place: to.messages,
        role: i32::from(role).into(),
        content: content.to_owned(),
        created_at: to.updated_at,
        tool_calls: tool_calls.to_owned(),
    };
    tx.add_message(&message).await?;
    Ok(message)
}

pub(crate) fn conversation(stored: &Conversation) -> v1::Conversation {
    v1::Conversation {
        id: stored.id.to_string(),
        title: stored.title.clone(),
        created_at: Some(timestamp(stored.created_at)),
        updated_at: Some(timestamp(stored.updated_at)),
        message_count: stored.messages,
    }
}

pub(crate) fn message(stored: &Message) -> Result<v1::Message, Error> {
    let calls: Vec<Value> = serde_json::from_str(&stored.tool_calls).map_err(Error::internal)?;
    Ok(v1::Message {
        id: stored.id.to_string(),
        role: i32::try_from(stored.role).unwrap_or_default(),
        content: stored.content.clone(),
        created_at: Some(timestamp(stored.created_at)),
        tool_calls: calls.iter().map(decisions::tool_invocation).collect::<Result<_, _>>()?,
    })
}

/// What waits for a yes, if its time is not over.
fn waiting(found: &Conversation, now: DateTime<Utc>) -> Result<Option<v1::PendingAction>, Error> {
    let Some((kept, until)) = found.pending.as_ref().filter(|(_, until)| *until > now) else { return Ok(None) };
    let kept: Value = serde_json::from_str(kept).map_err(Error::internal)?;
    let pending: v1::PendingAction =
        json::read(&kept).map_err(|violations| Error::internal(format!("a stored action: {violations:?}")))?;
    Ok(Some(v1::PendingAction { expires_at: Some(timestamp(*until)), ..pending }))
}

fn structure(object: &str) -> Result<prost_types::Struct, Error> {
    let object: Map<String, Value> = serde_json::from_str(object).map_err(Error::internal)?;
    Ok(json::structure(&object))
}

/// The JSON of a struct, which is printed as a field of something; an empty object for none.
pub(crate) fn object(fields: Option<prost_types::Struct>) -> Value {
    let fields = fields.unwrap_or_default();
    json::of(&v1::PendingAction { action: Some(fields), ..v1::PendingAction::default() })["action"].take()
}

fn missing() -> Error {
    Error::new(Reason::ConversationNotFound, "there is no such conversation")
}

fn busy() -> Error {
    Error::new(Reason::ConversationBusy, "this conversation is being answered; wait for that")
}

/// Of these rpcs the assistant serves the others.
fn elsewhere() -> Status {
    Status::unimplemented("the assistant serves this")
}

#[tonic::async_trait]
impl ChatService for Service {
    type SendMessageStream = Empty<Result<v1::SendMessageResponse, Status>>;

    async fn chat(&self, _: Request<v1::ChatRequest>) -> Result<Response<v1::ChatResponse>, Status> {
        Err(elsewhere())
    }

    async fn send_message(
        &self,
        _: Request<v1::SendMessageRequest>,
    ) -> Result<Response<Self::SendMessageStream>, Status> {
        Err(elsewhere())
    }

    async fn list_conversations(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> Result<Response<v1::ListConversationsResponse>, Status> {
        self.list(request).await.map(Response::new).map_err(from_error)
    }

    async fn get_conversation(
        &self,
        request: Request<v1::GetConversationRequest>,
    ) -> Result<Response<v1::GetConversationResponse>, Status> {
        self.get(request).await.map(Response::new).map_err(from_error)
    }

    async fn rename_conversation(
        &self,
        request: Request<v1::RenameConversationRequest>,
    ) -> Result<Response<v1::Conversation>, Status> {
        self.rename(request).await.map(Response::new).map_err(from_error)
    }

    async fn delete_conversation(
        &self,
        request: Request<v1::DeleteConversationRequest>,
    ) -> Result<Response<()>, Status> {
        self.delete(request).await.map(Response::new).map_err(from_error)
    }
}

#[tonic::async_trait]
impl ConversationStore for Service {
    async fn begin_turn(
        &self,
        request: Request<v1::BeginTurnRequest>,
    ) -> Result<Response<v1::BeginTurnResponse>, Status> {
        Service::begin_turn(self, request).await.map(Response::new).map_err(from_error)
    }

    async fn finish_turn(
        &self,
        request: Request<v1::FinishTurnRequest>,
    ) -> Result<Response<v1::FinishTurnResponse>, Status> {
        Service::finish_turn(self, request).await.map(Response::new).map_err(from_error)
    }
}
