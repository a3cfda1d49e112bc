//! `box` where something is missing or in the way.

use crate::world::{SHELLS, World};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tests::each;

#[test]
fn places_that_cannot_be_used_are_named() {
    let Some(world) = World::dash() else { return };
    world.run("small true").env("BOX_STORE", "relative").done().is(125).complains_as("box");
    world.run("small true").env("BOX_RUN", "/proc/nosuch").done().is(125).complains_as("box");
}

#[test]
fn an_empty_word_is_no_path_and_no_name() {
    let Some(world) = World::dash() else { return };
    world.run("--name ended small true").done().is(0).quiet();
    for words in [
        &["import", "", "new"][..],
        &["load", ""],
        &["save", "small", ""],
        &["export", "-o", "", "ended"],
        &["run", ""],
        &["run", "--name", "", "small"],
        &["rm", ""],
        &["tag", "small", ""],
    ] {
        world.boxed("").args(words).done().is(125).complains_as("box");
    }
    assert_eq!(world.state("ended"), "exited 0");
    assert_eq!(world.boxed("images -q").done().is(0).text(), "small");
}

#[test]
fn an_image_without_layers_or_with_a_missing_one_is_refused() {
    let Some(world) = World::dash() else { return };
    world.image_of("empty", &[("cmd", "sh\n")]);
    world.run("empty").done().is(125).says("it has no layers").complains_as("box");
    world.image_of("torn", &[("layers", "sha256-nosuch\n"), ("cmd", "sh\n")]);
    world.run("torn").done().is(125).says("No such file or directory");
    world.is_empty();
}

#[test]
fn its_parts_are_found_by_way_of_a_link() {
    let Some(world) = World::dash() else { return };
    let own = tests::shared::Shared::get().bin().join("box");
    std::os::unix::fs::symlink(own, world.sandbox().path("link")).unwrap();
    let run = world.sandbox().run("./link help").done().is(0).quiet();
    assert!(run.text().starts_with("Usage: box"));
    // So may be the directory that it is in.
    std::os::unix::fs::symlink(tests::shared::Shared::get().bin(), world.sandbox().path("bin")).unwrap();
    let own = world.with_places(world.sandbox().run("bin/box import BusyBox"));
    own.done().is(0).quiet();
    fs::create_dir_all(world.sandbox().path("far/away")).unwrap();
    tests::program::copy(
        tests::shared::Shared::get().bin().join("box"),
        world.sandbox().path("far/away/alone"),
    );
    world.sandbox().run("sh far/away/alone help").done().is(125).says("cannot find box.d");
}

#[test]
fn versions_and_help_are_told() {
    let Some(world) = World::dash() else { return };
    let versions = world.boxed("version").done().is(0).quiet().text();
    let tools: Vec<&str> = versions.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(tools, ["cgctl", "netns", "unshare-rs", "pivot", "nsenter-rs"]);
    let help = world.boxed("help").done().is(0).quiet().text();
    assert_eq!(world.boxed("").done().is(0).text(), help);
    assert_eq!(world.boxed("--help").done().is(0).text(), help);
    for verb in ["run", "exec", "ps", "help"] {
        let page = world.boxed("help").arg(verb).done().is(0).quiet().text();
        assert!(page.starts_with(&format!("Usage: box {verb} ")), "{page}");
        assert_eq!(world.boxed(&format!("{verb} --help")).done().is(0).quiet().text(), page);
    }
    world.boxed("help nosuch").done().is(125).complains_as("box");
    world.boxed("help ../run").done().is(125).complains_as("box");
}

#[test]
fn state_is_for_its_owner_only() {
    let Some(world) = World::dash() else { return };
    fs::remove_dir_all(world.store()).unwrap();
    world.image("small", "rootfs");
    world.start("secret", "exec sleep 60");
    for dir in [world.store().join("boxes"), world.store().join("names"), world.runs()] {
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o77, 0, "{}", dir.display());
    }
}

#[test]
fn a_name_that_leads_nowhere_is_removed_by_gc() {
    let Some(world) = World::dash() else { return };
    world.run("--name web small true").done().is(0).quiet();
    std::os::unix::fs::symlink("../boxes/gone", world.store().join("names/lost")).unwrap();
    world.run("--rm --name lost small true").done().is(125).says("box gc").complains_as("box");
    world.boxed("gc").done().is(0).quiet();
    world.run("--rm --name lost small true").done().is(0).quiet();
    assert_eq!(world.state("web"), "exited 0");
}

#[test]
fn what_cgctl_runs_at_the_end_of_a_box_does_nothing_to_anything_else() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let id = world.start("web", "exec sleep 60");
        let settle = |id: &str| world.boxed("settle").arg(id);
        for wrong in ["", ".", "../images", "../boxes", &id[..8]] {
            settle(wrong).env("CGCTL_STATUS", "0").done().is(125).complains_as("box");
        }
        world.boxed("settle").env("CGCTL_STATUS", "0").done().is(125).complains_as("box");
        settle(&id).done().is(125).complains_as("box");
        assert_eq!(world.state("web"), "running");
        world.run("--rm small true").done().is(0).quiet();
        world.boxed("rm -f web").done().is(0).quiet();
        world.is_empty();
    });
}
