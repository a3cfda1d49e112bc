//! `box cp`: where files come to lie, whose they are, and that no name in a box leads out of it.

use crate::world::{SHELLS, World};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;
use tests::{each, names};

/// Boxes called `on`, which runs, and `off`, which has ended.
fn boxes(world: &World, script: &str) -> [&'static str; 2] {
    world.start("on", &format!("{script}\necho ready; exec sleep 100"));
    world.until_log("on", "ready");
    world.run("--name off small sh -c").arg(script).done().is(0).quiet();
    ["on", "off"]
}

/// What is below a directory of the sandbox, with names relative to it, separated by blanks.
fn tree(world: &World, dir: &str) -> String {
    let dir = world.sandbox().path(dir);
    let relative = |path: &String| path[dir.to_str().unwrap().len() + 1..].to_owned();
    names(&dir).iter().map(relative).collect::<Vec<_>>().join(" ")
}

/// Does it, quietly.
#[track_caller]
fn copy(world: &World, from: &str, to: &str) {
    world.boxed("cp").args([from, to]).done().is(0).quiet();
}

fn sources(world: &World) {
    fs::create_dir_all(world.sandbox().path("src/sub")).unwrap();
    world.sandbox().file("src/sub/x", "deep", 0o644);
    symlink("/etc/passwd", world.sandbox().path("src/link")).unwrap();
    world.sandbox().file("one", "one", 0o640);
    world.sandbox().file("odd\n -name", "odd", 0o644);
}

#[test]
fn things_come_to_lie_where_docker_puts_them() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        sources(&world);
        for name in boxes(&world, "mkdir /there; echo old >/there/file") {
            let at = |path: &str| format!("{name}:{path}");
            for (from, to, top, shows) in [
                ("one", "/there", "/there", "file one"),
                ("one", "/there/", "/there", "file one"),
                ("one", "/there/file", "/there", "file one"),
                ("odd\n -name", "/there/-o", "/there", "-o file one"),
                ("src", "/fresh", "/fresh", "link sub sub/x"),
                ("src/sub", "/fresh", "/fresh", "link sub sub/x"),
                ("src/sub", "/fresh/link2/", "/fresh", "link link2 link2/x sub sub/x"),
                ("src", "/fresh/sub", "/fresh/sub", "src src/link src/sub src/sub/x x"),
                ("src/.", "/tmp", "/tmp", "link sub sub/x"),
            ] {
                copy(&world, from, &at(to));
                copy(&world, &at(&format!("{top}/.")), "out");
                assert_eq!(tree(&world, "out"), shows, "{from:?} to {}", at(to));
                fs::remove_dir_all(world.sandbox().path("out")).unwrap();
            }
            copy(&world, &at("/there/file"), "back");
            assert_eq!(
                fs::read_to_string(world.sandbox().path("back")).unwrap(),
                "one",
                "replaced in {name}"
            );
            copy(&world, &at("/there/-o"), "back");
            assert_eq!(fs::read_to_string(world.sandbox().path("back")).unwrap(), "odd", "replaced here");
            copy(&world, &at("fresh/sub/x"), "-dash");
            assert_eq!(fs::read_to_string(world.sandbox().path("-dash")).unwrap(), "deep");
            copy(&world, &at("/fresh/link"), "link");
            assert_eq!(fs::read_link(world.sandbox().path("link")).unwrap(), PathBuf::from("/etc/passwd"));
            world.boxed("cp -L").args([at("/fresh/link").as_str(), "followed"]).done().is(0).quiet();
            assert!(fs::read_to_string(world.sandbox().path("followed")).unwrap().contains("root:"));
        }
        // The mode of a directory that was there is not that of the source.
        let on = world.boxed("exec on stat -c %a /tmp").done().is(0).quiet();
        assert_eq!(on.text(), "1777");
    });
}

#[test]
fn archives_go_through_standard_input_and_output() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        sources(&world);
        for name in boxes(&world, "mkdir /there") {
            let tar = world.sandbox().run("tar -c -f - src").done().is(0).quiet();
            let into = format!("{name}:/there");
            world.boxed("cp -").arg(&into).stdin(&tar.out).done().is(0).quiet();
            let out = world.boxed("cp").args([&format!("{into}/src"), "-"]).done().is(0).quiet();
            let list = world.sandbox().run("tar -t -f -").stdin(&out.out).done().is(0);
            let mut members: Vec<String> = list.text().lines().map(str::to_owned).collect();
            members.sort();
            assert_eq!(members, ["./src/", "./src/link", "./src/sub/", "./src/sub/x"], "{name}");
            world.boxed("cp -").arg(&into).stdin(b"no archive").done().is(125).complains_as("box");
        }
    });
}

