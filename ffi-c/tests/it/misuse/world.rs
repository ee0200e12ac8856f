//! The world that a function meets: a store with two keys, and one of each handle.

use std::fmt::Write;

use crate::misuse::expect::{Handle, Life};

/// Its declaration, and how it begins and ends.
pub(crate) fn world(text: &mut String, handles: &[Handle]) {
    text.push_str("static struct {\n");
    for row in handles {
        writeln!(text, "  {} {};", row.kind, row.word()).unwrap();
    }
    text.push_str("} world;\n\n");
    handles.iter().for_each(|row| make_and_end(text, row));
    let called = handles.iter().filter(|row| matches!(row.life, Life::Calls { .. }));
    let others: Vec<_> = called.map(Handle::word).filter(|word| *word != "store").collect();
    text.push_str("static void world_begins(void) {\n  world.store = filled();\n");
    for word in &others {
        writeln!(text, "  make_{word}(world.store, &world.{word});").unwrap();
    }
    text.push_str("}\n\n/* What the function under test has ended is gone already. */\n");
    text.push_str("static void world_ends(void) {\n");
    for word in &others {
        writeln!(text, "  (void)end_{word}(world.{word});").unwrap();
    }
    text.push_str("  while (end_store(world.store) == KV_OK) continue;\n}\n\n");
}

/// How a handle is made, and ended. One of a callback is over when that has returned, so what needs
/// a good one runs within.
fn make_and_end(text: &mut String, row: &Handle) {
    let (kind, word) = (row.kind, row.word());
    let lines = match row.life {
        Life::Calls { make, end } => format!(
            "static void make_{word}(kv_store_t store, {kind} *place) {{\n  (void)store;\n  \
             GIVES(KV_OK, {make});\n}}\n\n\
             static kv_status_t end_{word}({kind} {word}) {{\n  return {end}({word});\n}}\n"
        ),
        Life::Callback { of } => format!(
            "static int32_t note_{word}(void *place, const kv_entry_t *current,\n  \
             {kind} {word}) {{\n  \
             (void)current;\n  *({kind} *)place = {word};\n  return 0;\n}}\n\n\
             static void make_{word}(kv_store_t store, {kind} *place) {{\n  \
             GIVES(KV_OK, {of}(store, LIT(\"c\"), note_{word}, place, NULL));\n}}\n\n\
             static int32_t run_within(void *body, const kv_entry_t *current, {kind} {word}) {{\n  \
             (void)current;\n  world.{word} = {word};\n  ((body_t *)body)->run();\n  \
             return 0;\n}}\n\n\
             static void within_{word}(void (*run)(void)) {{\n  kv_store_t store = filled();\n  \
             body_t body;\n  body.run = run;\n  \
             GIVES(KV_OK, {of}(store, LIT(\"c\"), run_within, &body, NULL));\n  \
             GIVES(KV_OK, kv_close(store));\n}}\n"
        ),
    };
    writeln!(text, "{lines}").unwrap();
}
