//! The pages: a view struct for each, its handler below it, its words in the template of the same name.

pub(crate) mod callback;
pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod disconnect;
mod finishing;
pub(crate) mod organization_choice;
mod parts;
pub(crate) mod problem_types;
pub(crate) mod sign_in;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod markup;
