"""The package as installed: its stubs, its program, its example, and what importing it does."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import rkv

PACKAGE = Path(__file__).parent.parent


def run(*command: str) -> str:
    """Run a program that must succeed; what it printed."""
    # Where pyright looks for the interpreter whose packages it reads.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=PACKAGE,
        env={**os.environ, "PATH": path},
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(*arguments: str) -> str:
    """Run a Python module as a program."""
    return run(sys.executable, "-W", "error", "-m", *arguments)


def test_stubs_say_what_the_extension_is() -> None:
    checked = tool(
        "mypy.stubtest", "rkv", "--allowlist", "tests/stubtest.txt", "--ignore-unused-allowlist"
    )
    assert "no issues found" in checked


def test_types_reach_the_user_of_mypy() -> None:
    checked = tool("mypy", "--strict", "python", "examples", "tests/typed.py")
    assert "no issues found" in checked


def test_types_reach_the_user_of_pyright() -> None:
    assert "0 errors, 0 warnings" in run("basedpyright")
    complete = run("basedpyright", "--verifytypes", "rkv", "--ignoreexternal")
    assert "Type completeness score: 100%" in complete


def test_versions_agree() -> None:
    assert rkv.__version__ == version("rkv")


def test_program_prints_version_and_build() -> None:
    printed = dict(line.split(maxsplit=1) for line in tool("rkv").splitlines())
    assert printed["rkv"] == rkv.__version__
    assert printed["profile"] in ("debug", "release")
    assert printed["abi"] in ("version-specific", "abi3")
    assert set(printed) == {"rkv", "profile", "target", "abi", "python"}


def test_quickstart_runs(run_python: Callable[[str], str]) -> None:
    program = (PACKAGE / "examples" / "quickstart.py").read_text()
    assert run_python(program) == "Ada\nnobody\n4000 visits by [b'user:1', b'user:2']\n"


def test_every_exported_name_exists() -> None:
    assert all(hasattr(rkv, name) for name in rkv.__all__)
    assert rkv.__all__ == sorted(rkv.__all__, key=lambda name: (not name.isupper(), name))


def test_importing_and_using_start_no_thread(run_python: Callable[[str], str]) -> None:
    run_python("""
        import os
        before = len(os.listdir("/proc/self/task"))
        import rkv
        with rkv.Store() as store:
            for number in range(10_000):
                store[str(number)] = "v"
            store.clear()
        assert len(os.listdir("/proc/self/task")) == before == 1
    """)


def test_importing_leaves_a_free_threaded_interpreter_free(
    run_python: Callable[[str], str],
) -> None:
    run_python("""
        import sys, sysconfig
        import rkv
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            assert not sys._is_gil_enabled()
    """)


def test_documentation_is_there() -> None:
    assert rkv.__doc__
    for kind in map(rkv.__dict__.get, rkv.__all__):
        if isinstance(kind, type):
            assert kind.__doc__, kind
            for name, member in vars(kind).items():
                if not name.startswith("_") and (
                    callable(member) or inspect.isdatadescriptor(member)
                ):
                    assert member.__doc__, f"{kind.__name__}.{name}"


def test_signatures_are_there() -> None:
    for kind in (rkv.Store, rkv.Value, rkv.ManualClock):
        for name in vars(kind):
            if not name.startswith("_") and callable(getattr(kind, name)):
                assert inspect.signature(getattr(kind, name)), f"{kind.__name__}.{name}"
    assert list(inspect.signature(rkv.Store).parameters)[-1] == "encoding"
