"""Programs on pooling, unpooling and the deconvnet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conformance.golden import BOUND, FOLDER, Golden, both_precisions, golden, mix

import pullback as tf
import pullback.v1 as tf1


def max_pool_with_argmax(net: Any, stride: int) -> Any:
    """The article's function, as it stands there."""
    with tf1.name_scope("MaxPoolArgMax"):
        _, mask = tf1.nn.max_pool_with_argmax(
            net, ksize=[1, stride, stride, 1], strides=[1, stride, stride, 1], padding="SAME"
        )
        mask = tf1.stop_gradient(mask)
        net = tf1.nn.max_pool(net, ksize=[1, stride, stride, 1], strides=[1, stride, stride, 1], padding="SAME")
        return net, mask


def un_max_pool(net: Any, mask: Any, stride: int) -> Any:
    """The article's function, as it stands there. Right where the stride divides the sizes."""
    ksize = [1, stride, stride, 1]
    input_shape = net.get_shape().as_list()
    output_shape = (input_shape[0], input_shape[1] * ksize[1], input_shape[2] * ksize[2], input_shape[3])
    one_like_mask = tf1.ones_like(mask)
    batch_range = tf1.reshape(tf1.range(output_shape[0], dtype=tf1.int64), shape=[input_shape[0], 1, 1, 1])
    b = one_like_mask * batch_range
    y = mask // (output_shape[2] * output_shape[3])
    x = mask % (output_shape[2] * output_shape[3]) // output_shape[3]
    feature_range = tf1.range(output_shape[3], dtype=tf1.int64)
    f = one_like_mask * feature_range
    updates_size = tf1.size(net)
    indices = tf1.transpose(tf1.reshape(tf1.stack([b, y, x, f]), [4, updates_size]))
    values = tf1.reshape(net, [updates_size])
    return tf1.scatter_nd(indices, values, output_shape)


UNPOOL = ("v1:nn.max_pool_with_argmax", "v1:nn.max_pool", "v1:scatter_nd", "v1:range", "v1:transpose", "v1:size")


def run(build: Any) -> Any:
    with tf1.Graph().as_default(), tf1.Session() as session:
        return session.run(build())


@golden("max_pool_argmax_unpool", *UNPOOL)
def test_unpooling_by_the_articles_functions(g: Golden) -> None:
    def build() -> Any:
        img = tf1.constant(g.input("img"))
        plain = tf1.nn.max_pool(img, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        pooled, mask = max_pool_with_argmax(img, 2)
        restored = un_max_pool(pooled, mask, 2)
        (gradient,) = tf1.gradients(plain, img, grad_ys=plain)
        return plain, pooled, mask, restored, gradient

    names = ("max_pool", "max_pool_with_argmax", "mask", "un_max_pool", "max_pool_gradient_with_pooled_as_upstream")
    for name, value in zip(names, run(build), strict=True):
        g.check(name, value)


@both_precisions
@golden("max_pool_argmax_unpool_batch", *UNPOOL)
def test_unpooling_a_batch(g: Golden, dtype: str) -> None:
    def build() -> dict[str, Any]:
        img, odd = tf1.constant(g.input("img", dtype)), tf1.constant(g.input("img_odd", dtype))
        pooled, mask = max_pool_with_argmax(img, 2)
        pooled_odd, mask_odd = max_pool_with_argmax(odd, 2)
        sizes = [1, 2, 2, 1]
        _, counted = tf1.nn.max_pool_with_argmax(img, sizes, sizes, "SAME", include_batch_in_index=True)
        return {
            "pooled": pooled,
            "mask": mask,
            "unpooled": un_max_pool(pooled, mask, 2),
            "mask_include_batch": counted,
            "pooled_odd": pooled_odd,
            "mask_odd": mask_odd,
            "unpooled_odd_true": tf1.gradients(pooled_odd, odd, grad_ys=pooled_odd)[0],
            "unpooled_odd_by_the_seed_function": un_max_pool(pooled_odd, mask_odd, 2),
        }

    for name, value in run(build).items():
        g.check(name, value, BOUND[dtype])


@both_precisions
@golden("average_unpool", "nn.avg_pool2d", "repeat")
def test_average_unpooling(g: Golden, dtype: str) -> None:
    """Copying a value to its window is not the gradient of averaging, which divides it."""
    img = tf.constant(g.input("img", dtype))
    with tf.GradientTape() as tape:
        tape.watch(img)
        pooled = tf.nn.avg_pool2d(img, 2, 2, "SAME")
    enlarged = tf.repeat(tf.repeat(pooled, 2, axis=1), 2, axis=2)
    g.check("avg_pool", pooled.numpy(), BOUND[dtype])
    g.check("average_unpool", enlarged.numpy(), BOUND[dtype])
    gradient = tape.gradient(pooled, img, output_gradients=pooled)
    g.check("avg_pool_gradient_with_pooled_as_upstream", gradient.numpy(), BOUND[dtype])
    np.testing.assert_allclose(tf.nn.avg_pool2d(enlarged, 2, 2, "SAME").numpy(), pooled.numpy(), rtol=1e-6)


@both_precisions
@golden(
    "small_network_backprop_and_deconvnet",
    "nn.conv2d_transpose",
    "nn.max_pool_with_argmax",
    "nn.softmax_cross_entropy_with_logits",
    "scatter_nd",
)
def test_small_network_and_its_deconvnet(g: Golden, dtype: str) -> None:
    x, w1, w2, wf, labels = (tf.constant(g.input(name, dtype)) for name in ("x", "w1", "w2", "wf", "labels"))
    with tf.GradientTape() as tape:
        tape.watch([x, w1, w2, wf])
        conv1 = tf.nn.conv2d(x, w1, 1, "SAME")
        pool1, mask1 = tf.nn.max_pool_with_argmax(tf.nn.relu(conv1), 2, 2, "SAME")
        conv2 = tf.nn.conv2d(pool1, w2, 2, "VALID")
        logits = tf.matmul(tf.reshape(tf.nn.relu(conv2), [1, -1]), wf)
        loss = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(labels, logits))
    made = {"conv1": conv1, "pool1": pool1, "mask1": mask1, "conv2": conv2, "logits": logits, "loss": loss}
    grads = tape.gradient(loss, [x, w1, w2, wf])
    made |= dict(zip(("grad_x", "grad_w1", "grad_w2", "grad_wf"), grads, strict=True))
    back = tf.nn.relu(tf.nn.relu(conv2))
    back = tf.nn.conv2d_transpose(back, w2, [1, 5, 5, 3], 2, "VALID")
    flat = tf.scatter_nd(tf.reshape(mask1, [-1, 1]), tf.reshape(back, [-1]), [10 * 10 * 3])
    unpooled = tf.reshape(flat, [1, 10, 10, 3])
    picture = tf.nn.conv2d_transpose(tf.nn.relu(unpooled), w1, [1, 10, 10, 2], 1, "SAME")
    made |= {"deconv_of_conv2": back, "unpooled": unpooled, "deconvnet_picture": picture}
    for name, value in made.items():
        g.check(name, value.numpy())


