//! The conformance suite on `LocalSidecar`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use todo_domain::Clock;
use todo_sidecar::conformance::{self, App, BINDING, Fixture, SECRET, SECRET_VALUE};
use todo_sidecar::local::{Cron, LocalSidecar, Location, Options, RetryPolicy};
use todo_sidecar::{ApiChannel, Secret, Sidecar, Subscriber};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Runs by itself and can be set forward.
struct TestClock {
    start: Instant,
    ahead: AtomicI64,
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp(1_772_000_000, 0).unwrap();
        start + self.start.elapsed() + TimeDelta::microseconds(self.ahead.load(Ordering::SeqCst))
    }
}

type Registered = (String, Arc<dyn Subscriber>, Option<ApiChannel>);

struct Local {
    options: Options,
    clock: Arc<TestClock>,
    apps: Mutex<Vec<Registered>>,
    process: Mutex<Process>,
    _dir: tempfile::TempDir,
}

struct Process {
    sidecar: LocalSidecar,
    running: JoinHandle<()>,
}

impl Process {
    async fn start(options: Options) -> Self {
        let sidecar = LocalSidecar::open(options).await.unwrap();
        let running = sidecar.clone();
        Self { sidecar, running: tokio::spawn(async move { running.run(CancellationToken::new()).await }) }
    }
}

impl Local {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock { start: Instant::now(), ahead: AtomicI64::new(0) });
        let mut options = Options::new(Location::File(dir.path().join("sidecar.db")), clock.clone());
        options.retry =
            RetryPolicy { first: Duration::from_millis(2), longest: Duration::from_millis(10), max_retries: 3 };
        options.bindings = vec![Cron { name: BINDING.into(), every: Duration::from_mins(1) }];
        options.secrets.map.insert(SECRET.into(), Secret::new(SECRET_VALUE));
        let process = Mutex::new(Process::start(options.clone()).await);
        Self { options, clock, apps: Mutex::default(), process, _dir: dir }
    }
}

#[async_trait]
impl Fixture for Local {
    async fn start(&self, app: App) -> Arc<dyn Sidecar> {
        let services = app.services.map(ApiChannel::from_routes);
        let process = self.process.lock().await;
        process.sidecar.register(&app.id, Arc::clone(&app.subscriber), services.clone());
        let handle = process.sidecar.handle(&app.id);
        self.apps.lock().await.push((app.id, app.subscriber, services));
        handle
    }

    async fn restart(&self, app_id: &str) -> Arc<dyn Sidecar> {
        let mut process = self.process.lock().await;
        process.running.abort();
        (&mut process.running).await.unwrap_err();
        *process = Process::start(self.options.clone()).await;
        for (id, subscriber, services) in self.apps.lock().await.iter() {
            process.sidecar.register(id, Arc::clone(subscriber), services.clone());
        }
        process.sidecar.handle(app_id)
    }

    async fn pass(&self, time: Duration) {
        self.clock.ahead.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
        self.process.lock().await.sidecar.wake();
    }

    async fn cut_off(&self) {
        self.process.lock().await.sidecar.close().await;
    }

    fn max_retries(&self) -> usize {
        3
    }

    fn interval(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(20)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_sidecar_conforms() {
    let report = conformance::run("local", 1, Local::new).await;
    println!("{report}");
    report.check();
    assert_eq!(report.passed.len(), conformance::cases().len());
}

#[test]
fn the_tables_of_the_suite_fit_together() {
    assert_eq!(conformance::misnamed(), Vec::<&str>::new());
}
