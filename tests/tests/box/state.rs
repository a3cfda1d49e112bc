//! What `box` tells of a box, whatever has happened to it.

use crate::world::{SHELLS, World};
use nix::sys::signal::{Signal, kill};
use std::fs;
use tests::{cgroup, each, eventually, leak};

#[test]
fn a_box_is_stopped_by_term_and_by_kill_when_that_does_not_help() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let rows = [
            (30, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done", "exited 5"),
            // PID 1 without a handler would not see it.
            (30, "echo ready; exec sleep 60", "exited 143"),
            (1, "trap '' TERM; echo ready; while :; do sleep 0.05; done", "exited 137"),
        ];
        for (seconds, script, state) in rows {
            world.start("web", script);
            world.until_log("web", "ready");
            world.boxed(&format!("stop -t {seconds} web")).done().is(0).quiet();
            assert_eq!(world.state("web"), state, "{script}");
            // Nothing is left to be stopped, which is no error.
            world.boxed("stop web").done().is(0).quiet();
            world.boxed("rm web").done().is(0).quiet();
        }
        world.is_empty();
    });
}

#[test]
fn a_box_that_is_none_keeps_nobody_from_the_others() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.start("web", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
        world.until_log("web", "ready");
        world.boxed("kill -s TERM none web").done().is(125).complains_as("box");
        assert_eq!(world.boxed("wait none web").done().is(125).complains_as("box").text(), "5");
        world.boxed("stop none web").done().is(125).complains_as("box");
        let run = world.boxed("inspect none web none").done().is(125).says("a box called none");
        assert_eq!(run.json()["state"], "exited");
        assert_eq!(world.boxed("start none web").done().is(125).complains_as("box").text(), "web");
        assert_eq!(world.state("web"), "running");
        world.boxed("stop -t 0 web").done().is(0).quiet();
        world.boxed("rm none web").done().is(125).complains_as("box");
        world.is_empty();
    });
}

#[test]
fn signals_reach_the_command_and_kill_ends_it() {
    let Some(world) = World::dash() else { return };
    world.start(
        "sig",
        "trap 'echo got' USR1; trap 'echo two' USR2; trap 'echo alarm' ALRM; echo ready; while :; do sleep 0.05; done",
    );
    world.until_log("sig", "ready");
    world.boxed("kill -s USR1 sig").done().is(0).quiet();
    world.until_log("sig", "got");
    world.boxed("kill -s SIGALRM sig").done().is(0).quiet();
    world.until_log("sig", "alarm");
    world.boxed("kill -s sigusr2 sig").done().is(0).quiet();
    world.until_log("sig", "two");
    for wrong in ["0", "65", "010", "-9", "nosuch"] {
        world.boxed("kill -s").args([wrong, "sig"]).done().is(125).complains_as("box");
    }
    world.boxed("stop -t 9999999999999999999 sig").done().is(125).complains_as("box");
    assert_eq!(world.state("sig"), "running");
    let events = fs::read_to_string(world.store().join("events")).unwrap();
    assert_eq!(events.matches("\"killed\"").count(), 3, "{events}");
    world.boxed("kill sig").done().is(0).quiet();
    assert_eq!(world.boxed("wait sig").done().is(0).text(), "137");
    world.boxed("kill sig").done().is(125).says("it is exited");
}

#[test]
fn no_signal_is_ignored_from_the_start() {
    let Some(world) = World::dash() else { return };
    let none = "SigIgn:\t0000000000000000";
    world.run("-d --name behind small grep SigIgn /proc/self/status").done().is(0);
    world.until_log("behind", none);
    let script = "trap '' HUP INT; box run --rm --net none small grep SigIgn /proc/self/status";
    assert_eq!(world.script(script).done().is(0).text(), none);
    world.start("other", "exec sleep 60");
    for words in ["", "-d"] {
        let script = "grep SigIgn /proc/self/status >/tmp/ignored; mv /tmp/ignored /tmp/told";
        let script = format!("trap '' HUP INT; box exec {words} other sh -c '{script}'");
        world.script(&script).done().is(0).quiet();
        let told = "until [ -e /tmp/told ]; do sleep 0.01; done; cat /tmp/told; rm /tmp/told";
        assert_eq!(world.boxed("exec other sh -c").arg(told).done().is(0).text(), none, "{words}");
    }
    world.start("handles", "trap 'exit 6' INT; echo ready; while :; do sleep 0.05; done");
    world.until_log("handles", "ready");
    world.boxed("kill -s INT handles").done().is(0).quiet();
    assert_eq!(world.boxed("wait handles").done().is(0).text(), "6");
}

