//! Running: deliveries of each app, concurrently and woken by commits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::consumer::{Consumer, deliver};
use super::registry::{App, Serving};
use super::settle::Settlement;
use super::store::Message;
use super::{Core, LocalSidecar, Mode, TICK, cron};
use crate::{Ack, Error};

/// Deliveries read ahead for each app.
const READ_AHEAD: usize = 256;

impl LocalSidecar {
    /// Delivers events and ticks until `shutdown`, then waits for the handlers that run and writes down how they ended.
    /// Dropping the future instead drops the handlers, as a killed process would; their events come again.
    ///
    /// With [`Mode::Stepped`] it only waits for `shutdown`. A second call waits until the first has ended.
    pub async fn run(&self, shutdown: CancellationToken) {
        let _only = self.running.lock().await;
        if self.core.mode == Mode::Stepped {
            return shutdown.cancelled().await;
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(cron::timers(Arc::clone(&self.core), Arc::clone(&self.registry), shutdown.clone()));
        let mut started = BTreeSet::new();
        loop {
            for app in self.registry.apps() {
                if started.insert(app.id.clone()) {
                    tasks.spawn(dispatch(Arc::clone(&self.core), app, shutdown.clone()));
                }
            }
            tokio::select! {
                () = self.registry.changed.notified() => {}
                Some(Err(error)) = tasks.join_next() => tracing::error!(%error, "a part of the local sidecar stopped"),
                () = shutdown.cancelled() => break,
            }
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the local sidecar stopped");
            }
        }
    }
}

async fn dispatch(core: Arc<Core>, app: Arc<App>, shutdown: CancellationToken) {
    let dispatcher = Dispatcher {
        consumer: Consumer::new(Arc::clone(&core), Arc::clone(&app)),
        core,
        app,
        handlers: JoinSet::new(),
        writing: None,
        serving: None,
        failing: false,
        look_at: None,
    };
    dispatcher.run(shutdown).await;
}

/// A batch and what became of it.
type Writing = BoxFuture<'static, (Arc<Settlement>, Result<(), Error>)>;

struct Dispatcher {
    core: Arc<Core>,
    app: Arc<App>,
    consumer: Consumer,
    handlers: JoinSet<(Arc<Message>, Ack)>,
    /// The batch on its way to the store; what ends meanwhile is the next one.
    writing: Option<Writing>,
    /// What the replicas said when last asked; `None` when they are to be asked again.
    serving: Option<Serving>,
    /// The store failed (and said why in the log); it is tried again at the next tick.
    failing: bool,
    /// The next tick, while a replica does not serve or the store fails.
    look_at: Option<Instant>,
}

impl Dispatcher {
    async fn run(mut self, shutdown: CancellationToken) {
        let app = Arc::clone(&self.app);
        loop {
            let draining = shutdown.is_cancelled();
            self.look_again();
            if !draining && !self.failing {
                self.start_handlers().await;
            }
            if self.writing.is_none() && self.consumer.has_ended() && !self.failing {
                self.write();
            }
            let idle = self.handlers.is_empty() && self.writing.is_none();
            if draining && idle && (self.failing || !self.consumer.has_ended()) {
                return;
            }
            let wait = self.wait();
            tokio::select! {
                Some(ended) = self.handlers.join_next(), if !self.handlers.is_empty() => {
                    self.ended(ended);
                    while let Some(ended) = self.handlers.try_join_next() {
                        self.ended(ended);
                    }
                }
                (batch, result) = written(&mut self.writing) => self.written(&batch, &result),
                () = app.wake.notified() => {}
                () = shutdown.cancelled(), if !draining => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Forgets what was found out about the app and the store when it is time to find out again.
    fn look_again(&mut self) {
        if self.look_at.is_some_and(|at| at <= Instant::now()) {
            self.look_at = None;
            self.failing = false;
            self.serving = None;
        }
    }

    /// How long nothing may happen before the clock, the app or the store is asked again.
    fn wait(&mut self) -> Option<Duration> {
        if self.failing || self.serving.is_some_and(|serving| serving != Serving::All) {
            let at = *self.look_at.get_or_insert_with(|| Instant::now() + TICK);
            return Some(at.saturating_duration_since(Instant::now()));
        }
        let now = self.core.now();
        self.consumer.next_due().map(|due| {
            let left = Duration::from_micros(u64::try_from(due.saturating_sub(now)).unwrap_or(0));
            // Due already, but there is no room for more: a handler's end comes first.
            if left.is_zero() { TICK } else { left.min(TICK) }
        })
    }

    async fn start_handlers(&mut self) {
        if self.consumer.is_stale() {
            self.serving = None;
            if self.consumer.join().await.is_err() {
                self.failing = true;
                return;
            }
        }
        let serving = match self.serving {
            Some(serving) => serving,
            None => *self.serving.insert(self.app.check_serving().await),
        };
        while serving != Serving::None && self.handlers.len() < self.core.concurrency {
            let wanted = self.consumer.ready.len() < READ_AHEAD / 4 && self.consumer.has_more();
            if wanted && self.consumer.load(READ_AHEAD).await.is_err() {
                self.failing = true;
                return;
            }
            let next = self.core.faults.next_of(self.consumer.ready.len());
            let Some(message) = self.consumer.ready.remove(next) else { return };
            let Some(subscriber) = self.app.subscriber() else {
                // The last replica has just left.
                self.consumer.ready.push_front(message);
                self.serving = Some(Serving::None);
                return;
            };
            self.handlers.spawn(async move {
                let ack = deliver(subscriber, &message).await;
                (message, ack)
            });
        }
    }

    fn ended(&mut self, ended: Result<(Arc<Message>, Ack), tokio::task::JoinError>) {
        match ended {
            Ok((message, ack)) => {
                // Perhaps the app has lost what it needs: it is asked before more is tried.
                if matches!(ack, Ack::Retry(_)) {
                    self.serving = None;
                }
                self.consumer.end(&message, ack);
            }
            // Only when the runtime itself goes down; the event comes again at the next start.
            Err(error) => tracing::error!(%error, app = %self.app.id, "a delivery was cut off"),
        }
    }

    fn write(&mut self) {
        let core = Arc::clone(&self.core);
        let batch = Arc::new(self.consumer.settlement());
        self.writing = Some(
            async move {
                let result = core.store.settle(Arc::clone(&batch), core.now()).await;
                (batch, result)
            }
            .boxed(),
        );
    }

    fn written(&mut self, batch: &Settlement, result: &Result<(), Error>) {
        if result.is_ok() {
            self.consumer.settled(batch);
        } else {
            self.consumer.failed(batch);
            self.failing = true;
        }
    }
}

/// Waits for the batch that is being written, for ever if there is none.
async fn written(writing: &mut Option<Writing>) -> (Arc<Settlement>, Result<(), Error>) {
    match writing {
        Some(batch) => {
            let result = batch.await;
            *writing = None;
            result
        }
        None => std::future::pending().await,
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
