//! What the options of `box run` do, seen from inside and from outside.

use crate::world::{SHELLS, World};
use std::fs;
use tests::each;

#[test]
fn options_stand_in_bundles_with_values_behind_or_after_them_and_stop_at_the_image() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        for words in [
            "-ie A=1 --rm small sh",
            "-ieA=1 --rm small sh",
            "--interactive --env=A=1 --rm small sh",
            "-i --env A=1 --rm -- small sh",
        ] {
            assert_eq!(world.run(words).stdin(b"echo $A").done().is(0).quiet().text(), "1", "{words}");
        }
        assert_eq!(world.run("--rm small echo --rm -d -x").done().is(0).text(), "--rm -d -x");
    });
}

#[test]
fn limits_are_those_of_the_group() {
    let Some(world) = World::dash() else { return };
    let id = world.run("-d --name lim -m 64M -c 0.5 --pids 20 small sleep 60").done().is(0).quiet().text();
    let get = |key: &str| {
        let run = world.sandbox().run("cgctl get").arg(format!("box-{id}")).arg(key);
        run.done().is(0).quiet().text()
    };
    assert_eq!((get("m").as_str(), get("cpu").as_str(), get("pids").as_str()), ("64M", "0.5", "20"));
    world.boxed("rm -f lim").done().is(0);
    // Whoever forks without end meets a limit without being asked for one.
    let id = world.run("-d --name plain small sleep 60").done().is(0).text();
    let pids = world.sandbox().run("cgctl get").arg(format!("box-{id}")).arg("pids").done().is(0);
    assert_eq!(pids.text(), "2048");
    world.run("--rm --pids max small true").done().is(0).quiet();
}

#[test]
fn want_of_memory_is_told() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world
            .run("--name hungry -m 16M small probe memhog 100000000")
            .done()
            .is(137)
            .says("the OOM killer ended 1 process");
        let record = world.record("hungry");
        assert_eq!((&record["state"], &record["code"]), (&"exited".into(), &137.into()));
        assert!(record["oom"].as_u64() >= Some(1), "{record}");
        assert!(world.boxed("ps -a").done().is(0).text().contains("exited (137), out of memory"));
    });
}

#[test]
fn volumes_show_files_of_the_host_read_only_if_asked_for() {
    let Some(world) = World::dash() else { return };
    let dir = world.sandbox().path("it's data");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("in"), "from outside").unwrap();
    let volume = |tail: &str| format!("{}:/data{tail}", dir.display());
    let run =
        world.run("--rm -v").arg(volume("")).args(["small", "sh", "-c", "cat /data/in; echo x >/data/out"]);
    assert_eq!(run.done().is(0).quiet().text(), "from outside");
    assert_eq!(fs::read_to_string(dir.join("out")).unwrap(), "x\n");
    let run = world.run("--rm -v").arg(volume(":ro")).args(["small", "sh", "-c", "echo x >/data/in"]);
    run.done().is(1).says("Read-only file system");
    for (volume, why) in [
        ("/no/such:/data", "No such file or directory"),
        ("data:/data", "it is no path"),
        ("/etc", "a volume is SRC:DST"),
        ("/etc:data", "a volume is SRC:DST"),
        (":/data", "a volume is SRC:DST"),
        // pivot would take these for parts of the name.
        ("/etc:/data:z", "there is no option 'z'"),
        ("/etc:/data:", "there is no option ''"),
        ("/etc:/data:rprivate,z", "there is no option 'rprivate,z'"),
    ] {
        world.run("-v").args([volume, "small", "true"]).done().is(125).says(why).complains_as("box");
    }
    world.run("--tmpfs /data:bogus small true").done().is(125).says("there is no option 'bogus'");
    let run = world.run("--rm -v").arg(volume(":private,ro")).args(["small", "cat", "/data/in"]);
    assert_eq!(run.done().is(0).quiet().text(), "from outside");
    let run = world.run("--rm -v").arg(volume(":b:rw")).args(["small", "cat", "/data:b/in"]);
    assert_eq!(run.done().is(0).quiet().text(), "from outside");
    let run = world.run("--rm -v .:/here small sh -c").arg("cat \"/here/it's data/in\"");
    assert_eq!(run.done().is(0).quiet().text(), "from outside");
    let run = world.run("--rm -v /dev/null:/etc/motd:dev small cat /etc/motd");
    assert_eq!(run.done().is(0).quiet().text(), "");
    world.is_empty();
}

#[test]
fn variables_may_have_names_that_no_shell_has() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let odd = ["-e", "discovery.type=single node", "-e", "a-b=1"];
        let env = world.run("-d --name odd").args(odd).args(["small", "sleep", "60"]);
        env.done().is(0).quiet();
        let seen = world.boxed("exec -e c.d=2 odd env").done().is(0).quiet().text();
        for line in ["discovery.type=single node", "a-b=1", "c.d=2"] {
            assert!(seen.lines().any(|seen| seen == line), "{line} in\n{seen}");
        }
        for wrong in ["", "=x", "a.b"] {
            world.run("-e").args([wrong, "small", "true"]).done().is(125).complains_as("box");
        }
        world.boxed("rm -f odd").done().is(0);
        world.is_empty();
    });
}

