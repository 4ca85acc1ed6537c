//! `todo doctor`: looks at all that a role needs, by the settings and the code of the role itself, and says what to mend.
//! It changes nothing.

mod data;
mod sidecar;

use std::{net::SocketAddr, sync::Arc};

use todo_assistant::model::{self, Model};
use todo_domain::Clock;
use todo_runtime::access::Keys;
use todo_sidecar::{
    DaprSidecar, Error, LocalSidecar, Secret,
    local::{Location, Options as Local},
};

use crate::{
    all,
    cli::Examined,
    database::Database,
    ready, role,
    secrets::{DATABASE, INTERNAL, JWT, LLM, Secrets, VAPID, missing, vapid},
    trust::{InternalToken, Trusted},
};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Ok,
    /// It goes on, with less.
    Degraded,
    /// It does not.
    Failed,
}

/// What was found, in the order in which it was looked at.
#[derive(Debug, Default)]
pub struct Report(Vec<(State, String, String)>);

impl Report {
    fn note(&mut self, state: State, name: &str, said: impl Into<String>) {
        self.0.push((state, name.to_owned(), said.into()));
    }

    fn ok(&mut self, name: &str, said: impl Into<String>) {
        self.note(State::Ok, name, said);
    }

    fn degraded(&mut self, name: &str, said: impl Into<String>) {
        self.note(State::Degraded, name, said);
    }

    fn failed(&mut self, name: &str, said: impl Into<String>) {
        self.note(State::Failed, name, said);
    }

    /// Prints one line for each check.
    ///
    /// # Errors
    /// A sentence, when something failed.
    pub fn print(self) -> Result<(), String> {
        for (state, name, said) in &self.0 {
            let state = match state {
                State::Ok => "ok",
                State::Degraded => "degraded",
                State::Failed => "failed",
            };
            println!("{state:<9} {name}: {}", said.replace(char::is_control, " "));
        }
        match self.0.iter().filter(|(state, ..)| *state == State::Failed).count() {
            0 => Ok(()),
            failed => Err(format!("{failed} of {} checks failed", self.0.len())),
        }
    }
}

/// What is looked at besides a role's own options.
#[derive(Debug)]
pub struct Around {
    /// Where the role listens.
    pub listen: SocketAddr,
    /// The language model, if one was chosen.
    pub model: Option<model::Options>,
    /// Whether to ask it.
    pub ask_model: bool,
}

/// Looks at `todo all`.
pub async fn all(options: all::Options, around: Around, clock: &Arc<dyn Clock>) -> Report {
    let mut report = Report::default();
    data::directory(&mut report, &options.data_dir);
    let file = options.data_dir.join("secrets.json");
    let mut local = Local::new(Location::Temporary, Arc::clone(clock));
    local.secrets = all::sources(options.environment, file.clone());
    match LocalSidecar::open(local).await {
        Ok(sidecar) => {
            let secrets =
                Secrets::new(sidecar.handle("backend"), Arc::new(|_| None), todo_runtime::health::Health::default());
            // Those that are missing are made at the start.
            look(&mut report, &secrets, JWT, Without::Made, |secret| Keys::parse(secret.expose()).map(drop)).await;
            look(&mut report, &secrets, VAPID, Without::Made, |secret| vapid(secret).map(drop)).await;
            model(&mut report, &secrets, around.model, around.ask_model).await;
        }
        Err(error) => report.failed("secrets", format!("no scratch directory can be made (TMPDIR): {error}")),
    }
    let database = options.database.unwrap_or_else(|| Database::Sqlite(options.data_dir.join("todo.db")));
    data::database(&mut report, &database, clock.as_ref()).await;
    ready(&mut report, "todo all", around.listen).await;
    report
}

