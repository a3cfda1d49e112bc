//! Every kind of source becomes the same image.

use super::{archive, inside, layers, layout, mode, nothing_is_kept, stored, system, worlds};
use crate::world::World;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use tests::archive::{Kind, Member, dir, file, hard, node, tar};
use tests::each;

/// How the files are made from a directory `src`. None has a name that says what it is.
const SOURCES: &str = "
    for packer in cat gzip xz zstd bzip2 lzma; do tar -C src -c . | $packer -c >tar-$packer 2>/dev/null ||
        tar -C src -c . | $packer >tar-$packer; done
    (cd src && find . | cpio --quiet -o -H newc) >cpio-cat
    for packer in gzip xz lzma; do $packer -c <cpio-cat >cpio-$packer; done
    mkdir -p disc/boot
    cp cpio-gzip disc/boot/core.gz
    echo kernel >disc/boot/vmlinuz
    bsdtar -c --format=iso9660 -f tiny -C disc .
    mv disc/boot/core.gz disc/boot/rootfs4.gz
    cp cpio-lzma disc/boot/rootfs4.gz
    gzip -c <cpio-cat >disc/boot/rootfs1.gz
    bsdtar -c --format=iso9660 -f slitaz -C disc .";

#[test]
fn every_kind_of_source_is_told_by_what_it_holds() {
    each(worlds(), |world| {
        let members = archive(&world, "members", &system("here"));
        world.sandbox().run("mkdir src").done().is(0);
        world.sandbox().run("tar -C src -xf").arg(members).done().is(0).quiet();
        world.sandbox().shell(SOURCES).limit(120).done().is(0);
        let sources = match fs::metadata(world.sandbox().dir()).unwrap().uid() {
            0 => {
                "src tar-cat tar-gzip tar-xz tar-zstd tar-bzip2 tar-lzma cpio-cat cpio-gzip cpio-xz cpio-lzma tiny slitaz"
            }
            _ => "src tar-cat tar-xz cpio-lzma tiny",
        };
        each(sources.split_whitespace(), |source| {
            world.boxed(&format!("import {source} {source}")).limit(120).done().is(0).quiet();
            assert_eq!(inside(&world, source, "cat /mark"), "here", "{source}");
        });
        world.sandbox().shell("cat tar-xz >input").done().is(0);
        let input = fs::read(world.sandbox().path("input")).unwrap();
        world.boxed("import - piped").stdin(&input).done().is(0).quiet();
        assert_eq!(layers(&world, "piped"), layers(&world, "tar-cat"), "the same tree is the same layer");
        assert_eq!(stored(&world, "work"), [""; 0]);
    });
}

/// Archives `1`, `2` and `3` in one file: padded as cpio does it, as little as the kernel takes, and packed from one on.
const INITRAMFS: &str = "
    for n in 1 2 3; do
        mkdir -p root$n/dir && echo $n | tee root$n/mark root$n/dir/$n >root$n/own$n && ln root$n/mark root$n/hard$n
        (cd root$n && find . | cpio --quiet -o -H newc) >$n
        at=$(grep -abo 'TRAILER!!!' $n) && head -c $(((${at%%:*} + 14) / 4 * 4)) $n >tight$n
    done
    head -c 5000 /dev/zero >zeros
    cat 1 2 3 >padded
    cat tight1 tight2 tight3 >tight
    cat 1 zeros 2 zeros 3 zeros >spread
    gzip -c tight >packed
    (gzip -c 1; gzip -c 2; gzip -c 3) >each
    (cat tight1 zeros 2 zeros; xz -c --check=crc32 3) >early
    (cat 1; cat tight2 3 | zstd -c -q) >later";

#[test]
fn an_initramfs_of_several_archives_is_read_to_its_end() {
    each(worlds(), |world| {
        world.sandbox().shell(INITRAMFS).done().is(0).quiet();
        each(["padded", "tight", "spread", "packed", "each", "early", "later"], |source| {
            world.boxed(&format!("import {source} {source}")).done().is(0).quiet();
            let root = &layers(&world, source)[0];
            let read = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
            let names =
                ["mark", "own1", "own2", "own3", "dir/1", "dir/2", "dir/3", "hard1", "hard2", "hard3"];
            assert_eq!(names.map(read).concat(), "3\n1\n2\n3\n1\n2\n3\n1\n2\n3\n", "{source}");
            let inode = |name: &str| fs::metadata(root.join(name)).unwrap().ino();
            assert_eq!(inode("mark"), inode("hard3"), "{source}");
        });
    });
}

