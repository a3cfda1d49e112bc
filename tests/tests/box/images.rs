//! Images: what they are made from, what becomes of it, and what a hostile one can do.

mod debian;
mod hostile;
mod kinds;
mod life;
mod registry;
mod store;
mod trouble;

use crate::world::World;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tests::archive::{Member, dir, file, link, tar};

/// What may be tried as root and as an ordinary user, under one of the shells.
fn worlds() -> Vec<World> {
    let mut worlds: Vec<World> = World::root("dash").into_iter().collect();
    worlds.push(World::user("busybox sh"));
    worlds
}

/// A root that runs, with the text `mark` in /mark.
fn system(mark: &str) -> Vec<Member> {
    let busybox = file("bin/busybox", fs::read("/bin/busybox").unwrap());
    vec![dir("bin"), busybox, link("bin/sh", "busybox"), link("bin/cat", "busybox"), file("mark", mark)]
}

/// Writes an archive that the user of the world owns.
fn archive(world: &World, name: &str, members: &[Member]) -> PathBuf {
    world.sandbox().file(name, tar(members), 0o644)
}

/// An OCI layout called `name` of these layers, whose tar archives are `name.1` and so on.
fn layout(world: &World, name: &str, layers: &[Vec<Member>]) -> PathBuf {
    world.sandbox().file("make-layout", include_str!("images/make-layout"), 0o755);
    let mut run = world.sandbox().run("sh make-layout").arg(name);
    for (number, members) in (1..).zip(layers) {
        run = run.arg(archive(world, &format!("{name}.{number}"), members));
    }
    run.done().is(0).quiet();
    world.sandbox().path(name)
}

/// The directories of an image's layers, lowest first.
fn layers(world: &World, image: &str) -> Vec<PathBuf> {
    let list = fs::read_to_string(world.store().join("images").join(image).join("layers")).unwrap();
    list.lines().map(|name| world.store().join("layers").join(name).join("root")).collect()
}

/// What is in a directory of the store; nothing if there is none.
fn stored(world: &World, part: &str) -> Vec<String> {
    let entries = fs::read_dir(world.store().join(part)).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "small");
    names.sort();
    names
}

/// Nothing is left of an import that failed.
#[track_caller]
fn nothing_is_kept(world: &World) {
    for part in ["images", "layers", "work"] {
        assert_eq!(stored(world, part), [""; 0], "{part}");
    }
}

/// Runs a shell script in an image, without the rest of `box`.
fn inside(world: &World, image: &str, script: &str) -> String {
    let owner = fs::metadata(world.sandbox().dir()).unwrap().uid();
    let flags = if owner == 0 { "-pum" } else { "-Urpum" };
    let mut run = world.sandbox().run("unshare-rs").arg(flags).arg("pivot");
    for layer in layers(world, image) {
        run = run.arg("--layer").arg(layer);
    }
    run.args(["--env", "PATH=/bin", "sh", "-euc", script]).done().is(0).quiet().text()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}
