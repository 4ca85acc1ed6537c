//! Clients that ask all the time, by REST and by gRPC, of every gateway in turn, as any HTTP client does: elsewhere, when
//! nothing could be sent. And what became of all that.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use sqlx::Connection as _;
use todo_domain::Ids as _;
use todo_gateway::is_unsent;
use todo_proto::v1::{
    CreateTaskRequest, GetTaskRequest, ListTasksRequest, Task, UpdateTaskRequest,
    task_service_client::TaskServiceClient,
};
use todo_runtime::system::SystemIds;
use todo_tests::{
    cluster::{Cluster, Role},
    eventually,
    rest::Rest,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use super::PATIENCE;

/// Clients of each kind.
const CLIENTS: usize = 3;

/// Clients at work.
pub(super) struct Traffic {
    /// What its titles begin with.
    name: String,
    stop: CancellationToken,
    asked: Arc<AtomicUsize>,
    clients: JoinSet<Report>,
}

/// What became of their requests.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) asked: usize,
    pub(super) failed: Vec<Failed>,
    /// How long the slowest took.
    slowest: Duration,
    /// Titles of tasks whose creation was answered.
    created: Vec<String>,
}

/// A request that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// Since the beginning.
    at: Duration,
    /// By the contract it may be asked again, whatever became of it.
    pub(super) repeatable: bool,
    /// The answer was that the service is away.
    pub(super) is_away: bool,
    /// What was asked, and what came of it.
    what: String,
}

impl Traffic {
    /// Starts the clients, all of one user.
    pub(super) fn start(cluster: &Cluster, user: &Rest) -> Self {
        let name = format!("traffic {}", SystemIds.random());
        let (stop, asked, begun) = (CancellationToken::new(), Arc::default(), Instant::now());
        let mut clients = JoinSet::new();
        for number in 0..2 * CLIENTS {
            let servers = cluster.replicas(Role::Gateway).map(|gateway| match number % 2 {
                0 => Server::rest(user, gateway.base()),
                _ => Server::grpc(user, gateway.base()),
            });
            let servers: Vec<_> = servers.collect();
            clients.spawn(work(format!("{name}, client {number}"), servers, begun, stop.clone(), Arc::clone(&asked)));
        }
        Self { name, stop, asked, clients }
    }

    /// Waits until so many more requests were answered.
    pub(super) async fn more(&self, count: usize) {
        let enough = self.asked.load(Ordering::Relaxed) + count;
        let look = || async { (self.asked.load(Ordering::Relaxed) >= enough).then_some(()) };
        eventually("the clients go on", PATIENCE, look).await;
    }

    /// Ends them, and checks that no task was created twice, and every task whose creation was answered is there.
    pub(super) async fn stop(self, cluster: &Cluster) -> Report {
        self.stop.cancel();
        let mut all = Report::default();
        for report in self.clients.join_all().await {
            all.asked += report.asked;
            all.failed.extend(report.failed);
            all.created.extend(report.created);
            all.slowest = all.slowest.max(report.slowest);
        }
        all.failed.sort_by_key(|failed| failed.at);
        println!("{} requests, {} failed, the slowest took {:.2?}", all.asked, all.failed.len(), all.slowest);
        let mut database = sqlx::PgConnection::connect(&cluster.postgres.url()).await.expect("the database");
        let titles = "SELECT title, count(*) FROM tasks WHERE title LIKE $1 || '%' GROUP BY title";
        let titles: Vec<(String, i64)> =
            sqlx::query_as(titles).bind(&self.name).fetch_all(&mut database).await.expect("titles");
        let titles: BTreeMap<_, _> = titles.into_iter().collect();
        for (title, count) in &titles {
            assert_eq!(*count, 1, "{title} was created more than once");
        }
        for title in &all.created {
            assert!(titles.contains_key(title), "{title} was created and is not there");
        }
        all
    }
}

impl Report {
    /// Of a kind, how many failed, and from when to when.
    pub(super) fn tell(&self) {
        let mut kinds = BTreeMap::<_, Vec<Duration>>::new();
        for failed in &self.failed {
            kinds.entry(&failed.what).or_default().push(failed.at);
        }
        for (what, times) in kinds {
            println!("  {} of {:.2?} to {:.2?}: {what}", times.len(), times[0], times[times.len() - 1]);
        }
    }
}

/// What a client asks.
enum Ask {
    Create { title: String },
    Read { id: String },
    Edit { id: String, description: String },
    List,
}

/// Why it failed.
struct Trouble {
    unsent: bool,
    is_away: bool,
    why: String,
}

