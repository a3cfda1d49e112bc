//! Parts of a JSON value, and the places of what is wrong in it.

use chain::text::show;
use serde_json::{Map, Value};

/// The fields of an object.
pub type Object = Map<String, Value>;

/// The reason why something cannot be used begins with its place.
pub type Result<T> = std::result::Result<T, String>;

/// What a table has under a name; `kind` says what it is a table of.
pub fn named<T: Copy>(table: &[(&str, T)], kind: &str, name: &str) -> Result<T> {
    let row = table.iter().find(|(other, _)| *other == name);
    row.map(|(_, value)| *value).ok_or_else(|| format!("there is no {kind} {}", show(name)))
}

/// The fields of an object that has none but those known.
pub fn object<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Object> {
    let object = value.as_object().ok_or("it is not an object")?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("the field {} is unknown", show(key))),
        None => Ok(object),
    }
}

/// A field, where it is there. null stands for nothing: Go's libraries write it.
pub fn field<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

/// A string.
pub fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| "it is not a string".to_owned())
}

/// A whole number, at most `most`.
pub fn unsigned(value: &Value, most: u64) -> Result<u64> {
    let number = value.as_u64().ok_or("it is not a whole number, 0 or more")?;
    if number > most { Err(format!("it is more than {most}")) } else { Ok(number) }
}

/// Each element of a list, understood; a missing list is empty.
pub fn list<'a, T>(
    object: &'a Object,
    key: &str,
    mut parse: impl FnMut(&'a Value) -> Result<T>,
) -> Result<Vec<T>> {
    let mut parsed = Vec::new();
    each(object, key, |value| parse(value).map(|value| parsed.push(value)))?;
    Ok(parsed)
}

/// The same, one after the other.
pub fn each<'a>(object: &'a Object, key: &str, mut parse: impl FnMut(&'a Value) -> Result<()>) -> Result<()> {
    let Some(value) = field(object, key) else { return Ok(()) };
    let elements = value.as_array().ok_or_else(|| format!("{key}: it is not a list"))?;
    let mut elements = elements.iter().enumerate();
    elements.try_for_each(|(index, value)| parse(value).map_err(|e| format!("{key}[{index}]: {e}")))
}

/// Puts a place before the reason.
pub fn at(place: &str) -> impl Fn(String) -> String {
    move |reason| format!("{place}: {reason}")
}
