//! Links and odd names in the root.

use crate::Canary;
use std::fs;
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
