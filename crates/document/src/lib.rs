//! Users' files: where a value stands, what is wrong with it, and what to do.

/// All faults of one or more files, drawn with file, line and column by `Display`.
#[derive(Debug)]
pub struct Faults(pub Vec<String>);

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.join("\n"))
    }
}

impl std::error::Error for Faults {}
