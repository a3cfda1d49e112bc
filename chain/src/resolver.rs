//! How host names are resolved, handed from one link to the next: `netns` names the files, `pivot` shows them.

/// The variable that names the file for /etc/hosts.
pub const HOSTS: &str = "CHAIN_HOSTS";
/// The variable that names the file for /etc/resolv.conf.
pub const RESOLV_CONF: &str = "CHAIN_RESOLV_CONF";
