//! What is read from users' files, and what is refused by name.

mod files;
mod preprocessing;
