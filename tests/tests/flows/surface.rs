//! One call, through any of the three surfaces, with an answer that compares.

use reqwest::Method;
use serde_json::{Map, Value, json};
use todo_proto::{
    json as mapping,
    v1::{
        self, auth_service_client::AuthServiceClient, notification_service_client::NotificationServiceClient,
        task_service_client::TaskServiceClient,
    },
};
use todo_runtime::status;
use todo_tests::{rest::Rest, web};
use tonic::{Status, transport::Channel};
use tonic_types::StatusExt as _;

/// What can be called, with its path and whether it takes its request as query, body, or neither.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rpc {
    SignUp,
    SignIn,
    Me,
    UpdateMe,
    Create,
    Get,
    List,
    Update,
    Complete,
    Delete,
    Undo,
    Preview,
    Parse,
    Tags,
    Counts,
    Notifications,
    MarkRead,
    MarkAllRead,
    Snooze,
}

/// Through what it is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    Rest,
    Grpc,
    GrpcWeb,
}

impl Surface {
    pub(crate) const ALL: [Self; 3] = [Self::Rest, Self::Grpc, Self::GrpcWeb];
}

/// An answer: the message, or the reason with the fields that it names, in order.
pub(crate) type Outcome = Result<Value, (String, Vec<String>)>;

/// A request: `id` names what it is about, `body` is the rest, as JSON in the shape of the contract.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) rpc: Rpc,
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn new(rpc: Rpc, id: &str, body: Value) -> Self {
        Self { rpc, id: id.to_owned(), body }
    }

    /// Makes the call.
    pub(crate) async fn on(&self, surface: Surface, user: &Rest, channel: &Channel) -> Outcome {
        match surface {
            Surface::Rest => self.rest(user).await,
            Surface::Grpc => self.grpc(user, channel).await.map_err(|status| refused(&status)),
            Surface::GrpcWeb => self.web(user).await.map_err(|status| refused(&status)),
        }
    }

    async fn rest(&self, user: &Rest) -> Outcome {
        let id = &self.id;
        let (method, path) = match self.rpc {
            Rpc::SignUp => (Method::POST, "/api/auth/signup".to_owned()),
            Rpc::SignIn => (Method::POST, "/api/auth/signin".to_owned()),
            Rpc::Me => (Method::GET, "/api/auth/me".to_owned()),
            Rpc::UpdateMe => (Method::PATCH, "/api/auth/me".to_owned()),
            Rpc::Create => (Method::POST, "/api/tasks".to_owned()),
            Rpc::Get => (Method::GET, format!("/api/tasks/{id}")),
            Rpc::List => (Method::GET, format!("/api/tasks?{}", query(&self.body))),
            Rpc::Update => (Method::PATCH, format!("/api/tasks/{id}")),
            Rpc::Complete => (Method::POST, format!("/api/tasks/{id}/complete")),
            Rpc::Delete => (Method::DELETE, format!("/api/tasks/{id}")),
            Rpc::Undo => (Method::POST, format!("/api/changes/{id}/undo")),
            Rpc::Preview => (Method::POST, "/api/recurrence/preview".to_owned()),
            Rpc::Parse => (Method::POST, "/api/tasks/parse".to_owned()),
            Rpc::Tags => (Method::GET, "/api/tags".to_owned()),
            Rpc::Counts => (Method::GET, "/api/tasks/counts".to_owned()),
            Rpc::Notifications => (Method::GET, format!("/api/notifications?{}", query(&self.body))),
            Rpc::MarkRead => (Method::POST, format!("/api/notifications/{id}/read")),
            Rpc::MarkAllRead => (Method::POST, "/api/notifications/read-all".to_owned()),
            Rpc::Snooze => (Method::POST, format!("/api/notifications/{id}/snooze")),
        };
        let takes_body = !matches!(self.rpc, Rpc::List | Rpc::Notifications);
        let body = Some(&self.body).filter(|body| takes_body && !body.is_null());
        let answer = user.send(method, &path, &[], body).await;
        if answer.status.is_success() {
            return Ok(if answer.body.is_null() { json!({}) } else { answer.body });
        }
        let fields = answer.fields().into_iter().map(ToOwned::to_owned).collect();
        Err((answer.body["error"]["code"].as_str().unwrap_or_default().to_owned(), fields))
    }
}

/// Says the same rpcs through generated clients and through gRPC-web.
macro_rules! rpcs {
    ($($rpc:ident: $client:ty, $method:ident, $path:literal, $request:ty => $answer:ty;)+) => {
        impl Call {
            async fn grpc(&self, user: &Rest, channel: &Channel) -> Result<Value, Status> {
                match self.rpc {
                    $(Rpc::$rpc => {
                        let request = user.call(self.message::<$request>());
                        Ok(shown(&<$client>::new(channel.clone()).$method(request).await?.into_inner()))
                    })+
                }
            }

            async fn web(&self, user: &Rest) -> Result<Value, Status> {
                match self.rpc {
                    $(Rpc::$rpc => {
                        let path = concat!("/todo.v1.", $path);
                        let answer: $answer = web::call(user, path, &self.message::<$request>()).await?;
                        Ok(shown(&answer))
                    })+
                }
            }
        }
    };
}

