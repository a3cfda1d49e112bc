//! `box serve` from its start to its end, however that comes.

use crate::client::{JSON, request};
use crate::served::{Served, assert_left_nothing, listening, server_processes};
use crate::world::{SHELLS, World};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tests::{Job, each, eventually, leak};

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let rows = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)];
    each(SHELLS, |shell| {
        each(rows, |(signal, status)| {
            let Some(world) = World::root(shell) else { return };
            let job = listening(world.boxed("serve"));
            job.signal(signal);
            job.done().is(status);
            assert_left_nothing(&world.runs());
        });
    });
}

#[test]
fn a_kill_leaves_nothing() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let job = listening(world.boxed("serve"));
        job.signal(Signal::SIGKILL);
        job.done();
        assert_left_nothing(&world.runs());
    });
}

#[test]
fn a_kill_of_what_it_runs_ends_it_and_leaves_nothing() {
    each(["keeper", "lighttpd"], |victim| {
        let Some(world) = World::dash() else { return };
        let job = listening(world.boxed("serve"));
        kill(part(&job, victim), Signal::SIGKILL).unwrap();
        job.done().is(125).says("lighttpd has ended");
        assert_left_nothing(&world.runs());
    });
}

#[test]
fn boxes_and_history_outlive_it() {
    let Some(mut served) = Served::root() else { return };
    let body =
        json!({"state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web"});
    let before = served.run(&body);
    served.run(&json!({"state": "run", "image": "small", "command": "false", "net": "none", "wait": true}));
    let history = served.get("/history").json();
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        served.end(signal);
        assert_left_nothing(&served.world().runs());
        let alive = served.world().boxed("ps --json").done().is(0).json();
        assert_eq!((&alive["name"], &alive["state"]), (&json!("web"), &json!("running")));
        served.again();
        assert_eq!(served.get("/containers/web").json()["pid"], before["pid"]);
        assert_eq!(served.get("/history").json(), history);
    }
}

/// It can do for its user what box can, and says the same where that is not possible.
#[test]
fn an_ordinary_user_serves() {
    each(SHELLS, |shell| {
        let world = World::user(shell);
        let image = "mkdir -p store/images/small && readlink -f rootfs >store/images/small/layers";
        world.sandbox().shell(image).done().is(0);
        let served = Served::over(world);
        let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&served.world().runs().join("api.sock")), owner(served.world().sandbox().dir()));
        assert_eq!(served.get("/containers").is(200).json(), json!({}));
        assert_eq!(served.get("/images").is(200).json()[0]["name"], "small");
        let direct = served.world().boxed("run --rm small id -u").done();
        let body =
            json!({"state": "run", "image": "small", "command": "id -u", "wait": true, "remove": true});
        let answer = served.post("/run", &body);
        if direct.status == 0 {
            assert_eq!(answer.is(200).json()["output"], "0\n");
        } else {
            let error = answer.is(422).json()["error"].as_str().unwrap().to_owned();
            assert!(direct.talk().contains(&error), "{error}\n{direct}");
        }
    });
}

#[test]
fn what_goes_on_ends_with_it() {
    let term = ("serve", Signal::SIGTERM);
    let rows = ["serve", "lighttpd", "keeper"].map(|victim| (victim, Signal::SIGKILL));
    each(rows.into_iter().chain([term]), |(victim, signal)| {
        let Some(mut served) = Served::root() else { return };
        let run = json!({
            "state": "run", "image": "small", "command": "sleep 100", "net": "none", "name": "web", "wait": true,
        });
        let mut open = vec![served.open(request("POST", "/run", JSON, &run.to_string()).as_bytes())];
        eventually("it runs", || served.get("/containers/web").status == 200);
        let exec = request("POST", "/containers/web/exec", JSON, "{\"command\": \"sleep 50\"}");
        let follow = request("GET", "/containers/web/logs?follow=1", "", "");
        let events = request("GET", "/events", "", "");
        open.extend([exec, follow, events].map(|request| served.open(request.as_bytes())));
        let runs = served.world().runs();
        let on_leashes =
            || server_processes(&runs).iter().filter(|line| line.contains("serve/leash")).count();
        eventually("all four go on", || on_leashes() == 4);
        if victim == "serve" {
            served.end(signal);
        } else {
            kill(part(served.job(), victim), signal).unwrap();
            served.over_by_itself().is(125);
        }
        assert_left_nothing(&runs);
        assert_eq!(served.world().state("web"), "running");
        let ps = || served.world().boxed("exec web ps").done().text();
        eventually("the command has ended", || !ps().contains("sleep 50"));
    });
}

