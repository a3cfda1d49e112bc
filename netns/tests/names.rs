//! Names and namespaces for real. Each test is a script in a mount namespace of its own with a /run of its own,
//! as root or as root of a user namespace: the names of the machine are never touched.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use std::collections::BTreeSet;
use world::{USER, World, is_root, talk, text};

#[test]
fn names_go_both_ways_with_ip() {
    if !is_root() {
        return;
    }
    let script = "
        netns ls; netns ls --json
        netns add ours; ip netns add theirs
        netns ls; ip netns ls | sort
        ip netns exec ours readlink /proc/self/ns/net; netns exec ours readlink /proc/self/ns/net
        netns exec theirs readlink /proc/self/ns/net; ip netns exec theirs readlink /proc/self/ns/net
        netns del theirs; ip netns del ours
        netns ls; ip netns ls; ls -A /run/netns";
    let out = World::root(script).out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..4], ["ours", "theirs", "ours", "theirs"], "{out}");
    assert!(
        lines.len() == 8 && lines[4] == lines[5] && lines[6] == lines[7] && lines[4] != lines[6],
        "{out}"
    );
}

#[test]
fn the_first_of_ip_is_followed_too() {
    if !is_root() {
        return;
    }
    let out =
        World::root("ip netns add a; netns add b; netns ls; netns del a b; netns ls; ls -A /run/netns").out();
    assert_eq!(out, "a\nb");
}

#[test]
fn json_tells_the_namespace() {
    if !is_root() {
        return;
    }
    let out = World::root("netns add a; netns ls --json; netns exec a stat -Lc %i /proc/self/ns/net").out();
    let (json, inode) = out.split_once('\n').unwrap();
    assert_eq!(json, format!("{{\"inode\":{inode},\"name\":\"a\"}}"));
}

#[test]
fn loopback_is_up() {
    if !is_root() {
        return;
    }
    let up = "grep -c 0001.*lo$ /proc/net/if_inet6";
    assert_eq!(World::root(&format!("netns add a; netns exec a {up}; netns new -- {up}")).out(), "1\n1");
    let raw = World::root(&format!("unshare -n {up} || true")).out();
    assert_eq!(raw, "0", "a new namespace has it up anyway: this test tells nothing");
}

#[test]
fn each_name_is_mounted_once() {
    if !is_root() {
        return;
    }
    let count = "grep -c ' - nsfs ' /proc/self/mountinfo || true";
    let out = World::root(&format!("netns add a; netns add b; {count}; netns del a b; {count}")).out();
    assert_eq!(out, "2\n0");
    let older =
        World::root(&format!("ip netns add a; {count}; netns del a; {count}; ls -A /run/netns")).out();
    assert!(older.ends_with("\n0"), "a name that was mounted twice is not gone: {older}");
    let stacked = "netns add a; mount --bind /proc/self/ns/net /run/netns/a; netns del a; netns ls";
    assert_eq!(World::root(&format!("{stacked}; {count}")).out(), "0");
}

#[test]
fn names_reach_the_mount_namespaces_that_were_there_before() {
    if !is_root() {
        return;
    }
    let script = "
        mkfifo /run/ready /run/go /run/done
        unshare -m --propagation slave sh -c '
            echo >/run/ready; read x </run/go; netns ls
            echo >/run/ready; read x </run/go; netns ls; echo gone' &
        read x </run/ready; netns add early; echo >/run/go
        read x </run/ready; netns del early; echo >/run/go
        wait";
    assert_eq!(World::root(script).out(), "early\ngone");
}

#[test]
fn names_reach_the_mount_namespaces_that_came_after_the_first() {
    if !is_root() {
        return;
    }
    let script = "
        mount --make-private /run; mkfifo /run/ready /run/go
        netns add first
        unshare -m --propagation unchanged sh -c 'echo >/run/ready; read x </run/go; netns ls' &
        read x </run/ready; netns add later; echo >/run/go
        wait";
    assert_eq!(World::root(script).out(), "first\nlater");
}

