//! The command of `cgctl new`: how long it may run, who is told of it, and what it took.

use crate::command::counters::Counters;
use crate::command::cut::{self, Cut, Limit, Watch};
use crate::command::limits::{self, Before};
use crate::command::log::{Log, Pipes, Relay};
use crate::command::report::{self, Form};
use crate::command::status::{self, PidFile, StatusFile};
use crate::command::then::Then;
use crate::group::Group;
use crate::hierarchy::Hierarchies;
use crate::vocabulary::duration;
use chain::child::{Ended, Parent};
use chain::error::say;
use chain::{Error, Result, exec};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What can be asked for about the command.
#[derive(clap::Args, Debug, Default, Clone)]
pub struct JobOptions {
    /// When it has ended, tell what it took: to standard error, if no --report-file is given
    #[arg(long, requires = "command", value_name = "FORM")]
    report: Option<Form>,

    /// Write the report to FILE; it is text without --report
    #[arg(long, requires = "command", value_name = "FILE")]
    report_file: Option<PathBuf>,

    /// Send it TERM after this time (30, 1.5m, 2h, 1d, 500ms); the status is then 124
    #[arg(long, requires = "command", value_name = "DURATION", value_parser = duration::parse_positive)]
    timeout: Option<Duration>,

    /// Kill all that is in the group if TERM has not ended it after this time [default: 10]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, requires = "timeout")]
    kill_after: Option<Duration>,

    /// Write its pid to FILE, and remove that when it has ended
    #[arg(long, requires = "command", value_name = "FILE")]
    pub pid_file: Option<PathBuf>,

    /// Keep its state in FILE, as one JSON object
    #[arg(long, requires = "command", value_name = "FILE")]
    status_file: Option<PathBuf>,

    /// Append what it writes to FILE too
    #[arg(long, requires = "command", value_name = "FILE")]
    log: Option<PathBuf>,

    /// When all is over, run a program; WORD is its name or, given again, its next argument
    #[arg(long, requires = "command", value_name = "WORD", allow_hyphen_values = true)]
    pub then: Vec<OsString>,

    /// Kill it, and all that is in the group, when the parent of cgctl dies
    #[arg(long, requires = "command")]
    pub die_with_parent: bool,

    /// Become it instead of waiting for it; the group, which needs a NAME, lasts for as long as a process is in it
    #[arg(long, requires = "command", conflicts_with_all = ["report", "report_file", "timeout", "status_file", "log", "then"])]
    pub exec: bool,
}

/// How long a command gets to end on TERM.
const KILL_AFTER: Duration = Duration::from_secs(10);

/// What is to be done about the command, checked.
#[derive(Debug)]
pub struct Job {
    options: JobOptions,
    limit: Option<Limit>,
    parent: Option<OwnedFd>,
    log: Option<Log>,
}

/// What has become of the command.
#[derive(Debug)]
pub struct Outcome {
    /// How it has ended.
    pub ended: Ended,
    /// Why it did, if not by itself.
    pub cut: Option<Cut>,
    /// From its start to its end.
    pub wall: Duration,
}

impl Outcome {
    /// Its time was up.
    pub fn is_timed_out(&self) -> bool {
        matches!(self.cut, Some(Cut::TimeUp | Cut::Killed))
    }

    /// The exit status: 124 when its time was up, as with timeout(1).
    pub fn status(&self) -> u8 {
        if self.is_timed_out() { 124 } else { self.ended.status() }
    }
}

impl Job {
    /// Sees to it that the files can be written, and finds the parent.
    pub fn prepare(options: JobOptions) -> Result<Self> {
        let files = [&options.pid_file, &options.status_file, &options.report_file];
        files.into_iter().flatten().try_for_each(|file| status::may_write(file))?;
        let kill_after = options.kill_after.unwrap_or(KILL_AFTER);
        let limit = options.timeout.map(|timeout| Limit { timeout, kill_after });
        let waits = !options.exec;
        let parent = (waits && options.die_with_parent).then(cut::parent).transpose()?;
        let log = options.log.as_deref().map(Log::open).transpose()?;
        Ok(Job { options, limit, parent, log })
    }

    /// Its group needs directories in which the kernel counts.
    pub fn needs_counters(&self) -> bool {
        self.options.report.is_some() || self.options.report_file.is_some()
    }

