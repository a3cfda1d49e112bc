//! `box exec`: in the box, and with no more power than it has.

use crate::world::{SHELLS, World};
use tests::each;

/// What the kernel says of a process's rights.
const RIGHTS: &str = "grep -E '^(Cap...|NoNewPrivs|Seccomp|Groups):' /proc/self/status";

#[test]
fn another_command_is_in_the_group_the_namespaces_and_the_confinement_of_the_box() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let look = format!(
            "{RIGHTS}; cat /proc/self/cgroup; for n in /proc/self/ns/*; do readlink $n; done; cat /proc/self/limits; umask"
        );
        for words in ["", "-u nobody", "--init", "-t", "-t --init", "--cap-drop all", "--privileged"] {
            let line = format!("run --net none -d --name same {words} small sh -c");
            let run = world.behind("prlimit --nofile=70:90 --nproc=3000 --core=5", &line);
            run.arg(format!("{look}; echo done; exec sleep 60")).done().is(0).quiet();
            world.until_log("same", "done");
            let own = world.boxed("logs same").done().is(0).text().replace('\r', "");
            let other = world.boxed("exec same sh -c").arg(&look).done().is(0).quiet().text();
            assert_eq!(own.trim_end_matches("done").trim_end(), other, "{words}");
            world.boxed("rm -f same").done().is(0).quiet();
        }
    });
}

#[test]
fn what_the_box_may_not_do_the_other_command_may_not_do() {
    let Some(world) = World::dash() else { return };
    world.start("jail", "exec sleep 60");
    for script in [
        "mount -t tmpfs none /tmp",
        "mknod /tmp/null c 1 3",
        "hostname other",
        "unshare -U true",
        "chroot / true && echo 1 >/proc/sys/kernel/hostname",
    ] {
        let inside = world.boxed("exec jail sh -c").arg(script).done();
        assert_ne!(inside.status, 0, "{inside}");
        let root = world.boxed("exec -u 0 jail sh -c").arg(script).done();
        assert_ne!(root.status, 0, "{root}");
    }
    world.boxed("exec --privileged jail mount -t tmpfs none /tmp").done().is(0).quiet();
}

#[test]
fn its_user_variables_and_directory_can_be_chosen() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.run("-d --name who -e GREETING=hi -w /tmp small sleep 60").done().is(0).quiet();
        let tells = |words: &str, script: &str| {
            world.boxed(&format!("exec {words} who sh -c")).arg(script).done().is(0).quiet().text()
        };
        assert_eq!(tells("", "id -u; pwd; echo $GREETING"), "0\n/tmp\nhi");
        assert_eq!(
            tells("-u nobody -w /etc -e GREETING=bye", "id -un; pwd; echo $GREETING"),
            "nobody\n/etc\nbye"
        );
        assert_eq!(tells("-u 5:7", "id -u; id -g; echo $HOME"), "5\n7\n/");
        let run = world.boxed("exec -e CALLERS -e NONE who sh -c").arg("echo $CALLERS${NONE+none}");
        assert_eq!(run.env("CALLERS", "it's mine").done().is(0).text(), "it's mine");
        world.boxed("exec -w etc who true").done().is(125).complains_as("box");
        world.boxed("exec -e =2 who true").done().is(125).complains_as("box");
        assert_eq!(world.boxed("exec -i who cat").stdin(b"typed").done().is(0).text(), "typed");
        assert_eq!(world.boxed("exec who cat").stdin(b"typed").done().is(0).text(), "");
        world.boxed("exec who sh -c").arg("exit 9").done().is(9).quiet();
        world.boxed("exec who nosuch").done().is(127).complains_as("nsenter-rs");
        world.boxed("exec -u nosuch who true").done().is(125).complains_as("nsenter-rs");
        world.boxed("exec -d who sh -c").arg("echo there >/tmp/there").done().is(0).quiet();
        world.boxed("exec who sh -c").arg("until [ -s /tmp/there ]; do sleep 0.01; done").done().is(0);
    });
}

#[test]
fn root_of_the_box_has_what_its_root_could_have_and_no_more() {
    let Some(world) = World::dash() else { return };
    world.run("-d --name user -u nobody small sleep 60").done().is(0).quiet();
    let caps = |words: &str| {
        let script = "grep CapEff /proc/self/status";
        world.boxed(&format!("exec {words} user sh -c")).arg(script).done().is(0).quiet().text()
    };
    assert_eq!(caps(""), "CapEff:\t0000000000000000");
    assert_eq!(caps("-u root"), "CapEff:\t00000000800405fb");
}

#[test]
fn a_box_that_does_not_run_is_told() {
    let Some(world) = World::dash() else { return };
    world.run("--name ended small true").done().is(0);
    world.boxed("exec ended true").done().is(125).says("it is exited").says("box start ended");
    world.boxed("exec small true").done().is(125).says("there is none");
}
