//! What a box has changed: `box diff`, `commit` and `export`, and the image that is run again.

use crate::world::{SHELLS, World};
use serde_json::Value;
use std::fs;
use tests::each;

/// What `box diff` says.
#[track_caller]
fn diff(world: &World, name: &str) -> Vec<String> {
    let told = world.boxed("diff").arg(name).done().is(0).quiet().text();
    told.lines().map(str::to_owned).collect()
}

#[test]
fn every_kind_of_change_is_told_as_docker_does() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let prepare =
            "mkdir -p /d/sub /gone/sub; echo 1 >/d/a; echo 2 >/d/b; echo 3 >/d/sub/c; echo 4 >/gone/sub/x";
        world.run("--name base small sh -c").arg(prepare).done().is(0).quiet();
        world.boxed("commit base made").done().is(0).quiet();
        for (script, changes) in [
            ("true", &[][..]),
            ("ls -R /d >/tmp/x; rm /tmp/x", &["C /tmp"]),
            ("echo more >>/d/a", &["C /d", "C /d/a"]),
            ("chmod 600 /d/a", &["C /d", "C /d/a"]),
            ("touch /d/new /new", &["C /d", "A /d/new", "A /new"]),
            ("mkdir -p /d/sub/x/y", &["C /d", "C /d/sub", "A /d/sub/x", "A /d/sub/x/y"]),
            ("rm /d/a", &["C /d", "D /d/a"]),
            ("rm -r /gone", &["D /gone"]),
            ("rm -r /gone; mkdir /gone", &["C /gone", "D /gone/sub"]),
            (
                "rm -r /gone; mkdir -p /gone/sub; touch /gone/sub/y",
                &["C /gone", "C /gone/sub", "D /gone/sub/x", "A /gone/sub/y"],
            ),
            ("rm -r /gone; ln -s /d /gone", &["C /gone"]),
            ("mv /d/a /d/z", &["C /d", "D /d/a", "A /d/z"]),
            ("rm /d/a; echo new >/d/a", &["C /d", "C /d/a"]),
            ("touch /d/new; rm /d/new", &["C /d"]),
            ("touch '/a\n b'", &["A /a? b"]),
        ] {
            world.run("--name work made sh -c").arg(script).done().is(0).quiet();
            assert_eq!(diff(&world, "work"), changes, "{script}");
            world.boxed("rm work").done().is(0).quiet();
        }
        world.start("runs", "touch /now '/a\n b'; exec sleep 100");
        tests::eventually("the box has changed something", || diff(&world, "runs").len() == 2);
        let objects = world.boxed("diff --json runs").done().is(0).quiet().text();
        let paths: Vec<Value> = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(paths[0], serde_json::json!({"kind": "A", "path": "/a\n b"}));
    });
}

#[test]
fn a_link_in_a_layer_leads_the_comparison_nowhere() {
    let Some(world) = World::dash() else { return };
    let canary = world.sandbox().path("canary");
    fs::create_dir(&canary).unwrap();
    fs::write(canary.join("secret"), "secret").unwrap();
    let script = format!("ln -s {} /l", canary.display());
    world.run("--name base small sh -c").arg(script).done().is(0).quiet();
    world.boxed("commit base linked").done().is(0).quiet();
    let swap = "rm /l; mkdir /l; touch /l/secret /l/other";
    world.run("--name work linked sh -c").arg(swap).done().is(0).quiet();
    assert_eq!(diff(&world, "work"), ["C /l", "A /l/other", "A /l/secret"]);
}

