//! What the new namespaces are like, and that the old ones stay as they were.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use tests::{Sandbox, leak};

fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim_end().to_owned()
}

#[test]
fn every_kind_is_new_when_asked_for_and_only_then() {
    let Some(sandbox) = Sandbox::root() else { return };
    let table = [
        ("-m", "mnt"),
        ("-u", "uts"),
        ("-i", "ipc"),
        ("-n", "net"),
        ("-p", "pid"),
        ("-U", "user"),
        ("-C", "cgroup"),
        ("-fT", "time"),
    ];
    for (option, asked) in table {
        let mut report = sandbox.run(&format!("unshare-rs {option} probe report")).done().is(0).json();
        for (_, kind) in table {
            let inside = report["namespaces"][kind].take();
            let outside = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            assert_eq!(inside != outside.to_str().unwrap(), kind == asked, "{option}: {kind}");
        }
    }
}

#[test]
fn one_namespace_option_costs_one_call_and_a_child_at_most() {
    let Some(sandbox) = Sandbox::root() else { return };
    let trace = |options: &str| {
        let line = format!(
            "strace -f -qq -o calls -e trace=unshare,clone,clone3,fork,vfork unshare-rs {options} /bin/true"
        );
        sandbox.run(&line).done().is(0);
        fs::read_to_string(sandbox.path("calls")).unwrap().lines().count()
    };
    assert_eq!(trace("-muinpC"), 1);
    assert_eq!(trace("-muinC"), 1);
}

#[test]
fn the_loopback_interface_is_up() {
    for sandbox in [Sandbox::root(), Some(Sandbox::user())].into_iter().flatten() {
        let flags = sandbox.run("unshare-rs -rn cat /sys/class/net/lo/flags").done();
        let text = sandbox.run("unshare-rs -rn ip -o link show lo").done().is(0).text();
        assert!(text.contains("LOOPBACK,UP"), "{text} {flags}");
    }
}

#[test]
fn a_host_name_is_set_inside_only() {
    let Some(sandbox) = Sandbox::root() else { return };
    let before = hostname();
    assert_eq!(
        sandbox.run("unshare-rs --hostname inside.example hostname").done().is(0).text(),
        "inside.example"
    );
    assert_eq!(hostname(), before);
}

#[test]
fn mounts_inside_stay_inside_unless_shared() {
    let Some(sandbox) = Sandbox::root() else { return };
    fs::create_dir(sandbox.path("point")).unwrap();
    sandbox.run("unshare-rs -m mount -t tmpfs none point").done().is(0);
    assert!(leak::mounts_below(sandbox.dir()).is_empty());

    let propagation = |mode: &str| {
        // Forked: the outer namespace must live on for there to be anybody to share with.
        let line = "unshare -m --propagation shared unshare-rs -fm --propagation";
        let options =
            sandbox.run(line).arg(mode).args(["sh", "-c", "grep ' / / ' /proc/self/mountinfo"]).done();
        options.is(0).text().split(' ').nth(6).unwrap().split(':').next().unwrap().to_owned()
    };
    assert_eq!(propagation("private"), "-");
    assert_eq!(propagation("slave"), "master");
    assert_eq!(propagation("unchanged"), "shared");
    assert_eq!(propagation("shared"), "shared");
}

#[test]
fn proc_shows_the_new_pid_namespace() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = sandbox.run("unshare-rs -p --mount-proc probe report").done().is(0).json();
    assert_eq!(report["processes"], serde_json::json!([1]));
    sandbox.run("unshare-rs -p --mount-proc=/no/such/dir true").done().is(125).complains_as("unshare-rs");
}

#[test]
fn ids_are_mapped_as_asked() {
    let Some(sandbox) = Sandbox::root() else { return };
    let map = |options: &str, file: &str| {
        let text =
            sandbox.run(&format!("unshare-rs {options} cat /proc/self/{file}")).done().is(0).quiet().text();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(map("-r", "uid_map"), "0 0 1");
    assert_eq!(map("-U", "uid_map"), "");
    assert_eq!(map("-r --map-users 0:100000:5", "uid_map"), "0 0 1 1 100000 4");
    assert_eq!(map("-f --map-users 5:7:2 --map-users 100000,0,3", "uid_map"), "5 7 2 0 100000 3");
    assert_eq!(map("--map-groups 5:7:2", "gid_map"), "5 7 2");
    assert_eq!(map("--map-users all", "uid_map"), "0 0 4294967295");
    assert_eq!(map("-r", "setgroups"), "allow");
}

#[test]
fn a_user_maps_himself_and_nobody_else() {
    let sandbox = Sandbox::user();
    assert_eq!(sandbox.run("unshare-rs -r id -u").done().is(0).quiet().text(), "0");
    assert_eq!(sandbox.run("unshare-rs -fr id -g").done().is(0).quiet().text(), "0");
    assert_eq!(sandbox.run("unshare-rs -r cat /proc/self/setgroups").done().is(0).text(), "deny");
    for options in ["--map-users 0:0:2", "-f --map-users 0:0:2", "--map-users auto", "--map-groups 0:0:2"] {
        sandbox.run(&format!("unshare-rs {options} true")).done().is(125).complains_as("unshare-rs");
    }
}

#[test]
fn delegated_ranges_go_through_newuidmap() {
    let Some(sandbox) = Sandbox::root() else { return };
    let user = 64_322;
    // Private copies of the files: the machine's own are not touched.
    sandbox.file("subids", format!("{user}:200000:1000\n"), 0o644);
    sandbox.file("passwd", format!("root:x:0:0::/:/bin/sh\nann:x:{user}:{user}::/:/bin/sh\n"), 0o644);
    let script = format!(
        "mount --bind subids /etc/subuid; mount --bind subids /etc/subgid; mount --bind passwd /etc/passwd
         exec setpriv --reuid {user} --regid {user} --clear-groups \
             unshare-rs --map-users auto --map-groups auto cat /proc/self/uid_map /proc/self/gid_map"
    );
    let maps = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0).quiet().text();
    assert_eq!(maps.split_whitespace().collect::<Vec<_>>(), ["0", "200000", "1000", "0", "200000", "1000"]);
}

