//! The recording handler: answers from a list in order, then `{}`; the probe is answered and not recorded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// Status, further header lines, body.
    Reply(u16, &'static str, &'static str),
    /// The connection is closed without an answer.
    Drop,
}

pub(crate) fn json(body: &'static str) -> Answer {
    Answer::Reply(200, "Content-Type: application/json", body)
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Recorder {
    requests: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Recorder {
    pub(crate) async fn listen(port: u16, answers: &[Answer]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let recorder = Self {
            requests: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
        };
        let serving = recorder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        recorder
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Request> {
        crate::until(|| Some(self.requests()).filter(|requests| requests.len() >= count)).await
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream).await {
            let is_probe = request.line.starts_with("GET / ") && request.headers.len() == 1;
            let answer = if is_probe {
                Answer::Reply(200, "X-Probe: yes", "")
            } else {
                let answer = self.answers.lock().unwrap().pop_front();
                self.requests.lock().unwrap().push(request.clone());
                answer.unwrap_or_else(|| json("{}"))
            };
            let Answer::Reply(status, headers, body) = answer else { return };
            let separator = if headers.is_empty() { "" } else { "\r\n" };
            let length = body.len();
            let shown = if request.line.starts_with("HEAD ") { "" } else { body };
            let text =
                format!("HTTP/1.1 {status} X\r\n{headers}{separator}Content-Length: {length}\r\n\r\n{shown}");
            if stream.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = read_line(stream).await?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream).await?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let request = Request { line, headers, body: String::new() };
    let body = match (request.header("content-length"), request.header("transfer-encoding")) {
        (Some(length), _) => read_exactly(stream, length.parse().ok()?).await?,
        (None, Some(_)) => read_chunks(stream).await?,
        (None, None) => Vec::new(),
    };
    Some(Request { body: String::from_utf8_lossy(&body).into_owned(), ..request })
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(stream).await?, 16).ok()?;
        body.extend(read_exactly(stream, length).await?);
        read_line(stream).await?;
        if length == 0 {
            return Some(body);
        }
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await {
        Ok(length) if length > 0 => Some(line.trim_end().to_owned()),
        _ => None,
    }
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}
