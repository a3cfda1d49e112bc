//! What all sandboxes of one test process share: the tools, and a root directory for each kind of user.

use crate::program;
use crate::tools::{TOOLS, bin, workspace};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A directory for everything that the tests of this process make, where any user may come.
#[derive(Debug)]
pub struct Shared {
    dir: PathBuf,
    // Dropped by the end of the process, however it comes: that is the end of the file that the cleaner reads.
    _cleaner: Child,
    roots: [OnceLock<PathBuf>; 2],
}

/// A user that exists nowhere: without root's rights, and with no group, file or process in common with anyone.
pub const NOBODY_ELSE: u32 = 64_321;

impl Shared {
    /// The one of this process.
    pub fn get() -> &'static Shared {
        static SHARED: OnceLock<Shared> = OnceLock::new();
        SHARED.get_or_init(Shared::make)
    }

    fn make() -> Self {
        let dir = tempfile::Builder::new().prefix("chain-test-").tempdir().unwrap().keep();
        let cleaner = remove_at_the_end(&dir);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.join("bin")).unwrap();
        for tool in TOOLS.into_iter().chain(["probe"]) {
            link_or_copy(&bin(tool), &dir.join("bin").join(tool));
        }
        install_scripts(&dir);
        Shared { dir, _cleaner: cleaner, roots: Default::default() }
    }

    /// Where sandboxes are made.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the tools are.
    pub fn bin(&self) -> PathBuf {
        self.dir.join("bin")
    }

    /// A root directory that this user owns, made when first wanted.
    pub fn root(&self, user: Option<u32>) -> &Path {
        self.roots[usize::from(user.is_some())].get_or_init(|| {
            let root = self.dir.join(if user.is_some() { "root-of-user" } else { "root" });
            make_root(&root);
            give_all(&root, user);
            root
        })
    }
}

/// A process of its own session waits for the end of this one, to do what a killed test cannot. It stays on one
/// file system: a mount that was left in there shows something that must not be removed.
fn remove_at_the_end(dir: &Path) -> Child {
    let mut cleaner = Command::new("setsid");
    cleaner.args(["sh", "-c", "read -r _; rm -rf --one-file-system -- \"$1\"", "sh"]).arg(dir);
    cleaner.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    cleaner.process_group(0).spawn().expect("setsid of util-linux must be installed")
}

/// A root directory of busybox, with the probe.
pub fn make_root(root: &Path) {
    let script = workspace().join("shell-scripts/mkrootfs");
    if script.is_file() {
        let made = Command::new(script).arg("--busybox").arg(root).output().unwrap();
        assert!(made.status.success(), "mkrootfs: {}", String::from_utf8_lossy(&made.stderr));
    } else {
        busybox_root(root);
    }
    // No link: the kernel notes a change of the file with each one that others make, and tar refuses such a file.
    program::copy(bin("probe"), root.join("bin/probe"));
}

/// As `make install` does it.
fn install_scripts(prefix: &Path) {
    let scripts = workspace().join("shell-scripts");
    fs::create_dir_all(prefix.join("share/chain")).unwrap();
    program::copy_tree(scripts.join("walkthrough"), prefix.join("share/chain/walkthrough"));
    for script in ["mkrootfs", "box"] {
        program::copy(scripts.join(script), prefix.join("bin").join(script));
        let parts = format!("{script}.d");
        program::copy_tree(scripts.join(&parts), prefix.join("share/chain").join(&parts));
    }
}

fn busybox_root(root: &Path) {
    for dir in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    let list = Command::new("busybox").arg("--list").output().expect("busybox must be installed");
    program::copy("/bin/busybox", root.join("bin/busybox"));
    for applet in String::from_utf8(list.stdout).unwrap().lines().filter(|applet| *applet != "busybox") {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
}

fn link_or_copy(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        program::copy(from, to);
    }
}

/// Makes `user` the owner of a directory and of all directories in it. The files stay as they are: some are links to
/// files that are not ours.
pub fn give_all(dir: &Path, user: Option<u32>) {
    chown(dir, user, user).unwrap();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            give_all(&entry.path(), user);
        }
    }
}
