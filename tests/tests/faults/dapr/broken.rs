//! A backend that dies in the middle of an answer.

use std::time::Duration;

use axum::{Router, body::Body, response::Response};
use futures::stream;
use tempfile::TempDir;
use todo_tests::process::{Process, todo};
use tokio::{net::TcpListener, runtime, sync::mpsc};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_says_that_the_service_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let listener = listener.into_std().expect("a listener");
    // A runtime of its own, so that its connections end with it as those of a killed process do.
    let dying = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let begin = move || {
        asked.send(()).expect("the test waits for it");
        // The head of an answer, and nothing more.
        let nothing = stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let response = Response::builder().header("content-type", "application/grpc").body(Body::from_stream(nothing));
        async { response.expect("a response") }
    };
    dying.spawn(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        todo_runtime::serve::serve(Router::new().fallback(begin), listener, tokio_util::sync::CancellationToken::new())
            .await;
    });

    let mut command = todo(&["gateway", "--listen", "127.0.0.1:0"]);
    command.env("BACKEND_URL", format!("http://{address}"));
    let scratch = TempDir::new().expect("a scratch directory");
    let gateway = Process::spawn(command, scratch.path()).await;
    let mut rest = gateway.rest();
    rest.token = Some("a token".to_owned());
    let answer = tokio::spawn(async move { rest.get("/api/tasks").await });
    was_asked.recv().await.expect("it is asked");
    let died = tokio::task::spawn_blocking(|| dying.shutdown_timeout(Duration::from_secs(5)));
    died.await.expect("it ends");
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.code(503), "SERVICE_UNAVAILABLE");
}
