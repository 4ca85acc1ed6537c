//! The daprd beside a role, and who is reached by it.

use std::time::Duration;

use todo_proto::v1::{
    ListDueRequest, ListTasksRequest, SendMessageRequest, chat_service_client::ChatServiceClient,
    due_service_client::DueServiceClient, task_service_client::TaskServiceClient,
};
use todo_sidecar::{
    ApiChannel, DaprSidecar, Sidecar as _,
    dapr::{Metadata, Options},
};
use tonic::{Code, Request, Status};

use super::{Report, State};
use crate::{
    cli::Examined,
    role::{Peers, scheduler_answers},
    trust::Trusted,
};

/// How long another app may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the daprd: whether it is the role's own, finds the app, and has the role's components. Says whether it
/// answers.
pub(super) async fn daprd(
    report: &mut Report,
    role: Examined,
    dapr: &DaprSidecar,
    options: &Options,
    app_port: Option<u16>,
) -> bool {
    let address = &options.address;
    let found = match dapr.metadata().await {
        Ok(found) => found,
        Err(error) => {
            let said = error.to_string();
            let mend = if said.contains("Unauthenticated") {
                "give daprd and the role the same DAPR_API_TOKEN"
            } else {
                "start it, or say where it is (--dapr-grpc-port, DAPR_GRPC_PORT)"
            };
            report.failed("sidecar", format!("daprd does not answer at {address}: {said}: {mend}"));
            return false;
        }
    };
    if found.id == role.name() {
        report.ok("sidecar", format!("daprd {} at {address}, app id {}", found.version, found.id));
    } else {
        let mend = format!("start it by --app-id {}, or name another (--dapr-grpc-port, DAPR_GRPC_PORT)", role.name());
        report.failed("sidecar", format!("the daprd at {address} is that of the app {:?}: {mend}", found.id));
    }
    app(report, role, &found, app_port);
    for (name, kind, setting) in wanted(role, options) {
        component(report, role, &found, name, kind, setting);
    }
    true
}

/// Whether daprd finds the app.
fn app(report: &mut Report, role: Examined, found: &Metadata, own: Option<u16>) {
    match (found.app_port, own) {
        (None, None) if role == Examined::Gateway => report.ok("app port", "none, and the gateway needs none"),
        (None, None) => report.failed("app port", "set APP_PORT (--app-port), and start daprd by the same --app-port"),
        (Some(port), None) => report.failed("app port", format!("set APP_PORT (--app-port) to {port}, where daprd looks")),
        (None, Some(port)) => report.failed("app port", format!("start daprd by --app-port {port}")),
        (Some(there), Some(own)) if there != own => {
            let mend = format!("start daprd by --app-port {own}, or set APP_PORT to {there}");
            report.failed("app port", format!("daprd looks for the app at port {there}, APP_PORT is {own}: {mend}"));
        }
        (Some(port), Some(_)) if !found.app_health => report.degraded(
            "app port",
            format!("{port}, without health: start daprd by --enable-app-health-check, or events that come while the database is away become dead letters"),
        ),
        (Some(port), Some(_)) => report.ok("app port", format!("{port}, with health")),
    }
}

/// The components that a role uses: name, kind, and the setting that names it.
fn wanted(role: Examined, options: &Options) -> Vec<(&str, &'static str, Option<&'static str>)> {
    let pubsub = (options.pubsub.as_str(), "pubsub.", Some("PUBSUB_NAME"));
    let state = (options.state_store.as_str(), "state.", Some("STATESTORE_NAME"));
    let secrets = (options.secret_store.as_str(), "secretstores.", Some("SECRETSTORE_NAME"));
    match role {
        Examined::Backend => vec![pubsub, secrets],
        Examined::Scheduler => {
            let cron = todo_scheduler::BINDINGS.iter().map(|name| (*name, "bindings.cron", None));
            [pubsub, state, secrets].into_iter().chain(cron).collect()
        }
        Examined::Assistant => vec![secrets],
        Examined::Gateway | Examined::All => Vec::new(),
    }
}

