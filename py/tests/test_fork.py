"""A child process may not use its parent's stores, may drop them, and opens its own."""

from collections.abc import Callable

IN_A_CHILD = """
    import os, sys, threading, traceback, warnings
    import rkv
    from calls import CALLS, outcomes

    def in_a_child(work):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    store = rkv.Store()
    for number in range(1000):
        store[str(number)] = "v"
"""


def test_every_call_of_an_inherited_store_raises_forked(run_python: Callable[[str], str]) -> None:
    run_python(
        IN_A_CHILD
        + """
    keys = iter(store)
    next(keys)

    def work():
        assert outcomes(store) == dict.fromkeys(CALLS, "Forked"), outcomes(store)
        assert repr(store) == "<rkv.Store forked>"
        try:
            next(keys)
        except rkv.Forked as error:
            assert error.code == -14
        else:
            raise AssertionError("the iterator went on")

    in_a_child(work)
    assert store.count() == 1000
    assert len(list(keys)) == 999
    """
    )


def test_a_child_reads_the_views_that_it_inherited(run_python: Callable[[str], str]) -> None:
    run_python(
        IN_A_CHILD
        + """
    store["big"] = b"v" * 100_000
    view, memory = store.view("big"), memoryview(store.view("0"))

    def work():
        global view, memory
        assert view == b"v" * 100_000 and memory == b"v"
        assert (view.key, len(memory)) == (b"big", 1)
        del view, memory
        store.close()

    in_a_child(work)
    store["big"] = "other"
    assert view == b"v" * 100_000 and memory == b"v"
    """
    )


def test_a_child_forked_within_a_computation_changes_nothing(
    run_python: Callable[[str], str],
) -> None:
    run_python(
        IN_A_CHILD
        + """
    child = None

    def fork(old):
        global child
        child = os.fork()
        return "of the child" if child == 0 else "of the parent"

    try:
        assert store.compute("0", fork) == b"of the parent"
    except rkv.Forked:
        with rkv.Store() as own:
            own["k"] = "v"
        os._exit(0 if child == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store["0"] == b"of the parent"
    """
    )


def test_a_child_closes_and_drops_what_it_inherited(run_python: Callable[[str], str]) -> None:
    run_python(
        IN_A_CHILD
        + """
    def work():
        global other
        store.close()
        store.close()
        assert outcomes(store) == dict.fromkeys(CALLS, "Closed"), outcomes(store)
        del other

    other = rkv.Store()
    other["k"] = "v"
    in_a_child(work)
    assert (store.count(), other["k"]) == (1000, b"v")
    """
    )


def test_a_child_opens_stores_of_its_own(run_python: Callable[[str], str]) -> None:
    run_python(
        IN_A_CHILD
        + """
    def work():
        with rkv.Store() as own:
            def count():
                for _ in range(1000):
                    own.incr("n")
            threads = [threading.Thread(target=count) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert own["n"] == b"4000"
            in_a_child(lambda: rkv.Store().set("k", "v"))

    in_a_child(work)
    """
    )


def test_a_child_forked_amid_writers_opens_stores_of_its_own(
    run_python: Callable[[str], str],
) -> None:
    run_python(
        IN_A_CHILD
        + """
    def write(name):
        number = 0
        while not done:
            store[f"{name}-{number % 5000}"] = "v" * (number % 200)
            store.delete(f"{name}-{(number - 100) % 5000}")
            match number % 50:
                case 0:
                    store.set_many(dict.fromkeys(map(str, range(number, number + 600)), "v"))
                case 10:
                    store.delete_many(map(str, range(number - 600, number)))
                case 20:
                    store.compute("shared", lambda old: b"%d" % (int(old or 0) + 1))
                case 30:
                    views = [store.view(str(number)), store.pop(str(number), None)]
                case 40:
                    store.setdefault(f"{name}-default", "v"), store.popitem()
            number += 1

    def work():
        own = rkv.Store()
        for number in range(2000):
            own[str(number)] = "v"
        assert len(own.keys()) == own.clear() == 2000
        own.set_many(dict.fromkeys(map(str, range(2000)), "v"))
        assert own.compute("k", lambda _: "v") == b"v"
        assert len(own.items()) == 2001 and own.popitem()
        own.close()
        assert outcomes(store) == dict.fromkeys(CALLS, "Forked"), outcomes(store)
        store.close()

    # From Python 3.12 on, forking a process with threads is worth a warning.
    warnings.simplefilter("ignore", DeprecationWarning)
    done = False
    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    try:
        for _ in range(20):
            in_a_child(work)
    finally:
        done = True
        for writer in writers:
            writer.join()
    """
    )


def test_a_child_that_exits_normally_drops_what_it_inherited(
    run_python: Callable[[str], str],
) -> None:
    run_python(
        IN_A_CHILD
        + """
    child = os.fork()
    if child == 0:
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.count() == 1000
    """
    )


def test_a_child_forked_beside_maintenance_has_a_maintenance_of_its_own(
    run_python: Callable[[str], str],
) -> None:
    run_python(
        IN_A_CHILD
        + """
    import signal

    def fill(store):
        for number in range(1000):
            store.set(str(number), "v", ttl=0.001 + number / 1e5)

    def until_empty(store):
        # Looking at the figures removes nothing.
        while store.stats()["entries"]:
            pass
        assert store.stats()["expired_lazily"] == 0

    def work():
        assert outcomes(kept) == dict.fromkeys(CALLS, "Forked"), outcomes(kept)
        assert len(os.listdir("/proc/self/task")) == 1
        with rkv.Store(maintenance=True) as own:
            fill(own)
            assert len(os.listdir("/proc/self/task")) == 2
            until_empty(own)
        global left_open
        left_open = rkv.Store(maintenance=True)
        fill(left_open)

    # From Python 3.12 on, forking a process with threads is worth a warning.
    warnings.simplefilter("ignore", DeprecationWarning)
    kept = rkv.Store(maintenance=True)
    for _ in range(10):
        # The thread is at work when the process forks.
        fill(kept)
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # ends a child that hangs
            work()
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    fill(kept)
    until_empty(kept)
    assert kept.stats()["expired_actively"] >= 1000
    """
    )
