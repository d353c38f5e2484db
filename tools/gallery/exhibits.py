"""The gallery's exhibits: each made by a tool of `pullback.explain` from a real run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import photographs
from PIL import Image
from threadpoolctl import threadpool_limits

import pullback as tf
import pullback.v1 as tf1
from pullback.explain import digits
from pullback.explain.checks.watch_page import norms
from pullback.explain.pages import Page, Section
from pullback.explain.pictures import figure, signed
from pullback.explain.see.projections import Shown
from pullback.explain.see.strips import inline, section, sized
from pullback.explain.walk_picture import drawn as graph
from pullback.tour import network


@dataclass(frozen=True)
class Exhibit:
    """A page, and how the index shows it.

    file: its name in the gallery. title, words: of its card. shown: HTML below them.
    """

    file: str
    title: str
    words: str
    shown: str = ""


def drawn(image: Image.Image, alt: str) -> str:
    """A picture for a card."""
    return inline(sized(np.asarray(image.convert("RGB")), 640), alt)


def walked(folder: Path) -> Iterator[Exhibit]:
    """The chain rule of a neuron with its loss, step by step."""

    def neuron(x: Any, w: Any, b: Any) -> Any:
        return tf.square(tf.tanh(w * x + b) - 0.5)

    walk = tf.explain(neuron, [tf.constant(v, tf.float64) for v in (0.8, -1.2, 0.3)], function="L")
    walk.save(folder / "walk.html")
    yield Exhibit(
        "walk.html",
        "The chain rule, walked",
        "A neuron and its loss: every value going forward, every derivative coming back, the rule of each step.",
        f'<figure tabindex="0" aria-label="Graph of the loss">{graph(walk)}</figure>',
    )


def convolution(folder: Path) -> Iterator[Exhibit]:
    """One convolution and one transposed convolution under the glass."""
    a, w = np.arange(1.0, 26.0).reshape(5, 5), np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [-1.0, -2.0, -1.0]])
    straight = tf.explain.conv2d(a, w, strides=2, padding="SAME")
    straight.save(folder / "convolution.html")
    small, k = np.arange(1.0, 10.0).reshape(3, 3), np.arange(1.0, 5.0).reshape(2, 2)
    back = tf.explain.conv2d_transpose(small, k, (6, 6), strides=2, padding="VALID")
    back.save(folder / "transposed.html")
    told = "As a matrix: a row for each {}, a column for each {}; red above zero, blue below."
    by_output, by_input = told.format("output", "input"), told.format("input", "output")
    yield Exhibit(
        "convolution.html",
        "A convolution under the glass",
        "5 by 5, kernel 3 by 3, stride 2, padding SAME: point at a cell and see what it has to do with every other.",
        figure(signed(straight.sparse_matrix.T), by_output, by_output, 300),
    )
    yield Exhibit(
        "transposed.html",
        "A transposed convolution under the glass",
        "3 by 3 to 6 by 6, kernel 2 by 2, stride 2: the same relation, read the other way.",
        figure(signed(back.sparse_matrix), by_input, by_input, 432),
    )


def digits_seen(folder: Path) -> Iterator[Exhibit]:
    """The tour's network for digits: how its second convolution computes, and what its filters look for."""
    data = digits.split()
    w = network.train_on_tape(data, 20, network.initial(), lambda step: None).weights
    yield from channels(folder, data, w)
    yield shares(folder, data, w)
    yield from filters(folder, data, w)


