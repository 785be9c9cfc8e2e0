"""Makes .venv in the working folder, or leaves it where it is whole; `make env` runs this by the Python to be used.

An environment is made anew where it is of another Python, cannot run, or came here from another folder, whose path its
commands still hold. Any Python, also an old one, can read this file, so that it can say which one is needed.
"""
# ruff: noqa: UP031

import os
import re
import subprocess
import sys

FOLDER = ".venv"
OLDEST = (3, 11)
VERSION = "%d.%d" % sys.version_info[:2]


def main():
    """Make the environment if it is not whole; with --check only say by the exit code whether it is."""
    if sys.version_info < OLDEST:
        needed = "%d.%d" % OLDEST
        sys.exit(
            "Python %s or newer is needed, and %s is %s: run make env PYTHON=/path/to/python%s"
            % (needed, sys.executable, VERSION, needed)
        )
    fault = fault_of()
    if "--check" in sys.argv:
        sys.exit(1 if fault else 0)
    if fault and os.path.islink(FOLDER):
        sys.exit("%s is a link to %s, which %s: remove the link" % (FOLDER, os.path.realpath(FOLDER), fault))
    if fault:
        if os.path.exists(FOLDER):
            print("%s %s: it is made anew" % (FOLDER, fault))
        sys.exit(subprocess.call([sys.executable, "-m", "venv", "--clear", FOLDER]))


def fault_of():
    """Why the environment will not do, in words that follow its name; empty if it will."""
    python, pip = (os.path.join(FOLDER, "bin", name) for name in ("python", "pip"))
    try:
        code = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.check_output([python, "-c", code], stderr=subprocess.DEVNULL).decode().strip()
        with open(pip, encoding="utf-8") as file:
            start = file.read(2000)
    except (OSError, subprocess.CalledProcessError):
        return "is not whole"
    if version != VERSION:
        return "is of Python %s, not %s" % (version, VERSION)
    # `#!/folder/python`, or a line of sh where the path has blanks or is long
    named = re.search("^(?:#!|'''exec' \"?)(/.+)/python", start, re.MULTILINE)
    if not named or not os.path.exists(named.group(1)) or not os.path.samefile(named.group(1), os.path.dirname(pip)):
        return "was made in another folder"
    return ""


if __name__ == "__main__":
    main()
