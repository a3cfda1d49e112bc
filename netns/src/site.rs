//! A network namespace with a connection to it: where plumbing is done.

use crate::interface::{Interface, Place};
use crate::namespace::{Namespace, Which};
use crate::netlink::links::{self, Link};
use crate::netlink::{Request, Route};
use chain::{Error, Result};
use nix::errno::Errno;

/// An open namespace, and the connection.
#[derive(Debug)]
pub struct Site {
    /// The namespace.
    pub namespace: Namespace,
    /// What speaks to the kernel there.
    pub route: Route,
}

impl Site {
    /// Opens both.
    pub fn open(which: &Which) -> Result<Self> {
        let namespace = which.open()?;
        let route = Route::open_in(&namespace)?;
        Ok(Site { namespace, route })
    }

    /// The same, for removing: `None` when there is no such namespace, and so nothing to be removed from it.
    pub fn open_if_there(which: &Which) -> Result<Option<Self>> {
        if which.is_missing()? { Ok(None) } else { Site::open(which).map(Some) }
    }

    /// An interface that must be there; `what` follows "cannot".
    pub fn find(&mut self, what: &str, interface: &Interface) -> Result<Link> {
        links::look(&mut self.route, interface)?.ok_or_else(|| self.no_such(what, interface))
    }

    /// Sends all requests in one go. With the first error those that have succeeded are taken back, last first, by
    /// what `undo` says for their index.
    pub fn all_or_nothing(
        &mut self,
        requests: &[Request],
        undo: impl Fn(usize) -> Option<Request>,
    ) -> Result<()> {
        let (_, results) = self.route.try_batch(requests);
        let Some(failed) = results.iter().find_map(|result| result.as_ref().err().cloned()) else {
            return Ok(());
        };
        let done = results.iter().enumerate().filter(|(_, result)| result.is_ok());
        let undo: Vec<Request> = done.rev().filter_map(|(index, _)| undo(index)).collect();
        self.route.try_batch(&undo);
        Err(failed)
    }

    fn no_such(&self, what: &str, interface: &Interface) -> Error {
        let why = match self.namespace.is_own() {
            true => format!("there is no interface {interface}"),
            false => format!("there is no interface {interface} in {}", self.namespace.what()),
        };
        Error::os_because(what, Errno::ENODEV, why)
    }
}

/// The interface that must be there, and the connection to it; `what` follows "cannot".
pub fn at(place: &Place, what: &str) -> Result<(Site, Link)> {
    let mut site = Site::open(&place.netns)?;
    let link = site.find(what, &place.interface)?;
    Ok((site, link))
}
