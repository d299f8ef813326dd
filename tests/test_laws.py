"""Laws of the house: layers, lazy imports, exports, documentation that is true."""

import ast
import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

import fitscope as fs
from fitscope import errors, plot
from fitscope.analysis.needs import grid_axes
from fitscope.catalogue import DATASETS
from fitscope.cli import COMMANDS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "fitscope"
FILES = sorted(SOURCE.rglob("*.py"))
ASSETS = SOURCE / "lab" / "assets"
MODULES = sorted(ASSETS.rglob("*.js"))
LONGEST = 400  # lines of a file
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
OWN_TABLE = (ROOT / "docs" / "your-own-table.md").read_text(encoding="utf-8")
OWN_LOOP = (ROOT / "docs" / "your-own-loop.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
# of Run: they open what lies above
DOORS = {"predict", "predict_proba", "module", "save", "plot", "show", "_repr_html_"}
DOORS |= {"to_tensorboard", "to_mlflow", "summary"}
HEAVY = {"torch", "numba", "matplotlib", "plotly", "sklearn", "scipy", "pyarrow", "fastapi"}


def module_name(path):
    """`fitscope.data.toys` for its file."""
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def map_of_the_house():
    """File -> layer number, as `docs/design.md` draws it; a file in a package has its number."""
    drawn, folder, number = {}, "", 0
    for line in DESIGN.split("src/fitscope/\n")[1].split("```")[0].splitlines():
        indent, entry, rest = re.match(r"( +)(\S+)(.*)", line).groups()
        folder = "" if len(indent) == 2 else folder
        layer = re.match(r" +(\d+)(?:  |$)", rest)
        number = int(layer.group(1)) if layer else number
        if entry.endswith("/"):
            folder = entry
        else:
            drawn[folder + entry] = number
    return drawn


def imports(path):
    """(module, whether it stands inside a door of Run) for each import that runs."""
    found = []

    def visit(node, in_door, checking):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.FunctionDef) and path.name in ("records.py", "population.py"):
            in_door = in_door or node.name in DOORS
        if isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            known = {module_name(file) for file in FILES}
            found.extend(
                (m, in_door) for m in ([s for s in submodules if s in known] or [node.module])
            )
        if isinstance(node, ast.Import):
            found.extend((alias.name, in_door) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child, in_door, checking)

    visit(ast.parse(path.read_text(encoding="utf-8")), False, False)
    return found


def test_the_map_is_the_tree():
    """`docs/design.md` draws every file of the package, and no other."""
    there = {str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*") if p.suffix in (".py", ".css")}
    assert set(map_of_the_house()) - {"py.typed"} == there


def test_the_map_of_the_page_is_its_tree():
    """`docs/design.md` draws every module of the page, and no other."""
    drawn, folder = set(), ""
    for line in DESIGN.split("src/fitscope/lab/assets/\n")[1].split("```")[0].splitlines():
        indent, entry = re.match(r"( +)(\S+)", line).groups()
        folder = folder if len(indent) == 4 else ""
        if entry.endswith("/"):
            folder = entry
        else:
            drawn.add(folder + entry)
    assert drawn == {str(path.relative_to(ASSETS)) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ASSETS)))
def test_a_module_of_the_page_is_short_and_knows_nothing_above_it(path):
    """model/ imports model/; draw/ those two; nothing is longer than a file of Python may be."""
    text = path.read_text(encoding="utf-8")
    below = {"model": {"model"}, "draw": {"draw", "model"}}.get(path.parent.name)
    named = {path.parent.joinpath(name).resolve() for name in re.findall(r' from "(.+?)"', text)}
    assert named <= set(MODULES)
    assert below is None or {module.parent.name for module in named} <= below
    assert len(text.splitlines()) <= LONGEST


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_file_imports_only_from_lower_layers(path):
    """A larger number imports a smaller one; files of a package meet in its `__init__`."""
    layers = map_of_the_house()
    own = str(path.relative_to(SOURCE))
    files = {module_name(file): str(file.relative_to(SOURCE)) for file in FILES}
    for module, in_door in imports(path):
        if not module.startswith("fitscope") or in_door:
            continue
        other = files[module]
        within_package = path.name == "__init__.py" and other.startswith(str(Path(own).parent))
        of_the_root = module == "fitscope"
        assert within_package or of_the_root or layers[other] < layers[own], f"{own} -> {other}"


