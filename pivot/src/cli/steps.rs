//! What the values of the options that furnish the root mean.

use crate::cli::split::{below_root, cut, inside, parted_at_equals, split_unescaped, unescaped};
use crate::cli::vocabulary::{ATTRIBUTES, BIND, DEVPTS, FILE, OWNED, PROC, TMPFS, Word, octal};
use crate::cli::words;
use crate::plan::{Change, Edit, Mount, MountOptions, Source, Step};
use chain::sys::mount::RDONLY;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A step, or what is wrong with the value.
pub type Parsed = Result<Step, String>;

/// `SRC:DST[:OPTIONS]`. The last ":/" parts the first two, so SRC may hold any colon.
pub fn bind(text: &OsStr) -> Parsed {
    bind_of(text, false)
}

/// The same, read-only whatever OPTIONS say.
pub fn ro_bind(text: &OsStr) -> Parsed {
    bind(text).map(read_only)
}

/// The same, when there is such a SRC.
pub fn bind_try(text: &OsStr) -> Parsed {
    bind_of(text, true)
}

/// Both.
pub fn ro_bind_try(text: &OsStr) -> Parsed {
    bind_try(text).map(read_only)
}

fn bind_of(text: &OsStr, optional: bool) -> Parsed {
    let (paths, options) = words::part(text, &[ATTRIBUTES, BIND])?;
    let (source, target) = two_paths(paths)?;
    if source.is_empty() {
        return Err("SRC is empty".to_owned());
    }
    mounted(target, Source::Bind { source: source.into(), optional }, options)
}

/// Parts two paths at the last ":/", so that the first may hold any colon.
pub fn two_paths(paths: &OsStr) -> Result<(&OsStr, &OsStr), String> {
    let bytes = paths.as_bytes();
    let colon = bytes
        .windows(2)
        .rposition(|pair| pair == b":/")
        .ok_or("no absolute path DST stands after a colon")?;
    Ok((OsStr::from_bytes(&bytes[..colon]), OsStr::from_bytes(&bytes[colon + 1..])))
}

/// The same step, read-only.
pub fn read_only(mut step: Step) -> Step {
    if let Step::Mount(mount) = &mut step {
        mount.options.set |= RDONLY;
    }
    step
}

/// `N:DST[:OPTIONS]`
pub fn bind_fd(text: &OsStr) -> Parsed {
    let (fd, place) = descriptor(text)?;
    let (target, options) = words::part(place, &[ATTRIBUTES, BIND])?;
    mounted(target, Source::Descriptor(fd), options)
}

/// The same, read-only.
pub fn ro_bind_fd(text: &OsStr) -> Parsed {
    bind_fd(text).map(read_only)
}

fn descriptor(text: &OsStr) -> Result<(u32, &OsStr), String> {
    let (number, rest) = cut(text, b':').ok_or("no colon stands after the number of a descriptor")?;
    let is_number = number.as_bytes().iter().all(u8::is_ascii_digit);
    let fd = number.to_str().filter(|_| is_number).and_then(|number| number.parse().ok());
    Ok((fd.ok_or("it does not begin with the number of a descriptor")?, rest))
}

/// `DST[:OPTIONS]`
pub fn tmpfs(text: &OsStr) -> Parsed {
    let (target, options) = words::part(text, &[ATTRIBUTES, TMPFS])?;
    mounted(target, Source::Tmpfs, options)
}

/// `[DST][:OPTIONS]`
pub fn proc(text: &OsStr) -> Parsed {
    at(text, "/proc", Source::Proc, PROC)
}

/// `[DST][:OPTIONS]`
pub fn sys(text: &OsStr) -> Parsed {
    at(text, "/sys", Source::Sys, &[])
}

/// `[DST][:OPTIONS]`
pub fn dev(text: &OsStr) -> Parsed {
    at(text, "/dev", Source::Dev { without: Vec::new() }, TMPFS)
}

/// `[DST][:OPTIONS]`
pub fn devpts(text: &OsStr) -> Parsed {
    at(text, "/dev/pts", Source::Devpts, DEVPTS)
}

