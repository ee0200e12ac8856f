//! Structures lie in memory in C as they do in Rust: each field of each, by its place and size.

use std::fmt::Write;
use std::fs;
use std::mem::{align_of, offset_of, size_of};
use std::path::Path;

use kv::*;

use crate::misuse::parse::Header;
use crate::programs::{Memory, run_newest};
use crate::toolchain::repository;

#[test]
fn structures_have_one_layout_in_c_and_in_rust() {
    let text = fs::read_to_string(repository().join("include/kv.h")).unwrap();
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layout.c");
    fs::write(&source, program(&Header::read(&text))).unwrap();
    let mut c: Vec<_> =
        run_newest(&source, Memory::AccessesAndLeaks).lines().map(str::to_owned).collect();
    let mut rust = in_rust();
    c.sort();
    rust.sort();
    assert_eq!(c, rust, "C on the left, Rust on the right");
}

/// A program that prints a line for each structure, and one for each of its fields.
fn program(header: &Header) -> String {
    let mut text = String::from(
        "#include <kv.h>\n#include <stdalign.h>\n#include <stddef.h>\n#include <stdio.h>\n\n\
         int main(void) {\n",
    );
    for structure in &header.structs {
        let name = &structure.name;
        writeln!(text, "  printf(\"{name} %zu %zu\\n\", alignof({name}), sizeof({name}));")
            .unwrap();
        for field in &structure.fields {
            let field = &field.name;
            writeln!(
                text,
                "  printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), \
                 sizeof((({name} *)0)->{field}));"
            )
            .unwrap();
        }
    }
    text + "  return 0;\n}\n"
}

/// The same lines, by the compiler that made the library.
fn in_rust() -> Vec<String> {
    let mut lines = Vec::new();
    macro_rules! layout {
        ($($name:ident { $($field:ident),* })*) => {$(
            let (name, size) = (stringify!($name), size_of::<$name>());
            lines.push(format!("{name} {} {size}", align_of::<$name>()));
            $(
                let place = offset_of!($name, $field);
                let size = size_of_field(|whole: &$name| &whole.$field);
                lines.push(format!("{name}.{} {place} {size}", stringify!($field)));
            )*
        )*};
    }
    layout! {
        kv_options_t {
            struct_size, capacity, shards, flags, default_ttl_ms, max_entries, max_bytes, eviction,
            reserved_
        }
        kv_slice_t { data, len }
        kv_pair_t { key, value }
        kv_entry_t { struct_size, key, value, version }
        kv_store_t { id }
        kv_guard_t { thread, id }
        kv_value_t { id }
        kv_iter_t { id }
        kv_change_t { id }
        kv_stats_t {
            struct_size, entries, bytes, evicted, expired_actively, expired_lazily,
            expiry_lag_p50_ms, expiry_lag_p99_ms, expiry_lag_max_ms, timers, stale_timers, shards,
            buckets, links, table_bytes, pinned_guards, oldest_pin_ms, retired_bytes
        }
    }
    lines
}

const fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}
