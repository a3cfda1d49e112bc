//! Boxes of users without root's rights, on a host that knows them: with subordinate ids, and without.

use crate::world::{SHELLS, World};
use std::fs;
use tests::{Outcome, Run, Sandbox};

/// A host for the script of a user: its accounts and subordinate ids, a network with something behind it, and the device
/// that pasta wants. All of it goes with the script.
const HOST: &str = r#"
    printf %s "$2" >subids
    (cat /etc/passwd; echo "user:x:64321:64321::$HOME:/bin/sh") >passwd
    mount --bind passwd /etc/passwd; mount --bind subids /etc/subuid; mount --bind subids /etc/subgid
    mount -t tmpfs -o mode=755 none /run
    mount -t tmpfs -o mode=755 none /dev/net; mknod -m 666 /dev/net/tun c 10 200
    ip netns add inet; ip link add wan type veth peer name isp netns inet
    ip addr add 192.0.2.2/24 dev wan; ip link set wan up; ip link set lo up
    ip -n inet addr add 192.0.2.1/24 dev isp; ip -n inet link set isp up
    ip route add default via 192.0.2.1
    umask 022
    exec setpriv --reuid 64321 --regid 64321 --clear-groups sh -euc "$1"
"#;

/// Ids of their own for the other users of a box.
const MANY: &str = "user:200000:65536\n";

/// A user, the host of whom is made by root.
struct User {
    root: Sandbox,
    world: World,
}

impl User {
    /// With the shell that runs box; `None`, and said so, when this is not root.
    fn new(shell: &'static str) -> Option<Self> {
        let user = User { root: Sandbox::root()?, world: World::user(shell) };
        user.world.image("small", "rootfs");
        Some(user)
    }

    /// A script of the user, with these subordinate ids, in which `box` is the one under test.
    fn script(&self, ids: &str, text: &str) -> Run {
        self.on(HOST, ids, text)
    }

    /// The same on another host.
    fn on(&self, host: &str, ids: &str, text: &str) -> Run {
        self.as_root("unshare-rs -nm sh -euc", &[host, "sh", &self.with_box(text), ids])
    }

    fn with_box(&self, text: &str) -> String {
        format!("{}\n{text}", self.world.function())
    }

    fn as_root(&self, start: &str, args: &[&str]) -> Run {
        let run = self.root.run(start).args(args).cwd(self.world.sandbox().dir());
        self.world.with_places(run).env("HOME", self.world.sandbox().dir()).limit(120)
    }

    fn done(&self, ids: &str, text: &str) -> Outcome {
        self.script(ids, text).done().is(0)
    }
}

/// With subordinate ids and without, under each of the shells.
fn each_user(test: impl Fn(&User, &str)) {
    for (shell, ids) in SHELLS.into_iter().zip(["", MANY]) {
        let Some(user) = User::new(shell) else { return };
        test(&user, ids);
        user.world.is_empty();
    }
}

#[test]
fn a_box_is_root_of_a_user_namespace_and_all_verbs_that_need_no_group_work() {
    each_user(|user, ids| {
        let script = "
            box run --net none --rm small sh -c 'id -u; hostname | wc -c; ls -d /proc/1 /sys/class /dev/null'
            box run -d --name web --net none small sh -c 'echo one >/file; rm /bin/yes; echo ready; exec sleep 60' >/dev/null
            until box logs web | grep -q ready; do sleep 0.05; done
            box exec web sh -c 'echo two >>/file; echo $$ >/dev/null'
            box exec web ps | grep -c sleep
            box top --json web | jq -c '[.inside, .uid]'
            test $(box ps -q) = $(box inspect web | jq -r .id)
            box inspect web | jq -c '[.state, .group]'
            box cp web:/file out; cat out; box cp out web:/tmp/
            box diff web
            test $(nsenter-rs --box web -a cat /proc/sys/kernel/hostname) = $(box ps -q | cut -c 1-8)
            box commit web next >/dev/null 2>told; cat told
            box export -o web.tar web; tar -tf web.tar | sed 's,^\\./,,' | grep -x file
            box save next - >next.tar; box rmi next; box load next.tar
            box run --rm --net none next cat /tmp/out
            box rename web web2; box kill -s TERM web2; box wait web2
            box start web2; box stop -t 30 web2; box ps -a --json | jq -c '[.name, .state, .code]'
            box start web2; box kill web2; box ps -a --json | jq -c '[.name, .state, .code]'
            box cp out web2:/late; box cp web2:/late late; cmp out late; box diff web2 | grep late
            box rm web2; box rmi next; box gc; box prune";
        let done = user.script(ids, script).limit(180).done().is(0);
        let expected = "0\n9\n/dev/null\n/proc/1\n/sys/class\n1\n[1,64321]\n[\"running\",null]\none\ntwo\n\
            C /bin\nD /bin/yes\nA /file\nC /tmp\nA /tmp/out\n\
            box: warning: web goes on meanwhile, for want of a control group\nfile\nnext\none\ntwo\n143\nweb2\n\
            [\"web2\",\"exited\",143]\nweb2\n[\"web2\",\"exited\",137]\nA /late\nremoved 0 layers, 0 B";
        assert_eq!(done.text(), expected, "{}", done.talk());
    });
}