def channels(folder: Path, data: Any, w: Any) -> Iterator[Exhibit]:
    """A layer's convolution with its channels, bias and relu, of one digit."""
    seen = network.layers(tf, data.held_out.images[:1], w)
    glass = tf.explain.conv2d(seen.pool1, w["w2"], padding="SAME", bias=w["b2"], activation="relu")
    np.testing.assert_allclose(glass.y, seen.conv2, atol=1e-5)
    glass.save(folder / "channels.html")
    strongest = int(glass.values[0].max(axis=(1, 2)).argmax())
    terms, many = glass.terms(0, strongest), glass.values.shape[1]
    told = f"What each of the {len(terms)} input channels adds to output channel {strongest + 1}; red above zero."
    yield Exhibit(
        "channels.html",
        "A layer of a network under the glass",
        f"conv2 of the network for digits, at work on one digit: each of {many} output channels is a sum over "
        f"{len(terms)} input channels, each with its own slice of the kernel, plus a bias, through a relu.",
        figure(signed(np.concatenate(list(terms), axis=1)), told, told, 640),
    )


def shares(folder: Path, data: Any, w: Any) -> Exhibit:
    """The same network's last layer: the digit it is least sure of, its logits and its shares."""
    logits = network.layers(tf, data.held_out.images, w).logits.numpy()
    most = np.sort(tf.nn.softmax(logits).numpy(), axis=1)
    least = int((most[:, -1] - most[:, -2]).argmin())
    glass = tf.explain.softmax(logits[least], int(data.held_out.labels[least]), [f"digit {k}" for k in range(10)])
    glass.save(folder / "softmax.html")
    first, second = np.argsort(-glass.y)[:2]
    return Exhibit(
        "softmax.html",
        "From logits to an answer",
        f"Softmax of the digit that the network is least sure of: {glass.y[first]:.0%} for {first}, "
        f"{glass.y[second]:.0%} for {second}; it is a {glass.label}. What comes back to each logit.",
    )


def filters(folder: Path, data: Any, w: Any) -> Iterator[Exhibit]:
    """What the network for digits looks for."""
    model = tf.explain.network_of(lambda images: network.layers(tf, images, w))
    for layer, weights in (("conv1", "w1"), ("conv2", "w2")):
        found = tf.explain.filter_portraits(model, data.train.images, layer, w[weights], batch=256)
        found.save(folder / f"digits-{layer}.html", size=72)
        title = f"What {layer} looks for in digits"
        best = type(found)(found.layer, found.filters[:3])
        yield Exhibit(
            f"digits-{layer}.html",
            title,
            f"{len(found.filters)} filters of a network trained on handwritten digits: their weights, the nine digits "
            "that excite each most, and what in each of them does.",
            drawn(best.figure(size=64), title),
        )


def seen(folder: Path) -> Iterator[Exhibit]:
    """Every way of asking a network what it saw, on a collage of two photographs."""
    w, right = photographs.trained()
    model = tf.explain.network_of(lambda images: photographs.layers(tf, images, w))
    image = photographs.collage("cat", "coffee")
    names = list(photographs.SUBJECTS)
    classes = [names.index("cat"), names.index("coffee")]
    scores: dict[str, Any] = {"channel": classes}
    tools: list[tuple[str, Any]] = [
        (
            "Deconvnet: the six strongest channels of conv3",
            tf.explain.deconvnet(model, image, "conv3", top=6, strongest=True),
        ),
        (
            "Guided back-propagation of the same",
            tf.explain.guided_backprop(model, image, "conv3", top=6, strongest=True),
        ),
        ("Saliency of cat and of coffee", tf.explain.saliency(model, image, "scores", **scores)),
        ("SmoothGrad", tf.explain.smoothgrad(model, image, "scores", copies=24, **scores)),
        ("Integrated gradients", tf.explain.integrated_gradients(model, image, "scores", baseline=0.5, **scores)),
        ("Grad-CAM in conv3", tf.explain.grad_cam(model, image, "scores", "conv3", **scores)),
        ("Occlusion", tf.explain.occlusion(model, image, "scores", patch=32, **scores)),
        (
            "Images that excite cat, coffee, astronaut, rocket, galaxies, motorcycle",
            tf.explain.activation_maximization(
                model, (64, 64, 3), "scores", channel=range(len(names)), rate=0.01, decay=0.02
            ),
        ),
    ]
    tools = [(title, found.labelled(names) if found.layer == "scores" else found) for title, found in tools]
    lead = (
        f"A small network, trained in seconds to tell pieces of six photographs apart (it tells {right:.0%} of new "
        "pieces rightly), is shown two of them side by side."
    )
    sections = [Section(title, _joined(found), found.lead) for title, found in tools]
    Page("A photograph, seen by a network", lead, sections).save(folder / "photograph.html")
    yield Exhibit(
        "photograph.html",
        "A photograph, seen by a network",
        "Deconvnet, guided back-propagation, saliency, SmoothGrad, integrated gradients, Grad-CAM, occlusion and "
        "images that excite: eight answers to one question.",
        drawn(tools[5][1].figure(size=200), "Grad-CAM of cat and of coffee"),
    )
    pieces = photographs.pieces(np.random.default_rng(1), [[photographs.photograph(s, 128)] for s in names], 192)[0]
    found = tf.explain.filter_portraits(model, pieces, "conv1", w["conv1/w"], top=7)
    found.save(folder / "photograph-conv1.html", size=64)
    yield Exhibit(
        "photograph-conv1.html",
        "The first filters of that network, in colours",
        "Edges, dots and colours: each filter with the pieces of photographs that excite it most.",
        drawn(type(found)(found.layer, found.filters[:3]).figure(size=64, across=8), "Three filters"),
    )


