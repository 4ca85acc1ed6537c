//! The rules of accounts, as stories that every database must tell alike.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::FieldMask;
use todo_domain::Clock;
use todo_runtime::{access::Keys, system::SystemIds};
use todo_sidecar::local::{self, LocalSidecar, Location, Mode};
use todo_test_postgres::Postgres;
use tokio::sync::{Notify, mpsc};

use super::*;
use crate::{
    Options,
    hub::Hub,
    store::{Store, postgres, sqlite},
};

mod passwords;
mod profile;
mod sessions;
mod sign_in;
mod sign_up;

const PASSWORD: &str = "correct horse";
const ANN: &str = "ann@example.org";
const HOME: &str = "192.0.2.1";

/// A clock that moves when it is told to.
struct HandClock(AtomicI64);

impl HandClock {
    fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A server with an empty database.
struct House {
    service: Service,
    store: Arc<dyn Store>,
    clock: Arc<HandClock>,
}

impl House {
    async fn new(store: Arc<dyn Store>, options: Options) -> Self {
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000_000)));
        let service = service(&store, &clock, options, "a secret of at least 32 bytes, no more").await;
        Self { service, store, clock }
    }

    async fn sign_up(&self, email: &str) -> Result<v1::Session, Error> {
        self.service.open_account(from(HOME, sign_up(email))).await
    }

    async fn sign_in(&self, address: &str, email: &str, password: &str) -> Result<v1::Session, Error> {
        let request = v1::SignInRequest { email: email.to_owned(), password: password.to_owned() };
        self.service.open_session(from(address, request)).await
    }

    async fn refresh(&self, token: &str) -> Result<v1::Session, Error> {
        session::refresh(&self.service.core, token).await
    }

    async fn me(&self, session: &v1::Session) -> Result<v1::User, Error> {
        self.service.read(by(session, v1::GetMeRequest {})).await
    }
}

async fn service(store: &Arc<dyn Store>, clock: &Arc<HandClock>, options: Options, secrets: &str) -> Service {
    let clock: Arc<dyn Clock> = Arc::<HandClock>::clone(clock);
    let sidecar =
        local::Options { mode: Mode::Stepped, ..local::Options::new(Location::Temporary, Arc::clone(&clock)) };
    Service::new(Arc::new(Core {
        options,
        store: Arc::clone(store),
        clock,
        ids: Arc::new(SystemIds),
        keys: Arc::new(Keys::parse(secrets).unwrap()),
        sidecar: LocalSidecar::open(sidecar).await.unwrap().handle("backend"),
        hub: Hub::default(),
        changed: mpsc::channel(1).0,
        pusher: None,
        rung: Notify::new(),
        outgoing: Notify::new(),
    }))
}

/// Tells a story on a new database file, and on Postgres where that is installed.
async fn everywhere(options: Options, story: impl AsyncFn(House)) {
    let directory = tempfile::tempdir().unwrap();
    let database: Arc<dyn Store> = Arc::new(sqlite::Store::open(&directory.path().join("todo.db")).await.unwrap());
    story(House::new(Arc::clone(&database), options.clone()).await).await;
    database.close().await;

    let Some(server) = Postgres::start() else { return };
    let postgres = postgres::Store::open(&server.url(), 8).await.unwrap();
    postgres.migrate().await.unwrap();
    let database: Arc<dyn Store> = Arc::new(postgres);
    story(House::new(Arc::clone(&database), options).await).await;
    database.close().await;
}

fn sign_up(email: &str) -> v1::SignUpRequest {
    v1::SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Ann".to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
    }
}

/// A request from a machine.
fn from<M>(address: &str, message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-client-address", address.parse().unwrap());
    request
}

/// A request by whoever has a session.
fn by<M>(session: &v1::Session, message: M) -> Request<M> {
    let mut request = from(HOME, message);
    request.metadata_mut().insert("authorization", format!("Bearer {}", session.access_token).parse().unwrap());
    request
}

fn refresh_token(session: &v1::Session) -> &str {
    session.refresh_token.as_deref().unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Reason {
    result.unwrap_err().reason
}

fn fields(error: &Error) -> Vec<&str> {
    error.violations.iter().map(|violation| violation.field.as_str()).collect()
}
