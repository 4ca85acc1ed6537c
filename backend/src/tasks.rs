//! `TaskService`.

use std::sync::Arc;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use todo_domain::{
    Error, Violations,
    account::Scope,
    error::Reason,
    ids,
    query::Query,
    recurrence::{Anchor, Recurrence},
    task::{self, Context, Field, ReminderState, Task, Undone},
    zone,
};
use todo_proto::v1::{self, task_service_server::TaskService};
use todo_runtime::status::from_error;
use tonic::{Request, Response, Status};

use crate::{
    bulk, convert,
    core::{self, Core, id},
    reading,
    store::{Change, ChangeKind},
    write::{Begin, Write, again, task_not_found},
};

/// Slots that a preview shows when nothing is said, and at most.
const PREVIEW: (i32, i32) = (5, 50);
/// How long a change can be undone.
const UNDO: TimeDelta = TimeDelta::days(7);

pub(crate) struct Service {
    pub(crate) core: Arc<Core>,
}

/// Begins a write, or answers at once when it was made before.
macro_rules! begin {
    ($core:expr, $rpc:literal, $request:expr) => {{
        let call = $core.call_to_write($rpc, $request).await?;
        match $core.begin(call).await? {
            Begin::Again(reply) => return again(&reply),
            Begin::New(write) => write,
        }
    }};
}
pub(crate) use begin;

impl Service {
    async fn create(&self, request: Request<v1::CreateTaskRequest>) -> Result<Response<v1::Task>, Error> {
        use prost::Message as _;
        let mut write = begin!(self.core, "CreateTask", &request);
        let request = request.into_inner();
        let hash = Sha256::digest(request.encode_to_vec());
        let draft = convert::draft(convert::required(request.task, "task")?)?;
        let chosen = draft.id;
        // Before the draft is judged: what was still to come when it was sent first may be past by now.
        if let Some(id) = chosen
            && let Some(answer) = known(&mut write, id, &hash).await?
        {
            return write.finish(answer).await;
        }
        let mut task = Task::create(draft, &write.context())?;
        if !write.create(&mut task, chosen.map(|_| hash.as_slice())).await? {
            return Err(Error::new(Reason::IdConflict, "this id is taken"));
        }
        let task = convert::task(&task, write.now);
        write.finish(task).await
    }

