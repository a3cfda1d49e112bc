//! `box` where something is missing or in the way.

use crate::world::World;
use std::fs;

#[test]
fn places_that_cannot_be_used_are_named() {
    let Some(world) = World::root() else { return };
    world.run("small true").env("BOX_STORE", "relative").done().is(125).complains_as("box");
    world.run("small true").env("BOX_RUN", "/proc/nosuch").done().is(125).complains_as("box");
}

#[test]
fn an_image_without_layers_or_with_a_missing_one_is_refused() {
    let Some(world) = World::root() else { return };
    world.image("empty", &[("cmd", "sh\n")]);
    world.run("empty").done().is(125).says("it has no layers").complains_as("box");
    world.image("torn", &[("layers", "sha256-nosuch\n"), ("cmd", "sh\n")]);
    world.run("torn").done().is(125).says("No such file or directory");
    world.is_empty();
}

#[test]
fn its_parts_are_found_by_way_of_a_link() {
    let Some(world) = World::root() else { return };
    let own = tests::shared::Shared::get().bin().join("box");
    std::os::unix::fs::symlink(own, world.sandbox.path("link")).unwrap();
    let run = world.sandbox.run("./link help").done().is(0).quiet();
    assert!(run.text().starts_with("Usage: box"));
    fs::create_dir_all(world.sandbox.path("far/away")).unwrap();
    fs::copy(tests::shared::Shared::get().bin().join("box"), world.sandbox.path("far/away/alone")).unwrap();
    world.sandbox.run("sh far/away/alone help").done().is(125).says("cannot find box.d");
}
