"""Run docs/tutorial.md as a reader does, and write into it what came out: `make tutorial`.

Blocks of `sh` and `python` run in order, in one folder and one Python. A block of `text` or `none` behind one is what
it printed: `text` holds on every machine but for the last digits of its numbers, which the tests check, and `none` may
differ. Pictures are the files that the blocks save.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_name("tutorial.md")
PICTURES = PAGE.with_name("tutorial")
BLOCK = re.compile(r"^```(?P<language>sh|python|text|none)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page: str, folder: Path) -> list[str]:
    """Run the blocks of a page within a folder; what each printed, one for each block of output."""
    names: dict[str, object] = {"__name__": "__main__"}
    printed, outputs = "", []
    with contextlib.chdir(folder):
        for block in BLOCK.finditer(page):
            language, body = block["language"], block["body"]
            if language == "sh":
                printed = shell(body)
            elif language == "python":
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(compile(body, f"{PAGE.name}, {body.splitlines()[0]}", "exec"), names)
                printed = out.getvalue()
            else:
                outputs.append(printed)
    return outputs


def shell(body: str) -> str:
    """What commands printed; those of this Python's environment are found first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", body], stdout=subprocess.PIPE, text=True, check=True, env=os.environ | {"PATH": path}
    )
    return done.stdout


def outputs(page: str) -> list[tuple[str, str]]:
    """Language and body of the page's blocks of output."""
    blocks = ((block["language"], block["body"]) for block in BLOCK.finditer(page))
    return [(language, body) for language, body in blocks if language in ("text", "none")]


def with_outputs(page: str, printed: list[str]) -> str:
    """The page with other outputs."""
    fresh = iter(printed)

    def renewed(block: re.Match[str]) -> str:
        if block["language"] not in ("text", "none"):
            return block[0]
        return f"```{block['language']}\n{next(fresh)}```"

    return BLOCK.sub(renewed, page)


def main() -> None:
    os.environ["MPLBACKEND"] = "Agg"
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        printed = run(page, Path(folder))
        PICTURES.mkdir(exist_ok=True)
        for picture in Path(folder).glob("*.png"):
            shutil.copy(picture, PICTURES)
    PAGE.write_text(with_outputs(page, printed))


if __name__ == "__main__":
    main()
