//! What `make install` puts where, and programs of strangers that find it there: by pkg-config and
//! by CMake, in both languages, with the shared library and with the archive.
//!
//! Each test installs the library that is built into a folder of its own and moves the tree away,
//! so that whatever names the folder it was installed to leads nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::programs::{bounded, quickstart_is_right};
use crate::toolchain::{Library, NATIVE, output, package, repository, succeed};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A folder that no machine has.
const PREFIX: &str = "/opt/rkv-test";
/// The folders of libraries: the usual one, and one as Debian has it.
const LIBDIRS: [&str; 2] = ["lib", "lib/x86_64-linux-gnu"];

#[test]
fn install_puts_readable_files_and_links_under_any_umask() {
    let stage = Stage::new("files");
    // The second time everything is there.
    for _ in 0..2 {
        succeed(&mut stage.make("install", "lib"));
    }
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    let interface = if major == "0" { format!("0.{minor}") } else { major.to_owned() };
    let expected = [
        ("include", "755"),
        ("include/kv.h", "644"),
        ("include/kv.hpp", "644"),
        ("include/kv_values.hpp", "644"),
        ("lib", "755"),
        ("lib/cmake", "755"),
        ("lib/cmake/kv", "755"),
        ("lib/cmake/kv/kvConfig.cmake", "644"),
        ("lib/cmake/kv/kvConfigVersion.cmake", "644"),
        ("lib/libkv.a", "644"),
        ("lib/libkv.so", &format!("libkv.so.{interface}")),
        (&format!("lib/libkv.so.{interface}"), &format!("libkv.so.{VERSION}")),
        (&format!("lib/libkv.so.{VERSION}"), "755"),
        ("lib/pkgconfig", "755"),
        ("lib/pkgconfig/kv.pc", "644"),
    ];
    let expected = expected.map(|(path, kind)| (path.to_owned(), kind.to_owned()));
    assert_eq!(listed(&stage.installed()), BTreeMap::from(expected));
}

#[test]
fn uninstall_takes_only_what_install_put() {
    for libdir in LIBDIRS {
        let stage = Stage::new("uninstall");
        let of_others = stage.installed().join(libdir).join("cmake/kv/others.cmake");
        fs::create_dir_all(of_others.parent().unwrap()).unwrap();
        fs::write(&of_others, "").unwrap();
        succeed(&mut stage.make("install", libdir));
        succeed(&mut stage.make("uninstall", libdir));
        let left = listed(&stage.installed()).into_keys();
        let files: Vec<_> = left.filter(|path| !stage.installed().join(path).is_dir()).collect();
        assert_eq!(files, [format!("{libdir}/cmake/kv/others.cmake")]);
        fs::remove_file(&of_others).unwrap();
        succeed(&mut stage.make("uninstall", libdir));
        assert!(!of_others.parent().unwrap().exists(), "the empty folder stays");
    }
}

#[test]
fn wrong_folders_are_refused_by_name() {
    let stage = Stage::new("refused");
    let [empty, other] = ["empty", "other"].map(|name| stage.folder.join(name));
    for folder in [&empty, &other] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(other.join("libkv.a"), "").unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-Wl,-soname,libkv.so.999", "-x", "c", "/dev/null", "-o"]);
    succeed(gcc.arg(other.join("libkv.so")));
    let cases = [
        ("PREFIX=relative", "PREFIX must be an absolute path, and is 'relative'"),
        ("PREFIX=", "PREFIX must be an absolute path, and is ''"),
        ("LIBDIR=lib", "LIBDIR must be an absolute path, and is 'lib'"),
        (&format!("LIBKV_DIR={}", empty.display()), "there is no libkv.so in LIBKV_DIR"),
        (&format!("LIBKV_DIR={}", other.display()), "is libkv.so.999; version"),
    ];
    for (wrong, message) in cases {
        // The last of two settings counts.
        let Output { status, stderr, .. } =
            stage.make("install", "lib").arg(wrong).output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && stderr.contains(message), "{wrong}: {stderr}");
        assert!(!stage.installed().exists(), "{wrong}: something was installed");
    }
}