LAYERS = (
    ("conv", 11, 3, 96, 4, "VALID"), ("pool", 3, 0, 0, 2, "VALID"), ("conv", 5, 96, 256, 1, "SAME"),
    ("pool", 3, 0, 0, 2, "VALID"), ("conv", 3, 256, 384, 1, "SAME"), ("conv", 3, 384, 384, 1, "SAME"),
    ("conv", 3, 384, 256, 1, "SAME"),
)  # fmt: skip


def alexnet_image() -> Any:
    y, x, c = np.ogrid[:227, :227, :3]
    inside = (y - 113) ** 2 + (x - 113) ** 2 < 3600
    return ((3 * y + 5 * x + 7 * c) % 64 / 64 + inside - 0.9921875)[None]


def alexnet() -> tuple[Any, Any]:
    """(conv5's features, the way back from a picture of them)"""
    h, back = tf.constant(alexnet_image()), []
    for i, (kind, f, cin, cout, stride, padding) in enumerate(LAYERS):
        before = h
        if kind == "conv":
            w = tf.constant((mix(f * f * cin * cout, 100 + i) * np.sqrt(6 / (f * f * cin))).reshape(f, f, cin, cout))
            h = tf.nn.relu(tf.nn.conv2d(h, w, stride, padding))
            back.append(_deconvolution(w, before.shape, stride, padding))
        else:
            h, mask = tf.nn.max_pool_with_argmax(h, f, stride, padding)
            back.append(_unpooling(mask, before.shape))

    def project(features: Any) -> Any:
        for step in reversed(back):
            features = step(features)
        return features.numpy()[0]

    return h, project


def _deconvolution(w: Any, shape: Any, stride: int, padding: str) -> Any:
    return lambda r: tf.nn.conv2d_transpose(tf.nn.relu(r), w, shape, stride, padding)


def _unpooling(mask: Any, shape: Any) -> Any:
    size = int(np.prod(shape))
    return lambda r: tf.reshape(tf.scatter_nd(tf.reshape(mask, [-1, 1]), tf.reshape(r, [-1]), [size]), shape)


@pytest.mark.slow
@golden("alexnet_conv5_deconvnet", "nn.conv2d_transpose", "nn.max_pool_with_argmax", "scatter_nd")
def test_alexnet_conv5_as_pictures(g: Golden) -> None:
    features, project = alexnet()
    conv5 = features.numpy()
    at = np.unravel_index(np.argmax(conv5), conv5.shape)[1:]
    g.check("conv5_argmax_yxc", np.array(at, np.int32))
    g.check("conv5_sum", conv5.sum(), 1e-9)
    g.check("conv5_max", conv5.max(), 1e-9)
    g.check("conv5_positive_share", np.mean(conv5 > 0), 1e-9)
    g.check("conv5_channel_of_max", conv5[0, ..., at[2]], 1e-9)
    channel, unit, centre = np.zeros_like(conv5), np.zeros_like(conv5), np.zeros_like(conv5)
    channel[..., at[2]] = conv5[..., at[2]]
    unit[0][at] = conv5[0][at]
    strongest = np.argmax(conv5[0, 6, 6])
    centre[0, 6, 6, strongest] = conv5[0, 6, 6, strongest]
    stored = np.load(FOLDER / "alexnet_conv5_deconvnet.npz")
    places = g.input("sample_points_yx")
    for name, chosen in (("all_of_conv5", conv5), ("channel_of_max", channel), ("single_max_unit", unit)):
        picture = project(tf.constant(chosen))
        np.testing.assert_allclose(picture, stored[name], rtol=1e-5, atol=1e-5)
        g.check(f"{name}_min", picture.min(), 1e-9)
        g.check(f"{name}_max", picture.max(), 1e-9)
        g.check(f"{name}_sum_sq", np.sum(picture**2), 1e-9)
        g.check(f"{name}_samples", picture[places[:, 0], places[:, 1]], 1e-9)
        if name == "single_max_unit":
            g.check("single_max_unit_support_y0x0y1x1", support(picture))
    g.check("centre_unit_support_y0x0y1x1", support(project(tf.constant(centre))))


def support(picture: Any) -> Any:
    """First and last row and column where a picture is not zero."""
    ys, xs = np.nonzero(np.any(picture != 0, axis=-1))
    return np.array([ys.min(), xs.min(), ys.max(), xs.max()], np.int32)
