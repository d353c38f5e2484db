"""`pullback see`: what in an image excites a network's units, as a page."""

from __future__ import annotations

import importlib
import inspect
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pullback.cli.tour import plain_errors, written_to

METHODS = (
    "deconvnet",
    "guided_backprop",
    "saliency",
    "smoothgrad",
    "integrated_gradients",
    "grad_cam",
    "occlusion",
    "activation_maximization",
    "top_activations",
)


def _size(context: Any, option: Any, said: str | None) -> tuple[int, int] | None:
    if said is None:
        return None
    parts = said.lower().split("x")
    if len(parts) != 2 or not all(p.isdigit() and int(p) for p in parts):
        raise click.BadParameter(f"{said!r} is no HEIGHTxWIDTH, as 227x227")
    return int(parts[0]), int(parts[1])


def _numbers(context: Any, option: Any, said: str | None) -> tuple[float, ...] | None:
    if said is None:
        return None
    try:
        return tuple(float(part) for part in said.split(","))
    except ValueError:
        raise click.BadParameter(f"{said!r}: numbers with commas between, as 0,1") from None


def _unit(context: Any, option: Any, said: str | None) -> tuple[int, ...] | None:
    numbers = _numbers(context, option, said)
    return None if numbers is None else tuple(int(n) for n in numbers)


@click.command()
@click.argument("model")
@click.argument("images", nargs=-1, type=click.Path(exists=True, dir_okay=False), metavar="[IMAGE]...")
@click.option("--layer", help="Path of the layer: a name the model returns, an operation, a scope.")
@click.option("--method", type=click.Choice(METHODS), default="deconvnet", show_default=True)
@click.option("--top", type=click.IntRange(min=1), help="The strongest channels (or images, for top_activations).")
@click.option("--by-unit", is_flag=True, help="--top counts single units, not channels.")
@click.option("--channel", type=int, multiple=True, help="This channel or class; may be said again.")
@click.option("--unit", callback=_unit, metavar="ROW,COLUMN", help="Only the unit at this place.")
@click.option("--strongest", is_flag=True, help="Of each channel only its largest unit.")
@click.option("--maps", help="grad_cam: the layer of maps.")
@click.option(
    "--weights", type=click.Path(), help="A checkpoint, .npz or .safetensors; by default the model's WEIGHTS."
)
@click.option("--size", callback=_size, metavar="HxW", help="Resize images to this.")
@click.option("--scale", callback=_numbers, metavar="LOW,HIGH", help="What black and white become; 0,1 by default.")
@click.option("--mean", callback=_numbers, metavar="R,G,B", help="Taken away after scaling.")
@click.option("--std", callback=_numbers, metavar="R,G,B", help="Divided by after that.")
@click.option("--grey", is_flag=True, help="One channel instead of three.")
@click.option("--feed", "feeds", multiple=True, metavar="NAME=VALUE", help="Feeds another placeholder, as keep_prob=1.")
@click.option("--batch", type=click.IntRange(min=1), default=16, show_default=True, help="Images shown at once.")
@click.option("--layers", "list_layers", is_flag=True, help="List the layers and end.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write: .html or .png.")
@click.option("--open", "open_", is_flag=True, help="Open the page in the browser.")
def see(model: str, images: tuple[str, ...], out: Path | None, open_: bool, list_layers: bool, **asked: Any) -> None:
    """Shows what a network sees in images.

    MODEL is a Python file or module with a function build(images) that returns its layers: a dict, list or tensor.
    `pullback see model.py cat.jpg --layer conv5 --top 9 -o cat.html` projects the nine strongest channels of conv5 back
    to the pixels.
    """
    from rich.console import Console

    from pullback.cli import see_model

    console, began = Console(stderr=True), time.perf_counter()
    with plain_errors():
        loaded = see_model.load(model, asked["weights"], dict(map(see_model.feed, asked["feeds"])), _told(asked))
        for note in loaded.notes:
            console.print(f"[yellow]note[/] {note}", highlight=False)
        if list_layers:
            _list(loaded)
            return
        if asked["layer"] is None:
            raise click.UsageError("which layer? Say --layer PATH; --layers lists them.")
        found = _run(console, loaded, images, asked)
        if asked["layer"] in loaded.labels and hasattr(found, "labelled"):
            found = found.labelled(loaded.labels[asked["layer"]])
        path = out or Path(f"{loaded.name}-{asked['layer'].replace('/', '-')}-{asked['method']}.html")
        with written_to(path):
            found.save(path)
    seconds = time.perf_counter() - began
    console.print(f"{asked['method']} of {asked['layer']}: {path} ({seconds:.1f} s)", highlight=False, soft_wrap=True)
    if open_ and not webbrowser.open(path.resolve().as_uri()):
        console.print("No browser could be started; open the page by hand.")


def _told(asked: dict[str, Any]) -> dict[str, Any]:
    """What the options say of preparing images."""
    told = {name: asked[name] for name in ("size", "scale", "mean", "std") if asked[name] is not None}
    return {**told, **({"channels": 1} if asked["grey"] else {})}


def _list(loaded: Any) -> None:
    shape = (1, *(loaded.preparation.size or (1, 1)), loaded.preparation.channels)
    for name, tensor in loaded.network.view(shape, "float32").layers.items():
        click.echo(f"{name}  {tensor.dtype.name} {tensor.shape}")


def _run(console: Any, loaded: Any, paths: tuple[str, ...], asked: dict[str, Any]) -> Any:
    """The method's answer, with a progress bar while it works."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    import pullback.explain.see as methods

    method = asked["method"]
    function: Callable[..., Any] = getattr(importlib.import_module(f"{methods.__name__}.{method}"), method)
    options = _options(function, asked)
    if method == "activation_maximization":
        if loaded.preparation.size is None:
            raise click.UsageError("activation_maximization makes an image: say its --size HEIGHTxWIDTH.")
        if not asked["channel"]:
            raise click.UsageError("activation_maximization: say which --channel.")
        shown: Any = (*loaded.preparation.size, loaded.preparation.channels)
    elif not paths:
        raise click.UsageError("which image? Name one file or more.")
    else:
        shown = loaded.preparation.read_all(paths)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(method, total=None)
        return function(
            loaded.network,
            shown,
            asked["layer"],
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            **options,
        )


# What an option is called in the functions' arguments.
_ARGUMENTS = {
    "top": "top",
    "channel": "channel",
    "unit": "unit",
    "strongest": "strongest",
    "maps": "maps",
    "batch": "batch",
}


def _options(function: Callable[..., Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The options as the method's arguments; one that it does not take is a mistake."""
    takes = inspect.signature(function).parameters
    given = {name: asked[option] for option, name in _ARGUMENTS.items() if asked[option] not in (None, (), False)}
    if asked["by_unit"]:
        given["by"] = "unit"
    if asked["channel"]:
        given["channel"] = asked["channel"][0] if len(asked["channel"]) == 1 else list(asked["channel"])
    for name in [n for n in given if n not in takes and n != "batch"]:
        option = "--by-unit" if name == "by" else f"--{name}"
        raise click.UsageError(f"{option} means nothing to {asked['method']}.")
    if "maps" in takes and "maps" not in given:
        raise click.UsageError("grad_cam: say which layer's maps, with --maps PATH.")
    return {n: v for n, v in given.items() if n in takes}