#[test]
fn a_name_is_given_once() {
    if !is_root() {
        return;
    }
    let output = World::root("netns add a; netns add a").run();
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(
        talk(&output),
        "netns: cannot add a: a network namespace of this name exists\nnetns: hint: `netns del a` removes it\n"
    );
}

#[test]
fn a_file_that_is_just_becoming_a_name_is_not_taken_over() {
    if !is_root() {
        return;
    }
    // At the end of a second, and by a maker who waits for the processor.
    let script = "netns add first; while [ $(date +%N | cut -c 1-2) -lt 97 ]; do :; done; : >/run/netns/a
        (sleep 0.1; mount --bind /proc/self/ns/net /run/netns/a) & netns add a || echo $?; wait";
    let output = World::root(script).run();
    assert_eq!(text(&output.stdout), "125\n", "{}", talk(&output));
    assert!(talk(&output).contains("a network namespace of this name exists"), "{}", talk(&output));
}

#[test]
fn what_a_killed_add_leaves_is_taken_over_and_nothing_else() {
    if !is_root() {
        return;
    }
    let prepare = "netns add x; cd /run/netns; : >stale; chmod 0 stale; echo data >full; mkdir dir; ln -s /no dangling;";
    let script = "
        netns ls
        netns add stale; netns add dangling; netns exec stale true; netns exec dangling true
        netns add full && exit 1; netns add dir && exit 1
        netns ls; cat full
        netns del full dir no-such x stale dangling && exit 1
        netns ls; ls -A";
    let output = World::root(&format!("{prepare} {script}")).run();
    assert_eq!(text(&output.stdout), "x\ndangling\nstale\nx\ndata\ndir\nfull\n", "{}", talk(&output));
    assert_eq!(talk(&output).matches("is there, and no network namespace").count(), 4, "{}", talk(&output));
    assert_eq!(World::root(&format!("{prepare} netns del stale dangling; ls -A")).out(), "dir\nfull\nx");
}

#[test]
fn a_link_to_a_namespace_is_a_name() {
    if !is_root() {
        return;
    }
    let script = "
        netns add x; ln -s /proc/$$/ns/net /run/netns/own
        netns ls; netns exec own stat -Lc %i /proc/self/ns/net; stat -Lc %i /proc/self/ns/net
        netns del own; netns ls";
    let out = World::root(script).out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[..2] == ["own", "x"] && lines[2] == lines[3] && lines[4..] == ["x"], "{out}");
}

#[test]
fn an_add_that_fails_leaves_nothing() {
    if !is_root() {
        return;
    }
    for (spoil, reason) in [
        ("netns add first; umount -l /proc", "cannot bind the namespace to /run/netns/a"),
        ("mount -t tmpfs -o nr_inodes=2 t /run", "cannot make /run/netns/a: No space left on device"),
        ("mount -o remount,bind,ro /run", "cannot make /run/netns: Read-only file system"),
        (": >/run/netns", "cannot open /run/netns: Not a directory"),
    ] {
        let output = World::root(&format!("{spoil}; netns add a || echo $?; ls -A /run/netns/")).run();
        let left = text(&output.stdout).replace("first\n", "");
        assert_eq!(left, "125\n", "{spoil}: {}", talk(&output));
        assert!(talk(&output).contains(reason), "{spoil}: {}", talk(&output));
    }
}

#[test]
fn exec_shows_the_network_of_the_namespace_and_keeps_what_is_mounted_on_sys() {
    if !is_root() {
        return;
    }
    let script = "
        netns add a; netns exec a ip link add only type bridge
        netns exec a ls /sys/class/net | tr '\\n' ' '
        table() { awk '$5 ~ \"^/sys\" { print $5 }' /proc/self/mountinfo | sort; }
        table >/run/before
        netns exec a awk '$5 ~ \"^/sys\" { print $5 }' /proc/self/mountinfo | sort >/run/inside
        cmp /run/before /run/inside
        ls /sys/fs/cgroup >/run/outer; netns exec a ls /sys/fs/cgroup | cmp - /run/outer
        netns exec a sh -c 'mount -t tmpfs t /mnt; echo >/mnt/file'
        table | cmp - /run/before; test ! -e /mnt/file; netns exec a stat -fc %T /sys";
    assert_eq!(World::root(script).out(), "lo only sysfs");
}