/// `[DST][:OPTIONS]`
pub fn shm(text: &OsStr) -> Parsed {
    at(text, "/dev/shm", Source::Shm, TMPFS)
}

/// `[DST][:OPTIONS]`
pub fn mqueue(text: &OsStr) -> Parsed {
    at(text, "/dev/mqueue", Source::Mqueue, &[])
}

/// `[DST][:OPTIONS]`
pub fn cgroup(text: &OsStr) -> Parsed {
    at(text, "/sys/fs/cgroup", Source::Cgroup, &[])
}

/// An absolute path with or without options, options alone, or nothing.
fn at(text: &OsStr, usual: &str, source: Source, own: &[Word]) -> Parsed {
    let known = [ATTRIBUTES, own];
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b'/') {
        let (target, options) = words::part(text, &known)?;
        return mounted(target, source, options);
    }
    let options = match bytes.strip_prefix(b":").unwrap_or(bytes) {
        [] => MountOptions::default(),
        words => words::read(words, &known)?.ok_or("it is neither an absolute path nor an option")?,
    };
    mounted(usual.as_ref(), source, options)
}

/// `TYPE:DST[:OPTIONS]`, a backslash before a colon of DST.
pub fn mount(text: &OsStr) -> Parsed {
    let (kind, rest) = cut(text, b':').ok_or("it has no colon after TYPE")?;
    if kind.is_empty() {
        return Err("TYPE is empty".to_owned());
    }
    let end = unescaped(rest.as_bytes(), b':').unwrap_or(rest.len());
    let (target, options) = rest.as_bytes().split_at(end);
    let target = split_unescaped(target, b':').concat();
    let options = words::read_any(OsStr::from_bytes(options.strip_prefix(b":").unwrap_or_default()))?;
    mounted(&OsString::from_vec(target), Source::Other(kind.to_owned()), options)
}

/// `DST[:OPTIONS]=TEXT`
pub fn file(text: &OsStr) -> Parsed {
    let (place, content) = parted_at_equals(text)?;
    let (target, options) = words::part(&place, &[FILE, OWNED])?;
    mounted(target, Source::Text(content), options)
}

/// `N:DST[:OPTIONS]`
pub fn file_fd(text: &OsStr) -> Parsed {
    let (fd, place) = descriptor(text)?;
    let (target, options) = words::part(place, &[FILE, OWNED])?;
    mounted(target, Source::Content(fd), options)
}

/// `DST=TARGET`
pub fn symlink(text: &OsStr) -> Parsed {
    match parted_at_equals(text)? {
        (_, target) if target.is_empty() => Err("TARGET is empty".to_owned()),
        (place, target) => edited(&place, Change::Link(target)),
    }
}

/// `DST[:OPTIONS]`
pub fn dir(text: &OsStr) -> Parsed {
    let (target, options) = words::part(text, &[OWNED])?;
    let owner = (options.number("uid", 10), options.number("gid", 10));
    edited(target, Change::Directory { mode: options.number("mode", 8), owner })
}

/// `DST=MODE`, parted at the last `=`.
pub fn chmod(text: &OsStr) -> Parsed {
    let bytes = text.as_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'=').ok_or("it has no =")?;
    let mode = octal(std::str::from_utf8(&bytes[at + 1..]).unwrap_or_default())
        .map_err(|why| format!("MODE is wrong: {why}"))?;
    edited(OsStr::from_bytes(&bytes[..at]), Change::Mode(mode))
}

/// `DST`, which may be the root.
pub fn remount_ro(text: &OsStr) -> Parsed {
    Ok(Step::Edit(Edit { target: below_root(text)?, change: Change::ReadOnly }))
}

/// `FILE`
pub fn hosts(text: &OsStr) -> Parsed {
    shown_as(text, "etc/hosts")
}

/// `FILE`
pub fn resolv_conf(text: &OsStr) -> Parsed {
    shown_as(text, "etc/resolv.conf")
}

