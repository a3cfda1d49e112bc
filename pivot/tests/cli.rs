//! What a user meets first: options, statuses, messages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use tests::{Sandbox, each};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

#[test]
fn misuse_is_125_and_told_with_a_hint() {
    let sandbox = Sandbox::own();
    let table = [
        ("pivot", "ROOT is missing"),
        ("pivot --work x rootfs", "--layer <DIR> and --upper <DIR> are missing"),
        ("pivot --upper x rootfs", "--layer <DIR> is missing"),
        ("pivot --bogus rootfs", "cannot use --bogus: no such option"),
        ("pivot --binds a:/b rootfs", "did you mean --bind?"),
        ("pivot rootfs --ro", "the options of pivot stand before ROOT"),
        ("pivot --bind a rootfs", "no absolute path DST stands after a colon"),
        ("pivot --bind a:b rootfs", "no absolute path DST stands after a colon"),
        ("pivot --bind :/b rootfs", "SRC is empty"),
        ("pivot --bind a:/b/../c rootfs", "DST has a .. in it"),
        ("pivot --bind a:/ rootfs", "DST is the root itself"),
        ("pivot --tmpfs b rootfs", "DST is not absolute"),
        ("pivot --unset-env A=1 rootfs", "NAME has a `=` in it"),
        ("pivot --env =1 rootfs", "NAME is empty"),
        ("pivot --keep-fd x rootfs", "it is not the number of a descriptor"),
        ("pivot --chdir", "its value is missing"),
    ];
    each(table, |(line, expected)| {
        let outcome = sandbox.run(line).done().is(125).complains_as("pivot").says(expected);
        assert_eq!(outcome.talk().lines().count(), 2, "no hint: {outcome}");
    });
}

#[test]
fn a_descriptor_that_is_not_open_cannot_be_kept() {
    let sandbox = Sandbox::own();
    sandbox
        .run("pivot --keep-fd 77 rootfs true")
        .done()
        .is(125)
        .says("cannot keep descriptor 77: it is not open");
}

#[test]
fn a_user_without_rights_is_told_what_to_do() {
    let sandbox = Sandbox::user();
    let outcome = sandbox.run("pivot rootfs true").done().is(125).complains_as("pivot");
    outcome.says("cannot make a mount namespace: Operation not permitted").says("unshare-rs -Urm");
}

#[test]
fn what_cannot_be_a_root_is_refused() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("file", "", 0o644);
    let table = [
        ("pivot / true", "cannot use / as the root: it is the root already"),
        ("pivot /tmp/.. true", "cannot use /tmp/.. as the root: it is the root already"),
        ("pivot missing true", "cannot use missing as the root: No such file or directory"),
        ("pivot file true", "cannot use file as the root: Not a directory"),
        ("pivot rootfs/bin/busybox true", "Not a directory"),
    ];
    each(table, |(line, expected)| {
        drop(sandbox.run(line).done().is(125).complains_as("pivot").says(expected));
    });
    sandbox
        .run("pivot . true")
        .cwd("/")
        .done()
        .is(125)
        .says("cannot use . as the root: it is the root already");
    sandbox.run("pivot").arg("").done().is(125).complains_as("pivot");
}

#[test]
fn the_command_keeps_its_arguments_and_its_status() {
    let Some(sandbox) = sandbox() else { return };
    let script = "printf '[%s]' \"$@\"; exit 7";
    let outcome =
        sandbox.run("pivot rootfs sh -c").args([script, "sh", "--ro", "-c", "a  b", "--", ""]).done();
    assert_eq!(outcome.is(7).quiet().text(), "[--ro][-c][a  b][--][]");
    sandbox.run("pivot rootfs -- true").done().is(0).quiet();
    sandbox.run("pivot rootfs sh -c").arg("kill -USR1 $$").done().is(-10);
}

#[test]
fn a_command_that_does_not_run_is_126_or_127() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("rootfs/bin/script", "#!/no/such/shell\n", 0o755);
    sandbox.file("rootfs/bin/plain", "", 0o644);
    sandbox.file("outside", "", 0o755);
    let table = [
        ("no-such-program", 127, "cannot run no-such-program: not found in PATH"),
        ("/no/such/program", 127, "cannot run /no/such/program: no such file"),
        ("./bin/no", 127, "cannot run ./bin/no: no such file"),
        ("./outside", 127, "./outside exists outside, but not inside the new root"),
        ("unshare-rs", 127, "hint: unshare-rs exists outside, as /"),
        ("/bin/plain", 126, "cannot run /bin/plain: Permission denied"),
        ("/bin", 126, "it is a directory"),
        ("script", 126, "/no/such/shell, which it needs, is missing"),
    ];
    each(table, |(command, status, expected)| {
        sandbox.run("pivot rootfs").arg(command).done().is(status).complains_as("pivot").says(expected);
    });
}

#[test]
fn without_a_command_it_is_a_shell() {
    let Some(sandbox) = sandbox() else { return };
    let outcome = sandbox.run("pivot rootfs").stdin(b"echo $0 here\n").done().is(0).quiet();
    assert_eq!(outcome.text(), "/bin/sh here");
}

#[test]
fn names_may_have_any_byte() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let Some(sandbox) = sandbox() else { return };
    let odd = OsStr::from_bytes(b"-a b,:\n\\\x1b\xff");
    fs::rename(sandbox.path("rootfs"), sandbox.dir().join(odd)).unwrap();
    sandbox.run("pivot --").arg(odd).arg("true").done().is(0).quiet();
    let bind = [b"./".as_slice(), odd.as_bytes(), b":/x:y"].concat();
    let listing = sandbox
        .run("pivot --bind")
        .arg(OsStr::from_bytes(&bind))
        .arg("--")
        .arg(odd)
        .args(["ls", "/x:y/bin/sh"]);
    listing.done().is(0).quiet();
    sandbox.run("pivot").arg("no\u{1b}[2J").done().is(125).complains_as("pivot").says(r"'no\x1b[2J'");
}

#[test]
fn a_full_file_system_is_told_as_such() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "mkdir full; mount -t tmpfs -o nr_inodes=5 x full; cd full; mkdir dev proc sys; touch last
        pivot --tmpfs /new . true";
    let outcome = sandbox.run("unshare -m sh -ec").arg(script).done().is(125).complains_as("pivot");
    outcome.says("cannot make the mount point /new: No space left on device").says("hint: the file system");
}
