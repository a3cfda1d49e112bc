//! The end of a group: its processes killed, and its directory removed.

use crate::group::Directory;
use crate::hierarchy::patience::Patience;
use crate::hierarchy::{events, file, tree};
use chain::error::say;
use chain::process::Status;
use chain::{Cannot, Error, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::time::Duration;

/// How long processes get to end after SIGKILL, before it is told and after.
const PATIENT: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];
/// The same for somebody else's, which may as well wait for the next chance.
const HASTY: [Duration; 1] = [Duration::from_millis(200)];

impl Directory {
    /// Ends every process in it and below it, and waits until they have gone. Says so when that takes long.
    pub fn kill(&self) -> Result<()> {
        self.kill_within(&PATIENT)
    }

    /// The same, without waiting for long.
    pub fn kill_hastily(&self) -> Result<()> {
        self.kill_within(&HASTY)
    }

    fn kill_within(&self, limits: &[Duration]) -> Result<()> {
        for (index, limit) in limits.iter().enumerate() {
            let patience = &mut Patience::of(*limit);
            let gone = match file::write(&self.fd, "cgroup.kill", "1") {
                Ok(()) => events::until(&self.fd, "populated", 0, patience),
                Err(_) => self.kill_each(patience),
            };
            match gone {
                true => return Ok(()),
                false if index + 1 < limits.len() => say(&format!("waiting for {} to end", self.remaining())),
                false => {}
            }
        }
        Err(Error::new(
            format_args!("empty {}", self.path.display()),
            format_args!("{} does not end", self.remaining()),
        )
        .hint("`cgctl gc` removes the group when it has"))
    }

    /// Rounds of SIGKILL; a pause only when no new process has been born since the last round. The freezer, where
    /// this is one, keeps them from being born during a round, and a frozen process would not end.
    fn kill_each(&self, patience: &mut Patience) -> bool {
        let mut seen = HashSet::new();
        loop {
            let processes = self.processes();
            if processes.is_empty() {
                return true;
            }
            self.freeze("FROZEN");
            let mut is_news = false;
            // 0 stands for a process of another pid namespace, and to kill(2) for this very process group.
            for pid in processes.into_iter().filter(|pid| *pid > 0) {
                is_news |= seen.insert(pid);
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            self.freeze("THAWED");
            let goes_on = if is_news { patience.left().is_some() } else { patience.pause() };
            if !goes_on {
                return false;
            }
        }
    }

    fn freeze(&self, state: &str) {
        if file::write(&self.fd, "freezer.state", state).is_ok() && state == "THAWED" {
            let _ = tree::each(&self.fd, |group, _| {
                let _ = file::write(group, "freezer.state", state);
            });
        }
    }

    fn remaining(&self) -> String {
        let processes = self.processes();
        match processes.iter().find(|pid| **pid > 0) {
            None if processes.is_empty() => "a process".to_owned(),
            None => "a process of another pid namespace".to_owned(),
            Some(pid) => {
                let status = Status::read(&pid.to_string());
                let field = |name| {
                    status.as_ref().ok().and_then(|status| status.field(name)).unwrap_or("?").to_owned()
                };
                let more = if processes.len() > 1 { " and others" } else { "" };
                format!("process {pid} ({}, state {}){more}", field("Name"), field("State"))
            }
        }
    }

    /// Ends what is in it and removes it, with all groups below it.
    pub fn end(&self) -> Result<()> {
        self.end_within(&PATIENT)
    }

    /// The same, without waiting for long.
    pub fn end_hastily(&self) -> Result<()> {
        self.end_within(&HASTY)
    }

    fn end_within(&self, limits: &[Duration]) -> Result<()> {
        // Without a name, an orphan that was held from within may have found another who removes it.
        let is_removable = || !self.has_shared_base() || self.is_takeable();
        if is_removable() && std::fs::remove_dir(&self.path).is_ok() {
            return Ok(());
        }
        self.kill_within(limits)?;
        if !is_removable() {
            return Ok(());
        }
        let patience = &mut Patience::of(limits[0]);
        let removed = tree::clear(&self.fd, patience)
            .and_then(|()| tree::remove(rustix::fs::CWD, &self.path, patience));
        removed.cannot_with(|| format!("remove {}", self.path.display()))
    }
}
