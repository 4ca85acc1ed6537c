//! A small REST client: a path, a body, and what came back.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// How long a connection is kept for the next request: as proxies do, less than the server keeps it.
const IDLE: Duration = Duration::from_mins(1);

/// The REST surface as one user sees it.
#[derive(Clone, Debug)]
pub struct Rest {
    client: Client,
    base: String,
    /// The access token, if signed in.
    pub token: Option<String>,
    /// The user's id, if signed in.
    pub user_id: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if there was none.
    pub body: Value,
}

impl Answer {
    /// The body, if the status is as expected.
    ///
    /// # Panics
    /// When it is not.
    #[expect(clippy::must_use_candidate, reason = "that it was so may be all that is asked")]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The error's code, if the status is as expected.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn code(&self, status: u16) -> &str {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The fields that the error names.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let details = self.body["error"]["details"].as_array();
        details.into_iter().flatten().filter_map(|detail| detail["field"].as_str()).collect()
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Rest {
    /// Nobody's.
    ///
    /// # Panics
    /// When no client can be made.
    #[must_use]
    pub fn new(base: String) -> Self {
        let client = Client::builder().pool_idle_timeout(IDLE).build().expect("a client");
        Self { client, base, token: None, user_id: String::new() }
    }

    /// Goes on with the same session where the server is now.
    pub fn move_server(&mut self, base: String) {
        self.base = base;
    }

    /// Opens an account `NAME@example.org` and speaks for it from then on.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn sign_up(&mut self, name: &str) -> Value {
        let body = json!({
            "email": format!("{name}@example.org"), "password": "correct horse", "display_name": name,
        });
        let session = self.post("/api/auth/signup", &body).await.expect(201);
        self.token = session["access_token"].as_str().map(str::to_owned);
        session["user_id"].as_str().unwrap_or_default().clone_into(&mut self.user_id);
        session
    }

    /// A gRPC request with the user's token.
    ///
    /// # Panics
    /// When the token is no header.
    #[must_use]
    pub fn call<M>(&self, message: M) -> tonic::Request<M> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().expect("a token is ASCII");
            request.metadata_mut().insert("authorization", value);
        }
        request
    }

    /// Creates a task.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create(&self, body: Value) -> Value {
        self.post("/api/tasks", &body).await.expect(201)
    }

    /// Reads a task.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn task(&self, id: &str) -> Value {
        self.get(&format!("/api/tasks/{id}")).await.expect(200)
    }

    /// The list of tasks, asked with a query, in the order in which they were made unless it says otherwise.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn tasks(&self, query: &str) -> Vec<Value> {
        let query = if query.contains("sort_by") { query.to_owned() } else { format!("{query}&sort_order=asc") };
        let mut list = self.get(&format!("/api/tasks?limit=1000&{query}")).await.expect(200);
        serde_json::from_value(list["tasks"].take()).expect("a list")
    }

    /// The instances that a series has made, in the order of their slots.
    pub async fn instances(&self, source_id: &str) -> Vec<Value> {
        let mut tasks = self.tasks("sort_by=due_date").await;
        tasks.retain(|task| task["source_task_id"] == source_id);
        tasks
    }

    /// The notifications.
    ///
    /// # Panics
    /// When they are refused.
    pub async fn notifications(&self) -> Vec<Value> {
        let mut list = self.get("/api/notifications?limit=1000").await.expect(200);
        serde_json::from_value(list["notifications"].take()).expect("a list")
    }

    /// Moves the user to a time zone.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn move_to(&self, zone: &str) {
        let user = self.patch("/api/auth/me", &json!({ "time_zone": zone })).await.expect(200);
        assert_eq!(user["time_zone"], zone);
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Posts nothing.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(Method::POST, path, &[], None).await
    }

    /// Patches.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Sends anything.
    ///
    /// # Panics
    /// When nothing answers, or the body is neither empty nor JSON.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        self.try_send(method, path, headers, body).await.expect("an answer")
    }

    /// Sends anything to a server that may be gone.
    ///
    /// # Errors
    /// When nothing answers, or not with JSON.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
        Ok(Answer { status, headers, body })
    }

    /// A request with the user's token, to be sent in another way.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}