#[test]
fn names_are_given_once_and_can_be_changed() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let id = world.start("one", "exec sleep 60");
        world.run("-d --name one small true").done().is(125).says("a box has that name already");
        world.boxed("rename one two").done().is(0).quiet();
        assert_eq!(world.names(), ["two"]);
        let entered = world.sandbox().run("nsenter-rs --list -t").arg(world.record("two")["pid"].to_string());
        entered.done().is(0);
        world.start("one", "exec sleep 60");
        world.boxed("rename one two").done().is(125).says("a box has that name already");
        world.boxed("rename one a/b").done().is(125).says("as the name of a box");
        assert_eq!(world.boxed("inspect").arg(&id[..13]).done().is(0).json()["name"], "two");
        world.boxed("rm -f one two").done().is(0).quiet();
        world.is_empty();
    });
}

#[test]
fn of_two_with_one_name_at_once_one_runs() {
    let Some(world) = World::dash() else { return };
    for _ in 0..5 {
        let jobs = [(); 4].map(|()| world.run("--name same small sh -c").arg("echo ran; sleep 0.3").start());
        let done = jobs.map(tests::Job::done);
        let ran = done.iter().filter(|job| job.status == 0).count();
        assert_eq!(ran, 1, "{done:?}");
        let refused = done.iter().filter(|job| job.status == 125 && job.talk().contains("that name already"));
        assert_eq!(refused.count(), 3);
        assert_eq!(fs::read_dir(world.store().join("boxes")).unwrap().count(), 1);
        world.boxed("rm same").done().is(0).quiet();
    }
    world.is_empty();
}

#[test]
fn fifty_boxes_can_be_started_at_once() {
    let Some(world) = World::dash() else { return };
    let jobs: Vec<_> =
        (0..50).map(|n| world.run(&format!("-d --name n{n} small sleep 120")).limit(120).start()).collect();
    jobs.into_iter().for_each(|job| drop(job.done().is(0).quiet()));
    let all = world.boxed("ps -q").done().is(0).text();
    assert_eq!(all.lines().count(), 50);
    let names: Vec<String> = (0..50).map(|n| format!("n{n}")).collect();
    world.boxed("rm -f").args(&names).limit(120).done().is(0).quiet();
    world.is_empty();
}

#[test]
fn whatever_is_killed_the_truth_is_told_and_gc_cleans() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        for victim in ["cgctl", "unshare-rs", "sleep"] {
            let id = world.start("victim", "exec sleep 60");
            let owner = world.owner("victim");
            let inside = leak::children(owner)[0];
            let pid = match victim {
                "cgctl" => owner,
                "unshare-rs" => inside,
                _ => leak::children(inside)[0],
            };
            // The command of the box is a shell first.
            eventually("the victim runs", || leak::name(pid).as_deref() == Some(victim));
            kill(pid, Signal::SIGKILL).unwrap();
            eventually("it has ended", || world.state("victim") == "exited 137");
            let run = world.boxed("inspect victim").done().is(0).json();
            assert_eq!(run["error"] == "killed from outside", victim == "cgctl", "{run}");
            world.boxed("gc").done().is(0);
            assert_eq!(world.state("victim"), "exited 137");
            assert!(fs::read_dir(world.runs()).unwrap().count() <= 1);
            world.boxed("start victim").done().is(0);
            world.boxed("rm -f victim").done().is(0).quiet();
            world.is_empty();
            let left = || cgroup::ours().into_iter().any(|group| group.to_string_lossy().contains(&id));
            eventually("its group is gone", || !left());
        }
    });
}

