//! A running `box serve`.

use crate::client::Client;
use crate::world::World;
use nix::sys::signal::Signal;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use tests::{Job, Outcome, Run, eventually, leak};

/// It is ended with all boxes that it has made when it goes out of scope, and has then left nothing.
#[derive(Debug)]
pub struct Served {
    world: World,
    job: Option<Job>,
    client: Client,
}

impl Served {
    /// For root, under dash.
    pub fn root() -> Option<Self> {
        Some(Served::over(World::dash()?))
    }

    /// With all of it under this shell, and not just what the test starts.
    pub fn under(shell: &'static str) -> Option<Self> {
        let world = World::root(shell)?;
        if shell == "dash" {
            return Some(Served::over(world));
        }
        let script = "mount --bind /bin/busybox \"$(readlink -f /bin/sh)\"; exec \"$0\" \"$@\"";
        let run = world.sandbox().run("unshare-rs -m sh -euc").arg(script).args(["box", "serve"]);
        let run = world.with_places(run);
        Some(Served::started(world, run))
    }

    /// A world that is there already.
    pub fn over(world: World) -> Self {
        let run = world.boxed("serve");
        Served::started(world, run)
    }

    fn started(world: World, run: Run) -> Self {
        let job = listening(run);
        let client = Client::new(&world.runs().join("api.sock"));
        Served { world, job: Some(job), client }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// Ends it by a signal, as ^C does.
    #[track_caller]
    pub fn end(&mut self, signal: Signal) -> Outcome {
        let job = self.job.take().unwrap();
        job.signal(signal);
        job.done()
    }

    /// Starts it again.
    pub fn again(&mut self) {
        self.job = Some(listening(self.world.boxed("serve")));
    }
}

impl Deref for Served {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            job.signal(Signal::SIGTERM);
            job.done();
        }
        if !std::thread::panicking() {
            assert_left_nothing(&self.world.runs());
        }
    }
}

/// Starts a server, and waits until it says that it listens.
#[track_caller]
pub fn listening(run: Run) -> Job {
    let job = run.limit(600).start();
    eventually("box serve listens", || {
        assert!(!matches!(leak::state(job.pid()), None | Some('Z')), "box serve has ended: {}", job.talk());
        job.talk().contains("box: try curl")
    });
    job
}

/// Asserts that no server with this run directory is there any more.
#[track_caller]
pub fn assert_left_nothing(runs: &Path) {
    eventually("no process of the server is left", || server_processes(runs).is_empty());
    let left: Vec<PathBuf> = fs::read_dir(runs)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sock" || end == "token") || is_desk(path))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn is_desk(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with(".serve")
}

/// The command lines of lighttpd, its keeper and all that answers requests, by the desk that their environment names.
pub fn server_processes(runs: &Path) -> Vec<String> {
    let desk = format!("BOX_DESK={}/.serve", runs.display());
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let file = |name: &str| {
            fs::read(process.path().join(name))
                .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
                .unwrap_or_default()
        };
        if file("environ").contains(&desk) && !file("cmdline").is_empty() {
            found.push(file("cmdline"));
        }
    }
    found
}
