//! What a user meets: statuses, messages, limits that hold, and nothing left behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs cgctl; a time limit ends it (status 124) rather than the whole test run.
fn cgctl(args: &[&str]) -> Output {
    Command::new("timeout").args(["60", env!("CARGO_BIN_EXE_cgctl")]).args(args).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A name that no other test and no other run has.
fn unique(test: &str) -> String {
    format!("test-{}-{test}", std::process::id())
}

/// The directories of a group in all hierarchies.
fn directories(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        let below = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        for path in below.map(|entry| entry.path()) {
            found.extend((path.file_name().unwrap() == name).then(|| path.clone()));
            waiting.push(path);
        }
    }
    found
}

fn assert_gone(name: &str) {
    let left = directories(name);
    assert!(left.is_empty(), "{left:?}");
}

/// Groups can be made here. A skip says why, and is a failure where all tests must run.
fn can_make_groups() -> bool {
    let probe = cgctl(&["new", "m=1G", "pids=100", "--", "true"]);
    if probe.status.success() {
        return true;
    }
    assert!(std::env::var_os("CHAIN_TESTS_MUST_RUN").is_none(), "{}", stderr(&probe));
    println!("skipped: {}", stderr(&probe));
    false
}

/// The first of these files that is there: the versions have different names for the same.
fn first(files: &[String]) -> String {
    format!("cat {} 2>/dev/null", files.join(" "))
}

fn file(name: &str, v1: &str, v2: &str) -> String {
    let (controller, _) = v1.split_once('.').unwrap();
    first(&[
        format!("/sys/fs/cgroup/{controller}/cgctl/{name}/{v1}"),
        format!("/sys/fs/cgroup/cgctl/{name}/{v2}"),
    ])
}

