//! What is asked, and what is answered.

use crate::served::Served;
use crate::world::SHELLS;
use serde_json::{Value, json};
use tests::{each, eventually};

#[test]
fn the_calls_of_the_older_server_have_their_shapes() {
    each(SHELLS, |shell| {
        let Some(served) = Served::under(shell) else { return };
        assert_eq!(served.get("/containers").is(200).json(), json!({}));
        assert_eq!(served.get("/history").is(200).json(), json!([]));
        let banner = served.get("/").is(200);
        assert!(banner.head.contains("text/plain") && banner.body.contains("METHODS"), "{}", banner.body);

        let request = json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none"});
        let made = served.run(&request);
        assert_eq!(made["state"], "Running");
        assert_eq!(made["image"], "small");
        assert_eq!(made["command"], "sleep 100");
        let id = made["id"].as_str().unwrap();
        let all = served.get("/containers").is(200).json();
        assert_eq!(all[id]["state"], "Running");
        let pid = all[id]["pid"].as_u64().unwrap();
        let root = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
        assert_eq!(root.trim_end(), "sleep");

        let stopped = served.post("/run", &json!({"id": id, "state": "stop"})).is(200).json();
        assert_eq!(stopped["state"], "Stopped");
        assert_eq!(stopped["image"], "small");
        assert_eq!(stopped["code"], 143);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        let history = served.get("/history").is(200).json();
        let of =
            |key: &str| history.as_array().unwrap().iter().map(|past| past[key].clone()).collect::<Vec<_>>();
        assert_eq!(of("state"), ["Running", "Stopped"]);
        assert_eq!(of("id"), [id, id]);
        assert_eq!(of("command"), ["sleep 100", "sleep 100"]);
        assert_eq!(of("code"), [Value::Null, json!(143)]);
    });
}

#[test]
fn a_run_that_is_waited_for_tells_what_was_written_and_the_status() {
    each(SHELLS, |shell| {
        let Some(served) = Served::under(shell) else { return };
        let script = "echo \"$1,$2\"; id -u; hostname; pwd; echo \"$GREETING\"; exit 7";
        let request = json!({
            "state": "run", "image": "small", "net": "none", "wait": true, "remove": true,
            "command": ["sh", "-c", script, "sh", "a b", "$(id)\n'"],
            "memory": "64M", "cpus": 0.5, "pids": 20, "hostname": "other", "workdir": "/tmp", "user": "1:1",
            "env": {"GREETING": "two\nlines'$x\\"}, "read_only": true, "tmpfs": ["/scratch"], "init": true,
        });
        let done = served.run(&request);
        assert_eq!(done["output"], "a b,$(id)\n'\n1\nother\n/tmp\ntwo\nlines'$x\\\n");
        assert_eq!(done["code"], 7);
        assert_eq!(done["truncated"], false);
        assert_eq!(served.get("/containers").json(), json!({}), "it was to be removed");
        assert_eq!(served.get("/history").json().as_array().unwrap().len(), 2);
    });
}

