//! What goes on: logs that are followed, events, and callers who go away.

use crate::client::request;
use crate::served::{Served, server_processes};
use serde_json::json;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tests::{eventually, patience};

/// Reads until what came contains `part`.
#[track_caller]
fn read_until(stream: &mut UnixStream, part: &str) -> String {
    read_within(patience(60), stream, part)
}

/// The same in a time of one's own: a stream may go on for ever without it.
#[track_caller]
fn read_within(limit: Duration, stream: &mut UnixStream, part: &str) -> String {
    let end = Instant::now() + limit;
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(part) {
        assert!(Instant::now() < end, "{part:?} has not come in {limit:?}: {text}");
        let length = stream.read(&mut bytes).unwrap();
        assert!(length > 0, "{part:?} never came: {text}");
        text += &String::from_utf8_lossy(&bytes[..length]);
    }
    text
}

#[test]
#[should_panic(expected = "has not come in")]
fn a_stream_without_an_end_is_not_read_for_ever() {
    let (mut reader, mut writer) = UnixStream::pair().unwrap();
    std::thread::spawn(move || while writer.write_all(b"tick\n").is_ok() {});
    read_within(Duration::from_millis(50), &mut reader, "tock");
}

/// How many processes answer requests.
fn answering(served: &Served) -> usize {
    let processes = server_processes(&served.world().runs());
    processes.iter().filter(|line| line.contains("/serve/leash") || line.contains("/serve/api")).count()
}

fn start_talker(served: &Served) {
    let script = "while :; do echo tick; sleep 0.1; done";
    served.run(&json!({
        "state": "run", "image": "small", "command": ["sh", "-c", script], "net": "none", "name": "web",
    }));
}

#[test]
fn logs_are_followed_until_the_box_ends() {
    let Some(served) = Served::root() else { return };
    start_talker(&served);
    let mut stream = served.open(request("GET", "/containers/web/logs?follow=1", "", "").as_bytes());
    read_until(&mut stream, "tick\ntick\n");
    read_until(&mut stream, "tick\n");
    served.post("/containers/web/stop", &json!({"time": 0})).is(200);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    eventually("nothing follows", || answering(&served) == 0);
}

#[test]
fn what_all_boxes_use_is_told_each_second() {
    let Some(served) = Served::root() else { return };
    start_talker(&served);
    let mut stream = served.open(request("GET", "/stats", "", "").as_bytes());
    let text = read_until(&mut stream, "}\n\n");
    assert!(text.contains("text/event-stream"), "{text}");
    read_until(&mut stream, "}\n\n");
    let first = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    assert_eq!((&first["name"], &first["state"]), (&json!("web"), &json!("running")));
    drop(stream);
    eventually("nothing looks", || answering(&served) == 0);
}

#[test]
fn who_follows_and_goes_away_leaves_nothing() {
    let Some(served) = Served::root() else { return };
    served.run(&json!({
        "state": "run", "image": "small", "command": ["sh", "-c", "echo one; exec sleep 100"], "net": "none", "name": "web",
    }));
    let mut stream = served.open(request("GET", "/containers/web/logs?follow=1", "", "").as_bytes());
    read_until(&mut stream, "one\n");
    assert!(answering(&served) > 0);
    drop(stream);
    eventually("nothing follows", || answering(&served) == 0);
    assert_eq!(served.get("/containers/web").json()["state"], "Running");
}

#[test]
fn a_box_whose_caller_goes_away_goes_on() {
    let Some(served) = Served::root() else { return };
    let body = json!({
        "state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web", "wait": true,
    });
    let stream = served.open(request("POST", "/run", crate::client::JSON, &body.to_string()).as_bytes());
    eventually("it runs", || served.get("/containers/web").status == 200);
    eventually("it is waited for", || answering(&served) > 0);
    drop(stream);
    eventually("nobody waits any more", || answering(&served) == 0);
    assert_eq!(served.get("/containers/web").json()["state"], "Running");
}

#[test]
fn a_command_whose_caller_goes_away_is_ended() {
    let Some(served) = Served::root() else { return };
    served.run(
        &json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web"}),
    );
    let body = json!({"command": ["sleep", "1234"]});
    let count = || {
        let ps = served.world().boxed("exec web ps").done().text();
        ps.lines().filter(|line| line.ends_with("sleep 1234")).count()
    };
    let stream = served
        .open(request("POST", "/containers/web/exec", crate::client::JSON, &body.to_string()).as_bytes());
    eventually("it runs", || count() == 1);
    drop(stream);
    eventually("it was ended", || count() == 0);
}

#[test]
fn events_come_as_they_happen() {
    let Some(served) = Served::root() else { return };
    let mut stream = served.open(request("GET", "/events", "", "").as_bytes());
    assert!(read_until(&mut stream, ": listening\n").contains("Content-Type: text/event-stream"));
    served.run(&json!({"state": "run", "image": "small", "command": "false", "net": "none", "name": "web"}));
    let told = read_until(&mut stream, "\"exited\"");
    let events: Vec<serde_json::Value> = told
        .split("\n\n")
        .filter_map(|event| event.trim_start().strip_prefix("data: "))
        .filter_map(|json| serde_json::from_str(json).ok())
        .collect();
    assert_eq!((&events[0]["event"], &events[0]["name"]), (&json!("started"), &json!("web")), "{told}");
    drop(stream);
    eventually("nothing listens", || answering(&served) == 0);
}
