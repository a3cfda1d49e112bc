//! What root could do to the host from inside, and a command that is confined cannot. Each attack is tried without
//! confinement too, where it must work: pivot alone takes no power away.

use crate::Canary;
use std::fs;
use tests::raw::FileHandle;
use tests::{Sandbox, each};

const PLAIN: &str = "unshare-rs -pumin pivot";
const CONFINED: &str = "unshare-rs -pumin pivot --confine";
/// A user who is root in a user namespace.
const USER: &str = "unshare-rs -rpumin pivot --confine";

fn attempt(sandbox: &Sandbox, link: &str, call: &str) -> String {
    sandbox.run(&format!("{link} rootfs probe try {call}")).done().is(0).quiet().text()
}

/// "shocker" (docker, 2014): any file of the root's file system can be opened by its number.
#[test]
fn a_file_cannot_be_opened_by_its_number() {
    let Some(canary) = Canary::new() else { return };
    let Ok(handle) = FileHandle::of(canary.0.dir()) else {
        return tests::skip("the file system of the temporary directory has no file handles");
    };
    let hex: String = handle.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let call = format!("handle / {} {hex} canary.txt", handle.kind);
    assert_eq!(attempt(&canary.0, PLAIN, &call), "alive");
    assert_eq!(attempt(&canary.0, CONFINED, &call), "EPERM");
    // The filter lets the call pass with the capability, which says the rest.
    assert_eq!(attempt(&canary.0, &format!("{CONFINED} --seccomp none"), &call), "EPERM");
    assert_eq!(attempt(&canary.0, &format!("{PLAIN} --cap-drop dac_read_search"), &call), "EPERM");
    assert_eq!(attempt(&Sandbox::user(), USER, &call), "EPERM");
}

/// Device nodes: the major number 1 is that of memory devices, and minor 3 is null, so that what works does no harm.
#[test]
fn no_device_can_be_made_or_opened() {
    let Some(canary) = Canary::new() else { return };
    canary.0.run("mknod rootfs/tmp/before c 1 3").done().is(0);
    for place in ["/node", "/tmp/node", "/dev/node"] {
        let call = format!("device {place} 1 3");
        let made = attempt(&canary.0, PLAIN, &call);
        assert_eq!(made, "ok", "{place}");
        let _ = fs::remove_file(canary.path("rootfs").join(&place[1..]));
        assert_eq!(attempt(&canary.0, CONFINED, &call), "not made: EPERM", "{place}");
        let allowed = format!("{CONFINED} --cap-add mknod");
        let made = attempt(&canary.0, &allowed, &call);
        assert_eq!(made, if place == "/dev/node" { "ok" } else { "not opened: EACCES" }, "{place}");
        let _ = fs::remove_file(canary.path("rootfs").join(&place[1..]));
    }
    assert_eq!(attempt(&canary.0, CONFINED, "open /tmp/before"), "EACCES");
    assert_eq!(attempt(&Sandbox::user(), USER, "device /tmp/node 1 3"), "not made: EPERM");
}

/// CVE-2022-0492: release_agent of a cgroup v1 hierarchy. CVE-2023-25809 and maskedPaths: what hides or protects parts of
/// /proc is taken off, or a second one is mounted.
#[test]
fn nothing_can_be_mounted_or_unmounted() {
    let Some(canary) = Canary::new() else { return };
    let user = Sandbox::user();
    let calls = [
        "mount proc /tmp",
        "mount sysfs /tmp",
        "mount tmpfs /tmp",
        "mount cgroup /tmp memory",
        "mount cgroup2 /tmp",
        "umount /proc/keys",
        "umount /proc/sys",
        "umount /proc",
        "umount /dev",
        "umount /sys",
    ];
    each(calls, |call| {
        for link in [CONFINED, "unshare-rs -pumin pivot --confine --seccomp none"] {
            assert_eq!(attempt(&canary.0, link, call), "EPERM", "{call} behind {link}");
        }
        assert_eq!(attempt(&user, USER, call), "EPERM", "{call}");
    });
    for call in ["mount proc /tmp", "umount /proc/keys"] {
        assert_eq!(attempt(&canary.0, PLAIN, call), "ok", "{call}");
    }
}

/// A user namespace gives every capability back, and with them most of what the kernel has.
#[test]
fn no_user_namespace_can_be_made() {
    let Some(canary) = Canary::new() else { return };
    assert_eq!(attempt(&canary.0, PLAIN, "unshare"), "ok");
    assert_eq!(attempt(&canary.0, CONFINED, "unshare"), "EPERM");
    assert_eq!(attempt(&Sandbox::user(), USER, "unshare"), "EPERM");
    let script = "unshare -U true || unshare -m true || chroot / unshare -r true";
    canary.0.run(&format!("{CONFINED} rootfs sh -c")).arg(script).done().is(1);
}

/// CVE-2026-31431 ("Copy Fail"): a way into the page cache of files that can only be read.
#[test]
fn sockets_of_the_kernels_ciphers_are_refused() {
    const AF_ALG: i32 = 38;
    const AF_VSOCK: i32 = 40;
    let Some(canary) = Canary::new() else { return };
    let call = format!("socket {AF_ALG}");
    assert_eq!(attempt(&canary.0, CONFINED, &call), "EPERM");
    assert_eq!(attempt(&Sandbox::user(), USER, &call), "EPERM");
    assert_eq!(attempt(&canary.0, CONFINED, &format!("socket {AF_VSOCK}")), "EPERM");
    assert_ne!(attempt(&canary.0, PLAIN, &call), "EPERM");
}

/// The sets of capabilities(7): inheritable, permitted, effective, bounding, ambient.
fn sets(report: &serde_json::Value) -> [u64; 5] {
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        .map(|set| u64::from_str_radix(report["status"][set].as_str().unwrap(), 16).unwrap())
}

/// CVE-2022-24769 (moby), CVE-2022-29162 (runc), CVE-2022-27650 (crun): an inheritable set that file capabilities
/// make a permitted one of. And what is dropped must not come back by starting a program as user 0.
#[test]
fn capabilities_do_not_come_back_with_the_next_program() {
    let Some(canary) = Canary::new() else { return };
    let inheriting = "setpriv --inh-caps +chown,+sys_admin unshare-rs -pum pivot --confine";
    for line in [CONFINED, inheriting, "unshare-rs -pum pivot --confine --no-new-privs=no"] {
        let direct = canary.0.run(&format!("{line} rootfs probe report")).done().is(0).json();
        let through = canary
            .0
            .run(&format!("{line} rootfs sh -c"))
            .arg("sh -c 'env probe report; :'")
            .done()
            .is(0)
            .json();
        let [inheritable, permitted, effective, bounding, ambient] = sets(&direct);
        assert_eq!((inheritable, ambient, permitted, effective), (0, 0, bounding, bounding), "{line}");
        assert_eq!(sets(&through), sets(&direct), "{line}");
    }
}