async fn work(
    name: String,
    mut servers: Vec<Server>,
    begun: Instant,
    stop: CancellationToken,
    count: Arc<AtomicUsize>,
) -> Report {
    let (mut report, mut id) = (Report::default(), None);
    for turn in 0_u32.. {
        if stop.is_cancelled() {
            break;
        }
        let ask = match (turn % 4, id.clone()) {
            (1, Some(id)) => Ask::Read { id },
            (2, Some(id)) => Ask::Edit { id, description: format!("in turn {turn}") },
            (3, _) => Ask::List,
            _ => Ask::Create { title: format!("{name}, turn {turn}") },
        };
        servers.rotate_left(1);
        let started = Instant::now();
        let answer = ask_any(&mut servers, &ask).await;
        report.asked += 1;
        count.fetch_add(1, Ordering::Relaxed);
        report.slowest = report.slowest.max(started.elapsed());
        match (answer, ask) {
            (Ok(made), Ask::Create { title }) => {
                report.created.push(title);
                id = Some(made);
            }
            (Ok(_), _) => {}
            (Err(Trouble { is_away, why, .. }), ask) => {
                let what = match &ask {
                    Ask::Create { .. } => "create",
                    Ask::Read { .. } => "read",
                    Ask::Edit { .. } => "edit",
                    Ask::List => "list",
                };
                let repeatable = matches!(ask, Ask::Read { .. } | Ask::List);
                report.failed.push(Failed { at: begun.elapsed(), repeatable, is_away, what: format!("{what}: {why}") });
            }
        }
    }
    report
}

/// Asks one server, and the next one as long as nothing could be sent.
async fn ask_any(servers: &mut [Server], ask: &Ask) -> Result<String, Trouble> {
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        for server in &mut *servers {
            match server.ask(ask).await {
                Err(trouble) if trouble.unsent && Instant::now() < give_up => {}
                answer => return answer,
            }
        }
        // At the pace of a person who finds nobody.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A gateway as a client sees it.
enum Server {
    Rest(Rest),
    Grpc(Rest, TaskServiceClient<Channel>),
}

impl Server {
    fn rest(user: &Rest, base: String) -> Self {
        let mut user = user.clone();
        user.move_server(base);
        Self::Rest(user)
    }

    fn grpc(user: &Rest, base: String) -> Self {
        let channel = Endpoint::from_shared(base).expect("a URL").connect_lazy();
        Self::Grpc(user.clone(), TaskServiceClient::new(channel))
    }

    /// The id of the task that it is about, if any.
    async fn ask(&mut self, ask: &Ask) -> Result<String, Trouble> {
        match self {
            Self::Rest(user) => by_rest(user, ask).await,
            Self::Grpc(user, client) => by_grpc(user, client, ask).await,
        }
    }
}

async fn by_rest(user: &Rest, ask: &Ask) -> Result<String, Trouble> {
    let (method, path, body, status) = match ask {
        Ask::Create { title } => (Method::POST, "/api/tasks".to_owned(), Some(json!({ "title": title })), 201),
        Ask::Read { id } => (Method::GET, format!("/api/tasks/{id}"), None, 200),
        Ask::Edit { id, description } => {
            (Method::PATCH, format!("/api/tasks/{id}"), Some(json!({ "description": description })), 200)
        }
        Ask::List => (Method::GET, "/api/tasks?limit=10".to_owned(), None, 200),
    };
    match user.try_send(method, &path, &[], body.as_ref()).await {
        Ok(answer) if answer.status == status => Ok(answer.body["id"].as_str().unwrap_or_default().to_owned()),
        Ok(answer) => {
            let why = format!("{} {}", answer.status, answer.body);
            Err(Trouble { unsent: false, is_away: answer.status == 503, why })
        }
        Err(error) => Err(Trouble { unsent: error.is_connect(), is_away: false, why: with_causes(&error) }),
    }
}

async fn by_grpc(user: &Rest, client: &mut TaskServiceClient<Channel>, ask: &Ask) -> Result<String, Trouble> {
    let id = |task: tonic::Response<Task>| task.into_inner().id;
    let answer = match ask {
        Ask::Create { title } => {
            let task = Some(Task { title: title.clone(), ..Task::default() });
            client.create_task(user.call(CreateTaskRequest { task })).await.map(id)
        }
        Ask::Read { id: task } => client.get_task(user.call(GetTaskRequest { id: task.clone() })).await.map(id),
        Ask::Edit { id: task, description } => {
            let task = Some(Task { id: task.clone(), description: description.clone(), ..Task::default() });
            client.update_task(user.call(UpdateTaskRequest { task, ..UpdateTaskRequest::default() })).await.map(id)
        }
        Ask::List => {
            let request = ListTasksRequest { limit: Some(10), ..ListTasksRequest::default() };
            client.list_tasks(user.call(request)).await.map(|_| String::new())
        }
    };
    answer.map_err(|status| Trouble {
        unsent: is_unsent(&status),
        is_away: status.code() == Code::Unavailable,
        why: with_causes(&status),
    })
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| Error::source(error));
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
