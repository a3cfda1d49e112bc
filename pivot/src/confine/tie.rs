//! The tie to a parent that waits: the kernel forgets it when the user changes, PR_SET_PDEATHSIG(2const).

use chain::{Cannot, Result};
use rustix::process::{Pid, Signal, getppid, parent_process_death_signal, set_parent_process_death_signal};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The status of what SIGKILL has ended.
const KILLED: i32 = 128 + Signal::KILL.as_raw();

/// The signal that the parent's death was to send, and who the parent is.
#[derive(Debug)]
pub struct Tie {
    signal: Signal,
    parent: Parent,
}

/// From inside a pid namespace a parent outside has no number, but the old root's /proc may show it.
#[derive(Debug)]
enum Parent {
    Here(Pid),
    Outside(Option<(File, String)>),
}

impl Tie {
    /// Looks at the tie, if there is one: before the root is switched.
    pub fn note() -> Result<Option<Self>> {
        let signal = parent_process_death_signal().cannot("look at the tie to the parent")?;
        let parent = || match getppid() {
            Some(pid) => Parent::Here(pid),
            None => Parent::Outside(seen()),
        };
        Ok(signal.map(|signal| Tie { signal, parent: parent() }))
    }

    /// Ties anew; ends at once if the parent has died meanwhile.
    pub fn renew(&self) -> Result<()> {
        set_parent_process_death_signal(Some(self.signal)).cannot("follow the parent's death")?;
        let is_there = match &self.parent {
            Parent::Here(pid) => getppid() == Some(*pid),
            Parent::Outside(Some((file, pid))) => parent_in(file).as_ref() == Some(pid),
            Parent::Outside(None) => true,
        };
        if !is_there {
            std::process::exit(KILLED);
        }
        Ok(())
    }
}

fn seen() -> Option<(File, String)> {
    let file = File::open("/proc/self/stat").ok()?;
    parent_in(&file).map(|parent| (file, parent))
}

/// The second field after the name, proc_pid_stat(5).
fn parent_in(stat: &File) -> Option<String> {
    let mut text = [0; 512];
    let length = stat.read_at(&mut text, 0).ok()?;
    let (_, fields) = std::str::from_utf8(&text[..length]).ok()?.rsplit_once(')')?;
    fields.split_whitespace().nth(1).map(str::to_owned)
}
