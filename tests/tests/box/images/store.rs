//! The store: what is listed, shared, saved, and removed.

use super::{archive, layers, layout, stored, system, worlds};
use crate::world::World;
use std::fs;
use tests::archive::{dir, file};
use tests::each;

#[test]
fn images_share_layers_which_go_with_the_last() {
    each(worlds(), |world| {
        layout(&world, "a", &[system("1"), vec![file("a", "")]]);
        layout(&world, "b", &[system("1"), vec![file("b", "")]]);
        world.boxed("import a one").done().is(0).quiet();
        world.boxed("import b two").done().is(0).quiet();
        assert_eq!(stored(&world, "layers").len(), 3);
        world.boxed("tag one uno").done().is(0).quiet();
        world.boxed("rmi one").done().is(0).quiet();
        assert_eq!(stored(&world, "layers").len(), 3);
        world.boxed("rmi uno").done().is(0).quiet();
        assert_eq!((stored(&world, "images"), stored(&world, "layers").len()), (vec!["two".into()], 2));
        world.boxed("rmi two").done().is(0).quiet();
        assert_eq!(stored(&world, "layers"), [""; 0]);
        world.boxed("rmi two").done().is(125).says("cannot find an image called two");
        world.boxed("rmi -f two").done().is(0).quiet();
    });
}

#[test]
fn a_box_keeps_its_layers() {
    let Some(world) = World::root("dash") else { return };
    archive(&world, "tar", &system("1"));
    world.boxed("import tar one").done().is(0);
    world.boxed("run --name b --net none one cat /mark").done().is(0);
    world.boxed("rmi one").done().is(125).says("the box b was made from it");
    world.boxed("rmi -f one").done().is(0).quiet();
    assert_eq!(stored(&world, "layers").len(), 1);
    world.boxed("rm b").done().is(0);
    assert_eq!(world.boxed("prune").done().is(0).text().split(',').next(), Some("removed 1 layers"));
    assert_eq!(stored(&world, "layers"), [""; 0]);
}

#[test]
fn lists_are_for_people_and_programs() {
    let world = World::user("busybox sh");
    layout(&world, "a", &[system("1"), vec![file("a", "")]]);
    world.boxed("load a").done().is(0);
    let line = world.boxed("images --json").done().is(0).quiet().json();
    assert_eq!(
        (line["name"].as_str(), line["created"].as_str()),
        (Some("test-3"), Some("2020-02-02T02:02:02Z"))
    );
    assert_eq!(
        (line["platform"].as_str(), line["layers"].as_array().unwrap().len()),
        (Some("linux/amd64"), 2)
    );
    let table = world.boxed("images").done().is(0).text();
    assert_eq!(table.lines().count(), 2);
    assert!(table.contains("test-3") && table.contains("2020-02-02T02:02:02"), "{table}");
    assert_eq!(world.boxed("images -q").done().is(0).text(), "test-3");
    world.sandbox().shell("mkdir src; touch src/f").done().is(0);
    world.boxed("import src own").done().is(0);
    let step = world.boxed("history --json own").done().is(0).json();
    assert_eq!((step["created_by"].as_str(), step["size"].as_u64()), (Some("box import src"), Some(10240)));
    assert_eq!(world.boxed("history test-3").done().is(0).text().lines().count(), 3);
}

#[test]
fn an_image_comes_back_with_its_digests() {
    each(worlds(), |world| {
        layout(&world, "a", &[system("1"), vec![dir("d"), file("d/.wh..wh..opq", ""), file(".wh.mark", "")]]);
        world.boxed("load a").done().is(0);
        world.boxed("save test-3 first").done().is(0).quiet();
        let digest = |index: &str| {
            world.sandbox().shell(&format!("jq -r .manifests[0].digest {index}")).done().is(0).text()
        };
        let inspect = "skopeo inspect oci-archive:first | jq -r .Digest";
        assert_eq!(world.sandbox().shell(inspect).limit(120).done().is(0).text(), digest("a/index.json"));
        world.boxed("rmi test-3").done().is(0);
        world.boxed("load first").done().is(0);
        world.boxed("save test-3 -").done().is(0);
        world.boxed("save test-3 second").done().is(0);
        world.sandbox().shell("cmp first second").done().is(0).quiet();
        world.boxed("save test-3 second").done().is(125).says("there is a file of that name");
    });
}