def _joined(found: Shown) -> str:
    return "".join(section(strip, 240) for strip in found.strips())


@dataclass(frozen=True)
class Deep:
    """Eight layers of 16, trained for 120 steps: act, how large their weights are, the rate, and by how much the inputs
    grow from step to step."""

    file: str
    title: str
    words: str
    act: Callable[[Any], Any]
    scale: float
    rate: float
    growth: float = 1.0


DEEP = (
    Deep("vanishing", "Gradients that vanish", "Eight layers of sigmoids.", tf1.sigmoid, 1.0, 0.5),
    Deep(
        "exploding", "Gradients that explode", "Eight layers of elu; their inputs drift.", tf1.nn.elu, 1.3, 1e-7, 1.05
    ),
    Deep("healthy", "Gradients that stay in range", "Eight layers of tanh.", tf1.tanh, 1.0, 0.05),
)


def gradients(folder: Path) -> Iterator[Exhibit]:
    """Three deep networks under watch: one that vanishes, one that explodes, one that learns."""
    for deep in DEEP:
        watch = _watched(deep)
        watch.save(folder / f"gradients-{deep.file}.html")
        amiss = [str(f) for f in watch.findings if f.now]
        words = f"{deep.words} {amiss[0]}." if amiss else f"{deep.words} No layer vanishes or explodes."
        yield Exhibit(f"gradients-{deep.file}.html", deep.title, words, norms(watch))


def _watched(deep: Deep) -> Any:
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(64, 16))
    wanted = np.tanh(inputs[:, ::-1])
    with tf1.Graph().as_default(), tf1.Session() as session:
        h = x = tf1.placeholder(tf1.float64, [64, 16])
        for i in range(8):
            w = tf1.Variable(rng.normal(size=(16, 16)) * deep.scale / 4, name=f"layer{i + 1}")
            h = deep.act(tf1.matmul(h, w))
        optimizer = tf1.train.GradientDescentOptimizer(deep.rate)
        pairs = optimizer.compute_gradients(tf1.reduce_mean((h - wanted) ** 2))
        train = optimizer.apply_gradients(pairs)
        session.run(tf1.global_variables_initializer())
        watch = tf.explain.watch_gradients(pairs)
        for step in range(120):
            watch.run(session, train, {x: inputs * deep.growth**step})
    return watch


def all_exhibits(folder: Path) -> Iterator[Exhibit]:
    """Makes every page in the folder."""
    with threadpool_limits(2, "blas"):
        for room in (walked, convolution, digits_seen, seen, gradients):
            yield from room(folder)
