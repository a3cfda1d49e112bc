//! Whose mount namespace it is: a caller's mounts are never touched.

use crate::Canary;
use std::fs;

/// What names the namespaces of a process, as the link before pivot would.
const TELL: &str = "export CHAIN_NS=$(stat -Lc %i /proc/self/ns/mnt):$(stat -Lc %i /proc/self/ns/pid)";

#[test]
fn a_stale_word_about_the_mount_namespace_is_not_believed() {
    let Some(canary) = Canary::new() else { return };
    let compare = "cat /proc/self/mountinfo >before; pivot rootfs true; cat /proc/self/mountinfo >after; cmp before after";
    for line in ["unshare -m sh -ec", "unshare -pmf sh -ec", "unshare -m unshare -pf sh -ec"] {
        canary.0.run(line).arg(format!("{TELL}; {compare}")).done().is(0).quiet();
    }
    let others = format!(
        "{TELL}; sleep 20 & cat /proc/$!/mountinfo >before; exec pivot rootfs cat /proc/$!/mountinfo"
    );
    let seen = canary.0.run("unshare -pmf --mount-proc sh -ec").arg(others).done().is(0).text();
    assert_eq!(seen, fs::read_to_string(canary.path("before")).unwrap().trim_end());
}

#[test]
fn a_true_word_saves_the_second_mount_namespace() {
    let Some(canary) = Canary::new() else { return };
    let calls = |line: &str| {
        canary
            .0
            .run(&format!("strace -f -qq -o calls -e trace=unshare {line} pivot rootfs true"))
            .done()
            .is(0);
        fs::read_to_string(canary.path("calls")).unwrap().matches("CLONE_NEWNS").count()
    };
    assert_eq!(calls("unshare-rs -pm"), 0);
    assert_eq!(calls("unshare-rs -m"), 2);
    assert_eq!(calls("unshare-rs -pm --propagation unchanged"), 0);
    assert_eq!(calls("env CHAIN_NS=1:2"), 1);
}

#[test]
fn the_callers_mounts_stay_as_they_are_even_when_shared() {
    let Some(canary) = Canary::new() else { return };
    let script = "mount --make-rshared /; mount -t tmpfs x rootfs/tmp; cat /proc/self/mountinfo >before
        for link in '' 'unshare-rs -m' 'unshare-rs -pm' 'unshare-rs -pm --propagation unchanged'; do
            $link pivot --tmpfs /tmp/deeper --bind /etc:/etc --ro rootfs true; done
        cat /proc/self/mountinfo >after; cmp before after; umount rootfs/tmp";
    canary.0.run("unshare -m sh -ec").arg(script).done().is(0).quiet();
}

/// At whatever moment it dies, its mounts die with it: the caller's table is as it was.
#[test]
fn killed_at_any_moment_it_leaves_no_mount() {
    let Some(canary) = Canary::new() else { return };
    let table = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let of_ours =
        |table: &str| table.lines().filter(|line| line.contains(canary.0.dir().to_str().unwrap())).count();
    let mut before_the_command = 0;
    for round in 0..150_u64 {
        let link = ["unshare-rs -pum pivot", "pivot"][(round % 2) as usize];
        let job = canary
            .0
            .run(&format!("{link} --tmpfs /tmp/a --bind /etc:/tmp/b rootfs sh -c"))
            .arg("echo ran; exec probe hold")
            .start();
        match round % 10 {
            // On a busy machine it comes to this later than any time that could be given here.
            9 => drop(job.until("ran")),
            _ => std::thread::sleep(std::time::Duration::from_micros(round * 97 % 9000)),
        }
        before_the_command += u32::from(!job.text().contains("ran"));
        job.signal(nix::sys::signal::Signal::SIGKILL);
        job.done().is(-9);
        assert_eq!(of_ours(&table()), 0, "{}", table());
    }
    tests::eventually("all have died", || canary.0.marker().processes().is_empty());
    assert!((1..150).contains(&before_the_command), "all were killed on one side: {before_the_command}");
    canary.is_alive();
}
