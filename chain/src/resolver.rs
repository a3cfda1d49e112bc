//! How host names are resolved, handed from one link to the next: `netns` names the files, `pivot` shows them.
//!
//! A value with a line break is no name but the text itself, where no file could be made that would go with a link
//! that is killed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The variable that names the file for /etc/hosts.
pub const HOSTS: &str = "CHAIN_HOSTS";
/// The variable that names the file for /etc/resolv.conf.
pub const RESOLV_CONF: &str = "CHAIN_RESOLV_CONF";

/// Whether the value is the text of a file and not its name.
pub fn is_text(value: &OsStr) -> bool {
    value.as_bytes().contains(&b'\n')
}
