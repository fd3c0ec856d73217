//! Writes `assets/orrery.glb`, the model that is shown when no other is named.
//!
//! ```text
//! cargo run --example make_asset --no-default-features --features scenes
//! ```
//!
//! The output is the same on every machine: no library function whose last digit differs between systems goes into
//! it, and a test compares the stored file with what this program makes.

mod asset;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/orrery.glb");
    let bytes = asset::build();
    std::fs::write(&path, &bytes)?;
    #[allow(clippy::print_stdout, reason = "a program that tells what it wrote")]
    {
        println!("{}: {} bytes", path.display(), bytes.len());
    }
    Ok(())
}