#[test]
fn what_is_no_archive_behind_the_first_one_is_told() {
    let world = World::user("dash");
    world.sandbox().shell(INITRAMFS).done().is(0).quiet();
    let rows = [
        ("(cat 1; echo junk) >x", "", "what follows its first archive is none"),
        ("(cat 1 zeros; head -c 400 2) >x", "", "cannot unpack x: "),
        ("(cat 1; gzip -c 2 | gzip -c) >x", "", "it is packed twice"),
        ("(cat 1; gzip -c 2; echo junk) >x", "", "cannot unpack x: "),
        ("(cat 1; gzip -c 2 | head -c 100) >x", "", "cannot unpack x: "),
        ("cp padded x", "--limit 1000", "it holds more than 1000 bytes"),
        ("cp later x", "--limit 1500", "it holds more than 1500 bytes"),
    ];
    each(rows, |(script, options, says)| {
        world.sandbox().shell(script).done().is(0).quiet();
        world.boxed(&format!("import {options} x x")).done().is(125).says(says).complains_as("box");
        nothing_is_kept(&world);
    });
}

#[test]
fn busybox_is_made_where_it_is_asked_for() {
    each(worlds(), |world| {
        world.boxed("import BusyBox").done().is(0).quiet();
        assert_eq!(inside(&world, "BusyBox", "echo $(id -u) $$"), "0 1");
    });
}

#[test]
fn a_disc_with_several_archives_asks_which() {
    let world = World::user("dash");
    let script = "mkdir disc
        for name in a b; do mkdir $name && touch $name/$name; done
        for name in a b; do (cd $name && echo $name | cpio --quiet -o -H newc | gzip >../disc/$name.gz); done
        bsdtar -c --format=iso9660 -f iso -C disc .";
    world.sandbox().shell(script).done().is(0);
    world.boxed("import iso x").done().is(125).says("several cpio archives").says("--member: a.gz b.gz");
    world.boxed("import --member b.gz iso x").done().is(0).quiet();
    assert!(layers(&world, "x")[0].join("b").exists());
    world.boxed("import --member c.gz iso y").done().is(125).says("no cpio archive in it is called c.gz");
}

fn three_layers() -> [Vec<Member>; 3] {
    let mut first = system("1");
    first.extend([dir("etc"), file("etc/gone", ""), file("etc/kept", ""), file("file", "1"), dir("opaque")]);
    first.extend([
        file("opaque/old", ""),
        dir("opaque/sub"),
        dir("again"),
        file("again/old", ""),
        file("n\nl", ""),
    ]);
    let second = [dir("etc"), file("etc/.wh.gone", ""), dir("opaque"), file("opaque/.wh..wh..opq", "")];
    let replaced = [
        file("opaque/new", ""),
        file(".wh.again", ""),
        dir("again"),
        file("again/new", ""),
        file(".wh.n\nl", ""),
    ];
    let third = [file(".wh.file", ""), file("mark", "3"), dir("etc"), file("etc/third", "")];
    [first, [second.to_vec(), replaced.to_vec()].concat(), third.to_vec()]
}

#[test]
fn layers_remove_and_replace_what_is_below() {
    each(worlds(), |world| {
        layout(&world, "lay", &three_layers());
        assert_eq!(world.boxed("load lay").done().is(0).quiet().text(), "test-3");
        let seen = inside(
            &world,
            "test-3",
            "cat /mark; cd /; for f in etc/* opaque/* again/* f* n*; do echo \"$f\"; done",
        );
        assert_eq!(seen, "3etc/kept\netc/third\nopaque/new\nagain/new\nf*\nn*");
        let gone = layers(&world, "test-3")[1].join("etc/gone");
        let whiteout = fs::symlink_metadata(gone).unwrap();
        assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
    });
}

