//! The secrets of a role that runs beside a daprd: from its secret store, or from the environment while that does not
//! answer. They are read again and again, so that a changed one takes effect without a restart.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use todo_assistant::model;
use todo_push::Vapid;
use todo_runtime::health::{Check, Health};
use todo_sidecar::{Error, Secret, Sidecar, local::Lookup};
use tokio::{sync::Mutex as Turn, time::Instant};
use tokio_util::sync::CancellationToken;

pub(crate) const JWT: &str = "jwt-secret";
pub(crate) const DATABASE: &str = "database-url";
pub(crate) const INTERNAL: &str = "internal-token";
/// The key that signs what is pushed to browsers.
pub(crate) const VAPID: &str = "vapid-private-key";
/// What the provider of a language model is shown.
pub(crate) const LLM: &str = "llm-api-key";

/// How often the store is asked again.
const AGAIN: Duration = Duration::from_secs(30);
/// How often at most, when a call names a secret that is not known.
const SOONEST: Duration = Duration::from_secs(10);
/// How long to wait for a store that does not answer before it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a secret is called in the environment.
fn variable(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

/// Reads [`VAPID`]; where it is empty, nothing is to be pushed.
pub(crate) fn vapid(secret: &Secret) -> Result<Option<Vapid>, String> {
    Some(secret.expose()).filter(|text| !text.trim().is_empty()).map(Vapid::parse).transpose()
}

/// What to do where a secret is missing.
pub(crate) fn missing(name: &str) -> String {
    format!("the secret store has no secret {name}: add it there, or set {} in the environment", variable(name))
}

/// What is done with a secret when it is read.
type Take = Box<dyn Fn(&Secret) -> Result<(), String> + Send + Sync>;

/// The secret store and what is wanted of it. Clones share it.
#[derive(Clone)]
pub(crate) struct Secrets(Arc<Inner>);

struct Inner {
    sidecar: Arc<dyn Sidecar>,
    environment: Lookup,
    health: Health,
    takers: Mutex<Vec<(&'static str, Arc<Take>)>>,
    /// What is used.
    known: Mutex<BTreeMap<&'static str, Secret>>,
    last: Turn<Option<Instant>>,
}

impl Secrets {
    pub(crate) fn new(sidecar: Arc<dyn Sidecar>, environment: Lookup, health: Health) -> Self {
        let (takers, known, last) = Default::default();
        Self(Arc::new(Inner { sidecar, environment, health, takers, known, last }))
    }

    /// A secret as it is now: the store's, or else the environment's.
    pub(crate) async fn look(&self, name: &str) -> Result<Secret, Error> {
        match (self.0.sidecar.secret(name).await, (self.0.environment)(&variable(name))) {
            (Ok(secret), _) => Ok(secret),
            (Err(_), Some(own)) => Ok(Secret::new(own)),
            (Err(error), None) => Err(error),
        }
    }

    /// Waits for a secret. While the store does not answer, the environment's value is taken if there is one, else
    /// readiness says what is waited for. `None` at the shutdown.
    ///
    /// # Errors
    /// A sentence, when the store answers that there is no such secret and the environment has none either.
    pub(crate) async fn first(
        &self,
        name: &'static str,
        shutdown: &CancellationToken,
    ) -> Result<Option<Secret>, String> {
        loop {
            let error = match self.look(name).await {
                Ok(secret) => {
                    self.0.health.set("secrets", Check::Ok);
                    self.0.known().insert(name, secret.clone());
                    return Ok(Some(secret));
                }
                Err(Error::NotFound) => return Err(missing(name)),
                Err(error) => error,
            };
            self.0.health.set("secrets", Check::Failing(format!("waiting for the secret {name}: {error}")));
            tokio::select! {
                () = shutdown.cancelled() => return Ok(None),
                () = tokio::time::sleep(PATIENCE) => {}
            }
        }
    }

    /// A secret that one can do without: as the store has it now, else the environment's. It is not waited for.
    pub(crate) async fn optional(&self, name: &'static str) -> Option<Secret> {
        let secret = match self.look(name).await {
            Ok(secret) => secret,
            Err(Error::NotFound) => return None,
            Err(error) => {
                tracing::warn!(secret = name, %error, "the secret store does not answer: it is done without this secret");
                return None;
            }
        };
        self.0.known().insert(name, secret.clone());
        Some(secret)
    }

    /// The key that signs what is pushed to browsers, if there is one.
    pub(crate) async fn vapid(&self) -> Result<Option<Vapid>, String> {
        self.optional(VAPID).await.map_or(Ok(None), |secret| vapid(&secret))
    }

    /// What the provider of a language model is shown, if there is a model; many need nothing.
    pub(crate) async fn llm_key(&self, wanted: bool) -> Result<model::Key, String> {
        let key = model::Key::default();
        if wanted {
            if let Some(secret) = self.optional(LLM).await {
                key.replace(secret.expose())?;
            }
            let kept = key.clone();
            self.keep(LLM, move |secret| kept.replace(secret.expose()));
        }
        Ok(key)
    }

    /// From now on, gives a secret to `take` whenever it was changed.
    pub(crate) fn keep(
        &self,
        name: &'static str,
        take: impl Fn(&Secret) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.takers.lock().unwrap_or_else(PoisonError::into_inner).push((name, Arc::new(Box::new(take))));
    }

    /// Reads what is kept again and again, until the shutdown.
    pub(crate) async fn watch(&self, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => self.read().await,
            }
        }
    }

    /// Reads what is kept now, unless that was done within the last 10 seconds. Whoever comes meanwhile waits for it.
    pub(crate) async fn refresh(&self) {
        let mut last = self.0.last.lock().await;
        if last.is_none_or(|last| last.elapsed() >= SOONEST) {
            self.read().await;
            *last = Some(Instant::now());
        }
    }

    async fn read(&self) {
        let takers = self.0.takers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, take) in takers {
            // One that cannot be read now stays as it was.
            let Ok(secret) = self.0.sidecar.secret(name).await else { continue };
            if self.0.known().get(name) == Some(&secret) {
                continue;
            }
            match take(&secret) {
                Ok(()) => tracing::info!(secret = name, "a changed secret is used from now on"),
                Err(error) => {
                    tracing::error!(secret = name, error, "the secret store has a value that cannot be used");
                    continue;
                }
            }
            self.0.known().insert(name, secret);
        }
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, BTreeMap<&'static str, Secret>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
