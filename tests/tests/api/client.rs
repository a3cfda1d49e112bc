//! A client that sends what it is told to, byte for byte, to a UNIX socket.

use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tests::patience;

/// Asks at a socket, with fields of its own in every request.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub fn new(socket: &Path) -> Self {
        Client { socket: socket.to_owned() }
    }

    /// Sends these bytes and nothing more.
    pub fn open(&self, request: &[u8]) -> UnixStream {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(patience(120))).unwrap();
        stream.write_all(request).unwrap();
        stream
    }

    /// Sends these bytes, and takes what is answered until the other side closes.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut answer = Vec::new();
        self.open(request).read_to_end(&mut answer).unwrap();
        Answer::parse(&String::from_utf8_lossy(&answer))
    }

    /// A request with these fields, one on each line, and this body.
    pub fn ask(&self, method: &str, path: &str, fields: &str, body: &str) -> Answer {
        self.raw(request(method, path, fields, body).as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    /// POSTs JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, JSON, &body.to_string())
    }

    /// POSTs to /run, which must succeed; the record of the box.
    #[track_caller]
    pub fn run(&self, body: &Value) -> Value {
        self.post("/run", body).is(200).json()
    }
}

/// The field that says that a body is JSON.
pub const JSON: &str = "Content-Type: application/json\r\n";

/// HTTP/1.0, so that the answer ends where the connection does.
pub fn request(method: &str, path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.0\r\nHost: box\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer of HTTP: {text:?}"));
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}\n{}", self.head, self.body))
    }

    /// Asserts an error in the form that all have, which says `part`.
    #[track_caller]
    pub fn complains(&self, part: &str) {
        let json = self.json();
        let Answer { head, body, .. } = self;
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["error", "hint"], "{head}\n{body}");
        let said = json["error"].as_str().unwrap();
        assert!(said.contains(part), "{part:?} is not said: {head}\n{body}");
        assert!(head.contains("\r\nContent-Type: application/json"), "{head}");
        assert!(!said.is_empty() && said.chars().all(|c| !c.is_control()), "{body}");
    }
}
