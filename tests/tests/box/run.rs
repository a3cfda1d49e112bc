//! `box run`: the command, its status, and what it sees.

use crate::world::{SHELLS, World};
use std::fs;
use tests::each;

#[test]
fn the_command_is_pid_1_and_its_status_is_that_of_box() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let run = world.run("--rm small sh -c").arg("echo $$; echo talk >&2; exit 7").done().is(7);
        assert_eq!((run.text(), run.talk()), ("1".to_owned(), "talk\n".to_owned()));
        for (script, status) in [("true", 0), ("kill -TERM $$; exit 3", 3), ("kill -9 $$ & wait; exit 0", 0)]
        {
            world.run("--rm small sh -c").arg(script).done().is(status).quiet();
        }
        world.run("--rm small nosuch").done().is(127).complains_as("pivot");
        world.run("--rm small /etc/passwd").done().is(126).complains_as("pivot");
        world.is_empty();
    });
}

#[test]
fn words_reach_the_command_untouched() {
    let words = ["", " ", "a b", "it's", "\"", "$HOME", "*", "\\", "-x", "--", "a\nb", "é", "`id`", "=", "~"];
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let run = world.run("--rm small sh -c").args(["printf '[%s]' \"$@\"", "sh"]).args(words).done().is(0);
        assert_eq!(run.text(), words.iter().map(|word| format!("[{word}]")).collect::<String>());
    });
}

#[test]
fn an_image_says_what_is_run_where_as_whom_and_with_what() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let root = world.sandbox().path("rootfs").canonicalize().unwrap();
        world.image_of(
            "app",
            &[
                ("layers", &format!("{}\n", root.display())),
                ("env", "GREETING='hello world'\nPATH=/bin\n"),
                ("entrypoint", "sh -c 'echo \"$1 $(id -u) $(pwd) $GREETING $PATH\"' sh\n"),
                ("cmd", "'the default'\n"),
                ("workdir", "/srv/app\n"),
                ("user", "nobody\n"),
            ],
        );
        let tells = |words: &str| world.run(words).done().is(0).quiet().text();
        assert_eq!(tells("--rm app"), "the default 65534 /srv/app hello world /bin");
        assert_eq!(tells("--rm app other"), "other 65534 /srv/app hello world /bin");
        assert_eq!(tells("--rm -u 0 -w /tmp -e GREETING=bye app other"), "other 0 /tmp bye /bin");
        assert_eq!(tells("--rm --entrypoint echo app a b"), "a b");
        // Another entrypoint has no use for the image's own words.
        assert_eq!(tells("--rm --entrypoint=pwd app"), "/srv/app");
        world.run("--rm --entrypoint= app").done().is(125).says("it names no command");
        assert_eq!(tells("--rm --entrypoint= app id -u"), "65534");
    });
}

#[test]
fn no_variable_of_the_caller_goes_in_but_those_that_were_named() {
    let Some(world) = World::dash() else { return };
    let file = world.sandbox().file("vars", "# comment\nFROM_FILE=a b\nCALLERS\n", 0o644);
    let run = world.run("--rm -e ONE=1 -e CALLERS --env TWO= --env-file").arg(file).arg("small").arg("env");
    let done = run.env("CALLERS", "mine").env("SECRET", "s").done().is(0).quiet();
    let mut lines: Vec<String> =
        done.text().lines().filter(|line| !line.starts_with("SHLVL=")).map(str::to_owned).collect();
    lines.sort();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(lines, ["CALLERS=mine", "FROM_FILE=a b", "HOME=/root", "ONE=1", path, "TWO="]);
}

#[test]
fn standard_input_is_read_with_i_only() {
    let Some(world) = World::dash() else { return };
    assert_eq!(world.run("--rm small cat").stdin(b"typed").done().is(0).text(), "");
    assert_eq!(world.run("--rm -i small cat").stdin(b"typed").done().is(0).text(), "typed");
}

