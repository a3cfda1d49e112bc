//! Images that want out of the store, or to be taken for others. Whatever they reach for is a canary in the sandbox.

use super::{archive, layers, layout, nothing_is_kept, stored, system, worlds};
use crate::world::World;
use std::fs;
use std::path::Path;
use tests::archive::{Kind, Member, cpio, dir, file, hard, link, node};
use tests::each;

/// A file outside that must stay as it is, and a directory that must stay empty.
fn canaries(world: &World) {
    world.sandbox().shell("echo sings >canary; mkdir -m 777 cage").done().is(0);
}

#[track_caller]
fn all_is_well(world: &World) {
    assert_eq!(fs::read_to_string(world.sandbox().path("canary")).unwrap(), "sings\n");
    assert_eq!(fs::read_dir(world.sandbox().path("cage")).unwrap().count(), 0);
    assert_eq!(stored(world, "work"), [""; 0]);
}

/// Members that lead to a path outside in every way that an archive knows.
fn attacks(to: &Path) -> Vec<Vec<Member>> {
    let (canary, cage) = (to.join("canary"), to.join("cage"));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (canary, cage) = (text(&canary), text(&cage));
    let up = format!("{}{}", "../".repeat(12), &canary[1..]);
    vec![
        vec![file(&canary, "gone")],
        vec![file(&up, "gone")],
        vec![link("l", &cage), file("l/in", "")],
        vec![link("l", "/"), file(format!("l{canary}"), "gone")],
        vec![link("l", &canary), file("l", "gone")],
        vec![hard("h", &canary), file("h", "gone")],
        vec![hard("h", &up), file("h", "gone")],
        vec![link("l", &cage), dir("l"), file("l/in", "")],
        vec![dir("d"), link("d/l", "../../../.."), file(format!("d/l{canary}"), "gone")],
        vec![link("l", &cage), file("l/.wh.x", ""), file("l/.wh..wh..opq", "")],
        vec![file(format!("..{cage}/.wh.in"), "")],
        vec![node("dev", Kind::Char(0, 0)), file("dev/x", "")],
    ]
}

#[test]
fn no_archive_leads_out_of_the_store() {
    each(worlds(), |world| {
        canaries(&world);
        each((0..).zip(attacks(world.sandbox().dir())), |(number, members): (u32, _)| {
            let tar = archive(&world, "tar", &members);
            let name = format!("n{number}");
            // Some of them are refused, by tar itself; the others make a strange but contained image.
            if number % 3 > 0 {
                let _ = world.boxed("import").arg(&tar).arg(&name).done();
            } else {
                layout(&world, &format!("lay{number}"), &[vec![file("f", "")], members]);
                let _ = world.boxed(&format!("load lay{number} l{number}")).done();
            }
            all_is_well(&world);
        });
    });
}

#[test]
fn no_later_archive_of_an_initramfs_leads_out_of_the_store() {
    let Some(world) = World::dash() else { return };
    canaries(&world);
    let is_hard = |member: &Member| matches!(member.kind, Kind::Hard(_));
    let attacks = attacks(world.sandbox().dir()).into_iter().filter(|members| !members.iter().any(is_hard));
    each((0..).zip(attacks), |(number, members): (u32, _)| {
        // An archive for each member.
        let archives: Vec<u8> =
            members.iter().flat_map(|member| cpio(std::slice::from_ref(member))).collect();
        let name = format!("n{number}");
        fs::write(world.sandbox().path(&name), [cpio(&[file("first", "")]), archives].concat()).unwrap();
        let _ = world.boxed(&format!("import {name} {name}")).done();
        all_is_well(&world);
    });
}

#[test]
fn whiteouts_of_names_that_no_file_has_do_nothing() {
    each(worlds(), |world| {
        canaries(&world);
        let whiteouts = [".wh.", ".wh..", ".wh...", ".wh..wh.plnk", ".wh..wh..opq", "d/.wh.", "d/.wh.."];
        let mut members = vec![file("kept", ""), dir("d"), file("d/kept", "")];
        members.extend(whiteouts.map(|name| file(name, "")));
        members.extend([dir(".wh.d2"), file(".wh.d2/.wh.x", ""), dir("d/.wh..."), file("d/.wh.../x", "")]);
        layout(&world, "lay", &[system("1"), members]);
        world.boxed("load lay").done().is(0).quiet();
        let root = layers(&world, "test-3")[1].clone();
        let names = |dir: &Path| {
            let mut names: Vec<_> =
                fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&root), ["d", "d2", "kept"]);
        assert_eq!(names(&root.join("d")), ["kept"]);
        all_is_well(&world);
    });
}

#[test]
fn a_layer_cannot_bring_marks_of_overlayfs() {
    each(worlds(), |world| {
        let script = "mkdir src && cd src && mkdir d && setfattr -n user.overlay.opaque -v y d &&
            setfattr -n user.overlay.redirect -v /etc d && tar --xattrs --xattrs-include='*' -c . >../tar";
        world.sandbox().shell(script).done().is(0).quiet();
        world.boxed("import tar one").done().is(0).quiet();
        let marks = world.sandbox().run("getfattr -d -m -").arg(layers(&world, "one")[0].join("d")).done();
        assert_eq!(marks.is(0).text(), "");
    });
}

