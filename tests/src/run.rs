//! Commands of a sandbox: a time limit, everything captured, and nothing alive afterwards.

use crate::leak::{self, Marker};
use crate::outcome::Outcome;
use crate::wait::{becomes, patience};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A command that has not been started yet. Its environment has nothing but PATH, HOME, LANG and the marker.
#[derive(Debug)]
pub struct Run {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    user: Option<u32>,
    stdin: Stdio,
    marker: Marker,
    limit: Duration,
}

impl Run {
    /// `argv`, never empty, in directory `cwd`, as `user` (uid and gid) where that is another than our own.
    pub fn new(argv: Vec<OsString>, cwd: &Path, user: Option<u32>, marker: &Marker) -> Self {
        Run {
            argv,
            env: vec![(Marker::NAME.into(), marker.value().into())],
            cwd: cwd.to_owned(),
            user,
            stdin: Stdio::null(),
            marker: marker.clone(),
            limit: patience(60),
        }
    }

    /// Adds an argument, whatever bytes it is of.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.argv.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.cwd = self.cwd.join(dir);
        self
    }

    /// Gives it `bytes` to read; /dev/null otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: &[u8]) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).and_then(|()| file.rewind()).unwrap();
        self.stdin = file.into();
        self
    }

    /// Gives it a pipe that [`Job::input`] writes to.
    #[must_use]
    pub fn stdin_pipe(mut self) -> Self {
        self.stdin = Stdio::piped();
        self
    }

    /// Sets the time limit in seconds; 60 otherwise.
    #[must_use]
    pub fn limit(mut self, seconds: u32) -> Self {
        self.limit = patience(seconds);
        self
    }

    /// The words of the line.
    pub(crate) fn what(&self) -> String {
        self.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// The command for the standard library to start, behind the words of `prefix`.
    pub(crate) fn command(&self, prefix: &[&str]) -> Command {
        let words = prefix.iter().map(OsString::from).chain(undo_ignored().iter().map(OsString::from));
        let mut words = words.chain(self.argv.iter().cloned());
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.cwd);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts it.
    #[track_caller]
    pub fn start(self) -> Job {
        // Files, not pipes: a process that has escaped and holds a pipe open would make the reader wait for it.
        let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let what = self.what();
        let mut command = self.command(&[]);
        command.stdin(self.stdin).stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        let child = command.process_group(0).spawn().unwrap_or_else(|e| panic!("cannot start {what}: {e}"));
        Job { child, out, err, what, marker: self.marker, end: Instant::now() + self.limit }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn done(self) -> Outcome {
        self.start().done()
    }
}

/// Words that give signals their default action which the caller of the tests had ignored, as a shell without job
/// control does with INT and QUIT of what it puts into the background. SIGPIPE is the standard library's own affair.
fn undo_ignored() -> &'static [String] {
    static WORDS: OnceLock<Vec<String>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
        let ignored = (1..=31).filter(|n| *n != Signal::SIGPIPE as i32 && mask >> (n - 1) & 1 == 1);
        let mut words: Vec<String> = ignored.map(|n| format!("--default-signal={n}")).collect();
        if !words.is_empty() {
            words.insert(0, "env".to_owned());
        }
        words
    })
}

/// A running command, the leader of its own process group. Killed with all it has started when dropped.
#[derive(Debug)]
pub struct Job {
    child: Child,
    out: File,
    err: File,
    what: String,
    marker: Marker,
    end: Instant,
}

impl Job {
    /// The pid of the outermost link.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends a signal to the outermost link.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// The writing end of its standard input; dropping it is the end of the file.
    pub fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("started with stdin_pipe")
    }

    /// What it has written to standard output so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&content(&self.out)).into_owned()
    }

    /// Waits until its standard output contains `part`.
    #[track_caller]
    pub fn until(&self, part: &str) -> &Self {
        let ended = || matches!(leak::state(self.pid()), None | Some('Z'));
        let seen = || self.text().contains(part);
        becomes(self.left(), || seen() || ended());
        let (what, out, err) = (&self.what, self.text(), self.talk());
        assert!(seen(), "{part:?} was never written by {what}\nstdout: {out:?}\nstderr: {err:?}");
        self
    }

    /// What it has written to standard error so far.
    pub fn talk(&self) -> String {
        String::from_utf8_lossy(&content(&self.err)).into_owned()
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits for its end, which must come within the time limit.
    #[track_caller]
    pub fn done(mut self) -> Outcome {
        let pidfd = pidfd_open(rustix::process::Pid::from_child(&self.child), PidfdFlags::empty()).unwrap();
        let left = Timespec::try_from(self.left()).unwrap();
        let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)).unwrap() > 0;
        if !ended {
            let tree = leak::describe(&self.marker.processes());
            self.kill();
            panic!(
                "time is up for {}\n{tree}\nstdout: {:?}\nstderr: {:?}",
                self.what,
                self.text(),
                self.talk()
            );
        }
        let status = self.child.wait().unwrap();
        Outcome::new(&self.what, status, content(&self.out), content(&self.err))
    }

    fn kill(&mut self) {
        // Not reaped yet, so the number is still ours.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.kill();
    }
}

fn content(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    let got = file.read_at(&mut bytes, 0).unwrap();
    bytes.truncate(got);
    bytes
}