#[test]
fn what_enters_is_roots_and_what_leaves_is_the_callers() {
    let Some(world) = World::dash() else { return };
    world.sandbox().file("mine", "mine", 0o4755);
    chown(world.sandbox().path("mine"), Some(1234), Some(1235)).unwrap();
    fs::set_permissions(world.sandbox().path("mine"), fs::Permissions::from_mode(0o4755)).unwrap();
    for name in boxes(&world, "echo x >/other; chown 77:88 /other; chmod 6755 /other") {
        copy(&world, "mine", &format!("{name}:/entered"));
        world.boxed("cp -a mine").arg(format!("{name}:/kept")).done().is(0).quiet();
        copy(&world, &format!("{name}:/other"), "left");
        world.boxed("cp -a").args([&format!("{name}:/other"), "left-a"]).done().is(0).quiet();
        let upper = world.store().join("names").join(name).join("upper");
        let seen = |path: PathBuf| {
            let meta = fs::symlink_metadata(path).unwrap();
            (meta.uid(), meta.gid(), meta.permissions().mode() & 0o7777)
        };
        assert_eq!(seen(upper.join("entered")), (0, 0, 0o4755), "{name}");
        assert_eq!(seen(upper.join("kept")), (1234, 1235, 0o4755), "{name}");
        assert_eq!(
            seen(world.sandbox().path("left")),
            (0, 0, 0o755),
            "{name}: no file runs in another's name"
        );
        assert_eq!(seen(world.sandbox().path("left-a")), (77, 88, 0o6755), "{name}");
    }
}

/// A directory of the host that no box may reach, with a secret in it.
fn canary(world: &World) -> PathBuf {
    fs::create_dir(world.sandbox().path("canary")).unwrap();
    world.sandbox().file("canary/secret", "secret", 0o644);
    world.sandbox().path("canary")
}

#[track_caller]
fn canary_lives(world: &World) {
    assert_eq!(tree(world, "canary"), "secret");
    assert_eq!(fs::read_to_string(world.sandbox().path("canary/secret")).unwrap(), "secret");
}

#[test]
fn links_of_a_box_lead_nowhere_outside() {
    let Some(world) = World::dash() else { return };
    let canary = canary(&world);
    let host = canary.display();
    sources(&world);
    let up = "../".repeat(12);
    let script =
        format!("ln -s {host} /abs; ln -s {up}{host} /up; ln -s {host}/secret /file; ln -s /proc/1/root /r");
    for name in boxes(&world, &script) {
        for place in [
            "/abs",
            "/up",
            "/abs/secret",
            "/file/x",
            "/r/tmp/x",
            &format!("/{up}{host}/secret"),
            "/proc/self/root/x",
        ] {
            // Nothing of the kind is in the box, so that most of it fails; what does not stays inside.
            world.boxed("cp one").arg(format!("{name}:{place}")).done();
            world.boxed("cp src").arg(format!("{name}:{place}")).done();
            canary_lives(&world);
        }
        for place in ["/abs/secret", "/up/secret", &format!("/{up}{host}/secret"), "/abs/."] {
            for follow in ["", "-L"] {
                let run = world.boxed("cp").args((!follow.is_empty()).then_some(follow));
                run.args([&format!("{name}:{place}"), "stolen"]).done().is(125).complains_as("box");
                assert!(!world.sandbox().path("stolen").exists(), "{name}:{place} was stolen");
            }
        }
    }
}

#[test]
fn a_link_that_changes_into_a_directory_and_back_leads_nowhere_outside() {
    let Some(world) = World::dash() else { return };
    let canary = canary(&world);
    sources(&world);
    let flip = format!(
        "mkdir -p /d/sub; echo mine >/d/secret; echo ready
        while :; do mv /d /e; ln -s {} /d; rm /d; mv /e /d; done",
        canary.display()
    );
    world.start("flip", &flip);
    world.until_log("flip", "ready");
    for _ in 0..8 {
        world.boxed("cp one flip:/d/planted").done();
        world.boxed("cp src flip:/d").done();
        world.boxed("cp flip:/d/secret taken").done();
        world.boxed("cp flip:/d taken-too").done();
        canary_lives(&world);
        // A link that was copied as one is none of the box's doing when it is followed here.
        let too = world.sandbox().path("taken-too");
        if too.is_symlink() {
            fs::remove_file(&too).unwrap();
        }
        for file in ["taken", "taken-too/secret"] {
            let taken = fs::read_to_string(world.sandbox().path(file)).unwrap_or_default();
            assert_ne!(taken, "secret", "{file} is of the host");
        }
        world.sandbox().run("rm -rf taken taken-too").done().is(0);
    }
}

#[test]
fn what_a_box_left_here_is_not_followed_by_the_next_copy() {
    let Some(world) = World::dash() else { return };
    let canary = canary(&world);
    for name in boxes(&world, &format!("mkdir /t; ln -s {} /t/l", canary.display())) {
        let out = format!("out-{name}");
        copy(&world, &format!("{name}:/t"), &out);
        world.boxed("cp").args([&format!("{name}:/t/l"), "top"]).done().is(0).quiet();
        let swap = "rm -f /t/l; mkdir /t/l; echo bad >/t/l/secret; mkdir /top; echo bad >/top/secret";
        if name == "on" {
            world.boxed("exec on sh -c").arg(swap).done().is(0);
        } else {
            world.boxed("commit off next").done().is(0);
            world.run("--name later next sh -c").arg(swap).done().is(0);
        }
        let name = if name == "on" { "on" } else { "later" };
        copy(&world, &format!("{name}:/t/."), &out);
        assert_eq!(fs::read_to_string(world.sandbox().path(&out).join("l/secret")).unwrap(), "bad\n");
        let top = world.boxed("cp").args([&format!("{name}:/top"), "."]).done().is(125).complains_as("box");
        top.says("it is a symbolic link");
        canary_lives(&world);
        fs::remove_file(world.sandbox().path("top")).unwrap();
    }
}

