//! Planted violations: every rule must see what it exists for, and nothing else.

use crate::{Root, Source, layers, loose_ends, reserved_names, sizes, unsafe_places};
use crate::{engine, tokens::tokens};

const LIBRARY: &str = "
    mod sync; mod clock; mod epoch; mod table; mod wheel; mod evict; mod map; pub mod store;
    #[cfg(all(test, rkv_loom))]
    mod models;
    pub use map::{Map, Pinned};
";

/// The layer violations of one file of the engine.
fn layer_violations(path: &str, text: &str) -> Vec<String> {
    layers(&Root::read(LIBRARY), &Source::new(path, text))
}

#[track_caller]
fn assert_one(found: Vec<String>, expected: &str) {
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains(expected), "{} instead of {expected}", found[0]);
}

#[test]
fn a_long_line_and_a_long_file_are_seen() {
    let fine = format!("{}\n", "é".repeat(100));
    assert!(sizes(&Source::new("a.py", &fine.repeat(600))).is_empty());
    assert_one(sizes(&Source::new("a.py", &"x".repeat(101))), "a.py:1: the line");
    assert_one(sizes(&Source::new("a.c", &"\n".repeat(601))), "a.c:601: the file");
}

#[test]
fn an_unfinished_place_is_seen() {
    let violations = |text: &str| loose_ends(&Source::new("a.rs", text));
    assert_one(violations("fn f() {\n todo!() }"), "a.rs:2");
    assert_one(violations("fn f() { unimplemented!(\"later\") }"), "a.rs:1");
    assert_one(violations("#[test]\n#[ignore = \"slow\"]\nfn f() {}"), "a.rs:2");
    assert_one(violations(concat!("// FIX", "ME: wrong")), "a.rs:1");
    assert_one(violations(concat!("/// ```ig", "nore")), "a.rs:1");
    assert!(violations("fn f() { let ignore = \"todo!()\"; } // todo! #[ignore]").is_empty());
}

#[test]
fn a_module_that_uses_a_higher_one_is_seen() {
    let table = "core/src/table/find.rs";
    assert_one(layer_violations(table, "use crate::store::Store;"), "table/find.rs:1: `table`");
    assert_one(layer_violations(table, "fn f() {\n crate::map::g(); }"), "find.rs:2");
    assert_one(layer_violations(table, "use crate::{sync::Arc, epoch::{Pin, a}, map};"), "`map`");
    assert_one(layer_violations(table, "use super::super::store;"), "`store`");
    assert_one(layer_violations(table, "mod a { use super::super::super::map; }"), "`map`");
    assert_one(layer_violations(table, "mod a {} use super::super::map;"), "`map`");
    assert_one(layer_violations("core/src/clock.rs", "use super::{sync, table::Slot};"), "`table`");
    assert_one(layer_violations("core/src/clock.rs", "mod a { use super::super::map; }"), "`map`");
}

#[test]
fn a_name_that_the_crate_root_exports_counts_as_its_module() {
    let epoch = "core/src/epoch/mod.rs";
    assert_one(layer_violations(epoch, "use crate::Pinned;"), "`epoch` uses `map`");
    assert_one(layer_violations(epoch, "use crate::Unknown;"), "full path of `Unknown`");
    assert!(layer_violations("core/src/store/mod.rs", "use crate::Map;").is_empty());
}

#[test]
fn strangers_are_kept_apart_although_they_are_in_order() {
    assert_one(layer_violations("core/src/wheel/mod.rs", "use crate::table::Slot;"), "each other");
}

