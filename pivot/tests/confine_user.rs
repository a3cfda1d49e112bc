//! `--user` and `--groups`: who the command becomes, by the files of a root that nobody trusts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use tests::{Sandbox, each};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:an app:/home/app:/bin/sh
twice:x:7:7:::
twice:x:8:8:::
six:x:9:9::
signed:x:+9:9:::
hex:x:0x0:9:::
zeros:x:0009:9:::
space:x: 0:0:::
empty:x::0:::
high:x:4294967295:0:::
nogroup:x:9:x:::
nohome:x:11:11:::
";
const GROUP: &str = "root:x:0:
audio:x:29:app,other
video:x:44:xapp,app x
more:x:50:other,app
staff:x:1001:
bad:x:-1:
";

fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?.with_own_root();
    sandbox.file("rootfs/etc/passwd", PASSWD, 0o644);
    sandbox.file("rootfs/etc/group", GROUP, 0o644);
    Some(sandbox)
}

fn report(sandbox: &Sandbox, options: &str) -> Value {
    sandbox.run(&format!("unshare-rs -pm pivot {options} rootfs probe report")).done().is(0).quiet().json()
}

/// User, group and supplementary groups.
fn ids(report: &Value) -> [&str; 3] {
    ["Uid", "Gid", "Groups"].map(|field| report["status"][field].as_str().unwrap())
}

#[test]
fn names_and_numbers_mean_what_they_mean_to_docker() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("--user app", ["1000", "1001", "29 50 1001"]),
        ("--user 1000", ["1000", "1001", "29 50 1001"]),
        ("--user app:audio", ["1000", "29", "29"]),
        ("--user app:1001", ["1000", "1001", "1001"]),
        ("--user 5", ["5", "0", "0"]),
        ("--user 5:6", ["5", "6", "6"]),
        ("--user 4294967294:4294967294", ["4294967294", "4294967294", "4294967294"]),
        ("--user root", ["0", "0", "0"]),
        ("--user app --groups none", ["1000", "1001", ""]),
        ("--user app --groups video,7", ["1000", "1001", "7 44"]),
        ("--groups audio", ["0", "0", "29"]),
        ("--user app --user 5", ["5", "0", "0"]),
    ];
    each(rows, |(options, [user, group, groups])| {
        let report = report(&sandbox, options);
        let four = |id: &str| [id; 4].join(" ");
        assert_eq!(ids(&report), [&*four(user), &*four(group), groups], "{options}");
        let has_rights = report["status"]["CapEff"] != "0000000000000000";
        assert_eq!(has_rights, user == "0", "{options}");
    });
}

#[test]
fn what_is_no_user_is_refused() {
    let Some(sandbox) = sandbox() else { return };
    let wrong = [
        ":",
        ":0",
        ":app",
        "app:",
        "app:0:0",
        "-1",
        "+1",
        "0x10",
        "1000x",
        "010",
        "4294967295",
        "4294967296",
        "a b",
    ];
    each(wrong, |user| {
        sandbox.run("pivot --user").arg(user).args(["rootfs", "true"]).done().is(125).complains_as("pivot");
        sandbox.run("pivot").arg(format!("--user={user}")).args(["rootfs", "true"]).done().is(125);
    });
    for user in ["", " 0", "0 ", "root\n", "\n"] {
        sandbox.run("pivot").arg(format!("--user={user}")).args(["rootfs", "true"]).done().is(125);
    }
    for groups in ["", ",", "audio,", "none,audio", "-1", "1x"] {
        sandbox.run("pivot").arg(format!("--groups={groups}")).args(["rootfs", "true"]).done().is(125);
    }
}

