//! The network of a box, and its absence.

use crate::world::{SHELLS, World};
use tests::each;

#[test]
fn boxes_are_hosts_of_one_network_with_published_ports() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let script = "
            box run -d --name web -p 8080:80 small sh -c 'echo hello >/page; exec httpd -f -p 80 -h /'
            netns wait $(cat $BOX_RUN/web/pid) 80
            busybox wget -q -O - http://127.0.0.1:8080/page
            box run --rm small wget -q -O - http://web/page
            box run -d --name other -p 8080:80 small true || echo refused $?
            box rm -f web
            box run --rm -p 8080:80 small sh -c 'ip addr show eth0 | grep -c inet'";
        let done = world.script(script).done().is(0);
        assert_eq!(done.text().lines().skip(1).collect::<Vec<_>>(), ["hello", "hello", "refused 125", "3"]);
        world.is_empty();
    });
}

#[test]
fn a_box_that_is_killed_gives_its_ports_and_its_name_back() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let script = "
            box run -d --name other --net box small sleep 60
            for way in 'kill web' 'rm -f web' 'stop -t 0 web' 'pause web; box kill web' 'pause web; box rm -f web'; do
                box run -d --name web -p 8080:80 small sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >/dev/null
                nft list ruleset | grep -q 8080 && grep -qw web /run/netns-net/box/hosts
                eval box $way
                if nft list ruleset | grep 8080 || grep -w web /run/netns-net/box/hosts; then echo left by $way; fi
                box rm -f web 2>/dev/null || :
            done
            box rm -f other";
        let done = world.script(script).limit(60).done().is(0);
        assert_eq!(done.text().lines().count(), 1, "{}", done.text());
        world.is_empty();
    });
}

#[test]
fn none_is_a_network_with_nothing_in_it_and_host_is_the_callers() {
    let Some(world) = World::dash() else { return };
    let script = "
        box run --rm --net none small ls /sys/class/net
        ip link add left type veth peer name right
        box run --rm --net host small ls /sys/class/net | grep -c -e left -e right
        box run --rm --net nosuch small true || echo $?";
    let done = world.script(script).done().is(0).says("cannot join network nosuch: there is none");
    assert_eq!(done.text(), "lo\n2\n125");
}

#[test]
fn a_network_of_netns_can_be_joined() {
    let Some(world) = World::dash() else { return };
    let script = "
        netns net add back 10.5.0.0/24
        box run --rm --net back small sh -c 'ip addr show eth0 | grep -o 10.5.0.'";
    assert_eq!(world.script(script).done().is(0).quiet().text(), "10.5.0.\n10.5.0.");
}
