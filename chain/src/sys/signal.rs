//! Signals: waiting for them with their origin, stopping oneself, undoing what was inherited.

use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, sigaction, sigprocmask,
};
use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;

/// A signal that was taken from the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Which one.
    pub signal: Signal,
    /// Another process sent it; otherwise the kernel did, for a terminal's key, hang-up or resize.
    pub sent: bool,
}

/// The next signal of `queue`, whose signals must be blocked: signalfd(2). Unlike sigwaitinfo(2), waiting in this
/// way leaves them in the mask that /proc shows, so that a link around this one can tell that they are taken.
pub fn next(queue: &SignalFd) -> Result<Received, Errno> {
    loop {
        match queue.read_signal() {
            // SI_USER, SI_QUEUE and SI_TKILL are 0 or negative; what the kernel sends is positive.
            Ok(Some(info)) => {
                let signal = Signal::try_from(info.ssi_signo as i32)?;
                return Ok(Received { signal, sent: info.ssi_code <= 0 });
            }
            Ok(None) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e),
        }
    }
}

/// Gives `signal` its default action again, whatever the caller of this program had set.
pub fn reset(signal: Signal) -> Result<(), Errno> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: installing the default action runs no code of ours.
    unsafe { sigaction(signal, &default) }.map(drop)
}

/// Gives every signal its default action again. Not by sigaction(3), which leaves the C library's own two as they are,
/// and so an "ignore" that was inherited for them.
pub fn reset_all() {
    // All zero is SIG_DFL without flags in every layout of the kernel's struct sigaction.
    let default = [0_u64; 4];
    for number in 1..=64 {
        // SAFETY: the default action runs no code of ours, and the kernel only reads `default`. It refuses SIGKILL and
        // SIGSTOP, which are at their defaults anyway.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), std::ptr::null::<u64>(), 8);
        }
    }
}

/// The signals that have been sent to this process, and that it blocks: sigpending(2).
pub fn pending() -> SigSet {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: the call fills in the whole set, and cannot fail for a pointer that is ours.
    unsafe {
        libc::sigpending(set.as_mut_ptr());
        SigSet::from_sigset_t_unchecked(set.assume_init())
    }
}

/// Stops this process by `signal` (SIGTSTP, SIGTTIN or SIGTTOU, blocked by the caller) as its default action
/// would, and returns when it is continued; at once where the kernel does not stop it, as in an orphaned
/// process group that no shell could continue.
pub fn stop_self(signal: Signal) -> Result<(), Errno> {
    let only = SigSet::from(signal);
    kill(Pid::this(), signal)?;
    sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&only), None)?;
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&only), None)
}
