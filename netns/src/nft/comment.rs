//! What nft(8) shows as a comment of a rule or an element: `NFTNL_UDATA_*_COMMENT` of libnftnl/udata.h.

/// The number of a comment among what may be put on something.
const COMMENT: u8 = 0;

/// The bytes to put on something; of the text there is room for 127.
pub fn write(text: &str) -> Vec<u8> {
    let mut bytes = vec![COMMENT, text.len() as u8 + 1];
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

/// The text in bytes that were put on something.
pub fn read(bytes: &[u8]) -> Option<String> {
    let [COMMENT, length, rest @ ..] = bytes else { return None };
    let text = rest.get(..usize::from(*length).checked_sub(1)?)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn comments_go_both_ways() {
        for text in ["", "web", &"x".repeat(127)] {
            assert_eq!(super::read(&super::write(text)).unwrap(), text);
        }
        for bad in [&[][..], &[0, 0], &[0, 9, b'x'], &[1, 2, b'x', 0]] {
            assert_eq!(super::read(bad), None, "{bad:?}");
        }
    }
}