#[test]
fn a_layer_can_hide_all_that_is_below() {
    each(worlds(), |world| {
        let mut first = system("1");
        first.extend([file("below", ""), dir("etc"), file("etc/below", "")]);
        let mut second = system("2");
        second.extend([file(".wh..wh..opq", ""), dir("etc"), file("etc/kept", "")]);
        let third = vec![file("top", ""), dir("etc"), file("etc/top", "")];
        layout(&world, "lay", &[first, second, third]);
        world.boxed("load lay").done().is(0).quiet();
        let names = |image: &str| {
            let run = world
                .run(&format!("--rm {image} sh -c"))
                .arg("cat /mark; cd /; echo below* top*; cd /etc; echo below* kept* top*");
            run.done().is(0).quiet().text()
        };
        assert_eq!(names("test-3"), "2below* top\nbelow* kept top");
        // All layers are in an archive of it, and in an image of a box of it.
        world.boxed("save test-3 again.tar").done().is(0).quiet();
        world.run("--name changed test-3 sh -c").arg("echo 4 >/mark").done().is(0).quiet();
        world.boxed("commit changed four").done().is(0);
        world.boxed("rm changed").done().is(0);
        world.boxed("rmi test-3").done().is(0);
        assert_eq!(
            (names("four").as_str(), layers(&world, "four").len()),
            ("4\nbelow* top\nbelow* kept top", 4)
        );
        world.boxed("rmi four").done().is(0);
        assert_eq!(stored(&world, "layers"), [""; 0]);
        world.boxed("load again.tar").done().is(0);
        assert_eq!(names("test-3"), "2below* top\nbelow* kept top");
    });
}

#[test]
fn what_files_are_survives() {
    each(worlds(), |world| {
        let script = "mkdir src && cd src && cp /bin/busybox setuid && chmod 4755 setuid && ln setuid hard
            printf '\\377\\033' | xargs -0 touch && touch 'a
b' && truncate -s 8M sparse && setfattr -n user.color -v red setuid && mkdir -m 1777 sticky && ln -s /nowhere link
            touch -d '2001-02-03 04:05:06.789' sticky";
        world.sandbox().shell(script).done().is(0).quiet();
        world.boxed("import src one").done().is(0).quiet();
        world.boxed("save one one.tar").done().is(0).quiet();
        world.boxed("rmi one").done().is(0).quiet();
        assert_eq!(stored(&world, "layers"), [""; 0]);
        world.boxed("load one.tar").done().is(0);
        let root = &layers(&world, "one")[0];
        assert_eq!((mode(&root.join("setuid")), mode(&root.join("sticky"))), (0o4755, 0o1777));
        let inode = |name: &str| fs::symlink_metadata(root.join(name)).unwrap();
        assert_eq!(inode("setuid").ino(), inode("hard").ino());
        assert_eq!((inode("sticky").mtime_nsec(), inode("sparse").len()), (789_000_000, 8 << 20));
        assert!(inode("a\nb").is_file());
        let color = world.sandbox().run("getfattr --only-values -n user.color").arg(root.join("setuid"));
        assert_eq!(color.done().is(0).text(), "red");
    });
}

#[test]
fn a_directory_keeps_its_holes() {
    let world = World::user("dash");
    world.sandbox().shell("mkdir src; truncate -s 64M src/hole").done().is(0);
    world.boxed("import src one").done().is(0).quiet();
    assert!(fs::metadata(layers(&world, "one")[0].join("hole")).unwrap().blocks() < 100);
}

#[test]
fn as_root_owners_devices_and_capabilities_are_kept() {
    let Some(world) = World::root("dash") else { return };
    let members = [file("own", "").owner(4321), node("dev", Kind::Char(1, 3)), hard("hard", "own")];
    archive(&world, "tar", &members);
    world.boxed("import tar one").done().is(0).quiet();
    let root = layers(&world, "one")[0].clone();
    assert_eq!(fs::metadata(root.join("own")).unwrap().uid(), 4321);
    assert_eq!(fs::metadata(root.join("dev")).unwrap().rdev(), 0x103);
    world.sandbox().shell("mkdir src; cp /bin/busybox src/cap; setcap cap_net_raw+ep src/cap").done().is(0);
    world.boxed("import src two").done().is(0).quiet();
    world.boxed("save two two.tar").done().is(0);
    world.boxed("rmi two").done().is(0);
    world.boxed("load two.tar").done().is(0);
    let caps = world.sandbox().run("getcap").arg(layers(&world, "two")[0].join("cap")).done().is(0);
    assert!(caps.text().ends_with("cap_net_raw=ep"), "{caps}");
}

