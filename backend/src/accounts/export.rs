//! All that is an account's own, in parts. A part is read in a transaction of its own, so that a client that reads slowly
//! holds none; what is listed by ids is found whatever is added or moved meanwhile.

use std::sync::Arc;

use todo_domain::{Error, account::Scope};
use todo_proto::v1;
use todo_runtime::status::from_error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status};
use uuid::Uuid;

use super::{deletion::by_age, missing, tokens, user};
use crate::{
    conversations,
    convert::{self, timestamp},
    core::{Call, Core},
    decisions,
    store::{DecisionFilter, Tx},
};

/// Tasks or notifications in a part.
const PAGE: i64 = 500;
/// Messages or decisions in a part: each may be long.
const LONG: i64 = 50;
/// Parts that wait for a slow client before its export waits for it.
const AHEAD: usize = 1;

type Part = v1::ExportAccountResponse;
type Parts = mpsc::Sender<Result<Part, Status>>;

/// Begins an export; its errors come before its first part, or in place of one.
pub(super) async fn start(
    core: &Arc<Core>,
    request: Request<v1::ExportAccountRequest>,
) -> Result<ReceiverStream<Result<Part, Status>>, Error> {
    let call = core.call(&request, Scope::Account).await?;
    let (mut tx, _) = core.read(&call).await?;
    let profile = tx.profile(call.user_id).await?.ok_or_else(missing)?;
    let first = Part {
        exported_at: Some(timestamp(call.now)),
        user: Some(user(&profile)),
        access_tokens: tx.access_tokens(call.user_id).await?.into_iter().map(tokens::shown).collect(),
        ..Part::default()
    };
    let listed = Listed::read(tx.as_mut(), call.user_id).await?;
    drop(tx);
    let (parts, stream) = mpsc::channel(AHEAD);
    let export = Export { core: Arc::clone(core), call, parts };
    tokio::spawn(async move {
        if let Err(Stop::Failed(error)) = export.run(first, listed).await {
            let _ = export.parts.send(Err(from_error(error))).await;
        }
    });
    Ok(ReceiverStream::new(stream))
}

/// What is found by its ids.
struct Listed {
    notifications: Vec<Uuid>,
    conversations: Vec<Uuid>,
    decisions: Vec<Uuid>,
}

impl Listed {
    async fn read(tx: &mut dyn Tx, user_id: Uuid) -> Result<Self, Error> {
        let mut listed = Self { notifications: Vec::new(), conversations: Vec::new(), decisions: Vec::new() };
        loop {
            let page = tx.list_notifications(user_id, false, PAGE, count(&listed.notifications)).await?;
            listed.notifications.extend(page.iter().map(|it| it.id));
            if count(&page) < PAGE {
                break;
            }
        }
        loop {
            let page = tx.conversations(user_id, PAGE, count(&listed.conversations)).await?;
            listed.conversations.extend(page.iter().map(|it| it.id));
            if count(&page) < PAGE {
                break;
            }
        }
        let every = DecisionFilter::default();
        loop {
            let page = tx.decisions(user_id, &every, PAGE, count(&listed.decisions)).await?;
            listed.decisions.extend(page.iter().map(|it| it.id));
            if count(&page) < PAGE {
                return Ok(listed);
            }
        }
    }
}

/// Why no more parts come.
enum Stop {
    /// The client has gone.
    Gone,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Export {
    core: Arc<Core>,
    call: Call,
    parts: Parts,
}

impl Export {
    async fn run(&self, first: Part, listed: Listed) -> Result<(), Stop> {
        self.send(first).await?;
        self.tasks().await?;
        self.notifications(&listed.notifications).await?;
        for id in listed.conversations {
            self.conversation(id).await?;
        }
        self.decisions(&listed.decisions).await
    }

    async fn send(&self, part: Part) -> Result<(), Stop> {
        self.parts.send(Ok(part)).await.map_err(|_| Stop::Gone)
    }

    /// Opens a snapshot; fails once the account is gone.
    async fn read(&self) -> Result<Box<dyn Tx>, Error> {
        Ok(self.core.read(&self.call).await?.0)
    }

    async fn tasks(&self) -> Result<(), Stop> {
        let mut query = by_age(PAGE)?;
        loop {
            let (tasks, more) = self.read().await?.list_tasks(self.call.user_id, &query).await?;
            query.after = tasks.last().filter(|_| more).map(|last| query.token_after(last));
            let tasks = tasks.iter().map(|task| convert::task(task, self.call.now)).collect();
            self.send(Part { tasks, ..Part::default() }).await?;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    async fn notifications(&self, ids: &[Uuid]) -> Result<(), Stop> {
        for ids in parts(ids, PAGE) {
            let mut found = self.read().await?.notifications(self.call.user_id, ids).await?;
            found.sort_by_key(|it| ids.iter().position(|id| *id == it.id));
            let notifications = found.iter().map(convert::notification).collect();
            self.send(Part { notifications, ..Part::default() }).await?;
        }
        Ok(())
    }

    async fn conversation(&self, id: Uuid) -> Result<(), Stop> {
        let mut after = 0;
        loop {
            let mut tx = self.read().await?;
            let Some(found) = tx.conversation(self.call.user_id, id).await? else { return Ok(()) };
            let page = tx.messages(id, after + LONG + 1, LONG).await?;
            drop(tx);
            let entry = v1::GetConversationResponse {
                conversation: Some(conversations::conversation(&found)),
                messages: page.iter().map(conversations::message).collect::<Result<_, _>>()?,
                confirmation: None,
            };
            self.send(Part { conversations: vec![entry], ..Part::default() }).await?;
            after += LONG;
            if after >= found.messages {
                return Ok(());
            }
        }
    }

    async fn decisions(&self, ids: &[Uuid]) -> Result<(), Stop> {
        for ids in parts(ids, LONG) {
            let mut tx = self.read().await?;
            let mut decisions = Vec::with_capacity(ids.len());
            for id in ids {
                if let Some(found) = tx.decision(self.call.user_id, *id).await? {
                    decisions.push(decisions::whole(tx.as_mut(), &found).await?);
                }
            }
            drop(tx);
            self.send(Part { decisions, ..Part::default() }).await?;
        }
        Ok(())
    }
}

fn parts(ids: &[Uuid], size: i64) -> impl Iterator<Item = &[Uuid]> {
    ids.chunks(usize::try_from(size).unwrap_or(1))
}

fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}
