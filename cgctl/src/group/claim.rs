//! A directory made, with what an orphan of its name left taken away first.

use crate::group::mark::{self, Announcement, Mark};
use crate::group::{Directory, lock};
use crate::hierarchy::file;
use crate::hierarchy::patience::Patience;
use crate::hierarchy::place::{Base, Kind, Place};
use rustix::fs::{Mode, fchmod, mkdirat};
use rustix::io::{self, Errno};
use std::ffi::OsStr;
use std::time::Duration;

/// How long a name is waited for whose group somebody is removing.
const REMOVAL: Duration = Duration::from_secs(2);

/// What came of trying to make a directory.
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Made(Directory),
    /// Another cgctl has a group of this name.
    InUse,
    /// There is one that stays, or is none of ours.
    There,
}

/// Races with those who remove the directory of groups as soon as it is empty are lost a few times at most.
const ATTEMPTS: u32 = 1000;

/// Makes the directory `name` in `place` and locks it. What an orphan of that name left is removed first, if it is a
/// name that was given; the others are many.
pub fn claim(place: &Place, name: &str) -> io::Result<Claim> {
    let patience = &mut Patience::of(REMOVAL);
    for _ in 0..ATTEMPTS {
        match place.open().and_then(|base| make(place, base, name)) {
            Ok(Some(directory)) => return Ok(Claim::Made(directory)),
            Ok(None) if place.kind == Kind::Transient => return Ok(Claim::InUse),
            Ok(None) => match adopt(place, name) {
                Ok(Adoption::Ours(orphan)) => drop(orphan.end()),
                Ok(Adoption::None) => return Ok(Claim::There),
                Ok(Adoption::Owned) => return Ok(Claim::InUse),
                Ok(Adoption::Leaving) if !patience.pause() => return Ok(Claim::InUse),
                Ok(Adoption::Leaving) | Err(Errno::NOENT | Errno::NODEV) => {}
                Err(e) => return Err(e),
            },
            Err(Errno::NOENT | Errno::NODEV) => {}
            Err(e) => return Err(e),
        }
    }
    Err(Errno::NOENT)
}

/// `None` when it is there already.
fn make(place: &Place, base: Base, name: &str) -> io::Result<Option<Directory>> {
    if place.kind == Kind::Named {
        lock::share(&base.fd)?;
    }
    let is_to_be_marked = place.kind == Kind::Inside;
    let announcement = is_to_be_marked.then(|| Announcement::make(&base.fd, OsStr::new(name))).flatten();
    match mkdirat(&base.fd, name, Mode::RWXU) {
        Err(Errno::EXIST) => return Ok(None),
        other => other?,
    }
    let fd = file::directory_in(&base.fd, name)?;
    let path = place.path().join(name);
    let directory = Directory { version: place.version, path, fd, _held: base.held, made: base.made };
    let is_ours = lock::take(&directory.fd);
    match place.kind {
        Kind::Named if !is_ours => return Err(Errno::BUSY),
        // It was taken for an orphan.
        Kind::Transient | Kind::Inside if !(is_ours && lock::is_at(&directory.fd, &base.fd, name)) => {
            return Err(Errno::NOENT);
        }
        _ => {}
    }
    let ready = fchmod(&directory.fd, Mode::from_raw_mode(0o755));
    let marked = || if is_to_be_marked { mark::set(&directory.fd, Mark::Goes) } else { Ok(()) };
    if let Err(e) = ready.and_then(|()| marked()).and_then(|()| place.prepare(&base.fd, &directory.fd)) {
        let _ = directory.end();
        return Err(e);
    }
    drop(announcement);
    Ok(Some(directory))
}

/// What is the matter with a name that is taken.
enum Adoption {
    /// An orphan, now ours to remove.
    Ours(Directory),
    /// A cgctl that lives has it.
    Owned,
    /// Somebody is removing it.
    Leaving,
    /// It needs no owner.
    None,
}

/// Takes over the group `name` when nobody owns it.
fn adopt(place: &Place, name: &str) -> io::Result<Adoption> {
    let base = file::directory(&place.path())?;
    if place.kind == Kind::Named {
        lock::exclude(&base)?;
    }
    let fd = file::directory_in(&base, name)?;
    let path = place.path().join(name);
    let is_unmarked = mark::get(&fd).is_none();
    if Directory::open(place.version, path.clone())?.stays() || is_unmarked && place.kind == Kind::Inside {
        return Ok(Adoption::None);
    }
    let is_leaving = lock::take_part(&fd);
    Ok(match Directory::adopt_closely(place.version, path, fd) {
        Some(orphan) => Adoption::Ours(orphan),
        None if is_leaving => Adoption::Leaving,
        None => Adoption::Owned,
    })
}
