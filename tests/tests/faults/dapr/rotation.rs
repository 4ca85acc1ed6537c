//! Secrets are replaced while everything runs.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use prost_types::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use todo_domain::Ids as _;
use todo_proto::v1::{ListDueRequest, due_service_client::DueServiceClient};
use todo_runtime::{access::Keys, system::SystemIds};
use todo_sidecar::Sidecar as _;
use todo_tests::{
    cluster::{Cluster, JWT_SECRET, Role},
    eventually,
    rest::Rest,
};
use tonic::Code;

use super::{PATIENCE, ahead, settled, text, traffic::Traffic};
use crate::load::now;

const NEW: &str = "the next secret of tests, also more than 32 bytes";
const UNKNOWN: &str = "a secret of somebody else, also more than 32 bytes";
/// What a role says when it has read another value of a secret.
const TAKEN: &str = "a changed secret is used from now on";
/// Longest time until a role has read a changed secret: it reads each 30 s.
const READ: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_secret_is_taken_without_a_restart_of_the_backend() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let ann = cluster.user("ann").await;
    // As a replica that has read the next list already signs.
    let ahead = signed_by(NEW, &ann);
    assert_eq!(is_good(&ahead).await, Some(false), "nobody knows the secret yet");

    // A token of a secret that is not known makes the backend read.
    rotate(&mut cluster, &json!([JWT_SECRET, NEW])).await;
    eventually("the next secret is known", READ, || async { is_good(&ahead).await.filter(|good| *good) }).await;
    assert_eq!(is_good(&ann).await, Some(true));
    assert!(signs(&ann, JWT_SECRET).await, "the former still signs");

    // So does one of a secret that nobody knows.
    rotate(&mut cluster, &json!([NEW, JWT_SECRET])).await;
    let stranger = signed_by(UNKNOWN, &ann);
    eventually("the next secret signs", READ, || async {
        // At the pace of a person, because each look signs in.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_ne!(is_good(&stranger).await, Some(true));
        signs(&ann, NEW).await.then_some(())
    })
    .await;
    assert_eq!((is_good(&ann).await, is_good(&ahead).await), (Some(true), Some(true)));

    // Without one it does so by itself, a little later.
    rotate(&mut cluster, &json!([NEW])).await;
    eventually("the former secret is forgotten", READ, || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        is_good(&ann).await.filter(|good| !good)
    })
    .await;
    assert_eq!(is_good(&ahead).await, Some(true));
}

/// Changes the secret that signs access tokens.
async fn rotate(cluster: &mut Cluster, secret: &Value) {
    change(cluster, "jwt-secret", &secret.to_string(), &[Role::Backend]);
    cluster.serves().await;
}

/// Changes a secret in the store, which is a file that daprd reads when it starts; Kubernetes' own is asked anew.
fn change(cluster: &mut Cluster, name: &str, value: &str, readers: &[Role]) {
    let named = |(variable, value): (&str, String)| (variable.to_lowercase().replace('_', "-"), value);
    let mut secrets: BTreeMap<_, _> = cluster.secrets().into_iter().map(named).collect();
    secrets.insert(name.to_owned(), value.to_owned());
    cluster.write_secrets_file(&json!({ "app-secrets": secrets }));
    for role in readers {
        let daprd = &mut cluster.member_mut(*role, 0).daprd;
        daprd.kill();
        daprd.start();
    }
}

/// The same user with a token that is signed by this secret.
fn signed_by(secret: &str, user: &Rest) -> Rest {
    let keys = Keys::parse(secret).expect("a long secret");
    let (user_id, now) = (user.user_id.parse().expect("an id"), now());
    let mut user = user.clone();
    user.token = Some(keys.sign(user_id, "ann@example.org", SystemIds.random(), now, TimeDelta::hours(1)));
    user
}

/// Whether the token is taken; nothing while the backend is not reached.
async fn is_good(user: &Rest) -> Option<bool> {
    let answer = user.try_send(Method::GET, "/api/auth/me", &[], None).await.ok()?;
    match answer.status.as_u16() {
        200 => Some(true),
        401 => Some(false),
        503 => None,
        other => panic!("{other}: {}", answer.body),
    }
}

