//! What boxes use and do, and their limits: `box stats`, `top`, `pause`, `update`, `port`, `df` and `events`.

use crate::world::{SHELLS, World};
use serde_json::{Value, json};
use std::fs;
use tests::{Outcome, each, eventually};

fn objects(outcome: &Outcome) -> Vec<Value> {
    outcome.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn stats_tell_what_is_used_of_what_may_be() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.run("-d --name idle small sleep 100").done().is(0).quiet();
        let run = world.run("-d --name busy -m 64M -c 0.5 --pids 9 small sh -c");
        run.arg("while :; do :; done").done().is(0).quiet();
        let look = || objects(&world.boxed("stats -n --json").done().is(0).quiet());
        let percent = |one: &Value| one["cpu_percent"].as_f64().unwrap();
        let mut all = look();
        // A busy machine comes to the second of the two readings late, or leaves the box no time.
        eventually("half a processor is used at most", || {
            all = look();
            (0.5..=70.0).contains(&percent(&all[0])) && percent(&all[1]) < 2.0
        });
        let names: Vec<&str> = all.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["busy", "idle"]);
        let busy = &all[0];
        assert_eq!((&busy["memory_limit"], &busy["pids_limit"]), (&json!(64 << 20), &json!(9)));
        assert_eq!(busy["cpu_limit"], json!(0.5));
        assert!(busy["memory"].as_i64().unwrap() > 0 && busy["pids"].as_i64().unwrap() > 0);
        let table = world.boxed("stats --no-stream busy").done().is(0).quiet().text();
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(table.contains("64M") && !table.contains("idle"), "{table}");
    });
}

#[test]
fn stats_count_the_network_of_the_box() {
    let Some(world) = World::dash() else { return };
    // What listens says nothing and does not end its side first: nc in the box would take that for the end of all.
    let script = "netns net add box
        mkfifo silence; exec 3<>silence
        busybox nc -l -p 9000 <&3 >/dev/null &
        box run -d --name net small sh -c 'gate=$(ip route | sed -n \"s/default via \\([^ ]*\\) .*/\\1/p\")
          until head -c 5000 /dev/zero | nc $gate 9000; do :; done; echo done; sleep 100' >/dev/null
        until grep -q done $BOX_STORE/names/net/log; do :; done
        box stats -n --json net; box rm -f net; netns net rm -f box";
    let told = objects(&world.script(script).limit(120).done().is(0));
    assert!(told[0]["net_sent"].as_i64().unwrap() > 5000, "{}", told[0]);
}

#[test]
fn stats_end_with_the_boxes_that_were_named_and_with_their_reader() {
    let Some(world) = World::dash() else { return };
    world.start("short", "exec sleep 100");
    let job = world.boxed("stats --json short").start();
    job.until("\"short\"");
    world.boxed("stop -t 0 short").done().is(0);
    job.done().is(0).quiet();
    world.start("long", "exec sleep 100");
    world.script("box stats long | head -n 1").done().is(0);
}

#[test]
fn top_tells_processes_by_both_numbers() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.start("web", "sleep 71 & sleep 72 & exec sh -c 'sleep 73; true' 'odd\n\tname'");
        let list = || objects(&world.boxed("top --json web").done().is(0).quiet());
        let mut all = list();
        eventually("all have become what they are to be", || {
            all = list();
            all.len() == 4
                && all.iter().filter(|one| one["command"].to_string().starts_with("\"sleep 7")).count() == 3
        });
        let one = all.iter().find(|process| process["inside"] == 1).unwrap();
        let pid = one["pid"].as_i64().unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains(&format!("NSpid:\t{pid}\t1\n")), "{status}");
        assert_eq!(one["uid"], json!(0));
        assert!(all.iter().any(|process| process["command"] == "sleep 72"), "{all:?}");
        let table = world.boxed("top web").done().is(0).quiet().text();
        assert_eq!(table.lines().count(), 5, "{table:?}");
        assert!(table.lines().all(|line| !line.chars().any(char::is_control)), "{table:?}");
    });
}

#[test]
fn a_paused_box_stands_still() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.start("loop", "while :; do echo x; done");
        world.start("other", "exec sleep 100");
        let log = || fs::metadata(world.store().join("names/loop/log")).unwrap().len();
        world.boxed("pause loop other").done().is(0).quiet();
        assert_eq!((world.state("loop").as_str(), world.state("other").as_str()), ("paused", "paused"));
        let before = log();
        assert_eq!(objects(&world.boxed("stats -n --json loop").done().is(0))[0]["state"], "paused");
        assert_eq!(log(), before, "more than a second later");
        world.boxed("exec loop true").done().is(125).says("it is paused").says("box unpause loop");
        world.boxed("pause loop").done().is(125).complains_as("box").says("it is paused already");
        world.boxed("cp loop:/etc/passwd out").done().is(0).quiet();
        world.boxed("unpause loop").done().is(0).quiet();
        eventually("it goes on", || log() > before);
        // Past those that cannot be.
        world
            .boxed("unpause none loop other")
            .done()
            .is(125)
            .says("called none")
            .says("loop: it is not paused");
        assert_eq!(world.state("other"), "running");
        world.boxed("stop -t 0 loop").done().is(0);
        world.boxed("pause loop").done().is(125).complains_as("box").says("it has ended");
    });
}