type Accounts = AuthServiceClient<Channel>;
type Tasks = TaskServiceClient<Channel>;
type Inbox = NotificationServiceClient<Channel>;

rpcs! {
    SignUp: Accounts, sign_up, "AuthService/SignUp", v1::SignUpRequest => v1::Session;
    SignIn: Accounts, sign_in, "AuthService/SignIn", v1::SignInRequest => v1::Session;
    Me: Accounts, get_me, "AuthService/GetMe", v1::GetMeRequest => v1::User;
    UpdateMe: Accounts, update_me, "AuthService/UpdateMe", v1::UpdateMeRequest => v1::User;
    Create: Tasks, create_task, "TaskService/CreateTask", v1::CreateTaskRequest => v1::Task;
    Get: Tasks, get_task, "TaskService/GetTask", v1::GetTaskRequest => v1::Task;
    List: Tasks, list_tasks, "TaskService/ListTasks", v1::ListTasksRequest => v1::ListTasksResponse;
    Update: Tasks, update_task, "TaskService/UpdateTask", v1::UpdateTaskRequest => v1::Task;
    Complete: Tasks, complete_task, "TaskService/CompleteTask", v1::CompleteTaskRequest => v1::Task;
    Delete: Tasks, delete_task, "TaskService/DeleteTask", v1::DeleteTaskRequest => ();
    Undo: Tasks, undo_change, "TaskService/UndoChange", v1::UndoChangeRequest => v1::UndoChangeResponse;
    Preview: Tasks, preview_occurrences, "TaskService/PreviewOccurrences",
        v1::PreviewOccurrencesRequest => v1::PreviewOccurrencesResponse;
    Parse: Tasks, parse_task, "TaskService/ParseTask", v1::ParseTaskRequest => v1::ParseTaskResponse;
    Tags: Tasks, list_tags, "TaskService/ListTags", v1::ListTagsRequest => v1::ListTagsResponse;
    Counts: Tasks, get_task_counts, "TaskService/GetTaskCounts", v1::GetTaskCountsRequest => v1::TaskCounts;
    Notifications: Inbox, list_notifications, "NotificationService/ListNotifications",
        v1::ListNotificationsRequest => v1::ListNotificationsResponse;
    MarkRead: Inbox, mark_read, "NotificationService/MarkRead", v1::MarkReadRequest => ();
    MarkAllRead: Inbox, mark_all_read, "NotificationService/MarkAllRead", v1::MarkAllReadRequest => ();
    Snooze: Inbox, snooze, "NotificationService/Snooze", v1::SnoozeRequest => v1::Notification;
}

impl Call {
    /// The request as its message.
    fn message<M: prost::Message + prost::Name + Default>(&self) -> M {
        let body = if self.body.is_null() { json!({}) } else { self.body.clone() };
        let mask = || body.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(",");
        let with_id = || {
            let mut body = body.clone();
            body["id"] = json!(self.id);
            body
        };
        let request = match self.rpc {
            Rpc::Create => json!({ "task": body }),
            Rpc::Update => json!({ "task": with_id(), "update_mask": mask() }),
            Rpc::UpdateMe => json!({ "user": body, "update_mask": mask() }),
            Rpc::Undo => json!({ "revision": self.id.parse::<i64>().expect("a revision") }),
            Rpc::Get | Rpc::Complete | Rpc::Delete | Rpc::MarkRead | Rpc::Snooze => with_id(),
            _ => body,
        };
        mapping::read(&request).unwrap_or_else(|wrong| panic!("{request}: {wrong:?}"))
    }
}

fn shown<M: prost::Message + prost::Name>(message: &M) -> Value {
    mapping::of(message)
}

/// The reason of a status and the fields that it names.
pub(crate) fn refused(status: &Status) -> (String, Vec<String>) {
    let reason = status::reason(status).unwrap_or_else(|| panic!("no reason: {status:?}"));
    let violations = status.get_details_bad_request().into_iter().flat_map(|bad| bad.field_violations);
    (reason, violations.map(|violation| violation.field).collect())
}

/// A request as a query: lists repeat their key.
fn query(body: &Value) -> String {
    let fields = body.as_object().cloned().unwrap_or_else(Map::new);
    let pairs = fields.iter().flat_map(|(name, value)| match value {
        Value::Array(values) => values.iter().map(|value| (name, value.clone())).collect(),
        value => vec![(name, value.clone())],
    });
    let pairs = pairs.map(|(name, value)| format!("{name}={}", encoded(&value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A value, percent-encoded (RFC 3986) as far as letters and digits go.
fn encoded(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}