    async fn get(&self, request: Request<v1::GetTaskRequest>) -> Result<Response<v1::Task>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let id = id("id", &request.get_ref().id)?;
        let (mut tx, _) = self.core.read(&call).await?;
        let task = tx.task(call.user_id, id).await?.ok_or_else(task_not_found)?;
        Ok(Response::new(convert::task(&task, call.now)))
    }

    async fn list(&self, request: Request<v1::ListTasksRequest>) -> Result<Response<v1::ListTasksResponse>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let request = request.into_inner();
        let skip_total = request.skip_total;
        let query = Query::new(&convert::query(request))?;
        let (mut tx, owner) = self.core.read(&call).await?;
        let (tasks, more) = tx.list_tasks(call.user_id, &query).await?;
        let total = if skip_total { None } else { Some(tx.count_tasks(call.user_id, &query.filter).await?) };
        let next = tasks.last().filter(|_| more).map(|last| query.token_after(last).encode());
        Ok(Response::new(v1::ListTasksResponse {
            tasks: tasks.iter().map(|task| convert::task(task, call.now)).collect(),
            total,
            next_page_token: next,
            revision: owner.revision,
        }))
    }

    async fn update(&self, request: Request<v1::UpdateTaskRequest>) -> Result<Response<v1::Task>, Error> {
        let mut write = begin!(self.core, "UpdateTask", &request);
        let request = request.into_inner();
        let asked = convert::required(request.task, "task")?;
        let id = id("id", &asked.id)?;
        let patch = convert::patch(asked, request.update_mask.as_ref());
        let before = write.task(id).await?;
        write.expect(&before, request.expected_revision)?;
        let mut task = before.clone();
        let outcome = task.apply(patch, &write.context())?;
        write.update(&before, &mut task, &outcome).await?;
        let task = convert::task(&task, write.now);
        write.finish(task).await
    }

    async fn complete(&self, request: Request<v1::CompleteTaskRequest>) -> Result<Response<v1::Task>, Error> {
        let mut write = begin!(self.core, "CompleteTask", &request);
        let request = request.into_inner();
        let before = write.task(id("id", &request.id)?).await?;
        write.expect(&before, request.expected_revision)?;
        let mut task = before.clone();
        let outcome = task.complete(&write.context());
        write.update(&before, &mut task, &outcome).await?;
        let task = convert::task(&task, write.now);
        write.finish(task).await
    }

    async fn delete(&self, request: Request<v1::DeleteTaskRequest>) -> Result<Response<()>, Error> {
        let mut write = begin!(self.core, "DeleteTask", &request);
        let request = request.into_inner();
        let task = write.task(id("id", &request.id)?).await?;
        write.expect(&task, request.expected_revision)?;
        write.delete(&task).await?;
        write.finish(()).await
    }

    async fn undo(&self, request: Request<v1::UndoChangeRequest>) -> Result<Response<v1::UndoChangeResponse>, Error> {
        let mut write = begin!(self.core, "UndoChange", &request);
        let change = undoable(&mut write, request.get_ref().revision).await?;
        let before: Option<Task> =
            change.before.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?;
        let current = write.tx.task(write.user_id, change.entity_id).await?;
        if current.is_none() && matches!(change.kind, ChangeKind::Updated | ChangeKind::Completed) {
            return Err(Error::new(Reason::RevisionConflict, "the task was deleted since; undo its deletion first"));
        }
        let fields: Vec<Field> = change.fields.iter().filter_map(|field| field.parse().ok()).collect();
        let task = match task::undo(current.as_ref(), before.as_ref(), &fields, &write.context()) {
            Undone::Updated(mut task, outcome) => {
                let before = current.ok_or_else(task_not_found)?;
                remember_firings(&mut write, &mut task).await?;
                write.update(&before, &mut task, &outcome).await?;
                Some(*task)
            }
            Undone::Returned(mut task) => {
                remember_firings(&mut write, &mut task).await?;
                if !write.create(&mut task, None).await? {
                    return Err(Error::new(Reason::IdConflict, "the id of the deleted task is taken"));
                }
                Some(*task)
            }
            Undone::Removed => {
                write.delete(&current.ok_or_else(task_not_found)?).await?;
                None
            }
            Undone::Nothing => current,
        };
        let response =
            v1::UndoChangeResponse { task: task.map(|task| convert::task(&task, write.now)), revision: write.change() };
        write.finish(response).await
    }

    async fn preview(
        &self,
        request: Request<v1::PreviewOccurrencesRequest>,
    ) -> Result<Response<v1::PreviewOccurrencesResponse>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let (_, owner) = self.core.read(&call).await?;
        let request = request.into_inner();
        let mut violations = Violations::new();
        let limit = request.limit.unwrap_or(PREVIEW.0);
        violations
            .check((1..=PREVIEW.1).contains(&limit), "limit", || format!("must be 1 to {}, got {limit}", PREVIEW.1));
        let due = request.due_date.and_then(|due| convert::time(due, "due_date", &mut violations));
        violations.check(request.recurrence.is_some(), "recurrence", || "must be given");
        let draft = request.recurrence.and_then(|recurrence| convert::recurrence_draft(recurrence, &mut violations));
        let draft = violations.into_result(draft)?.unwrap_or_default();
        let context =
            Context { now: call.now, zone: core::zone(&owner), user_id: call.user_id, ids: self.core.ids.as_ref() };
        let recurrence = Recurrence::new(&draft, due, &context)?;
        let slots = std::iter::successors(recurrence.preview_after(call.now), |slot| recurrence.preview_after(*slot));
        let later = recurrence.count.filter(|_| recurrence.anchor == Anchor::Completion).map_or(i64::MAX, |it| it - 1);
        let slots = slots.take(usize::try_from(later.min(limit.into())).unwrap_or_default());
        Ok(Response::new(v1::PreviewOccurrencesResponse { occurrences: slots.map(convert::timestamp).collect() }))
    }

    async fn parse(&self, request: Request<v1::ParseTaskRequest>) -> Result<Response<v1::ParseTaskResponse>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let (_, owner) = self.core.read(&call).await?;
        let context =
            Context { now: call.now, zone: core::zone(&owner), user_id: call.user_id, ids: self.core.ids.as_ref() };
        reading::read(&request.into_inner(), context, owner.week_start).map(Response::new)
    }

    async fn tags(&self, request: Request<v1::ListTagsRequest>) -> Result<Response<v1::ListTagsResponse>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let (mut tx, _) = self.core.read(&call).await?;
        let tags = tx.tags(call.user_id).await?;
        let tags = tags.into_iter().map(|(tag, count)| v1::TagCount { tag, count }).collect();
        Ok(Response::new(v1::ListTagsResponse { tags }))
    }

    async fn counts(&self, request: Request<v1::GetTaskCountsRequest>) -> Result<Response<v1::TaskCounts>, Error> {
        let call = self.core.call(&request, Scope::Read).await?;
        let (mut tx, owner) = self.core.read(&call).await?;
        let zone = core::zone(&owner);
        let day_start = zone::start_of_day(zone, zone::local(zone, call.now).date());
        Ok(Response::new(convert::counts(tx.counts(call.user_id, call.now, day_start).await?)))
    }
}