#[test]
fn in_the_background_the_id_is_printed_and_the_output_kept() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let id = world.start("web", "echo out; echo err >&2; exec sleep 60");
        assert!(id.len() == 36 && id.matches('-').count() == 4, "{id}");
        world.until_log("web", "err");
        assert_eq!(world.boxed("logs web").done().is(0).quiet().text(), "out\nerr");
        assert_eq!(world.boxed("logs -n 1").arg(&id[..8]).done().is(0).text(), "err");
        assert_eq!(world.boxed("ps -q").done().is(0).text(), id);
        assert_eq!(world.state("web"), "running");
        world.boxed("rm web").done().is(125).complains_as("box");
        world.boxed("rm --force web").done().is(0).quiet();
        world.is_empty();
    });
}

#[test]
fn what_the_foreground_shows_is_kept_too() {
    let Some(world) = World::dash() else { return };
    let run = world.run("--name talk small sh -c").arg("echo out; echo err >&2; exit 4").done().is(4);
    assert_eq!((run.text(), run.talk()), ("out".to_owned(), "err\n".to_owned()));
    // Of two pipes, nobody knows into which was written first.
    let log = world.boxed("logs talk").done().is(0).text();
    assert!(["out\nerr", "err\nout"].contains(&log.as_str()), "{log}");
    assert_eq!(world.state("talk"), "exited 4");
    // All of it, however much and however slowly it is read.
    let run = world.run("--name much small sh -c").arg("seq 1 200000").done().is(0).quiet();
    assert!(run.text().ends_with("\n200000"));
    assert_eq!(world.boxed("logs much").done().is(0).out, run.out);
}

#[test]
fn a_reader_that_goes_ends_the_command_as_in_any_pipeline() {
    let Some(world) = World::dash() else { return };
    let line = "box run --net none --name endless small yes | head -n 1; box wait endless";
    // PID 1 is not ended by SIGPIPE: it is told of the error.
    assert_eq!(world.script(line).done().is(0).says("Broken pipe").text(), "y\n1");
}

#[test]
fn what_a_box_changes_is_its_own_and_is_there_when_it_is_started_again() {
    let Some(world) = World::dash() else { return };
    let script = "cat /count 2>/dev/null; echo more >>/count; rm -f /bin/ls";
    world.run("--name count small sh -c").arg(script).done().is(0).quiet();
    world.boxed("start -a count").done().is(0);
    assert_eq!(world.boxed("logs count").done().is(0).text(), "more");
    assert_eq!(world.boxed("start count").done().is(0).text(), "count");
    assert_eq!(world.boxed("wait count").done().is(0).text(), "0");
    assert_eq!(world.boxed("logs count").done().is(0).text(), "more\nmore\nmore");
    world.run("--rm small ls /count").done().is(1);
    assert!(fs::metadata(world.sandbox().path("rootfs/bin/ls")).is_ok());
}

#[test]
fn what_was_named_relative_to_a_directory_is_found_from_any() {
    let Some(world) = World::dash() else { return };
    let place = world.sandbox().path("place");
    fs::create_dir_all(place.join("over/etc")).unwrap();
    fs::write(place.join("over/etc/motd"), "over").unwrap();
    fs::write(place.join("vars"), "FROM_FILE=file\n").unwrap();
    let words = "--name far -v ./over:/data --layer-on over --env-file vars -e CALLERS small sh -c";
    let run = world.run(words).arg("cat /etc/motd /data/etc/motd; echo $FROM_FILE $CALLERS");
    assert_eq!(run.cwd(&place).env("CALLERS", "c d").done().is(0).quiet().text(), "overoverfile c d");
    world.boxed("start far").done().is(0);
    assert_eq!(world.boxed("wait far").done().is(0).text(), "0");
    assert_eq!(world.boxed("logs far").done().is(0).text(), "overoverfile c d\noveroverfile c d");
}

#[test]
fn the_umask_of_the_caller_is_not_that_of_the_box() {
    let Some(world) = World::dash() else { return };
    let script = "umask 077; box run --rm --net none -u nobody small sh -c 'ls / | head -n 1; umask'";
    assert_eq!(world.script(script).done().is(0).quiet().text(), "bin\n0022");
}

#[test]
fn in_the_background_i_holds_the_input_open() {
    let Some(world) = World::dash() else { return };
    world.run("-di --name reader small cat").done().is(0).quiet();
    for line in ["one", "two"] {
        fs::write(world.runs().join("reader/input"), format!("{line}\n")).unwrap();
        world.until_log("reader", line);
    }
    assert_eq!(world.state("reader"), "running");
}
