"""What is measured, and the goals. Those in seconds are a quiet Zen 4's with two cores.

MEANS are goals of groups: the geometric mean of their ratios.
"""

from __future__ import annotations

from bench.work import Goal, Work

MEANS = {"convolution": 1.5, "training": 1.3, "pooling": 1.8}

PASSES = ("forward", "backprop-input", "backprop-filter")
# name: (N, H, W, C, K, filter, stride, padding, groups), goals in ms of the three passes.
_SHAPES = {
    "AlexNet conv1 16x227x227x3->96 k11 s4": ((16, 227, 227, 3, 96, 11, 4, 0, 1), (14.5, 20, 15.5)),
    "AlexNet conv2 16x27x27x96->256 k5": ((16, 27, 27, 96, 256, 5, 1, 2, 1), (30, 30, 35)),
    "VGG 4x56x56x128->256 k3": ((4, 56, 56, 128, 256, 3, 1, 1, 1), (9.9, 10.2, 11.4)),
    "ResNet 16x56x56x64->64 k3": ((16, 56, 56, 64, 64, 3, 1, 1, 1), (5.4, 5.9, 6.8)),
    "ResNet 16x56x56x128->128 k3 s2": ((16, 56, 56, 128, 128, 3, 2, 1, 1), (16.5, 16.5, 17)),
    "1x1 16x56x56x64->256": ((16, 56, 56, 64, 256, 1, 1, 0, 1), (8, 8, 8.5)),
    "late 16x7x7x512->512 k3": ((16, 7, 7, 512, 512, 3, 1, 1, 1), (12, 12, 13)),
    "LeNet 64x28x28x1->32 k5": ((64, 28, 28, 1, 32, 5, 1, 2, 1), (0.4, 0.8, 0.4)),
    "LeNet2 64x14x14x32->64 k5": ((64, 14, 14, 32, 64, 5, 1, 2, 1), (2.8, 2.8, 3.2)),
    "depthwise 16x56x56x128 k3": ((16, 56, 56, 128, 128, 3, 1, 1, 128), (1.4, 1.4, 2)),
    "first of VGG 2x112x112x3->64 k3": ((2, 112, 112, 3, 64, 3, 1, 1, 1), (None, 0.8, None)),
}


def _convolution() -> list[Work]:
    out = []
    for name, ((n, h, w, c, k, size, stride, pad, groups), goals) in _SHAPES.items():
        for which, most in zip(PASSES, goals, strict=True):
            if most is None:
                continue
            ratio = 1.0
            if size == 3 and stride == 1 and groups == 1:
                ratio = 2.0
            if which == "backprop-input" and c <= 3:
                ratio = 4.0
            shape = {"n": n, "h": h, "w": w, "c": c, "k": k, "size": size, "stride": stride, "pad": pad}
            case = {"pass": which, **shape, "groups": groups}
            out.append(Work("convolution", f"{name} {which}", "convolution", case, {"": Goal(ratio, most / 1e3)}))
    return out


_NETWORKS = {
    "LeNet b128": ("lenet", {"n": 128}, 40),
    "AlexNet-like b16 at 227": ("alexnet", {"n": 16}, 420),
    "residual network b16 at 32x32": ("residual", {"n": 16}, 100),
    "PINN, Burgers, 10,000 points": ("pinn", {"n": 10_000}, 12),
}


def _training() -> list[Work]:
    steps = [
        Work("training", f"{name}: step", kind, case, {"": Goal(1.3, most / 1e3)}, tolerance=2e-3)
        for name, (kind, case, most) in _NETWORKS.items()
    ]
    peak = {"peak": Goal(2.0, 800, "tensorflow")}
    return [*steps, Work("memory", "AlexNet-like step, whole process", "alexnet", {"n": 16}, peak, "MB", "worker")]


def _pooling() -> list[Work]:
    image = {"n": 16, "h": 56, "w": 56, "c": 64}  # 12.8 MB
    works = {
        "max pool 2x2 forward": ("forward", 0.25),
        "max pool with argmax forward": ("argmax forward", 0.35),
        "max pool with argmax backward": ("argmax backward", 0.3),
        "unpool forward": ("unpool forward", 0.5),
        "unpool backward": ("unpool backward", 0.25),
        "forward and backward through pool and unpool": ("both", 2.5),
    }
    return [
        Work(
            "pooling", name, "pooling", {"what": what, **image}, {"": Goal(4.0 if what == "both" else 1.2, most / 1e3)}
        )
        for name, (what, most) in works.items()
    ]