#[test]
fn pkg_config_serves_c_and_cpp_from_a_moved_tree() {
    for libdir in LIBDIRS {
        let tree = moved("pkg-config", libdir);
        let libraries = tree.join(libdir);
        let ask = |question: &str| {
            let mut command = Command::new("pkg-config");
            command.args(question.split(' ')).arg("kv");
            command.env_remove("PKG_CONFIG_PATH");
            command.env("PKG_CONFIG_LIBDIR", libraries.join("pkgconfig"));
            String::from_utf8(succeed(&mut command).stdout).unwrap()
        };
        assert_eq!(ask("--modversion").trim(), VERSION);
        for (compiler, source) in [("gcc", "quickstart.c"), ("g++", "quickstart.cpp")] {
            let compile = |name: &str, first: &str, flags: &str| {
                let program = tree.join(name);
                let mut command = Command::new(compiler);
                command.args([first, "-Wall", "-Wextra", "-Werror", "-pedantic", "-o"]);
                command.arg(&program).arg(package().join("examples").join(source));
                succeed(command.args(flags.split_whitespace()));
                program
            };
            let shared = compile("shared", "-O1", &ask("--cflags --libs"));
            let mut run = bounded(&shared);
            quickstart_is_right(source, run.env("LD_LIBRARY_PATH", &libraries));
            let whole = compile("static", "-static", &ask("--static --cflags --libs"));
            quickstart_is_right(source, &mut bounded(&whole));
            assert_eq!([needs_libkv(&shared), needs_libkv(&whole)], [true, false]);
        }
    }
}

#[test]
fn cmake_serves_c_and_cpp_from_a_moved_tree() {
    for libdir in LIBDIRS {
        let tree = moved("cmake", libdir);
        let build = tree.join("build");
        let mut configure = cmake();
        configure.arg("-S").arg(package().join("tests/cmake")).arg("-B").arg(&build);
        // A folder of an architecture is searched by machines of this architecture.
        configure.arg(match libdir {
            "lib" => format!("-DCMAKE_PREFIX_PATH={}", tree.display()),
            _ => format!("-Dkv_DIR={}", tree.join(libdir).join("cmake/kv").display()),
        });
        configure.arg(format!("-DKV_EXAMPLES={}", package().join("examples").display()));
        succeed(configure.arg(format!("-DKV_VERSION={VERSION}")));
        succeed(cmake().arg("--build").arg(&build));
        for (language, source) in [("c", "quickstart.c"), ("cpp", "quickstart.cpp")] {
            for (form, shared) in [("kv", true), ("kv_static", false)] {
                let program = build.join(format!("{language}-{form}"));
                quickstart_is_right(source, &mut bounded(&program));
                assert_eq!(needs_libkv(&program), shared, "{}", program.display());
            }
        }
    }
}

#[test]
fn cmake_takes_versions_with_the_same_interface_only() {
    let tree = moved("versions", "lib");
    let part = |digits: &str| digits.parse::<u32>().unwrap();
    let major = part(env!("CARGO_PKG_VERSION_MAJOR"));
    let minor = part(env!("CARGO_PKG_VERSION_MINOR"));
    let patch = part(env!("CARGO_PKG_VERSION_PATCH"));
    let cases = [
        (format!("{major}.{minor}"), true),
        (format!("{major}.{minor}.0"), true),
        (VERSION.to_owned(), true),
        ("0.0".to_owned(), false),
        (format!("{major}.{minor}.{}", patch + 1), false),
        (format!("{major}.{}", minor + 1), false),
        (format!("{major}.{minor}0"), false),
        (format!("{}.{minor}", major + 1), false),
    ];
    for (asked, expected) in cases {
        let script = tree.join("ask.cmake");
        let file = tree.join("lib/cmake/kv/kvConfigVersion.cmake");
        let text = format!(
            "set(PACKAGE_FIND_VERSION {asked})\ninclude({})\n\
             message(\"${{PACKAGE_VERSION_COMPATIBLE}} ${{PACKAGE_VERSION_EXACT}}\")\n",
            file.display()
        );
        fs::write(&script, text).unwrap();
        let answer = String::from_utf8(succeed(cmake().arg("-P").arg(&script)).stderr).unwrap();
        let exact = if asked == VERSION || patch == 0 && asked == format!("{major}.{minor}") {
            "TRUE"
        } else {
            ""
        };
        let expected = format!("{} {exact}", expected.to_string().to_uppercase());
        assert_eq!(answer.trim_end(), expected.trim_end(), "asked for {asked}");
    }
}