#[test]
fn misuse_is_told_with_status_125() {
    let table: [(&[&str], &str); 19] = [
        (&[], "cannot start: no verb given"),
        (&["get"], "hint: `cgctl get --help` tells what it takes"),
        (&["--nosuch"], "hint: `cgctl --help` tells what it takes"),
        (&["frobnicate"], "cannot do frobnicate: no such verb"),
        (&["new"], "cannot start: no command is given: it comes after --"),
        (&["new", "m=64M", "sh"], "hint: cgctl new m=64M -- sh"),
        (&["new", "m=64M", "sh", "-c", "x"], "hint: if it belongs to the command, put -- before the command"),
        (&["new", "m=64X", "--", "true"], "cannot set m=64X: X is not a unit"),
        (&["new", "m=64X", "--", "true"], "hint: m takes bytes with k, M, G or T"),
        (&["new", "cpu=-1", "--", "true"], "cannot set cpu=-1: -1 is not a number"),
        (&["new", "m=", "--", "true"], "cannot set m=: its value is missing"),
        (&["new", "pids=0", "--", "true"], "cannot set pids=0: the least is 1"),
        (&["new", "colour=red", "--", "true"], "hint: the keys are m, swap, mem.high"),
        (&["new", "Memory=1M", "--", "true"], "hint: did you mean m=? the keys are m, swap"),
        (&["new", "cgroup.kill=1", "--", "true"], "hint: `cgctl kill` ends what is in a group"),
        (&["new", "freezer.state=FROZEN", "--", "true"], "hint: `cgctl freeze` and `cgctl thaw` do that"),
        (&["new", "m=1M", "m=2M", "--", "true"], "cannot set m=2M: m=1M is there already"),
        (&["new", "a//b", "--", "true"], "cannot name the group a//b"),
        (&["new", "nosuch.limit=1", "--", "true"], "the nosuch controller is not available here"),
    ];
    for (args, message) in table {
        let output = cgctl(args);
        assert_eq!(status(&output), 125, "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).lines().all(|line| line.starts_with("cgctl: ")), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn help_goes_to_standard_output() {
    for args in [&["--help"][..], &["new", "--help"], &["gc", "--help"], &["info", "--help"], &["--version"]]
    {
        let output = cgctl(args);
        assert_eq!((status(&output), stderr(&output).as_str()), (0, ""), "{args:?}");
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn nothing_is_made_before_all_is_checked() {
    let name = unique("unchecked");
    let output = cgctl(&["new", &name, "m=64M", "pids=x", "--", "true"]);
    assert_eq!(status(&output), 125);
    assert_gone(&name);
}

#[test]
fn the_status_is_the_commands_own() {
    if !can_make_groups() {
        return;
    }
    let table: [(&[&str], i32); 6] = [
        (&["true"], 0),
        (&["sh", "-c", "exit 42"], 42),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["/"], 126),
        (&["/etc/passwd"], 126),
        (&["no-such-program"], 127),
    ];
    for (command, expected) in table {
        let output = cgctl(&[&["new", "m=64M", "--"], command].concat());
        assert_eq!(status(&output), expected, "{command:?}: {}", stderr(&output));
    }
}

#[test]
fn the_command_is_in_every_group_of_its_name_and_has_its_limits() {
    if !can_make_groups() {
        return;
    }
    let name = unique("limits");
    let script = [
        "cat /proc/self/cgroup".to_owned(),
        file(&name, "memory.limit_in_bytes", "memory.max"),
        file(&name, "pids.max", "pids.max"),
        file(&name, "cpu.shares", "cpu.weight"),
    ]
    .join(";");
    let settings = ["m=64M", "pids=50", "weight=200"];
    let output = cgctl(&[&["new", &name], &settings[..], &["--", "sh", "-c", &script]].concat());
    let text = stdout(&output);
    for controller in ["memory", "pids", "cpu"] {
        let is_v1 = Path::new("/sys/fs/cgroup").join(controller).is_dir();
        let line = format!(":{controller}:/cgctl/{name}\n");
        assert_eq!(text.contains(&line), is_v1, "{controller}: {text}{}", stderr(&output));
    }
    let is_v2_mounted = std::fs::read_to_string("/proc/self/mounts").unwrap().contains(" cgroup2 ");
    assert_eq!(text.contains(&format!("0::/cgctl/{name}\n")), is_v2_mounted, "{text}");
    assert!(text.contains("\n67108864\n50\n"), "{text}{}", stderr(&output));
    assert!(text.ends_with("\n2048\n") || text.ends_with("\n200\n"), "{text}");
    assert_gone(&name);
}

#[test]
fn what_the_command_leaves_is_ended_with_the_groups_it_made() {
    if !can_make_groups() {
        return;
    }
    let name = unique("left");
    let script = format!(
        "for d in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/memory; do \
           if [ -d $d/cgctl/{name} ]; then mkdir -p $d/cgctl/{name}/a/b; sleep 4711 & echo $! >$d/cgctl/{name}/a/b/cgroup.procs; fi; \
         done; sleep 4712 & echo $!; exit 3"
    );
    let output = Command::new("timeout")
        .args(["60", env!("CARGO_BIN_EXE_cgctl"), "new", &name, "m=64M", "--", "sh", "-c", &script])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(status(&output), 3);
    let pid = stdout(&output).trim().to_owned();
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z"), "{state}");
    assert_gone(&name);
}

#[test]
fn an_oom_kill_is_told_though_the_command_ends_well() {
    if !can_make_groups() {
        return;
    }
    let name = unique("oom");
    let hog = "head -c 200000000 /dev/zero | tail >/dev/null; exit 0";
    let output = cgctl(&["new", &name, "m=32M", "--", "sh", "-c", hog]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let text = stderr(&output);
    let line = text.lines().find(|line| line.starts_with(&format!("cgctl: {name}: the OOM killer ended ")));
    assert!(line.is_some_and(|line| line.ends_with(": the limit m=32M was reached (peak 32M)")), "{text}");
}

#[test]
fn refused_forks_are_told() {
    if !can_make_groups() {
        return;
    }
    let output = cgctl(&["new", "pids=2", "--", "sh", "-c", "sleep 0 & sleep 0 & sleep 0 & sleep 0 & wait"]);
    assert!(stderr(&output).contains("fork was refused 1 time at pids=2"), "{}", stderr(&output));
}

#[test]
fn a_group_in_a_group_stays_in_it() {
    if !can_make_groups() {
        return;
    }
    let (outer, inner) = (unique("outer"), unique("inner"));
    let own = env!("CARGO_BIN_EXE_cgctl");
    let output =
        cgctl(&["new", &outer, "m=64M", "--", own, "new", &inner, "m=32M", "--", "cat", "/proc/self/cgroup"]);
    let below = format!(":/cgctl/{outer}/cgctl/{inner}\n");
    assert!(stdout(&output).contains(&below), "{}{}", stdout(&output), stderr(&output));
    assert_gone(&outer);
}

#[test]
fn a_group_without_a_name_stands_for_itself() {
    if !can_make_groups() {
        return;
    }
    let output = cgctl(&["new", "m=64M", "--", "sh", "-c", "echo $PPID; cat /proc/self/cgroup"]);
    let text = stdout(&output);
    let name = format!("cgctl.run-{}", text.lines().next().unwrap());
    assert!(text.contains(&format!(":/{name}\n")), "{text}{}", stderr(&output));
    assert_gone(&name);
}

#[test]
fn groups_with_and_without_a_name_can_be_in_each_other() {
    if !can_make_groups() {
        return;
    }
    let (name, own) = (unique("mixed"), env!("CARGO_BIN_EXE_cgctl"));
    let script = "echo $PPID; cat /proc/self/cgroup";
    let inner = ["new", "pids=50", "--", "sh", "-c", script];
    let output = cgctl(&[&["new", &name, "m=64M", "--", own], &inner[..]].concat());
    let text = stdout(&output);
    let below = format!(":/cgctl/{name}/cgctl.run-{}\n", text.lines().next().unwrap());
    assert!(text.contains(&below), "{text}{}", stderr(&output));
    let inner =
        format!("echo $PPID; exec {own} new {name} cpu=1 -- {own} new pids=50 -- cat /proc/self/cgroup");
    let output = cgctl(&["new", "m=64M", "--", "sh", "-c", &inner]);
    let text = stdout(&output);
    let outer = format!("cgctl.run-{}", text.lines().next().unwrap());
    let below = format!(":/{outer}/cgctl/{name}/cgctl.run-");
    assert!(text.contains(&below), "{text}{}", stderr(&output));
    assert_eq!((stderr(&output).as_str(), status(&output)), ("", 0));
    assert_gone(&outer);
    assert_gone(&name);
}

#[test]
fn a_number_that_is_taken_gives_way_to_the_next() {
    if !can_make_groups() {
        return;
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let Some(top) = mounts.lines().find(|line| line.contains(" cgroup2 ")) else {
        return println!("skipped: cgroup v2 is not mounted");
    };
    // Until it is locked, any other run of cgctl takes it for an orphan.
    let script = "d=$0/cgctl.run-$$; until mkdir $d && command exec 9<$d && flock -x 9 && [ -d $d ]; do :; done; \
        echo $$; exec $1 new -- cat /proc/self/cgroup";
    let top = top.split(' ').nth(1).unwrap();
    let output = Command::new("timeout")
        .args(["60", "sh", "-c", script, top, env!("CARGO_BIN_EXE_cgctl")])
        .output()
        .unwrap();
    let text = stdout(&output);
    let name = format!("cgctl.run-{}", text.lines().next().unwrap());
    // Another run of cgctl may have swept it meanwhile.
    let _ = std::fs::remove_dir(Path::new(top).join(&name));
    assert!(text.contains(&format!("0::/{name}-2\n")), "{text}{}", stderr(&output));
    assert_gone(&format!("{name}-2"));
}

/// A cgctl whose command waits; its group is there when this returns.
fn waiting(name: &str) -> Child {
    waiting_in(&[name, "m=64M"])
}

fn waiting_in(words: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cgctl"))
        .arg("new")
        .args(words)
        .args(["--", "sh", "-c", "echo; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    child
}

#[test]
fn a_name_in_use_is_refused() {
    if !can_make_groups() {
        return;
    }
    let name = unique("used");
    let mut first = waiting(&name);
    let output = cgctl(&["new", &name, "--", "true"]);
    Command::new("kill").arg(first.id().to_string()).status().unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(143));
    assert_eq!(status(&output), 125);
    assert_eq!(stderr(&output), format!("cgctl: cannot make group {name}: it is in use by another cgctl\n"));
    assert_gone(&name);
}

#[test]
fn gc_removes_what_has_no_owner_and_nothing_else() {
    if !can_make_groups() {
        return;
    }
    let (dead, alive) = (unique("dead"), unique("alive"));
    let (mut killed, mut owner) = (waiting(&dead), waiting(&alive));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let output = cgctl(&["gc", "--json"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    let objects = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect::<Vec<serde_json::Value>>();
    // Another run of cgctl may have swept it already.
    assert!(objects.iter().all(|object| object["group"] != format!("/cgctl/{alive}")), "{objects:?}");
    eventually("the orphan is removed", || directories(&dead).is_empty());
    assert!(!directories(&alive).is_empty());
    Command::new("kill").arg(owner.id().to_string()).status().unwrap();
    assert_eq!(owner.wait().unwrap().code(), Some(143));
    assert_gone(&alive);
}

#[test]
fn gc_and_the_next_new_find_groups_without_a_name() {
    if !can_make_groups() {
        return;
    }
    for verb in [&["gc"][..], &["new", "--", "true"]] {
        let (mut killed, mut owner) = (waiting_in(&["m=64M"]), waiting_in(&["m=64M"]));
        let [dead, alive] = [&killed, &owner].map(|child| format!("cgctl.run-{}", child.id()));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let output = cgctl(verb);
        assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
        eventually("the orphan is removed", || directories(&dead).is_empty());
        assert!(!directories(&alive).is_empty());
        Command::new("kill").arg(owner.id().to_string()).status().unwrap();
        assert_eq!(owner.wait().unwrap().code(), Some(143));
        assert_gone(&alive);
    }
}

/// Whether /proc/locks has a line for this inode whose holder is another than `owner`.
fn is_held_by_another(inode: u64, owner: u32) -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1] == "FLOCK" && fields[5].ends_with(&format!(":{inode}")) && fields[4] != owner.to_string()
    })
}

/// Tries until it is so; other runs of cgctl that look for orphans come in between.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_in_the_group_cannot_pass_for_its_owner() {
    if !can_make_groups() {
        return;
    }
    let name = unique("hostile");
    let hold = "for d in $(find /sys/fs/cgroup -name $0); do flock $d sleep 60 & done; echo; wait";
    cannot_pass_for_its_owner(&["new", &name, "m=64M", "--", "sh", "-c", hold, &name], |_| name.clone());
    let hold = hold.replace("$0", "cgctl.run-$PPID");
    cannot_pass_for_its_owner(&["new", "m=64M", "--", "sh", "-c", &hold], |pid| format!("cgctl.run-{pid}"));
}

fn cannot_pass_for_its_owner(args: &[&str], name: impl Fn(u32) -> String) {
    let mut owner =
        Command::new(env!("CARGO_BIN_EXE_cgctl")).args(args).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(owner.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let name = name(owner.id());
    let directory = directories(&name).swap_remove(0);
    let inode = std::fs::metadata(&directory).unwrap().ino();
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the lock is taken", || is_held_by_another(inode, owner.id()) || !directory.exists());
    eventually("the group is removed", || status(&cgctl(&["gc"])) == 0 && directories(&name).is_empty());
}

#[test]
fn an_orphans_name_is_free_again() {
    if !can_make_groups() {
        return;
    }
    let name = unique("reused");
    let mut killed = waiting(&name);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let output = cgctl(&["new", &name, "m=64M", "--", "true"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    assert_gone(&name);
}

#[test]
fn a_file_that_is_not_there_is_told_and_undone() {
    if !can_make_groups() {
        return;
    }
    let name = unique("file");
    let output = cgctl(&["new", &name, "m=64M", "memory.nosuch=1", "--", "true"]);
    assert_eq!(status(&output), 125);
    assert_eq!(stderr(&output), "cgctl: cannot set memory.nosuch=1: this kernel has no file memory.nosuch\n");
    assert_gone(&name);
}

#[test]
fn without_permission_it_is_told_what_helps() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let copy = tempfile::tempdir().unwrap();
    let program = copy.path().join("cgctl");
    // Not by this process: a test that forks meanwhile would keep the file open for writing, and it could not be run.
    Command::new("cp").arg(env!("CARGO_BIN_EXE_cgctl")).arg(&program).status().unwrap();
    std::fs::set_permissions(copy.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["new", "m=64M", "--", "true"])
        .output()
        .unwrap();
    assert_eq!(status(&output), 125);
    assert!(
        stderr(&output).contains("Permission denied\ncgctl: hint: run as root, or"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn info_tells_the_mode_and_each_hierarchy() {
    let output = cgctl(&["info", "--json"]);
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let count = |kind: &str| mounts.lines().filter(|line| line.split(' ').nth(2) == Some(kind)).count();
    let mode = match (count("cgroup"), count("cgroup2")) {
        (0, 0) => "none",
        (0, _) => "v2",
        (_, 0) => "v1",
        _ => "hybrid",
    };
    assert_eq!(info["mode"], mode);
    assert_eq!(info["hierarchies"].as_array().unwrap().is_empty(), mode == "none");
    assert!(stdout(&cgctl(&["info"])).starts_with(&format!("mode: {mode}\n")));
}
