//! One call of a tool.

use std::{fmt, time::Duration};

use chrono::Weekday;
use chrono_tz::Tz;
use prost::{Message as _, Name};
use serde_json::{Map, Value, json};
use todo_domain::zone;
use todo_proto::{
    json::{self, Options},
    v1::{self, GetMeRequest, User, auth_service_client::AuthServiceClient, task_service_client::TaskServiceClient},
};
use todo_runtime::status::reason;
use todo_sidecar::ApiChannel;
use tokio::time::Instant;
use tonic::{Request, Status, metadata::MetadataMap};
use tonic_types::StatusExt as _;

use crate::table::{Rpc, Tool};

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// For whom tools are called.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// Of each call: who it is, and which request it comes from.
    pub metadata: MetadataMap,
    /// The time zone, where it is known; it is asked for otherwise.
    pub zone: Option<Tz>,
}

/// The tools, over a channel to the public services.
#[derive(Clone, Debug)]
pub struct Tools {
    channel: ApiChannel,
}

/// What a tool did.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// Its result.
    pub data: Value,
    /// The change that it made, by which it can be undone; absent if nothing changed.
    pub revision: Option<i64>,
}

/// Why a tool did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error.
    pub code: Code,
    /// For people and models: each field that is wrong and what it takes.
    pub message: String,
    /// The backend's reason for it, where it was the backend.
    pub reason: Option<String>,
}

/// Kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The arguments, or what they ask for as things are.
    ValidationError,
    /// There is no such thing of the caller's.
    NotFound,
    /// The token is not good for this.
    AccessDenied,
    /// The tasks cannot be reached, or something went wrong on our side.
    DatabaseError,
}

impl Code {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::ValidationError, Self::NotFound, Self::AccessDenied, Self::DatabaseError];

    /// As clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationError => "VALIDATION_ERROR",
            Self::NotFound => "NOT_FOUND",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::DatabaseError => "DATABASE_ERROR",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What clients get: `{success,data,error,error_code}`.
#[must_use]
pub fn result(done: &Result<Done, Failure>) -> Value {
    match done {
        Ok(Done { data, .. }) => json!({ "success": true, "data": data, "error": null, "error_code": null }),
        Err(Failure { code, message, .. }) => {
            json!({ "success": false, "data": null, "error": message, "error_code": code.as_str() })
        }
    }
}