#[test]
fn a_user_is_told_once_that_devices_are_left_out() {
    let world = World::user("dash");
    let members = [node("dev", Kind::Char(1, 3)), node("disk", Kind::Block(8, 0)), file("f", "")];
    archive(&world, "tar", &members);
    let import = world.boxed("import tar one").done().is(0).says("left out the device nodes of tar");
    assert_eq!(import.talk().lines().count(), 1);
    assert!(layers(&world, "one")[0].join("f").exists());
}

#[test]
fn the_settings_of_an_image_are_kept_as_text() {
    let world = World::user("dash");
    let config = r#"{"Env": ["A=it's", "B=$(x) `y`", "PATH=/x", "LINES=a\nb", "=odd", "none"], "Cmd": ["-c", "a b"],
        "Entrypoint": ["/bin/sh"], "WorkingDir": "/w d", "User": "1:2", "ExposedPorts": {"80/tcp": {}}}"#;
    world.sandbox().file("make-layout", include_str!("make-layout"), 0o755);
    let tar = archive(&world, "t", &[file("f", "")]);
    world.sandbox().run("sh make-layout lay").arg(tar).env("CONFIG", config).done().is(0).quiet();
    world.boxed("import lay one").done().is(0).says("left out variables of several lines of lay: LINES");
    let image = world.store().join("images/one");
    let read = |name: &str| fs::read_to_string(image.join(name)).unwrap();
    assert_eq!(read("env"), "'A=it'\\''s'\n'B=$(x) `y`'\n'PATH=/x'\n");
    assert_eq!((read("cmd"), read("entrypoint")), ("-c 'a b'\n".into(), "/bin/sh\n".into()));
    assert_eq!(
        (read("workdir"), read("user"), read("ports")),
        ("/w d\n".into(), "1:2\n".into(), "80/tcp\n".into())
    );
}