#[test]
fn a_module_may_use_itself_and_what_lies_below() {
    let text = "
        use crate::sync::{Arc, atomic::AtomicU64};
        use super::bucket::Bucket;
        pub(crate) struct A;
        pub(in crate::table) use crate::{clock, epoch::{map, store}};
        // use crate::store;
        const TEXT: &str = r#\"crate::store\"#;
        mod tests { use super::super::write; }
        #[cfg(test)]
        #[allow(unused)]
        mod tests { use crate::store::Store; fn f() { crate::map::g() } }
        struct S { #[cfg(test)] hook: crate::map::Hook, tag: u8 }
    ";
    assert_eq!(layer_violations("core/src/table/find.rs", text), [""; 0]);
}

#[test]
fn code_after_an_item_for_tests_is_still_read() {
    let epoch = "core/src/epoch/mod.rs";
    for item in [
        "mod t;",
        "mod t { fn f() {} }",
        "use a::{b, c};",
        "fn f<A, B>() -> [u8; 4] { crate::store::g() }",
    ] {
        let text = format!("#[cfg(test)] {item} use crate::map;");
        assert_one(layer_violations(epoch, &text), "`map`");
    }
    let text = "struct S { #[cfg(test)] #[a(b)] hook: T, tag: crate::map::Tag }";
    assert_one(layer_violations(epoch, text), "`map`");
    let text = "#[cfg(not(test))] use crate::map;";
    assert_one(layer_violations(epoch, text), "`map`");
}

#[test]
fn a_reserved_name_outside_its_module_is_seen() {
    let table = |text: &str| reserved_names(&Source::new("core/src/table/mod.rs", text));
    assert_one(table("use std::sync::Arc;"), "`std::sync`");
    assert_one(table("use core::{fmt, sync::atomic::AtomicU8, mem};"), "`core::sync`");
    assert_one(table("fn f() { std::thread::yield_now() }"), "`std::thread`");
    assert_one(table("use crossbeam_epoch::Guard;"), "`crossbeam_epoch`");
    assert_one(table("fn f() { loom::model(g) }"), "`loom`");
    assert_one(table("let now = Instant::now();"), "only `clock`");
    assert_one(table("let now = SystemTime::now();"), "only `clock`");
    let fine = "use crate::sync::{Arc, thread}; thread_local! {} #[cfg(rkv_loom)] use std::fmt;";
    assert!(table(fine).is_empty());
    let sync = Source::new("core/src/sync/mod.rs", "pub use std::{sync::Arc, thread};");
    assert!(reserved_names(&sync).is_empty());
}

#[test]
fn unsafe_outside_its_places_is_seen() {
    let violations = |path: &str| unsafe_places(&Source::new(path, "fn f() {\n unsafe { g() } }"));
    assert_one(violations("core/src/store/mod.rs"), "store/mod.rs:2");
    assert_one(violations("py/src/lib.rs"), "`unsafe`");
    assert!(violations("core/src/table/find.rs").is_empty());
    assert!(violations("ffi-c/src/lib.rs").is_empty());
    let lint = Source::new("core/src/store/mod.rs", "#![deny(unsafe_code)] // unsafe\n");
    assert!(unsafe_places(&lint).is_empty());
}

#[test]
fn modules_declared_for_tests_are_not_of_the_engine() {
    let sources = [
        Source::new("core/src/lib.rs", LIBRARY),
        Source::new("core/src/models/find.rs", ""),
        Source::new("core/src/table/mod.rs", "#[cfg(test)] mod tests; mod find;"),
        Source::new("core/src/table/find.rs", ""),
        Source::new("core/src/table/tests.rs", ""),
    ];
    let paths: Vec<_> = engine(&sources).iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["core/src/table/mod.rs", "core/src/table/find.rs"]);
}

#[test]
fn comments_strings_and_characters_are_no_tokens() {
    let text = r####"
        a // b "
        /* c /* d */
           e */ 'x' '\'' '"' b'"' "f \" g" r#"h " i"# br##"j "# k"## l<'m>
    "####;
    let names: Vec<_> = tokens(text).into_iter().filter(|token| token.is_name()).collect();
    let names: Vec<_> = names.iter().map(|token| (token.line, token.text.as_str())).collect();
    assert_eq!(names, [(2, "a"), (4, "b"), (4, "b"), (4, "l"), (4, "m")]);
}