#[test]
fn a_read_only_root_has_writable_places_where_they_were_asked_for() {
    let Some(world) = World::dash() else { return };
    let script = "echo x >/tmp/x && cat /tmp/x; echo y >/y";
    world
        .run("--rm --read-only --tmpfs /tmp small sh -c")
        .arg(script)
        .done()
        .is(1)
        .says("can't create /y: Read-only file system");
    world
        .run("--rm --tmpfs /tmp:size=1M small sh -c")
        .arg("dd if=/dev/zero of=/tmp/x bs=1M count=2")
        .done()
        .is(1);
}

#[test]
fn the_host_name_is_the_boxs_own() {
    let Some(world) = World::dash() else { return };
    let before = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(world.run("--rm --hostname hh small hostname").done().is(0).text(), "hh");
    assert_eq!(world.run("--rm small hostname").done().is(0).text().len(), 8);
    assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), before);
}

#[test]
fn a_box_is_confined_unless_told_otherwise() {
    let Some(world) = World::dash() else { return };
    let status = |words: &str| {
        let script = "grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\n\\t' '  '";
        world.run(words).args(["small", "sh", "-c", script]).done().is(0).quiet().text()
    };
    let confined = status("--rm");
    assert!(confined.starts_with("CapBnd: 00000000800405fb NoNewPrivs: 1 Seccomp: 2"), "{confined}");
    assert!(status("--rm --cap-drop all --cap-add chown").starts_with("CapBnd: 0000000000000001 "));
    assert!(status("--rm --cap-add=net_raw").starts_with("CapBnd: 00000000800425fb "));
    let free = status("--rm --privileged");
    assert!(free.contains("NoNewPrivs: 0 Seccomp: 0"), "{free}");
    world.run("--rm --privileged small sh -c").arg("mount -t tmpfs none /tmp").done().is(0).quiet();
    world.run("--rm small sh -c").arg("mount -t tmpfs none /tmp").done().is(1);
    // Nothing of the machine is seen.
    let script = "echo /proc/[0-9]*; ls -d /work /home 2>/dev/null; cat /proc/kcore | wc -c";
    assert_eq!(world.run("--rm small sh -c").arg(script).done().is(0).text(), "/proc/1\n0");
}

#[test]
fn an_init_reaps_what_is_left_to_it() {
    let Some(world) = World::dash() else { return };
    let script =
        "(sleep 0.01 & echo $! >/orphan); while [ -d /proc/$(cat /orphan) ]; do sleep 0.01; done; echo $$";
    let done = world.run("--rm --init small sh -c").arg(script).done();
    assert_eq!(done.is(0).text(), "2");
}

#[test]
fn a_directory_can_lie_over_the_image() {
    let Some(world) = World::dash() else { return };
    fs::create_dir_all(world.sandbox().path("over/etc")).unwrap();
    fs::write(world.sandbox().path("over/etc/motd"), "hello").unwrap();
    let over = world.sandbox().path("over");
    let done =
        world.run("--rm --layer-on").arg(over).args(["small", "cat", "/etc/motd"]).done().is(0).quiet();
    assert_eq!(done.text(), "hello");
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_made() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let rows = [
            ("run", "IMAGE is missing"),
            ("run nosuch true", "cannot find an image called nosuch"),
            ("run ../../../../.. true", "cannot use ../../../../.. as the name of an image"),
            ("run .hidden", "as the name of an image"),
            ("run --bogus small", "unknown option --bogus"),
            ("run -Z small", "unknown option -Z"),
            ("run --rm=yes small", "--rm takes no value"),
            ("run --name", "--name needs a value"),
            ("run -m", "--memory needs a value"),
            ("run --name a/b small", "as the name of a box"),
            ("run --name -x small", "as the name of a box"),
            ("run --net a/b small", "as the name of a network"),
            ("run --net none -p 80:80 small", "there is no network"),
            ("run -w relative small", "an absolute path"),
            ("exec", "BOX is missing"),
            ("exec nosuch true", "cannot find a box called nosuch"),
            ("exec ../x true", "no box can have that name"),
            ("logs a b", "unexpected operand b"),
            ("stop", "BOX is missing"),
            ("stop -t x nosuch", "a number of seconds"),
            ("kill -s NOSUCH nosuch", "there is no signal NOSUCH"),
            ("rename a", "rename takes a BOX and a NAME"),
            ("nosuch", "unknown verb nosuch"),
            ("lib/talk", "unknown verb lib/talk"),
        ];
        for (words, why) in rows {
            world.boxed(words).done().is(125).says(why).complains_as("box");
        }
        for words in ["-m foo small true", "--pids x small true", "-c -1 small true"] {
            world.run(words).done().is(125).complains_as("cgctl");
            world.run(&format!("-d {words}")).done().is(125).complains_as("cgctl");
        }
        world.run("-u nosuch small true").done().is(125).complains_as("pivot");
        world.run("-d -u nosuch small true").done().is(125).complains_as("pivot");
        world.run("--cap-add bogus small true").done().is(125).complains_as("pivot");
        world.is_empty();
    });
}