#[test]
fn a_line_that_makes_no_sense_makes_no_user() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("nobody", "cannot find the user nobody: /etc/passwd of the new root does not have it"),
        ("twice", "/etc/passwd of the new root has it again in line 4"),
        ("six", "line 5 of /etc/passwd of the new root has 6 fields, not 7"),
        ("signed", "line 6 of /etc/passwd of the new root has +9 for an id"),
        ("hex", "has 0x0 for an id"),
        ("zeros", "has 0009 for an id"),
        ("space", "has ' 0' for an id"),
        ("empty", "has '' for an id"),
        ("high", "has 4294967295 for an id"),
        ("nogroup", "has x for an id"),
        ("app:nogroup", "cannot find the group nogroup: /etc/group of the new root does not have it"),
        ("app:bad", "line 6 of /etc/group of the new root has -1 for an id"),
    ];
    each(rows, |(user, expected)| {
        let run = sandbox.run(&format!("pivot --tmpfs /made --user {user} rootfs id"));
        run.done().is(125).complains_as("pivot").says(expected);
        assert!(!sandbox.path("rootfs/made").exists(), "the mount point was left behind");
    });
}

/// CVE-2019-14271 and its kind: what a program of the host reads in a container's root.
#[test]
fn the_files_of_the_root_can_be_anything() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("canary", "app:x:0:0::/canary:\n", 0o644);
    let passwd = sandbox.path("rootfs/etc/passwd");
    let run =
        |user: &str| sandbox.run(&format!("unshare-rs -pm pivot --user {user} rootfs id -u")).limit(5).done();
    let ways = [
        sandbox.path("canary"),
        "../../canary".into(),
        "/proc/self/cwd/canary".into(),
        "/proc/1/root/etc/passwd".into(),
    ];
    each(ways, |way| {
        let _ = fs::remove_file(&passwd);
        symlink(&way, &passwd).unwrap();
        run("app").is(125).complains_as("pivot");
    });
    let refused = |kind: FileType, device: u64, why: &str| {
        fs::remove_file(&passwd).unwrap();
        mknodat(CWD, &passwd, kind, Mode::from(0o666), device).unwrap();
        for user in ["app", "5"] {
            run(user).is(125).complains_as("pivot").says(why);
        }
    };
    refused(FileType::Fifo, 0, "it is not a plain file");
    refused(FileType::CharacterDevice, rustix::fs::makedev(1, 5), "it is not a plain file");
    refused(FileType::CharacterDevice, rustix::fs::makedev(5, 0), "it is not a plain file");
    fs::remove_file(&passwd).unwrap();
    fs::create_dir(&passwd).unwrap();
    run("app").is(125).says("it is not a plain file");
    fs::remove_dir(&passwd).unwrap();
    run("app")
        .is(125)
        .complains_as("pivot")
        .says("the new root has no /etc/passwd")
        .says("a number needs none");
    assert_eq!(run("5").is(0).text(), "5");
    fs::write(&passwd, vec![b'\n'; (4 << 20) + 1]).unwrap();
    run("5").is(125).complains_as("pivot").says("it has more than 4 MiB");
    symlink("/usr/passwd", sandbox.path("rootfs/etc/link")).unwrap();
    fs::rename(sandbox.path("rootfs/etc/link"), &passwd).unwrap();
    sandbox.file("rootfs/usr/passwd", PASSWD, 0o644);
    assert_eq!(run("app").is(0).text(), "1000");
}

#[test]
fn the_user_is_that_of_the_root_as_it_is_mounted() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("other", "app:x:5:6::/other:\n", 0o644);
    let line = "pivot --bind other:/etc/passwd:ro --user app rootfs id -u";
    assert_eq!(sandbox.run(line).done().is(0).text(), "5");
}

