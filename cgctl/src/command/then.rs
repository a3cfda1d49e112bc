//! `--then`: a program that is run when all is over, told what has become of the command.

use crate::command::job::JobOptions;
use chain::child::Parent;
use chain::exec::{Environment, exec_with};
use chain::{Error, Result};
use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

/// The program, and what it is told by variables.
#[derive(Debug)]
pub struct Then {
    words: Vec<OsString>,
    /// The name of the group, once there was one.
    pub name: String,
    /// How many processes were ended for want of memory, where the kernel counted them.
    pub oom_kills: Option<u64>,
}

impl Then {
    /// What the options ask for, perhaps nothing.
    pub fn new(options: &JobOptions) -> Self {
        Then { words: options.then.clone(), name: String::new(), oom_kills: None }
    }

    /// Runs it and waits. Its status, and that it cannot be run, change nothing.
    pub fn run(self, result: &Result<u8>) {
        if self.words.is_empty() {
            return;
        }
        if let Err(e) = self.start_and_wait(result) {
            e.report();
        }
    }

    fn start_and_wait(&self, result: &Result<u8>) -> Result<()> {
        let status = result.as_ref().map_or_else(Error::exit_status, |status| *status);
        let error = result.as_ref().err().map_or(String::new(), ToString::to_string);
        let kills = self.oom_kills.map_or(String::new(), |count| count.to_string());
        let mut environment = Environment::current();
        environment.set("CGCTL_NAME", &self.name);
        environment.set("CGCTL_STATUS", status.to_string());
        environment.set("CGCTL_OOM_KILLS", kills);
        environment.set("CGCTL_ERROR", error);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        environment.set("CGCTL_ENDED", now.to_string());
        let parent = Parent::prepare()?;
        let child = parent
            .start_at_once(0, None, || exec_with(&self.words, &environment))
            .map_err(|errno| Error::os("start the program of --then", errno))?;
        parent.wait(child).map(drop)
    }
}
