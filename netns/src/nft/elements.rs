//! The elements of a map whose keys and values are made of several fields.

use super::attributes::{bytes, each, find, nested, text};
use super::{INET, NEW, Nft, change, comment};
use crate::netlink::socket::{Frame, Refusal};
use nix::errno::Errno;
use std::net::IpAddr;

const NEW_ELEMENT: u8 = 12;
const GET_ELEMENT: u8 = 13;
const DELETE_ELEMENT: u8 = 14;
// NFTA_SET_ELEM_LIST_*, NFTA_LIST_ELEM, NFTA_SET_ELEM_* and NFTA_DATA_VALUE.
const TABLE: u16 = 1;
const SET: u16 = 2;
const ELEMENTS: u16 = 3;
const ELEMENT: u16 = 1;
const KEY: u16 = 1;
const DATA: u16 = 2;
const USERDATA: u16 = 6;
const VALUE: u16 = 1;
/// As many as fit into one attribute, with room.
const AT_ONCE: usize = 400;

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The fields of the key, one after the other.
    pub key: Vec<u8>,
    /// The fields of the value.
    pub value: Vec<u8>,
    /// What nft shows as its comment, up to 127 bytes.
    pub comment: String,
}

/// A field of a concatenation: each begins at a multiple of four bytes.
pub fn field(bytes: &[u8]) -> Vec<u8> {
    let mut field = bytes.to_vec();
    field.resize(bytes.len().next_multiple_of(4), 0);
    field
}

/// An address as a field.
pub fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The messages that add elements, which must not be there yet.
pub fn add(table: &str, set: &str, elements: &[Element]) -> Vec<Frame> {
    let whole = |element: &Element| {
        let data = nested(DATA, &bytes(VALUE, &element.value));
        [key(element), data, bytes(USERDATA, &comment::write(&element.comment))].concat()
    };
    messages(NEW_ELEMENT, NEW, (table, set), elements, whole)
}

/// The messages that remove elements, all of which must be there.
pub fn remove(table: &str, set: &str, elements: &[Element]) -> Vec<Frame> {
    messages(DELETE_ELEMENT, 0, (table, set), elements, key)
}

fn key(element: &Element) -> Vec<u8> {
    nested(KEY, &bytes(VALUE, &element.key))
}

fn messages(
    number: u8,
    flags: u16,
    (table, set): (&str, &str),
    elements: &[Element],
    content: impl Fn(&Element) -> Vec<u8>,
) -> Vec<Frame> {
    let message = |elements: &[Element]| {
        let list: Vec<u8> = elements.iter().flat_map(|element| nested(ELEMENT, &content(element))).collect();
        change(INET, number, flags, [text(TABLE, table), text(SET, set), nested(ELEMENTS, &list)].concat())
    };
    elements.chunks(AT_ONCE).map(message).collect()
}

/// All elements of a map; none where there is no such map.
pub fn list(nft: &mut Nft, family: u8, table: &str, set: &str) -> Result<Vec<Element>, Refusal> {
    let question = change(family, GET_ELEMENT, 0, [text(TABLE, table), text(SET, set)].concat());
    let lists = match nft.list(question, |_, body| find(body, ELEMENTS).map(<[u8]>::to_vec)) {
        Err(refusal) if refusal.errno == Errno::ENOENT => return Ok(Vec::new()),
        other => other?,
    };
    Ok(lists.iter().flat_map(|list| each(list)).filter_map(|(_, element)| read(element)).collect())
}

fn read(element: &[u8]) -> Option<Element> {
    let value = |kind| Some(find(find(element, kind)?, VALUE)?.to_vec());
    Some(Element {
        key: value(KEY)?,
        // The elements of a set have none.
        value: value(DATA).unwrap_or_default(),
        comment: find(element, USERDATA).and_then(comment::read).unwrap_or_default(),
    })
}