#[test]
fn no_program_and_no_library_of_a_box_runs_outside_of_it() {
    let Some(world) = World::dash() else { return };
    sources(&world);
    let script = "mkdir /t /lib; cd /t
            for t in sh tar mv mktemp stat mkdir rm tr realpath chown chmod env busybox; do
              printf '#!/bin/sh\\n: >/OWNED\\n' >$t; chmod 755 $t; cp $t /
            done
            printf 'passwd: evil\\ngroup: evil\\n' >/etc/nsswitch.conf
            for d in /lib /usr/lib /lib/x86_64-linux-gnu; do mkdir -p $d; echo bad >$d/libnss_evil.so.2; done
            ln -s /t /l";
    for name in boxes(&world, script) {
        for (from, to) in [("one", "/t"), ("src", "/t"), ("src/.", "/t"), ("one", "/t/tar"), ("src", "/")] {
            world.boxed("cp").args([from, &format!("{name}:{to}")]).done().is(0).quiet();
        }
        for from in ["/t", "/t/sh", "/t/.", "/"] {
            world.boxed("cp -L").args([&format!("{name}:{from}"), "-"]).done().is(0).quiet();
        }
        world
            .behind("strace -f -qq -e trace=openat,execve -o trace", &format!("cp -a {name}:/t/. got"))
            .done()
            .is(0)
            .quiet();
        let trace = fs::read_to_string(world.sandbox().path("trace")).unwrap();
        assert!(!trace.contains("libnss_evil"), "{name}: a library of the box was wanted");
        let changes = world.boxed("diff").arg(name).done().is(0).quiet().text();
        assert!(changes.contains("A /t/tar") && !changes.contains("OWNED"), "{name}: {changes}");
    }
}

#[test]
fn a_volume_is_seen_whether_the_box_runs_or_not() {
    let Some(world) = World::dash() else { return };
    sources(&world);
    fs::create_dir(world.sandbox().path("shared")).unwrap();
    world.run("-d --name off -v ./shared:/data small sleep 100").done().is(0).quiet();
    world.boxed("stop -t 0 off").done().is(0);
    copy(&world, "one", "off:/data/first");
    world.boxed("start off").done().is(0);
    copy(&world, "off:/data/first", "back");
    assert_eq!(tree(&world, "shared"), "first");
}

#[test]
fn mistakes_are_told() {
    let Some(world) = World::dash() else { return };
    sources(&world);
    world.start("on", "exec sleep 100");
    for (words, says) in [
        ("cp one two", "neither SRC nor DST is BOX:PATH"),
        ("cp on:/a on:/b", "outside of boxes"),
        ("cp one", "SRC and DST are needed"),
        ("cp one on:", "has no path"),
        ("cp one none:/x", "cannot find a box called none"),
        ("cp missing on:/tmp", "cannot copy missing: No such file or directory"),
        ("cp on:/missing .", "cannot copy /missing: No such file or directory"),
        ("cp one on:/missing/x", "there is no directory /missing"),
        ("cp one on:/etc/passwd/", "there is no such directory"),
        ("cp src on:/etc/passwd", "cannot copy to /etc/passwd: it is not a directory"),
        ("cp on:/etc one", "cannot copy to one: it is not a directory"),
        ("cp on:/bin/sh no/where", "there is no directory no"),
        ("cp one on:/proc/x", "cannot copy to /proc/x"),
        ("cp on:/proc out", "it is the kernel's"),
        ("cp on:/sys/. out", "it is the kernel's"),
        ("cp on:usr/../proc -", "it is the kernel's"),
    ] {
        world.boxed(words).done().is(125).complains_as("box").says(says);
    }
    world.run("-d --read-only --name fixed small sleep 100").done().is(0).quiet();
    world.boxed("cp one fixed:/x").done().is(125).complains_as("box").says("Read-only file system");
    world.boxed("cp ./a:b on:/x").done().is(125).says("cannot copy ./a:b");
}

#[test]
fn what_is_explained_copies() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        sources(&world);
        for name in boxes(&world, "true") {
            for (from, to) in
                [("src".to_owned(), format!("{name}:/in")), (format!("{name}:/in"), format!("out-{name}"))]
            {
                let told = world.boxed("--explain cp").args([&from, &to]).done().is(0).quiet().text();
                world.sandbox().shell(&told).done().is(0).quiet();
            }
            assert_eq!(tree(&world, &format!("out-{name}")), "link sub sub/x");
        }
    });
}
