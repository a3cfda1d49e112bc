//! Roots made of layers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::tools::{TOOLS, bin, workspace};
use tests::{Outcome, Sandbox, each, names};

/// Who runs it, and what stands before pivot for that.
fn everybody() -> Vec<(Sandbox, &'static str)> {
    let root = Sandbox::root().map(|sandbox| (sandbox, ""));
    root.into_iter().chain([(Sandbox::user(), "unshare-rs -Urm ")]).collect()
}

/// A directory that the sandbox's user owns.
fn dir(sandbox: &Sandbox, name: impl AsRef<OsStr>) -> PathBuf {
    let path = sandbox.dir().join(name.as_ref());
    let owner = fs::metadata(sandbox.dir()).unwrap();
    for dir in path.ancestors().collect::<Vec<_>>().into_iter().rev().filter(|dir| !dir.exists()) {
        fs::create_dir(dir).unwrap();
        chown(dir, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    path
}

/// Three layers that have a file in common and one each of their own.
fn three(sandbox: &Sandbox) {
    for name in ["low", "middle", "high"] {
        dir(sandbox, name);
        sandbox.file(&format!("{name}/common"), name, 0o644);
        sandbox.file(&format!("{name}/{name}.txt"), name, 0o644);
    }
}

fn shell(sandbox: &Sandbox, line: impl AsRef<str>, script: &str) -> Outcome {
    sandbox.run(line.as_ref()).args(["sh", "-c", script]).done()
}

#[test]
fn later_layers_lie_over_earlier_ones_and_none_is_changed() {
    each(everybody(), |(sandbox, before)| {
        three(&sandbox);
        let (all, root) = (names(sandbox.dir()), names(&sandbox.path("rootfs")));
        let line = format!("{before}pivot --layer rootfs --layer low --layer middle --layer high");
        let script = "cat /common /*.txt; echo >/bin/new; rm /common; echo $?";
        assert_eq!(shell(&sandbox, line, script).is(0).quiet().text(), "highhighlowmiddle0");
        assert_eq!(names(sandbox.dir()), all);
        assert_eq!(names(&sandbox.path("rootfs")), root);
    });
}

#[test]
fn a_root_behind_layers_is_told_to_be_none() {
    each(everybody(), |(sandbox, before)| {
        let outcome = sandbox.run(&format!("{before}pivot --layer rootfs ./rootfs sh")).done().is(127);
        outcome.says("hint: with --layer there is no ROOT: ./rootfs is taken for CMD");
    });
}

#[test]
fn one_layer_is_enough() {
    each(everybody(), |(sandbox, before)| {
        for more in ["", "--ro ", "--upper up ", "--upper-size 1M "] {
            let line = format!("{before}pivot {more}--layer rootfs");
            shell(&sandbox, line, "test -d /tmp").is(0).quiet();
        }
    });
}

#[test]
fn an_upper_directory_keeps_the_changes_and_can_be_a_layer_then() {
    each(everybody(), |(sandbox, before)| {
        let own_root = format!("{before}pivot --bare --layer rootfs --layer own");
        dir(&sandbox, "own/full/deep");
        dir(&sandbox, "own/gone");
        sandbox.file("own/file", "old", 0o644);
        sandbox.file("own/full/old", "", 0o644);
        let change =
            "echo new >/made; echo changed >/file; rmdir /gone; rm -r /full; mkdir /full; echo >/full/new";
        let look = "cat /made /file; ls -d /gone 2>/dev/null; ls /full";
        let expected = "new\nchanged\nnew";
        shell(&sandbox, format!("{own_root} --upper up"), change).is(0).quiet();
        let work = names(&sandbox.path("up.work"));
        assert_eq!(work[0], sandbox.path("up.work/work").display().to_string(), "the work directory");
        assert!(sandbox.path("own/full/old").exists() && sandbox.path("own/gone").exists());
        assert_eq!(shell(&sandbox, format!("{own_root} --upper up"), look).text(), expected);
        // As a layer: the marks for what was removed have their effect.
        assert_eq!(shell(&sandbox, format!("{own_root} --layer up"), look).text(), expected);
        assert_eq!(shell(&sandbox, format!("{own_root} --upper up --ro"), look).text(), expected);
        let lower = format!("{own_root} --layer up --upper second");
        assert_eq!(shell(&sandbox, lower, &format!("{look}; rm /made")).text(), expected);
        assert_eq!(shell(&sandbox, format!("{own_root} --layer up --layer second"), "ls /made").status, 1);
    });
}

#[test]
fn an_upper_directory_is_made_like_the_topmost_layer() {
    each(everybody(), |(sandbox, before)| {
        let top = dir(&sandbox, "top");
        for mode in [0o700, 0o1777, 0o2755] {
            fs::set_permissions(&top, fs::Permissions::from_mode(mode)).unwrap();
            for (more, _) in [("--upper up", true), ("", false)] {
                let line = format!("{before}pivot --layer rootfs --layer top {more}");
                let owned = shell(&sandbox, line, "stat -c '%a %u' /").is(0).quiet().text();
                assert_eq!(owned, format!("{mode:o} 0"), "{more}");
            }
            let (up, top) = (fs::metadata(sandbox.path("up")).unwrap(), fs::metadata(&top).unwrap());
            assert_eq!((up.mode(), up.uid(), up.gid()), (top.mode(), top.uid(), top.gid()));
            fs::remove_dir_all(sandbox.path("up")).unwrap();
            sandbox.shell("chmod -R u+rwx up.work && rm -r up.work").done().is(0);
        }
    });
}

#[test]
fn any_name_can_be_a_layer_an_upper_or_a_work_directory() {
    let odd: Vec<OsString> = [
        b"comma,upperdir=x".as_slice(),
        b"colon:colon",
        b"  space and\ttab ",
        b"line\nend",
        b"back\\slash\\054\\:",
        b"\xff\xfe not UTF-8 \x80",
        b"-dash",
        b"percent%s'\"$(x)",
        &[b'n'; 255],
    ]
    .map(|name| OsString::from_vec(name.to_vec()))
    .into();
    each(everybody(), |(sandbox, before)| {
        for name in &odd {
            let [layer, upper, work] = ["layer", "upper", "work"].map(|kind| dir(&sandbox, kind).join(name));
            let inside = Path::new("layer").join(name);
            dir(&sandbox, &inside);
            fs::write(layer.join("odd"), name.as_bytes()).unwrap();
            let run = |upper: &[OsString]| {
                let run = sandbox.run(&format!("{before}pivot --bare --layer rootfs --layer")).arg(&layer);
                run.args(upper).args(["sh", "-c", "cat /odd && echo kept >/new"]).done().is(0).quiet();
            };
            run(&[]);
            run(&["--upper".into(), upper.clone().into(), "--work".into(), work.into()]);
            assert_eq!(fs::read(upper.join("new")).unwrap(), b"kept\n", "{name:?}");
            // By a path that begins with a dash as well.
            let line = sandbox.run(&format!("{before}pivot --bare --layer ../rootfs --layer")).cwd("layer");
            line.arg(Path::new(".").join(name)).args(["test", "-e", "/odd"]).done().is(0).quiet();
        }
    });
}

#[test]
fn there_can_be_500_layers() {
    each(everybody(), |(sandbox, before)| {
        let mut layers = Vec::new();
        for number in 1..=500 {
            dir(&sandbox, format!("layers/{number}"));
            sandbox.file(&format!("layers/{number}/{number}.txt"), number.to_string(), 0o644);
            sandbox.file(&format!("layers/{number}/last"), number.to_string(), 0o644);
            layers.extend(["--layer".to_owned(), format!("layers/{number}")]);
        }
        for (count, more) in [(100, ""), (128, "--upper up "), (499, "")] {
            let run = sandbox.run(&format!("{before}pivot --layer rootfs {more}"));
            let script = "cat /last; ls /*.txt | wc -l";
            let text = run.args(&layers[..count * 2]).args(["sh", "-c", script]).done().is(0).quiet().text();
            assert_eq!(text, format!("{count}{count}"));
        }
        let run = sandbox.run(&format!("{before}pivot --layer rootfs")).args(&layers).arg("true");
        run.done().is(125).complains_as("pivot").says("there are 501, and overlayfs takes 500");
    });
}

#[test]
fn the_root_of_the_host_can_be_a_layer_without_what_is_mounted_in_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    dir(&sandbox, "point");
    sandbox.file("point/beneath", "", 0o644);
    let point = sandbox.path("point");
    let look = format!("ls {0}; echo lost >{0}/new; test -e /proc/self && echo proc", point.display());
    let script =
        format!("mount -t tmpfs x point; touch point/mounted; pivot --bare --layer / sh -c '{look}'");
    assert_eq!(sandbox.run("unshare -m sh -c").arg(script).done().quiet().text(), "beneath");
    assert!(!point.join("new").exists());
}

#[test]
fn a_user_namespace_may_not_look_beneath_mounts() {
    let sandbox = Sandbox::user();
    let outcome = sandbox.run("unshare-rs -Urm pivot --layer / true").done().is(125).complains_as("pivot");
    outcome
        .says("in / something is mounted, beneath which a user namespace may not look")
        .says("--tmp-overlay /usr");
}

#[test]
fn flags_of_the_mounts_of_layers_hold_for_the_root() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "mkdir plain strict; mount -t tmpfs -o nosuid,nodev x strict
        for line in '--layer strict --layer plain' '--layer plain --layer strict' '--layer plain --upper strict/up' \
            '--layer plain'; do
            unshare-rs -pm pivot --layer rootfs $line grep -o ' / / [a-z,]*' /proc/self/mountinfo; done";
    let text = sandbox.run("unshare -m sh -ec").arg(script).done().is(0).text();
    let flags: Vec<&str> = text.lines().map(|line| line.trim_start_matches(" / / ")).collect();
    assert_eq!(flags, ["rw,nosuid,nodev,relatime"; 3].into_iter().chain(["rw,relatime"]).collect::<Vec<_>>());
}

