//! The house rules as tests: layers, reserved names, the places of `unsafe`, sizes, loose ends.
//!
//! A rule is a function from a source file to the lines that break it. Every rule is run over the
//! whole repository, and over planted violations, so that a rule that has gone blind fails too.
//!
//! Rules read tokens, not text: comments, strings and characters are gone, and the rules of the
//! engine also leave out what is compiled for tests only. They read no types, so a macro that
//! pastes a path together can deceive them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/tokens.rs"]
mod tokens;

use tokens::{branches, tokens, uses_of_the_root, without_tests};

/// One file of the repository; `path` is relative to its root.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Source { path: path.into(), text: text.into() }
    }

    fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The module path of a file of the engine: `core/src/table/find.rs` is `["table", "find"]`.
    fn module(&self) -> Option<Vec<&str>> {
        let path = self.path.strip_prefix("core/src/")?.strip_suffix(".rs")?;
        let path = path.strip_suffix("/mod").unwrap_or(path);
        (path != "lib").then(|| path.split('/').collect())
    }

    fn at(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

// --- The rules -------------------------------------------------------------------------------

const LINES_MAX: usize = 600;
const COLUMNS_MAX: usize = 100;

/// Modules at one height that must not know each other, although the order would let them.
const STRANGERS: [&str; 3] = ["table", "wheel", "evict"];

/// A file stays readable in one sitting, a line in one column.
fn sizes(source: &Source) -> Vec<String> {
    let long = |(_, line): &(usize, &str)| line.chars().count() > COLUMNS_MAX;
    let mut found: Vec<_> = (1..)
        .zip(source.text.lines())
        .filter(long)
        .map(|(number, _)| source.at(number, "the line is longer than 100 columns"))
        .collect();
    if source.text.lines().count() > LINES_MAX {
        found.push(source.at(LINES_MAX + 1, "the file is longer than 600 lines"));
    }
    found
}

/// Nothing is left for later: no placeholder, no disabled test, no disabled example.
fn loose_ends(source: &Source) -> Vec<String> {
    // Put together here, or this file would break its own rule.
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("```ig", "nore")];
    let mut found = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        if let Some(note) = notes.iter().find(|note| line.contains(**note)) {
            found.push(source.at(number, &format!("`{note}` is left over")));
        }
    }
    if source.extension() == "rs" {
        for window in tokens(&source.text).windows(3) {
            let [first, second, third] = window else { unreachable!("windows of three") };
            match (&*first.text, &*second.text, &*third.text) {
                ("todo" | "unimplemented", "!", _) => {
                    found.push(source.at(first.line, "unfinished code"));
                }
                ("#", "[", "ignore") => found.push(source.at(first.line, "a disabled test")),
                _ => {}
            }
        }
    }
    found
}

/// Threads, atomics and the clock are reached through one module each, so that loom and a manual
/// clock can stand in for them.
fn reserved_names(source: &Source) -> Vec<String> {
    let Some(module) = source.module() else { return Vec::new() };
    let mut found = Vec::new();
    let tokens = without_tests(tokens(&source.text)).tokens;
    for (position, token) in tokens.iter().enumerate() {
        let name = token.text.as_str();
        let mut reserve = |owner: &str, name: &str| {
            if module[0] != owner {
                found.push(source.at(token.line, &format!("only `{owner}` may name `{name}`")));
            }
        };
        if name == "loom" || name.starts_with("crossbeam_") {
            reserve("sync", name);
        } else if name == "Instant" || name == "SystemTime" && calls(&tokens, position) {
            reserve("clock", name);
        } else if name == "std" || name == "core" {
            for inner in branches(&tokens, position + 1) {
                if inner.text == "sync" || inner.text == "thread" {
                    reserve("sync", &format!("{name}::{}", inner.text));
                }
            }
        }
    }
    found
}

/// Whether a function of the type at `position` is called: callers may hand a time over.
fn calls(tokens: &[tokens::Token], position: usize) -> bool {
    tokens.get(position + 1).is_some_and(|next| next.text.starts_with(':'))
}

/// `unsafe` stands where the invariants that justify it stand, at the C boundary, and where Python
/// is handed memory.
fn unsafe_places(source: &Source) -> Vec<String> {
    let homes = ["sync/", "memory/", "epoch/", "table/"].map(|home| format!("core/src/{home}"));
    let files =
        ["core/src/sync.rs", "core/src/map/node.rs", "core/src/store/record.rs", "py/src/value.rs"];
    let path = source.path.as_str();
    let test = ["core/tests/", "benches/", "fuzz/"].iter().any(|tests| path.starts_with(tests));
    let home = path.starts_with("ffi-c/") || homes.iter().any(|home| path.starts_with(home));
    if test || home || files.contains(&path) {
        return Vec::new();
    }
    let tokens = without_tests(tokens(&source.text)).tokens;
    let found = tokens.iter().filter(|token| token.text == "unsafe");
    found.map(|token| source.at(token.line, "`unsafe` does not belong here")).collect()
}

