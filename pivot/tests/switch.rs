//! Leaving the old root from wherever that is: a chroot, another container, the kernel's initial file system.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use tests::tools::{bin, workspace};
use tests::{Sandbox, each};

/// A sandbox with a root `jail` that holds the tools and another root, `inner`; beside it lies a canary.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?;
    furnish(&sandbox);
    Some(sandbox)
}

fn furnish(sandbox: &Sandbox) {
    sandbox.make_root("jail");
    sandbox.make_root("jail/inner");
    for tool in ["pivot", "unshare-rs"] {
        tests::program::copy(bin(tool), sandbox.path("jail/bin").join(tool));
    }
    sandbox.file("canary", "alive", 0o644);
    sandbox.file("jail/canary", "alive", 0o644);
}

/// Ways back that root has: the root of its mount namespace, `..` above a root of a chroot in the chroot, `/` again
/// when what lies over it is unmounted. Nothing of them may show more than the new root does.
const WAYS: &str = "nsenter -t 1 -m ls / >seen
    probe=$(find / -xdev -name canary); test -z \"$probe\" || echo found $probe
    grep -E 'bin|inner|canary|home|usr' seen | tr '\\n' ' '; wc -l </proc/self/mountinfo
    ls / | diff - seen && echo same";

#[test]
fn nothing_leads_back_from_a_chroot() {
    let Some(sandbox) = sandbox() else { return };
    let prepare = "mount -t proc proc jail/proc; mount --bind /dev jail/dev";
    let rows = [
        // The root is no mount point, and nothing on the way is private.
        "mount --make-rshared /",
        "true",
        "mount --bind jail jail",
        "mount --make-rshared /; mount --bind jail jail",
    ];
    let bound = "--bind /bin:/outer/bin";
    each(rows, |row| {
        for root in ["/inner", &format!("{bound} /inner"), "--layer /inner"] {
            let script = format!(
                "{row}; {prepare}; cat /proc/self/mountinfo >before
                chroot jail unshare-rs -pm --propagation unchanged pivot {root} sh -c \"$1\"
                cat /proc/self/mountinfo >after; cmp before after"
            );
            let outcome = sandbox.run("unshare -m sh -ec").args([&script, "sh", WAYS]).done().is(0).quiet();
            let text = outcome.text();
            assert!(
                text.ends_with("same") && !text.contains("found") && !text.contains("inner"),
                "{outcome}"
            );
        }
    });
}

#[test]
fn paths_are_those_of_the_chroot() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("jail/tmp/sub")).unwrap();
    sandbox.file("jail/tmp/sub/file", "bound", 0o644);
    let script = "chroot jail sh -c 'cd /tmp; pivot --bare --bind sub:/tmp --bind /canary:/c ../inner cat /tmp/file /c'";
    assert_eq!(sandbox.shell(script).done().is(0).quiet().text(), "boundalive");
}

#[test]
fn without_the_right_to_chroot_it_is_refused_there_and_works_elsewhere() {
    let Some(sandbox) = sandbox() else { return };
    let line = "setpriv --bounding-set=-sys_chroot --inh-caps=-sys_chroot";
    sandbox.run(&format!("{line} pivot jail/inner true")).done().is(0).quiet();
    let chrooted = "strace -f -qq -o /dev/null -e trace=setns -e inject=setns:error=EPERM chroot jail";
    let outcome =
        sandbox.run(&format!("{chrooted} pivot --bare /inner true")).done().is(125).complains_as("pivot");
    outcome.says("this process was put into a chroot");
}

#[test]
fn whoever_is_nobody_in_the_user_namespace_is_told() {
    let Some(sandbox) = sandbox() else { return };
    let maps = "unshare-rs -Upm --map-users 0:100000:10 --map-groups 0:100000:10";
    let line = |options: &str| sandbox.run(&format!("{maps} {options} pivot --bare rootfs true")).done();
    line("")
        .is(125)
        .complains_as("pivot")
        .says("cannot make the mounts private: Operation not permitted")
        .says("-S 0 -G 0");
    line("-S 0 -G 0").is(0).quiet();
}

