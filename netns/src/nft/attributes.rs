//! The attributes of nfnetlink: a length, a kind, bytes, padded to four.

use netlink_packet_core::{NLA_F_NESTED, NLA_TYPE_MASK};

/// An attribute of bytes, which must be fewer than 64 KiB.
pub fn bytes(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = Vec::with_capacity(value.len() + 8);
    attribute.extend((value.len() as u16 + 4).to_ne_bytes());
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

/// A text, ended by zero.
pub fn text(kind: u16, value: &str) -> Vec<u8> {
    bytes(kind, &[value.as_bytes(), &[0]].concat())
}

/// Attributes within one.
pub fn nested(kind: u16, inner: &[u8]) -> Vec<u8> {
    bytes(kind | NLA_F_NESTED, inner)
}

/// The value of the first attribute of a kind.
pub fn find(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    each(attributes).find_map(|(found, value)| (found == kind).then_some(value))
}

/// The text of the first attribute of a kind.
pub fn find_text(attributes: &[u8], kind: u16) -> Option<String> {
    let bytes = find(attributes, kind)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The number of the first attribute of a kind, in network order.
pub fn find_number(attributes: &[u8], kind: u16) -> Option<u32> {
    Some(u32::from_be_bytes(find(attributes, kind)?.try_into().ok()?))
}

/// All attributes, up to one that is cut short.
pub fn each(mut attributes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d, ..] = *attributes else { return None };
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = attributes.get(4..length)?;
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & NLA_TYPE_MASK, value))
    })
}
