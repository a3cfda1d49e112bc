//! The lines of a tree, in what the terminal can show.

/// What stands before an entry.
#[derive(Debug, Clone)]
pub struct Branches {
    before: String,
    signs: &'static Signs,
}

#[derive(Debug)]
struct Signs {
    next: &'static str,
    last: &'static str,
    past: &'static str,
}

const UTF8: Signs = Signs { next: "├─ ", last: "└─ ", past: "│  " };
const ASCII: Signs = Signs { next: "|- ", last: "`- ", past: "|  " };

impl Branches {
    /// At the top, in the characters of the locale.
    pub fn new() -> Self {
        let variables = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(std::env::var_os);
        let locale =
            variables.map(|value| value.to_string_lossy().to_uppercase()).find(|value| !value.is_empty());
        let is_utf8 = locale.is_some_and(|locale| locale.contains("UTF-8") || locale.contains("UTF8"));
        Branches { before: String::new(), signs: if is_utf8 { &UTF8 } else { &ASCII } }
    }

    /// Before an entry.
    pub fn start(&self, is_last: bool) -> String {
        format!("{}{}", self.before, if is_last { self.signs.last } else { self.signs.next })
    }

    /// For what is inside an entry.
    pub fn inside(&self, is_last: bool) -> Self {
        let past = if is_last { "   " } else { self.signs.past };
        Branches { before: format!("{}{past}", self.before), signs: self.signs }
    }
}
