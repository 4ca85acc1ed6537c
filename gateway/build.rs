//! Lists the files of the built page for `page/site.rs` to embed, of what is compressed only that; none without the
//! feature `ui`.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/out");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if cfg!(feature = "ui") {
        println!("cargo::rerun-if-changed={PAGE}");
        collect(Path::new(PAGE), &mut files)
            .map_err(|error| io::Error::new(error.kind(), format!("{PAGE}: {error}: build the page by make page")))?;
        files.sort();
        let all = files.clone();
        files.retain(|file| all.binary_search(&file.with_added_extension("gz")).is_err());
    }
    write(&files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn write(files: &[PathBuf]) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "cargo tells build scripts so")]
    let target = env::var("OUT_DIR").expect("cargo sets it");
    let mut out = fs::File::create(Path::new(&target).join("page_files.rs"))?;
    writeln!(out, "&[")?;
    for file in files {
        let name = file.strip_prefix(PAGE).expect("collected below it").to_string_lossy();
        writeln!(out, "    ({:?}, include_bytes!({:?})),", format!("/{name}"), file.to_string_lossy())?;
    }
    writeln!(out, "]")
}
