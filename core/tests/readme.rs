//! The programs that the README shows are the very files that `make test` compiles and runs.
//!
//! The first is run by cargo, those in C and C++ by the tests of `ffi-c`, the last under pytest.

use std::fs;
use std::path::PathBuf;

const PROGRAMS: [(&str, &str); 4] = [
    ("rust", "core/examples/quickstart.rs"),
    ("c", "ffi-c/examples/quickstart.c"),
    ("cpp", "ffi-c/examples/quickstart.cpp"),
    ("python", "py/examples/quickstart.py"),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The document with `program` as its code block in `language`.
fn with_program(document: &str, language: &str, program: &str) -> String {
    let fence = format!("\n```{language}\n");
    let (before, rest) = document.split_once(&fence).expect("the README has a block");
    let (_, after) = rest.split_once("```\n").expect("the block ends");
    format!("{before}{fence}{program}```\n{after}")
}

/// `UPDATE=1` writes the programs into the README instead of comparing them.
#[test]
fn readme_shows_the_programs_that_are_tested() {
    let shown = read("README.md");
    let put = |readme: String, (language, file): &(&str, &str)| {
        with_program(&readme, language, &read(file))
    };
    let tested = PROGRAMS.iter().fold(shown.clone(), put);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path("README.md"), tested).expect("the README can be written");
    } else {
        assert!(shown == tested, "the README shows other programs: run `make readme`");
    }
}

#[test]
fn a_program_that_differs_by_one_letter_is_seen() {
    let document = "# A\n\n```c\nint a;\n```\n\nText.\n\n```cpp\nint b;\n```\n";
    assert_eq!(with_program(document, "c", "int a;\n"), document);
    assert_ne!(with_program(document, "c", "int A;\n"), document);
    assert_ne!(with_program(document, "cpp", "int a;\n"), document);
}
