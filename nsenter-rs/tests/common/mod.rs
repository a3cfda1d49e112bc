//! Processes to enter, in the sandboxes of the harness.

#![allow(dead_code, reason = "not every test file needs all of it")]

use tests::{Job, Outcome, Run, Sandbox};

/// Words of a line; a no-break space stands for a blank within one word.
pub fn words(line: &str) -> impl Iterator<Item = String> {
    let words = line.split([' ', '\n']).filter(|word| !word.is_empty());
    words.map(|word| word.replace('\u{a0}', " "))
}

/// A process that waits to be entered; killed when dropped.
pub struct Target {
    /// Its number outside.
    pub pid: String,
    job: Job,
}

impl Target {
    /// A probe that the words of `line` start.
    pub fn start(sandbox: &Sandbox, line: &str) -> Target {
        Target::of(sandbox, sandbox.run("").args(words(line)).args(["probe", "hold"]))
    }

    /// A probe that `run` starts.
    pub fn of(sandbox: &Sandbox, run: Run) -> Target {
        let job = run.start();
        job.until("ready");
        Target { pid: sandbox.inner("probe").to_string(), job }
    }

    /// Ends the chain that it was started by as a user would, so that the links undo what they made.
    pub fn end(self) {
        self.job.signal(nix::sys::signal::Signal::SIGTERM);
        self.job.done();
    }

    /// nsenter-rs with the words of `line`, `T` being this process.
    pub fn enter(&self, sandbox: &Sandbox, line: &str) -> Run {
        self.with(sandbox, "nsenter-rs", line)
    }

    /// Another program likewise.
    pub fn with(&self, sandbox: &Sandbox, tool: &str, line: &str) -> Run {
        let is_target = |word: String| match word.as_str() {
            "T" => self.pid.clone(),
            _ => word.replace("/T/", &format!("/{}/", self.pid)),
        };
        sandbox.run(tool).args(words(line).map(is_target))
    }

    /// What came out of that.
    #[track_caller]
    pub fn text(&self, sandbox: &Sandbox, line: &str) -> String {
        self.enter(sandbox, line).done().is(0).text()
    }

    /// A refusal by nsenter-rs itself, told as the contract says.
    #[track_caller]
    pub fn refused(&self, sandbox: &Sandbox, line: &str) -> Outcome {
        self.enter(sandbox, line).done().is(125).complains_as("nsenter-rs")
    }
}