#[test]
fn archive_names_the_libraries_that_rustc_names() {
    let tree = moved("native", "lib");
    let source = tree.join("nothing.rs");
    fs::write(&source, "").unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--crate-type=staticlib", "--print=native-static-libs", "--out-dir"]);
    let noted = String::from_utf8(succeed(rustc.arg(&tree).arg(&source)).stderr).unwrap();
    let (_, named) = noted.split_once("native-static-libs: ").expect("rustc names libraries");
    // Compilers bring this one, or its static form.
    let named = named.lines().next().unwrap().split(' ').filter(|name| *name != "-lgcc_s");
    assert_eq!(named.collect::<Vec<_>>(), NATIVE);

    let told = fs::read_to_string(tree.join("lib/pkgconfig/kv.pc")).unwrap();
    assert!(told.contains(&format!("\nLibs.private: {}\n", NATIVE.join(" "))), "{told}");
    let told = fs::read_to_string(tree.join("lib/cmake/kv/kvConfig.cmake")).unwrap();
    let list = NATIVE.map(|name| name.trim_start_matches("-l")).join(";");
    assert!(told.contains(&format!("INTERFACE_LINK_LIBRARIES \"{list}\"")), "{told}");
}

/// An empty folder of one test, into which it installs.
struct Stage {
    folder: PathBuf,
}

impl Stage {
    fn new(test: &str) -> Stage {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("install").join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Stage { folder }
    }

    /// `make install` or `make uninstall` as a careful user calls it.
    fn make(&self, target: &str, libdir: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 077; exec make \"$@\"", "sh", target, "-C"]).arg(repository());
        let built = Library::get().shared.parent().unwrap().display();
        let destination = self.folder.join("stage");
        command.arg(format!("LIBKV_DIR={built}")).arg(format!("PREFIX={PREFIX}"));
        command.arg(format!("DESTDIR={}", destination.display()));
        if libdir != "lib" {
            command.arg(format!("LIBDIR={PREFIX}/{libdir}"));
        }
        // What the make that runs this test was told is not for this one.
        for name in ["MAKEFLAGS", "MFLAGS", "LIBDIR"] {
            command.env_remove(name);
        }
        command
    }

    /// Where the files of the prefix come to lie.
    fn installed(&self) -> PathBuf {
        self.folder.join("stage").join(PREFIX.trim_start_matches('/'))
    }
}

/// A fresh tree, installed and then moved to where nobody meant it to lie.
fn moved(test: &str, libdir: &str) -> PathBuf {
    let stage = Stage::new(test);
    succeed(&mut stage.make("install", libdir));
    let tree = stage.folder.join("elsewhere");
    fs::rename(stage.installed(), &tree).unwrap();
    tree
}

/// Everything below a folder, with its mode, or with its target if it is a link.
fn listed(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            let kind = if about.is_symlink() {
                fs::read_link(&path).unwrap().to_str().unwrap().to_owned()
            } else {
                format!("{:o}", about.permissions().mode() & 0o7777)
            };
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, kind);
            if about.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

fn needs_libkv(program: &Path) -> bool {
    output("readelf", ["-dW".as_ref(), program.as_os_str()]).contains("[libkv.so")
}

/// CMake that looks for nothing in the environment.
fn cmake() -> Command {
    let mut command = Command::new("cmake");
    for name in ["CMAKE_PREFIX_PATH", "CMAKE_GENERATOR", "kv_DIR", "kv_ROOT"] {
        command.env_remove(name);
    }
    command
}
