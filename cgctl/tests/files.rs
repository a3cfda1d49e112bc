//! `new --pid-file`, `--status-file` and `--exec`: what others find while the command runs, and after.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use nix::sys::signal::Signal::SIGTERM;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::{Sandbox, cgroup, each, eventually};

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// In how many hierarchies there is a group with this name, which may be one inside another.
fn groups(name: &str) -> usize {
    cgroup::hierarchies().iter().filter(|(top, _)| top.join("cgctl").join(name).is_dir()).count()
}

#[test]
fn the_pid_file_is_there_while_the_command_is() {
    let Some(sandbox) = Sandbox::root() else { return };
    let job = sandbox.run("cgctl new --pid-file pid -- probe hold").start();
    job.until("ready");
    eventually("the file is there", || sandbox.path("pid").exists());
    let pid = sandbox.inner("probe").to_string();
    assert_eq!(fs::read_to_string(sandbox.path("pid")).unwrap(), format!("{pid}\n"));
    job.signal(SIGTERM);
    job.done().is(143).quiet();
    assert!(!sandbox.path("pid").exists());
}

#[test]
fn the_status_file_tells_where_the_command_is() {
    let Some(sandbox) = Sandbox::root() else { return };
    let file = sandbox.path("status");
    let job = sandbox
        .run("cgctl new --status-file status")
        .arg(sandbox.name())
        .args(["--", "probe", "hold"])
        .start();
    job.until("ready");
    eventually("the file is there", || file.exists());
    let running = read(&file);
    assert_eq!(running["state"], "running");
    assert_eq!(running["pid"], sandbox.inner("probe").as_raw());
    assert_eq!(running["cgctl"], job.pid().as_raw());
    assert_eq!(running["name"], sandbox.name());
    assert_eq!(running["group"], format!("/cgctl/{}", sandbox.name()));
    job.signal(SIGTERM);
    job.done().is(143).quiet();
    let ended = read(&file);
    assert_eq!(ended["state"], "ended");
    assert_eq!((&ended["status"], &ended["code"], &ended["signal"]), (&143.into(), &Value::Null, &15.into()));
    assert_eq!((&ended["pid"], &ended["started_usec"]), (&running["pid"], &running["started_usec"]));
    assert!(ended["ended_usec"].as_u64() >= ended["started_usec"].as_u64(), "{ended}");
}

#[test]
fn the_status_file_tells_of_each_way_to_end() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows: [(&str, &str, i32, Value, Value); 5] = [
        ("", "exit 0", 0, 0.into(), Value::Null),
        ("", "exit 7", 7, 7.into(), Value::Null),
        ("", "kill -9 $$", 137, Value::Null, 9.into()),
        ("--timeout 100ms", "sleep 60", 124, Value::Null, 15.into()),
        ("", "exec no-such-program", 127, 127.into(), Value::Null),
    ];
    each(rows, |(words, script, status, code, signal)| {
        let run = sandbox.run("cgctl new --status-file status").args(words.split_whitespace());
        run.args(["--", "sh", "-c", script]).done().is(status);
        let ended = read(&sandbox.path("status"));
        assert_eq!((&ended["status"], &ended["code"], &ended["signal"]), (&status.into(), &code, &signal));
        assert_eq!(ended["timed_out"], !words.is_empty());
    });
}

#[test]
fn a_real_time_signal_is_told_as_any_other() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new --status-file status -- bash -c").arg("kill -40 $$");
    run.done().is(168).quiet();
    assert_eq!(read(&sandbox.path("status"))["signal"], 40);
}

#[test]
fn the_status_file_tells_of_an_oom_kill() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new --status-file status m=32M -- sh -c");
    run.arg("probe memhog 60000000; exit 0").done().is(0);
    assert_eq!(read(&sandbox.path("status"))["oom_kills"], 1);
}

#[test]
fn a_command_that_cannot_be_started_has_failed() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new pids=1 -- cgctl new --status-file status pids=5 -- true");
    run.done().is(125).says("a limit on processes, its own or of a group around it, is reached");
    let failed = read(&sandbox.path("status"));
    assert_eq!((&failed["state"], &failed["status"]), (&"failed".into(), &125.into()));
    assert!(
        failed["error"].as_str().unwrap().starts_with("cannot start a process in group run-"),
        "{failed}"
    );
}

