//! Labels of pictures: the right classes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::Error;

/// The class of each picture.
#[derive(Clone, Debug)]
pub struct Labels {
    file: PathBuf,
    classes: HashMap<String, usize>,
}

impl Labels {
    /// Reads a CSV file with the header `image,label`: a picture's file name, without folders, and the number of its
    /// class, from 0 to `classes` - 1. A picture in an npy file is named by its place there: `FILE.npy[0]`.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is not of this form or repeats a picture.
    pub fn load(path: &Path, classes: usize) -> Result<Labels, Error> {
        let remedy = "give a CSV file with the header image,label";
        let mut reader = csv::Reader::from_path(path).map_err(|error| Error::unreadable(path, error, remedy))?;
        let header = reader.headers().map_err(|error| Error::unreadable(path, error, remedy))?;
        if header != ["image", "label"].as_slice() {
            return Err(Error::unreadable(path, "its header is not image,label", remedy));
        }
        let mut labels = Labels { file: path.to_owned(), classes: HashMap::new() };
        for record in reader.records() {
            let record = record.map_err(|error| Error::unreadable(path, error, remedy))?;
            let line = record.position().map_or(0, csv::Position::line);
            let wrong = |problem| Error::WrongLabel { file: path.to_owned(), line, problem };
            let (image, label) = (&record[0], record[1].trim());
            let class = label.parse().ok().filter(|class| *class < classes);
            let class = class.ok_or_else(|| wrong(format!("{label:?} is no class of 0 to {}", classes - 1)))?;
            if labels.classes.insert(image.to_owned(), class).is_some() {
                return Err(wrong(format!("{image} has a label already")));
            }
        }
        Ok(labels)
    }

    /// The class of a picture.
    ///
    /// # Errors
    /// If it has none.
    pub fn of(&self, picture: &str) -> Result<usize, Error> {
        let class = self.classes.get(picture).copied();
        class.ok_or_else(|| Error::MissingLabel { file: self.file.clone(), picture: picture.to_owned() })
    }
}
