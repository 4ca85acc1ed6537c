//! Changes of many tasks, each shown before it is made. The token that confirms one is derived from what was shown, so
//! that it needs no store, holds on every replica, and confirms nothing else.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use todo_domain::{
    Error, Violation, Violations,
    error::Reason,
    limits::BATCH_MAX,
    task::{Outcome, Patch, Status, Task},
};
use todo_proto::v1::{self, BatchAction};
use tonic::{Request, Response};
use uuid::Uuid;

use crate::{
    accounts::secret,
    convert,
    core::{Core, id},
    tasks::begin,
    write::{Begin, Write, again, task_not_found},
};

/// How long what was shown can be confirmed.
const OFFER: TimeDelta = TimeDelta::minutes(5);

pub(crate) async fn change(
    core: &Arc<Core>,
    request: Request<v1::BatchChangeRequest>,
) -> Result<Response<v1::BatchChangeResponse>, Error> {
    let mut write = begin!(core, "BatchChange", &request);
    let mut request = request.into_inner();
    let confirmed = std::mem::take(&mut request.confirm_token);
    let offered = request.encode_to_vec();
    let (ids, action) = parse(request)?;
    let mut found: HashMap<_, _> =
        write.tx.tasks(write.user_id, &ids).await?.into_iter().map(|task| (task.id, task)).collect();
    let tasks: Option<Vec<_>> = ids.iter().map(|id| found.remove(id)).collect();
    let mut tasks = tasks.ok_or_else(task_not_found)?;
    let shown = |tasks: &[Task], now| tasks.iter().map(|task| convert::task(task, now)).collect();
    if confirmed.is_empty() {
        // What would be refused is refused now.
        for task in &tasks {
            action.apply(task, &write)?;
        }
        let expires_at = write.now + OFFER;
        let response = v1::BatchChangeResponse {
            tasks: shown(&tasks, write.now),
            confirm_token: Some(token(core, &write, &offered, &tasks, expires_at)),
            expires_at: Some(convert::timestamp(expires_at)),
            revisions: Vec::new(),
        };
        return Ok(Response::new(response));
    }
    check(core, &write, &offered, &tasks, &confirmed)?;
    let mut revisions = Vec::new();
    for task in &mut tasks {
        write.change = None;
        action.make(task, &mut write).await?;
        revisions.extend(write.change);
    }
    let response =
        v1::BatchChangeResponse { tasks: shown(&tasks, write.now), revisions, ..v1::BatchChangeResponse::default() };
    write.finish(response).await
}

/// What is done to each task.
enum Action {
    Complete,
    Update(Box<Patch>),
    Delete,
}

impl Action {
    /// The task after it, and what that takes.
    fn apply(&self, task: &Task, write: &Write) -> Result<(Task, Outcome), Error> {
        let mut task = task.clone();
        let outcome = match self {
            Self::Complete => task.complete(&write.context()),
            Self::Update(patch) => task.apply((**patch).clone(), &write.context()).map_err(within_task)?,
            Self::Delete => Outcome::default(),
        };
        Ok((task, outcome))
    }

    async fn make(&self, task: &mut Task, write: &mut Write) -> Result<(), Error> {
        let current = write.tx.task(write.user_id, task.id).await?;
        match (self, current) {
            (Self::Delete, Some(current)) => write.delete(&current).await,
            // It went with the series that made it, a moment ago.
            (Self::Delete, None) => Ok(()),
            (_, current) => {
                let current = current.ok_or_else(task_not_found)?;
                let outcome;
                (*task, outcome) = self.apply(&current, write)?;
                write.update(&current, task, &outcome).await
            }
        }
    }
}

fn parse(request: v1::BatchChangeRequest) -> Result<(Vec<Uuid>, Action), Error> {
    let mut violations = Violations::new();
    let count = request.ids.len();
    violations.check((1..=BATCH_MAX).contains(&count), "ids", || format!("must be 1 to {BATCH_MAX} ids, got {count}"));
    let action = BatchAction::try_from(request.action).unwrap_or_default();
    violations.check(
        action != BatchAction::Unspecified,
        "action",
        || "must be one of complete, reopen, delete, update",
    );
    let is_update = action == BatchAction::Update;
    violations.check(is_update == request.task.is_some(), "task", || "must be given with update, and only then");
    violations.check(is_update || request.update_mask.is_none(), "update_mask", || "must only be given with update");
    violations.into_result(())?;

    let mut ids = Vec::with_capacity(count);
    for (place, text) in request.ids.iter().enumerate() {
        let field = format!("ids[{place}]");
        let id = id(&field, text)?;
        if ids.contains(&id) {
            return Err(Violation::new(field, "must not be there twice").into());
        }
        ids.push(id);
    }
    let action = match action {
        BatchAction::Complete => Action::Complete,
        BatchAction::Delete => Action::Delete,
        BatchAction::Reopen => Action::Update(Box::new(Patch { status: Some(Status::Pending), ..Patch::default() })),
        BatchAction::Update | BatchAction::Unspecified => {
            Action::Update(Box::new(convert::patch(request.task.unwrap_or_default(), request.update_mask.as_ref())))
        }
    };
    Ok((ids, action))
}

/// What is wrong with the new values, by where the request has them.
fn within_task(mut error: Error) -> Error {
    for violation in &mut error.violations {
        violation.field.insert_str(0, "task.");
    }
    error
}

/// Refuses what was not shown, or not just now.
fn check(core: &Core, write: &Write, offered: &[u8], tasks: &[Task], confirmed: &str) -> Result<(), Error> {
    let expires_at = confirmed.split_once('.').and_then(|(seconds, _)| seconds.parse().ok());
    let expires_at = expires_at
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| Violation::new("confirm_token", "must be from the answer to the same request without it"))?;
    if expires_at <= write.now {
        return Err(Violation::new("confirm_token", "has expired; ask without it again").into());
    }
    // Compared in a time that tells nothing: both are hashes of a secret.
    if secret::hash(&token(core, write, offered, tasks, expires_at)) == secret::hash(confirmed) {
        return Ok(());
    }
    Err(Error::new(
        Reason::RevisionConflict,
        "this is not what was shown: a task has changed since; ask again and look",
    ))
}

fn token(core: &Core, write: &Write, offered: &[u8], tasks: &[Task], expires_at: DateTime<Utc>) -> String {
    let seconds = expires_at.timestamp();
    let revisions: Vec<_> = tasks.iter().map(|task| task.content_revision).collect();
    let text = format!("batch\0{}\0{seconds}\0{}\0{revisions:?}", write.user_id, secret::hex(offered));
    format!("{seconds}.{}", secret::hex(&secret::mac(&core.keys.secret(), &text)))
}