#[test]
fn home_follows_the_user_unless_it_was_given() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("--user app", [Some("/home/app"), Some("app"), Some("app")]),
        ("--user nohome", [Some("/"), Some("nohome"), Some("nohome")]),
        ("--user 5", [Some("/"), None, None]),
        ("--user app --env HOME=/x --env USER=y", [Some("/x"), Some("y"), Some("app")]),
        ("--user app --unset-env HOME", [None, Some("app"), Some("app")]),
        ("--user app --clear-env", [Some("/home/app"), None, None]),
        ("--confine --user app", [Some("/home/app"), None, None]),
        ("--confine", [Some("/root"), None, None]),
        ("--confine --env HOME=/x", [Some("/x"), None, None]),
        ("--clear-env", [None, None, None]),
    ];
    each(rows, |(options, expected)| {
        let line = format!("unshare-rs -pm pivot {options} rootfs probe report");
        let report = sandbox.run(&line).env("USER", "caller").env("LOGNAME", "caller").done().is(0).json();
        let found = ["HOME", "USER", "LOGNAME"].map(|name| report["environment"][name].as_str());
        assert_eq!(found, expected, "{options}");
    });
}

#[test]
fn a_pipe_can_be_opened_again_and_a_file_stays_whose_it_is() {
    let Some(sandbox) = sandbox() else { return };
    let script = "unshare-rs -pm pivot --user app rootfs sh -c 'echo yes >/dev/stdout' | cat
        unshare-rs -pm pivot --user app rootfs sh -c 'echo no' >file; stat -c %u file
        mkfifo fifo; unshare-rs -pm pivot --user app rootfs true <>fifo; stat -c %u fifo";
    assert_eq!(sandbox.shell(script).done().is(0).quiet().text(), "yes\n0\n0");
}

#[test]
fn a_user_namespace_has_the_users_that_it_maps() {
    let sandbox = Sandbox::user();
    let id = |options: &str| sandbox.run(&format!("unshare-rs -Urpm pivot {options} rootfs id")).done();
    for options in ["", "--user 0", "--user root", "--user 0:0", "--groups none"] {
        assert!(id(options).is(0).quiet().text().starts_with("uid=0(root) gid=0(root)"), "{options}");
    }
    let outcome = id("--user 1000:0").is(125).complains_as("pivot");
    outcome.says("cannot become user 1000: Invalid argument").says("map it with --map-users");
    id("--user 0:7").is(125).complains_as("pivot").says("map it with --map-groups");
    id("--groups 0,5").is(125).complains_as("pivot").says("given setgroups up");
}

#[test]
fn a_user_namespace_with_many_ids_can_change_them() {
    let Some(sandbox) = sandbox() else { return };
    let line = "unshare-rs -Upm --map-users 0:100000:65536 --map-groups 0:100000:65536 -S 0 -G 0 \
                pivot --bare --user app rootfs id";
    let text = sandbox.run(line).done().is(0).text();
    assert_eq!(text, "uid=1000(app) gid=1001(staff) groups=29(audio),50(more),1001(staff)");
}

#[test]
fn the_death_of_the_parent_still_ends_a_command_with_another_user() {
    let Some(sandbox) = sandbox() else { return };
    for links in ["unshare-rs -pm", "unshare-rs -m --fork", "unshare-rs -pm --mount-proc"] {
        let line = format!("{links} pivot --user app rootfs probe hold");
        let job = sandbox.run(&line).start();
        job.until("ready");
        let inner = sandbox.inner("probe");
        job.signal(nix::sys::signal::Signal::SIGKILL);
        tests::eventually("the command ends", || matches!(tests::leak::state(inner), None | Some('Z')));
    }
}

#[test]
fn a_directory_that_only_the_user_may_enter_is_entered_by_the_user() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.run("install -d -m 700 -o 1000 rootfs/home rootfs/home/app").done().is(0);
    let powerless =
        "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search";
    let run = |options: &str| {
        sandbox.run(&format!("{powerless} pivot --chdir /home/app {options} rootfs pwd")).done()
    };
    assert_eq!(run("--user app").is(0).quiet().text(), "/home/app");
    run("")
        .is(125)
        .complains_as("pivot")
        .says("cannot start in /home/app of the new root: Permission denied");
    run("--user 5").is(125).complains_as("pivot").says("Permission denied");
}
