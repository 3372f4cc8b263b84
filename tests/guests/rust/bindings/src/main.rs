//! Writes the C bindings of a world: `bindings WIT WORLD OUT`. The generator comes as a crate, so
//! that the lock file pins it.

use std::{env, fs, io, path::Path};
use wit_bindgen_core::{Files, wit_parser::Resolve};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [wit, world, out] = &words[..] else {
        return Err(io::Error::other("usage: bindings WIT WORLD OUT"));
    };
    let mut resolve = Resolve::default();
    let mut files = Files::default();
    let (package, _) = resolve.push_path(wit).map_err(io::Error::other)?;
    let world = resolve.select_world(&[package], Some(world)).map_err(io::Error::other)?;
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).map_err(io::Error::other)?;
    fs::create_dir_all(out)?;
    for (name, contents) in files.iter() {
        fs::write(Path::new(out).join(name), contents)?;
    }
    Ok(())
}
