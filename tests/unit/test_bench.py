"""The benchmark suite: its line protocol, its catalogue, its tables, a run without peers. No timing is asserted."""

import io
import json
import math

import pytest
from rich.console import Console

from bench import __main__ as command
from bench import environments, installed, machine, process, programs, rounds, tables
from bench.catalogue import GROUPS, PASSES, works
from bench.process import FailureError, Worker
from bench.work import PEERS, PULLBACK, Figures, Goal, Work


@pytest.fixture(scope="module")
def worker():
    served = Worker(PULLBACK)
    yield served
    served.close()


# --- the line --------------------------------------------------------------------------------------------------------


def test_a_worker_says_what_it_can_do(worker):
    said = worker.ask("hello")
    assert said["library"] == PULLBACK
    assert {work.kind for work in works() if work.fresh != "program"} <= set(said["kinds"])


def test_a_work_is_prepared_run_and_dropped(worker, tmp_path):
    answer = tmp_path / "answer.npz"
    id = worker.ask("prepare", kind="tape", case={"n": 3}, variant="", answer=str(answer))["id"]
    said = worker.ask("run", id=id, seconds=0, most=1)
    assert len(said["values"][""]) == 1 and said["time"] > 0
    (dx,) = rounds._loaded(answer)
    assert dx.shape == (8, 8)
    worker.ask("drop", id=id)
    with pytest.raises(FailureError, match="KeyError"):
        worker.ask("run", id=id, seconds=0, most=1)


def test_stages_are_figures_of_their_own(worker):
    id = worker.ask("prepare", kind="chain", case={"n": 4}, variant="")["id"]
    values = worker.ask("run", id=id, seconds=0, most=1)["values"]
    assert {"build", "gradient", "first run", "plan", "steady"} <= set(values)


def test_what_a_worker_cannot_do_is_said_and_the_worker_goes_on(worker):
    with pytest.raises(FailureError, match="no such kind"):
        worker.ask("prepare", kind="no such kind", case={}, variant="")
    assert worker.ask("peak")["MB"] > 1


def test_a_process_that_ended_is_a_failure():
    served = Worker(PULLBACK)
    served.ask("hello")
    served._process.kill()
    served._process.wait()
    with pytest.raises(FailureError, match="process ended"):
        served.ask("hello")
    served.close()


# --- what is measured ------------------------------------------------------------------------------------------------


def test_cases_go_through_json_and_names_are_unique():
    names = [(work.group, work.name) for work in works()]
    assert len(set(names)) == len(names)
    assert all(json.loads(json.dumps(work.case)) == work.case for work in works())
    assert {work.case["pass"] for work in works() if work.group == "convolution"} == set(PASSES)


def test_goals_of_the_convolutions():
    goals = {work.name: work.goals[""].ratio for work in works() if work.group == "convolution"}
    assert goals["VGG 4x56x56x128->256 k3 forward"] == 2
    assert goals["ResNet 16x56x56x128->128 k3 s2 forward"] == 1
    assert goals["AlexNet conv1 16x227x227x3->96 k11 s4 backprop-input"] == 4


@pytest.mark.parametrize("library", [PULLBACK, *PEERS])
def test_programs_are_python(library):
    for work in works():
        if work.fresh == "program":
            compile(programs.source(library, work.kind, work.case), work.name, "exec")


def test_a_program_that_fails_is_a_failure(monkeypatch):
    monkeypatch.setattr(programs, "source", lambda *_: "raise ValueError('said')")
    with pytest.raises(FailureError, match="said"):
        process.program(PULLBACK, "import", {})


def test_sizes_count_what_is_required():
    alone, with_numpy = installed.megabytes("click"), installed.megabytes("click", ("numpy>=2",))
    assert 0.1 < alone < with_numpy


# --- peers -----------------------------------------------------------------------------------------------------------


def test_a_peer_that_cannot_be_installed_is_left_out(monkeypatch, tmp_path, capsys):
    def fails(*_, **__):
        raise OSError("no room left")

    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments.venv, "create", fails)
    assert command._installed(["jax"], Console(width=200)) == []
    said = capsys.readouterr().out
    assert "installing jax==" in said and "no room left; it is left out" in said
    assert not environments.ready("jax")


