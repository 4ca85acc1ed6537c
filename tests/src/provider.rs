//! A provider of a language model that says what a test has it say: chat completions over real sockets, byte by byte,
//! so that it can be as odd as real ones are.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A provider that listens; it ends with the test.
#[derive(Debug)]
pub struct Provider {
    /// Where it listens.
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    _end: DropGuard,
}

#[derive(Debug, Default)]
struct Script {
    plays: VecDeque<Play>,
    asked: Vec<Asked>,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request line and the headers, in lower case.
    pub head: String,
    /// The body.
    pub body: Value,
}

/// What it answers a request with.
#[derive(Clone, Debug)]
pub struct Play {
    head: String,
    /// Sent one after the other.
    pieces: Vec<String>,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    /// As HTTP has it.
    Whole,
    /// In the middle.
    Cut,
    /// Never.
    Hang,
}

/// A stream of events, piece by piece as they are to be sent.
#[must_use]
pub fn raw(pieces: &[&str]) -> Play {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n".to_owned();
    Play { head, pieces: pieces.iter().map(ToString::to_string).collect(), end: End::Whole }
}

/// A stream of these deltas, as most send it.
#[must_use]
pub fn deltas(deltas: &[Value], reason: &str) -> Play {
    let chunk = |delta: &Value, reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        format!("data: {}\n\n", json!({ "object": "chat.completion.chunk", "choices": [choice] }))
    };
    let mut pieces: Vec<_> = deltas.iter().map(|delta| chunk(delta, Value::Null)).collect();
    pieces.push(chunk(&json!({}), json!(reason)));
    pieces.push("data: [DONE]\n\n".to_owned());
    raw(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Words.
#[must_use]
pub fn says(text: &str) -> Play {
    let letters: Vec<_> = text.chars().collect();
    let (one, other) = letters.split_at(letters.len() / 2);
    let [one, other] = [one, other].map(|letters| letters.iter().collect::<String>());
    deltas(
        &[json!({ "role": "assistant", "content": "" }), json!({ "content": one }), json!({ "content": other })],
        "stop",
    )
}

/// Calls of tools.
#[must_use]
pub fn calls(calls: &[(&str, Value)]) -> Play {
    let call = |(index, (name, arguments)): (usize, &(&str, Value))| {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        json!({ "tool_calls": [{ "index": index, "id": format!("call_{index}"), "type": "function", "function": function }] })
    };
    deltas(&calls.iter().enumerate().map(call).collect::<Vec<_>>(), "tool_calls")
}

/// A body in one piece.
#[must_use]
pub fn whole(body: &Value) -> Play {
    status("200 OK", "", body)
}

/// A status, more headers (each with its line end), and a body.
#[must_use]
pub fn status(status: &str, headers: &str, body: &Value) -> Play {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}");
    Play { head, pieces: vec![body.to_string()], end: End::Whole }
}

impl Play {
    /// The connection breaks instead of ending.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { end: End::Cut, ..self }
    }

    /// It never comes to an end.
    #[must_use]
    pub fn hangs(self) -> Self {
        Self { end: End::Hang, ..self }
    }
}

impl Provider {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (end, script) = (CancellationToken::new(), Arc::<Mutex<Script>>::default());
        let (ended, playing) = (end.clone(), Arc::clone(&script));
        tokio::spawn(async move {
            while let Some(Ok((socket, _))) = ended.run_until_cancelled(listener.accept()).await {
                let (ended, script) = (ended.clone(), Arc::clone(&playing));
                tokio::spawn(async move { ended.run_until_cancelled(play(socket, &script)).await });
            }
        });
        Self { address, script, _end: end.drop_guard() }
    }

    /// What the next requests are answered with, in order; those after them are errors.
    pub fn then(&self, plays: impl IntoIterator<Item = Play>) {
        self.script().plays = plays.into_iter().collect();
    }

    /// What it was asked since it was last asked for this.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script().asked)
    }

    /// How many answers are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.script().plays.len()
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one request.
async fn play(mut socket: TcpStream, script: &Mutex<Script>) -> std::io::Result<()> {
    let mut read = Vec::new();
    let (head, body) = loop {
        let length = socket.read_buf(&mut read).await?;
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let sent = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if length == 0 || body.len() >= sent.unwrap_or_default() {
            break (head, serde_json::from_str(body).unwrap_or_default());
        }
    };
    let next = {
        let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
        script.asked.push(Asked { head, body });
        script.plays.pop_front()
    };
    let play =
        next.unwrap_or_else(|| status("500 Internal Server Error", "", &json!({ "error": { "type": "no_more" } })));
    socket.set_nodelay(true)?;
    socket
        .write_all(format!("{}connection: close\r\ntransfer-encoding: chunked\r\n\r\n", play.head).as_bytes())
        .await?;
    for piece in &play.pieces {
        socket.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await?;
        socket.flush().await?;
    }
    match play.end {
        End::Whole => socket.write_all(b"0\r\n\r\n").await,
        End::Cut => socket.shutdown().await,
        End::Hang => std::future::pending().await,
    }
}