/// Looks at a role beside a daprd. `app_port` is where it listens for it.
pub async fn role(
    role: Examined,
    options: role::Options,
    peers: role::Peers,
    app_port: Option<u16>,
    around: Around,
    clock: &dyn Clock,
) -> Report {
    let mut report = Report::default();
    let dapr = match DaprSidecar::new(options.sidecar.clone()) {
        Ok(dapr) => dapr,
        Err(error) => {
            report.failed("sidecar", format!("{error} (--dapr-grpc-port, DAPR_GRPC_PORT; DAPR_API_TOKEN)"));
            return report;
        }
    };
    let there = sidecar::daprd(&mut report, role, &dapr, &options.sidecar, app_port).await;
    let secrets = Secrets::new(Arc::new(dapr.clone()), options.environment, todo_runtime::health::Health::default());
    let mut token = None;
    if role != Examined::Gateway {
        let secret = look(&mut report, &secrets, INTERNAL, Without::Failed, |secret| {
            InternalToken::parse(secret.expose()).map(drop)
        });
        token = secret.await.and_then(|secret| InternalToken::parse(secret.expose()).ok());
    }
    if role == Examined::Backend {
        look(&mut report, &secrets, JWT, Without::Failed, |secret| Keys::parse(secret.expose()).map(drop)).await;
        look(&mut report, &secrets, VAPID, Without::Less("no reminder is pushed to browsers"), |secret| {
            vapid(secret).map(drop)
        })
        .await;
        let url = look(&mut report, &secrets, DATABASE, Without::Failed, |secret| Database::of(secret).map(drop)).await;
        if let Some(database) = url.and_then(|url| Database::of(&url).ok()) {
            data::database(&mut report, &database, clock).await;
        }
    }
    if role == Examined::Assistant {
        model(&mut report, &secrets, around.model, around.ask_model).await;
    }
    if there || role == Examined::Gateway {
        let trusted = token.map(|token| Trusted { sidecar: Arc::new(dapr.clone()), token });
        sidecar::peers(&mut report, role, &dapr, trusted.as_ref(), peers).await;
    }
    ready(&mut report, &format!("todo {}", role.name()), around.listen).await;
    report
}

/// What a missing secret means.
enum Without {
    /// The role does not start.
    Failed,
    /// The first start makes it.
    Made,
    /// This.
    Less(&'static str),
}

/// Looks at a secret as the role reads it.
async fn look(
    report: &mut Report,
    secrets: &Secrets,
    name: &str,
    without: Without,
    read: impl Fn(&Secret) -> Result<(), String>,
) -> Option<Secret> {
    let check = format!("secret {name}");
    match (secrets.look(name).await, without) {
        (Ok(secret), _) => match read(&secret) {
            Ok(()) => {
                report.ok(&check, "there, and as it should be");
                return Some(secret);
            }
            Err(error) => report.failed(&check, format!("{error}: mend it where it is kept")),
        },
        (Err(Error::NotFound), Without::Failed) => report.failed(&check, missing(name)),
        (Err(Error::NotFound), Without::Made) => report.ok(&check, "the first start makes it"),
        (Err(Error::NotFound), Without::Less(less)) => report.ok(&check, format!("not set: {less}")),
        (Err(error), Without::Failed | Without::Less(_)) => {
            let why =
                format!("the secret store does not answer ({error}): mend SECRETSTORE_NAME, SECRET_GROUP or the store");
            report.failed(&check, why);
        }
        (Err(error), Without::Made) => report.failed(&check, format!("{error}: mend secrets.json")),
    }
    None
}

/// Looks at the language model, and asks it if that is wanted.
async fn model(report: &mut Report, secrets: &Secrets, options: Option<model::Options>, ask: bool) {
    let Some(options) = options else {
        report.ok("model", "none (LLM_MODEL): the built-in grammar answers");
        return;
    };
    let name = options.model.clone();
    let key = model::Key::default();
    let less = Without::Less("the provider is shown no key");
    look(report, secrets, LLM, less, |secret| key.replace(secret.expose())).await;
    match Model::new(options, key) {
        Err(error) => report.failed("model", error),
        Ok(_) if !ask => report.ok("model", format!("{name} (todo doctor --model asks it)")),
        Ok(model) => match model.ping().await {
            Ok(()) => report.ok("model", format!("{name} answers")),
            Err(error) => report.degraded(
                "model",
                format!("{name} does not answer, so the built-in grammar does: {error}: mend LLM_BASE_URL, LLM_MODEL or {LLM}"),
            ),
        },
    }
}

/// Looks at what the process itself says, if it runs.
async fn ready(report: &mut Report, command: &str, listen: SocketAddr) {
    let asked = tokio::task::spawn_blocking(move || ready::ask(listen)).await;
    let (serves, said) = match asked.map_err(|error| error.to_string()).flatten() {
        Ok(answer) => answer,
        Err(error) => return report.degraded("running", format!("{error}: start it by `{command}`")),
    };
    let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    let Some(checks) = said["checks"].as_object() else {
        return report
            .failed("running", format!("what answers at {listen} is no `{command}`: mend --listen (LISTEN_ADDR)"));
    };
    let state = if serves { State::Degraded } else { State::Failed };
    for (name, said) in checks.iter().filter(|(_, said)| *said != "ok") {
        report.note(state, &format!("running, {name}"), said.as_str().unwrap_or_default());
    }
    if checks.values().all(|said| said == "ok") {
        report.ok("running", format!("`{command}` is ready at {listen}"));
    }
}