    /// Runs the command in the group, ends what is left there, removes the group, and tells of it all.
    pub fn run(
        mut self,
        parent: &Parent,
        group: Group,
        hierarchies: &Hierarchies,
        command: &[OsString],
        then: &mut Then,
    ) -> Result<u8> {
        let before = Before::note(&group, hierarchies);
        let mut file = self
            .options
            .status_file
            .clone()
            .map(|file| StatusFile::new(file, &group.name, group.path().as_deref()));
        let mut relay = None;
        let outcome = self.wait(parent, &group, command, file.as_mut(), &mut relay);
        if let Err(e) = group.kill() {
            e.report();
        }
        relay.into_iter().for_each(Relay::finish);
        let lines = limits::lines(&group, hierarchies, &before);
        let counters = self.is_counted().then(|| Counters::read(&group, hierarchies));
        let name = group.name.clone();
        // First: whoever reads what is told may have gone, and take this process along.
        group.remove();
        lines.iter().for_each(|line| say(line));
        then.oom_kills = counters.as_ref().and_then(|counters| counters.get("oom_kills"));
        then.name.clone_from(&name);
        self.tell(&name, outcome, counters, file)
    }

    /// Tells those who have asked for it, and gives the exit status.
    fn tell(
        &self,
        name: &str,
        outcome: Result<Outcome>,
        counters: Option<Counters>,
        file: Option<StatusFile>,
    ) -> Result<u8> {
        match outcome {
            Err(e) => {
                // It may be that very file which cannot be written.
                report(
                    file.map_or(Ok(()), |file| file.failed(&e)).or_else(|other| {
                        if other.to_string() == e.to_string() { Ok(()) } else { Err(other) }
                    }),
                );
                Err(e)
            }
            Ok(outcome) => {
                self.tell_cut(name, &outcome);
                if let Some(counters) = counters {
                    report(file.map_or(Ok(()), |file| file.ended(&outcome, &counters)));
                    report(self.report(name, &outcome, &counters));
                }
                Ok(outcome.status())
            }
        }
    }

    /// Becomes the command in the group. Returns only to say why not.
    pub fn exec(self, group: Group, hierarchies: &Hierarchies, command: &[OsString]) -> Error {
        let mut pid_file = None;
        let mut prepare = || -> Result<()> {
            pid_file = PidFile::write(self.options.pid_file.as_deref(), Pid::this())?;
            if self.options.die_with_parent { cut::die_with_parent() } else { Ok(()) }
        };
        group.become_in(hierarchies, || prepare().map_or_else(|e| e, |()| exec::exec(command)))
    }

    fn is_counted(&self) -> bool {
        self.needs_counters() || self.options.status_file.is_some() || !self.options.then.is_empty()
    }

    fn wait(
        &mut self,
        parent: &Parent,
        group: &Group,
        command: &[OsString],
        file: Option<&mut StatusFile>,
        relay: &mut Option<Relay>,
    ) -> Result<Outcome> {
        let pipes = self.log.as_ref().map(|_| Pipes::make()).transpose()?;
        let attach = || pipes.as_ref().map_or(Ok(()), Pipes::attach);
        let start = Instant::now();
        let child = group.start(parent, attach, command)?;
        let _pid_file = PidFile::write(self.options.pid_file.as_deref(), child.pid)?;
        file.map_or(Ok(()), |file| file.running(child.pid))?;
        *relay = self.log.take().zip(pipes).map(|(log, pipes)| Relay::begin(pipes, log)).transpose()?;
        let mut watch = Watch::begin(self.limit, self.parent.as_ref(), relay);
        let ended = parent.wait_or(child, |queue| watch.next(queue, group))?;
        Ok(Outcome { ended, cut: watch.cut, wall: start.elapsed() })
    }

    fn tell_cut(&self, name: &str, outcome: &Outcome) {
        let Some(limit) = self.limit else { return };
        let (timeout, kill_after) = (duration::show(limit.timeout), duration::show(limit.kill_after));
        match outcome.cut {
            Some(Cut::TimeUp) => {
                say(&format!("{name}: the time limit of {timeout} was reached: it ended on TERM"));
            }
            Some(Cut::Killed) => say(&format!(
                "{name}: the time limit of {timeout} was reached: killed, as TERM had not ended it after {kill_after}"
            )),
            Some(Cut::Orphaned) | None => {}
        }
    }

    fn report(&self, name: &str, outcome: &Outcome, counters: &Counters) -> Result<()> {
        if !self.needs_counters() {
            return Ok(());
        }
        let text = report::write(self.options.report.unwrap_or(Form::Text), name, outcome, counters);
        match &self.options.report_file {
            Some(file) => status::write(file, text.as_bytes()),
            None => {
                let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
                Ok(())
            }
        }
    }
}

fn report(result: Result<()>) {
    if let Err(e) = result {
        e.report();
    }
}