fn shown_as(text: &OsStr, target: &str) -> Parsed {
    if text.is_empty() {
        return Err("FILE is empty".to_owned());
    }
    Ok(Step::Mount(Mount::read_only_file(text.into(), target)))
}

/// A mount on an absolute path.
pub fn mounted(target: &OsStr, source: Source, options: MountOptions) -> Parsed {
    Ok(Step::Mount(Mount::new(inside(target)?, source, options)))
}

fn edited(target: &OsStr, change: Change) -> Parsed {
    Ok(Step::Edit(Edit { target: inside(target)?, change }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn bound(text: &str) -> Result<(String, String, bool), String> {
        let Step::Mount(mount) = bind(OsStr::new(text))? else { panic!("no mount") };
        let Source::Bind { source, .. } = mount.source else { panic!("no bind") };
        let read_only = mount.options.set & RDONLY != 0;
        Ok((source.to_str().unwrap().to_owned(), mount.target.to_str().unwrap().to_owned(), read_only))
    }

    #[test]
    fn binds_are_parted_at_the_last_colon_before_a_slash() {
        let rows = [
            ("a:/b", ("a", "b", false)),
            ("/a:/b:ro", ("/a", "b", true)),
            ("/a:/b:rw", ("/a", "b", false)),
            ("/a:/b:ro:rw", ("/a", "b:ro", false)),
            ("/a:x:/y:/b//c/./d/", ("/a:x:/y", "b/c/d", false)),
            ("a:/b:c", ("a", "b:c", false)),
            ("/a:/b:nosuid,ro,idmap=0:1:2", ("/a", "b", true)),
        ];
        for (text, (source, target, read_only)) in rows {
            assert_eq!(bound(text), Ok((source.to_owned(), target.to_owned(), read_only)), "{text}");
        }
    }

    #[test]
    fn binds_that_make_no_sense_are_refused() {
        for text in ["", "a", "a:", "a:b", ":/b", ":/b:ro", "a:/", "a:/.", "a:/b/..", "a:/../b", "/a", "a:ro"]
        {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    fn target_of(step: Step) -> PathBuf {
        match step {
            Step::Mount(mount) => mount.target,
            Step::Edit(edit) => edit.target,
        }
    }

    #[test]
    fn a_place_may_be_left_out() {
        let target = |text: &str| proc(OsStr::new(text)).map(target_of);
        for (text, place) in
            [("", "proc"), ("pid", "proc"), (":pid", "proc"), ("/x/y", "x/y"), ("/x:pid,nosuid", "x")]
        {
            assert_eq!(target(text), Ok(place.into()), "{text}");
        }
        for text in ["x", "pid,x", "/x:pid,x", "/", "/x/..", "size=1"] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_backslash_keeps_the_separator_in_the_place() {
        let target = |step: Parsed| target_of(step.unwrap());
        assert_eq!(target(symlink(OsStr::new(r"/a\=b=c=d"))), Path::new("a=b"));
        assert_eq!(target(file(OsStr::new("/a:ro=b:ro"))), Path::new("a"));
        assert_eq!(target(chmod(OsStr::new("/a=b=700"))), Path::new("a=b"));
        assert_eq!(target(mount(OsStr::new(r"tmpfs:/a\:b:size=1"))), Path::new("a:b"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["", "x", ":/a", "1", "-1:/a", "+1:/a", "1:a", "99999999999:/a"] {
            assert!(bind_fd(OsStr::new(text)).is_err() && file_fd(OsStr::new(text)).is_err(), "{text}");
        }
        for text in ["", "/a", "/a=", "/a=8", "/a=0o7", "a=7", "/=7", "/a=17777"] {
            assert!(chmod(OsStr::new(text)).is_err(), "{text}");
        }
        for text in ["", "tmpfs", ":/a", "tmpfs:a", "tmpfs:/", "tmpfs:/a:=1", "tmpfs:/a:ro=1"] {
            assert!(mount(OsStr::new(text)).is_err(), "{text}");
        }
        assert!(symlink(OsStr::new("/a=")).is_err() && symlink(OsStr::new("/a")).is_err());
    }
}
