//! What goes wrong is said in one line, and leaves nothing.

use super::{archive, layout, nothing_is_kept, stored, system};
use crate::world::{SHELLS, World};
use nix::sys::signal::Signal;
use std::fs;
use tests::archive::{file, noise};
use tests::{each, eventually};

const ROWS: [(&str, &str); 23] = [
    ("import", "NAME is missing"),
    ("import x", "SRC or NAME is missing"),
    ("import a b c", "and no more"),
    ("import missing one", "cannot import missing: No such file or directory"),
    ("import /dev/null one", "neither a file nor a directory"),
    ("import empty one", "it is no archive that box knows"),
    ("import noise one", "it is no archive that box knows"),
    ("import cut one", "cannot unpack cut: "),
    ("import cut.gz one", "cannot unpack cut.gz: "),
    ("import good ../one", "cannot use ../one as the name of an image"),
    ("import good -- one", "and no more"),
    ("import --limit lots good one", "lots is no size"),
    ("import --frobnicate good one", "unknown option --frobnicate"),
    ("load missing", "cannot load missing: No such file or directory"),
    ("import nothing one", "cannot import nothing: nothing is in it"),
    ("import --host", "NAME is missing"),
    ("import --host one relative", "relative is no absolute path"),
    ("import --host one /usr/../etc", "without . and .."),
    ("load good", "there is no image in it"),
    ("save none file", "cannot find an image called none"),
    ("tag none other", "cannot find an image called none"),
    ("history none", "cannot find an image called none"),
    ("rmi", "IMAGE is missing"),
];

#[test]
fn mistakes_are_told() {
    each(SHELLS, |shell| {
        let world = World::user(shell);
        archive(&world, "good", &system("1"));
        world.sandbox().file("noise", noise(5000), 0o644);
        let script =
            "touch empty; head -c 1500000 good >cut; gzip -c good | head -c 100000 >cut.gz; mkdir nothing";
        world.sandbox().shell(script).done().is(0);
        each(ROWS, |(line, says)| {
            world.boxed(line).done().is(125).says(says).complains_as("box");
            nothing_is_kept(&world);
        });
        world.boxed("import good one").done().is(0);
        world.boxed("import good one").done().is(125).says("there is one of that name").says("hint: --force");
        world.boxed("import -f good one").done().is(0).quiet();
    });
}

#[test]
fn interrupted_it_leaves_nothing() {
    each(SHELLS, |shell| {
        let world = World::user(shell);
        each([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP], |signal| {
            let job = world.boxed("import - one").stdin_pipe().start();
            eventually("it works", || !stored(&world, "work").is_empty());
            job.signal(signal);
            job.done().is(128 + signal as i32);
            nothing_is_kept(&world);
        });
    });
}

#[test]
fn what_a_killed_run_leaves_goes_with_the_next() {
    let world = World::user("dash");
    let job = world.boxed("import - one").stdin_pipe().start();
    eventually("it reads", || {
        world
            .store()
            .join("work")
            .read_dir()
            .is_ok_and(|mut dir| dir.next().is_some_and(|work| work.unwrap().path().join("input").exists()))
    });
    job.signal(Signal::SIGKILL);
    job.done().is(-9);
    world.boxed("prune").done().is(0);
    nothing_is_kept(&world);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_kept() {
    let Some(world) = World::root("dash") else { return };
    archive(&world, "tar", &[file("big", noise(3 << 20))]);
    layout(&world, "lay", &[vec![file("big", noise(3 << 20))]]);
    let script = "mkdir -p store full; mount -t tmpfs -o size=2m none full
        export BOX_STORE=$PWD/full/store; code=0
        for line in 'import tar one' 'load lay' 'import BusyBox' 'import - one'; do
            BOX $line <tar 2>said && exit 1; cat said >&2
            grep -q 'No space left on device' said; test $(wc -l <said) = 1
            test -z \"$(ls full/store/work full/store/layers full/store/images | grep -v :)\"
        done";
    let script = script
        .replace("BOX ", &format!("dash {} ", tests::tools::workspace().join("shell-scripts/box").display()));
    let run = world.sandbox().run("unshare-rs -m sh -euc").arg(script).limit(120);
    world.with_places(run).done().is(0);
}

#[test]
fn without_a_program_it_says_which() {
    let world = World::user("dash");
    archive(&world, "tar", &system("1"));
    let farm = world.sandbox().path("programs");
    fs::create_dir(&farm).unwrap();
    each(
        [
            ("bsdtar", "import iso x"),
            ("skopeo", "pull localhost/x"),
            ("getfattr", "import tar x"),
            ("jq", "import tar x"),
            ("zstd", "import packed x"),
        ],
        |(missing, line)| {
            let script = format!(
                "rm -rf programs; mkdir programs; for dir in /usr/bin /usr/sbin /bin; do
            for file in $dir/*; do test ${{file##*/}} = {missing} || ln -sf $file programs/; done; done
            truncate -s 32769 iso; printf CD001 >>iso; zstd -q -f tar -o packed"
            );
            world.sandbox().shell(&script).done().is(0);
            let path = format!("{}:{}", farm.display(), tests::bin("pivot").parent().unwrap().display());
            world
                .boxed(line)
                .env("PATH", path)
                .done()
                .is(125)
                .says(&format!("there is no {missing}"))
                .says("hint: apt-get install");
            nothing_is_kept(&world);
        },
    );
}

#[test]
fn what_is_saved_replaces_nothing_but_files() {
    let world = World::user("dash");
    archive(&world, "good", &system("1"));
    world.boxed("import good one").done().is(0);
    world.sandbox().shell("mkfifo pipe; mkdir dir").done().is(0);
    world.boxed("save -f one pipe").done().is(125).says("cannot write pipe: it is no regular file");
    world.boxed("save -f one dir").done().is(125).says("cannot write dir: Is a directory");
    world.boxed("save one none/file").done().is(125).says("No such file or directory");
    let line = format!("dash {} save one -", tests::tools::workspace().join("shell-scripts/box").display());
    let save = |rest: &str| world.with_places(world.sandbox().shell(&format!("{line} {rest}"))).done();
    save(">&-").is(125).says("cannot write to standard output: it is closed").complains_as("box");
    let broken = save("| head -c 1 >start").is(0).says("cannot save one: Broken pipe");
    assert_eq!(broken.talk().lines().count(), 1, "{broken}");
    let left = ["dir", "good", "pipe", "rootfs", "runs", "start", "store"];
    let mut names: Vec<String> = fs::read_dir(world.sandbox().dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, left);
}