#[test]
fn changes_in_memory_have_a_limit() {
    each(everybody(), |(sandbox, before)| {
        let line = format!("{before}pivot --layer rootfs --upper-size 1M");
        let script = "dd if=/dev/zero of=/a bs=500k count=1 && dd if=/dev/zero of=/b bs=2M count=1";
        let outcome = shell(&sandbox, line, script).is(1);
        assert!(outcome.talk().contains("No space left on device"), "{outcome}");
    });
}

#[test]
fn a_read_only_root_of_layers_gets_its_mount_points_without_a_trace() {
    each(everybody(), |(sandbox, before)| {
        dir(&sandbox, "up");
        let all = names(sandbox.dir());
        for upper in ["", "--upper up"] {
            let line = format!("{before}pivot --ro --tmpfs /new/point --layer rootfs {upper}");
            let script = "touch /new/point/x && ! touch /new/x /x 2>/dev/null";
            shell(&sandbox, line, script).is(0);
        }
        assert_eq!(names(sandbox.dir()), all);
    });
}

/// Linux 6.1, which knows layers by name only.
#[test]
fn the_same_tests_pass_on_an_older_kernel() {
    if std::env::var_os("CHAIN_TESTS_INSIDE").is_some() {
        return;
    }
    if !Path::new("/usr/bin/linux.uml").exists() {
        return tests::skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    let tools = bin(TOOLS[0]).parent().unwrap().to_owned();
    let mut command = Command::new(workspace().join("tests/uml/run"));
    command.arg("-C").arg(workspace()).args(["-t", "600"]);
    let set = ["CHAIN_TESTS_INSIDE=1", "CHAIN_TESTS_PATIENCE=6", "CHAIN_TESTS_MUST_RUN=1"];
    command.args(set.iter().flat_map(|set| ["-e", set]));
    command.arg("-e").arg(format!("CHAIN_BIN_DIR={}", tools.display()));
    let wanted = ["later_layers", "one_layer", "there_can_be", "without_a_trace"];
    let done = command.arg("--").arg(std::env::current_exe().unwrap()).args(wanted).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "inside: {}", done.status);
    assert!(text.contains("test result: ok. 4 passed"), "tests have run");
}