#[test]
fn exec_runs_in_each_namespace_as_ip_does() {
    if !is_root() {
        return;
    }
    let script = "ip netns add b; netns add a c; ip netns add 'odd name' 2>/dev/null || true
        for n in a b c; do netns exec $n ip link add in-$n type bridge; done
        netns exec --all -- ls /sys/class/net >/run/ours; ip -all netns exec ls /sys/class/net >/run/theirs
        sort /run/ours >/run/sorted; sort /run/theirs | cmp - /run/sorted; cat /run/ours";
    let out = World::root(script).out();
    let of = |name: &str| format!("\nnetns: {name}\nin-{name}\nlo\n");
    assert_eq!(out, format!("{}{}{}\nnetns: odd name\nlo", of("a"), of("b"), of("c")));
}

#[test]
fn exec_in_all_goes_on_and_gives_the_status_of_the_first_failure() {
    if !is_root() {
        return;
    }
    for (command, status) in [
        ("true", 0),
        (
            "sh -c 'echo $0 >>/run/log; test ! -e /sys/class/net/one || exit 3; test ! -e /sys/class/net/two || exit 4'",
            3,
        ),
        ("no-such-command", 127),
        ("/etc/passwd", 126),
        ("sh -c 'kill -9 $$'", 137),
        // Who ends one of them ends all.
        ("sh -c 'kill -TERM $PPID; exec sleep 9'", 143),
    ] {
        let script = format!(
            "netns add a b c d; netns exec b ip link add one type bridge; netns exec c ip link add two type bridge
            netns exec --all -- {command} >/run/out || echo $?; grep -c ^netns: /run/out"
        );
        let out = World::root(&script).out();
        let count = if status == 143 { 1 } else { 4 };
        let wanted = if status == 0 { format!("{count}") } else { format!("{status}\n{count}") };
        assert_eq!(out, wanted, "{command}");
    }
    let out = World::root("netns exec --all -- true; echo $?; netns exec --all || echo $?").run();
    assert_eq!(text(&out.stdout), "0\n125\n");
    assert!(talk(&out).contains("no command is given"), "{}", talk(&out));
}

#[test]
fn exec_leaves_a_read_only_sys_read_only() {
    if !is_root() {
        return;
    }
    let script = "mount -o remount,bind,ro,nosuid /sys; netns add a; netns exec a grep ' / /sys ' /proc/self/mountinfo";
    assert!(World::root(script).out().contains(" /sys ro,nosuid,"));
}

#[test]
fn exec_puts_the_files_of_the_name_in_place() {
    if !is_root() {
        return;
    }
    let script = "
        mount -t tmpfs t /etc; mkdir -p /etc/netns/a /etc/netns/b; echo outside >/etc/hosts
        echo inside >/etc/netns/a/hosts; echo stray >/etc/netns/a/none
        netns add a; netns add b
        netns exec a cat /etc/hosts; netns exec b cat /etc/hosts; cat /etc/hosts; ls /etc
        rm /etc/netns/a/none; mkdir /etc/dir; echo >/etc/netns/a/dir; netns exec a cat /etc/hosts";
    let output = World::root(script).run();
    assert_eq!(text(&output.stdout), "inside\noutside\noutside\nhosts\nnetns\ninside\n");
    assert_eq!(
        talk(&output),
        "netns: cannot put /etc/netns/a/none in place of /etc/none: No such file or directory; going on without it
netns: cannot put /etc/netns/a/dir in place of /etc/dir: Not a directory; going on without it\n"
    );
}

#[test]
fn statuses_are_the_commands_or_those_of_the_contract() {
    if !is_root() {
        return;
    }
    for (command, status) in [
        ("true", 0),
        ("sh -c 'exit 7'", 7),
        ("sh -c 'kill -TERM $$'", 143),
        ("/etc/passwd", 126),
        ("no-such-program", 127),
        ("/no/such/program", 127),
    ] {
        for verb in ["exec a", "new --"] {
            let out = World::root(&format!("netns add a; netns {verb} {command} || echo $?")).out();
            assert_eq!(out.parse().unwrap_or(0), status, "{verb} {command}");
        }
    }
}

