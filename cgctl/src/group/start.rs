//! A command started in a group.

use crate::group::made::report;
use crate::group::mark::Mark;
use crate::group::{Directory, Group, Part, enter};
use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::plan::advice;
use chain::child::{Child, Parent};
use chain::{Error, Result, exec};
use nix::errno::Errno;
use std::ffi::OsString;
use std::os::fd::AsFd;

impl Group {
    /// Enters the group with this process, which leaves it to the next program. On an error the group is removed.
    pub fn become_in(self, hierarchies: &Hierarchies, next: impl FnOnce() -> Error) -> Error {
        let why = match self.mark(Mark::Lasts).and_then(|()| self.join(|_| true)) {
            Ok(()) => next(),
            Err(e) => e,
        };
        self.return_to_own(hierarchies);
        self.remove();
        why
    }

    fn return_to_own(&self, hierarchies: &Hierarchies) {
        for part in &self.parts {
            let Hierarchy { version, mount, own, .. } = &hierarchies.0[part.hierarchy];
            let own = own.as_ref().and_then(|own| Directory::open(*version, mount.join(own)).ok());
            report(own.map_or(Ok(()), |own| enter::all(std::iter::once(&own))));
        }
    }

    /// Starts the command in the group, with what `prepare` does to its process.
    pub fn start(
        &self,
        parent: &Parent,
        prepare: impl Fn() -> Result<()>,
        command: &[OsString],
    ) -> Result<Child> {
        let unified = self.parts.iter().find(|part| part.place.version == Version::V2);
        let into = unified.map(|part| part.directory.as_fd());
        let join_v1 = || self.join(|part| part.place.version == Version::V1);
        let become_it = || prepare().map_or_else(|e| e, |()| exec::exec(command));
        let started = parent.start_at_once(0, into, || join_v1().map_or_else(|e| e, |()| become_it()));
        match started {
            Err(Errno::ENOSYS | Errno::E2BIG | Errno::EINVAL | Errno::EPERM) if into.is_some() => {
                let join = || self.join(|_| true);
                parent.start(0, None, || join().map_or_else(|e| e, |()| become_it()))
            }
            other => other,
        }
        .map_err(|errno| self.cannot_start(errno))
    }

    fn join(&self, which: impl Fn(&Part) -> bool) -> Result<()> {
        enter::all(self.parts.iter().filter(|part| which(part)).map(|part| &part.directory))
    }

    fn cannot_start(&self, errno: Errno) -> Error {
        let what = format!("start a process in group {}", self.name);
        let unified = self.parts.iter().find(|part| part.directory.version == Version::V2);
        let error = Error::os(&what, errno);
        match errno {
            // Another has made a group inside it meanwhile.
            Errno::EBUSY => unified
                .map_or(error, |part| enter::refused_as(&what, &part.directory, rustix::io::Errno::BUSY)),
            Errno::EACCES => error.hint(advice::boundary(true)),
            Errno::EAGAIN => error.hint("a limit on processes, its own or of a group around it, is reached"),
            Errno::ENOENT | Errno::ENODEV => Error::new(what, "somebody has removed it"),
            Errno::EOPNOTSUPP => error.hint("a group around it is threaded, and takes no process below it"),
            _ => error,
        }
    }
}