#[test]
fn a_kept_namespace_outlives_its_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    for (option, kind) in [("-n", "net"), ("-fu", "uts"), ("-i", "ipc"), ("-C", "cgroup"), ("-U", "user")] {
        let script = format!(
            "unshare-rs {option}=kept readlink /proc/self/ns/{kind} >first
             nsenter --{kind}=kept --preserve-credentials readlink /proc/self/ns/{kind} >second
             cmp first second; umount kept; rm kept"
        );
        sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0);
    }
}

#[test]
fn pid_time_and_mount_namespaces_can_be_kept_too() {
    let Some(sandbox) = Sandbox::root() else { return };
    // A kept pid namespace lives as long as its PID 1.
    let script = "unshare-rs -p=kept sleep 1000 & link=$!
        until nsenter-rs --pid=kept true 2>/dev/null; do :; done
        nsenter-rs --pid=kept sh -c 'kill -0 1 && test $$ -gt 1'
        kill $link; wait $link || test $? = 143
        umount kept; rm kept";
    sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0);
    let script = "unshare-rs -fT=kept --boottime 300000000 true
        nsenter --time=kept cut -c1-3 /proc/uptime; umount kept; rm kept";
    assert_eq!(sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0).text(), "300");
    // Linux 6.18 numbers namespaces per processor, and takes one made on another for a loop: on the same it works.
    let script = "mkdir own; mount --bind own own; mount --make-private own
        taskset 1 unshare-rs -m=own/kept sh -c 'mount -t tmpfs -o size=4k none /mnt; echo >/mnt/inside'
        nsenter --mount=own/kept test -e /mnt/inside; umount own/kept; umount own";
    sandbox.run("taskset 1 unshare-rs -m sh -euc").arg(script).done().is(0);
}

#[test]
fn what_cannot_be_kept_leaves_nothing() {
    let Some(sandbox) = Sandbox::root() else { return };
    for options in ["-n=net -m=mnt", "-fn=net -m=mnt"] {
        let line = format!("unshare -m --propagation shared unshare-rs {options} true");
        sandbox.run(&line).done().is(125).complains_as("unshare-rs").says("private mount");
        assert!(!sandbox.path("net").exists() && !sandbox.path("mnt").exists(), "{options}");
    }
}

#[test]
fn the_next_link_is_told_of_a_fresh_mount_namespace_truly() {
    let Some(sandbox) = Sandbox::root() else { return };
    let text = sandbox
        .run("unshare-rs -pm sh -c")
        .arg("echo $CHAIN_NS; stat -Lc %i /proc/self/ns/mnt")
        .done()
        .text();
    let (told, is) = text.split_once('\n').unwrap();
    assert_eq!(told.split(':').next(), Some(is));
    for options in ["-m", "-p", "-f"] {
        let text =
            sandbox.run(&format!("unshare-rs {options} sh -c")).arg("echo .$CHAIN_NS").done().is(0).text();
        assert_eq!(text, ".", "{options}");
    }
}

#[test]
fn a_refusal_names_the_cause_and_the_cure() {
    let user = Sandbox::user();
    user.run("unshare-rs -p true").done().is(125).complains_as("unshare-rs").says("add -Ur");
    let Some(root) = Sandbox::root() else { return };
    let limited = |limit: &str, options: &str| {
        let script = format!("echo 0 >/proc/sys/user/{limit}; exec unshare-rs {options} true");
        root.run("unshare-rs -r sh -c").arg(script).done().is(125).complains_as("unshare-rs")
    };
    limited("max_net_namespaces", "-mn").says("the limit user.max_net_namespaces is 0");
    limited("max_user_namespaces", "-U").says("sysctl -w user.max_user_namespaces=");
    root.run("unshare-rs -r unshare-rs --map-users 0:5:1 true").done().is(125).complains_as("unshare-rs");
    root.run("setpriv --bounding-set -sys_admin --inh-caps -sys_admin unshare-rs -f unshare-rs -u true")
        .done()
        .is(125)
        .complains_as("unshare-rs")
        .says("CAP_SYS_ADMIN");
    fs::create_dir(root.path("rootfs/new")).unwrap();
    tests::program::copy(tests::bin("unshare-rs"), root.path("rootfs/bin/unshare-rs"));
    root.run("unshare-rs -m chroot rootfs unshare-rs -U true").done().is(125).says("inside a chroot");
    root.run("unshare-rs -m chroot rootfs unshare-rs -m true").done().is(125).says("--propagation unchanged");
    root.run("unshare-rs -m chroot rootfs unshare-rs -m --propagation unchanged true").done().is(0).quiet();
}

#[test]
fn a_limit_on_depth_and_a_masked_proc_are_told() {
    let Some(root) = Sandbox::root() else { return };
    let script = "for n in 1 2 3 4 5 6 7 8; do set -- unshare-rs -r unshare-rs -r unshare-rs -r unshare-rs -r unshare-rs -r \"$@\"; done; exec \"$@\" true";
    root.shell(script)
        .done()
        .is(125)
        .complains_as("unshare-rs")
        .says("32 user or pid namespaces inside each other");
    let script = "mount -t tmpfs none /proc/fs; exec unshare-rs -Urp --mount-proc true";
    root.run("unshare-rs -pm --mount-proc sh -euc").arg(script).done().is(125).says("has masked");
}