#[test]
fn an_image_made_of_a_box_has_its_files_and_its_settings() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let script = "echo kept >/kept; rm -r /etc; mkdir /etc; touch /etc/only";
        let run = world.run("--name work -e COLOR=blue -e WITH=a=b -w /srv -u 5:6 small sh -c");
        run.arg("true").done().is(0).quiet();
        world.run("--name other small sh -c").arg(script).done().is(0).quiet();
        let id = world.boxed("commit -m why -a me work settings").done().is(0).quiet().text();
        let stored = fs::read_to_string(world.store().join("images/settings/id")).unwrap();
        assert_eq!(id, format!("sha256:{}", stored.trim_end()));
        let config = config(&world, "settings");
        assert_eq!(config["config"]["Cmd"], serde_json::json!(["sh", "-c", "true"]));
        assert_eq!(config["config"]["Env"], serde_json::json!(["COLOR=blue", "WITH=a=b"]));
        assert_eq!(config["config"]["WorkingDir"], "/srv");
        assert_eq!(config["config"]["User"], "5:6");
        assert_eq!(config["author"], "me");
        let steps = config["history"].as_array().unwrap();
        assert_eq!(steps.last().unwrap()["comment"], "why");
        assert_eq!(steps.len(), config["rootfs"]["diff_ids"].as_array().unwrap().len());
        let again = world.run("--rm settings sh -c").arg("echo $COLOR $WITH; pwd; id -u; id -g").done();
        assert_eq!(again.is(0).quiet().text(), "blue a=b\n/srv\n5\n6");

        world.boxed("commit other files").done().is(0).quiet();
        let seen = world.run("--rm files sh -c").arg("cat /kept; ls /etc").done().is(0).quiet();
        assert!(seen.text().starts_with("kept\n") && seen.text().contains("only"), "{seen}");
        assert!(!seen.text().contains("passwd"), "the directory was replaced: {seen}");
        world
            .boxed("commit other files")
            .done()
            .is(125)
            .complains_as("box")
            .says("there is one of that name");
        world.boxed("commit -f other files").done().is(0).quiet();
    });
}

fn config(world: &World, image: &str) -> Value {
    let file = world.store().join("images").join(image).join("config.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn settings_are_changed_by_the_instructions_of_dockerfiles() {
    let Some(world) = World::dash() else { return };
    world.run("--name work -e OLD=1 -w /srv small true").done().is(0).quiet();
    for (change, key, value) in [
        ("CMD [\"echo\", \"a b\"]", "Cmd", "[\"echo\",\"a b\"]"),
        ("CMD echo $HOME", "Cmd", "[\"/bin/sh\",\"-c\",\"echo $HOME\"]"),
        ("CMD=echo", "Cmd", "[\"/bin/sh\",\"-c\",\"echo\"]"),
        ("ENTRYPOINT [\"sh\"]", "Entrypoint", "[\"sh\"]"),
        ("ENV A=1 B=\"x y\" C='z w' D=p\\ q", "Env", "[\"OLD=1\",\"A=1\",\"B=x y\",\"C=z w\",\"D=p q\"]"),
        ("ENV OLD two words", "Env", "[\"OLD=two words\"]"),
        ("EXPOSE 80 53/udp", "ExposedPorts", "{\"80/tcp\":{},\"53/udp\":{}}"),
        ("LABEL a=b", "Labels", "{\"a\":\"b\"}"),
        ("USER web", "User", "\"web\""),
        ("VOLUME /data", "Volumes", "{\"/data\":{}}"),
        ("WORKDIR sub", "WorkingDir", "\"/srv/sub\""),
        ("WORKDIR /other", "WorkingDir", "\"/other\""),
        ("STOPSIGNAL QUIT", "StopSignal", "\"QUIT\""),
    ] {
        world.boxed("commit -f -c").args([change, "work", "made"]).done().is(0).quiet();
        let expected: Value = serde_json::from_str(value).unwrap();
        if key != "Labels" {
            assert_eq!(config(&world, "made")["config"][key], expected, "{change}");
        }
    }
    world.boxed("commit -f -c").args(["RUN rm x", "work", "made"]).done().is(125).says("a change is CMD");
    for wrong in ["ENV =x", "ENV A", "ENV A=b c", "ENV A='b", "LABEL a", "EXPOSE http", "EXPOSE 80/ip"] {
        let run = world.boxed("commit -f -c").args([wrong, "work", "wrong"]);
        run.done().is(125).says("cannot commit work: ").complains_as("box");
    }
    world.boxed("history wrong").done().is(125);
    world.boxed("commit -f work").done().is(125).says("BOX and IMAGE are needed");
}

#[test]
fn a_box_that_runs_stands_still_meanwhile() {
    let Some(world) = World::dash() else { return };
    // Both files always have the same number of lines, but for the time between two writes.
    let script =
        "i=0; while :; do i=$((i + 1)); echo $i >>/a; echo $i >>/b; [ $i != 50 ] || echo ready; done";
    world.start("busy", script);
    world.until_log("busy", "ready");
    for number in 0..3 {
        let image = format!("made{number}");
        world.boxed("commit busy").arg(&image).done().is(0).quiet();
        let count = world.run("--rm").args([&image, "sh", "-c", "wc -l </a; wc -l </b"]).done().is(0).quiet();
        let counts: Vec<i64> = count.text().lines().map(|line| line.trim().parse().unwrap()).collect();
        assert!((0..=1).contains(&(counts[0] - counts[1])), "torn: {counts:?}");
        assert_eq!(world.state("busy"), "running");
    }
    world.boxed("pause busy").done().is(0).quiet();
    world.boxed("commit busy paused").done().is(0).quiet();
    assert_eq!(world.state("busy"), "paused", "it was so before");
}

#[test]
fn an_export_is_all_that_the_box_sees_as_one_archive() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let script = "rm /etc/passwd; echo new >/new; ln /new /hard; ln -s /nowhere /soft; mkdir /v; chown 7:8 /new; echo ready; exec sleep 100";
        let shared = world.sandbox().path("shared");
        fs::create_dir(&shared).unwrap();
        fs::write(shared.join("of-the-host"), "").unwrap();
        world.run("-d --name work -v ./shared:/v small sh -c").arg(script).done().is(0).quiet();
        world.until_log("work", "ready");
        let out = world.boxed("export work").done().is(0).quiet();
        world.boxed("export -o work.tar work").done().is(0).quiet();
        assert_eq!(world.state("work"), "running");
        let list = world.sandbox().run("tar -tv --numeric-owner -f work.tar").done().is(0).quiet().text();
        let has = |name: &str| list.contains(&format!(" ./{name}"));
        assert!(has("new") && has("etc/group") && has("v/") && has("bin/busybox"), "{list}");
        assert!(!has("etc/passwd") && !list.contains("of-the-host") && !list.contains(".wh."), "{list}");
        assert!(list.lines().any(|line| line.contains(" 7/8 ") && line.contains("./new")), "{list}");
        assert!(list.contains("./soft -> /nowhere") && list.contains("link to ./"), "{list}");
        world.boxed("import work.tar again").done().is(0).quiet();
        assert_eq!(world.run("--rm again cat /hard").done().is(0).quiet().text(), "new");
        world.boxed("export -o missing/x work").done().is(125).complains_as("box");
        world.boxed("stop -t 0 work").done().is(0);
        let ended = world.boxed("export work").done().is(0).quiet();
        assert_eq!(files(&world, &ended.out), files(&world, &out.out), "the same when it has ended");
    });
}