/// Whether daprd has a component, of this kind.
fn component(report: &mut Report, role: Examined, found: &Metadata, name: &str, kind: &str, setting: Option<&str>) {
    let check = format!("component {name}");
    let known = found.components.iter().find(|component| component.name == name);
    match known {
        Some(component) if component.kind.starts_with(kind) => return report.ok(&check, component.kind.as_str()),
        Some(component) => {
            let mend = setting.map_or_else(|| "give it another name".to_owned(), |setting| format!("mend {setting}"));
            return report.failed(&check, format!("it is {}, not {kind}*: {mend}", component.kind));
        }
        None => {}
    }
    let alike: Vec<_> =
        found.components.iter().filter(|it| it.kind.starts_with(kind)).map(|it| it.name.as_str()).collect();
    let others =
        if alike.is_empty() { format!("no {kind}* at all") } else { format!("of {kind}* only {}", alike.join(", ")) };
    let named = setting.map_or_else(String::new, |setting| format!("set {setting}, or "));
    let mend = format!("{named}add it to daprd's components, with {} among its scopes", role.name());
    report.failed(&check, format!("daprd has {others}: {mend}"));
}

/// Whether the others are reached, and believe the role.
pub(super) async fn peers(
    report: &mut Report,
    role: Examined,
    dapr: &DaprSidecar,
    trusted: Option<&Trusted>,
    peers: Peers,
) {
    match (role, trusted) {
        (Examined::Gateway, _) => {
            let urls = [
                ("backend", "BACKEND_URL", peers.backend.is_some()),
                ("assistant", "ASSISTANT_URL", peers.assistant.is_some()),
            ];
            for (channel, (name, setting, direct)) in peers.channels(dapr).into_iter().zip(urls) {
                let mend =
                    if direct { format!("mend {setting}") } else { format!("start its daprd, or set {setting}") };
                peer(report, name, channel, &mend).await;
            }
        }
        (Examined::Assistant, _) => peer(report, "backend", dapr.app("backend"), "start its daprd").await,
        (Examined::Backend, Some(trusted)) => internal(report, "scheduler", scheduler_answers(trusted).await),
        (Examined::Scheduler, Some(trusted)) => {
            let request =
                ListDueRequest { until: Some(prost_types::Timestamp::default()), ..ListDueRequest::default() };
            let answer = DueServiceClient::new(trusted.app("backend")).list_due(timed(request)).await;
            let answer =
                answer.map(drop).map_err(|status| format!("the backend does not answer: {}", status.message()));
            internal(report, "backend", answer);
        }
        (_, _) => {}
    }
}

/// Without the backend nothing goes, without the assistant all but the chat.
async fn peer(report: &mut Report, name: &str, channel: ApiChannel, mend: &str) {
    let state = if name == "backend" { State::Failed } else { State::Degraded };
    match reached(name, channel).await {
        Ok(()) => report.ok(name, "it answers"),
        Err(error) => report.note(state, name, format!("it does not answer: {error}: start it, {mend}")),
    }
}

fn internal(report: &mut Report, name: &str, answer: Result<(), String>) {
    match answer {
        Ok(()) => report.ok(name, "reached by daprd, and takes the internal-token"),
        // What `trust` says to those who show no token that it knows.
        Err(error) if error.contains("the system's own parts") => {
            report.degraded(name, "it refuses the internal-token: give both roles the same secret, and wait a minute");
        }
        Err(error) => report.degraded(name, format!("{error}: start it with its daprd")),
    }
}

/// Whether the backend, or the assistant, serves there: then it wants a token to be shown.
async fn reached(name: &str, channel: ApiChannel) -> Result<(), String> {
    let answer = if name == "assistant" {
        ChatServiceClient::new(channel).send_message(timed(SendMessageRequest::default())).await.map(drop)
    } else {
        TaskServiceClient::new(channel).list_tasks(timed(ListTasksRequest::default())).await.map(drop)
    };
    answer.or_else(|status| if status.code() == Code::Unauthenticated { Ok(()) } else { Err(said(&status)) })
}

fn said(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

fn timed<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}
