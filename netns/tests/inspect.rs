//! Names given and told: attach, pids, identify, set, list-id, monitor, and all names at once.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod world;

use world::{World, is_root, talk, text};

#[test]
fn several_names_are_given_at_once_past_those_that_are_taken() {
    if !is_root() {
        return;
    }
    let output =
        World::root("netns add b; netns add a b c || echo $?; netns ls; netns del --all; netns ls").run();
    assert_eq!(text(&output.stdout), "125\na\nb\nc\n", "{}", talk(&output));
    assert!(talk(&output).starts_with("netns: cannot add b: a network namespace of this name exists"));
}

#[test]
fn all_names_go_at_once_odd_ones_too() {
    if !is_root() {
        return;
    }
    let script = "netns del --all; netns add a; ip netns add 'b c'; ip netns add -x; : >/run/netns/stray
        netns ls; netns del --all; ls -A /run/netns";
    assert_eq!(World::root(script).out(), "-x\na\nb c\nstray");
    let both = World::root("netns add a; netns del --all a || echo $?; netns ls").run();
    assert_eq!(text(&both.stdout), "125\na\n", "{}", talk(&both));
}

#[test]
fn a_process_gives_its_namespace_a_name() {
    if !is_root() {
        return;
    }
    let script = "
        netns attach own $$; ip netns exec own true
        netns exec own stat -Lc %i /proc/self/ns/net; stat -Lc %i /proc/self/ns/net
        netns attach again /run/netns/own; netns attach other /proc/$$/ns/net; netns ls | tr '\\n' ' '";
    let out = World::net(script).out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0] == lines[1] && lines[2] == "again other own", "{out}");
}

#[test]
fn what_is_no_network_namespace_gets_no_name() {
    if !is_root() {
        return;
    }
    for (target, reason) in [
        ("4194305", "cannot attach to 4194305: there is no such process"),
        ("/proc/self/ns/uts", "it is no network namespace"),
        ("/etc/passwd", "it is no network namespace"),
        ("/no/such", "No such file or directory"),
        ("word", "it is neither the number of a process nor a file"),
    ] {
        let output = World::root(&format!("netns attach a {target} || echo $?; ls -A /run")).run();
        assert!(text(&output.stdout).starts_with("125\n"), "{target}: {}", talk(&output));
        assert!(talk(&output).contains(reason), "{target}: {}", talk(&output));
        assert!(!text(&output.stdout).contains("netns/a"), "{target}");
    }
    let taken = World::root("netns add a; netns attach a $$ || netns ls").run();
    assert_eq!(text(&taken.stdout), "a\n");
    assert!(talk(&taken).contains("cannot add a: a network namespace of this name exists"));
}

#[test]
fn all_names_of_a_namespace_are_told() {
    if !is_root() {
        return;
    }
    let script = "
        netns identify || echo $?; netns identify --json || echo $?
        netns attach b $$; netns attach a $$; netns add c
        netns identify; netns identify $$; netns identify --json $$; netns exec c netns identify
        netns identify 4194305 || echo $?";
    let output = World::net(script).run();
    let out = "1\n1\na\nb\na\nb\n{\"name\":\"a\"}\n{\"name\":\"b\"}\nc\n125\n";
    assert_eq!(text(&output.stdout), out, "{}", talk(&output));
    assert!(talk(&output).contains("of 4194305: there is no such process"), "{}", talk(&output));
}

#[test]
fn pids_are_those_that_ip_finds_and_threads_count() {
    if !is_root() {
        return;
    }
    let script = "
        netns add a; mkfifo /run/end
        exec 3<>/run/end
        for i in 1 2; do netns exec a sh -c 'read x' </run/end 3>&- & done
        until [ \"$(netns pids a --json | grep -c '\"command\":\"sh\"')\" = 2 ]; do :; done
        netns pids a >/run/ours; ip netns pids a | sort -n | cmp - /run/ours
        wc -l </run/ours
        exec 3>&-; wait; netns pids a";
    assert_eq!(World::root(script).out(), "2");
    let python = "import ctypes, os, threading, time
def inside():
    assert ctypes.CDLL(None).setns(os.open('/run/netns/a', os.O_RDONLY), 0) == 0
    os.write(1, b'ready\\n'); time.sleep(60)
threading.Thread(target=inside, daemon=True).start(); time.sleep(60)";
    let script = format!(
        "netns add a; mkfifo /run/ready; python3 -c \"{python}\" >/run/ready & read x </run/ready
         netns pids a | grep -cx $!; kill $!"
    );
    assert_eq!(World::root(&script).out(), "1");
}

#[test]
fn numbers_are_those_that_ip_knows() {
    if !is_root() {
        return;
    }
    let script = "
        netns add a b c; netns set a 7; netns set a 7; netns set b auto; netns set b auto
        netns ls | tr '\\n' ' '; echo; netns ls --json | grep -c '\"id\":7'
        netns list-id >/run/ours; ip netns list-id | cmp - /run/ours; cat /run/ours
        netns list-id nsid 7; netns list-id --json nsid 7
        netns exec a ip netns set b 3; netns list-id target-nsid 7
        ip netns list-id target-nsid 7";
    let out = World::net(script).out();
    let wanted = "a (id: 7) b (id: 0) c \n1
nsid 0 (iproute2 netns name: b)\nnsid 7 (iproute2 netns name: a)
nsid 7 (iproute2 netns name: a)\n{\"name\":\"a\",\"nsid\":7}
nsid 3 current-nsid 0 (iproute2 netns name: b)\nnsid 3 current-nsid 0 (iproute2 netns name: b)";
    assert_eq!(out, wanted);
}

#[test]
fn a_number_is_given_once() {
    if !is_root() {
        return;
    }
    for (line, reason) in [
        ("netns set a 8", "cannot give a the number 8: it has the number 7"),
        ("netns set b 7", "cannot give b the number 7: another namespace has it"),
        ("netns set none 1", "cannot find none: no such network namespace"),
        ("netns set a -1", "no such option"),
        ("netns set a x", "it is neither a number from 0 to 2147483647 nor auto"),
        ("netns list-id nsid 9", "cannot find the number 9: Peer netns reference is invalid"),
        ("netns list-id nsid", "cannot use nsid: its value is missing"),
        ("netns list-id id 1", "the words are target-nsid, nsid"),
    ] {
        let output = World::net(&format!("netns add a b; netns set a 7; {line} || echo $?")).run();
        assert_eq!(text(&output.stdout), "125\n", "{line}: {}", talk(&output));
        assert!(talk(&output).contains(reason), "{line}: {}", talk(&output));
    }
}

#[test]
fn a_name_can_be_used_when_its_coming_is_told() {
    if !is_root() {
        return;
    }
    let script = "
        netns add before; mkfifo /run/told; netns monitor >/run/told & monitor=$!; trap 'kill $monitor' EXIT; exec 3</run/told
        until grep -q inotify /proc/$monitor/fdinfo/*; do :; done
        for name in a b c; do
            ip netns add $name & added=$!
            read event told <&3; echo $event $told; netns exec $told true; wait $added
        done
        : >/run/netns/stray; rm /run/netns/stray; netns del before; ip netns del a
        read event told <&3; echo $event $told; read event told <&3; echo $event $told";
    assert_eq!(World::root(script).out(), "add a\nadd b\nadd c\ndelete before\ndelete a");
}
