//! All that would be done, told instead: one `topic: value` a line, or one JSON object with the same topics.

mod topics;

use crate::plan::Plan;
use chain::text::show;
use chain::{Cannot, Result};
use std::io::Write;

/// How it is told.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines
    Text,
    /// One JSON object
    Json,
}

/// What there is to say of a topic. A name is quoted in a line if need be, and is as it is in JSON.
enum Said {
    One(String),
    Name(String),
    /// Names on one line.
    Words(Vec<String>),
    /// Names with a line for each.
    Names(Vec<String>),
    /// A list with a line for each.
    Lines(Vec<String>),
}

type Topics = Vec<(&'static str, Said)>;

/// Prints it. Errors: those that a run would have before anything is changed; an output that cannot be written.
pub fn print(plan: &Plan, form: Form) -> Result<u8> {
    let topics = topics::of(plan)?;
    let text = match form {
        Form::Text => topics.iter().map(lines).collect(),
        Form::Json => format!("{}\n", object(&topics)),
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).cannot("write the explanation").map(|()| 0)
}

fn lines((topic, said): &(&str, Said)) -> String {
    let line = |text: &str| format!("{topic}: {text}\n");
    match said {
        Said::One(text) => line(text),
        Said::Name(name) => line(&show(name)),
        Said::Words(list) | Said::Names(list) | Said::Lines(list) if list.is_empty() => line("none"),
        Said::Words(names) => line(&names.iter().map(show).collect::<Vec<_>>().join(" ")),
        Said::Names(names) => names.iter().map(|name| line(&show(name))).collect(),
        Said::Lines(all) => all.iter().map(|text| line(text)).collect(),
    }
}

fn object(topics: &Topics) -> serde_json::Value {
    let value = |said: &Said| match said {
        Said::One(text) | Said::Name(text) => text.clone().into(),
        Said::Words(list) | Said::Names(list) | Said::Lines(list) => list.clone().into(),
    };
    topics
        .iter()
        .map(|(topic, said)| ((*topic).to_owned(), value(said)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
