"""The folder of the lab: tables/ and runs/, with names that cannot lead out of it."""

import filecmp
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from fitscope.errors import FitscopeError, OutputError
from fitscope.lab.answers import RefusedError
from fitscope.records import Run
from fitscope.runfile import write_atomically
from fitscope.specs import TABLE_SUFFIXES

__all__ = ["RUN_SUFFIX", "Workspace"]

RUN_SUFFIX = ".safetensors"
_NAME = re.compile(r"\w[\w .()+-]*")
_MOST_BYTES = 150  # of a name in UTF-8; a temporary file's is longer, and 255 is the end


class Workspace:
    """The folder. Nothing is made in it before something is kept there.

    Args:
        folder: where; default: `fitscope-lab` in the current folder.

    Raises:
        OutputError: a file of that name is in the way.
    """

    def __init__(self, folder: str | Path = "fitscope-lab") -> None:
        self.folder = Path(folder).absolute()
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputError(f"The workspace must be a folder; {folder} is a file.")
        self._placing = threading.Lock()

    def table(self, name: str) -> Path:
        """Where the table of that name lies, whether or not it is there.

        Raises:
            RefusedError: it is no name of a table.
        """
        if Path(name).suffix.lower() not in TABLE_SUFFIXES:
            raise RefusedError(
                422, f"A table's name ends in one of {', '.join(TABLE_SUFFIXES)}; got {name!r}."
            )
        return self.folder / "tables" / _checked(name)

    def run(self, name: str) -> Path:
        """Where the run of that name lies, whether or not it is there.

        Raises:
            RefusedError: it is no name.
        """
        return self.folder / "runs" / (_checked(name.removesuffix(RUN_SUFFIX)) + RUN_SUFFIX)

    def table_at(self, path: str) -> Path:
        """The table that an experiment's `data.path` names, as `tables/flowers.csv`.

        Raises:
            RefusedError: it names no table of the workspace.
        """
        folder, _, name = path.partition("/")
        if folder != "tables" or not name:
            raise RefusedError(
                422,
                "`data.path` must name a table of the workspace, such as tables/flowers.csv; "
                f"got {path[:80]!r}. Drop the table on the page first.",
            )
        found = self.table(name)
        if not _lies_in(found, self.folder / "tables"):
            raise RefusedError(422, f"There is no table {name} in the workspace.")
        return found

    def files(self, folder: str) -> list[Path]:
        """What is kept in `tables` or `runs`, by name."""
        suffixes = TABLE_SUFFIXES if folder == "tables" else (RUN_SUFFIX,)
        try:
            there = sorted((self.folder / folder).iterdir())
        except OSError:
            return []
        return [
            path
            for path in there
            if path.suffix.lower() in suffixes
            and _NAME.fullmatch(path.name)
            and _lies_in(path, self.folder / folder)
        ]

    def there(self, path: Path, what: str) -> Path:
        """The path of something that is there.

        Raises:
            RefusedError: it is not.
        """
        if not _lies_in(path, path.parent):
            raise RefusedError(404, f"There is no {what} {path.name} in the workspace.")
        return path

    def write(self, path: Path, content: bytes) -> None:
        """Writes a file of the workspace whole or not at all.

        Raises:
            OutputError: it cannot be written; the disk may be full.
        """
        with self.told():
            _make_folder(path.parent)
            write_atomically(path, content)

    def remove(self, path: Path) -> None:
        """Removes a file of the workspace.

        Raises:
            OutputError: it cannot be removed.
        """
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"Cannot remove {path.name}: {error.strerror}.") from None

    def free(self, path: Path, file: Path) -> Path:
        """The path, or the first of path-2, path-3, ... where nothing but the same file lies."""
        n, found = 1, path
        begin = path.stem.encode()[: _MOST_BYTES - 20].decode(errors="ignore")
        while found.exists() and not _are_same(found, file):
            n += 1
            found = path.with_name(f"{begin}-{n}{path.suffix}")
        return found

    def from_here(self, run: Run) -> Run:
        """The run with its table's place as the current folder has it, for code that runs there."""
        e, here = run.experiment, Path.cwd()
        if e.data.path is None:
            return run
        folder = self.folder.relative_to(here) if self.folder.is_relative_to(here) else self.folder
        data = e.data.model_copy(update={"path": (folder / e.data.path).as_posix()})
        e = e.model_copy(update={"data": data})
        return replace(run, experiment=e, dataset=replace(run.dataset, spec=data))

    @contextmanager
    def upload(self, path: Path) -> Iterator[tuple[BinaryIO, Callable[[], Path]]]:
        """A new file beside the path, and what puts it in its place once it is whole.

        Another file of that name stays, and the new one gets the next free name, which is what
        putting it in its place gives. What is left when the block ends without that is removed.

        Raises:
            OutputError: it cannot be written; the disk may be full.
        """
        name = f".{path.stem[:40]}.{secrets.token_hex(4)}{path.suffix}"
        with self.told({name: path.name}):
            _make_folder(path.parent)
            temporary = path.with_name(name)
            try:
                with temporary.open("xb") as file:
                    yield file, lambda: self._put(file, temporary, path)
            except OSError as error:
                if isinstance(error, FitscopeError):
                    raise
                raise OutputError(f"Cannot write {path}: {error.strerror}.") from None
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def _put(self, file: BinaryIO, temporary: Path, path: Path) -> Path:
        file.flush()
        os.fsync(file.fileno())
        file.close()  # before it is renamed, as Windows wants it
        with self._placing:
            place = self.free(path, temporary)
            if not place.exists():
                temporary.replace(place)
        return place

    @contextmanager
    def told(self, renamed: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
        """Errors call files by their place in the workspace."""
        try:
            yield
        except FitscopeError as error:
            text = str(error).replace(f"{self.folder}{os.sep}", "")
            for name, meant in renamed.items():
                text = text.replace(name, meant)
            error.args = (text,)
            raise


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")) or len(name.encode()) > _MOST_BYTES:
        raise RefusedError(
            422,
            "A name has letters, digits, spaces and _ . ( ) + -, begins with a letter or a digit, "
            f"and is no longer than {_MOST_BYTES} bytes; got {name[:80]!r}.",
        )
    return name


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether it is a file there, and no link that leads elsewhere."""
    try:
        return path.is_file() and path.resolve().parent == folder.resolve()
    except (OSError, ValueError):
        return False


def _are_same(path: Path, file: Path) -> bool:
    """Whether the one, which is no link elsewhere, has the content of the other."""
    try:
        return _lies_in(path, path.parent) and filecmp.cmp(path, file, shallow=False)
    except OSError:
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {folder}: {error.strerror}.") from None