#[test]
fn a_box_of_before_a_reboot_has_ended_nobody_knows_how() {
    let Some(world) = World::dash() else { return };
    world.start("old", "exec sleep 60");
    kill(world.owner("old"), Signal::SIGKILL).unwrap();
    eventually("it has ended", || world.sandbox().marker().processes().is_empty());
    fs::remove_dir_all(world.runs()).unwrap();
    assert_eq!(world.state("old"), "exited null");
    assert_eq!(world.boxed("inspect old").done().is(0).json()["error"], "interrupted by a reboot");
    assert_eq!(world.boxed("wait old").done().is(0).text(), "unknown");
    world.sandbox().run("cgctl gc").done().is(0);
    world.boxed("start old").done().is(0);
    assert_eq!(world.state("old"), "running");
    // A later process has the same number.
    let owner = world.runs().join("old/owner");
    let line = fs::read_to_string(&owner).unwrap();
    world.boxed("stop -t 0 old").done().is(0).quiet();
    fs::remove_file(world.store().join("names/old/exited")).unwrap();
    fs::create_dir_all(world.runs().join(world.record("old")["id"].as_str().unwrap())).unwrap();
    let (pid, boot) = (line.split(' ').next().unwrap(), line.trim_end().rsplit(' ').next().unwrap());
    fs::write(&owner, format!("{pid} 1 {boot}\n")).unwrap();
    assert_eq!(world.state("old"), "exited 137");
    // And one of an earlier boot, where what goes with a reboot was on disk.
    let _ = fs::remove_file(owner.with_file_name("status"));
    fs::remove_file(world.store().join("names/old/exited")).unwrap();
    fs::write(&owner, line.replace(boot, "another-boot")).unwrap();
    assert_eq!(world.state("old"), "exited null");
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let script = "
            mkdir -p $BOX_STORE/small
            mount -t tmpfs -o size=64k none $BOX_STORE/small
            cp -r $BOX_STORE/images $BOX_STORE/small/
            export BOX_STORE=$BOX_STORE/small
            dd if=/dev/zero of=$BOX_STORE/fill bs=1k 2>/dev/null || :
            status=0
            box run --net none small true || status=$?
            echo $status
            rm $BOX_STORE/fill
            ls -A $BOX_STORE/boxes $BOX_STORE/names $BOX_RUN 2>/dev/null | grep -v : || :
            box run --net none --rm small echo fine";
        let done = world.script(script).done().is(0).says("No space left on device").complains_as("box");
        assert_eq!(done.text().split_whitespace().collect::<Vec<_>>(), ["125", "fine"]);
    });
}

#[test]
fn a_box_has_one_name_also_when_there_is_no_room_for_another() {
    let Some(world) = World::dash() else { return };
    let script = "
        mkdir -p $BOX_STORE/small
        mount -t tmpfs -o size=200k none $BOX_STORE/small
        cp -r $BOX_STORE/images $BOX_STORE/small/
        export BOX_STORE=$BOX_STORE/small
        box run --name one --net none small true
        dd if=/dev/zero of=$BOX_STORE/fill bs=1k 2>/dev/null || :
        box rename one two || echo $?
        ls $BOX_STORE/names; cat $BOX_STORE/boxes/*/name; ! ls $BOX_STORE/boxes/* | grep new
        rm $BOX_STORE/fill
        box rename one two; ls $BOX_STORE/names; cat $BOX_STORE/boxes/*/name";
    let done = world.script(script).done().is(0);
    assert_eq!(done.says("No space left on device").text(), "125\none\none\ntwo\ntwo");
}

#[test]
fn what_was_half_made_is_removed_by_gc_and_what_is_being_made_is_not() {
    let Some(world) = World::dash() else { return };
    world.start("live", "exec sleep 60");
    world.run("--name ended small true").done().is(0);
    let dead = world.store().join("boxes/00000000-0000-4000-8000-000000000000");
    fs::create_dir_all(dead.join("upper")).unwrap();
    fs::create_dir_all(world.runs().join("11111111-1111-4111-8111-111111111111")).unwrap();
    std::os::unix::fs::symlink("../boxes/gone", world.store().join("names/gone")).unwrap();
    world.boxed("gc").done().is(0);
    assert!(!dead.exists());
    let mut names = world.names();
    names.sort();
    assert_eq!(names, ["ended", "live"]);
    assert_eq!((world.state("live"), world.state("ended")), ("running".into(), "exited 0".into()));
}