#[test]
fn it_works_inside_other_containers() {
    let Some(root) = sandbox() else { return };
    let user = Sandbox::user();
    furnish(&user);
    let inner = "pivot --layer /inner --tmpfs /new --bind /bin:/bin /bin/true";
    let outer = [
        "unshare-rs -pm pivot jail",
        "pivot --layer jail",
        "unshare-rs -pm pivot --layer jail",
        "bwrap --bind jail / --proc /proc --dev /dev --cap-add ALL",
        "unshare-rs -Urpm pivot jail",
        "unshare-rs -Urpm pivot --layer jail",
    ];
    let links = ["pivot --bare /inner true", "unshare-rs -pm pivot /inner true", inner];
    each([&root, &user], |sandbox| {
        let rows = outer.iter().filter(|line| std::ptr::eq(sandbox, &raw const root) || line.contains("-U"));
        each(rows, |line| {
            // The hidden parts of /proc keep a further user namespace from having one of its own.
            let further = "unshare-rs -Urm pivot --bare --layer /inner true";
            let further = Some(further).filter(|_| line.contains("proc") || line.contains("-pm"));
            for link in links.into_iter().chain(further) {
                sandbox.run(&format!("{line} {link}")).done().is(0).quiet();
            }
        });
    });
}

#[test]
fn it_works_inside_itself() {
    let Some(sandbox) = sandbox() else { return };
    let line = "unshare-rs -pm pivot --bind rootfs:/inner/in jail pivot /inner sh -c";
    let text = sandbox.run(line).arg("echo $$; ls -d /in/bin; test -c /dev/null").done().is(0).text();
    assert_eq!(text, "1\n/in/bin");
}

/// An initial file system is a root that can neither be replaced nor detached, pivot_root(2).
#[test]
fn an_initial_file_system_is_covered_with_a_warning() {
    if !Path::new("/usr/bin/linux.uml").exists() {
        return tests::skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    let Some(sandbox) = sandbox() else { return };
    let script = "cat /proc/self/mountinfo >/before
        for root in /inner '--layer /inner' '--bind /bin:/inner/new /inner' '--ro --layer /inner'; do
            unshare-rs -pm pivot $root sh -c 'ls -d /canary /host /init* /guest 2>/dev/null; echo $$ $PWD
                ls / | grep -v seen; nsenter -t 1 -m ls / | grep -v seen; tr -s \" \" \"\\n\" </proc/self/mountinfo | grep -c hostfs'
            chroot / pivot --bare $root true
        done >/out
        unshare-rs -pm pivot /inner sleep 60 &
        until pid=$(pidof sleep); do :; done
        nsenter -t $pid -m umount -l /
        nsenter -t $pid -m sh -c 'echo uncovered $(cat /canary) $(ls -A /host /proc /sys | grep -v : | grep -c .)'
        kill -9 $pid; wait
        cat /proc/self/mountinfo >/after; cmp /before /after; grep -c . /before; cat /canary
        sort /out | uniq -c | sed 's/^ *//'";
    let mut command = Command::new(workspace().join("tests/uml/run"));
    command.args(["-t", "600", "-r"]).arg(sandbox.path("jail")).args(["--", "sh", "-c", script]);
    let done = command.output().unwrap();
    let (text, talk) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{text}{talk}");
    assert!(text.contains("alive") && text.contains("4 1 /\n"), "{text}{talk}");
    assert!(text.contains("4 0\n"), "a mount of the host is seen: {text}");
    // What the page warns of, and no more than that.
    assert!(text.contains("uncovered alive 0\n"), "{text}");
    for hidden in ["/canary", "/host", "/guest"] {
        assert!(!text.lines().any(|line| line.ends_with(hidden)), "{hidden} is seen: {text}");
    }
    let warnings =
        talk.lines().filter(|line| line.starts_with("pivot: warning: the root is the kernel's initial file"));
    assert_eq!(warnings.count(), 9, "{talk}");
    assert_eq!(talk.lines().count(), 9, "{talk}");
}
