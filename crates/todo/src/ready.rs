//! `todo healthcheck`: asks a running process whether it is ready.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long to wait for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks `/ready` of the process that listens there; answers with what it says, and whether it can serve.
///
/// # Errors
/// A sentence, when nothing answers.
pub fn ask(listen: SocketAddr) -> Result<(bool, String), String> {
    let address = if listen.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], listen.port())) } else { listen };
    let answer = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = answer().map_err(|error| format!("nothing answers at {listen} (--listen, LISTEN_ADDR): {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.starts_with("HTTP/1.1 200"), body.to_owned()))
}

/// Shows what it says.
///
/// # Errors
/// A sentence, when it is not ready.
pub fn show(listen: SocketAddr) -> Result<(), String> {
    let (ready, said) = ask(listen)?;
    println!("{said}");
    if ready { Ok(()) } else { Err(format!("not ready at {listen}")) }
}
