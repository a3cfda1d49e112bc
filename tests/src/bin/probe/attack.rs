//! What a hostile program tries.
//!
//! | call | what it tries |
//! |---|---|
//! | `device PATH MAJOR MINOR` | makes a device node and opens it; says which of both was refused |
//! | `handle DIR KIND HEX NAME` | opens a directory by its number in the file system of DIR, and reads NAME in it |
//! | `key HIGH`, `paste HIGH` | pushes input into the terminal on standard input; HIGH is for the upper half of the request |
//! | `socket FAMILY` | makes a socket |
//! | `mount TYPE DIR [OPTIONS]`, `umount DIR` | mounts and unmounts |
//! | `unshare` | makes a user namespace |
//! | `attach PID` | stops a process to look into it |
//! | `call NUMBER [ARG]...`, `call32 NUMBER [ARG]...` | a system call by its number, the latter as 32-bit programs make it |
//! | `open FILE`, `write FILE` | opens a file for reading or for writing |
//! | `loosen FILE` | all ways to make the mount writable that a file lies on; says the first that worked, or `none` |

use nix::errno::Errno;
use nix::sched::CloneFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat, open, openat};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::mount::{mount, mount_bind, mount_remount, move_mount, open_tree, unmount};
use std::ffi::{CString, OsString};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use tests::raw::{self, FileHandle};

type Attempt = fn(&[&str]) -> Result<String, Errno>;

const ATTEMPTS: [(&str, Attempt); 14] = [
    ("device", device),
    ("handle", handle),
    ("key", |args| done(raw::push_key(b'x', number(args[0])))),
    ("paste", |args| done(raw::paste(number(args[0])))),
    ("socket", |args| done(raw::socket(number(args[0])))),
    ("mount", |args| {
        let options = CString::new(*args.get(2).unwrap_or(&"")).unwrap();
        done(mount("none", args[1], args[0], MountFlags::empty(), options.as_c_str()).map_err(errno))
    }),
    ("umount", |args| done(unmount(args[0], UnmountFlags::DETACH).map_err(errno))),
    ("unshare", |_| done(nix::sched::unshare(CloneFlags::CLONE_NEWUSER))),
    ("attach", |args| done(raw::attach(number(args[0])))),
    ("call", |args| done(raw::call(number(args[0]), arguments(&args[1..])))),
    ("call32", |args| done(raw::call32(number(args[0]), arguments(&args[1..])))),
    ("open", |args| done(open(args[0], OFlags::RDONLY, Mode::empty()).map_err(errno))),
    ("write", |args| done(open(args[0], OFlags::WRONLY, Mode::empty()).map_err(errno))),
    ("loosen", loosen),
];

/// Tries one and says what came of it.
pub fn attempt(args: &[OsString]) -> String {
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    let (_, attempt) = ATTEMPTS.iter().find(|(name, _)| *name == args[0]).unwrap();
    attempt(&args[1..]).unwrap_or_else(|errno| format!("{errno:?}"))
}

/// CALL, ERROR, and the command.
pub fn without(args: &[OsString]) {
    let call = raw::number(args[0].to_str().unwrap()).unwrap();
    let error = match args[1].to_str().unwrap() {
        "EPERM" => Errno::EPERM,
        _ => Errno::ENOSYS,
    };
    raw::refuse(&[call], error).unwrap();
    println!("{}", Command::new(&args[2]).args(&args[3..]).exec());
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

fn done<T>(result: Result<T, Errno>) -> Result<String, Errno> {
    result.map(|_| "ok".to_owned())
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn arguments(args: &[&str]) -> [u64; 6] {
    std::array::from_fn(|place| args.get(place).map_or(0, |text| number(text)))
}

fn device(args: &[&str]) -> Result<String, Errno> {
    let device = makedev(number(args[1]), number(args[2]));
    let made = mknodat(CWD, args[0], FileType::CharacterDevice, Mode::from(0o666), device);
    let opened = made.map(|()| open(args[0], OFlags::RDONLY, Mode::empty()));
    Ok(match opened {
        Err(e) => format!("not made: {:?}", errno(e)),
        Ok(Err(e)) => format!("not opened: {:?}", errno(e)),
        Ok(Ok(_)) => "ok".to_owned(),
    })
}

fn handle(args: &[&str]) -> Result<String, Errno> {
    let byte = |at: usize| u8::from_str_radix(&args[2][2 * at..2 * at + 2], 16).unwrap();
    let handle = FileHandle { kind: number(args[1]), bytes: (0..args[2].len() / 2).map(byte).collect() };
    let mount = open(args[0], OFlags::RDONLY, Mode::empty()).map_err(errno)?;
    let dir = handle.open(&mount)?;
    let mut text = String::new();
    std::fs::File::from(openat(dir, args[3], OFlags::RDONLY, Mode::empty()).map_err(errno)?)
        .read_to_string(&mut text)
        .unwrap();
    Ok(text)
}

fn loosen(args: &[&str]) -> Result<String, Errno> {
    let file = open(args[0], OFlags::PATH, Mode::empty()).map_err(errno)?;
    let way = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::fs::write("/tmp/place", "").unwrap();
    let remount = || mount_remount(&*way, MountFlags::BIND, c"").map_err(errno);
    let bind = || mount_bind(&*way, "/tmp/place").map_err(errno);
    let onto = |tree: &OwnedFd| {
        move_mount(tree, "", CWD, "/tmp/place", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).map_err(errno)
    };
    let copy = || {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_EMPTY_PATH;
        let tree = open_tree(&file, "", flags).map_err(errno)?;
        raw::make_writable(&tree).and_then(|()| onto(&tree))
    };
    let ways = [
        ("remount", remount()),
        ("bind", bind()),
        ("copy", copy()),
        ("move", onto(&file)),
        ("mount_setattr", raw::make_writable(&file)),
    ];
    let worked = ways.iter().find(|(_, result)| result.is_ok());
    Ok(worked.map_or("none".to_owned(), |(name, _)| (*name).to_owned()))
}