def _dispatch() -> list[Work]:
    works = {
        "gradient of a 3x3 convolution, compiled": ("compiled", {}, 5e-6),
        "the same by an eager tape": ("eager", {}, 50e-6),
        "Session.run of gradients with a feed": ("session", {}, 15e-6),
        "TF1: build, gradients, first run": ("first", {}, 1.5e-3),
        "eager chain of 50 ops with tape": ("tape", {"n": 50}, 250e-6),
        "eager tape of 100,000 ops": ("tape", {"n": 100_000}, 0.8),
    }
    return [
        # Rounding grows with the length of a chain.
        Work("dispatch", name, kind, case, {"": Goal(most=most)}, tolerance=max(1e-3, case.get("n", 0) * 3e-7))
        for name, (kind, case, most) in works.items()
    ]


def _eager() -> list[Work]:
    large = {"n": 1000, "width": 1024}  # 4 MB
    names = {
        "sigmoid": "sigmoid",
        "tanh": "tanh",
        "relu": "relu",
        "product": "x times x",
        "sum": "sum",
        "softmax": "softmax of rows",
        "concat": "two joined",
        "gradient": "gradient of the sum of squares of tanh",
    }
    return [
        Work("eager", f"{name}, 4 MB", "eager op", {"what": what, **large}, {"": Goal(1.0)}, tolerance=1e-4)
        for what, name in names.items()
    ]


def _start() -> list[Work]:
    def program(name: str, kind: str, most: float | None, case: dict | None = None, unit: str = "s") -> Work:
        return Work("start", name, kind, case or {}, {"": Goal(most=most)}, unit, "program")

    return [
        program("import", "import", 0.12),
        program("resident after import", "resident", 60, unit="MB"),
        program("installed, with all it needs", "installed", 320, unit="MB"),
        program("process start to both gradients of a convolution", "gradients", 0.31),
        program("the same in machine code, kernels kept on disk", "gradients", 0.31, {"compiled": True}),
        program("the same, no kernels on disk yet", "gradients", 0.46, {"compiled": True, "cold": True}),
    ]


def _chains() -> list[Work]:
    def goals(n: int) -> dict[str, Goal]:
        most = {"build to first run": 2.0 / n, "steady": 1e-3 / n} if n == 10_000 else {}
        stages = dict.fromkeys(("build", "gradient", "first run", "plan", "steady", "build to first run"), Goal())
        return stages | {s: Goal(5.0, most.get(s), "tensorflow") for s in ("build to first run", "with plan", "steady")}

    return [Work("chains", f"{n:,} ops, for one", "chain", {"n": n}, goals(n)) for n in (1_000, 10_000, 100_000)]


def _jacobians() -> list[Work]:
    image = {"h": 16, "w": 16, "c": 8, "k": 8, "size": 3}
    small = {"h": 5, "w": 5, "c": 1, "k": 1, "size": 3}
    works = {
        "of a 16x16x8->16x16x8 convolution by the input": ("jacobian", {"by": "input", **image}, 0.8e-3),
        "by the kernel": ("jacobian", {"by": "kernel", **image}, 0.14e-3),
        "of the 3x3 convolution, eager": ("jacobian", {"by": "input", **small, "eager": True}, 150e-6),
        "Hessian of a small MLP's loss": ("hessian", {"n": 32, "widths": [8, 16, 1]}, 0.7e-3),
        "batch_jacobian of an MLP": ("batch_jacobian", {"n": 64, "widths": [16, 32, 8]}, 0.17e-3),
    }
    return [
        Work("jacobians", name, kind, case, {"": Goal(1.0, most)}, tolerance=1e-3)
        for name, (kind, case, most) in works.items()
    ]


def works() -> list[Work]:
    """All of them, group by group."""
    lists = (_convolution, _training, _pooling, _dispatch, _eager, _start, _chains, _jacobians)
    return [work for make in lists for work in make()]


GROUPS = tuple(dict.fromkeys(work.group for work in works()))
