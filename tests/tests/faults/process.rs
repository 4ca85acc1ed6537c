//! Signals, a second process, a port that is taken.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use todo_tests::{
    SOON, eventually,
    process::{Process, ended, todo},
    stream::Stream,
};

fn scratch() -> TempDir {
    TempDir::new().expect("a scratch directory")
}

#[tokio::test]
async fn sigterm_lets_an_open_request_end_and_then_the_process() {
    let scratch = scratch();
    let mut process = Process::start(&scratch.path().join("data")).await;
    let mut rest = process.rest();
    rest.sign_up("ann").await;
    let token = rest.token.clone().unwrap_or_default();
    // A stream without end must not hold it up.
    let mut stream = Stream::open(&rest, None).await;

    // A request whose body is still under way when the signal comes.
    let body = r#"{"title":"In flight"}"#;
    let mut open = TcpStream::connect(process.address).expect("a connection");
    let head = format!(
        "POST /api/tasks HTTP/1.1\r\nHost: todo\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    open.write_all(head.as_bytes()).expect("the head is sent");
    // It is being handled: it asks for the body.
    let mut interim = [0; 25];
    open.set_read_timeout(Some(SOON)).expect("a timeout");
    open.read_exact(&mut interim).expect("an interim answer");
    assert!(interim.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&interim));

    let begun = Instant::now();
    process.terminate();
    eventually("it accepts no more", SOON, || async { TcpStream::connect(process.address).is_err().then_some(()) })
        .await;
    open.write_all(body.as_bytes()).expect("the body is sent");
    let mut answer = String::new();
    open.read_to_string(&mut answer).expect("the answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    open.shutdown(Shutdown::Both).ok();
    while stream.next().await.is_some() {}
    let status = process.ended(Duration::from_secs(10)).await;
    assert_eq!(status.code(), Some(0), "{}", process.log());
    assert!(begun.elapsed() < Duration::from_secs(10));

    let process = Process::start(&scratch.path().join("data")).await;
    rest.move_server(process.base());
    assert_eq!(rest.tasks("").await[0]["title"], "In flight");
}

#[tokio::test]
async fn sigterm_as_soon_as_it_greets_is_a_clean_stop_too() {
    let scratch = scratch();
    let mut process = Process::start(&scratch.path().join("data")).await;
    process.terminate();
    assert_eq!(process.ended(SOON).await.code(), Some(0), "{}", process.log());
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let scratch = scratch();
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let mut second = todo(&["all", "--listen", "127.0.0.1:0", "--data-dir"]);
    second.arg(&data);
    let second = ended(second).await;
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("another process uses the data directory"), "{}", second.stderr);
    assert!(second.stderr.contains(&data.display().to_string()), "{}", second.stderr);
    // The first goes on.
    assert_eq!(process.rest().get("/ready").await.status, 200);
    process.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let scratch = scratch();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = todo(&["all", "--listen", &address, "--data-dir"]);
    command.arg(scratch.path().join("data"));
    let ended = ended(command).await;
    assert_eq!(ended.code, Some(1));
    for part in [address.as_str(), "--listen", "LISTEN_ADDR"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
}

#[tokio::test]
async fn the_secret_is_its_owners_alone() {
    let scratch = scratch();
    let data = scratch.path().join("data");
    let process = Process::start(&data).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&data.join("secrets.json")), 0o600);
    process.stop().await;
}
