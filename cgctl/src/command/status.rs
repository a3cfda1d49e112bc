//! The files in which others find the pid of the command, and what has become of it.

use crate::command::counters::Counters;
use crate::command::job::Outcome;
use crate::command::report;
use chain::replace::{check, replace};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::unistd::Pid;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Says why a file cannot be written, before anything is made.
pub fn may_write(file: &Path) -> Result<()> {
    check(file).cannot_with(|| format!("write {}", show(file)))
}

/// Writes a file so that a reader finds it whole or not at all.
pub fn write(file: &Path, content: &[u8]) -> Result<()> {
    replace(file, content).cannot_with(|| format!("write {}", show(file)))
}

/// The file with the pid of the command; removed when dropped, since the number may be another process's then.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes it, where one was asked for.
    pub fn write(file: Option<&Path>, pid: Pid) -> Result<Option<Self>> {
        let Some(file) = file else { return Ok(None) };
        write(file, format!("{pid}\n").as_bytes())?;
        Ok(Some(PidFile(file.to_owned())))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if std::fs::metadata(&self.0).is_ok_and(|found| found.is_file()) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

/// The file of the status: an object whose `state` is `running`, `ended` or `failed`.
#[derive(Debug)]
pub struct StatusFile {
    file: PathBuf,
    fields: Map<String, Value>,
}

impl StatusFile {
    /// For the group of this name and path, where there is one.
    pub fn new(file: PathBuf, name: &str, group: Option<&Path>) -> Self {
        let fields = [
            ("name", name.into()),
            ("group", group.map(Path::to_string_lossy).into()),
            ("cgctl", std::process::id().into()),
        ];
        StatusFile {
            file,
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        }
    }

    /// The command has started.
    pub fn running(&mut self, pid: Pid) -> Result<()> {
        self.set([("state", "running".into()), ("pid", pid.as_raw().into()), ("started_usec", now())]);
        self.write()
    }

    /// It has ended.
    pub fn ended(mut self, outcome: &Outcome, counters: &Counters) -> Result<()> {
        self.set([("state", "ended".into()), ("ended_usec", now())]);
        self.fields.extend(report::fields(outcome));
        report::add_counters(&mut self.fields, counters);
        self.write()
    }

    /// It could not be started, or not be waited for.
    pub fn failed(mut self, why: &Error) -> Result<()> {
        self.set([
            ("state", "failed".into()),
            ("status", why.exit_status().into()),
            ("error", why.to_string().into()),
        ]);
        self.write()
    }

    fn set<const N: usize>(&mut self, fields: [(&str, Value); N]) {
        self.fields.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }

    fn write(&self) -> Result<()> {
        write(&self.file, format!("{}\n", json!(self.fields)).as_bytes())
    }
}

/// Microseconds of Unix time.
fn now() -> Value {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64).into()
}
