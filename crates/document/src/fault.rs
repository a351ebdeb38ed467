//! Faults of users' files, and drawing them.
//!
//! A [`Fault`] has a message, a remedy and the places in the text that have a part in it; the first is the primary one.
//! [`Faults`] sorts them by position and draws each with file name, line and column.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};

/// Most faults that are drawn; further ones are only counted.
const DRAWN: usize = 20;

/// A text and its name in faults.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// A text in a format other than TOML, for faults at places in it.
#[derive(Clone, Debug)]
pub struct Text(Arc<Source>);

impl Text {
    /// Wraps `text`. Faults show the name `file`.
    pub fn new(file: &str, text: &str) -> Text {
        Text(Arc::new(Source { file: file.to_owned(), text: text.to_owned() }))
    }

    /// Returns a fault at the bytes `span` of the text.
    pub fn fault(&self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::at(vec![Place { source: self.0.clone(), span }], message, remedy)
    }
}

/// A range of bytes of a source.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Range<usize>,
}

impl Place {
    /// True if `other` is the same range of the same source.
    pub(crate) fn is(&self, other: &Place) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.span == other.span
    }
}

/// One mistake in a user's input, with its places and a remedy.
#[derive(Clone, Debug)]
pub struct Fault {
    message: String,
    remedy: String,
    /// Primary place, then those of the other values that have a part in the fault. Empty if no file has a part in it.
    places: Vec<Place>,
}

impl Fault {
    /// Returns a fault without a place: of an argument, or of a file that cannot be read.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault::at(Vec::new(), message, remedy)
    }

    pub(crate) fn at(places: Vec<Place>, message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault { message: message.into(), remedy: remedy.into(), places }
    }

    /// Returns the message: the mistake, without its place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the advice that is drawn below the fault.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// Returns the name of the file with the primary place, if there is one.
    pub fn file(&self) -> Option<&str> {
        self.places.first().map(|place| place.source.file.as_str())
    }

    /// Returns the bytes of the primary place, if there is one.
    pub fn span(&self) -> Option<Range<usize>> {
        self.places.first().map(|place| place.span.clone())
    }

    /// Returns line and column of the primary place, both from 1, if there is one.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        let Place { source, span } = self.places.first()?;
        let before = &source.text[..span.start];
        let line = before.rsplit('\n').next().unwrap_or_default();
        Some((before.matches('\n').count() + 1, line.chars().count() + 1))
    }

    /// True if the primary place is `place`.
    pub(crate) fn is_at(&self, place: &Place) -> bool {
        self.places.first().is_some_and(|primary| primary.is(place))
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut elements: Vec<Element<'_>> = Vec::new();
        let mut rest = self.places.as_slice();
        while let Some(first) = rest.first() {
            // Places in one text are drawn together; an overridden value has a text of its own.
            let same = |place: &&Place| Arc::ptr_eq(&place.source, &first.source);
            let count = rest.iter().take_while(same).count();
            let (together, others) = rest.split_at(count);
            let annotations = together.iter().enumerate().map(|(index, place)| {
                let primary = rest.len() == self.places.len() && index == 0;
                let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                kind.span(place.span.clone())
            });
            let snippet = Snippet::source(&first.source.text).path(&first.source.file).annotations(annotations);
            elements.push(snippet.into());
            rest = others;
        }
        let fault =
            Level::ERROR.primary_title(&self.message).elements(elements).element(Level::HELP.message(&self.remedy));
        renderer.render(&[fault])
    }
}

/// All faults of one or more files. `Display` draws the first 20 with file, line and column, and counts the rest.
#[derive(Clone, Debug)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Returns the faults in the order of the text; faults without a place come first.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Draws the faults with colours, for a terminal.
    pub fn coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut drawn: Vec<String> = self.iter().take(DRAWN).map(|fault| fault.render(renderer)).collect();
        if self.0.len() > DRAWN {
            drawn.push(format!("{} faults in all; these are the first {DRAWN}", self.0.len()));
        }
        drawn.join("\n\n")
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(mut faults: Vec<Fault>) -> Faults {
        faults.sort_by_key(|fault| fault.span().map(|span| span.start));
        Faults(faults)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Faults {}