#[test]
fn what_other_users_of_a_box_have_made_can_be_kept_and_removed() {
    let Some(user) = User::new("dash") else { return };
    let script = "
        box run --name own --net none small sh -c '
            mkdir -p /d/e; echo kept >/d/e/f; chown -R 7:7 /d; chmod -R go= /d; id -u >/d/id'
        box run --rm --net none -u 7 small id -u
        stat -c %u $BOX_STORE/boxes/*/upper/d
        box commit own next >/dev/null; box rm own
        box run --rm --net none -u 7 next cat /d/e/f
        box rmi next; find $BOX_STORE -name e";
    assert_eq!(user.done(MANY, script).text(), "7\n200006\nkept");
    user.world.is_empty();
    let left = fs::read_dir(user.world.store().join("work")).unwrap().count();
    assert_eq!(left, 0, "workshops");
    let script = "box run --net none -u 7 small true || echo $?; box run --rm --net none -u root small id -u";
    let done = user.script("", script).done().is(0).says("no subordinate ids").says("usermod --add-subuids");
    assert_eq!(done.text(), "125\n0");
    user.world.is_empty();
}

#[test]
fn limits_need_a_group_that_root_gives() {
    each_user(|user, ids| {
        let refused = user.script(ids, "box run -m 64M --pids 9 --net none small true").done().is(125);
        refused
            .complains_as("box")
            .says("cannot limit the box by -m --pids")
            .says("cgctl delegate user user && cgctl exec user -- su - user");
        let script = "
            box run -d --name web --net none small sleep 60 >/dev/null
            for verb in pause 'stats -n' 'update -m 64M'; do box $verb web || echo $?; done
            box run --rm --net none small sh -c 'ulimit -u'; box --explain rm -f web | head -n 1 | sed 's/ [0-9].*//'; box rm -f web";
        let done = user.script(ids, script).done().is(0).says("cannot pause web: it has no control group");
        assert_eq!(done.text(), "125\n125\n125\n2048\nkill -s KILL");
        let name = user.root.name().replace('/', "-");
        let given = format!(
            "cgctl new {name} && cgctl delegate {name} 64321
             trap 'cgctl rm --kill {name}' EXIT
             cgctl exec {name} -- unshare-rs -nm sh -euc \"$@\""
        );
        let script = "
            box run -d --name web -m 32M --pids 50 --net none small sleep 60 >/dev/null
            box inspect web | jq -r .group | grep -c \"/$NAME/\"
            box stats --no-stream --json | jq -c '[.name, .memory_limit]'
            box pause web; box ps --json | jq -r .state; box unpause web
            box update -m 48M web; box stats --no-stream --json | jq -c .memory_limit
            box rm -f web
            box run --rm --net none -m 20M small tail /dev/zero || echo $?
            box run --rm --net none --pids 4 small sh -c 'for i in 1 2 3 4 5 6; do sleep 60 & done; wait' || echo $?";
        let text = user.with_box(&format!("NAME={name}\n{script}"));
        let run = user.as_root("sh -euc", &[&given, "sh", HOST, "sh", &text, ids]);
        let done = run.done().is(0);
        assert_eq!(done.text(), "1\n[\"web\",33554432]\npaused\n50331648\n137\n2", "{}", done.talk());
    });
}