/// The members of an archive, but for the time of its root, which is that of the view it was made of.
fn files(world: &World, tar: &[u8]) -> Vec<String> {
    let list =
        world.sandbox().run("tar -tv --full-time --numeric-owner -f -").stdin(tar).done().is(0).quiet();
    // How wide a column is depends on the lines before.
    list.text().lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn interrupted_nothing_is_left_and_the_box_goes_on() {
    let Some(world) = World::dash() else { return };
    world.start("big", "truncate -s 1G /x; echo ready; exec sleep 100");
    world.until_log("big", "ready");
    for words in ["commit big half", "export -o half.tar big"] {
        let job = world.boxed(words).start();
        tests::eventually("the box is held", || world.state("big") == "paused");
        job.signal(nix::sys::signal::Signal::SIGTERM);
        job.done().is(143);
        assert_eq!(world.state("big"), "running");
        assert!(!world.store().join("images/half").exists() && !world.sandbox().path("half.tar").exists());
        // Those at the other ends of pipes notice it a little later.
        tests::eventually("the workshop is empty", || {
            fs::read_dir(world.store().join("work")).unwrap().count() == 0
        });
        let beside = fs::read_dir(world.sandbox().dir()).unwrap().flatten();
        let beside: Vec<_> =
            beside.filter(|entry| entry.file_name().to_string_lossy().starts_with("half")).collect();
        assert!(beside.is_empty(), "{beside:?}");
    }
}
