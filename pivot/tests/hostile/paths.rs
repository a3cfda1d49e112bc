//! Links and odd names in the root.

use crate::Canary;
use std::fs;
use std::os::unix::fs::symlink;
use tests::each;

/// CVE-2026-41579 (runc), CVE-2026-47766 (crun): links and device nodes were made behind such a link.
#[test]
fn a_dev_proc_or_sys_that_is_a_link_is_refused() {
    let Some(canary) = Canary::new() else { return };
    for name in ["dev", "proc", "sys"] {
        for way in canary.ways() {
            canary.link(name, &way);
            let outcome =
                canary.0.run("unshare-rs -pm pivot rootfs true").done().is(125).complains_as("pivot");
            outcome.says(&format!("/{name} is not a real directory in this root"));
            canary.is_alive();
        }
        canary.link(name, "/tmp");
        canary.0.run("unshare-rs -pm pivot rootfs true").done().is(125);
        fs::remove_file(canary.path("rootfs").join(name)).unwrap();
        fs::create_dir(canary.path("rootfs").join(name)).unwrap();
    }
}

/// CVE-2025-31133 (runc), CVE-2026-88264 (crun): /dev/null of the image as the source of masks or as standard input.
#[test]
fn a_dev_null_that_is_a_link_is_never_used() {
    let Some(canary) = Canary::new() else { return };
    canary.link("dev/null", canary.path("canary.txt"));
    let script = "echo x >/dev/null; echo x >/proc/keys; cat /proc/keys";
    canary.0.run("unshare-rs -pm pivot rootfs sh -c").arg(script).done().is(0).quiet();
    canary.is_alive();
    canary.0.run("unshare-rs -pm pivot --bare rootfs true").done().is(0).quiet();
    canary.is_alive();
}

/// CVE-2026-87766 (bubblewrap), nsjail#274: directories and files were made behind links in the destination.
#[test]
fn a_destination_behind_a_link_stays_inside() {
    let Some(canary) = Canary::new() else { return };
    let (sandbox, link) = (&canary.0, |way| canary.link("lnk", way));
    sandbox.file("file", "bound", 0o644);
    each(canary.ways(), |way| {
        link(way);
        let line =
            "pivot --bind file:/lnk/a/file --tmpfs /lnk/b --bind rootfs/bin:/lnk/c:ro rootfs cat /lnk/a/file";
        assert_eq!(sandbox.run(line).done().is(0).quiet().text(), "bound");
        sandbox.run("pivot --tmpfs /lnk --bare rootfs sh -c").arg("test -d /lnk || exit 1").done();
        canary.is_alive();
    });
    canary.link("lnk", "/proc/self/cwd/canary");
    sandbox.run("pivot --tmpfs /lnk/x rootfs true").done();
    canary.is_alive();
    canary.link("lnk", "/proc/1/root");
    let outcome = sandbox.run("unshare-rs -pm pivot --tmpfs /lnk/x rootfs true").done().is(125);
    outcome.complains_as("pivot").says("/lnk/x");
    canary.is_alive();
}

#[test]
fn no_path_leads_back_to_the_old_root() {
    let Some(canary) = Canary::new() else { return };
    let script = "cd /..; for dir in / /.. /../.. /proc/1/root /proc/self/root/.. /proc/self/cwd/..; do
            stat -Lc '%d %i' $dir; done | sort -u | wc -l
        find / -xdev -name canary.txt; grep -c canary /proc/self/mountinfo; awk '$5 == \"/\"' /proc/self/mountinfo | wc -l";
    let outcome = canary.0.run("unshare-rs -pm pivot rootfs sh -c").arg(script).done().quiet();
    assert_eq!(outcome.text(), "1\n0\n1");
}

/// What a path means is the kernel's to say, by openat2(2); without it there is no second best (crun#2155).
#[test]
fn without_openat2_it_refuses_to_run() {
    let Some(canary) = Canary::new() else { return };
    canary.link("lnk", "../canary");
    let lines = [
        "unshare-rs -pum pivot rootfs true",
        "pivot --tmpfs /lnk/x rootfs true",
        "pivot --bare --chdir /tmp rootfs true",
        "pivot --bare --bind /etc:/lnk/y rootfs true",
    ];
    each(lines, |line| {
        for error in ["ENOSYS", "EPERM"] {
            let outcome = canary.0.run(&format!("probe without openat2 {error} {line}")).done();
            let outcome = outcome.is(125).complains_as("pivot");
            if error == "ENOSYS" {
                outcome.says("hint: this kernel is older");
            }
            canary.is_alive();
        }
    });
    assert_eq!(fs::read_dir(canary.path("rootfs/tmp")).unwrap().count(), 0);
}

