//! `new --report`: what the whole tree took, however it ended.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};
use serde_json::Value;
use std::os::unix::fs::MetadataExt;
use tests::{Outcome, Sandbox, cgroup, each};

/// Keeps a processor busy for about a fifth of a second.
const BUSY: &str = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done";

/// The names that are always there, and those that the kernel may not have counted.
const ALWAYS: [&str; 6] = ["name", "status", "code", "signal", "timed_out", "wall_usec"];
const COUNTED: [&str; 12] = [
    "cpu_usec",
    "cpu_user_usec",
    "cpu_system_usec",
    "throttled_usec",
    "throttled",
    "memory_peak_bytes",
    "swap_peak_bytes",
    "io_read_bytes",
    "io_written_bytes",
    "pids_peak",
    "oom_kills",
    "refused_forks",
];

/// The object on the last line of standard error.
fn object(outcome: &Outcome) -> Value {
    let talk = outcome.talk();
    let last = talk.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|e| panic!("no report ({e}):\n{outcome}"))
}

#[track_caller]
fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {report}"))
}

fn of(sandbox: &Sandbox, words: &str, script: &str) -> Outcome {
    let run = sandbox.run("cgctl new --report json").arg(sandbox.name()).args(words.split_whitespace());
    run.args(["--", "sh", "-c", script]).done()
}

#[test]
fn a_report_is_of_the_whole_tree() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!("probe memhog 20000000 & ({BUSY}) & wait; exit 3");
    let outcome = of(&sandbox, "m=64M pids=20", &script).is(3);
    let report = object(&outcome);
    assert_eq!(report["name"], sandbox.name());
    assert_eq!((&report["status"], &report["code"], &report["signal"]), (&3.into(), &3.into(), &Value::Null));
    assert_eq!(report["timed_out"], false);
    let peak = number(&report, "memory_peak_bytes");
    assert!((20_000_000..=64 << 20).contains(&peak), "{report}");
    assert!(number(&report, "cpu_user_usec") > 20_000, "{report}");
    assert!(number(&report, "cpu_usec") >= number(&report, "cpu_user_usec"), "{report}");
    assert!(number(&report, "wall_usec") > 20_000, "{report}");
    assert_eq!((number(&report, "oom_kills"), number(&report, "refused_forks")), (0, 0));
    if let Some(peak) = report["pids_peak"].as_u64() {
        assert!((2..=20).contains(&peak), "{report}");
    }
}

#[test]
fn no_other_names_are_in_it_and_no_limit_is_needed() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = object(&of(&sandbox, "", "exit 0").is(0));
    let names: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert!(ALWAYS.iter().all(|name| report.get(name).is_some()), "{report}");
    let known = |name: &&&String| !ALWAYS.contains(&name.as_str()) && !COUNTED.contains(&name.as_str());
    assert_eq!(names.iter().find(known), None);
    assert!(number(&report, "memory_peak_bytes") > 0, "{report}");
}

#[test]
fn what_was_left_behind_counts_too() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!("mkfifo done; (setsid sh -c '{BUSY}; echo >done; sleep 60') & read x <done; exit 0");
    let report = object(&of(&sandbox, "pids=20", &script).is(0));
    assert!(number(&report, "cpu_user_usec") > 20_000, "{report}");
    assert!(sandbox.marker().processes().is_empty());
}

#[test]
fn a_signal_does_not_cost_the_report() {
    let Some(sandbox) = Sandbox::root() else { return };
    each([SIGTERM, SIGINT], |signal: Signal| {
        let job = sandbox.run("cgctl new --report json -- probe hold").start();
        job.until("ready");
        job.signal(signal);
        let report = object(&job.done().is(128 + signal as i32));
        assert_eq!((&report["code"], &report["signal"]), (&Value::Null, &Value::from(signal as i32)));
        assert!(number(&report, "wall_usec") > 0 && report.get("cpu_usec").is_some(), "{report}");
    });
}

#[test]
fn what_the_limits_did_is_in_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = object(&of(&sandbox, "m=32M", "probe memhog 60000000; exit 0").is(0));
    assert_eq!(number(&report, "oom_kills"), 1);
    let report = object(&of(&sandbox, "pids=2", "sleep 0 & sleep 0 & sleep 0 & sleep 0 & wait; exit 0"));
    assert!(number(&report, "refused_forks") > 0, "{report}");
    let report = object(&of(&sandbox, "cpu=0.1", BUSY).is(0));
    assert!(number(&report, "throttled") > 0 && number(&report, "throttled_usec") > 1000, "{report}");
}

#[test]
fn what_is_read_and_written_is_counted() {
    let Some(sandbox) = Sandbox::root() else { return };
    let is_in_memory = std::fs::metadata(sandbox.dir()).unwrap().dev() >> 8 == 0;
    if is_in_memory {
        // No device, nothing to count.
        return;
    }
    let dd = "dd if=/dev/zero of=file bs=64k count=4 oflag=direct 2>/dev/null; \
              dd if=file of=/dev/null bs=64k iflag=direct 2>/dev/null";
    let report = object(&of(&sandbox, "", dd).is(0));
    assert!(number(&report, "io_written_bytes") >= 4 << 16, "{report}");
    assert!(number(&report, "io_read_bytes") >= 4 << 16, "{report}");
}

#[test]
fn what_the_kernel_does_not_count_is_left_out() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mounts = cgroup::hierarchies();
    let Some((memory, _)) = mounts.iter().find(|(_, kind)| kind.split(',').any(|name| name == "memory"))
    else {
        // Only a version 1 hierarchy can be out of sight alone.
        return;
    };
    let script = "umount \"$0\"; exec cgctl new --report json -- true";
    let run = sandbox.run("unshare-rs -m sh -euc").arg(script).arg(memory);
    let report = object(&run.done().is(0));
    assert!(report.get("memory_peak_bytes").is_none() && report.get("oom_kills").is_none(), "{report}");
    assert!(report.get("cpu_usec").is_some(), "{report}");
}

#[test]
fn a_person_reads_it_as_lines() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new --report text m=64M -- sh -c").arg("kill -9 $$");
    let text = run.done().is(137).talk();
    let of =
        |label: &str| text.lines().find_map(|line| line.strip_prefix(label)).unwrap_or("").trim().to_owned();
    assert_eq!(of("status "), "137 (ended by SIGKILL)", "{text}");
    assert!(of("wall ").ends_with('s') && of("cpu ").contains("(user "), "{text}");
    assert!(of("memory ").ends_with(" at most"), "{text}");
    assert!(!text.contains("oom kills") && !text.contains("refused"), "{text}");
}

#[test]
fn a_file_gets_it_instead() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.run("cgctl new --report-file report -- true").done().is(0).quiet();
    let text = std::fs::read_to_string(sandbox.path("report")).unwrap();
    assert!(text.contains("\nstatus     0\n"), "{text}");
    sandbox.run("cgctl new --report json --report-file report -- true").done().is(0).quiet();
    let text = std::fs::read_to_string(sandbox.path("report")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["status"], 0);
    let outcome = sandbox.run("cgctl new --report-file /dev/stdout -- echo out").done().is(0).quiet();
    assert!(outcome.text().starts_with("out\ngroup "), "{outcome}");
}

#[test]
fn a_report_that_cannot_be_written_is_told_and_the_status_stays() {
    let Some(sandbox) = Sandbox::root() else { return };
    let outcome = sandbox.run("cgctl new --report-file /dev/full -- sh -c").arg("exit 5").done().is(5);
    outcome.says("cgctl: cannot write /dev/full: No space left on device");
}