/// As a shell splits it, but for everything that a shell would do with the words.
#[test]
fn a_command_in_one_text_is_split_into_words() {
    let Some(served) = Served::root() else { return };
    let rows = [
        ("a b", "<a><b>"),
        ("  a \t\n b ", "<a><b>"),
        ("'a b' c", "<a b><c>"),
        ("\"a 'b\" 'c \"d'", "<a 'b><c \"d>"),
        (r#"a\ b \"c"#, "<a b><\"c>"),
        (r#""a\"b\\c\d" '\'"#, r#"<a"b\c\d><\>"#),
        ("a'b'\"c\"d", "<abcd>"),
        ("a\\\nb \"c\\\nd\" \"e\\\\\nf\" 'g\\\nh'", "<ab><cd><e\\\nf><g\\\nh>"),
        ("'' \"\"", "<><>"),
        ("$HOME `id` $(id) ~ * ; | & > #x {a,b}", "<$HOME><`id`><$(id)><~><*><;><|><&><>><#x><{a,b}>"),
        ("-n --help -- -", "<-n><--help><--><->"),
        ("\u{e4}\u{1f600} '\u{a0}'", "<\u{e4}\u{1f600}><\u{a0}>"),
    ];
    each(rows, |(text, words)| {
        let command = format!("sh -c 'for word; do printf \"<%s>\" \"$word\"; done' sh {text}");
        let request = json!({
            "state": "run", "image": "small", "command": command, "net": "none", "wait": true, "remove": true,
        });
        assert_eq!(served.run(&request)["output"], words, "{text}");
    });
}

#[test]
fn what_is_done_to_a_box_shows_in_its_state() {
    each(SHELLS, |shell| {
        let Some(served) = Served::under(shell) else { return };
        let id = served.run(&json!({
            "state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web",
        }))["id"]
            .clone();
        let empty = json!({});
        let rows = [
            ("pause", empty.clone(), "Running", "paused"),
            ("unpause", empty.clone(), "Running", "running"),
            ("kill", json!({"signal": "TERM"}), "", ""),
            ("stop", json!({"time": 1}), "Stopped", "exited"),
            ("start", empty.clone(), "Running", "running"),
            ("kill", empty.clone(), "Stopped", "exited"),
        ];
        for (verb, body, state, status) in rows {
            let told = served.post(&format!("/containers/web/{verb}"), &body).is(200).json();
            assert_eq!(told["id"], id, "{verb}");
            if !state.is_empty() {
                assert_eq!(
                    (told["state"].as_str(), told["status"].as_str()),
                    (Some(state), Some(status)),
                    "{verb}"
                );
                assert_eq!(served.get("/containers/web").json()["status"], status, "{verb}");
            }
        }
        served.post("/containers/web/pause", &empty).is(409).complains("cannot pause");
        served.ask("DELETE", "/containers/web", "", "").is(200);
        served.get("/containers/web").is(404).complains("cannot find a box called web");
    });
}

#[test]
fn a_box_that_runs_is_removed_by_force_only() {
    let Some(served) = Served::root() else { return };
    served.run(
        &json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web"}),
    );
    served.ask("DELETE", "/containers/web", "", "").is(409).complains("cannot remove");
    served.ask("DELETE", "/containers/web?force=0", "", "").is(409).complains("cannot remove");
    served.ask("DELETE", "/containers/web?force=1", "", "").is(200);
    assert_eq!(served.get("/containers").json(), json!({}));
}

#[test]
fn another_command_runs_in_a_box() {
    each(SHELLS, |shell| {
        let Some(served) = Served::under(shell) else { return };
        let sleep =
            json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web"});
        served.run(&sleep);
        let request = json!({
            "command": "sh -c 'echo \"$A\"; pwd; echo oops >&2; exit 3'", "env": {"A": "x\ny"}, "workdir": "/tmp",
        });
        let told = served.post("/containers/web/exec", &request).is(200).json();
        assert_eq!(told, json!({"output": "x\ny\n/tmp\noops\n", "truncated": false, "code": 3}));
        let told = served.post("/containers/web/exec", &json!({"command": ["nonesuch"]})).is(200).json();
        assert_eq!(told["code"], 127);
        let many = json!({"command": "sh -c 'yes | head -c 3000000'"});
        let told = served.post("/containers/web/exec", &many).is(200).json();
        assert_eq!((told["output"].as_str().unwrap().len(), &told["truncated"]), (1_048_576, &json!(true)));
        served.post("/containers/web/stop", &json!({"time": 0})).is(200);
        served.post("/containers/web/exec", &request).is(409).complains("runs");
    });
}

#[test]
fn all_else_that_is_told_of_a_box() {
    let Some(served) = Served::root() else { return };
    let script = "echo one; echo two; exec sleep 100";
    served.run(&json!({
        "state": "run", "image": "small", "command": ["sh", "-c", script], "net": "none", "name": "web", "memory": "64M",
    }));
    eventually("it has written", || served.get("/containers/web/logs").body == "one\ntwo\n");
    assert_eq!(served.get("/containers/web/logs?tail=1").is(200).body, "two\n");
    assert_eq!(served.get("/containers/web/logs?tail=0").is(200).body, "");
    let pipeline = served.get("/containers/web/explain").is(200).json()["pipeline"].clone();
    assert!(pipeline.as_str().unwrap().contains("cgctl new"), "{pipeline}");
    let stats = served.get("/containers/web/stats").is(200).json();
    assert_eq!((&stats["name"], &stats["memory_limit"]), (&json!("web"), &json!(64 << 20)));
    let images = served.get("/images").is(200).json();
    assert_eq!(images[0]["name"], "small");
    assert!(served.get("/map").is(200).json()[0]["interfaces"].is_array());
    assert_eq!(served.get("/openapi.json").is(200).json()["openapi"], "3.1.0");
    let head = served.ask("HEAD", "/containers/web/logs?follow=1", "", "").is(200);
    assert!(head.body.is_empty());
}

/// Nothing but the socket's permissions and the directory's says who may call.
#[test]
fn the_socket_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let Some(served) = Served::root() else { return };
    let runs = served.world().runs();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&runs), 0o700);
    assert_eq!(mode(&runs.join("api.sock")), 0o600);
}