/// The same for the calls by which mounts are made: each has nothing to fall back on.
#[test]
fn without_the_calls_for_mounts_it_refuses_to_run() {
    let Some(canary) = Canary::new() else { return };
    each(["open_tree", "move_mount", "mount_setattr", "pivot_root", "close_range"], |call| {
        for error in ["ENOSYS", "EPERM"] {
            let line = format!("probe without {call} {error} unshare-rs -pum pivot rootfs echo inside");
            let outcome = canary.0.run(&line).done().is(125).complains_as("pivot");
            assert_eq!(outcome.text(), "");
        }
    });
}

/// CVE-2019-16884, CVE-2019-19921, CVE-2023-28642 (runc): what is taken for /proc is a directory of the image.
#[test]
fn a_proc_that_the_root_fakes_is_mounted_over() {
    let Some(canary) = Canary::new() else { return };
    let fake = canary.path("rootfs/proc/self");
    fs::create_dir_all(fake.join("attr")).unwrap();
    fs::write(fake.join("attr/exec"), "fake").unwrap();
    fs::write(canary.path("rootfs/proc/keys"), "fake").unwrap();
    let script = "stat -fc %T /proc; stat -c %i /proc; [ -L /proc/self ] && cat /proc/keys";
    let fakes = [
        "",
        "mount -t tmpfs fake rootfs/proc; touch rootfs/proc/keys;",
        "mount --bind rootfs/tmp rootfs/proc;",
    ];
    each(fakes, |fake| {
        let line = format!("unshare -m sh -ec '{fake} exec unshare-rs -pm pivot rootfs sh -c \"$1\"' sh");
        let outcome = canary.0.shell(&format!("{line} \"$0\"")).arg(script).done().is(0).quiet();
        assert_eq!(outcome.text(), "proc\n1", "{fake}");
    });
    assert_eq!(fs::read(fake.join("attr/exec")).unwrap(), b"fake");
}