#[test]
fn the_way_out_is_pasta_and_ports_are_led_by_a_proxy() {
    each_user(|user, ids| {
        let script = "
            box run -d --name web -p 8080:80 small sh -c 'echo hello >/page; exec httpd -f -p 80 -h /' >/dev/null
            until busybox wget -q -O - http://127.0.0.1:8080/page; do sleep 0.1; done
            box port web
            box run --rm small sh -c 'ip route | grep -c default; wget -q -O - http://192.0.2.1:8000/page'
            box run --rm --net none small ls /sys/class/net
            box run --rm --net host small ip addr show wan | grep -c 192.0.2.2
            box run --net back small true || echo $?
            box rm -f web";
        // A server behind the host, which ends with the script.
        let server = "mkdir -p www; echo internet >www/page
            ip netns exec inet busybox httpd -f -p 8000 -h www & trap \"kill $!\" EXIT\n    setpriv";
        let host = HOST.replace("exec setpriv", server);
        let run = user.on(&host, ids, script);
        let done = run.done().is(0).says("cannot join network back: networks with a name are root's");
        assert_eq!(
            done.text(),
            "hello\n80/tcp -> 127.0.0.1:8080\n1\ninternet\nlo\n1\n125",
            "{}",
            done.talk()
        );
    });
}

#[test]
fn without_pasta_there_is_no_way_out_which_is_told_and_ports_work() {
    let Some(user) = User::new("busybox sh") else { return };
    let host = HOST.replace("mknod -m 666 /dev/net/tun c 10 200", "true");
    let script = "
        box run --rm small ls /sys/class/net
        box run -d --name web -p 8080:80 small sh -c 'echo hello >/page; exec httpd -f -p 80 -h /' >/dev/null
        until busybox wget -q -O - http://127.0.0.1:8080/page; do sleep 0.1; done
        box --explain run --net pasta small true >/dev/null
        box run --rm --net pasta small true || echo $?
        box rm -f web";
    let done = user.on(&host, "", script).done().is(0);
    assert_eq!(done.text(), "lo\nhello\n125");
    let told = "box: warning: the box has no way out: /dev/net/tun cannot be opened\n";
    assert!(done.talk().starts_with(told), "{}", done.talk());
    assert_eq!(done.talk().matches(told).count(), 2, "{}", done.talk());
    user.world.is_empty();
}

#[test]
fn a_place_of_somebody_else_or_that_others_can_write_is_refused() {
    let Some(user) = User::new("dash") else { return };
    let dir = user.world.sandbox().dir();
    fs::create_dir(dir.join("roots")).unwrap();
    let script = "
        ln -s runs-real link; mkdir -p runs-real open; chmod 777 open
        for dir in roots link; do BOX_RUN=$HOME/$dir box ps -a || echo $?; done
        BOX_STORE=$HOME/roots box ps || echo $?
        BOX_RUN=$HOME/open box run --net none small true || echo $?
        test -z \"$(ls -A runs-real)$(ls -A open)\"";
    let done =
        user.done("", script).says("it is not a directory of this user").says("others may write there");
    assert_eq!(done.text(), "125\n125\n125\n125");
    // Where nothing is said, another user's are not found, and nothing is made where all may write.
    let script = "
        unset BOX_STORE BOX_RUN; cp -r store home.store; mkdir -p .local/share; mv home.store .local/share/box
        box run -d --name web --net none small sleep 60 >/dev/null
        stat -c '%a %u' .local/share/box/run; stat -c %a .local/share/box/boxes
        nsenter-rs --box web -a true; box ps -q | wc -l; box rm -f web
        mkdir -m 700 other; XDG_RUNTIME_DIR=$HOME/other box run --name run --net none small true
        ls other/box | wc -l; XDG_RUNTIME_DIR=$HOME/other box rm run";
    assert_eq!(user.done("", script).quiet().text(), "700 64321\n700\n1\n2");
}

