//! From image to box to image: what is run, changed, committed, run again and exported.

use super::{Member, layout, system};
use crate::world::{SHELLS, World};
use tests::archive::{dir, file};
use tests::each;

/// A whole life of boxes of an image that has a shell and `cat`, and the file `victim`, an absolute path.
pub fn live(world: &World, image: &str, victim: &str) {
    let script =
        format!("echo in the log; rm {victim}; mkdir /srv/made; echo first >/srv/made/file; exec sleep 100");
    world.run("-d --name one").args([image, "sh", "-c", &script]).done().is(0).quiet();
    world.until_log("one", "in the log");
    let read = "until cat /srv/made/file 2>/dev/null; do :; done";
    assert_eq!(world.boxed("exec one sh -c").arg(read).done().is(0).quiet().text(), "first");
    assert_eq!(world.boxed("logs one").done().is(0).quiet().text(), "in the log");
    let changes = world.boxed("diff one").done().is(0).quiet().text();
    for line in [format!("D {victim}"), "A /srv/made".to_owned(), "A /srv/made/file".to_owned()] {
        assert!(changes.lines().any(|change| change == line), "{line} among {changes}");
    }

    world.boxed("commit -m changed one next").done().is(0).quiet();
    let script = format!(
        "cat /srv/made/file; [ ! -e {victim} ] || echo back; echo second >>/srv/made/file; rm -r /srv/made"
    );
    let again = world.run("--name two next sh -c").arg(script).done().is(0).quiet();
    assert_eq!(again.text(), "first");
    assert_eq!(world.boxed("diff two").done().is(0).quiet().text(), "C /srv\nD /srv/made");

    for (name, has) in [("one", true), ("two", false)] {
        world.boxed("export -o out.tar").arg(name).limit(120).done().is(0).quiet();
        let list = world.sandbox().run("tar -t -f out.tar").limit(120).done().is(0).quiet().text();
        let members: Vec<&str> = list.lines().map(|line| line.trim_start_matches("./")).collect();
        assert_eq!(members.contains(&"srv/made/file"), has, "{name}");
        assert!(!members.contains(&victim.trim_start_matches('/')), "{name}");
        assert!(members.iter().any(|member| member.ends_with("bin/sh")), "{name}");
    }
    world.boxed("rm -f one two").done().is(0).quiet();
    world.boxed("rmi next").done().is(0);
}

#[test]
fn of_busybox() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        world.boxed("import BusyBox").done().is(0);
        world.run("--name prepared BusyBox mkdir -p /srv").done().is(0).quiet();
        world.boxed("commit prepared ready").done().is(0).quiet();
        live(&world, "ready", "/etc/passwd");
    });
}

#[test]
fn of_a_layout_of_three_layers() {
    each(SHELLS, |shell| {
        let Some(world) = World::root(shell) else { return };
        let sleep = super::link("bin/sleep", "busybox");
        let tools = ["rm", "mkdir"].map(|tool| super::link(format!("bin/{tool}"), "busybox"));
        let first: Vec<Member> = [
            system("1"),
            vec![
                sleep,
                dir("srv"),
                dir("etc"),
                file("etc/gone", ""),
                file("etc/kept", ""),
                file("srv/old", ""),
            ],
            tools.to_vec(),
        ]
        .concat();
        let second = vec![dir("etc"), file("etc/.wh.gone", ""), dir("srv"), file("srv/.wh..wh..opq", "")];
        let third = vec![file("mark", "3")];
        layout(&world, "lay", &[first, second, third]);
        let image = world.boxed("load lay").done().is(0).quiet().text();
        let seen = world.run("--rm").args([&image, "sh", "-c", "cat /mark; echo /etc/* /srv/*"]).done().is(0);
        assert!(seen.text().starts_with("3/") && seen.text().contains("/etc/kept"), "{seen}");
        assert!(!seen.text().contains("gone") && !seen.text().contains("old"), "{seen}");
        live(&world, &image, "/etc/kept");
    });
}
