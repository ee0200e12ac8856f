//! Where the library lies, and how C and C++ programs are compiled against it and run.
//!
//! `cargo test` builds the library target in all its forms beside the test programs, in
//! `target/<profile>/deps`. `LIBKV_DIR` names another folder with the library to test, such as
//! `target/release`. The dynamic linker looks for libkv.so under its SONAME, so a folder of links
//! stands between the two.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The folder of this package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the whole project.
pub(crate) fn repository() -> &'static Path {
    package().parent().expect("the package lies in the repository")
}

/// The built library.
pub(crate) struct Library {
    /// libkv.so as cargo built it.
    pub(crate) shared: PathBuf,
    /// libkv.a as cargo built it.
    pub(crate) archive: PathBuf,
    /// A folder with the names under which linkers look for libkv.so.
    pub(crate) links: PathBuf,
    /// Whether records come from mimalloc, where valgrind cannot see them.
    pub(crate) has_mimalloc: bool,
    /// Whether it was built for AddressSanitizer, and so must be programs that load it.
    pub(crate) has_asan: bool,
    /// Whether it is another one than the one that was built with these tests.
    pub(crate) is_named: bool,
}

impl Library {
    pub(crate) fn get() -> &'static Library {
        static LIBRARY: OnceLock<Library> = OnceLock::new();
        LIBRARY.get_or_init(Library::find)
    }

    fn find() -> Library {
        let program = std::env::current_exe().expect("a test program has a path");
        let beside = program.parent().expect("a test program lies in a folder").to_owned();
        let named = std::env::var_os("LIBKV_DIR");
        let folder = named.clone().map_or(beside, PathBuf::from);
        let (shared, archive) = (folder.join("libkv.so"), folder.join("libkv.a"));
        for file in [&shared, &archive] {
            assert!(file.exists(), "cargo did not build {}", file.display());
        }
        let links = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lib");
        std::fs::create_dir_all(&links).unwrap();
        let dynamic = output("readelf", ["-dW".as_ref(), shared.as_os_str()]);
        let soname = dynamic.split_once("soname: [").expect("libkv.so has a SONAME").1;
        let soname = soname.split_once(']').unwrap().0;
        for name in ["libkv.so", soname] {
            let _ = std::fs::remove_file(links.join(name));
            std::os::unix::fs::symlink(&shared, links.join(name)).unwrap();
        }
        let has_mimalloc = output("nm", [shared.as_os_str()]).contains(" mi_malloc\n");
        let has_asan = output("nm", ["-D".as_ref(), shared.as_os_str()]).contains(" __asan_init\n");
        let is_named = named.is_some();
        let expected = is_named || has_mimalloc == cfg!(feature = "mimalloc");
        assert!(expected, "libkv.so was built with other features than these tests");
        Library { shared, archive, links, has_mimalloc, has_asan, is_named }
    }
}

/// What a program needs beside libkv.a.
pub(crate) const NATIVE: [&str; 6] = ["-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

/// A compiler with the dialect and the warnings of one test run.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) compiler: &'static str,
    /// Where the programs go.
    pub(crate) folder: &'static str,
    pub(crate) standard: &'static str,
    pub(crate) warnings: &'static [&'static str],
}

const WARNINGS: [&str; 9] = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-Wconversion",
    "-Wshadow",
    "-Wundef",
    "-Wcast-qual",
    "-Wsign-conversion",
];
const C: &[&str] = &["-Wstrict-prototypes", "-Wmissing-prototypes", "-D_POSIX_C_SOURCE=200809L"];
const CPP: &[&str] = &["-Wold-style-cast", "-Wnon-virtual-dtor", "-Wzero-as-null-pointer-constant"];

/// Each compiler's from the oldest to the newest; the last one makes the programs that run once.
pub(crate) const C_DIALECTS: [Dialect; 6] = [
    c("gcc", "gcc-c99", "-std=c99"),
    c("clang", "clang-c99", "-std=c99"),
    c("gcc", "gcc-c11", "-std=c11"),
    c("clang", "clang-c11", "-std=c11"),
    c("clang", "clang-c17", "-std=c17"),
    c("gcc", "gcc-c17", "-std=c17"),
];
pub(crate) const CPP_DIALECTS: [Dialect; 6] = [
    cpp("g++", "g++-c++11", "-std=c++11"),
    cpp("clang++", "clang++-c++11", "-std=c++11"),
    cpp("g++", "g++-c++17", "-std=c++17"),
    cpp("clang++", "clang++-c++17", "-std=c++17"),
    cpp("clang++", "clang++-c++20", "-std=c++20"),
    cpp("g++", "g++-c++20", "-std=c++20"),
];

const fn c(compiler: &'static str, folder: &'static str, standard: &'static str) -> Dialect {
    Dialect { compiler, folder, standard, warnings: C }
}

const fn cpp(compiler: &'static str, folder: &'static str, standard: &'static str) -> Dialect {
    Dialect { compiler, folder, standard, warnings: CPP }
}

impl Dialect {
    /// Compiles `sources` into a program, with `link` as the last arguments.
    pub(crate) fn compile<L: AsRef<OsStr>>(&self, sources: &[PathBuf], link: &[L]) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.folder);
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join(sources[0].file_name().unwrap()).with_extension("run");
        let mut command = Command::new(self.compiler);
        command.args([self.standard, "-O1", "-g", "-pthread"]).args(WARNINGS).args(self.warnings);
        if Library::get().has_asan {
            command.arg("-fsanitize=address");
        }
        command.arg("-I").arg(repository().join("include"));
        command.arg("-I").arg(package().join("tests/c")).arg("-o").arg(&program);
        command.args(sources).args(link);
        succeed(&mut command);
        program
    }

    /// Compiles `sources` against libkv.so.
    pub(crate) fn compile_shared(&self, sources: &[PathBuf]) -> PathBuf {
        let links = Library::get().links.display();
        self.compile(sources, &[format!("-L{links}"), "-lkv".into(), format!("-Wl,-rpath,{links}")])
    }
}

/// Runs a command and demands that it ends with 0; what it printed.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let program = command.get_program().to_os_string();
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!(
            "cannot run {program:?}: {error}; these tests need: \
             apt-get install gcc g++ clang binutils make pkg-config cmake valgrind"
        ),
    };
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// What a tool prints.
pub(crate) fn output<'a>(tool: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    let output = succeed(Command::new(tool).args(arguments).env("LC_ALL", "C"));
    String::from_utf8(output.stdout).expect("tools print UTF-8")
}
