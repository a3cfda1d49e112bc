//! The options for the root as a whole, and for what hides parts of it.

use crate::cli::split::below_root;
use crate::mount::idmap::{self, IdMap};
use chain::sys::mount::{PRIVATE, SHARED, SLAVE, UNBINDABLE};
use chain::text::check_host_name;
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What the command finds around it.
#[derive(clap::Args, Debug)]
pub struct Surroundings {
    /// Hide PATH of the new root
    #[arg(long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(|text| path(&text)))]
    pub mask: Vec<PathBuf>,
    /// Make PATH of the new root read-only, with all that is mounted in it
    #[arg(long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(|text| path(&text)))]
    pub ro_path: Vec<PathBuf>,
    /// Do not hide, or make read-only, what is so by default at PATH or below; `all`: anywhere
    #[arg(long, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(|text| unmasked(&text)))]
    pub unmask: Vec<PathBuf>,
    /// Show the owners of ROOT's files as MAP says: INSIDE:OUTSIDE:COUNT
    #[arg(long, value_name = "MAP", value_parser = OsStringValueParser::new().try_map(|text| idmap::parse(&text)))]
    pub idmap: Option<IdMap>,
    /// How mounts go in and out of the root: private, slave, shared or unbindable
    #[arg(long, value_name = "TYPE", value_parser = propagation)]
    pub propagation: Option<u64>,
    /// Set the host name, in a UTS namespace of its own
    #[arg(long, value_name = "NAME", value_parser = OsStringValueParser::new().try_map(host_name))]
    pub hostname: Option<OsString>,
    /// Set the NIS domain name, in a UTS namespace of its own
    #[arg(long, value_name = "NAME", value_parser = OsStringValueParser::new().try_map(host_name))]
    pub domainname: Option<OsString>,
}

fn path(text: &OsStr) -> Result<PathBuf, String> {
    match below_root(text).map_err(|why| why.replace("DST", "PATH"))? {
        path if path.as_os_str().is_empty() => Err("PATH is the root itself".to_owned()),
        path => Ok(Path::new("/").join(path)),
    }
}

fn unmasked(text: &OsStr) -> Result<PathBuf, String> {
    if text == "all" { Ok("/".into()) } else { path(text) }
}

fn propagation(text: &str) -> Result<u64, &'static str> {
    match text {
        "private" => Ok(PRIVATE),
        "slave" => Ok(SLAVE),
        "shared" => Ok(SHARED),
        "unbindable" => Ok(UNBINDABLE),
        _ => Err("it is one of private, slave, shared and unbindable"),
    }
}

fn host_name(name: OsString) -> Result<OsString, &'static str> {
    check_host_name(&name).map(|()| name)
}
