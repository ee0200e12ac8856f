"""``python -m rkv``: the version, and how this copy was built, for bug reports."""

import platform

from rkv._rkv import BUILD


def main() -> None:
    """Print one fact per line."""
    facts = {
        "rkv": BUILD["version"],
        "profile": BUILD["profile"],
        "target": BUILD["target"],
        "abi": BUILD["abi"],
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for name, fact in facts.items():
        print(f"{name:8} {fact}")


if __name__ == "__main__":
    main()
