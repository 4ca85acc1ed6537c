//! Clients that call again and again, for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    Result,
    stats::{Times, rate},
};

/// What clients saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    /// How long each call took that succeeded.
    pub(crate) times: Vec<Duration>,
    /// How long all of it took.
    pub(crate) took: Duration,
    /// Calls that failed.
    pub(crate) errors: usize,
    /// Why the first one did.
    pub(crate) first_error: Option<String>,
}

impl Load {
    /// Adds what another round saw.
    pub(crate) fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.took += other.took;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Successful calls a second.
    pub(crate) fn rate(&self) -> f64 {
        rate(self.times.len(), self.took)
    }

    /// How long the calls took.
    pub(crate) fn times(&self) -> Times {
        Times::new(self.times.clone())
    }
}

/// Lets each client call until the time is over, one call after the other.
pub(crate) async fn load<C, F>(clients: Vec<C>, span: Duration, call: fn(Arc<C>) -> F) -> Result<Load>
where
    C: Send + Sync + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let began = Instant::now();
    let mut running = JoinSet::new();
    for client in clients {
        let client = Arc::new(client);
        running.spawn(async move {
            let mut seen = Load::default();
            while began.elapsed() < span {
                let called = Instant::now();
                match call(Arc::clone(&client)).await {
                    Ok(()) => seen.times.push(called.elapsed()),
                    Err(error) => {
                        seen.errors += 1;
                        seen.first_error.get_or_insert_with(|| error.to_string());
                    }
                }
            }
            seen
        });
    }
    let mut all = Load::default();
    while let Some(seen) = running.join_next().await {
        all.add(seen?);
    }
    all.took = began.elapsed();
    Ok(all)
}