#[test]
fn exec_becomes_the_command_and_hands_on_its_arguments_and_descriptors() {
    if !is_root() {
        return;
    }
    let script = r#"
        netns add a; exec 5</dev/null
        netns exec a printf '%s|' -n 'a b' -- --help; echo
        echo 'ls /proc/$$/fd >/run/$1' >/run/list
        sh /run/list before; netns exec a sh /run/list exec; netns new -- sh /run/list new
        grep -c '^5$' /run/before; cmp /run/before /run/exec; cmp /run/before /run/new"#;
    assert_eq!(World::root(script).out(), "-n|a b|--|--help|\n1");
    let pids = World::root("netns add a; sh -c 'echo $$; exec netns exec a sh -c \"echo \\$\\$\"'").out();
    let (before, after) = pids.split_once('\n').unwrap();
    assert_eq!(before, after);
}

#[test]
fn add_and_del_wait_for_who_holds_the_lock() {
    if !is_root() {
        return;
    }
    let script = "
        netns add a; exec 9<>/run/netns-net/.names; flock 9
        netns add b & add=$!
        netns del a & del=$!
        until grep -q \"FLOCK  ADVISORY  WRITE $add \" /proc/locks; do :; done
        until grep -q \"FLOCK  ADVISORY  WRITE $del \" /proc/locks; do :; done
        netns ls; flock -u 9; wait; netns ls";
    assert_eq!(World::root(script).out(), "a\nb");
}

#[test]
fn ip_is_waited_for_when_it_makes_the_directory_a_mount() {
    if !is_root() {
        return;
    }
    // What `ip netns add` does, with a pause in the middle.
    let script = "
        mkdir /run/netns; exec 9</run/netns; flock 9
        netns add a & until ls -l /proc/$!/fd 2>/dev/null | grep -q ' /run/netns$'; do :; done
        mount --rbind /run/netns /run/netns; mount --make-rshared /run/netns; flock -u 9; wait
        grep -c ' /run/netns ' /proc/self/mountinfo; netns ls; netns del a; ls -A /run/netns";
    assert_eq!(World::root(&format!("mount --make-private /run; {script}")).out(), "1\na");
}

#[test]
fn who_may_only_read_keeps_nobody_waiting() {
    if !is_root() {
        return;
    }
    let hold = format!(
        "pids=; trap 'kill $pids' EXIT; ip link set lo up
        hold() {{ for f; do
            {} flock -F $f sleep 50 & pids=\"$pids $!\"; while flock -n $f true; do :; done
        done; }}",
        USER.join(" ")
    );
    let script = "
        mkdir /run/netns; hold /run/netns
        netns add a; netns net add n; netns new b --net n
        hold /run/netns-net /run/netns-net/n /run/netns-net/n/hosts
        netns add c; netns new d --net n -p 8080:80; netns new --net n -- true; netns net repair; netns gc
        netns ls | cut -d' ' -f1; stat -c %a /run/netns-net/.n* /run/netns-net/n/.lock; netns del a b c d; netns net rm n; netns net ls";
    let output = World::net(&format!("{hold}\n{script}")).run();
    assert_eq!(text(&output.stdout), "a\nb\nc\nd\n600\n600\n600\n", "{}", talk(&output));
    let told = "netns: cannot lock /run/netns: another process holds it; going on without the lock\n";
    assert_eq!(talk(&output), told);
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    if !is_root() {
        return;
    }
    let script = "
        for n in 1 2 3 4 5 6 7 8 9; do netns add n$n & done; wait
        netns ls | wc -l; grep -c ' /run/netns ' /proc/self/mountinfo; grep -c ' - nsfs ' /proc/self/mountinfo
        for n in 1 2 3 4 5 6; do { netns add same 2>/dev/null && echo made; } & done; wait
        for n in 1 2 3 4 5 6; do { netns del same 2>/dev/null && echo gone; } & done; wait
        netns ls | wc -l";
    let out = World::root(script).out();
    assert_eq!(out, "9\n1\n9\nmade\ngone\n9");
}

