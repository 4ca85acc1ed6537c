//! Sessions of browsers.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use todo_proto::v1;

use super::harness::{System, options, request};
use crate::Options;

const SIGN_IN: &str = r#"{"email":"ann@example.org","password":"correct horse"}"#;
const ORIGIN: (&str, &str) = ("origin", "http://todo.example:8080");

fn session() -> v1::Session {
    v1::Session { access_token: "jwt".to_owned(), refresh_token: Some("r2".to_owned()), ..v1::Session::default() }
}

fn system() -> System {
    let system = System::new();
    for method in ["SignUp", "SignIn", "Refresh"] {
        system.answers(method, &session());
    }
    system.answers("SignOut", &()).answers("ChangePassword", &()).answers("SignOutEverywhere", &());
    system
}

#[tokio::test]
async fn without_asking_the_token_is_in_the_body() {
    let answer = system().post("/api/auth/signin", SIGN_IN).await;
    assert_eq!((&answer.json()["refresh_token"], answer.header("set-cookie")), (&json!("r2"), None));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn on_request_the_token_is_a_cookie_that_scripts_cannot_read() {
    let system = system();
    let cookie = [("x-session", "cookie")];
    let answer = system.send(request(Method::POST, "/api/auth/signin", &cookie, SIGN_IN)).await;
    assert_eq!((&answer.json()["refresh_token"], answer.status), (&Value::Null, StatusCode::OK));
    assert_eq!(
        answer.header("set-cookie"),
        Some("refresh_token=r2; Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age=2592000")
    );
    let body = r#"{"email":"a@b.c","password":"correct horse","display_name":"A"}"#;
    let answer = system.send(request(Method::POST, "/api/auth/signup", &cookie, body)).await;
    assert!(answer.status == StatusCode::CREATED && answer.header("set-cookie").is_some());
    let answer = system.send(request(Method::POST, "/api/auth/signin", &[("x-session", "jar")], SIGN_IN)).await;
    assert_eq!(answer.details()[0].0, "X-Session");
}

#[tokio::test]
async fn over_https_the_cookie_is_secure() {
    let public = Options { public_url: Some("https://todo.example".parse().unwrap()), ..options() };
    let proxied = Options { trusted_proxies: vec!["192.0.2.0/24".parse().unwrap()], ..options() };
    for options in [public, proxied] {
        let system = System::with(options);
        system.answers("SignIn", &session());
        let headers = [("x-session", "cookie"), ("x-forwarded-proto", "https")];
        let answer = system.send(request(Method::POST, "/api/auth/signin", &headers, SIGN_IN)).await;
        assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_cookie_refreshes_from_our_own_origin() {
    let system = system();
    let headers = [("cookie", "a=b; refresh_token=r1"), ORIGIN];
    let answer = system.send(request(Method::POST, "/api/auth/refresh", &headers, "")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["refresh_token"], Value::Null, "who came with a cookie leaves with one");
    assert!(answer.header("set-cookie").unwrap().starts_with("refresh_token=r2;"));
    let call = system.call();
    assert_eq!(call.message::<v1::RefreshRequest>().refresh_token, "r1");
    assert_eq!(call.header("cookie"), None);
}

#[tokio::test]
async fn another_origin_or_none_is_refused() {
    let system = system();
    for origin in ["", "null", "http://evil.example", "http://todo.example", "http://todo.example:8081"] {
        for path in ["/api/auth/refresh", "/api/auth/signout"] {
            let headers = [("cookie", "refresh_token=r1"), ("origin", origin)];
            let answer = system.send(request(Method::POST, path, &headers, "{}")).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
                "{origin}"
            );
        }
    }
    assert!(system.calls().is_empty());
    // The token itself proves enough.
    let headers = [("cookie", "refresh_token=r1"), ("origin", "http://evil.example")];
    let answer = system.send(request(Method::POST, "/api/auth/refresh", &headers, r#"{"refresh_token":"own"}"#)).await;
    assert_eq!(answer.json()["refresh_token"], json!("r2"));
    assert_eq!(system.call().message::<v1::RefreshRequest>().refresh_token, "own");
}

#[tokio::test]
async fn the_public_url_is_our_origin_too() {
    let system = System::with(Options { public_url: Some("https://todo.example".parse().unwrap()), ..options() });
    system.answers("Refresh", &session());
    let headers = [("cookie", "refresh_token=r1"), ("origin", "https://todo.example"), ("host", "backend:80")];
    let answer = system.send(request(Method::POST, "/api/auth/refresh", &headers, "")).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_and_changing_the_password_keeps_its_session() {
    let system = system();
    let headers = [("cookie", "refresh_token=r1"), ORIGIN];
    let answer = system.send(request(Method::POST, "/api/auth/signout", &headers, "")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        answer.header("set-cookie"),
        Some("refresh_token=; Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age=0")
    );
    assert_eq!(system.call().message::<v1::SignOutRequest>().refresh_token, "r1");

    let body = r#"{"current_password":"a","new_password":"b"}"#;
    let answer = system.send(request(Method::POST, "/api/auth/password", &headers, body)).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::NO_CONTENT, None));
    assert_eq!(system.call().message::<v1::ChangePasswordRequest>().refresh_token, "r1");

    let answer = system.send(request(Method::POST, "/api/auth/signout-everywhere", &headers, "")).await;
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
}
