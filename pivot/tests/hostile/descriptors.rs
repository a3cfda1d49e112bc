//! Descriptors and directories of the host that are still open.

use crate::Canary;
use tests::each;

/// CVE-2024-21626 (runc), CVE-2016-9962 (docker): the host through a descriptor that was left open.
#[test]
fn an_inherited_descriptor_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    canary.0.file("evil", "#!/bin/sh\n", 0o755);
    tests::program::copy(canary.path("rootfs/bin/busybox"), canary.path("true"));
    canary.link("bin/by-link", "/proc/self/fd/9/true");
    canary.0.file("rootfs/bin/by-script", "#!/proc/self/fd/9/true\n", 0o755);
    let run = |command: &str| {
        let line = format!("exec 9<. 5<.; exec unshare-rs -pm pivot --keep-fd 5 rootfs {command}");
        canary.0.shell(&line).done()
    };
    assert_eq!(run("cat /proc/self/fd/5/canary.txt").is(0).text(), "alive");
    run("cat /proc/self/fd/9/canary.txt").is(1);
    run("/proc/self/fd/9/true").is(127);
    run("by-link").is(126).says("a missing file");
    run("by-script").is(126).says("/proc/self/fd/9/true, which it needs, is missing");
    canary.is_alive();
}

#[test]
fn only_descriptors_that_were_asked_for_are_open_inside() {
    let Some(canary) = Canary::new() else { return };
    let line = "exec 3<. 5<. 9<. 8>/dev/null; exec unshare-rs -pm pivot --keep-fd 9 --keep-fd 1 --keep-fd 9 rootfs probe report";
    let report = canary.0.shell(line).done().is(0).json();
    let mut open: Vec<&String> = report["descriptors"].as_object().unwrap().keys().collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2", "9"]);
}

#[test]
fn the_starting_directory_cannot_be_outside() {
    let Some(canary) = Canary::new() else { return };
    canary.link("cwd", "/proc/self/fd/9");
    let rows: Vec<String> =
        (3..=20).map(|fd| format!("/proc/self/fd/{fd}")).chain(["/cwd".to_owned()]).collect();
    each(rows, |dir| {
        let line = format!("exec 9<.; exec unshare-rs -pm pivot --chdir {dir} rootfs cat canary.txt");
        canary.0.shell(&line).done().is(125).complains_as("pivot").says("cannot start in ");
    });
    for way in canary.ways() {
        canary.link("cwd", way);
        canary.0.run("pivot --chdir /cwd rootfs cat ../canary.txt").done().is(125);
    }
}

/// CVE-2016-9962 (docker), CVE-2020-5291 (bubblewrap): who waits outside, or stands for the command inside, holds what
/// belongs to the host.
#[test]
fn who_waits_for_the_command_cannot_be_looked_into() {
    let Some(canary) = Canary::new() else { return };
    let calls =
        ["attach 1", "open /proc/1/environ", "open /proc/1/mem", "open /proc/1/exe", "write /proc/1/exe"];
    let rows = [
        "unshare-rs --init -pum pivot --confine",
        "unshare-rs -pum pivot --confine --pty",
        "unshare-rs --init -pum pivot --confine --pty",
    ];
    each(rows, |link| {
        for call in calls {
            let line = format!("exec 9<.; exec {link} rootfs probe try {call}");
            let text = canary.0.shell(&line).env("SECRET", "of the host").done().is(0).text();
            assert!(["EPERM", "EACCES"].contains(&text.trim_end()), "{call} behind {link}: {text}");
        }
        let script = "ls /proc/1/fd /proc/1/cwd/ /proc/1/root/; cat /proc/1/environ; env";
        let line = format!("exec 9<.; exec {link} rootfs sh -c \"$0\"");
        let outcome = canary.0.shell(&line).arg(script).env("SECRET", "of the host").done();
        assert!(!outcome.text().contains("SECRET") && !outcome.text().contains("canary"), "{outcome}");
    });
    let outcome =
        canary.0.run("unshare-rs --init -pum pivot rootfs cat /proc/1/environ").env("SECRET", "x").done();
    assert!(outcome.text().contains("SECRET"), "without --confine nothing is taken away: {outcome}");
}

/// CVE-2024-21626 (runc), attack 3: the way to the command leads through a descriptor.
#[test]
fn no_way_through_a_descriptor_leads_to_the_host() {
    let Some(canary) = Canary::new() else { return };
    tests::program::copy(canary.path("rootfs/bin/busybox"), canary.path("true"));
    let descriptors = (3..=20).map(|fd| format!("/proc/self/fd/{fd}"));
    let ways: Vec<String> = descriptors
        .flat_map(|fd| {
            [format!("{fd}/true"), format!("{fd}/../true"), format!("{fd}/../../../../../../bin/true")]
        })
        .collect();
    for way in ways {
        let line = format!("exec 9<.; exec unshare-rs -pum pivot rootfs {way}");
        let outcome = canary.0.shell(&line).done();
        assert!([126, 127].contains(&outcome.status), "{outcome}");
    }
    let line =
        "exec 9<.; exec unshare-rs -pum pivot --bind /proc/self/fd/9:/mnt --chdir /mnt rootfs cat canary.txt";
    canary.0.shell(line).done().is(125).complains_as("pivot").says("name it by its path");
}