impl Tools {
    /// Over any channel.
    #[must_use]
    pub fn new(channel: ApiChannel) -> Self {
        Self { channel }
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// What was wrong.
    pub async fn call(&self, tool: &Tool, arguments: Map<String, Value>, caller: &Caller) -> Result<Done, Failure> {
        let since = Instant::now();
        let done = self.answer(tool, arguments, caller).await;
        let code = done.as_ref().err().map(|failure| failure.code.as_str());
        tracing::info!(tool.name, error.code = code, duration.us = since.elapsed().as_micros(), "tool called");
        done
    }

    async fn answer(&self, tool: &Tool, arguments: Map<String, Value>, caller: &Caller) -> Result<Done, Failure> {
        let id = arguments.get("id").cloned();
        let json =
            tool.request(arguments).map_err(|wrong| invalid(wrong.iter().map(|(field, what)| (&**field, *what))))?;
        let json = &json;
        let failed = |status: Status| Failure::from_status(&status, tool.prefix());
        // A page of 1,000 tasks may be larger than the 4 MiB that tonic takes by default, and the backend is ours.
        let mut tasks = TaskServiceClient::new(self.channel.clone()).max_decoding_message_size(usize::MAX);
        macro_rules! ask {
            ($rpc:ident) => {{
                let request = self.request(tool, json, caller).await?;
                let answer = tasks.$rpc(request).await.map_err(failed)?;
                Done { data: json::of(answer.get_ref()), revision: revision(answer.metadata()) }
            }};
        }
        Ok(match tool.rpc {
            Rpc::CreateTask => ask!(create_task),
            Rpc::ListTasks => ask!(list_tasks),
            Rpc::GetTask => ask!(get_task),
            Rpc::UpdateTask => ask!(update_task),
            Rpc::CompleteTask => ask!(complete_task),
            Rpc::BatchChange => ask!(batch_change),
            Rpc::UndoChange => ask!(undo_change),
            Rpc::PreviewOccurrences => ask!(preview_occurrences),
            Rpc::ListTags => ask!(list_tags),
            Rpc::DeleteTask => {
                let request = self.request(tool, json, caller).await?;
                match tasks.delete_task(request).await.map_err(failed) {
                    Ok(done) => {
                        let revision = revision(done.metadata());
                        Done { data: json!({ "id": id, "deleted": true, "revision": revision }), revision }
                    }
                    Err(Failure { code: Code::NotFound, .. }) => {
                        Done { data: json!({ "id": id, "deleted": false, "revision": null }), revision: None }
                    }
                    Err(failure) => return Err(failure),
                }
            }
        })
    }

    /// Reads a request, in the caller's zone where a time has no offset.
    async fn request<M: prost::Message + Name + Default>(
        &self,
        tool: &Tool,
        json: &Value,
        caller: &Caller,
    ) -> Result<Request<M>, Failure> {
        let descriptor = json::descriptor::<M>();
        let mut reading = json::readable(&descriptor, json, &Options::request(None));
        if reading.needs_zone {
            let zone = self.zone(caller).await.map_err(|status| Failure::from_status(&status, ""))?;
            let resolve = |local| zone::resolve(zone, local);
            reading = json::readable(&descriptor, json, &Options::request(Some(&resolve)));
        }
        if !reading.violations.is_empty() {
            let wrong = reading.violations.iter();
            return Err(invalid(wrong.map(|wrong| (relative(&wrong.field, tool.prefix()), &*wrong.message))));
        }
        let message = M::decode(reading.message.encode_to_vec().as_slice())
            .expect("the generated code and the descriptors come from the same files");
        Ok(with(caller, message))
    }

    async fn zone(&self, caller: &Caller) -> Result<Tz, Status> {
        if let Some(zone) = caller.zone {
            return Ok(zone);
        }
        Ok(zone_of(&self.account(caller).await?.time_zone))
    }

    /// Whose tasks they are.
    ///
    /// # Errors
    /// The backend's.
    pub async fn account(&self, caller: &Caller) -> Result<User, Status> {
        let mut accounts = AuthServiceClient::new(self.channel.clone());
        Ok(accounts.get_me(with(caller, GetMeRequest {})).await?.into_inner())
    }
}

fn revision(metadata: &MetadataMap) -> Option<i64> {
    metadata.get("x-revision")?.to_str().ok()?.parse().ok()
}

/// A zone that the backend knows and we do not would be a newer version's; UTC is then as good as any.
pub(crate) fn zone_of(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// A backend of an older version says none.
pub(crate) fn weekday_of(day: v1::Weekday) -> Weekday {
    u8::try_from(i32::from(day) - 1).ok().and_then(|days| Weekday::try_from(days).ok()).unwrap_or(Weekday::Mon)
}

pub(crate) fn with<M>(caller: &Caller, message: M) -> Request<M> {
    let mut request = Request::from_parts(caller.metadata.clone(), tonic::Extensions::new(), message);
    request.set_timeout(TIMEOUT);
    request
}

/// A field as the arguments call it.
fn relative<'a>(field: &'a str, prefix: &str) -> &'a str {
    field.strip_prefix(prefix).unwrap_or(field)
}

fn invalid<'a>(wrong: impl Iterator<Item = (&'a str, &'a str)>) -> Failure {
    let sentences = wrong.map(|(field, what)| format!("{field} {what}").trim_start().to_owned());
    Failure { code: Code::ValidationError, message: sentences.collect::<Vec<_>>().join("; "), reason: None }
}

impl Failure {
    /// The backend's error; `prefix` is what it calls the arguments.
    #[must_use]
    pub fn from_status(status: &Status, prefix: &str) -> Self {
        let code = match status.code() {
            tonic::Code::NotFound => Code::NotFound,
            tonic::Code::PermissionDenied | tonic::Code::Unauthenticated => Code::AccessDenied,
            tonic::Code::InvalidArgument
            | tonic::Code::FailedPrecondition
            | tonic::Code::OutOfRange
            | tonic::Code::AlreadyExists
            | tonic::Code::Aborted => Code::ValidationError,
            _ => Code::DatabaseError,
        };
        let reason = reason(status);
        if reason.is_none() {
            // What was not said by our own code may say too much.
            tracing::warn!(code = ?status.code(), error = status.message(), "the backend failed");
            let message = match code {
                Code::DatabaseError => "the tasks cannot be reached right now, please try again",
                _ => "this was refused",
            };
            return Self { code, message: message.to_owned(), reason };
        }
        match status.get_details_bad_request() {
            Some(bad) if !bad.field_violations.is_empty() => {
                invalid(bad.field_violations.iter().map(|wrong| (relative(&wrong.field, prefix), &*wrong.description)))
            }
            _ => Self { code, message: status.message().to_owned(), reason },
        }
    }
}