#[test]
fn whatever_is_killed_of_a_users_box_the_truth_is_told_and_nothing_is_left() {
    let Some(user) = User::new("dash") else { return };
    let script = "
        for link in cgctl netns unshare-rs sleep; do
          box run -d --name $link -p 8080:80 small sleep 60 >/dev/null
          owner=$(cut -d ' ' -f 1 $BOX_RUN/$link/owner) first=$(cat $BOX_RUN/$link/pid)
          case $link in
            cgctl) victim=$owner ;;
            netns) victim=$(pgrep -P $owner) ;;
            unshare-rs) victim=$(ps -o ppid= $first) ;;
            sleep) victim=$first ;;
          esac
          kill -9 $victim
          box wait $link
          while kill -0 $first 2>/dev/null; do sleep 0.01; done
          box gc
          box ps -a --json | jq -r .state; box start $link; box rm -f $link
        done
        box run -d --name old --net none small sleep 60 >/dev/null
        kill -9 $(cut -d ' ' -f 1 $BOX_RUN/old/owner); rm -r $BOX_RUN
        box wait old; box rm old
        mkdir -p $BOX_STORE/boxes/00000000-0000-4000-8000-000000000000/upper; box gc";
    let done = user.done(MANY, script);
    let expected: String =
        ["cgctl", "netns", "unshare-rs", "sleep"].map(|link| format!("137\nexited\n{link}\n")).concat();
    assert_eq!(done.text(), expected + "unknown", "{}", done.talk());
    user.world.is_empty();
}

#[test]
fn what_a_full_store_holds_can_be_removed() {
    each_user(|user, ids| {
        let host = HOST.replace(
            "umask 022",
            "mkdir small; mount -t tmpfs -o size=1m,mode=777 none small; cp -r store/images small/
             chown -R 64321 small/images; umask 022",
        );
        let script = "
            export BOX_STORE=$HOME/small/store BOX_RUN=$HOME/small/run
            mkdir -p small/store; mv small/images small/store
            box run --rm --net none small echo fine
            box run --name full --net none small sh -c 'dd if=/dev/zero of=/big bs=4k 2>/dev/null; echo lost' 2>/dev/null
            box ps -a --json | jq -r .state; box run --net none small true || echo $?
            box rm full; box run --rm --net none small echo fine
            ls -A $BOX_STORE/boxes $BOX_STORE/names | grep -v : || :";
        let done = user.on(&host, ids, script).done().is(0).says("No space left on device");
        assert_eq!(done.text(), "fine\nlost\nexited\n125\nfine", "{}", done.talk());
    });
}

#[test]
fn a_pasted_line_does_for_a_user_what_box_does() {
    each_user(|user, ids| {
        for options in ["--net none", "-p 8080:80", "--net host --privileged"] {
            let words = format!("{options} -e A=it\\'s --hostname hh small sh -c");
            let inner =
                "'echo \"$A\" $(hostname) $$; grep Cap /proc/self/status; cat /proc/self/uid_map; exit 7'";
            let script = format!(
                "box --explain run {words} {inner} >line 2>/dev/null; test -z \"$(ls $BOX_STORE/names 2>/dev/null)\"
                 sh ./line >pasted || echo $?; box run --rm {words} {inner} >ran || echo $?; cmp pasted ran"
            );
            let done = user.done(ids, &script);
            assert_eq!(done.text(), "7\n7", "{options}: {}", done.talk());
        }
    });
}

#[test]
fn the_root_of_a_user_namespace_has_the_boxes_of_the_user() {
    let Some(user) = User::new("busybox sh") else { return };
    let script = "
        inner() { unshare-rs -Ur sh -euc \"$FUNCTION; $1\"; }
        inner 'box run -d --name web --net none small sleep 60 >/dev/null; box exec web id -u'
        box exec web hostname | wc -c
        inner 'box ps -q | wc -l; box stop -t 1 web; box rm web'
        inner 'box run --rm -p 8080:80 small sh -c \"ip route | grep -c default\"'";
    let done = user.done("", &format!("FUNCTION='{}'\n{script}", user.world.function()));
    assert_eq!(done.text(), "0\n9\n1\n1", "{}", done.talk());
    user.world.is_empty();
}
