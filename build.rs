//! Names for the platform combinations that the window layer distinguishes.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(x11_platform)");
    println!("cargo::rustc-check-cfg=cfg(egl_backend)");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "freebsd" | "dragonfly" | "netbsd" | "openbsd") {
        println!("cargo::rustc-cfg=x11_platform");
        println!("cargo::rustc-cfg=egl_backend");
    }
    if os == "windows" {
        println!("cargo::rustc-cfg=egl_backend");
    }
}