#[test]
fn the_history_has_a_line_for_every_start_and_every_end() {
    let Some(world) = World::dash() else { return };
    world.run("--rm --name one small sh -c").arg("echo \"a\\b\"; exit 3").done().is(3);
    world.run("--name two small nosuch").done().is(127);
    let history = fs::read_to_string(world.store().join("history")).unwrap();
    let lines: Vec<serde_json::Value> = history
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let told: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line["event"], line["name"], line["code"]).replace('"', ""))
        .collect();
    assert_eq!(told, ["run one null", "stop one 3", "run two null", "stop two 127"]);
    assert_eq!(lines[0]["command"], "sh -c 'echo \"a\\b\"; exit 3'");
}

#[test]
fn a_log_is_followed_to_its_end() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.start("slow", "for n in 1 2 3; do echo $n; sleep 0.2; done");
        assert_eq!(world.boxed("logs -f slow").done().is(0).quiet().text(), "1\n2\n3");
        assert_eq!(world.boxed("logs -f -n 1 slow").done().is(0).quiet().text(), "3");
    });
}

#[test]
fn a_command_that_is_not_found_again_shows_in_the_status() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        fs::create_dir_all(world.sandbox().path("vol")).unwrap();
        world.sandbox().file("vol/prog", "#!/bin/sh\n", 0o755);
        world.run("--name gone -v ./vol:/vol small /vol/prog").done().is(0).quiet();
        fs::remove_file(world.sandbox().path("vol/prog")).unwrap();
        world.boxed("start gone").done().is(127).complains_as("pivot");
        world.boxed("start -a gone").done().is(127).complains_as("pivot");
        world.boxed("start gone none").done().is(125).says("a box called none");
    });
}

#[test]
fn whoever_attaches_to_a_box_that_runs_sees_what_it_writes_from_then_on() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.start(
            "slow",
            "echo before; until [ -e /go ]; do echo more; sleep 0.05; done; echo after; exit 7",
        );
        world.until_log("slow", "before");
        let seen = world.sandbox().path("seen");
        let seen = || fs::read_to_string(&seen).unwrap_or_default();
        let job = world.script("box start -a slow >seen").start();
        eventually("something is seen", || seen().contains("more"));
        world.boxed("exec slow touch /go").done().is(0).quiet();
        job.done().is(7).quiet();
        assert!(seen().starts_with("more\n") && seen().ends_with("\nafter\n"), "{}", seen());
    });
}

#[test]
fn of_two_who_start_a_box_at_once_one_does() {
    let Some(world) = World::dash() else { return };
    // It runs until all have tried.
    let tried = world.sandbox().file("tried", "", 0o644);
    let run = world.run("--name same -v ./:/v small sh -c");
    run.arg("echo run; until [ -e /v/tried ]; do sleep 0.01; done").done().is(0);
    for round in 2..6 {
        fs::remove_file(&tried).unwrap();
        let jobs = [(); 4].map(|()| world.boxed("start same").start());
        jobs.into_iter().for_each(|job| {
            let done = job.done();
            assert!(done.status == 0 || done.talk().contains("somebody else is starting it"), "{done}");
        });
        fs::write(&tried, "").unwrap();
        assert_eq!(world.boxed("wait same").done().is(0).text(), "0");
        assert_eq!(world.boxed("logs same").done().is(0).text().lines().count(), round);
    }
}

#[test]
fn a_box_is_never_told_to_have_ended_while_it_is_started_again() {
    let Some(world) = World::dash() else { return };
    world.run("--name again small true").done().is(0);
    let script = "for n in 1 2 3 4 5 6 7 8; do box start again >/dev/null; box wait again; done";
    let job = world.script(script).start();
    while leak::state(job.pid()).is_some_and(|state| state != 'Z') {
        let state = world.state("again");
        assert!(["running", "exited 0", "created"].contains(&&*state), "{state}");
    }
    assert_eq!(job.done().is(0).text(), ["0"; 8].join("\n"));
}
