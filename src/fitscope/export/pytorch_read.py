"""The lines of a PyTorch script that read a data set: from scikit-learn, a table, a run's file."""

import numpy as np

from fitscope.data.bundled import TARGETS
from fitscope.errors import DataError
from fitscope.export.columns_code import cell_code, cell_constants, cell_imports, words_of
from fitscope.export.pytorch_made import MAKERS, DataCode
from fitscope.export.source import WIDTH, listing, literal, number, plain
from fitscope.preprocessing import CategoryColumn, NumberColumn
from fitscope.records import Dataset

__all__ = ["data_code"]

MAX_LABELS = 10
MAX_ROWS = 200  # so many are written into the script; more stay in the run's file
_ABOUT = {
    "iris": "150 iris flowers of three species, with 4 measurements each in cm.",
    "wine": "178 wines of three growers, with 13 chemical measurements each.",
    "breast-cancer": "569 tumours, benign or malignant, with 30 measurements each (Wisconsin).",
    "digits": "1797 handwritten digits of 8 x 8 pixels.",
    "diabetes": "442 patients, with 10 measurements each, and how far their disease went on.",
}
_ENCODE = (
    "\nclasses, y = np.unique(y, return_inverse=True)  # labels become 0, 1, ... in their order"
)
_ALL_KINDS = (
    "np.array([[x for name in COLUMNS for x in inputs_of(name, row[name])] for row in rows])"
)
_BENIGN = "class 0 is benign, class 1 malignant"
_NUMBER = '''\
def number(cell):
    """True and false count as 1 and 0."""
    return float({"true": 1, "false": 0}.get(cell.lower(), cell))'''


def data_code(data: Dataset, *, run_file: str) -> DataCode:
    """The lines of a script that make or read the samples of a data set.

    Args:
        data: the data set.
        run_file: the run's file, for samples that nothing else holds.

    Raises:
        DataError: the samples were given in memory, and the run was saved without them.
    """
    name = data.spec.name
    if name in MAKERS:
        return MAKERS[name](data.spec)
    if name in TARGETS:
        return _bundled(data)
    if name == "table":
        is_parquet = str(data.spec.path).lower().endswith((".parquet", ".pq"))
        return _parquet(data) if is_parquet else _csv(data)
    if len(data.X) == 0:
        raise DataError(
            "This data was given in memory, and the run was saved without it, so that no script "
            "can train on it. Save the run with its data."
        )
    return _arrays(data) if _fits_into_a_script(data) else _arrays_of_file(data, run_file)


def _bundled(data: Dataset) -> DataCode:
    """A table of scikit-learn's: whole, or some columns of it."""
    name, target = data.spec.name, TARGETS[data.spec.name]
    by_class = target in _texts(data)
    if data.preprocessing and not (data.preprocessing.is_plain or by_class):
        raise DataError(
            f"A script reads the data set {name} as numbers only; write it with `fitscope data "
            f"{name} -o {name}.csv`, and train on the file."
        )
    loader = f"load_{name.replace('-', '_')}"
    imports, constants = (f"from sklearn.datasets import {loader}",), tuple[str, ...]()
    if data.target_name == target and data.spec.features is None:
        code = f"X, y = {loader}(return_X_y=True)"
        code += "\ny = 1 - y" * (name == "breast-cancer")
    else:
        constants = _columns(data)
        more = f"column[{literal(target)}] = bunch.target\n" * (target in data.feature_names)
        if by_class:
            more = f"""\
for name, is_own in zip(bunch.target_names, np.eye(len(bunch.target_names))[:, bunch.target]):
    column[f"{target}={{name}}"] = is_own
"""
        y = "bunch.target" if data.target_name == target else "column[TARGET]"
        code = f"""\
bunch = {loader}()
column = dict(zip(bunch.feature_names, bunch.data.T))
{more}X = np.stack([column[name] for name in FEATURES], axis=1)
y = {y}"""
    if name == "breast-cancer" and data.target_name == target:
        code = code.replace("y = bunch.target", "y = 1 - bunch.target") + f"  # {_BENIGN}"
    elif not (_is_counted(data) or isinstance(data.classes[0], str)):
        code += _ENCODE
    return DataCode(_ABOUT[name], code, {}, constants, imports)