/// bubblewrap#801: a root where links are not followed as its own programs follow them is of no use.
#[test]
fn the_links_of_ordinary_roots_work() {
    let Some(canary) = Canary::new() else { return };
    let root = canary.path("rootfs");
    for dir in ["run/lock", "usr/lib", "data", "tmp/deep/er"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    let _ = fs::remove_dir_all(root.join("var"));
    fs::create_dir(root.join("var")).unwrap();
    let links = [
        ("var/run", "/run"),
        ("var/lock", "/run/lock"),
        ("lib", "usr/lib"),
        ("lib64", "/usr/lib"),
        ("one", "two"),
        ("two", "/three"),
        ("three", "tmp/../data/."),
        ("up", "../../../../data"),
        ("new", "data/made"),
        ("far", "/data/made/deep"),
        ("slash", "/"),
    ];
    for (name, target) in links {
        let _ = fs::remove_dir(root.join(name));
        let _ = fs::remove_file(root.join(name));
        symlink(target, root.join(name)).unwrap();
    }
    let rows = [
        ("/var/run/x", "/run/x"),
        ("/var/lock", "/run/lock"),
        ("/lib/modules", "/usr/lib/modules"),
        ("/lib64/x/y", "/usr/lib/x/y"),
        ("/one", "/data"),
        ("/one/x", "/data/x"),
        ("/up/z", "/data/z"),
        ("/new", "/data/made"),
        ("/far/x", "/data/made/deep/x"),
        ("/slash/slash/tmp", "/tmp"),
    ];
    each(rows, |(target, real)| {
        let outcome = canary
            .0
            .run(&format!("unshare-rs -pm pivot --tmpfs {target} rootfs cat /proc/self/mountinfo"))
            .done();
        let text = outcome.is(0).quiet().text();
        assert!(
            text.lines().any(|line| line.split(' ').nth(4) == Some(real)),
            "{target} is not {real}:\n{text}"
        );
    });
}

#[test]
fn links_that_lead_nowhere_are_refused_by_name() {
    let Some(canary) = Canary::new() else { return };
    for (name, target) in [("loop", "loop"), ("ping", "pong"), ("pong", "/ping"), ("file/x", "y")] {
        let _ = fs::write(canary.path("rootfs/file"), "");
        let _ = symlink(target, canary.path("rootfs").join(name));
    }
    let mut names: Vec<String> = (0..60).map(|n| format!("chain{n}")).collect();
    names.iter().zip(&names[1..]).for_each(|(from, to)| canary.link(from, to));
    names = vec![
        "loop".into(),
        "ping/x".into(),
        "chain0".into(),
        "file/x".into(),
        "x".repeat(300),
        "x/".repeat(2050),
    ];
    each(names, |name| {
        let outcome = canary.0.run(&format!("pivot --bare --tmpfs /{name} rootfs true")).done();
        outcome.is(125).complains_as("pivot");
    });
    canary.is_alive();
}

/// CVE-2024-1753 (podman), nsjail#274, CVE-2015-1335 (LXC): a destination that says itself that it is outside.
#[test]
fn a_destination_that_climbs_is_refused_before_anything_is_made() {
    let Some(canary) = Canary::new() else { return };
    for target in ["/../canary/x", "/tmp/../../canary/x", "/a/..", "/..", "/."] {
        for option in ["--tmpfs ", "--bind /etc:", "--bind=canary.txt:"] {
            canary.0.run(&format!("pivot {option}{target} rootfs true")).done().is(125).complains_as("pivot");
        }
    }
    assert!(!canary.path("rootfs/a").exists());
    canary.is_alive();
}

/// CVE-2026-87766 (bubblewrap), for all that is made or changed in the root without a mount.
#[test]
fn what_is_made_or_changed_behind_a_link_stays_inside() {
    let Some(canary) = Canary::new() else { return };
    let mode = || fs::metadata(canary.path("canary")).unwrap().permissions();
    let before = mode();
    each(canary.ways(), |way| {
        canary.link("lnk", way);
        let line = "unshare-rs -pum pivot --dir /lnk/d --file /lnk/f=text --symlink /lnk/s=t --mask /lnk/d --ro-path /lnk/f \
            --chmod /lnk=700 rootfs sh -c";
        let script = "[ -d /lnk/d ] && [ -L /lnk/s ] && cat /lnk/f";
        assert_eq!(canary.0.run(line).arg(script).done().is(0).quiet().text(), "text");
        canary.is_alive();
        assert_eq!(mode(), before);
    });
    for way in ["/proc/self/cwd/canary", "/proc/1/root", "/proc/self/fd/3"] {
        canary.link("lnk", way);
        for option in [
            "--dir /lnk/d",
            "--file /lnk/f=x",
            "--symlink /lnk/s=t",
            "--chmod /lnk=700",
            "--mask /lnk",
            "--ro-path /lnk",
        ] {
            let outcome = canary.0.run(&format!("unshare-rs -pum pivot {option} rootfs true")).done();
            assert!([0, 125].contains(&outcome.status), "{outcome}");
            canary.is_alive();
            assert_eq!(mode(), before);
        }
    }
}

/// CVE-2025-52881 (runc): what is meant for /proc of the host is written to what the root has in its place.
#[test]
fn nothing_is_written_to_a_proc_of_the_root() {
    let Some(canary) = Canary::new() else { return };
    let fakes =
        ["self/oom_score_adj", "self/attr/exec", "sys/kernel/hostname", "self/uid_map", "sysrq-trigger"];
    for fake in fakes {
        let fake = canary.path("rootfs/proc").join(fake);
        fs::create_dir_all(fake.parent().unwrap()).unwrap();
        fs::write(fake, "fake").unwrap();
    }
    let line = "unshare-rs -pum pivot --confine --hostname inside --oom-score-adj 77 --keyring rootfs sh -c";
    let text = canary.0.run(line).arg("cat /proc/self/oom_score_adj; hostname").done().is(0).text();
    assert_eq!(text, "77\ninside");
    for fake in fakes {
        assert_eq!(fs::read(canary.path("rootfs/proc").join(fake)).unwrap(), b"fake", "{fake}");
    }
}
