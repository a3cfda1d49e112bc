//! Many at once.

use crate::client::request;
use crate::served::Served;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::thread;

/// Starts them all at once, and gives what each has answered.
fn all_at_once(served: &Served, bodies: &[Value]) -> Vec<Value> {
    let answers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for body in bodies {
            let answers = &answers;
            scope.spawn(move || {
                let answer = served.run(body);
                answers.lock().unwrap().push(answer);
            });
        }
    });
    answers.into_inner().unwrap()
}

#[test]
fn fifty_runs_at_once_succeed_and_are_in_the_history() {
    let Some(served) = Served::root() else { return };
    let body = json!({"state": "run", "image": "small", "command": "true", "net": "none"});
    let answers = all_at_once(&served, &vec![body; 50]);
    let ids: BTreeSet<String> = answers.iter().map(|made| made["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 50);
    for id in &ids {
        served.world().boxed("wait").arg(id).limit(120).done().is(0);
    }
    let history = served.get("/history").is(200).json();
    for event in ["run", "stop"] {
        let found: Vec<&Value> =
            history.as_array().unwrap().iter().filter(|past| past["event"] == event).collect();
        let found: BTreeSet<String> =
            found.iter().map(|past| past["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, ids, "{event}");
    }
    let all = served.get("/containers").is(200).json();
    assert_eq!(all.as_object().unwrap().len(), 50);
    assert!(
        all.as_object().unwrap().values().all(|made| made["code"] == 0 && made["state"] == "Stopped"),
        "{all}"
    );
}

/// Each line is longer than what a pipe or a buffer of the C library takes at once.
#[test]
fn long_commands_at_once_leave_whole_lines_in_the_history() {
    let Some(served) = Served::root() else { return };
    let long = |n: usize| format!("{n}").repeat(10_000);
    let bodies: Vec<Value> = (1..=9)
        .map(|n| json!({"state": "run", "image": "small", "command": ["true", long(n)], "net": "none", "wait": true}))
        .collect();
    all_at_once(&served, &bodies);
    let history = served.get("/history").is(200).json();
    let commands: Vec<&str> =
        history.as_array().unwrap().iter().map(|past| past["command"].as_str().unwrap()).collect();
    assert_eq!(commands.len(), 18);
    for n in 1..=9 {
        let command = format!("true {}", long(n));
        assert_eq!(commands.iter().filter(|found| **found == command).count(), 2, "{n}");
    }
}

#[test]
fn one_name_is_given_to_one_of_many() {
    let Some(served) = Served::root() else { return };
    let body =
        json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web"});
    let statuses = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| statuses.lock().unwrap().push(served.post("/run", &body).status));
        }
    });
    let mut statuses = statuses.into_inner().unwrap();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![409; 7]].concat());
    assert_eq!(served.get("/containers").json().as_object().unwrap().len(), 1);
}

#[test]
fn slow_clients_keep_nobody_waiting() {
    let Some(served) = Served::root() else { return };
    let whole = request("POST", "/run", "Content-Type: application/json\r\n", "{}");
    let slow: Vec<_> = (0..100).map(|n| served.open(&whole.as_bytes()[..n % whole.len()])).collect();
    served.get("/containers").is(200);
    for (mut stream, n) in slow.into_iter().zip(0..) {
        // Those that have not been given up go on where they were.
        let _ = stream.write_all(&whole.as_bytes()[n % whole.len()..]);
    }
    served.get("/containers").is(200);
}