#[test]
fn limits_are_changed_now_and_for_later() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let run = world.run("-d --name web -m 64M -c 0.5 small sleep 100");
        run.done().is(0).quiet();
        world.boxed("update -m 32M --pids 7 web").done().is(0).quiet();
        let limits = |name: &str| {
            let told = objects(&world.boxed("stats -n --json").arg(name).done().is(0));
            json!([told[0]["memory_limit"], told[0]["cpu_limit"], told[0]["pids_limit"]])
        };
        assert_eq!(limits("web"), json!([32 << 20, 0.5, 7]));
        world.boxed("stop -t 0 web").done().is(0);
        world.boxed("update -c 0.25 web").done().is(0).quiet();
        world.boxed("start web").done().is(0);
        assert_eq!(limits("web"), json!([32 << 20, 0.25, 7]));
        // Nothing is kept of what the kernel refuses.
        let before = fs::read(world.store().join("names/web/pipeline")).unwrap();
        world.boxed("update -m 64M --pids 0 web").done().is(125);
        assert_eq!(fs::read(world.store().join("names/web/pipeline")).unwrap(), before);
        assert_eq!(limits("web"), json!([32 << 20, 0.25, 7]));
        for (words, says) in [
            ("update web", "nothing is to be changed"),
            ("update -m 1;2 web", "1;2 is no limit"),
            ("update -m 1M", "BOX is missing"),
        ] {
            world.boxed(words).done().is(125).complains_as("box").says(says);
        }
    });
}

#[test]
fn ports_are_told_as_they_are_published() {
    let Some(world) = World::dash() else { return };
    let script = "box run -d --name web -p 8080:80 -p 0.0.0.0:5353:53/udp small sleep 100 >/dev/null
        box port web; box port web 80; box port web 53/udp; box port --json web
        box port web 81 || echo $?
        box rm -f web; netns net rm -f box";
    let told = world.script(script).limit(120).done().is(0).says("nothing leads to 81/tcp").text();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[..4],
        ["80/tcp -> 127.0.0.1:8080", "53/udp -> 0.0.0.0:5353", "127.0.0.1:8080", "0.0.0.0:5353"]
    );
    let first: Value = serde_json::from_str(lines[4]).unwrap();
    assert_eq!(first, json!({"port": "80", "protocol": "tcp", "address": "127.0.0.1", "host_port": "8080"}));
    assert_eq!(lines[6..], ["125"]);
}

#[test]
fn df_adds_up_what_images_and_boxes_take() {
    let Some(world) = World::dash() else { return };
    assert_eq!(objects(&world.boxed("df --json").done().is(0).quiet())[1]["total"], json!(0));
    world.run("--name ended small sh -c").arg("head -c 3000000 /dev/zero >/x").done().is(0).quiet();
    world.boxed("commit ended made").done().is(0).quiet();
    world.run("-d --name runs made sleep 100").done().is(0).quiet();
    let told = objects(&world.boxed("df --json").done().is(0).quiet());
    assert_eq!((&told[0]["total"], &told[0]["in_use"]), (&json!(2), &json!(2)));
    assert_eq!((&told[1]["total"], &told[1]["in_use"]), (&json!(2), &json!(1)));
    for (kind, free) in [(0, 0..1), (1, 3_000_000..4_000_000)] {
        assert!(told[kind]["size"].as_i64().unwrap() > 3_000_000, "{}", told[kind]);
        assert!(free.contains(&told[kind]["can_be_freed"].as_i64().unwrap()), "{}", told[kind]);
    }
    world.boxed("df").done().is(0).quiet();
}

#[test]
fn events_are_told_as_they_happen() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.run("--rm --name past small true").done().is(0).quiet();
        let job = world.boxed("events --json --since 1h").start();
        job.until("removed");
        world.start("web", "exec sleep 100");
        job.until("\"started\",\"id\"");
        world.boxed("pause web").done().is(0);
        world.boxed("unpause web").done().is(0);
        world.boxed("rename web www").done().is(0);
        world.boxed("kill www").done().is(0);
        world.boxed("rm www").done().is(0);
        let hog = "x=x; while :; do x=$x$x; done";
        world.run("--name hog -m 16M small sh -c").arg(hog).done().is(137);
        job.until("\"code\":137,\"oom\"");
        eventually("all is told", || {
            job.text().matches("\"exited\"").count() == 3 && job.text().contains("\"oom\",\"id\"")
        });
        let text = job.text();
        let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |name: &str| {
            let mine = told.iter().filter(|event| event["name"] == name);
            mine.map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of("past"), ["started", "exited", "removed"]);
        assert_eq!(of("web"), ["started", "paused", "unpaused"]);
        assert_eq!(of("www")[0], "renamed");
        assert!(
            of("www").contains(&"killed") && of("www").contains(&"exited") && of("www").contains(&"removed")
        );
        assert!(of("hog").contains(&"oom"), "{text}");
        job.signal(nix::sys::signal::Signal::SIGTERM);
        assert_ne!(job.done().status, 0);

        let past =
            world.boxed("events --since 0 --until now -f box=hog -f event=exited").done().is(0).quiet();
        assert_eq!(past.text().lines().count(), 1, "{past}");
        assert!(past.text().contains("exited hog") && past.text().contains("code=137"), "{past}");
        world.boxed("events --since yesterday-ish").done().is(125).complains_as("box");
        world.boxed("events -f colour=red").done().is(125).complains_as("box");
    });
}

#[test]
fn an_end_that_nobody_wrote_down_is_told_and_nothing_of_the_telling_stays() {
    let Some(world) = World::dash() else { return };
    world.start("web", "exec sleep 100");
    let job = world.boxed("events").start();
    eventually("the kernel is asked", || world.sandbox().marker().processes().len() >= 6);
    nix::sys::signal::kill(world.owner("web"), nix::sys::signal::Signal::SIGKILL).unwrap();
    job.until("exited web");
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
    eventually("all have ended", || world.sandbox().marker().processes().is_empty());
    world.boxed("gc").done().is(0);
}