def test_the_doors_of_run_are_the_only_exception():
    """Outside the doors, records.py imports nothing from above; each door is a method of Run."""
    assert all(hasattr(fs.Run, door) for door in DOORS)
    upward = {m for m, in_door in imports(SOURCE / "records.py") if in_door}
    assert upward == {
        f"fitscope.{name}"
        for name in ("analysis.coefficients", "export", "network", "plot", "runfile")
    }
    of_many = {m for m, in_door in imports(SOURCE / "train" / "population.py") if in_door}
    assert of_many == {"fitscope.plot"}


@pytest.mark.parametrize(
    "statement",
    ["import fitscope", "import fitscope.cli", "import fitscope; fitscope.experiment('rings-3')"],
)
def test_importing_loads_nothing_heavy(statement):
    """A fresh process loads no tensor, picture or table library for a name or a help text."""
    code = f"import sys; {statement}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.split(".")[0] for name in ran.stdout.split()} & HEAVY


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_exports_are_complete(path):
    """`__all__` is sorted, exists, and holds every public function and class defined there."""
    module = importlib.import_module(module_name(path))
    listed = module.__all__
    assert len(set(listed)) == len(listed)
    assert all(hasattr(module, name) for name in listed)
    defined = {
        name
        for name, thing in vars(module).items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module.__name__
        and not name.startswith("_")
    }
    assert defined - set(listed) <= {"Flags", "DataFlags"}


def test_the_package_knows_where_each_of_its_names_lives():
    """Every name in `__all__` has its home, and no module bears the name of a public function."""
    assert set(fs._HOME) == set(fs.__all__)
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert not (packages | {path.stem for path in SOURCE.glob("*.py")}) & set(fs.__all__)


def test_every_name_is_documented():
    """Each command, data set, experiment, view and error stands in the guide."""
    names = [*COMMANDS, *DATASETS, *fs.experiments(), *plot.VIEWS, *fs.Outcome.__members__]
    names += [name for name in errors.__all__ if name.endswith("Error")]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", GUIDE)] == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(README, id="README"),
        pytest.param(GUIDE, id="guide", marks=pytest.mark.slow),  # both search for a model
        pytest.param(OWN_TABLE, id="your-own-table", marks=pytest.mark.slow),
    ],
)
def test_the_python_in_the_docs_prints_what_it_says(text, capsys):
    """Each block runs, and prints exactly the lines that stand after `# ->`."""
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "docs", "exec"), {})  # noqa: S102
        assert capsys.readouterr().out.splitlines() == re.findall(r"^# -> (.*)$", block, re.M)


def test_the_guide_to_your_own_loop_runs_from_top_to_bottom(capsys):
    """Its blocks share their names, and print exactly the lines that stand after `# ->`."""
    names, n_threads = {}, torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine, two wait for each other at every small product
    for block in re.findall(r"```python\n(.*?)```", OWN_LOOP, re.DOTALL):
        exec(compile(block, "docs", "exec"), names)  # noqa: S102
        assert capsys.readouterr().out.splitlines() == re.findall(r"^# -> (.*)$", block, re.M)
    torch.set_num_threads(n_threads)


def test_the_toml_in_the_guide_is_an_experiment():
    """It reads without an error."""
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert fs.Experiment.from_toml_text(block).network.hidden == [8]


def test_the_readme_is_short_and_its_files_are_there():
    """At most 120 lines; every linked file exists."""
    assert len(README.splitlines()) <= 120
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README + DESIGN)
    assert all((ROOT / link).exists() or (ROOT / "docs" / link).exists() for link in links)


def test_every_make_target_has_a_help_line():
    """`make help` shows them all, and those that the README names exist."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.M)[0].split())
    assert targets == set(re.findall(r"^([a-z]+):.*## \S", makefile, re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M)) <= targets


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_and_bodies_keep_their_size(path):
    """Files up to 400 lines, function bodies up to 40."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno - first.lineno + 1 <= 40, f"{path.name}: {node.name}"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parent.name in ("analysis", "plot")], ids=module_name
)
def test_shapes_and_types_are_checked_in_tests(path):
    """The hook in conftest.py loaded each file of analysis and plot: wrong annotations are told."""
    module = importlib.import_module(module_name(path))
    assert type(module.__spec__.loader).__module__.startswith("jaxtyping")


def test_a_wrong_shape_is_told():
    """Arrays whose axes disagree with a record's or a function's annotation are refused."""
    field = fs.analysis.decision_field(fs.fit("gates-and", epochs=1), n_grid=3)
    with pytest.raises(TypeCheckError):
        grid_axes(np.zeros((4, 3)), 5)
    with pytest.raises(TypeCheckError):
        dataclasses.replace(field, values=np.zeros((3, 4)))
