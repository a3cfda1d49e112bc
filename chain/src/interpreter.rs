//! Which file a program needs before it can start: the answer to a puzzling "No such file or directory".

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

const PT_INTERP: u32 = 3;

/// The interpreter that `file` names: after `#!`, or in the PT_INTERP header of a 64-bit ELF file (elf(5)).
pub fn of(file: &Path) -> Option<OsString> {
    // Opening a fifo would wait for a writer, opening a device could do anything.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut file = File::open(file).ok()?;
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).ok()?;
    match head.strip_prefix(b"#!") {
        Some(line) => script(line),
        None => elf(&file, &head),
    }
}

fn script(line: &[u8]) -> Option<OsString> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let word = line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    Some(OsString::from_vec(word.to_vec()))
}

fn elf(file: &File, head: &[u8]) -> Option<OsString> {
    if !head.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let (table, size, count) = (number(head, 32, 8)?, number(head, 54, 2)?, number(head, 56, 2)?);
    (0..count).find_map(|index| {
        let mut header = [0; 56];
        file.read_exact_at(&mut header, table.checked_add(index * size)?).ok()?;
        (number(&header, 0, 4)? == PT_INTERP.into()).then(|| name(file, &header))?
    })
}

fn name(file: &File, header: &[u8]) -> Option<OsString> {
    let (offset, length) = (number(header, 8, 8)?, number(header, 32, 8)?);
    let mut name = vec![0; usize::try_from(length).ok().filter(|length| (2..4096).contains(length))?];
    file.read_exact_at(&mut name, offset).ok()?;
    name.pop();
    Some(OsString::from_vec(name))
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let little_endian = bytes.get(at..at + length)?;
    Some(little_endian.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_bytes(bytes: &[u8]) -> Option<OsString> {
        let path =
            std::env::temp_dir().join(format!("chain-interpreter-{}-{}", std::process::id(), bytes.len()));
        std::fs::write(&path, bytes).unwrap();
        let found = of(&path);
        std::fs::remove_file(path).unwrap();
        found
    }

    #[test]
    fn scripts_name_theirs_after_the_mark() {
        assert_eq!(of_bytes(b"#! /bin/sh -e\nexit\n").unwrap(), "/bin/sh");
        assert_eq!(of_bytes(b"#!\n"), None);
        assert_eq!(of_bytes(b"plain text"), None);
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let path = std::env::temp_dir().join(format!("chain-interpreter-fifo-{}", std::process::id()));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let found = of(&path);
        std::fs::remove_file(path).unwrap();
        assert_eq!(found, None);
    }

    #[test]
    fn a_truncated_or_hostile_header_gives_none() {
        let mut bytes = [0xff; 64];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        assert_eq!(of_bytes(&bytes), None);
        assert_eq!(of_bytes(b"\x7fELF\x02"), None);
    }
}
