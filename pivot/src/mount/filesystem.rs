//! New file systems: fsopen(2), fsconfig(2), fsmount(2).

use crate::plan::MountOptions;
use chain::text::show;
use chain::{Error, Result};
use nix::errno::Errno;
use rustix::io;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A kind of file system and how it is mounted.
#[derive(Debug)]
pub struct Filesystem {
    /// Its name in /proc/filesystems.
    pub kind: &'static str,
    /// Flags of the mount.
    pub attributes: MountAttrFlags,
    /// Options of the file system.
    pub options: &'static [(&'static str, &'static str)],
}

/// Why there is no file system.
#[derive(Debug)]
pub struct Refusal {
    /// What the kernel said.
    pub errno: io::Errno,
    log: Option<String>,
    parameter: Option<OsString>,
}

type Made = Result<OwnedFd, Refusal>;

impl Filesystem {
    /// Makes one, seen by nobody yet.
    pub fn make(&self) -> Made {
        self.make_with(&MountOptions::default())
    }

    /// The same with other options; those of the table stay where they are not contradicted.
    pub fn make_with(&self, options: &MountOptions) -> Made {
        let context = Context::open(self.kind.as_ref())?;
        context.set("source".as_ref(), Some(self.kind.as_ref()))?;
        for (name, value) in self.options {
            context.set(name.as_ref(), Some(value.as_ref()))?;
        }
        context.finish(options, self.attributes.bits().into())
    }
}

/// Makes a file system of any type, with attributes where the options do not say otherwise. Read-only is one for the
/// file system too: a device may not be writable.
pub fn make_any(kind: &OsStr, options: &MountOptions, attributes: u64) -> Made {
    let context = Context::open(kind)?;
    if options.parameters.iter().all(|(name, _)| name != "source") {
        context.set("source".as_ref(), Some(kind))?;
    }
    if options.attributes(0) & chain::sys::mount::RDONLY != 0 {
        context.set("ro".as_ref(), None)?;
    }
    context.finish(options, attributes)
}

/// A file system that is being made.
#[derive(Debug)]
pub struct Context(OwnedFd);

impl Context {
    /// Begins.
    pub fn open(kind: &OsStr) -> Result<Self, Refusal> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC);
        context.map(Context).map_err(|errno| Refusal { errno, log: None, parameter: None })
    }

    /// Sets an option, with a value if it has one.
    pub fn set(&self, name: &OsStr, value: Option<&OsStr>) -> Result<(), Refusal> {
        match value {
            None => fsconfig_set_flag(&self.0, name),
            Some(value) => fsconfig_set_string(&self.0, name, value),
        }
        .map_err(|errno| Refusal { parameter: Some(name.to_owned()), ..self.refused(errno) })
    }

    /// Ends: the mount, whose attributes are those given where the options do not say otherwise.
    pub fn finish(self, options: &MountOptions, attributes: u64) -> Made {
        for (name, value) in &options.parameters {
            self.set(name, value.as_deref())?;
        }
        let attributes = MountAttrFlags::from_bits_retain(options.attributes(attributes) as u32);
        fsconfig_create(&self.0)
            .and_then(|()| fsmount(&self.0, FsMountFlags::FSMOUNT_CLOEXEC, attributes))
            .map_err(|errno| self.refused(errno))
    }

    fn refused(&self, errno: io::Errno) -> Refusal {
        let errors = errors(self.0.as_fd());
        Refusal { errno, log: (!errors.is_empty()).then(|| errors.join("; ")), parameter: None }
    }
}

/// What the kernel has to say of a context: each read(2) gives a message with its level, `e`, `w` or `i`, before it.
pub fn errors(context: BorrowedFd<'_>) -> Vec<String> {
    let mut errors = Vec::new();
    let mut message = [0; 1024];
    while let Ok(length @ 1..) = io::read(context, &mut message) {
        let text = String::from_utf8_lossy(&message[..length]);
        errors.extend(text.trim_end().strip_prefix("e ").map(str::to_owned));
    }
    errors
}

impl Refusal {
    /// The error, in the words of the file system where it has any.
    pub fn error(&self, what: String) -> Error {
        let errno = Errno::from_raw(self.errno.raw_os_error());
        match (&self.log, &self.parameter) {
            (Some(log), _) => Error::new(what, log),
            (None, Some(name)) => Error::new(what, format_args!("option {}: {}", show(name), errno.desc())),
            (None, None) if errno == Errno::ENODEV => Error::new(what, "the kernel has no such file system")
                .hint("those that it has stand in /proc/filesystems; modprobe may bring more"),
            (None, None) => Error::os(what, errno),
        }
    }
}
