"""One use of everything that a store can be asked, for tests that hold for every call."""

from collections.abc import Callable

import rkv


def swap(store: rkv.Store) -> int:
    """Set a key at the version that it has."""
    try:
        return store.compare_and_swap("key", 0, "value")
    except rkv.Conflict as conflict:
        return store.compare_and_swap("key", conflict.current, "value")


CALLS: dict[str, Callable[[rkv.Store], object]] = {
    "get": lambda store: store.get("key"),
    "get_many": lambda store: store.get_many(["key", "absent"]),
    "view": lambda store: store.view("key"),
    "set": lambda store: store.set("key", "value"),
    "set_if_absent": lambda store: store.set_if_absent("key", "value"),
    "add": lambda store: store.add("key", "value"),
    "set_many": lambda store: store.set_many({"key": "value"}),
    "compare_and_swap": lambda store: swap(store),
    "compute": lambda store: store.compute("key", lambda _: "value"),
    "setdefault": lambda store: store.setdefault("key", "value"),
    "update": lambda store: store.update(key="value"),
    "delete": lambda store: store.delete("other"),
    "delete_many": lambda store: store.delete_many(["other", "another"]),
    "contains": lambda store: store.contains("key"),
    "incr": lambda store: store.incr("number"),
    "ttl": lambda store: store.ttl("key"),
    "expire": lambda store: store.expire("key", 60.0),
    "persist": lambda store: store.persist("key"),
    "touch": lambda store: store.touch("key", 60.0),
    "purge_expired": lambda store: store.purge_expired(),
    "advance": lambda store: store.advance(),
    "count": lambda store: store.count(),
    "keys": lambda store: store.keys(),
    "values": lambda store: store.values(),
    "items": lambda store: store.items(),
    "scan": lambda store: list(store.scan()),
    "pop": lambda store: store.pop("absent", None),
    "popitem": lambda store: store.popitem(),
    "stats": lambda store: store.stats(),
    "clear": lambda store: store.clear(),
    "__setitem__": lambda store: store.__setitem__("key", "value"),
    "__getitem__": lambda store: store["key"],
    "__delitem__": lambda store: store.__delitem__("key"),
    "__contains__": lambda store: "key" in store,
    "__len__": lambda store: len(store),
    "__bool__": lambda store: bool(store),
    "__iter__": lambda store: list(store),
    "__enter__": lambda store: store.__enter__(),
}


def outcomes(store: rkv.Store) -> dict[str, str]:
    """Make every call once, in order; the name of what each raised, or "ok"."""
    found = {}
    for name, call in CALLS.items():
        try:
            call(store)
        except Exception as error:
            found[name] = type(error).__name__
        else:
            found[name] = "ok"
    return found
