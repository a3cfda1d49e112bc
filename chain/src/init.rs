//! A small init: PID 1 of a pid namespace, with the command as PID 2.
//!
//! It reaps what is left to it, hands signals on, and ends with the command. It watches its parent by itself, so
//! that no change of user in the command can keep the namespace alive when the link outside has died.

use crate::child::{Child, Parent};
use crate::error::{Cannot, Error, Result};
use crate::sys::fd::{close_from_3_except, signal_when_readable};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{DumpableBehavior, chdir, set_dumpable_behavior};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The way by which init tells the link outside that its child has been stopped.
#[derive(Debug)]
pub struct Channel {
    told: OwnedFd,
    tells: OwnedFd,
}

impl Channel {
    /// To be made before the fork.
    pub fn new() -> Result<Self> {
        let (told, tells) = pipe_with(PipeFlags::CLOEXEC).cannot("make a pipe")?;
        Ok(Channel { told, tells })
    }

    /// Outside: `child` is one that calls [`Channel::run_init`].
    pub fn listen(self, child: &mut Child) -> Result<()> {
        signal_when_readable(self.told.as_fd()).cannot("watch a pipe")?;
        child.is_init = false;
        child.stops = Some(self.told);
        Ok(())
    }

    /// Inside, as PID 1: starts `body` as PID 2 and stands for it until it ends. Returns only to say why not.
    ///
    /// Whoever is root inside can look into PID 1: it keeps no descriptor but the standard ones and its own two,
    /// no working directory, and is not dumpable.
    pub fn run_init(&self, body: impl FnOnce() -> Error) -> Error {
        match self.init(body) {
            Ok(status) => std::process::exit(status.into()),
            Err(e) => e,
        }
    }

    fn init(&self, body: impl FnOnce() -> Error) -> Result<u8> {
        let tells = self.tells.try_clone().cannot("keep a pipe")?;
        let parent = Parent::prepare_init(tells)?;
        let child = parent.start(0, None, body).cannot("start the command")?;
        chdir("/").cannot("leave the working directory")?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable).cannot("hide the memory of init")?;
        let needed: Vec<u32> = parent.descriptors().iter().map(|fd| fd.as_raw_fd() as u32).collect();
        close_from_3_except(&needed).cannot("close what was inherited")?;
        parent.wait(child)
    }
}
