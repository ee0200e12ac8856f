//! libkv.so exports what the header declares, which is what the sources define; nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::header::SOURCES;
use crate::toolchain::{Library, output, package, repository};

#[test]
fn library_exports_exactly_what_header_and_sources_name() {
    let library = exported(&Library::get().shared);
    let header = declared(&fs::read_to_string(repository().join("include/kv.h")).unwrap());
    let sources: BTreeSet<String> = SOURCES.iter().flat_map(|name| defined(name)).collect();
    assert_eq!(library, header, "libkv.so and include/kv.h differ");
    assert_eq!(header, sources, "include/kv.h and ffi-c/src differ");
    assert!(library.iter().all(|name| name.starts_with("kv_")), "{library:?}");
    assert!(library.len() > 10, "{library:?}");
}

#[test]
fn shared_library_has_its_name_and_stays_loaded() {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    let version = if major == "0" { format!("0.{minor}") } else { major.to_owned() };
    let dynamic = output("readelf", ["-dW".as_ref(), Library::get().shared.as_os_str()]);
    assert!(dynamic.contains(&format!("soname: [libkv.so.{version}]")), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    // STATIC_TLS: programs that load the library late may have no room for such thread-locals.
    for unwanted in ["TEXTREL", "RPATH", "RUNPATH", "STATIC_TLS"] {
        assert!(!dynamic.contains(unwanted), "{dynamic}");
    }
}

/// The functions that a shared library offers.
fn exported(library: &Path) -> BTreeSet<String> {
    let arguments = ["-D".as_ref(), "--defined-only".as_ref(), library.as_os_str()];
    let symbols = output("nm", arguments);
    symbols.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
}

/// The functions that a header declares: a name before a parenthesis, outside of comments and
/// preprocessor lines. A pointer to a function has its name inside of one.
pub(crate) fn declared(header: &str) -> BTreeSet<String> {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("a comment ends").1;
    }
    code.push_str(rest);
    let code = code.lines().filter(|line| !line.starts_with(['#', ' ']));
    code.filter_map(|line| line.split_once('(')?.0.split_whitespace().last())
        .filter(|word| word.starts_with("kv_") || word.starts_with('*'))
        .map(|word| word.trim_start_matches('*').to_owned())
        .collect()
}

/// The functions that a source file exports.
fn defined(name: &str) -> Vec<String> {
    let path = package().join("src").join(name).with_extension("rs");
    let text = fs::read_to_string(path).unwrap();
    let after = text.split("#[unsafe(no_mangle)]").skip(1);
    let signature = after.map(|text| text.split_once("extern \"C\" fn ").expect("a function").1);
    signature.map(|text| text.split_once('(').expect("arguments").0.to_owned()).collect()
}
