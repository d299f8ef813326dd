"""The command line as a whole: help, exit statuses, messages, Ctrl-C."""

import errno
import inspect
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import fitscope as fs
from conftest import Cli
from fitscope import commands
from fitscope.cli import COMMANDS, main
from fitscope.specs import FLAT_FIELDS, DataSpec

MAIN = "from fitscope.cli import main; main()"
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
HEAVY = ["torch", "numpy", "sklearn", "matplotlib", "pyarrow", "scipy", "pandas"]


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training is an error of the test."""

    def fail(*_args: object, **_options: object) -> None:
        pytest.fail("it trained")

    monkeypatch.setattr("fitscope.train.fit", fail)


@pytest.mark.parametrize(
    ("args", "unwanted"),
    [
        ([], [*HEAVY, "pydantic", "rich.markdown"]),
        (["--help"], [*HEAVY, "pydantic", "rich.markdown"]),
        (["--version"], [*HEAVY, "pydantic"]),
        (["fit", "--help"], HEAVY),
        (["experiments"], HEAVY),
    ],
)
def test_help_loads_nothing_heavy(args: list[str], unwanted: list[str]) -> None:
    """Help and version come at once: no library that computes is imported for them."""
    listing = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {MAIN}"
    command = [sys.executable, "-c", listing, *args]
    loaded = subprocess.check_output(command, text=True).splitlines()[-1].split()
    assert "fitscope.cli" in loaded
    assert [name for name in unwanted if name in loaded] == []


def test_version_is_the_packages(cli: Cli) -> None:
    """`--version` prints `fitscope.__version__` and nothing else."""
    assert cli("--version") == (0, f"{fs.__version__}\n", "")


def test_commands_are_told_in_the_words_of_their_docstrings(cli: Cli) -> None:
    """The list in cli.py says of each command what its function says, and lists them all."""
    listed = cli("--help").out
    assert set(COMMANDS) == {name for name in commands.__all__ if name.islower()}
    for name, line in COMMANDS.items():
        assert str(inspect.getdoc(getattr(commands, name))).splitlines()[0] == line
        assert re.search(rf"{name} +{line}", listed)


def _flags(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


def test_fit_has_a_flag_for_every_setting(cli: Cli) -> None:
    """What an experiment has is a flag of `fit`; the data's name and path are its argument."""
    wanted = {f"--{n.replace('_', '-')}" for n in FLAT_FIELDS if n not in ("name", "path")}
    assert wanted <= _flags(cli("fit", "--help").out)