#[test]
fn a_reader_finds_the_status_whole_or_not_at_all() {
    let Some(sandbox) = Sandbox::root() else { return };
    let (file, is_over) = (sandbox.path("status"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut states = 0;
            while !is_over.load(Ordering::Relaxed) {
                if let Ok(text) = fs::read(&file) {
                    serde_json::from_slice::<Value>(&text).unwrap();
                    states += 1;
                }
            }
            states
        });
        (0..20)
            .for_each(|_| drop(sandbox.run("cgctl new --status-file status -- true").done().is(0).quiet()));
        is_over.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    let left: Vec<_> = fs::read_dir(sandbox.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "rootfs and status, but {left:?}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_made() {
    let Some(sandbox) = Sandbox::root() else { return };
    let files = [
        ("none/file", "No such file or directory"),
        ("rootfs", "Is a directory"),
        ("/proc/sys/file", "Permission denied"),
    ];
    for option in ["--pid-file", "--status-file", "--report-file"] {
        each(files, |(file, why)| {
            if file.starts_with("/proc") {
                // Whether root may write there is the file system's affair; a read-only one refuses anybody.
                return;
            }
            let run =
                sandbox.run("cgctl new").arg(sandbox.name()).args([option, file, "--", "touch", "made"]);
            run.done().is(125).says(&format!("cannot write {file}: {why}")).complains_as("cgctl");
            assert!(!sandbox.path("made").exists() && groups(sandbox.name()) == 0);
        });
    }
}

#[test]
fn exec_becomes_the_command_in_a_group_that_lasts_as_long_as_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!(
        "echo $$; exec cgctl new {} --exec --pid-file pid m=64M -- sh -c 'echo $$; cat pid; cgctl gc; cat /proc/self/cgroup; exit 3'",
        sandbox.name()
    );
    let outcome = sandbox.run("sh -c").arg(script).done().is(3).quiet();
    let text = outcome.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0] == lines[1] && lines[1] == lines[2], "{outcome}");
    assert!(
        text.contains(&format!(":/cgctl/{}\n", sandbox.name())) || text.ends_with(sandbox.name()),
        "{outcome}"
    );
    // Another run of cgctl may have swept it already.
    sandbox.run("cgctl gc").done().is(0).quiet();
    eventually("the group is gone", || groups(sandbox.name()) == 0);
}

#[test]
fn a_group_of_exec_is_in_use_while_a_process_is_in_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let new = |words: &str| sandbox.run("cgctl new").arg(sandbox.name()).args(words.split(' '));
    let job = new("--exec m=64M -- probe hold").start();
    job.until("ready");
    sandbox.run("cgctl rm").arg(sandbox.name()).done().is(125).says("probe");
    sandbox.run("cgctl gc").done().is(0);
    new("--exec m=32M -- true").done().is(125).says("it is there already").complains_as("cgctl");
    assert!(groups(sandbox.name()) > 0);
    job.signal(SIGTERM);
    job.done().is(-15);
    new("--exec m=32M -- true").done().is(0).quiet();
    sandbox.run("cgctl gc").done().is(0);
    eventually("the group is gone", || groups(sandbox.name()) == 0);
}

#[test]
fn a_group_of_exec_inside_another_is_removed_as_well() {
    let Some(sandbox) = Sandbox::root() else { return };
    let inner = format!("{}/inner", sandbox.name());
    sandbox.run("cgctl new").arg(sandbox.name()).done().is(0);
    let job = sandbox.run("cgctl new --exec").arg(&inner).args(["--", "probe", "hold"]).start();
    job.until("ready");
    sandbox.run("cgctl gc").done().is(0);
    assert!(groups(&inner) > 0);
    job.signal(SIGTERM);
    job.done().is(-15);
    sandbox.run("cgctl gc").done().is(0);
    eventually("the inner group is gone", || groups(&inner) == 0);
    assert!(groups(sandbox.name()) > 0);
    sandbox.run("cgctl rm").arg(sandbox.name()).done().is(0);
}

#[test]
fn exec_that_fails_leaves_nothing() {
    let Some(sandbox) = Sandbox::root() else { return };
    each([("no-such-program", 127), ("/etc/passwd", 126)], |(program, status)| {
        let run =
            sandbox.run("cgctl new --exec --pid-file pid").arg(sandbox.name()).args(["m=64M", "--", program]);
        run.done().is(status).complains_as("cgctl");
        assert!(groups(sandbox.name()) == 0 && !sandbox.path("pid").exists());
    });
}

#[test]
fn exec_dies_with_its_parent_when_asked_for() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!("cgctl new {} --exec --die-with-parent -- probe hold & wait", sandbox.name());
    let job = sandbox.shell(&script).start();
    job.until("ready");
    nix::sys::signal::kill(job.pid(), nix::sys::signal::Signal::SIGKILL).unwrap();
    eventually("all have ended", || sandbox.marker().processes().is_empty());
    job.done().is(-9);
    sandbox.run("cgctl gc").done().is(0);
    eventually("the group is gone", || groups(sandbox.name()) == 0);
}

#[test]
fn exec_does_not_go_with_what_needs_somebody_to_wait() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows =
        [("--report json", "--report"), ("--timeout 5", "--timeout"), ("--status-file x", "--status-file")];
    each(rows, |(words, name)| {
        let run =
            sandbox.run("cgctl new --exec").arg(sandbox.name()).args(words.split(' ')).args(["--", "true"]);
        run.done().is(125).says("it does not go with").says(name);
    });
    sandbox.run("cgctl new --exec -- true").done().is(125).says("a group that stays needs a name");
}
