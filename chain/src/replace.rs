//! Small files that others read: each is found whole or not at all.

use nix::unistd::{AccessFlags, access};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Gives `file` this content at once: written under another name beside it, then renamed. A device, a pipe, or what is
/// open already, as /dev/stdout is, gets it as it is.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    if !is_replaced(file) {
        return OpenOptions::new().append(true).open(file)?.write_all(content);
    }
    let file = real(file)?;
    let draft = draft(&file);
    // Left by a killed process that had our number.
    let _ = fs::remove_file(&draft);
    let written = OpenOptions::new().write(true).create_new(true).open(&draft).and_then(|mut open| {
        open.write_all(content)?;
        fs::rename(&draft, &file)
    });
    written.inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// Says beforehand why [`replace`] would fail, as far as that can be known.
pub fn check(file: &Path) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(nix::errno::Errno::EISDIR.into()),
        Ok(_) if !is_replaced(file) => Ok(access(file, AccessFlags::W_OK)?),
        _ => {
            let file = real(file)?;
            let name = file.file_name().ok_or(nix::errno::Errno::ENOENT)?;
            // The name of the draft is longer.
            if name.len() > 240 {
                return Err(nix::errno::Errno::ENAMETOOLONG.into());
            }
            let parent = file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
            if !fs::metadata(parent)?.is_dir() {
                return Err(nix::errno::Errno::ENOTDIR.into());
            }
            Ok(access(parent, AccessFlags::W_OK | AccessFlags::X_OK)?)
        }
    }
}

fn is_replaced(file: &Path) -> bool {
    let is_open = ["/dev", "/proc"].iter().any(|top| file.starts_with(top));
    !is_open && fs::metadata(file).map_or(true, |found| found.is_file())
}

/// A link stays what it is: the file that it leads to is replaced. One that leads nowhere is an error.
fn real(file: &Path) -> io::Result<PathBuf> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.is_symlink() => fs::canonicalize(file),
        _ => Ok(file.to_owned()),
    }
}

fn draft(file: &Path) -> PathBuf {
    let mut draft = OsString::from(file);
    draft.push(format!(".{}", std::process::id()));
    draft.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_its_links_stay() {
        let dir = std::env::temp_dir().join(format!("replace-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let (file, link) = (dir.join("file"), dir.join("link"));
        replace(&file, b"one").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        let nowhere = dir.join("nowhere");
        std::os::unix::fs::symlink("none", &nowhere).unwrap();
        assert!(check(&nowhere).is_err() && replace(&nowhere, b"x").is_err());
        fs::remove_file(&nowhere).unwrap();
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_known_beforehand() {
        for (file, why) in [
            ("/tmp", "Is a directory"),
            ("/no/such/dir/x", "No such file"),
            ("/etc/passwd/x", "Not a directory"),
        ] {
            let found = check(Path::new(file)).map_or_else(|e| e.to_string(), |()| "nothing".to_owned());
            assert!(found.contains(why), "{file}: {found}");
        }
        assert!(check(Path::new("/dev/null")).is_ok());
        assert!(check(Path::new("/tmp/x")).is_ok());
    }
}
