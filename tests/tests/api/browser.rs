//! Headless Chromium with the page of a `box serve`, driven by chromedriver. https://www.w3.org/TR/webdriver2/

use crate::world::World;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use tests::{Job, becomes, patience};

/// What every caller of that `box serve` needs.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Where it listens.
pub const PAGE: &str = "http://127.0.0.1:1337/";

/// Keys that are no letters.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";
pub const DOWN: &str = "\u{e015}";

/// The server and the browser, in namespaces of their own. While there is a file `away`, there is no server. Nothing of
/// the browser outlives its first process, since that is the first of a pid namespace.
const STAGE: &str = "
    end() { trap '' TERM; kill $server $driver || :; wait; exit 0; }
    trap end TERM
    unshare-rs -p --mount-proc chromedriver --port=9515 --log-level=OFF & driver=$!
    while :; do
      while [ -e away ]; do sleep 0.05; done
      exec box serve --listen 127.0.0.1:1337 --token-file token 2>told & server=$!
      echo $server >server
      wait $server || :
    done";

/// A page, and all that is behind it.
#[derive(Debug)]
pub struct Browser {
    session: String,
    logged: RefCell<Vec<Value>>,
    job: Option<Job>,
    world: World,
}

impl Browser {
    /// Starts it, with an empty page. `None`, and said so, where there is no Chromium.
    pub fn start() -> Option<Self> {
        let found =
            |program| Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success());
        if !found("chromium") || !found("chromedriver") {
            tests::skip("chromium and chromedriver are not installed");
            return None;
        }
        let world = World::dash()?;
        world.sandbox().file("token", format!("{TOKEN}\n"), 0o600);
        let run = world.script(STAGE).env("TMPDIR", world.sandbox().dir()).env("LC_ALL", "C.UTF-8");
        let job = run.limit(600).start();
        let told = || fs::read_to_string(world.sandbox().path("told")).unwrap_or_default();
        assert!(becomes(patience(60), || told().contains("try curl")), "{}{}", told(), job.talk());
        enter(&job);
        assert!(
            becomes(patience(60), || TcpStream::connect("127.0.0.1:9515").is_ok()),
            "chromedriver: {}",
            job.talk()
        );
        let mut browser =
            Browser { session: String::new(), logged: RefCell::default(), job: Some(job), world };
        browser.session = browser.open_session();
        Some(browser)
    }

    fn open_session(&self) -> String {
        let profile = format!("--user-data-dir={}", self.world.sandbox().path("profile").display());
        // A closed network is no reason to try again and again.
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &profile,
        ];
        let wanted = json!({"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": flags}});
        let made = ask("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        format!("/session/{}", made["sessionId"].as_str().unwrap())
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// Asks chromedriver for something of this session.
    #[track_caller]
    fn ask(&self, path: &str, body: &Value) -> Value {
        ask("POST", &format!("{}{path}", self.session), body)
    }

    pub fn go(&self, url: &str) {
        self.ask("/url", &json!({"url": url}));
    }

    /// Opens the page with the token, and waits until it has read the list.
    #[track_caller]
    pub fn open(&self) {
        self.go(&format!("{PAGE}#token={TOKEN}"));
        self.until("document.querySelector('.link').dataset.state === 'live'");
        self.until("!document.querySelector('.blank:not([hidden]) p')?.textContent.startsWith('Asking')");
    }

    /// What an expression of JavaScript is.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": format!("return ({expression})"), "args": []}))
    }

    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector('{selector}')?.innerText ?? ''"));
        text.as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&self, expression: &str) {
        let is = || self.eval(&format!("Boolean({expression})")) == json!(true);
        assert!(becomes(patience(60), is), "never: {expression}\n{}", self.text("body"));
    }

    /// Presses these keys, one after the other, wherever the focus is.
    pub fn keys(&self, keys: &str) {
        let press = |key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})];
        let actions: Vec<Value> = keys.chars().map(String::from).flat_map(press).collect();
        self.ask("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Makes the window that wide, in CSS pixels.
    pub fn width(&self, width: u32) {
        let size = json!({"width": width, "height": 812, "deviceScaleFactor": 1, "mobile": false});
        self.ask("/goog/cdp/execute", &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size}));
    }

    /// What the console tells of errors, and of what the Content-Security-Policy has refused.
    pub fn errors(&self) -> Vec<String> {
        let new = self.ask("/se/log", &json!({"type": "browser"}));
        let mut logged = self.logged.borrow_mut();
        logged.extend(new.as_array().unwrap().iter().cloned());
        let bad = |entry: &&Value| entry["level"] == "SEVERE" || entry["source"] == "security";
        logged.iter().filter(bad).map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        job.signal(Signal::SIGTERM);
        if !std::thread::panicking() {
            job.done().is(0);
        }
    }
}

/// Has this thread, which is that of one test, use the network of the job.
fn enter(job: &Job) {
    let network = File::open(format!("/proc/{}/ns/net", job.pid())).unwrap();
    setns(network, CloneFlags::CLONE_NEWNET).unwrap();
}

/// Asks chromedriver, which must succeed.
#[track_caller]
fn ask(method: &str, path: &str, body: &Value) -> Value {
    let mut stream = TcpStream::connect("127.0.0.1:9515").unwrap();
    stream.set_read_timeout(Some(patience(120))).unwrap();
    let body = body.to_string();
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:9515\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).unwrap();
    let answer: Value = serde_json::from_slice(&body_of(BufReader::new(stream))).unwrap();
    assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
    answer["value"].clone()
}

/// chromedriver leaves the connection open, so the length tells where the end is.
fn body_of(mut stream: BufReader<TcpStream>) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", number)) => length = number.trim().parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    body
}