def test_data_has_a_flag_for_every_setting_of_the_data(cli: Cli) -> None:
    """What a generator takes is a flag of `data`, where `--seed` is the data's; nothing else is."""
    later = {"test_fraction", "split_seed", "standardize", "target", "features", "task"}
    later |= {"categories", "drop"}
    flags = {f"--{n.replace('_', '-')}": n in later for n in DataSpec.model_fields}
    offered = _flags(cli("data", "--help").out)
    assert {flag for flag in flags if flag in offered} == {
        flag
        for flag, is_later in flags.items()
        if not is_later and flag not in ("--name", "--path")
    }


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--hidden 0", "`network.hidden` must be a list of positive integers; got '0'."),
        ("--hidden 3,-1", "`network.hidden` must be a list of positive integers; got '3,-1'."),
        ("--lr -1", "`training.lr` must be greater than 0; got '-1'."),
        ("--lr nan", "`training.lr` must be a finite number; got 'nan'."),
        ("--lr inf", "`training.lr` must be a finite number; got 'inf'."),
        ("--epochs 1e9", "`training.epochs` must be a whole number; got '1e9'."),
        ("--epochs 1000000000", "`training.epochs` must be at most 10000000"),
        ("--epochs 0", "`training.epochs` must be at least 1; got '0'."),
        ("--batch-size 0", "`training.batch_size` must be at least 1; got '0'."),
        ("--test-fraction 1.0", "`data.test_fraction` must be less than 1; got '1.0'."),
        ("--seed -1", "`training.seed` must be at least 0; got '-1'."),
        ("--activation tahn", "must be one of sigmoid, tanh, relu, identity; got 'tahn'. Did you"),
        ("--optimizer adan", "got 'adan'. Did you mean `adam`?"),
        ("--gate xor", "`data.gate` is not a setting of `step`, which takes n_samples"),
        ("--momentum 0.9 --optimizer adam", "`training.momentum` belongs to sgd, not to adam"),
        ("--init one", "`network.init` must be torch, zeros, ones or a list of finite numbers"),
        ("--init 1,inf", "`network.init` must be torch, zeros, ones or a list of finite numbers"),
        (
            "--engine fast",
            'Invalid value "fast" for --engine. Choose from: "auto", "fused", "torch".',
        ),
        ("--device tpu", 'Invalid value "tpu" for --device. Choose from: "cpu", "cuda".'),
        ("--hiden 3", "Unknown option: --hiden. Did you mean --hidden?"),
        ("--lr", "--lr requires an argument"),
        ("rings-3", "Unused Tokens: ['rings-3']"),
    ],
)
def test_a_bad_flag_says_what_is_wrong(cli: Cli, flags: str, message: str) -> None:
    """Each wrong setting ends with status 2 and one line on stderr that names it; no training."""
    answer = cli("fit", "bad-start", *flags.split())
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("Error: ")
    assert message in answer.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.usefixtures("no_training")
def test_all_wrong_settings_are_told_together(cli: Cli) -> None:
    """Two mistakes are one error that lists both."""
    answer = cli("fit", "bad-start", "--lr", "-1", "--hidden", "0")
    assert answer.status == 2
    assert answer.err.splitlines() == [
        "Error: 2 settings are wrong:",
        "  - `network.hidden` must be a list of positive integers; got '0'.",
        "  - `training.lr` must be greater than 0; got '-1'.",
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("fitt rings-3", 'Unknown command "fitt". Did you mean "fit"?'),
        ("fit", "SOURCE requires an argument"),
        ("fit rings-33", "`rings-33` is not a built-in experiment, a data set or a file. Did you"),
        ("fit ringz", "Did you mean `rings`? `fitscope experiments` and `fitscope data` list them"),
        ("fit missing.csv --target y", "Cannot read missing.csv: No such file or directory."),
        ("fit missing.toml", "Cannot read missing.toml: No such file or directory."),
        ("fit table", "`table` is not a built-in experiment, a data set or a file."),
        ("fit bad-start --init 1,2,3", "must have 2 numbers for a 1-1 network: (1 weight"),
        ("fit bad-start --hidden 3,2 --init 1", "must have 17 numbers for a 1-3-2-1 network: "),
        ("data ringz", "`ringz` is not a data set. Did you mean `rings`?"),
        ("data rings --gate and", "`data.gate` is not a setting of `rings`, which takes"),
        ("data rings --n-samples 1", "`data.n_samples` must be at least 2"),
        ("data rings -o missing/rings.csv", "Cannot write missing/rings.csv: "),
        ("show", "RUN requires an argument"),
        ("show missing", "Cannot read missing: No such file or directory."),
        ("show . --step 1", "The folder . holds no run.safetensors."),
        ("show missing --step one", 'Invalid value for --step: unable to convert "one" into int.'),
        ("predict missing", "TABLE requires an argument"),
    ],
)
def test_errors_are_one_line_on_stderr(cli: Cli, args: str, message: str) -> None:
    """Whatever a user gets wrong: status 2, nothing on stdout, `Error: ...` on stderr."""
    answer = cli(*args.split())
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("Error: ")
    assert answer.err.count("\n") == 1
    assert message in answer.err


