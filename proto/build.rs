//! Compiles `todo/v1/*.proto` without protoc, and keeps the descriptors with their comments: REST, OpenAPI and
//! reflection are derived from them at run time.

use std::{env, fs, path::PathBuf};

use prost::Message;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by the environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // tonic-prost-build 0.14 prints no rerun-if-changed for descriptors that it did not compile itself.
    println!("cargo::rerun-if-changed=todo");
    println!("cargo::rerun-if-changed=google");

    let mut files: Vec<PathBuf> =
        fs::read_dir("todo/v1")?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(files)?;
    // The custom options of annotations.proto survive only in protox's own encoding, not through prost-types.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure().emit_rerun_if_changed(false).compile_fds_with_config(
        prost_types::FileDescriptorSet::decode(compiler.encode_file_descriptor_set().as_slice())?,
        config,
    )?;
    Ok(())
}