/// Whether tokens are signed by this secret now.
async fn signs(user: &Rest, secret: &str) -> bool {
    let body = json!({ "email": "ann@example.org", "password": "correct horse" });
    let session = user.post("/api/auth/signin", &body).await.expect(200);
    // The header says by which, and it is the first part of the token.
    let header = |token: &str| token.split('.').next().unwrap_or_default().to_owned();
    let own = signed_by(secret, user).token.unwrap_or_default();
    header(text(&session["access_token"])) == header(&own)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_internal_token_is_rotated_no_call_is_refused() {
    let Some(mut cluster) = Cluster::empty() else { return };
    for role in Role::ALL {
        let member = cluster.add(role);
        member.environment.push(("LOG_LEVEL", "warn,todo=info".to_owned()));
        member.start();
        member.daprd.start();
    }
    cluster.ready().await;
    let ann = cluster.user("ann").await;
    let readers = [Role::Backend, Role::Scheduler, Role::Assistant];
    let (_, former) = cluster.secrets().into_iter().find(|(name, _)| *name == "INTERNAL_TOKEN").expect("one of them");
    let next = "the next token of internal calls";
    for (step, tokens) in [json!([former, next]), json!([next, former]), json!([next])].iter().enumerate() {
        change(&mut cluster, "internal-token", &tokens.to_string(), &readers);
        ann.create(json!({ "title": "Call", "reminders": [{ "trigger_at": ahead(1_000) }] })).await;
        for role in readers {
            let taken = || cluster.member(role, 0).log().matches(TAKEN).count();
            eventually("it is read", READ, || async { (taken() > step).then_some(()) }).await;
        }
        settled(&cluster).await;
        assert_eq!(ann.notifications().await.len(), step + 1, "reminders ring");
    }
    for role in readers {
        let log = cluster.member(role, 0).log();
        assert!(!log.contains("was refused"), "{log}");
    }
    let mut due = DueServiceClient::new(cluster.sidecar(&cluster.member(Role::Scheduler, 0).daprd).app("backend"));
    let mut ask = async |token: &str| {
        let mut request =
            tonic::Request::new(ListDueRequest { until: Some(Timestamp::default()), ..ListDueRequest::default() });
        request.metadata_mut().insert("internal-token", token.parse().expect("ASCII"));
        due.list_due(request).await.map_or_else(|status| status.code(), |_| Code::Ok)
    };
    assert_eq!((ask(next).await, ask(&former).await), (Code::Ok, Code::PermissionDenied));
    // And that is said, for whoever left somebody out.
    assert!(cluster.member(Role::Backend, 0).log().contains("was refused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_login_of_the_database_is_taken_without_a_restart() {
    let Some(mut cluster) = Cluster::empty() else { return };
    let mut database = sqlx::PgConnection::connect(&cluster.postgres.url()).await.expect("the database");
    // These two are asked for their passwords; nobody else is.
    let file: String = sqlx::query_scalar("SHOW hba_file").fetch_one(&mut database).await.expect("a path");
    let rules = std::fs::read_to_string(&file).expect("its rules");
    std::fs::write(&file, format!("host all one,two 127.0.0.1/32 scram-sha-256\n{rules}")).expect("they are written");
    cluster.postgres.sql("SELECT pg_reload_conf()");
    cluster.postgres.sql("CREATE ROLE one LOGIN SUPERUSER PASSWORD 'first'");
    let url = |login: &str| cluster.postgres.url().replace("postgres@", &format!("{login}@"));
    let [first, second, third] = ["one:first", "two:second", "two:third"].map(url);
    for role in Role::ALL {
        cluster.add(role);
    }
    let base = cluster.member(Role::Backend, 0).base();
    // A daprd that restarts is no backend that is away.
    cluster.member_mut(Role::Gateway, 0).environment.push(("BACKEND_URL", base));
    change(&mut cluster, "database-url", &first, &[]);
    for member in cluster.members_mut() {
        member.start();
        member.daprd.start();
    }
    cluster.ready().await;
    let ann = cluster.user("ann").await;
    let traffic = Traffic::start(&cluster, &ann);
    let mut sessions = async |role: &str| {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
        sqlx::query_scalar::<_, i64>(count).bind(role.to_owned()).fetch_one(&mut database).await.expect("a count")
    };

    // Another role, while the former may still come in.
    cluster.postgres.sql("CREATE ROLE two LOGIN SUPERUSER PASSWORD 'second'");
    assert!(sessions("one").await > 0);
    change(&mut cluster, "database-url", &second, &[Role::Backend]);
    let begun = Instant::now();
    while sessions("one").await > 0 {
        assert!(begun.elapsed() < READ, "the former login is still used");
        traffic.more(10).await;
    }
    cluster.postgres.sql("ALTER ROLE one NOLOGIN");
    traffic.more(100).await;
    let report = traffic.stop(&cluster).await;
    report.tell();
    assert!(report.failed.is_empty(), "{} of {} requests failed", report.failed.len(), report.asked);

    // Another password of the same role, and nobody may stay.
    let traffic = Traffic::start(&cluster, &ann);
    traffic.more(50).await;
    cluster.postgres.sql("ALTER ROLE two PASSWORD 'third'");
    cluster.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'two'");
    change(&mut cluster, "database-url", &third, &[Role::Backend]);
    eventually("requests succeed", PATIENCE, || async { (ann.get("/api/tasks").await.status == 200).then_some(()) })
        .await;
    traffic.more(100).await;
    let report = traffic.stop(&cluster).await;
    report.tell();
    assert!(report.failed.iter().all(|failed| failed.is_away), "{report:?}");
}
