//! The database is away for two minutes: frozen, then dead.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use todo_tests::{
    books::Lenience,
    cluster::{Cluster, Role},
    dice::Dice,
    eventually,
    rest::Rest,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;

use super::kill::settle;
use crate::{
    kill::RECOVERY,
    ledger::ledger_after,
    load::{Customer, now},
};

/// How long it is away in each of the two ways.
const AWAY: Duration = Duration::from_mins(1);
/// Within which time those who have a connection find out that nobody answers on it.
const FOUND_OUT: Duration = Duration::from_secs(20);
/// How long a request takes then, on a busy machine: 5 s for a new connection.
const REFUSED: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_requests_are_refused_soon_and_nothing_is_consumed() {
    let Some(mut cluster) = Cluster::start(1).await else { return };
    let direct = cluster.start_direct_gateway().await.base();
    let mut dice = Dice::new(1);
    let (stop, mut working) = (CancellationToken::new(), JoinSet::new());
    for gateway in [0, 1] {
        let (mut rest, name) = (cluster.member(Role::Gateway, gateway).rest(), format!("c{gateway}"));
        rest.sign_up(&name).await;
        let mut customer = Customer::of_many(rest, &name, dice.split());
        let stop = stop.clone();
        working.spawn(async move {
            customer.work_on(&stop).await;
            customer
        });
    }
    let by_daprd = cluster.user("ann").await;
    let mut without = by_daprd.clone();
    without.move_server(direct);
    let reader = cluster.reader().await;
    eventually("there is much to come", RECOVERY, async || {
        let left = reader.left_to_do(i64::MAX).await;
        (left.iter().map(|(_, count)| count).sum::<i64>() >= 30).then_some(())
    })
    .await;
    drop(reader);

    let away = now();
    for dead in [false, true] {
        let begun = Instant::now();
        if dead {
            cluster.postgres.kill();
        } else {
            cluster.postgres.freeze();
        }
        let backend = cluster.member(Role::Backend, 0);
        let body = eventually("it says that it cannot serve", FOUND_OUT, async || {
            let answer = backend.rest().try_send(Method::GET, "/ready", &[], None).await.ok()?;
            (answer.status == 503).then_some(answer.body)
        })
        .await;
        assert_eq!(body["status"], "unavailable", "{body}");
        assert_eq!(body["checks"]["database"], "the database is not available", "{body}");
        while begun.elapsed() < AWAY {
            let (code, ..) = tokio::join!(health(backend.daprd.app_port), is_refused(&by_daprd), is_refused(&without));
            assert_eq!(code, Code::Unavailable);
            backend.says("it still says so", |status, body| status == 503 && body["checks"]["database"] != "ok").await;
            // The others serve, as far as it is up to them.
            for role in [Role::Scheduler, Role::Gateway] {
                assert!(cluster.member(role, 0).ready().await.is_some(), "{role:?}");
            }
        }
    }
    cluster.postgres.restart();
    let (back, outage) = (Instant::now(), (away, now()));
    eventually("the callback health is well", RECOVERY, async || {
        (health(cluster.member(Role::Backend, 0).daprd.app_port).await == Code::Ok).then_some(())
    })
    .await;
    stop.cancel();
    let mut customers = working.join_all().await;
    for customer in &mut customers {
        let clear_up = async { while customer.clear_up().await.is_err() {} };
        assert!(tokio::time::timeout(RECOVERY, clear_up).await.is_ok(), "it is back, and nothing answers");
        for refused in &customer.refused {
            assert!(refused.what.contains("SERVICE_UNAVAILABLE") && refused.took < FOUND_OUT, "{refused:?}");
        }
    }
    let (at, shown, books) = settle(&cluster, &customers).await;
    let settled = back.elapsed();
    let wrong = ledger_after(Some(outage), &customers, at, &shown, &books, Lenience::default());
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    assert!(settled <= RECOVERY, "it took {settled:?}");
    println!("settled in {settled:.0?}: {} events, {} firings", books.outbox.len(), books.firings.len());
}

/// Reading and writing are refused, soon, and say why.
async fn is_refused(rest: &Rest) {
    let begun = Instant::now();
    let body = json!({ "title": "Not now" });
    let (list, new) = tokio::join!(rest.get("/api/tasks"), rest.post("/api/tasks", &body));
    let took = begun.elapsed();
    for answer in [list, new] {
        assert_eq!(answer.code(503), "SERVICE_UNAVAILABLE");
        let said = answer.body["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains("not available"), "{}", answer.body);
    }
    assert!(took < REFUSED, "it took {took:?}");
}

/// What an app's callback health says to its daprd.
async fn health(port: u16) -> Code {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("a URL");
    let mut client = Grpc::new(endpoint.connect_lazy());
    client.ready().await.expect("it listens");
    let path = PathAndQuery::from_static("/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck");
    let asked = client.unary::<(), (), _>(Request::new(()), path, ProstCodec::default()).await;
    asked.map_or_else(|status| status.code(), |_| Code::Ok)
}
