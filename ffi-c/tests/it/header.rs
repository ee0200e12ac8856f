//! `include/kv.h` is what cbindgen makes of the sources.
//!
//! `UPDATE=1 cargo test -p rkv-ffi-c` writes the header instead of comparing it.

use std::fs;
use std::path::Path;

use crate::toolchain::{package, repository};

/// The files with C items, in the order in which a reader of the header meets them.
pub(crate) const SOURCES: [&str; 20] = [
    "version",
    "status",
    "failure",
    "handle",
    "lifetime",
    "options",
    "entry",
    "store",
    "ttl",
    "clock",
    "conditional",
    "compute",
    "scan",
    "value",
    "iterate",
    "listing",
    "guard",
    "pin",
    "batch",
    "stats",
];

#[test]
fn header_is_what_the_sources_say() {
    let path = repository().join("include/kv.h");
    let made = generate();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).expect("include/kv.h is writable");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == stored,
        "include/kv.h is not what the sources say; run: UPDATE=1 cargo test -p rkv-ffi-c header"
    );
}

#[test]
fn header_lines_fit_the_house_style() {
    for name in ["kv.h", "kv.hpp", "kv_values.hpp"] {
        let text = fs::read_to_string(repository().join("include").join(name)).unwrap();
        for (at, line) in text.lines().enumerate() {
            assert!(line.len() <= 100, "{name}:{}: longer than 100 columns", at + 1);
            assert!(line == line.trim_end(), "{name}:{}: white space at the end", at + 1);
        }
    }
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(package().join("cbindgen.toml"))
        .expect("cbindgen.toml is valid");
    config.after_includes = Some(version_macros());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in SOURCES {
        builder = builder.with_src(package().join("src").join(name).with_extension("rs"));
    }
    let mut bytes = Vec::new();
    builder.generate().expect("cbindgen reads the sources").write(&mut bytes);
    polish(&String::from_utf8(bytes).expect("the header is UTF-8"))
}

/// Comments of one line on one line, and negative constants in parentheses.
fn polish(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let opened = lines.len().checked_sub(2).filter(|at| lines[*at].trim() == "/**");
        match (opened, line.trim()) {
            (Some(at), "*/") => {
                let comment = lines.pop().unwrap();
                lines[at].push_str(comment.trim_start().trim_start_matches('*'));
                lines[at].push_str(" */");
            }
            _ => lines.push(match line.rsplit_once(" -") {
                Some((name, digits)) if name.starts_with("#define") && is_number(digits) => {
                    format!("{name} (-{digits})")
                }
                _ => line.to_owned(),
            }),
        }
    }
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    lines.join("\n") + "\n"
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn version_macros() -> String {
    format!(
        r#"
/** @{{ */
/** The version of this header: compare with kv_version_number and kv_version_string. */
#define KV_VERSION_MAJOR {}
#define KV_VERSION_MINOR {}
#define KV_VERSION_PATCH {}
#define KV_VERSION_STRING "{}"
#define KV_VERSION_NUMBER \
  (KV_VERSION_MAJOR * 1000000 + KV_VERSION_MINOR * 1000 + KV_VERSION_PATCH)
/** @}} */

#if defined(__GNUC__) || defined(__clang__)
/** The result must be looked at. */
#define KV_NODISCARD __attribute__((warn_unused_result))
#else
#define KV_NODISCARD
#endif"#,
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
        env!("CARGO_PKG_VERSION"),
    )
}

#[test]
fn every_source_with_exports_is_in_the_list() {
    for entry in fs::read_dir(package().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let exports = fs::read_to_string(&path).unwrap().contains("unsafe(no_mangle)");
        let listed = stem(&path).is_some_and(|stem| SOURCES.contains(&stem));
        assert!(listed || !exports, "{} is missing in SOURCES", path.display());
    }
}

fn stem(path: &Path) -> Option<&str> {
    path.file_stem()?.to_str()
}
