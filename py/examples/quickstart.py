"""rkv in twenty lines: one store, many threads, no locks."""

from threading import Thread

import rkv

with rkv.Store() as store:
    store["user:1"] = "Ada"  # str is stored as UTF-8, bytes as they are
    store["user:2"] = "Grace"
    print(store["user:1"].decode())  # reads return bytes
    print(store.get("user:3", b"nobody").decode())

    def visit() -> None:
        """Count a thousand visits."""
        for _ in range(1000):
            store.incr("visits")  # atomic, whoever else writes

    threads = [Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    print(int(store["visits"]), "visits by", store.keys("user:"))
