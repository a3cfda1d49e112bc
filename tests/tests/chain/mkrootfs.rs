//! `mkrootfs`: every source makes a root that runs, and nothing but DIR is ever touched.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use tests::tools::workspace;
use tests::{Outcome, Run, Sandbox, archive, each};

/// Each test twice: `as_root::NAME` and `as_user::NAME`.
macro_rules! as_root_and_as_user {
    ($($name:ident)*) => {
        mod as_root { $( #[test] fn $name() { if let Some(sandbox) = tests::Sandbox::root() { super::$name(&sandbox); } } )* }
        mod as_user { $( #[test] fn $name() { super::$name(&tests::Sandbox::user()); } )* }
    };
}

mod hostile;
mod trouble;

as_root_and_as_user! {
    every_source_makes_a_root_that_runs
    busybox_is_the_default_where_there_is_a_static_one
}

/// A directory for one row of a table, which the user of the sandbox owns.
fn place(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.run("mkdir -p").arg(name).done().is(0);
    sandbox.path(name)
}

fn mkrootfs(sandbox: &Sandbox, place: &Path, words: &str) -> Run {
    sandbox.run("mkrootfs").args(words.split_whitespace()).cwd(place)
}

/// What is in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether the sandbox is root's.
fn is_root(sandbox: &Sandbox) -> bool {
    fs::metadata(sandbox.dir()).unwrap().uid() == 0
}

/// Runs a shell script in the root `d`, by the pipeline of the README.
fn inside(sandbox: &Sandbox, place: &Path, script: &str) -> Outcome {
    let flags = if is_root(sandbox) { "-pum" } else { "-Urpum" };
    sandbox.run("unshare-rs").arg(flags).args(["pivot", "d", "sh", "-euc", script]).cwd(place).done()
}

fn every_source_makes_a_root_that_runs(sandbox: &Sandbox) {
    let busybox = archive::file("bin/busybox", fs::read("/bin/busybox").unwrap());
    let members = [archive::dir("bin"), busybox, archive::link("bin/sh", "busybox")];
    sandbox.file("root.tar", archive::tar(&members), 0o644);
    sandbox.file("root.cpio", archive::cpio(&members), 0o644);
    sandbox.file("script", "#!/usr/bin/env -S sh -e\necho \"$1 it\"\n", 0o755);
    let installed = sandbox.shell("command -v mkrootfs").done().is(0).text();
    let lines = [
        "mkrootfs --copy sh ../script -- d",
        "mkrootfs d",
        "mkrootfs d --busybox",
        "mkrootfs d --copy cat",
        "mkrootfs d --tar ../root.tar",
        "mkrootfs --cpio=../root.cpio d",
        "mkrootfs d --from-dir ../rootfs",
        "busybox sh INSTALLED --tar=../root.tar d",
        "busybox sh INSTALLED d --cpio ../root.cpio",
        "busybox sh INSTALLED d --copy cat",
    ];
    each((0..).zip(lines), |(number, line): (u32, _)| {
        let place = place(sandbox, &number.to_string());
        sandbox.run(&line.replace("INSTALLED", &installed)).cwd(&place).done().is(0).quiet();
        assert_eq!(names(&place), ["d"], "{line}");
        let script = "echo $$ >/tmp/file; read -r pid </tmp/file; cd /proc; cd /sys; cd /dev; echo $pid";
        assert_eq!(inside(sandbox, &place, script).is(0).quiet().text(), "1", "{line}");
    });
    let script = format!("{} has", sandbox.path("script").display());
    assert_eq!(inside(sandbox, &sandbox.path("0"), &script).is(0).quiet().text(), "has it");
}

/// A PATH with all programs of this host but these.
fn path_without(sandbox: &Sandbox, missing: &[&str]) -> String {
    let farm = place(sandbox, "programs");
    for dir in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] {
        for name in names(Path::new(dir)).iter().filter(|name| !missing.contains(&name.as_str())) {
            // /bin is often a link to /usr/bin.
            let _ = symlink(Path::new(dir).join(name), farm.join(name));
        }
    }
    farm.display().to_string()
}

fn busybox_is_the_default_where_there_is_a_static_one(sandbox: &Sandbox) {
    let bare = path_without(sandbox, &["busybox"]);
    symlink("/bin/true", place(sandbox, "dynamic").join("busybox")).unwrap();
    let dynamic = format!("{}:{bare}", sandbox.path("dynamic").display());
    let script = sandbox.shell("command -v mkrootfs").done().text();
    each([("none", bare), ("not static", dynamic)], |(name, path)| {
        let place = place(sandbox, name);
        let run =
            |words: &str| sandbox.run(&script).args(words.split(' ')).env("PATH", &path).cwd(&place).done();
        run("d --busybox").is(125).says("hint: apt-get install busybox-static").complains_as("mkrootfs");
        assert!(names(&place).is_empty(), "{name}");
        run("d").is(0).quiet();
        assert!(!place.join("d/bin/busybox").exists(), "{name}");
        inside(sandbox, &place, "cd /root; read -r line </etc/passwd; test \"$line\"").is(0).quiet();
    });
    let place = place(sandbox, "there");
    mkrootfs(sandbox, &place, "d").done().is(0).quiet();
    assert!(place.join("d/bin/busybox").exists());
}

#[test]
fn odd_names_are_names() {
    let sandbox = Sandbox::own();
    let long = "x".repeat(255);
    let odd = ["a b", "-x", "n\nl", "end\n", "*", "$(exit 1)", "a:b,c=d", "q'\"\\", "~", "-", &long];
    let bytes = odd.map(OsStr::new).into_iter().chain([OsStr::from_bytes(b"\xff\x1b[m")]);
    place(&sandbox, "archives");
    each(bytes.map(|name| Path::new(".").join(name)), |name| {
        let archive = sandbox.path("archives").join(&name);
        fs::write(&archive, archive::tar(&[archive::file("member", "")])).unwrap();
        let run = |words: &str, origin: &Path| {
            let run = sandbox.run("mkrootfs").args(words.split_whitespace());
            run.arg(origin).arg("--").arg(&name).done()
        };
        run("--tar", &archive).is(0).quiet();
        run("--force --from-dir", &name).is(0).quiet();
        assert!(sandbox.path("").join(&name).join("member").exists());
        fs::remove_dir_all(sandbox.path("").join(&name)).unwrap();
        assert_eq!(names(sandbox.dir()), ["archives", "rootfs"]);
    });
}

#[test]
fn the_parts_are_found_from_a_checkout_and_through_links() {
    let sandbox = Sandbox::own();
    symlink(workspace().join("shell-scripts/mkrootfs"), sandbox.path("first")).unwrap();
    symlink("first", sandbox.path("second")).unwrap();
    let help = mkrootfs(&sandbox, sandbox.dir(), "--help").done().is(0).quiet();
    assert!(help.text().starts_with("Usage: mkrootfs DIR"), "{help}");
    for line in ["./second --help", "sh second --help", "busybox sh ./first --help"] {
        assert_eq!(sandbox.run(line).done().is(0).quiet().text(), help.text(), "{line}");
    }
    let alone = place(&sandbox, "alone").join("mkrootfs");
    tests::program::copy(workspace().join("shell-scripts/mkrootfs"), &alone);
    sandbox.run("alone/mkrootfs d").done().is(125).says("mkrootfs.d").complains_as("mkrootfs");
    sandbox.shell("mkrootfs --help >/dev/full").done().is(125).says("No space").complains_as("mkrootfs");
}

/// Runs lines in directories that a script has prepared, and checks that each is refused and nothing has changed.
fn all_refused(rows: &[(&str, &str, &str)]) {
    let sandbox = Sandbox::own();
    each((0..).zip(rows), |(number, (setup, line, reason)): (u32, _)| {
        let place = place(&sandbox, &number.to_string());
        sandbox.shell(setup).cwd(&place).done().is(0);
        let all =
            || sandbox.shell("find . -ls | sort -k 11; find . -type f -exec cat {} +").cwd(&place).done();
        let before = all().is(0).text();
        sandbox.shell(line).cwd(&place).done().is(125).says(reason).complains_as("mkrootfs");
        assert_eq!(all().is(0).text(), before, "{line}");
    });
}

#[test]
fn misuse_is_told_before_anything_is_made() {
    let rows = [
        ("mkrootfs", "DIR is missing"),
        ("mkrootfs ''", "DIR is empty"),
        ("mkrootfs d e", "unexpected operand e"),
        ("mkrootfs --nope d", "unknown option --nope"),
        ("mkrootfs d -x", "unknown option -x"),
        ("mkrootfs d --force=yes", "--force=yes"),
        ("mkrootfs d --busybox=x", "--busybox=x"),
        ("mkrootfs d --busybox --copy", "--busybox and --copy are two sources"),
        ("mkrootfs d --tar x --tar=y", "two sources"),
        ("mkrootfs d --tar", "--tar needs a name"),
        ("mkrootfs d --cpio=", "--cpio needs a name"),
        ("mkrootfs d --from-dir ''", "--from-dir needs a name"),
        ("mkrootfs d --tar none", "cannot open none: No such file or directory"),
        ("mkrootfs d --tar .", "--from-dir takes a directory"),
        ("mkrootfs d --tar - <&-", "standard input: it is closed"),
        ("mkrootfs d --from-dir none", "cannot copy none: No such file or directory"),
        ("mkrootfs d --copy no-such-program", "cannot copy no-such-program: no such program"),
        ("mkrootfs d --copy /etc/passwd", "cannot copy /etc/passwd: no such program"),
        ("mkrootfs no/such/d", "cannot create no/such/d: No such file or directory"),
        ("mkrootfs \"$(printf 'd/\\033[m\\n/')\"", "cannot create d/?[m?/: No such file or directory"),
    ];
    all_refused(&rows.map(|(line, reason)| (":", line, reason)));
}

#[test]
fn what_must_not_be_replaced_is_not() {
    all_refused(&[
        ("mkdir d; touch d/.hidden", "mkrootfs d", "hint: --force replaces all"),
        ("echo old >d", "mkrootfs d --force", "there is a file of that name"),
        ("mkdir e; ln -s e d", "mkrootfs d --force", "it is a symbolic link"),
        ("ln -s none d", "mkrootfs d --force", "it is a symbolic link"),
        ("mkdir -p s/t", "mkrootfs s/t/d --from-dir s", "would be in it"),
        ("mkdir -p d/e", "cd d/e; mkrootfs .. --force", "this shell or system lives in it"),
        ("mkdir d", "cd d; mkrootfs . --force", "this shell or system lives in it"),
        ("mkdir -p d/home", "HOME=$PWD/d/home mkrootfs d --force", "lives in it"),
        ("mkdir d; touch d/old", "mkrootfs d --force --tar d/old", "cannot unpack d/old"),
        (":", "mkrootfs / --force", "it is the root of this system"),
    ]);
}

#[test]
fn force_replaces_all_of_it() {
    let sandbox = Sandbox::own();
    sandbox.shell("mkdir d; touch d/old d/.old").done().is(0);
    let run =
        |source: &str| mkrootfs(&sandbox, sandbox.dir(), &format!("d --force {source}")).done().is(0).quiet();
    run("--from-dir d");
    assert_eq!(names(&sandbox.path("d")), [".old", "dev", "old", "proc", "sys", "tmp"]);
    run("--busybox");
    assert!(sandbox.path("d/bin/busybox").exists() && !sandbox.path("d/.old").exists());
    assert_eq!(names(sandbox.dir()), ["d", "rootfs"]);
}
