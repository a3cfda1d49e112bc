//! Users of the root, and what a host would load from it to look them up.

use crate::Canary;
use std::fs;
use std::os::unix::fs::symlink;
use tests::each;

/// CVE-2018-15664, CVE-2026-41567 (docker cp) and their like: /etc/passwd is a link to a file of the host.
#[test]
fn a_user_is_looked_up_in_no_file_of_the_host() {
    let Some(canary) = Canary::new() else { return };
    canary.0.file("canary.passwd", "evil:x:4321:4321::/:/bin/sh\n", 0o644);
    let target = canary.path("canary.passwd");
    let far = format!("{}{}", "../".repeat(20), target.display());
    let ways = [
        target.display().to_string(),
        "../../canary.passwd".into(),
        far,
        "/proc/self/cwd/canary.passwd".into(),
    ];
    each(ways, |way| {
        let _ = fs::remove_file(canary.path("rootfs/etc/passwd"));
        symlink(&way, canary.path("rootfs/etc/passwd")).unwrap();
        for link in ["pivot", "unshare-rs -pum pivot --confine"] {
            let outcome = canary.0.run(&format!("{link} --user evil rootfs id")).done();
            assert_eq!(outcome.is(125).complains_as("pivot").text(), "", "{way}");
        }
    });
    let _ = fs::remove_dir_all(canary.path("rootfs/etc"));
    symlink("../..", canary.path("rootfs/etc")).unwrap();
    fs::rename(canary.path("canary.passwd"), canary.path("passwd")).unwrap();
    canary.0.run("pivot --user evil rootfs id").done().is(125).complains_as("pivot");
}

/// CVE-2026-30892 (crun), and what an id of -1 means to setresuid(2).
#[test]
fn a_user_that_is_not_clear_is_refused() {
    let Some(canary) = Canary::new() else { return };
    let passwd = "root:x:0:0::/:/bin/sh\n1000x:x:0:0::/:/bin/sh\ntwice:x:5:5::/:\ntwice:x:0:0::/:\nnegative:x:-1:0::/:\n\
                  huge:x:4294967296:0::/:\nlast:x:4294967295:0::/:\nblank: :0:0::/:\nhex:x:0x0:0::/:\nnul:x:7\0:7::/:\nshort:x:0\n";
    let _ = fs::remove_file(canary.path("rootfs/etc/passwd"));
    canary.0.file("rootfs/etc/passwd", passwd, 0o644);
    let users = [
        "1000x",
        ":",
        "",
        "0:",
        ":0",
        "-1",
        "4294967295",
        "4294967296",
        "+0",
        "00",
        "0x0",
        " 0",
        "0 ",
        "twice",
        "negative",
        "huge",
        "last",
        "hex",
        "nul",
        "short",
        "nobody-there",
        "root\n",
        "../root",
        "0:0:0",
    ];
    each(users, |user| {
        let run = canary.0.run("pivot --user").arg(user).args(["rootfs", "id"]);
        let outcome = run.done().is(125).complains_as("pivot");
        assert_eq!(outcome.text(), "", "{user:?}");
    });
}

/// CVE-2019-14271 (docker cp): the name service of the C library loads its modules from the root it is in.
#[test]
fn nothing_of_the_root_is_loaded_before_the_command() {
    let Some(canary) = Canary::new() else { return };
    for dir in ["lib", "lib64", "lib/x86_64-linux-gnu", "usr/lib"] {
        let _ = fs::create_dir_all(canary.path("rootfs").join(dir));
        for name in ["libnss_files.so.2", "libnss_compat.so.2", "libnss_systemd.so.2", "libc.so.6"] {
            let _ = fs::write(canary.path("rootfs").join(dir).join(name), "evil");
        }
    }
    canary.0.file("rootfs/etc/nsswitch.conf", "passwd: files compat systemd\n", 0o644);
    canary.0.file("rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1234:1234::/:/bin/sh\n", 0o644);
    canary.0.file("rootfs/etc/group", "more:x:77:user\n", 0o644);
    canary.0.file("rootfs/etc/ld.so.preload", "/lib/evil.so\n", 0o644);
    let line = "strace -f -qq -o calls -e trace=open,openat,openat2,execve unshare-rs -pum pivot --confine --user user rootfs id";
    canary.0.run(line).done().is(0);
    let calls = fs::read_to_string(canary.path("calls")).unwrap();
    let switched: Vec<&str> = calls.lines().skip_while(|call| !call.contains("/pivot\"")).collect();
    let ours: Vec<&&str> = switched.iter().take_while(|call| !call.contains("execve(\"/bin/id\"")).collect();
    assert!(ours.iter().any(|call| call.contains("etc/passwd")), "{calls}");
    for call in ours {
        let evil = ["nss", ".so", "locale", "localtime"].into_iter().any(|name| call.contains(name));
        assert!(!evil, "{call}");
    }
}