def test_the_right_length_of_a_start_is_made_up_layer_by_layer(cli: Cli) -> None:
    """A start of the wrong length is told the right one, and what each number is for."""
    err = cli("fit", "rings", "--hidden", "3", "--init", "1,2").err
    assert "`network.init` must have 13 numbers for a 2-3-1 network" in err
    assert ": (2 weights + 1 bias) x 3 + (3 weights + 1 bias) x 1; got 2." in err


def test_cuda_where_there_is_none_is_an_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--device cuda` without a GPU says so and leaves no folder."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    answer = cli("fit", "bad-start", "--device", "cuda")
    assert answer.status == 2
    assert "Error: PyTorch sees no CUDA device here" in answer.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("file", "Cannot write to the folder file: File exists."),
        ("file/below", "Cannot write to the folder file/below: Not a directory."),
    ],
)
def test_an_output_folder_in_the_way_is_said_before_training(
    cli: Cli, out: str, message: str
) -> None:
    """A file where the folder should be ends the command before a second is spent."""
    Path("file").write_text("mine")
    answer = cli("fit", "bad-start", "--out", out)
    assert answer == (2, "", f"Error: {message}\n")
    assert Path("file").read_text() == "mine"


@pytest.mark.usefixtures("no_training")
def test_a_folder_without_permission_is_said_before_training(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does a folder that is there and cannot be written (simulated: root may write)."""

    def refuse(**_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    answer = cli("fit", "bad-start", "--out", "out")
    assert answer == (2, "", "Error: Cannot write to the folder out: Permission denied.\n")


def test_a_bug_of_ours_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no FitscopeError is not dressed up as the user's mistake."""

    def stumble(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("fitscope.train.fit", stumble)
    monkeypatch.setattr(sys, "argv", ["fitscope", "fit", "bad-start"])
    with pytest.raises(ZeroDivisionError, match="ours"):
        main()


def test_ctrl_c_before_there_is_a_run_leaves_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted while it still loads, `fit` ends with status 130 and no folder."""

    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fitscope.train.fit", interrupt)
    answer = cli("fit", "bad-start", "--out", "out")
    assert answer == (130, "", "Error: interrupted.\n")
    assert list(Path.cwd().iterdir()) == []


def _read_until(descriptor: int, pattern: str) -> str:
    """What a terminal showed until it showed `pattern`."""
    shown = ""
    while not re.search(pattern, shown):
        ready, _, _ = select.select([descriptor], [], [], 60)
        assert ready, f"nothing new for a minute after {shown!r}"
        shown += os.read(descriptor, 65536).decode(errors="replace")
    return shown


@pytest.mark.slow
def test_ctrl_c_keeps_the_run_so_far(tmp_path: Path) -> None:
    """On a terminal a bar shows the training; Ctrl-C ends it with status 130 and a saved run."""
    ours, theirs = pty.openpty()
    flags = ["--epochs", "10000000", "--json", "--no-report", "--out", str(tmp_path / "out")]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING + MAIN, "fit", "bad-start", *flags],
        **{"stdout": subprocess.PIPE, "stderr": theirs, "env": environment, "text": True},
    ) as process:
        os.close(theirs)
        shown = _read_until(ours, r"batch loss \d")  # a number only once it trains
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert "Cross-entropy from a bad start" in shown
    assert process.returncode == 130
    facts = json.loads(out)
    assert re.fullmatch(r"interrupted at step \d+: .*", facts["outcome"])
    run = fs.load(facts["files"]["run"])
    assert run.outcome is fs.Outcome.INTERRUPTED
    assert 0 < run.steps[-1] == len(run.batch_loss) == facts["step"]


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """`fitscope predict RUN TABLE | head -1` ends quietly."""
    fs.fit("bad-start", epochs=1).save(tmp_path / "run.safetensors")
    (tmp_path / "big.csv").write_text("x\n" + "0.5\n" * 20_000)
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "predict", "run.safetensors", "big.csv"],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": tmp_path},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'"x","prediction"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