def _texts(data: Dataset) -> list[str]:
    """The name of the only column that becomes inputs text by text, if all others are numbers."""
    columns = data.preprocessing.columns if data.preprocessing else ()
    texts = [c for c in columns if isinstance(c, CategoryColumn)]
    others = [c for c in columns if c not in texts]
    plain = all(isinstance(c, NumberColumn) and not c.flag for c in others)
    return [texts[0].name] if plain and len(texts) == 1 and not texts[0].rare else []


def _csv(data: Dataset) -> DataCode:
    """A CSV table, by Python's own reader."""
    how = data.preprocessing
    columns = [choice.column for choice in how.choices()] if how else data.feature_names
    names = [*columns, data.target_name]
    is_quoted = any(mark in name for name in names for mark in ",;\t|")
    bare = '\n    header = re.sub(r\'"[^"]*"\', "", header)  # what is quoted separates nothing'
    y = _target_cell(data)
    X = f"np.array([[{_cell(data)} for name in FEATURES] for row in rows])"
    if how and not how.is_plain:
        X = _ALL_KINDS
    code = f"""\
with open(TABLE, encoding="utf-8-sig", newline="") as file:
    header = file.readline(){bare * is_quoted}
    separator = max(",;\\t|", key=header.count)  # the one that it has most
    file.seek(0)
    rows = list(csv.DictReader(file, delimiter=separator))
{_unlabelled(data)}X = {X}
y = np.array([{y} for row in rows])"""
    made = _table(data, code, ("import csv", *["import re"] * is_quoted))
    return made if made.helper else made._replace(helper=_NUMBER * ("[number(" in X))


def _unlabelled(data: Dataset) -> str:
    """The line that leaves out rows without a target, where there are some."""
    if not (data.preprocessing and data.preprocessing.n_unlabelled):
        return ""
    is_text = bool(data.classes) and isinstance(data.classes[0], str)
    how = data.preprocessing
    name = "NO_NUMBER" if words_of(how, how.target_words) and not is_text else "MISSING"
    test = "row[TARGET]" if is_text and not how.missing else f"row[TARGET] not in {name}"
    return f"rows = [row for row in rows if {test}]  # the others have no target\n"


def _cell(data: Dataset) -> str:
    """How a feature's cell becomes a number."""
    values = np.round(data.inputs(), 5)
    is_01 = ((values == 0) | (values == 1)).all(axis=0).any()  # which true and false may be, too
    return "number(row[name])" if is_01 else "float(row[name])"


def _target_cell(data: Dataset) -> str:
    """How a target's cell becomes a label or a value."""
    if data.task == "regression":
        return "float(row[TARGET])"
    kind = type(data.classes[0])
    if kind is bool:
        return 'row[TARGET].lower() in ("true", "1")'
    return {str: "row[TARGET]", int: "int(row[TARGET])"}.get(kind, "float(row[TARGET])")


def _parquet(data: Dataset) -> DataCode:
    """A Parquet table, which takes pyarrow."""
    how = data.preprocessing
    y = "np.asarray(table[TARGET], dtype=float)"
    if how and not how.is_plain:
        return _parquet_of_all_kinds(data)
    code = f"""\
table = ParquetFile(TABLE).read()
X = np.stack([np.asarray(table[name], dtype=float) for name in FEATURES], axis=1)
y = {y if data.task == "regression" else "np.array(table[TARGET].to_pylist())"}"""
    return _table(data, code, ("from pyarrow.parquet import ParquetFile",))


def _parquet_of_all_kinds(data: Dataset) -> DataCode:
    """A Parquet table with text, dates or gaps: every cell is read as its text."""
    code = f"""\
table = ParquetFile(TABLE).read()
names = [*COLUMNS, TARGET]
cells = [table[name].cast("string").fill_null("").to_pylist() for name in names]
rows = [dict(zip(names, row)) for row in zip(*cells)]
{_unlabelled(data)}X = {_ALL_KINDS}
y = np.array([{_target_cell(data)} for row in rows])"""
    return _table(data, code, ("from pyarrow.parquet import ParquetFile",))