#[test]
fn what_was_asked_for_is_finished_without_the_server() {
    let Some(mut served) = Served::root() else { return };
    let stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done";
    let made = served.run(&json!({
        "state": "run", "image": "small", "command": ["sh", "-c", stubborn], "net": "none", "name": "web",
    }));
    let id = made["id"].as_str().unwrap();
    served.world().until_log("web", "ready");
    let stop = request("POST", "/containers/web/stop", JSON, "{\"time\": 2}");
    let stream = served.open(stop.as_bytes());
    let stopping = format!("wait --timeout 2 box-{id}");
    eventually("it is being stopped", || {
        leak::pids().into_iter().any(|pid| command_line(pid).contains(&stopping))
    });
    served.end(Signal::SIGKILL);
    drop(stream);
    assert_left_nothing(&served.world().runs());
    eventually("it was stopped", || served.world().state("web") == "exited 137");
}

#[test]
fn two_at_one_place_are_one_too_many() {
    let Some(served) = Served::root() else { return };
    let second = served.world().boxed("serve").done().is(125);
    second.says("cannot listen on").says("it is in use already").complains_as("box");
    served.get("/containers").is(200);
    let other = served.world().sandbox().path("other.sock");
    let job = listening(served.world().boxed("serve --socket").arg(&other));
    crate::client::Client::new(&other).get("/containers").is(200);
    job.signal(Signal::SIGTERM);
    job.done().is(143);
    assert!(!other.exists());
    served.get("/containers").is(200);
}

#[test]
fn what_was_killed_with_its_keeper_is_swept_up() {
    let Some(world) = World::dash() else { return };
    let job = listening(world.boxed("serve"));
    let keeper = part(&job, "keeper");
    kill(keeper, Signal::SIGSTOP).unwrap();
    job.signal(Signal::SIGKILL);
    job.done();
    kill(keeper, Signal::SIGKILL).unwrap();
    eventually("only files are left", || world.sandbox().marker().processes().is_empty());
    let left = desks(&world);
    assert_eq!(left.len(), 1);
    let served = Served::over(world);
    assert!(desks(served.world()).iter().all(|desk| *desk != left[0]));
    served.get("/containers").is(200);
}

/// The keeper, or the lighttpd that it runs.
fn part(job: &Job, name: &str) -> Pid {
    let keeper = leak::children(job.pid())[0];
    assert_eq!(leak::name(keeper).as_deref(), Some("keeper"));
    let mut all = [keeper].into_iter().chain(leak::children(keeper));

    all.find(|pid| leak::name(*pid).as_deref() == Some(name)).unwrap()
}

fn desks(world: &World) -> Vec<String> {
    let names = tests::names(&world.runs());
    let desks = names.into_iter().filter(|path| path.rsplit('/').next().unwrap().starts_with(".serve."));
    desks.collect()
}

#[test]
fn a_wrong_line_is_told_so() {
    let Some(world) = World::dash() else { return };
    let path = world.sandbox().path("x".repeat(120).as_str());
    world.sandbox().file("short", "abc\n", 0o600);
    world.sandbox().file("odd", format!("{}\n", "a b".repeat(30)), 0o600);
    let rows = [
        ("serve now", "serve takes no operand"),
        ("serve --listen 1337", "ADDRESS:PORT"),
        ("serve --listen 127.0.0.1:", "a port from 1 to 65535"),
        ("serve --listen 127.0.0.1:0", "a port from 1 to 65535"),
        ("serve --listen 127.0.0.1:65536", "a port from 1 to 65535"),
        ("serve --listen 127.0.0.1:99999999999999999999", "a port from 1 to 65535"),
        ("serve --listen localhost:80", "a numeric address"),
        ("serve --listen :80", "a numeric address"),
        ("serve --listen 0.0.0.0:1337", "others could read"),
        ("serve --listen [::]:1337", "others could read"),
        ("serve --listen 127.0.0.1:1337 --socket x", "exclude each other"),
        ("serve --tls-cert x", "--tls-cert needs --listen"),
        ("serve --tls-key x", "--tls-key needs --tls-cert"),
        ("serve --listen 0.0.0.0:1337 --tls-cert nonesuch", "No such file"),
        ("serve --token-file nonesuch", "No such file"),
        ("serve --token-file short", "fewer than 32"),
        ("serve --token-file odd", "other characters"),
        ("serve --socket /nonesuch/x", "cannot listen on /nonesuch/x"),
        ("serve --socket short", "something of that name that is no socket"),
        (&format!("serve --socket {}", path.display()), "longer than 107 bytes"),
    ];
    each(rows, |(words, said)| {
        world.boxed(words).done().is(125).says("box: cannot ").says(said);
        assert_left_nothing(&world.runs());
    });
    assert!(world.sandbox().path("short").exists());
}

#[test]
fn without_lighttpd_it_says_what_to_install() {
    let Some(world) = World::dash() else { return };
    let hide = "mount -t tmpfs none /usr/sbin; exec box serve";
    let run = world.sandbox().run("unshare-rs -m /bin/sh -euc").arg(hide);
    world.with_places(run).done().is(125).says("lighttpd is not installed").says("apt-get install lighttpd");
}

fn command_line(pid: Pid) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
