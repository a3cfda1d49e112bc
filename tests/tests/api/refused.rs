//! What is refused, and that nothing comes of it.

use crate::client::{Answer, JSON, request};
use crate::served::Served;
use serde_json::json;
use tests::each;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const FOREIGN: &str = "Content-Type: application/json\r\nOrigin: http://example.com\r\n";

/// method, path, fields, body, the status that comes of it, and a part of what is said
type Row = (&'static str, &'static str, &'static str, &'static str, u16, &'static str);

const RUN: &str = r#"{"state":"run","image":"small","command":"true","net":"none"}"#;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // where
    ("GET", "/none", "", "", 404, "no such path"),
    ("GET", "/containers/", "", "", 404, "no such path"),
    ("GET", "//containers", "", "", 400, "bad request"),
    ("GET", "/containers/web/none", "", "", 404, "no such path"),
    ("GET", "/page/none", "", "", 404, "no such file"),
    ("GET", "/containers/none", "", "", 404, "cannot find a box called none"),
    ("GET", "/containers/none/logs", "", "", 404, "cannot find"),
    ("GET", "/containers/none/logs?follow=1", "", "", 404, "cannot find"),
    ("POST", "/containers/none/stop", JSON, "{}", 404, "cannot find"),
    ("POST", "/containers/none/exec", JSON, r#"{"command":"id"}"#, 404, "cannot find"),
    ("DELETE", "/containers/none", "", "", 404, "cannot find"),
    ("GET", "/containers/-a", "", "", 404, "no box can have that name"),
    ("GET", "/containers/.hidden", "", "", 404, "no box can have that name"),
    ("GET", "/containers/a%20b", "", "", 404, "no box can have that name"),
    ("GET", "/containers/a;b", "", "", 404, "no box can have that name"),
    ("GET", "/containers/*", "", "", 404, "no box can have that name"),
    ("GET", "/containers/$(id)", "", "", 404, "no box can have that name"),
    ("GET", "/containers/../../etc/passwd", "", "", 400, "bad request"),
    ("GET", "/containers/..%2f..%2fetc", "", "", 400, "bad request"),
    ("GET", "/containers/%2e%2e", "", "", 400, "bad request"),
    ("GET", "/page/../api", "", "", 400, "bad request"),
    ("GET", "/containers/a%00b", "", "", 400, "bad request"),
    ("GET", "/containers/a%0ab", "", "", 400, "bad request"),
    // how
    ("GET", "/run", "", "", 405, "method"),
    ("PUT", "/run", JSON, RUN, 405, "method"),
    ("POST", "/containers", JSON, "{}", 405, "method"),
    ("PATCH", "/containers/none", JSON, "{}", 405, "method"),
    ("GET", "/containers/none/stop", "", "", 405, "method"),
    ("TRACE", "/", "", "", 405, "method"),
    ("OPTIONS", "/run", "Origin: http://example.com\r\n", "", 403, "another origin"),
    ("BREW", "/run", "", "", 501, "method"),
    // what is asked for
    ("GET", "/containers?all=1", "", "", 400, "query"),
    ("GET", "/containers/none?force=1", "", "", 400, "query"),
    ("GET", "/history?tail=x", "", "", 400, "tail is a number"),
    ("GET", "/history?tail=-1", "", "", 400, "tail is a number"),
    ("GET", "/history?tail=99999999", "", "", 400, "tail is a number"),
    ("GET", "/history?tail=1;id", "", "", 400, "tail is a number"),
    ("GET", "/history?=", "", "", 400, "query"),
    ("DELETE", "/containers/none?force=maybe", "", "", 400, "force is 1, 0, true or false"),
    // who
    ("POST", "/run", FOREIGN, RUN, 403, "another origin"),
    ("POST", "/run", "Content-Type: application/json\r\nOrigin: null\r\n", RUN, 403, "another origin"),
    ("GET", "/containers", "Origin: https://box\r\n", "", 403, "another origin"),
    // as what
    ("POST", "/run", FORM, RUN, 415, "not application/json"),
    ("POST", "/run", "Content-Type: text/plain\r\n", RUN, 415, "not application/json"),
    ("POST", "/run", "Content-Type: application/jsonp\r\n", RUN, 415, "not application/json"),
    ("POST", "/run", "", RUN, 415, "not application/json"),
    ("POST", "/containers/none/stop", FORM, "time=1", 415, "not application/json"),
    // JSON
    ("POST", "/run", JSON, "", 400, "no body"),
    ("POST", "/run", JSON, " ", 422, "state must be"),
    ("POST", "/run", JSON, "{", 400, "no JSON text"),
    ("POST", "/run", JSON, "{'state':'run'}", 400, "no JSON text"),
    ("POST", "/run", JSON, r#"{"state":"run",}"#, 400, "no JSON text"),
    ("POST", "/run", JSON, "{} {}", 400, "more than one"),
    ("POST", "/run", JSON, "[]", 422, "must be an object"),
    ("POST", "/run", JSON, "null", 422, "must be an object"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"\ud800"}"#, 400, "no JSON text"),
    ("POST", "/run", JSON, "{\"state\":\"run\",\"image\":\"\u{fffd}\"}", 400, "no UTF-8"),
    // fields
    ("POST", "/run", JSON, "{}", 422, "state must be"),
    ("POST", "/run", JSON, r#"{"state":"go","image":"small"}"#, 422, "state must be"),
    ("POST", "/run", JSON, r#"{"state":["run"],"image":"small"}"#, 422, "state must be"),
    ("POST", "/run", JSON, r#"{"state":"run"}"#, 422, "lacks image"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","privileged":true}"#, 400, "not known here: privileged"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","volumes":["/:/x"]}"#, 400, "not known here: volumes"),
    ("POST", "/run", JSON, r#"{"state":"stop","id":"none","image":"small"}"#, 400, "not known here: image"),
    ("POST", "/run", JSON, r#"{"state":"stop","id":"none"}"#, 404, "cannot find"),
    ("POST", "/run", JSON, r#"{"state":"stop","id":"../x"}"#, 422, "id must be"),
    ("POST", "/run", JSON, r#"{"state":"stop"}"#, 422, "lacks id"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"none"}"#, 404, "no image called none"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"../../../../../"}"#, 422, "image must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small/"}"#, 422, "image must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small\n"}"#, 422, "image must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"--help"}"#, 422, "image must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":""}"#, 422, "image must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":7}"#, 422, "image must be a string"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","name":"a b"}"#, 422, "name must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","name":"-d"}"#, 422, "name must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":""}"#, 422, "command must not be empty"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"  "}"#, 422, "command must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":[]}"#, 422, "command must not be empty"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":[""]}"#, 422, "names no program"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"''"}"#, 422, "names no program"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":["a",1]}"#, 422, "command[1] must be a string"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"a 'b"}"#, 422, "quote"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"a\\"}"#, 422, "backslash"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"a\u0000b"}"#, 422, "NUL"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","command":"true","net":"nonet"}"#, 422, "nonet"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","net":"host"}"#, 422, "net must be something else"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","memory":64}"#, 422, "memory must be a string"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","memory":"64X"}"#, 422, "memory must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","pids":0}"#, 422, "pids must be at least 1"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","pids":1.5}"#, 422, "pids must be a whole number"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","cpus":1e99}"#, 422, "cpus must be at most 1024"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","cpus":-1}"#, 422, "cpus must be at least 0.01"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","ports":"80:80"}"#, 422, "ports must be a list"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","ports":["x"]}"#, 422, "ports[0] must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","env":["A=1"]}"#, 422, "env must be an object"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","env":{"A=B":"1"}}"#, 422, "no name of a variable"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","env":{"A":1}}"#, 422, "env.A must be a string"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","workdir":"tmp"}"#, 422, "workdir must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","user":"-x"}"#, 422, "user must be"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","wait":"yes"}"#, 422, "wait must be true or false"),
    ("POST", "/run", JSON, r#"{"state":"run","image":"small","tmpfs":["/x:/y"]}"#, 422, "tmpfs[0] must be"),
];

#[test]
fn bad_input_is_told_so_and_nothing_comes_of_it() {
    let Some(served) = Served::root() else { return };
    each(ROWS.iter().copied(), |(method, path, fields, body, status, said)| {
        let answer = served.ask(method, path, fields, body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
        answer.complains(said);
    });
    nothing_came_of_it(&served);
}

#[test]
fn what_cannot_be_started_leaves_no_box() {
    let Some(served) = Served::root() else { return };
    let rows = [
        (json!({"command": "nonesuch"}), "cannot run nonesuch"),
        (json!({"command": "/etc"}), "cannot run /etc"),
        (json!({"command": "true", "memory": "1"}), "the least is 4096"),
        (json!({"command": "true", "user": "nobodyelse"}), "nobodyelse"),
        (json!({"command": "true", "ports": ["8080:80"]}), "publish"),
    ];
    each(rows, |(mut body, said)| {
        for (key, value) in [("state", "run"), ("image", "small"), ("net", "none")] {
            body[key] = json!(value);
        }
        served.post("/run", &body).is(422).complains(said);
        assert_eq!(served.get("/containers").json(), json!({}));
    });
}

#[test]
fn what_is_no_request_is_told_so() {
    let Some(served) = Served::root() else { return };
    let long = "a".repeat(9000);
    let rows: Vec<(Vec<u8>, u16)> = vec![
        (b"GARBAGE\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_vec(), 400),
        (b"GET / HTTP/9.0\r\nHost: a\r\n\r\n".to_vec(), 505),
        (b"POST /run HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\r\n".to_vec(), 411),
        (b"POST /run HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n".to_vec(), 413),
        (b"POST /run HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_vec(), 400),
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n").into_bytes(), 431),
        (request("GET", "/containers/\u{e4}", "", "").into_bytes(), 404),
        (b"GET /containers/\xff HTTP/1.0\r\nHost: a\r\n\r\n".to_vec(), 400),
    ];
    each(rows, |(bytes, status)| served.raw(&bytes).is(status).complains(""));
    nothing_came_of_it(&served);
}

/// A body of just less than 1 MiB is read, and refused for what it says.
#[test]
fn a_long_body_is_refused_at_1_mib() {
    let Some(served) = Served::root() else { return };
    let run = |length: usize| -> Answer {
        let body = json!({"state": "run", "image": "small", "command": ["true", "x".repeat(length)]});
        served.post("/run", &body)
    };
    run(1_000_000).is(422).complains("command[1] must not be longer than 32768 characters");
    run(1_100_000).is(413).complains("longer than 1 MiB");
    let deep = format!("{{\"state\":{}", "[".repeat(100_000));
    served.ask("POST", "/run", JSON, &deep).is(400).complains("no JSON text");
    nothing_came_of_it(&served);
}

#[test]
fn a_method_that_does_nothing_names_those_that_do() {
    let Some(served) = Served::root() else { return };
    let rows = [("/run", "POST"), ("/containers", "GET, HEAD"), ("/containers/x", "GET, HEAD, DELETE")];
    each(rows, |(path, allowed)| {
        let head = served.ask("PATCH", path, "", "").is(405).head;
        assert!(head.contains(&format!("\r\nAllow: {allowed}\r\n")), "{head}");
    });
}

#[track_caller]
fn nothing_came_of_it(served: &Served) {
    assert_eq!(served.get("/containers").json(), json!({}));
    assert_eq!(served.get("/history").json(), json!([]));
}
