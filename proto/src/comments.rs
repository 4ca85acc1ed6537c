//! The comments of the protos.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// Leading comments by file and path.
#[derive(Debug)]
pub struct Comments<'a>(HashMap<&'a str, HashMap<&'a [i32], &'a str>>);

impl<'a> Comments<'a> {
    /// Those of a pool that keeps them, as ours does.
    #[must_use]
    pub fn new(pool: &'a DescriptorPool) -> Self {
        let files = pool.file_descriptor_protos().map(|file| {
            let locations = file.source_code_info.iter().flat_map(|info| &info.location);
            let comments =
                locations.filter_map(|at| Some((at.path.as_slice(), at.leading_comments.as_deref()?))).collect();
            (file.name(), comments)
        });
        Self(files.collect())
    }

    /// The comment before a declaration, as one text: single line breaks are spaces, empty lines part paragraphs.
    #[must_use]
    pub fn of(&self, file: &FileDescriptor, path: &[i32]) -> String {
        let comment = self.0.get(file.name()).and_then(|file| file.get(path)).copied().unwrap_or_default();
        let lines: Vec<_> = comment.lines().map(str::trim).collect();
        let paragraphs = lines.split(|line| line.is_empty()).map(|lines| lines.join(" "));
        paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
    }
}