#[test]
fn a_tree_of_ours_is_the_same_layer_wherever_it_is_packed() {
    each(worlds(), |world| {
        let script = "mkdir -p src/b/c src/a && echo 1 >src/b/f && ln src/b/f src/a/g && cp -a src copy
            mkdir unlike && cp -a src/b unlike/ && cp -a src/a unlike/ && rm unlike/a/g && ln unlike/b/f unlike/a/g
            for d in src unlike copy; do find $d -exec touch -h -d @1000000000.5 {} +; done";
        world.sandbox().shell(script).done().is(0).quiet();
        for name in ["src", "copy", "unlike"] {
            world.boxed(&format!("import {name} {name}")).done().is(0).quiet();
        }
        assert_eq!(stored(&world, "layers").len(), 1);
        world.boxed("save src first").done().is(0).quiet();
        world.boxed("rmi src copy unlike").done().is(0).quiet();
        world.boxed("load first again").done().is(0);
        assert!(
            !layers(&world, "again")[0].parent().unwrap().join("blob").exists(),
            "it can be packed again"
        );
        world.boxed("save again second").done().is(0);
        world
            .sandbox()
            .shell(
                "tar -xOf first index.json | jq .manifests[0].digest >1; tar -xOf second index.json |
            jq .manifests[0].digest >2; cmp 1 2",
            )
            .done()
            .is(0)
            .quiet();
    });
}

#[test]
fn skopeo_writes_what_is_loaded() {
    let world = World::user("dash");
    layout(&world, "a", &[system("1"), vec![file("a", "")]]);
    let script = "skopeo --insecure-policy copy -q oci:a docker-archive:docker.tar:lib/app:7
        skopeo --insecure-policy copy -q oci:a oci-archive:oci.tar:other:latest
        skopeo --insecure-policy copy -q oci:a dir:plain";
    world.sandbox().shell(script).limit(120).done().is(0);
    assert_eq!(world.boxed("load docker.tar").done().is(0).quiet().text(), "app-7");
    assert_eq!(world.boxed("load oci.tar").done().is(0).quiet().text(), "other");
    assert_eq!(layers(&world, "app-7"), layers(&world, "other"));
}

#[test]
fn the_upper_directory_of_an_overlay_becomes_a_layer() {
    each(worlds(), |world| {
        let flags =
            if fs::metadata("/proc/self").is_ok() && world.sandbox().shell("id -u").done().text() == "0" {
                "-pum"
            } else {
                "-Urpum"
            };
        archive(
            &world,
            "tar",
            &[system("1"), vec![dir("etc"), file("etc/old", ""), dir("odd\n\\n"), file("odd\n\\n/f", "")]]
                .concat(),
        );
        world.boxed("import tar one").done().is(0).quiet();
        let change = "rm /mark; rm -r /etc; mkdir /etc; echo >/etc/new; rm -r /odd*; mkdir \"$(printf '/odd\\n\\\\n')\"";
        let run = world
            .sandbox()
            .run("unshare-rs")
            .arg(flags)
            .arg("pivot")
            .arg("--layer")
            .arg(&layers(&world, "one")[0]);
        run.args(["--upper", "up", "--env", "PATH=/bin", "--bare", "sh", "-euc", change]).done().is(0);
        let pack = tests::tools::workspace().join("shell-scripts/box.d/inside/pack-layer");
        let script =
            format!("mkdir -p lists; sh {} up lists | tar -t --quoting-style=escape", pack.display());
        let user = if flags == "-pum" { script } else { format!("unshare-rs -Ur sh -euc '{script}'") };
        let listed = world.sandbox().shell(&user).done().is(0).text();
        let names: Vec<&str> = listed.lines().collect();
        assert_eq!(
            names,
            [
                "./",
                "./etc/",
                "./odd\\n\\\\n/",
                "./.wh.mark",
                "./etc/.wh..wh..opq",
                "./odd\\n\\\\n/.wh..wh..opq",
                "./etc/new"
            ]
        );
    });
}

