//! A namespace in no network, of a user without rights unless the test says otherwise.

#![allow(clippy::panic, reason = "helpers of tests fail by panicking")]

use super::{command, sh};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Words that make the rest of the line run as a user without rights, and as root of a user namespace.
pub const USER: &str = "setpriv --reuid=1234 --regid=1234 --clear-groups --";
pub const ROOTLESS: &str = "setpriv --reuid=1234 --regid=1234 --clear-groups -- unshare -Ur --";

/// Whether there is a pasta; a skip says so.
pub fn has_pasta() -> bool {
    let has = Command::new("pasta").arg("--version").output().is_ok();
    if !has {
        super::skip("it needs pasta, of the package passt");
    }
    has
}

/// Has what a user needs: the tool where all may run it, and a device that all may open, as udev(7) gives it.
pub fn prepare() {
    sh("mkdir /run/bin; cp $(command -v netns) /run/bin; mount -t tmpfs -o mode=755 t /dev/net
        mknod -m 666 /dev/net/tun c 10 200");
}

/// A script whose `netns` is the one that all may run.
pub fn script(text: &str) -> String {
    format!("PATH=/run/bin:$PATH; {text}")
}

/// `netns new` with a command that stays until this goes out of scope; the namespace is called `guest` meanwhile.
pub struct Guest {
    child: Child,
    input: Option<ChildStdin>,
}

impl Guest {
    /// Behind the words of `head`.
    #[track_caller]
    pub fn new(head: &str, options: &str) -> Self {
        let text = format!("exec {head} netns new {options} -- sh -c 'echo $$; exec cat >&2'");
        let mut child = command(&script(&text)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid: u32 = line.trim().parse().unwrap_or_else(|_| panic!("{options}: it did not start"));
        let _ = std::fs::remove_file("/run/netns/guest");
        symlink(format!("/proc/{pid}/ns/net"), "/run/netns/guest").unwrap();
        let input = child.stdin.take();
        Guest { child, input }
    }

    /// Ends the command, and waits until all that went with it has ended.
    pub fn end(&mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }

    /// The process `netns`, behind timeout(1).
    pub fn pid(&self) -> u32 {
        sh(&format!("pgrep -P {}", self.child.id())).parse().unwrap()
    }

    /// A process of this name that netns has started.
    pub fn helper(&self, name: &str) -> u32 {
        sh(&format!("pgrep -x -P {} '{name}'", self.pid())).parse().unwrap()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.end();
    }
}

/// All that a stream gives.
pub fn rest(mut stream: impl Read) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).map(|_| all)
}
