//! The line of the README: what the inside sees, compared with the outside.

use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use tests::{Outcome, Sandbox, cgroup, each, eventually, leak};

/// The chain of a test: as root with a control group, as anyone else with a user namespace in its place.
struct Line {
    sandbox: Sandbox,
    links: &'static str,
}

impl Line {
    fn root() -> Option<Self> {
        let links = "cgctl new m=64M -- unshare-rs -pum pivot rootfs";
        Sandbox::root().map(|sandbox| Line { sandbox, links })
    }

    fn user() -> Option<Self> {
        Some(Line { sandbox: Sandbox::user(), links: "unshare-rs -Urpum pivot rootfs" })
    }

    fn run(&self, command: &str) -> tests::Run {
        self.sandbox.run(self.links).args(command.split_whitespace())
    }

    fn shell(&self, script: &str) -> Outcome {
        self.run("sh -euc").arg(script).done()
    }

    fn report(&self) -> Value {
        self.run("probe report").done().is(0).quiet().json()
    }
}

/// Each test twice: `pipeline::as_root::NAME` and `pipeline::as_user::NAME`.
macro_rules! as_root_and_as_user {
    ($($name:ident)*) => {
        mod as_root { $( #[test] fn $name() { if let Some(line) = super::Line::root() { super::$name(&line); } } )* }
        mod as_user { $( #[test] fn $name() { if let Some(line) = super::Line::user() { super::$name(&line); } } )* }
    };
}

as_root_and_as_user! {
    the_shell_is_pid_1_and_sees_only_its_own_processes
    the_namespaces_asked_for_are_new_and_the_others_are_not
    the_hostname_is_its_own
    the_mount_table_has_only_what_pivot_made
    no_path_leads_to_the_host
    no_descriptor_of_the_host_is_inherited
    the_environment_and_the_arguments_arrive_untouched
    input_and_output_pass_through
    signal_dispositions_and_the_mask_are_those_of_the_caller
    the_root_directory_stays_as_it_was
    a_full_set_of_devices_works
}

fn the_shell_is_pid_1_and_sees_only_its_own_processes(line: &Line) {
    let text = line.shell("echo $$; hostname; ps").is(0).quiet().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "1", "{text}");
    assert_eq!(lines[1], hostname(), "{text}");
    let pids: Vec<&str> = lines[3..].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(pids[0], "1", "{text}");
    assert!(pids.len() <= 2, "a shell and ps, no more: {text}");
    assert_eq!(line.report()["processes"], serde_json::json!([1]));
}

fn the_namespaces_asked_for_are_new_and_the_others_are_not(line: &Line) {
    let report = line.report();
    for kind in ["mnt", "pid", "uts", "ipc", "net", "user", "time"] {
        // Not every kernel has every kind.
        let Ok(outside) = std::fs::read_link(format!("/proc/self/ns/{kind}")) else { continue };
        let inside = report["namespaces"][kind].as_str().unwrap().to_owned();
        let wanted = ["mnt", "pid", "uts"].contains(&kind) || (kind == "user" && line.links.contains("-U"));
        assert_eq!(inside != outside.to_str().unwrap(), wanted, "{kind}: {inside}");
    }
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

fn the_hostname_is_its_own(line: &Line) {
    let before = hostname();
    assert_eq!(line.shell("hostname inside; hostname").is(0).quiet().text(), "inside");
    assert_eq!(hostname(), before);
}

fn the_mount_table_has_only_what_pivot_made(line: &Line) {
    let report = line.report();
    let mounts = report["mounts"].as_array().unwrap();
    let places: Vec<&str> = mounts.iter().map(|mount| mount["at"].as_str().unwrap()).collect();
    assert_eq!(places.iter().filter(|at| **at == "/").count(), 1, "the old root is gone: {places:?}");
    for at in &places {
        let known =
            ["/proc", "/sys", "/dev"].iter().any(|top| at == top || at.starts_with(&format!("{top}/")));
        assert!(known || *at == "/", "{at} in {places:?}");
    }
    for mount in mounts.iter().filter(|mount| mount["at"] == "/proc") {
        assert_eq!(mount["shows"], "/", "a /proc of its own: {mount}");
    }
    let shared = mounts.iter().find(|mount| mount["propagation"].to_string().contains("shared"));
    assert_eq!(shared, None, "nothing can propagate out");
}

fn no_path_leads_to_the_host(line: &Line) {
    line.sandbox.file("canary", "the host's", 0o644);
    let expected: BTreeSet<OsString> = names(&line.sandbox.path("rootfs"));
    let places = "/ /.. /../.. /proc/1/root /proc/1/cwd /proc/self/root/.. /proc/1/root/../..";
    for place in places.split(' ') {
        let seen = line.run("ls -a").arg(place).done().is(0).quiet().text();
        let seen: BTreeSet<OsString> =
            seen.lines().filter(|name| !name.starts_with('.')).map(Into::into).collect();
        assert_eq!(seen, expected, "{place}");
    }
    let script = "cd /; for up in 1 2 3 4 5 6; do cd ..; done; ! cat canary ../canary /proc/1/cwd/../canary 2>/dev/null";
    assert_eq!(line.shell(script).is(0).text(), "");
    let absolute = line.run("cat").arg(line.sandbox.path("canary")).done();
    assert_ne!(absolute.status, 0, "{absolute}");
}

fn names(dir: &std::path::Path) -> BTreeSet<OsString> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

fn no_descriptor_of_the_host_is_inherited(line: &Line) {
    let script = format!("exec 3</ 9</etc 8>>spill; exec {} probe report", line.links);
    let report = line.sandbox.shell(&script).done().is(0).quiet().json();
    let open: Vec<&String> = report["descriptors"].as_object().unwrap().keys().collect();
    assert_eq!(open, ["0", "1", "2"], "{}", report["descriptors"]);
}

fn the_environment_and_the_arguments_arrive_untouched(line: &Line) {
    let odd = OsStr::from_bytes(b"\xff\xfe\x1b[m");
    let args =
        [OsStr::new(""), OsStr::new("-x"), OsStr::new("--"), OsStr::new("a b\n$HOME"), odd, OsStr::new("")];
    let run =
        line.run("probe report").args(args).env("ODD", odd).env("EMPTY", "").env("SHELL", "/no/such/shell");
    let report = run.done().is(0).quiet().json();
    let shown: Vec<&str> =
        report["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert_eq!(shown, ["probe", "report", "", "-x", "--", "a b\\n$HOME", "\\xff\\xfe\\x1b[m", ""]);
    let mut environment = report["environment"].as_object().unwrap().clone();
    assert_eq!(environment.remove("ODD").unwrap(), "\\xff\\xfe\\x1b[m");
    assert_eq!(environment.remove("EMPTY").unwrap(), "");
    assert_eq!(environment.remove("SHELL").unwrap(), "/no/such/shell");
    // Told by pivot, which has changed the directory.
    assert_eq!(environment.remove("PWD").unwrap(), "/");
    let rest: Vec<String> = environment.into_iter().map(|(name, _)| name).collect();
    assert_eq!(rest, ["CHAIN_TEST", "HOME", "LANG", "PATH"], "nothing added, nothing lost");
}

fn input_and_output_pass_through(line: &Line) {
    let bytes: Vec<u8> =
        (0..1_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let outcome = line.run("cat").stdin(&bytes).done();
    assert_eq!(outcome.status, 0, "{outcome}");
    assert!(outcome.out == bytes, "4 MB went in, {} bytes came out", outcome.out.len());
    let talk = line.shell("echo to stderr >&2").is(0);
    assert_eq!((talk.text().as_str(), talk.talk().as_str()), ("", "to stderr\n"));
}

fn signal_dispositions_and_the_mask_are_those_of_the_caller(line: &Line) {
    let masks = |before: &str| {
        let status = line.sandbox.run(before).args(["cat", "/proc/self/status"]).done().is(0).quiet().text();
        let mask = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        ["SigBlk:", "SigIgn:", "SigCgt:"].map(mask)
    };
    // The test's own caller may have ignored a signal too.
    assert_eq!(masks(line.links), masks(""));
    let odd = "env --ignore-signal=PIPE --ignore-signal=HUP --ignore-signal=INT --block-signal=USR2 --block-signal=TERM";
    assert_eq!(masks(&format!("{odd} {}", line.links)), masks(odd));
}

fn the_root_directory_stays_as_it_was(line: &Line) {
    line.sandbox.make_root("own");
    let list = || {
        let root = line.sandbox.run("find own -printf").arg("%p %M %U %s %T@\n").done().is(0).text();
        let mut lines: Vec<String> = root.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let run = |script: &str| {
        let links = line.links.replace("rootfs", "own");
        line.sandbox.run(&links).args(["sh", "-c", script]).done().is(0).quiet()
    };
    // The first run may make mount points that are missing.
    run("true");
    let before = list();
    run("echo x >/dev/null; ls /dev /proc /sys >/dev/null; : >/dev/shm/x");
    assert_eq!(list(), before);
}

fn a_full_set_of_devices_works(line: &Line) {
    let script = "head -c4 /dev/zero | od -An -tx1; echo x >/dev/null; head -c8 /dev/urandom | wc -c; \
                  test -c /dev/full; test -c /dev/tty; test -d /dev/pts; echo shm >/dev/shm/x; cat /dev/shm/x; \
                  echo in | cat /dev/stdin; echo x >/dev/full 2>/dev/null || echo full";
    let text = line.shell(script).is(0).text();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words, ["00", "00", "00", "00", "8", "shm", "in", "full"]);
}

#[test]
fn the_group_and_its_limit_are_seen_from_outside() {
    let Some(line) = Line::root() else { return };
    let job = line.run("probe hold").start();
    job.until("ready");
    let inner = line.sandbox.inner("probe");
    let group = cgroup::of(inner, "memory").expect("it is in a group of the memory hierarchy");
    let limit = ["memory.max", "memory.limit_in_bytes"]
        .iter()
        .find_map(|file| std::fs::read_to_string(group.join(file)).ok());
    assert_eq!(limit.as_deref(), Some("67108864\n"), "{}", group.display());
    assert_ne!(cgroup::of(leak::me(), "memory"), Some(group.clone()), "cgctl itself stays outside");
    job.signal(nix::sys::signal::Signal::SIGTERM);
    job.done().is(143);
    eventually("the group is gone", || !group.exists());
}

#[test]
fn pivot_alone_leaves_the_mounts_of_its_caller_as_they_are() {
    let Some(sandbox) = Sandbox::root() else { return };
    // A mount namespace with shared propagation stands for the host: what pivot did there would be seen.
    let script = "mount --make-rshared /; cat /proc/self/mountinfo >before; pivot rootfs sh -c 'ls / | xargs; echo $$'; \
                  cat /proc/self/mountinfo >after; cmp before after";
    let text = sandbox.run("unshare -m sh -euc").arg(script).done().is(0).quiet().text();
    let (names, pid) = text.split_once('\n').unwrap();
    assert_eq!(names, sandbox.run("ls rootfs").done().text().replace('\n', " "));
    assert_ne!(pid, "1", "no pid namespace was asked for");
}

#[test]
fn the_links_work_in_other_orders_and_deeper() {
    let Some(sandbox) = Sandbox::root() else { return };
    // Where a waiting link stands between, that one is PID 1.
    let lines = [
        ("unshare-rs -pum cgctl new m=64M -- pivot rootfs", 2),
        ("cgctl new pids=50 -- cgctl new m=64M -- unshare-rs -pum pivot rootfs", 1),
        ("unshare-rs -pum unshare-rs -pum --mount-proc unshare-rs -pum pivot rootfs", 1),
        ("unshare-rs --pid --uts --mount -- pivot rootfs", 1),
        ("unshare-rs -pu pivot --bare rootfs", 1),
    ];
    each(lines, |(line, pid)| {
        let text = sandbox.run(line).args(["sh", "-c", "echo $$; exit 7"]).done().is(7).quiet().text();
        assert_eq!(text, pid.to_string());
    });
}

/// The filter of a container forbids the calls that make namespaces, also where none is asked for.
#[test]
fn a_link_that_makes_no_namespace_runs_behind_a_filter() {
    let sandbox = Sandbox::user();
    let bind = format!("{}:/bin/unshare-rs", tests::bin("unshare-rs").display());
    let run = |word| {
        sandbox.run("unshare-rs -Urpum pivot --seccomp-deny @namespace --ro-bind").arg(&bind).args([
            "rootfs",
            "unshare-rs",
            word,
        ])
    };
    run("true").done().is(0).quiet();
    run("-u").done().is(125).says("cannot create a new uts namespace");
}
