//! The guides for C and C++ are programs: every piece of code in them, in the order of the page,
//! prints what the block behind it shows.
//!
//! The first piece is a whole program. The others are made one program of, as the guide tells its
//! reader: functions before `main`, all else in the place of what the first program does.

use std::fs;
use std::path::Path;

use crate::programs::bounded;
use crate::toolchain::{C_DIALECTS, CPP_DIALECTS, Dialect, repository, succeed};

#[test]
fn guide_for_c_does_what_it_says() {
    let guide = Guide::read("c.md", "c", "\n  need(kv_set(", "\n  need(kv_close(store));");
    C_DIALECTS.iter().for_each(|dialect| guide.check(dialect, "guide.c"));
}

#[test]
fn guide_for_cpp_does_what_it_says() {
    let guide = Guide::read("cpp.md", "cpp", "    store.set(", "  } catch (");
    CPP_DIALECTS.iter().for_each(|dialect| guide.check(dialect, "guide.cpp"));
}

#[test]
fn output_that_a_guide_does_not_show_is_seen() {
    let text = "```c\nmain {\nMIDDLE\nEND}\n```\n```text\none\n```\nWords.\n```c\nputs();\n```\n";
    let guide = Guide::parse(text, "c", "MIDDLE", "END");
    let (program, shown) = guide.program("c17");
    assert_eq!((program.as_str(), shown.as_str()), ("main {\n{\nputs();\n}\nEND}\n", ""));
    assert_eq!(guide.first.shown, "one\n");
}

/// A guide taken apart.
struct Guide {
    first: Piece,
    pieces: Vec<Piece>,
    /// What the first program does lies from the one text to the other.
    middle: [&'static str; 2],
}

/// A piece of code, and what it prints.
struct Piece {
    /// The year of the oldest standard that has what it uses; "" for any.
    since: String,
    code: String,
    shown: String,
}

impl Guide {
    fn read(file: &str, language: &str, from: &'static str, to: &'static str) -> Guide {
        let text = fs::read_to_string(repository().join("docs").join(file)).unwrap();
        let guide = Guide::parse(&text, language, from, to);
        assert!(guide.pieces.len() > 10, "{file}: pieces got lost");
        guide
    }

    fn parse(text: &str, language: &str, from: &'static str, to: &'static str) -> Guide {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut blocks = text.split("\n```").map(|block| block.trim_start_matches("```"));
        // Blocks of code and the words between them take turns.
        let is_code = text.starts_with("```");
        if !is_code {
            blocks.next();
        }
        for block in blocks.step_by(2) {
            let (tag, code) = block.split_once('\n').expect("a block has lines");
            let code = format!("{code}\n");
            match tag.split_once(' ').unwrap_or((tag, "")) {
                ("text", _) => pieces.last_mut().expect("of a piece").shown = code,
                (tag, since) if tag == language => {
                    let (since, shown) = (since.to_owned(), String::new());
                    pieces.push(Piece { since, code, shown });
                }
                _ => {}
            }
        }
        Guide { first: pieces.remove(0), pieces, middle: [from, to] }
    }

    /// All pieces but the first as one program, and what it prints.
    fn program(&self, standard: &str) -> (String, String) {
        let knows = |piece: &&Piece| {
            let year = |name: &str| {
                name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().ok()
            };
            piece.since.is_empty() || year(&piece.since) <= year(standard)
        };
        let (functions, statements): (Vec<&Piece>, Vec<&Piece>) =
            self.pieces.iter().filter(knows).partition(|piece| {
                piece.code.contains("*/\nstatic ") || piece.code.starts_with("static ")
            });
        let functions: String = functions.iter().map(|piece| piece.code.as_str()).collect();
        let body: String =
            statements.iter().map(|piece| format!("{{\n{}}}\n", piece.code)).collect();
        let first = &self.first.code;
        let from = first.find(self.middle[0]).expect("the first program begins its work");
        let to = first.find(self.middle[1]).expect("the first program ends its work");
        let main = first.find("\nint main(").map_or(0, |at| at + 1);
        let program =
            [&first[..main], &functions, &first[main..from], &body, &first[to..]].concat();
        (program, statements.iter().map(|piece| piece.shown.as_str()).collect())
    }

    fn check(&self, dialect: &Dialect, file: &str) {
        let (program, shown) = self.program(dialect.standard);
        for (name, program, shown) in
            [("first", &self.first.code, &self.first.shown), ("all", &program, &shown)]
        {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(dialect.folder);
            fs::create_dir_all(&folder).unwrap();
            let source = folder.join(format!("{name}-{file}"));
            fs::write(&source, program).unwrap();
            let program = dialect.compile_shared(&[source]);
            let printed = String::from_utf8(succeed(&mut bounded(program)).stdout).unwrap();
            assert_eq!(&printed, shown, "{file}, {name}");
        }
    }
}
