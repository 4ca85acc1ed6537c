//! Where a system is measured: its directory, its database, the people in it.

use std::sync::Arc;

use chrono::{TimeDelta, Weekday};
use todo::database::Database;
use todo_backend::store::Profile;
use todo_domain::{Clock, Ids};
use todo_proto::v1::{event_service_client::EventServiceClient, task_service_client::TaskServiceClient};
use todo_runtime::{
    access::Keys,
    system::{SystemClock, SystemIds},
};
use todo_test_postgres::Postgres;
use todo_tests::{
    rest::Rest,
    system::{Ground, Setup, System},
};
use tonic::{
    Request,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::{
    Kind, Plan, Result,
    database::{self, Connection},
};

/// The kind of a user's id, see [`database::id`].
pub(crate) const USER: u16 = 1;

/// A place for a system; what is in it outlives restarts.
pub(crate) struct Stage {
    setup: Setup,
    /// `None` on SQLite.
    pub(crate) postgres: Option<Arc<Postgres>>,
}

impl Stage {
    /// On a SQLite file.
    pub(crate) fn sqlite() -> Self {
        Self { setup: Setup::new(), postgres: None }
    }

    /// On a Postgres of its own that forces commits to disk, if one is installed.
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self::on(Postgres::start_durable()?))
    }

    /// On a Postgres server of its own that forces commits to disk and remembers when each was, if one is installed.
    pub(crate) fn dated() -> Option<Self> {
        let postgres = Postgres::start_own(todo_test_dapr::free_port())?;
        // It is read at the start only.
        postgres.sql("ALTER SYSTEM SET track_commit_timestamp = on");
        postgres.kill();
        postgres.restart();
        Some(Self::on(postgres))
    }

    fn on(postgres: Postgres) -> Self {
        let postgres = Arc::new(postgres);
        let setup = Setup::new().on(Ground::Postgres(Arc::clone(&postgres)));
        Self { setup, postgres: Some(postgres) }
    }

    /// On every database that is wanted and there.
    pub(crate) fn every(plan: Plan) -> Vec<Self> {
        Self::each(plan, Self::postgres)
    }

    /// The same, with a Postgres that dates commits.
    pub(crate) fn every_dated(plan: Plan) -> Vec<Self> {
        Self::each(plan, Self::dated)
    }

    fn each(plan: Plan, postgres: fn() -> Option<Self>) -> Vec<Self> {
        let wants = |kind| plan.database.is_none_or(|only| only == kind);
        let sqlite = wants(Kind::Sqlite).then(Self::sqlite);
        sqlite.into_iter().chain(wants(Kind::Postgres).then(postgres).flatten()).collect()
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &'static str {
        if self.postgres.is_some() { "Postgres" } else { "SQLite" }
    }

    /// The database.
    pub(crate) fn database(&self) -> Database {
        match &self.postgres {
            Some(postgres) => Database::Postgres(postgres.url()),
            None => Database::Sqlite(self.setup.directory.path().join("todo.db")),
        }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.setup.directory.path()
    }

    /// A connection for filling and looking.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.database()).await
    }

    /// Brings the schema up to date and adds people; nobody may sign in as them, since they have no password.
    pub(crate) async fn people(&self, count: i64) -> Result<()> {
        let store = self.database().open().await?;
        let mut tx = store.begin().await?;
        for number in 0..count {
            let profile = Profile {
                id: person(number),
                email: email(number),
                password_hash: "none".to_owned(),
                display_name: format!("Person {number}"),
                time_zone: "Europe/Berlin".to_owned(),
                week_start: Weekday::Mon,
                created_at: SystemClock.now(),
                disabled_at: None,
            };
            tx.add_profile(&profile).await?;
        }
        tx.commit().await?;
        store.close().await;
        Ok(())
    }

    /// Starts the system.
    pub(crate) async fn start(&self) -> Result<Running> {
        let system = self.setup.start().await;
        let secret = system.local().handle("backend").secret("jwt-secret").await?;
        Ok(Running { keys: Arc::new(Keys::parse(secret.expose())?), system })
    }
}

/// The id of a person.
pub(crate) fn person(number: i64) -> Uuid {
    database::id(USER, number)
}

fn email(number: i64) -> String {
    format!("person-{number}@example.org")
}

/// A running system and the keys to it.
pub(crate) struct Running {
    /// The system.
    pub(crate) system: System,
    keys: Arc<Keys>,
}

impl Running {
    /// A new access token of a person.
    pub(crate) fn token(&self, number: i64) -> String {
        self.keys.sign(person(number), &email(number), SystemIds.random(), SystemClock.now(), TimeDelta::hours(1))
    }

    /// A person's REST client, with connections of its own.
    pub(crate) fn rest(&self, number: i64) -> Rest {
        let mut rest = self.system.rest();
        rest.token = Some(self.token(number));
        rest.user_id = person(number).to_string();
        rest
    }

    /// A connection for gRPC.
    pub(crate) async fn channel(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(format!("http://{}", self.system.address))?.tcp_nodelay(true).connect().await?)
    }

    /// A person's gRPC client on a connection of its own.
    pub(crate) async fn grpc(&self, number: i64) -> Result<Grpc> {
        let channel = self.channel().await?;
        Ok(Grpc { tasks: TaskServiceClient::new(channel), token: self.token(number) })
    }

    /// Opens a watch stream of a person.
    pub(crate) async fn watch(
        &self,
        channel: Channel,
        number: i64,
    ) -> Result<tonic::Streaming<todo_proto::v1::WatchResponse>> {
        let request = authorized(todo_proto::v1::WatchRequest { since: None }, &self.token(number))?;
        Ok(EventServiceClient::new(channel).watch(request).await?.into_inner())
    }
}

/// A person's gRPC client.
#[derive(Clone)]
pub(crate) struct Grpc {
    tasks: TaskServiceClient<Channel>,
    token: String,
}

impl Grpc {
    /// Creates a task.
    pub(crate) async fn create(&self, task: todo_proto::v1::Task) -> Result<()> {
        let request = authorized(todo_proto::v1::CreateTaskRequest { task: Some(task) }, &self.token)?;
        self.tasks.clone().create_task(request).await?;
        Ok(())
    }
}

fn authorized<M>(message: M, token: &str) -> Result<Request<M>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}