#[test]
fn kill_9_at_any_moment_leaves_only_what_the_next_add_takes_over() {
    if !is_root() {
        return;
    }
    // The pause is not waited for: it chooses where the kill strikes, from before the first call to after the last,
    // which comes late on a busy machine.
    let mut outcomes = BTreeSet::new();
    let usual = (0..60_u64).map(|round| round * 60);
    let longer = (0..8).map(|round| 5000 << round);
    for microseconds in usual.chain(longer) {
        if microseconds >= 5000 && outcomes.len() == 2 {
            break;
        }
        let script = format!(
            "timeout -s KILL 0.{microseconds:06} netns add a 2>/dev/null || true
            netns ls; netns del a 2>/dev/null || true; netns add a; netns exec a true; netns ls
            grep -c ' - nsfs ' /proc/self/mountinfo"
        );
        let out = World::root(&script.replace("0.000000", "0.000001")).out();
        assert!(out == "a\n1" || out == "a\na\n1", "killed after {microseconds} us: {out}");
        outcomes.insert(out);
    }
    assert_eq!(outcomes.len(), 2, "no kill struck before the end, or all did: {outcomes:?}");
}

#[test]
fn a_user_is_told_what_is_needed() {
    if !is_root() {
        return;
    }
    let user = USER.join(" ");
    for (command, reason, hint) in [
        ("netns add b", "cannot write to /run/netns: Permission denied", "run it as root"),
        ("netns del a", "cannot remove a: Operation not permitted", "run it as root"),
        ("netns exec a true", "cannot enter a: Operation not permitted", "run it as root"),
        (
            "netns new -- true",
            "cannot make a network namespace: Operation not permitted",
            "unshare-rs -Ur netns",
        ),
        ("unshare -Urm netns exec a true", "cannot enter a: Operation not permitted", "was made in another"),
    ] {
        let output = World::root(&format!("netns add a; {user} {command} || echo $?; netns ls")).run();
        assert_eq!(text(&output.stdout), "125\na\n", "{command}: {}", talk(&output));
        assert!(talk(&output).contains(reason), "{command}: {}", talk(&output));
        let hint = if command == "unshare -Urm netns exec a true" { "CAP_SYS_ADMIN" } else { hint };
        assert!(talk(&output).contains(hint), "{command}: {}", talk(&output));
    }
    let first = World::root(&format!("{user} netns add b")).run();
    let talk = talk(&first);
    assert!(talk.starts_with("netns: cannot make /run/netns: Permission denied\n"), "{talk}");
    assert!(talk.contains("`unshare-rs -Urm netns new --pasta -- sh`"), "{talk}");
}

#[test]
fn a_user_has_names_in_a_user_namespace() {
    if !is_root() {
        return;
    }
    let head: Vec<&str> = USER.into_iter().chain(["unshare", "-Urnm"]).collect();
    let script = "
        mount -t tmpfs t /run
        netns add a; ip netns add b; netns ls
        netns exec a cat /sys/class/net/lo/flags; ip netns exec a cat /sys/class/net/lo/flags
        ls /sys/fs/cgroup >/run/outer; netns exec b ls /sys/fs/cgroup | cmp - /run/outer
        netns new -- ls /sys/class/net >/dev/null
        netns del a b; netns ls; ls -A /run/netns";
    assert_eq!(World::new(&head, script).out(), "a\nb\n0x9\n0x9");
}

#[test]
fn the_limit_on_namespaces_is_not_taken_for_a_full_disk() {
    if !is_root() {
        return;
    }
    let head: Vec<&str> = USER.into_iter().chain(["unshare", "-Urm"]).collect();
    let script = "echo 0 >/proc/sys/user/max_net_namespaces; mount -t tmpfs t /run
        netns new -- true || echo $?; netns add a || echo $?; ls -A /run/netns";
    let output = World::new(&head, script).run();
    assert_eq!(text(&output.stdout), "125\n125\n", "{}", talk(&output));
    let reason = "cannot make a network namespace: the limit of 0 network namespaces is reached";
    assert_eq!(talk(&output).matches(reason).count(), 2, "{}", talk(&output));
}
