//! The secret that signs access tokens is replaced while everything runs.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use todo_domain::Ids as _;
use todo_runtime::{access::Keys, system::SystemIds};
use todo_tests::{
    cluster::{Cluster, JWT_SECRET, Role},
    eventually,
    rest::Rest,
};

use super::text;
use crate::load::now;

const NEW: &str = "the next secret of tests, also more than 32 bytes";
const UNKNOWN: &str = "a secret of somebody else, also more than 32 bytes";
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

/// Changes the secret in the store. The store is a file that daprd reads when it starts; Kubernetes' own is asked anew.
async fn rotate(cluster: &mut Cluster, secret: &Value) {
    cluster.write_secrets(secret);
    let daprd = &mut cluster.member_mut(Role::Backend, 0).daprd;
    daprd.kill();
    daprd.start();
    cluster.serves().await;
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