#[test]
fn many_at_once_all_get_what_they_want() {
    let world = World::user("dash");
    layout(&world, "a", &[system("1"), vec![file("a", "")]]);
    let script = "for n in 1 2 3 4; do BOX import a n$n & BOX prune >/dev/null & done; wait
        for n in 1 2 3 4; do BOX import -f a same & done; wait; BOX prune >/dev/null";
    let script = script
        .replace("BOX", &format!("dash {}", tests::tools::workspace().join("shell-scripts/box").display()));
    let run = world.sandbox().shell(&script).limit(180);
    world.with_places(run).done().is(0);
    assert_eq!(stored(&world, "images"), ["n1", "n2", "n3", "n4", "same"]);
    assert_eq!((stored(&world, "layers").len(), stored(&world, "work").len()), (2, 0));
}

#[test]
fn prune_waits_for_images_that_are_being_made() {
    let world = World::user("dash");
    let mut import = world.boxed("import - one").stdin_pipe().start();
    tests::eventually("it works", || !stored(&world, "work").is_empty());
    let prune = world.boxed("prune").start();
    tests::eventually("it waits", || prune.talk().contains("waiting until others have made their images"));
    std::io::Write::write_all(&mut import.input(), &tests::archive::tar(&system("1"))).unwrap();
    import.done().is(0).quiet();
    prune.done().is(0);
    assert_eq!((stored(&world, "images").len(), stored(&world, "layers").len()), (1, 1));
}

/// In which order names appear and the disk is waited for: `disk`, `file` (for one file), `layer`, `image`, `archive`.
fn order(world: &World, words: &str) -> Vec<&'static str> {
    let calls = "trace=syncfs,fsync,rename,renameat,renameat2";
    world.behind(&format!("strace -f --seccomp-bpf -qq -s 300 -o trace -e {calls}"), words).done().is(0);
    let trace = fs::read_to_string(world.sandbox().path("trace")).unwrap();
    let kind = |line: &str| {
        let rows = [
            ("syncfs(", "disk"),
            ("fsync(", "file"),
            ("store/layers/", "layer"),
            ("store/images/", "image"),
            ("/archive\"", "archive"),
        ];
        // The last name is the new one.
        let call = line.rsplit_once(", \"").filter(|_| line.contains(" rename")).map_or(line, |(_, to)| to);
        rows.iter().find(|(part, _)| format!("{call}\"").contains(part)).map(|(_, kind)| *kind)
    };
    trace.lines().filter(|line| line.contains(" = 0")).filter_map(kind).collect()
}

#[test]
fn the_disk_has_all_before_it_gets_a_name() {
    let Some(world) = World::dash() else { return };
    archive(&world, "tar", &system("1"));
    layout(&world, "lay", &[system("1"), vec![file("f", "")]]);
    assert_eq!(order(&world, "import tar one"), ["disk", "layer", "disk", "image"]);
    assert_eq!(order(&world, "load lay two"), ["disk", "layer", "layer", "disk", "image"]);
    assert_eq!(order(&world, "tag two three"), ["disk", "image"]);
    assert_eq!(order(&world, "save two archive"), ["file", "archive"]);
    world.run("--name box two sh -c").arg(": >/x").done().is(0).quiet();
    assert_eq!(order(&world, "commit box four"), ["disk", "layer", "disk", "image"]);
    assert_eq!(order(&world, "export -o archive box"), ["file", "archive"]);
}
