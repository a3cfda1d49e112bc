//! The numbers by which a network namespace knows others: ip-netns(8), `RTM_*NSID`.

use super::message::contents;
use super::{Answer, Message, Request, Route};
use chain::Result;
use netlink_packet_core::Parseable;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use nix::libc::RTM_NEWNSID;
use std::os::fd::{AsFd, AsRawFd};

/// A number, and the one that a third namespace has for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsid {
    /// The number in the namespace that was asked about.
    pub id: i32,
    /// The number in the namespace of the connection, where the question was about another one.
    pub current: Option<i32>,
}

fn message(attributes: Vec<NsidAttribute>) -> NsidMessage {
    let mut message = NsidMessage::default();
    message.attributes = attributes;
    message
}

fn of_fd(namespace: &impl AsFd) -> NsidAttribute {
    NsidAttribute::Fd(namespace.as_fd().as_raw_fd().cast_unsigned())
}

/// Asks for the number of a namespace; the answer is for [`ids`].
pub fn get(what: impl Into<String>, namespace: &impl AsFd) -> Request {
    Request::new(what, Message::GetNsId(message(vec![of_fd(namespace)])))
}

/// Gives a namespace a number, with `None` the next free one.
pub fn set(what: impl Into<String>, namespace: &impl AsFd, id: Option<i32>) -> Request {
    let attributes = vec![of_fd(namespace), NsidAttribute::Id(id.unwrap_or(-1))];
    Request::new(what, Message::NewNsId(message(attributes)))
}

/// Asks for one number: of the connection's namespace, or of the one that it knows as `target`.
pub fn get_id(what: impl Into<String>, id: i32, target: Option<i32>) -> Request {
    let attributes = [Some(NsidAttribute::Id(id)), target.map(NsidAttribute::TargetNsid)];
    Request::new(what, Message::GetNsId(message(attributes.into_iter().flatten().collect())))
}

/// The number of a namespace, if it has one.
pub fn find(route: &mut Route, namespace: &impl AsFd) -> Result<Option<i32>> {
    let answers = route.ask(get("ask for the number of a network namespace", namespace))?;
    Ok(ids(&answers).next().map(|nsid| nsid.id).filter(|id| *id >= 0))
}

/// All numbers that the connection's namespace has for others, or that the one that it knows as `target` has.
pub fn list(route: &mut Route, target: Option<i32>) -> Result<Vec<Nsid>> {
    let attributes = target.map(NsidAttribute::TargetNsid).into_iter().collect();
    let request =
        Request::dump("list the numbers of network namespaces", Message::GetNsId(message(attributes)));
    let mut all: Vec<Nsid> = ids(&route.ask(request)?).collect();
    all.sort_unstable();
    Ok(all)
}

/// The numbers among answers.
pub fn ids(answers: &[Answer]) -> impl Iterator<Item = Nsid> {
    contents(answers, RTM_NEWNSID, NsidMessage::parse).filter_map(|message| nsid(&message))
}

fn nsid(message: &NsidMessage) -> Option<Nsid> {
    let (mut id, mut current) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NsidAttribute::Id(number) => id = Some(*number),
            NsidAttribute::CurrentNsid(number) => current = Some(*number),
            _ => {}
        }
    }
    Some(Nsid { id: id?, current })
}
