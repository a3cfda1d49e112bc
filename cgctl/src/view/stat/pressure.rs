//! Pressure stall information: accounting/psi.rst. Only cgroup v2 has it, and a kernel may be built without.

use crate::existing::Group;
use crate::hierarchy::{Version, file};
use serde_json::{Map, Value, json};

/// The waiting for one resource.
#[derive(Debug)]
pub struct Pressure {
    /// `cpu`, `memory` or `io`.
    pub resource: &'static str,
    /// Of some processes, and of all of them at once.
    pub lines: Vec<Line>,
}

/// A line of the kernel's.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// `some` or `full`.
    pub who: String,
    /// Percent of the last 10, 60 and 300 seconds, as the kernel writes them.
    pub averages: [String; 3],
    /// Microseconds in all.
    pub total: u64,
}

/// Reads what is there.
pub fn read(group: &Group) -> Vec<Pressure> {
    let directory = group.tracking();
    if directory.version == Version::V1 {
        return Vec::new();
    }
    let read = |resource| {
        let text = file::read(directory, &format!("{resource}.pressure")).ok()?;
        let lines: Vec<Line> = text.lines().filter_map(line).collect();
        (!lines.is_empty()).then_some(Pressure { resource, lines })
    };
    ["cpu", "memory", "io"].into_iter().filter_map(read).collect()
}

/// As JSON.
pub fn json(all: &[Pressure]) -> Value {
    let number = |text: &str| text.parse::<f64>().ok();
    let line = |line: &Line| {
        let [ten, sixty, minutes] = &line.averages;
        let averages = json!({
            "avg10": number(ten),
            "avg60": number(sixty),
            "avg300": number(minutes),
            "total_usec": line.total,
        });
        (line.who.clone(), averages)
    };
    let resource = |one: &Pressure| {
        (one.resource.to_owned(), Value::Object(one.lines.iter().map(line).collect::<Map<_, _>>()))
    };
    Value::Object(all.iter().map(resource).collect())
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`
fn line(text: &str) -> Option<Line> {
    let mut words = text.split_whitespace();
    let who = words.next()?.to_owned();
    let mut value = |name: &str| Some(words.next()?.strip_prefix(name)?.to_owned());
    let averages = [value("avg10=")?, value("avg60=")?, value("avg300=")?];
    Some(Line { who, averages, total: value("total=")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let averages = ["1.50", "0.20", "0.00"].map(str::to_owned);
        let expected = Line { who: "some".to_owned(), averages, total: 99 };
        assert_eq!(line("some avg10=1.50 avg60=0.20 avg300=0.00 total=99"), Some(expected));
        assert_eq!(line(""), None);
    }
}