/// What a create with a client's id finds: the task, if this very create made it.
async fn known(write: &mut Write, id: uuid::Uuid, hash: &[u8]) -> Result<Option<v1::Task>, Error> {
    if let Some(task) = write.tx.task(write.user_id, id).await? {
        if write.tx.request_hash(write.user_id, id).await?.as_deref() == Some(hash) {
            return Ok(Some(convert::task(&task, write.now)));
        }
        return Err(Error::new(Reason::IdConflict, "this id is taken by a task with other content"));
    }
    if write.tx.was_deleted(write.user_id, id).await? {
        return Err(Error::new(Reason::TaskDeleted, "the task with this id was deleted"));
    }
    Ok(None)
}

/// The change of a task at a revision.
async fn undoable(write: &mut Write, revision: i64) -> Result<Change, Error> {
    let change = write.tx.change(write.user_id, revision).await?;
    let of_task =
        |kind| matches!(kind, ChangeKind::Created | ChangeKind::Updated | ChangeKind::Completed | ChangeKind::Deleted);
    // The purge comes by only now and then.
    let is_kept = |change: &Change| change.at > write.now - UNDO;
    change.filter(|change| of_task(change.kind) && is_kept(change)).ok_or_else(|| {
        Error::new(Reason::ChangeNotFound, "there is no change of a task at this revision within the last 7 days")
    })
}

/// What an undo brings back may have rung before it was removed: that is not cancelled, and does not ring again.
async fn remember_firings(write: &mut Write, task: &mut Task) -> Result<(), Error> {
    for reminder in task.reminders.iter_mut().filter(|reminder| reminder.state != ReminderState::Fired) {
        if let Some(at) = reminder.trigger_at
            && write.tx.firing(ids::reminder_event_id(reminder.id, at)).await?.is_some()
        {
            reminder.state = ReminderState::Fired;
        }
    }
    Ok(())
}

#[tonic::async_trait]
impl TaskService for Service {
    async fn create_task(&self, request: Request<v1::CreateTaskRequest>) -> Result<Response<v1::Task>, Status> {
        self.create(request).await.map_err(from_error)
    }

    async fn get_task(&self, request: Request<v1::GetTaskRequest>) -> Result<Response<v1::Task>, Status> {
        self.get(request).await.map_err(from_error)
    }

    async fn list_tasks(
        &self,
        request: Request<v1::ListTasksRequest>,
    ) -> Result<Response<v1::ListTasksResponse>, Status> {
        self.list(request).await.map_err(from_error)
    }

    async fn update_task(&self, request: Request<v1::UpdateTaskRequest>) -> Result<Response<v1::Task>, Status> {
        self.update(request).await.map_err(from_error)
    }

    async fn complete_task(&self, request: Request<v1::CompleteTaskRequest>) -> Result<Response<v1::Task>, Status> {
        self.complete(request).await.map_err(from_error)
    }

    async fn delete_task(&self, request: Request<v1::DeleteTaskRequest>) -> Result<Response<()>, Status> {
        self.delete(request).await.map_err(from_error)
    }

    async fn batch_change(
        &self,
        request: Request<v1::BatchChangeRequest>,
    ) -> Result<Response<v1::BatchChangeResponse>, Status> {
        bulk::change(&self.core, request).await.map_err(from_error)
    }

    async fn undo_change(
        &self,
        request: Request<v1::UndoChangeRequest>,
    ) -> Result<Response<v1::UndoChangeResponse>, Status> {
        self.undo(request).await.map_err(from_error)
    }

    async fn preview_occurrences(
        &self,
        request: Request<v1::PreviewOccurrencesRequest>,
    ) -> Result<Response<v1::PreviewOccurrencesResponse>, Status> {
        self.preview(request).await.map_err(from_error)
    }

    async fn parse_task(
        &self,
        request: Request<v1::ParseTaskRequest>,
    ) -> Result<Response<v1::ParseTaskResponse>, Status> {
        self.parse(request).await.map_err(from_error)
    }

    async fn list_tags(&self, request: Request<v1::ListTagsRequest>) -> Result<Response<v1::ListTagsResponse>, Status> {
        self.tags(request).await.map_err(from_error)
    }

    async fn get_task_counts(
        &self,
        request: Request<v1::GetTaskCountsRequest>,
    ) -> Result<Response<v1::TaskCounts>, Status> {
        self.counts(request).await.map_err(from_error)
    }
}