/// What is changed in a good layout `lay`, whose layer, configuration and manifest are $l, $c and $m, and what is said.
const FORGERIES: [(&str, &str); 14] = [
    ("printf x >>$l", "is damaged: its digest"),
    ("cp canary $l", "is damaged: its digest"),
    ("printf ' ' >>$c", "is damaged: its digest"),
    ("printf ' ' >>$m", "is damaged: its digest"),
    ("rm $l", "is missing"),
    ("ln -sf ../../../canary $l", "leads out of it"),
    ("mkdir real && mv lay/blobs real/ && ln -s ../real/blobs lay/blobs", "leads out of it"),
    ("rm $l && mkdir $l", "is no file"),
    ("rm $l && mkfifo $l", "is no file"),
    ("edit 's/sha256:/sha256:..\\/..\\/..\\/canary/'", "is no digest"),
    ("edit 's/\"manifests\":.*/\"manifests\":{}}/'", "it lists no manifests"),
    ("echo '{' >lay/index.json", "index.json: it is not JSON"),
    ("echo '[]' >lay/index.json", "index.json: "),
    ("head -c 5000000 /dev/zero >lay/index.json", "index.json is larger than 4 MiB"),
];

#[test]
fn what_has_not_its_digest_is_refused() {
    let world = World::user("dash");
    canaries(&world);
    layout(&world, "good", &[vec![file("f", "1")]]);
    let find = "rm -rf lay real; cp -r good lay
        edit() { sed \"$1\" lay/index.json >edited; mv edited lay/index.json; }
        blob() { echo lay/blobs/sha256/${1#sha256:}; }
        m=$(blob $(jq -r '.manifests[0].digest' lay/index.json))
        c=$(blob $(jq -r .config.digest $m)) l=$(blob $(jq -r '.layers[0].digest' $m))\n";
    each(FORGERIES, |(forgery, says)| {
        world.sandbox().shell(&format!("{find}{forgery}")).done().is(0);
        world.boxed("load lay").done().is(125).says(says).complains_as("box");
        nothing_is_kept(&world);
        all_is_well(&world);
    });
    world.boxed("load good").done().is(0).quiet();
}

#[test]
fn a_layer_must_be_what_the_configuration_says() {
    let world = World::user("dash");
    layout(&world, "good", &[vec![file("f", "1")]]);
    layout(&world, "evil", &[vec![file("f", "2")]]);
    // A manifest of its own leads from the good configuration to the evil layer.
    let script = "blob() { echo blobs/sha256/${1#sha256:}; }
        of() { jq -r \"$2\" $1/$(blob $(jq -r '.manifests[0].digest' $1/index.json)); }
        cp -r good lay; cp evil/blobs/sha256/* lay/blobs/sha256/
        jq -c --slurpfile evil evil/$(blob $(jq -r '.manifests[0].digest' evil/index.json)) '.layers = $evil[0].layers' \
            good/$(blob $(jq -r '.manifests[0].digest' good/index.json)) >m
        d=$(sha256sum <m | cut -d ' ' -f 1); cp m lay/blobs/sha256/$d
        jq --arg d sha256:$d '.manifests[0].digest = $d' good/index.json >lay/index.json";
    world.sandbox().shell(script).done().is(0).quiet();
    world.boxed("load lay").done().is(125).says("or not what the image says: its digest is sha256:");
    nothing_is_kept(&world);
}

#[test]
fn paths_of_docker_save_lead_nowhere() {
    let world = World::user("dash");
    canaries(&world);
    each(["../canary", "/etc/passwd", "a/../../canary", "missing", "a b", "x\\u0000"], |path| {
        let manifest = format!(r#"[{{"Config": "{path}", "RepoTags": ["x:1"], "Layers": ["{path}"]}}]"#);
        world.sandbox().shell("rm -rf save; mkdir -p save/a").done().is(0);
        world.sandbox().file("save/manifest.json", manifest, 0o644);
        world.boxed("load save").done().is(125).complains_as("box");
        nothing_is_kept(&world);
    });
}

#[test]
fn too_many_layers_and_too_much_in_one_are_refused() {
    let world = World::user("dash");
    let many = r#"{"rootfs": {"type": "layers", "diff_ids": []}}"#
        .replace("[]", &format!("[{}\"x\"]", "\"x\",".repeat(600)));
    world.sandbox().shell("mkdir save").done().is(0);
    world.sandbox().file("save/c.json", many, 0o644);
    world.sandbox().file("save/manifest.json", r#"[{"Config": "c.json", "Layers": []}]"#, 0o644);
    world.boxed("load save x").done().is(125).says("it has 601 layers, and overlayfs takes 500");
    world.sandbox().shell("mkdir src; truncate -s 20M src/zeros; tar -C src -c . | xz >bomb").done().is(0);
    world.boxed("import --limit 1m bomb x").done().is(125).says("it holds more than 1048576 bytes");
    nothing_is_kept(&world);
    world.boxed("import --limit 1g bomb x").done().is(0).quiet();
}
