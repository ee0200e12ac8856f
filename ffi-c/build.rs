//! Gives libkv.so its SONAME and keeps it in memory once it is loaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let part = |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}")).expect(name);
    // A major version 0 promises a stable interface within one minor version only.
    let version = match (part("MAJOR"), part("MINOR")) {
        (major, minor) if major == "0" => format!("0.{minor}"),
        (major, _) => major,
    };
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libkv.so.{version}");
    // A thread that ends after `dlclose` still runs the library's thread-local destructors.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
