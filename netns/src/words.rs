//! Words that come in pairs, as `ip` has them: `via 10.0.0.1 dev eth0`.

use chain::text::show;
use chain::{Error, Result};

/// The values of the `keys`, each at most once, in any order.
pub fn values<'a, const N: usize>(words: &'a [String], keys: [&str; N]) -> Result<[Option<&'a str>; N]> {
    let mut found = [None; N];
    for pair in words.chunks(2) {
        let key = pair[0].as_str();
        let Some(at) = keys.iter().position(|known| *known == key) else {
            return Err(Error::new(format_args!("understand {}", show(key)), "no such word here")
                .hint(format_args!("the words are {}", keys.join(", "))));
        };
        let value =
            pair.get(1).ok_or_else(|| Error::new(format_args!("use {key}"), "its value is missing"))?;
        if found[at].replace(value.as_str()).is_some() {
            return Err(Error::new(format_args!("use {key}"), "it was given twice"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_in_any_order_and_once() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let all = words("b 2 a 1");
        assert_eq!(values(&all, ["a", "b", "c"]).unwrap(), [Some("1"), Some("2"), None]);
        for bad in ["x 1", "a", "a 1 a 2", "a 1 b"] {
            assert!(values(&words(bad), ["a", "b"]).is_err(), "{bad}");
        }
    }
}