def _table(data: Dataset, code: str, imports: tuple[str, ...]) -> DataCode:
    """What tables of both kinds share."""
    if not _is_counted(data) and not isinstance(data.classes[0], bool):
        code += _ENCODE
    how, helper = data.preprocessing, ""
    constants = (f"TABLE = {literal(data.spec.path)}", *_columns(data))
    if how and not how.is_plain:
        helper = cell_code(how)
        constants = (constants[0], *cell_constants(how), constants[-1])
        imports += cell_imports(how)
    target = plain(data.target_name, most=60)
    about = f"A row of the table is a sample; `{target}` is to be predicted.{_labels(data)}"
    return DataCode(about, code, {}, constants, imports, helper=helper)


def _columns(data: Dataset) -> tuple[str, ...]:
    """The names of the columns, as constants."""
    features = listing("FEATURES", [literal(name) for name in data.feature_names])
    if data.spec.name == "table" or data.target_name != TARGETS[data.spec.name]:
        return features, f"TARGET = {literal(data.target_name)}"
    return (features,)


def _is_counted(data: Dataset) -> bool:
    """Whether targets are class indices as they come, or no classes at all."""
    is_truth = bool(data.classes) and isinstance(data.classes[0], bool)
    return not is_truth and list(data.classes) == list(range(len(data.classes)))


def _arrays(data: Dataset) -> DataCode:
    """Samples that were given in memory, written out."""
    constants = [listing("ROWS", _rows(data))]
    code = "rows = np.array(ROWS)\nX, y = rows[:, :-1], rows[:, -1]"
    if data.n_test:
        constants.append(f"N_TRAIN = {data.n_train}  # the rows after these are for testing")
        code = """\
rows = np.array(ROWS)
X_train, y_train = rows[:N_TRAIN, :-1], rows[:N_TRAIN, -1]
X_test, y_test = rows[N_TRAIN:, :-1], rows[N_TRAIN:, -1]"""
    about = (
        f"The samples as they were given{_treated(data)}: inputs, then the target.{_labels(data)}"
    )
    return DataCode(about, code, {}, tuple(constants), has_parts=True, is_scaled=True)


def _fits_into_a_script(data: Dataset) -> bool:
    rows = _rows(data) if data.n_train + data.n_test <= MAX_ROWS else []
    return bool(rows) and max(map(len, rows)) <= WIDTH - 5


def _rows(data: Dataset) -> list[str]:
    """The samples as the network sees them, each as a Python list; training part first."""
    X, y = np.concatenate([data.X, data.X_test]), np.concatenate([data.y, data.y_test])
    return [f"[{', '.join(map(number, [*x, t]))}]" for x, t in zip(X, y, strict=True)]


def _arrays_of_file(data: Dataset, run_file: str) -> DataCode:
    """Samples that were given in memory, read from the run's own file."""
    kind = "np.float32" if data.task == "regression" else "np.int32"
    code = """\
with open(RUN_FILE, "rb") as file:
    n_bytes = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(n_bytes))
    body = file.read()


def array(name, kind):
    first, end = header[name]["data_offsets"]
    return np.frombuffer(body[first:end], kind).reshape(header[name]["shape"])


"""
    parts = [("X", "y", "")] if not data.n_test else [("X_train", "y_train", "")]
    parts += [("X_test", "y_test", "_test")] * bool(data.n_test)
    code += "\n".join(
        f'{X}, {y} = array("data.X{part}", np.float32), array("data.y{part}", {kind})'
        for X, y, part in parts
    )
    about = (
        f"The samples as they were given{_treated(data)}. Only the run's file holds them: the size "
        "of a header, the header in JSON, which says where each array is, and the arrays."
    )
    constants = (f"RUN_FILE = {literal(run_file)}",)
    return DataCode(about, code, {}, constants, ("import json",), has_parts=True, is_scaled=True)


def _labels(data: Dataset) -> str:
    """Which class is which, where they are few and not numbers from 0."""
    if _is_counted(data) or len(data.classes) > MAX_LABELS:
        return ""
    named = [f"class {i} is {plain(label, most=40)}" for i, label in enumerate(data.classes)]
    return f" C{', '.join(named)[1:]}."


def _treated(data: Dataset) -> str:
    """What has been done to samples already."""
    done = ["split"] * bool(data.n_test) + ["standardised"] * bool(data.spec.standardize)
    return f", {' and '.join(done)} already" if done else ""