/// A module uses only modules that `lib.rs` declares above it.
fn layers(root: &Root, source: &Source) -> Vec<String> {
    let Some(module) = source.module() else { return Vec::new() };
    let Some(own) = root.rank(module[0]) else {
        return vec![source.at(1, "`lib.rs` does not declare this module")];
    };
    let mut found = Vec::new();
    let tokens = without_tests(tokens(&source.text)).tokens;
    for used in uses_of_the_root(&tokens, &module) {
        let name = root.exports.get(&used.text).unwrap_or(&used.text);
        let strangers = STRANGERS.contains(&module[0]) && STRANGERS.contains(&name.as_str());
        let message = match root.rank(name) {
            None => format!("write the full path of `{name}`: the crate root does not name it"),
            Some(rank) if rank > own => {
                format!("`{}` uses `{name}`, which is declared below it", module[0])
            }
            Some(rank) if rank < own && strangers => {
                format!("`{}` and `{name}` must not know each other", module[0])
            }
            Some(_) => continue,
        };
        found.push(source.at(used.line, &message));
    }
    found
}

/// What `lib.rs` says: its modules from the bottom up, and which module an exported name is from.
struct Root {
    modules: Vec<String>,
    exports: BTreeMap<String, String>,
}

impl Root {
    fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let names = tokens.windows(2).filter(|pair| pair[0].text == "mod");
        let modules: Vec<_> = names.map(|pair| pair[1].text.clone()).collect();
        let mut exports = BTreeMap::new();
        for statement in tokens.split(|token| token.text == ";") {
            let Some(start) = statement.iter().position(|token| token.text == "use") else {
                continue;
            };
            let mut path = statement[start + 1..].iter().filter(|token| token.is_name());
            let Some(module) = path.find(|token| modules.contains(&token.text)) else { continue };
            exports.extend(path.map(|token| (token.text.clone(), module.text.clone())));
        }
        Root { modules, exports }
    }

    fn rank(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|name| name == module)
    }
}

// --- The repository --------------------------------------------------------------------------

fn repository() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the core has a parent");
    let mut sources = Vec::new();
    collect(root, root, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the repository is readable") {
        let path = entry.expect("the repository is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let built = name.starts_with('.') || name == "target" || name == "__pycache__";
        if built || path.is_symlink() {
            continue;
        } else if path.is_dir() {
            collect(root, &path, sources);
        } else if let Some((_, "rs" | "py" | "pyi" | "c" | "cpp" | "hpp")) = name.rsplit_once('.') {
            let text = fs::read_to_string(&path).expect("source files are UTF-8");
            let path = path.strip_prefix(root).expect("below the root").to_string_lossy();
            sources.push(Source { path: path.into_owned(), text });
        }
    }
}

/// The files of the engine that are compiled for its users: no module that is for tests only.
fn engine(sources: &[Source]) -> Vec<&Source> {
    let mut for_tests: BTreeSet<String> = BTreeSet::new();
    for source in sources {
        let parent = source.module().unwrap_or_default().join("/");
        let modules = without_tests(tokens(&source.text)).test_modules;
        for name in modules.iter().filter(|_| source.path.starts_with("core/src/")) {
            for_tests.insert(format!("{parent}/{name}").trim_start_matches('/').into());
        }
    }
    let is_for_tests = |module: &[&str]| {
        (1..=module.len()).any(|length| for_tests.contains(&module[..length].join("/")))
    };
    let engine = |source: &&Source| source.module().is_some_and(|module| !is_for_tests(&module));
    sources.iter().filter(engine).collect()
}

fn root(sources: &[Source]) -> Root {
    let library = sources.iter().find(|source| source.path == "core/src/lib.rs");
    Root::read(&library.expect("the engine has a lib.rs").text)
}

#[track_caller]
fn assert_clean(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn files_and_lines_are_short() {
    assert_clean(repository().iter().flat_map(sizes).collect());
}

#[test]
fn nothing_is_left_for_later() {
    assert_clean(repository().iter().flat_map(loose_ends).collect());
}

#[test]
fn modules_depend_downward() {
    let sources = repository();
    let root = root(&sources);
    assert_clean(engine(&sources).into_iter().flat_map(|source| layers(&root, source)).collect());
}

#[test]
fn threads_atomics_and_clock_are_named_in_one_place() {
    let sources = repository();
    assert_clean(engine(&sources).into_iter().flat_map(reserved_names).collect());
}

#[test]
fn unsafe_stands_where_its_invariants_stand() {
    let sources = repository();
    let others = sources.iter().filter(|source| !source.path.starts_with("core/src/"));
    let rust = others.filter(|source| source.extension() == "rs");
    assert_clean(engine(&sources).into_iter().chain(rust).flat_map(unsafe_places).collect());
}

#[test]
fn the_repository_is_really_read() {
    let sources = repository();
    for path in ["core/src/lib.rs", "core/tests/tidy.rs", "demo/wordcount.py"] {
        assert!(sources.iter().any(|source| source.path == path), "{path} was not read");
    }
    assert!(root(&sources).rank("store") > root(&sources).rank("error"));
}