#[test]
fn settings_that_make_no_sense_are_refused_and_nothing_is_kept() {
    let world = World::user("dash");
    world.sandbox().file("make-layout", include_str!("make-layout"), 0o755);
    let tar = archive(&world, "t", &[file("f", "")]);
    let rows = [
        (r#"{"Env": "PATH=/x"}"#, "Env is not a list"),
        (r#"{"Cmd": [1]}"#, "Cmd is not a list of words"),
        (r#"{"User": "a\nb"}"#, "User is not a text of one line"),
        (r#"{"Labels": {"x": "a\u0000b"}}"#, "a text in it has a NUL"),
        ("[]", "its config is not an object"),
    ];
    each((0..).zip(rows), |(number, (config, says)): (u32, _)| {
        let name = format!("lay{number}");
        let run = world.sandbox().run("sh make-layout").args([&name]).arg(&tar).env("CONFIG", config);
        run.done().is(0).quiet();
        world.boxed(&format!("import {name} one")).done().is(125).says(says).complains_as("box");
        nothing_is_kept(&world);
    });
}

#[test]
fn an_image_of_this_host_changes_nothing_of_it() {
    let Some(world) = World::root("dash") else { return };
    world.boxed("import --host HOST").limit(120).done().is(0).quiet();
    let etc = layers(&world, "HOST")[0].join("etc");
    assert!(etc.join("passwd").exists() && !etc.join("shadow").exists());
    let script = "rm /usr/bin/env; touch /usr/new; test ! -e /usr/bin/env; id -un; ls /root /home /tmp";
    let run = world.boxed("run --rm --net none HOST sh -euc").arg(script).done().is(0).quiet();
    assert_eq!(run.text().lines().next(), Some("root"));
    assert!(fs::metadata("/usr/bin/env").is_ok() && fs::metadata("/usr/new").is_err());
    let size: u64 =
        fs::read_to_string(world.store().join("images/HOST/size")).unwrap().trim().parse().unwrap();
    assert!(size < 64 << 20, "{size} bytes are no copy of a system");
    world.boxed("save HOST -").done().is(125).says("shows directories of this host");
}

#[test]
fn one_of_several_platforms_is_chosen() {
    let world = World::user("dash");
    world.sandbox().file("make-layout", include_str!("make-layout"), 0o755);
    let script = "for arch in amd64 arm64; do ARCH=$arch sh make-layout $arch $arch.tar; done
        mkdir -p both/blobs && cp -r amd64/blobs/. arm64/blobs/. both/blobs/ && cp amd64/oci-layout both/
        for arch in amd64 arm64; do
            jq --arg arch $arch '.manifests[0] + {platform: {os: \"linux\", architecture: $arch}}' $arch/index.json
        done | jq -s '{schemaVersion: 2, manifests: .}' >both/index.json";
    for arch in ["amd64", "arm64"] {
        world.sandbox().file(&format!("{arch}.tar"), tar(&[file(arch, "")]), 0o644);
    }
    world.sandbox().shell(script).done().is(0).quiet();
    world.boxed("import --platform linux/arm64 both arm").done().is(0).quiet();
    assert!(layers(&world, "arm")[0].join("arm64").exists());
    world
        .boxed("import --platform linux/riscv64 both risc")
        .done()
        .is(125)
        .says("for linux/amd64, linux/arm64");
}

#[test]
fn docker_save_of_old_links_layers() {
    let world = World::user("busybox sh");
    world.sandbox().file("layer.tar", tar(&system("old")), 0o644);
    let script = "mkdir -p old/a old/b && cp layer.tar old/a/ && ln -s ../a/layer.tar old/b/layer.tar
        id=sha256:$(sha256sum <layer.tar | cut -d ' ' -f 1)
        jq -n --arg id $id '{architecture: \"amd64\", os: \"linux\", rootfs: {type: \"layers\", diff_ids: [$id, $id]}}' >config
        hex=$(sha256sum <config | cut -d ' ' -f 1); mv config old/$hex.json
        jq -n --arg c $hex.json '[{Config: $c, RepoTags: [\"reg:5000/lib/old:1.2\"], Layers: [\"a/layer.tar\", \"b/layer.tar\"]}]' >old/manifest.json
        tar -C old -c . | gzip >old.tar";
    world.sandbox().shell(script).done().is(0).quiet();
    assert_eq!(world.boxed("load old.tar").done().is(0).quiet().text(), "old-1.2");
    assert_eq!(world.boxed("load old").done().is(0).quiet().text(), "old-1.2");
    assert_eq!(layers(&world, "old-1.2").len(), 2);
    assert!(fs::metadata(layers(&world, "old-1.2")[0].join("mark")).is_ok());
}

/// An ordinary user with subordinate ids, in a mount namespace where the files of root say so.
const WITH_SUBIDS: &str = "
    cp /etc/passwd passwd && echo user:x:64321:64321::$PWD:/bin/sh >>passwd && echo user:200000:65536 >subids
    mount --bind passwd /etc/passwd; mount --bind subids /etc/subuid; mount --bind subids /etc/subgid
    exec setpriv --reuid 64321 --regid 64321 --clear-groups sh -euc \"$1\"";

#[test]
fn with_subordinate_ids_a_user_keeps_owners() {
    let Some(root) = World::root("dash") else { return };
    let world = World::user("dash");
    archive(
        &world,
        "tar",
        &[dir(".").owner(1000), file("theirs", "").owner(1000).mode(0o600), file("own", "")],
    );
    let script = "BOX import tar one; BOX save one oci; BOX rmi one; test -z \"$(ls $BOX_STORE/layers)\"; BOX load oci";
    let path = tests::tools::workspace().join("shell-scripts/box");
    let run = root.sandbox().run("unshare-rs -m sh -euc").arg(WITH_SUBIDS).arg("sh");
    let run =
        run.arg(script.replace("BOX ", &format!("dash {} ", path.display()))).cwd(world.sandbox().dir());
    assert_eq!(world.with_places(run).limit(120).done().is(0).quiet().text(), "one");
    let root = layers(&world, "one")[0].clone();
    let owner = |name: &str| fs::symlink_metadata(root.join(name)).unwrap().uid();
    assert_eq!((owner("."), owner("theirs"), owner("own")), (200_999, 200_999, 64321));
}