def test_an_environment_of_other_versions_is_not_ready(monkeypatch, tmp_path):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    mark = tmp_path / "jax" / ".ready"
    mark.parent.mkdir()
    mark.write_text("jax==0.1 jaxlib==0.1")
    assert not environments.ready("jax")


# --- tables ----------------------------------------------------------------------------------------------------------


def entrants() -> list[Figures]:
    return [
        Figures(PULLBACK, "function", {"": [4e-3, 2e-3]}, error=1e-6),
        Figures(PULLBACK, "session", {"": [9e-3]}, error=1e-6),
        Figures("torch", "channels_last", {"": [5e-3, 7e-3]}, error=2.0),
        Figures("tensorflow", "", {"": [3e-3]}),
        Figures("jax", "", failure="out of memory"),
    ]


def row(goal: Goal) -> tables.Row:
    (made,) = tables.rows(Work("group", "name", "kind", goals={"": goal}), entrants())
    return made


def test_the_ratio_is_to_the_best_peer_or_to_the_one_that_the_goal_names():
    assert row(Goal()).ratio() == 1.5
    assert row(Goal(against="torch")).ratio() == 2.5
    assert row(Goal(against="jax")).ratio() is None
    assert row(Goal()).ratio(max) == 0.75


def test_goals_are_judged_by_ratio_else_by_time():
    assert row(Goal(1.4, 1e-9)).met is True
    assert row(Goal(1.6)).met is False
    assert row(Goal(2, against="jax")).met is None
    assert row(Goal(most=2e-3)).met is True
    assert row(Goal(most=1e-3)).met is False
    assert row(Goal()).met is None


def test_the_table_says_all_of_it():
    rows = [row(Goal(1.4)), row(Goal(2, 1e-5))]
    console = Console(file=io.StringIO(), width=160, record=True)
    console.print(tables.table("group", rows, [PULLBACK, "torch", "tensorflow", "jax"]))
    said = console.export_text()
    for words in ("2.00 (3.00)", "5.00 (6.00) off by 2e+00", "1.50 (1.00)", ">= 2x, <= 10.0 us", "1 of 2 goals"):
        assert words in said
    assert "geometric mean 1.50 (1.00)" in said


def test_wrong_results_are_named():
    assert row(Goal()).wrong == ["torch"]


@pytest.mark.parametrize(
    ("value", "unit", "said"), [(2.5, "s", "2.50 s"), (0.0123, "s", "12.3 ms"), (800.4, "MB", "800 MB")]
)
def test_numbers_have_three_digits(value, unit, said):
    assert tables.shown(value, unit) == said


def test_distance_is_relative_to_the_largest_entry():
    import numpy as np

    right = [np.array([1.0, -4.0])]
    assert rounds.distance([np.array([1.0, -4.4], np.float32)], right) == pytest.approx(0.1)
    assert math.isinf(rounds.distance([np.array([1.0])], right))
    assert math.isinf(rounds.distance([np.array([1.0, np.nan])], right))


# --- the command -----------------------------------------------------------------------------------------------------


def test_help_and_wrong_names(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    assert all(group in capsys.readouterr().out for group in GROUPS[:1])
    with pytest.raises(SystemExit):
        command.main(["no such group"])
    assert "there are convolution" in capsys.readouterr().err


def test_list_measures_nothing(capsys):
    assert command.main(["pooling", "--list", "--only", "unpool"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "pooling: unpool forward"


@pytest.mark.parametrize("check", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["unchecked", "checked"])
def test_a_run_without_peers(check, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(machine, "confine", lambda threads: None)  # this process goes on with other tests
    kept = tmp_path / "out" / "figures.json"
    options = ["--peers", "none", "--rounds", "2", "--seconds", "0", "--json", str(kept)]
    assert command.main(["jacobians", "--only", "hessian", *options, *([] if check else ["--no-check"])]) == 0
    said = capsys.readouterr().out
    assert "Hessian of a small MLP's loss" in said and "The machine meanwhile: load before" in said
    (figure,) = json.loads(kept.read_text())["figures"]
    (variant,) = figure["variants"]
    assert variant["library"] == PULLBACK and variant["values"] == 2
    assert (variant["error"] < 1e-4) if check else (variant["error"] is None)
