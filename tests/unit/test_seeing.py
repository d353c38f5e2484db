"""What a network sees: each tool on networks whose answer is known by hand."""

from __future__ import annotations

import gc
import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.see.activation_maximization import activation_maximization, blurred
from pullback.explain.see.deconvnet import deconvnet
from pullback.explain.see.grad_cam import grad_cam
from pullback.explain.see.guided_backprop import guided_backprop
from pullback.explain.see.integrated_gradients import integrated_gradients
from pullback.explain.see.network import network_of
from pullback.explain.see.occlusion import occlusion
from pullback.explain.see.portraits import filter_portraits
from pullback.explain.see.projecting import Pulls, each_part
from pullback.explain.see.saliency import saliency
from pullback.explain.see.selection import Selection, ones_at
from pullback.explain.see.smoothgrad import smoothgrad
from pullback.explain.see.top_activations import top_activations

RNG = np.random.default_rng(7)
IMAGES = RNG.uniform(size=(2, 4, 4, 2))
W = RNG.normal(size=(32, 3))


def linear(images):
    """Three scores, each a weighted sum of the pixels."""
    return {"scores": tf.matmul(tf.reshape(images, [-1, 32]), W)}


def weights_of(channel):
    return W[:, channel].reshape(4, 4, 2)


class TestScores:
    def test_saliency_of_a_linear_score_is_the_magnitude_of_its_weights(self):
        found = saliency(linear, IMAGES, "scores", channel=1)
        assert found.values.shape == (2, 1, 4, 4, 1)
        np.testing.assert_allclose(found.values[0, 0, ..., 0], np.abs(weights_of(1)).max(axis=-1))
        raw = saliency(linear, IMAGES, "scores", channel=1, signed=True)
        np.testing.assert_allclose(raw.values[1, 0], weights_of(1))

    def test_without_a_class_each_image_is_asked_for_its_own_strongest(self):
        found = saliency(linear, IMAGES, "scores")
        assert [p[0].channel for p in found.parts] == list((IMAGES.reshape(2, 32) @ W).argmax(axis=1))

    def test_smoothgrad_of_a_linear_score_is_its_saliency_and_a_seed_fixes_the_noise(self):
        found = smoothgrad(linear, IMAGES, "scores", channel=2, copies=5, batch=2)
        np.testing.assert_allclose(found.values, saliency(linear, IMAGES, "scores", channel=2).values)
        square = lambda x: tf.reshape(tf.reduce_sum(x**2, [1, 2, 3]), [-1, 1])  # noqa: E731
        once = smoothgrad(square, IMAGES, "output", copies=4, seed=3, signed=True).values
        np.testing.assert_array_equal(once, smoothgrad(square, IMAGES, "output", copies=4, seed=3, signed=True).values)
        np.testing.assert_allclose(once[0, 0], 2 * IMAGES[0], atol=1.0)
        assert not np.allclose(once[0, 0], 2 * IMAGES[0], atol=1e-3)

    def test_integrated_gradients_of_a_cube_are_its_pixels_cubed(self):
        """d/dx of sum x^3 is 3x^2; integrated from 0, times x, that is x^3."""
        cube = lambda x: tf.reshape(tf.reduce_sum(x**3, [1, 2, 3]), [-1, 1])  # noqa: E731
        found = integrated_gradients(cube, IMAGES, "output", steps=3)
        np.testing.assert_allclose(found.values[:, 0], IMAGES**3, rtol=1e-12)
        np.testing.assert_allclose(found.difference[:, 0], (IMAGES**3).sum(axis=(1, 2, 3)))
        assert np.abs(found.error).max() < 1e-12

    def test_the_completeness_error_says_when_there_are_too_few_steps(self):
        bent = lambda x: tf.reshape(tf.reduce_sum(tf.nn.relu(x - 0.3), [1, 2, 3]), [-1, 1])  # noqa: E731
        errors = [np.abs(integrated_gradients(bent, IMAGES, "output", steps=n).error).max() for n in (1, 200)]
        assert errors[0] > 0.1 > 0.01 > errors[1]
        told = integrated_gradients(bent, IMAGES, "output", steps=1).notes[0][0]
        assert "error" in told and "%" in told

    def test_integrated_gradients_begin_at_the_baseline(self):
        found = integrated_gradients(linear, IMAGES, "scores", channel=0, baseline=IMAGES[0])
        np.testing.assert_allclose(found.values[0], 0, atol=1e-12)
        np.testing.assert_allclose(found.values[1, 0], weights_of(0) * (IMAGES[1] - IMAGES[0]))

    def test_occlusion_is_the_fall_of_the_score(self):
        found = occlusion(linear, IMAGES, "scores", channel=0, patch=2, stride=2, cover=0.0, batch=3)
        fall = (weights_of(0) * IMAGES[1]).reshape(2, 2, 2, 2, 2).sum(axis=(1, 3, 4))
        np.testing.assert_allclose(found.values[1, 0, ..., 0], fall.repeat(2, 0).repeat(2, 1))

    def test_occluding_patches_reach_the_border_and_overlaps_are_averaged(self):
        found = occlusion(linear, IMAGES[:1], "scores", channel=0, patch=3, stride=2, cover=0.0)
        piece = weights_of(0) * IMAGES[0]
        falls = {(y, x): piece[y : y + 3, x : x + 3].sum() for y in (0, 1) for x in (0, 1)}
        np.testing.assert_allclose(found.values[0, 0, 0, 0, 0], falls[0, 0])
        np.testing.assert_allclose(found.values[0, 0, 2, 2, 0], np.mean(list(falls.values())))

    def test_grad_cam_weighs_maps_by_their_mean_gradient(self):
        a = RNG.normal(size=(1, 1, 2, 3))

        def model(images):
            maps = tf.nn.relu(tf.nn.conv2d(images, a, 1, "VALID"))
            return {"maps": maps, "scores": tf.reduce_mean(maps, [1, 2]) * np.array([1.0, -2.0, 3.0])}

        found = grad_cam(model, IMAGES, "scores", "maps", channel=[1, 2])
        seen = np.maximum(IMAGES @ a[0, 0], 0)
        for k, (channel, weight) in enumerate([(1, -2.0), (2, 3.0)]):
            wanted = np.maximum(weight / 16 * seen[..., channel], 0)
            np.testing.assert_allclose(found.values[:, k, ..., 0], wanted, rtol=1e-6, atol=1e-7)

    def test_grad_cam_enlarges_maps_to_the_image(self):
        def model(images):
            maps = tf.nn.avg_pool2d(images, 2, 2, "VALID")
            return {"maps": maps, "scores": tf.reduce_sum(maps, [1, 2])}

        assert grad_cam(model, IMAGES, "scores", "maps").values.shape == (2, 1, 4, 4, 1)

    def test_guided_backprop_passes_what_is_positive_both_ways(self):
        x = np.array([1.0, -1.0, 2.0, 3.0]).reshape(1, 2, 2, 1)
        sign = np.array([1.0, 1.0, -1.0, 2.0]).reshape(1, 2, 2, 1)
        model = lambda images: tf.reshape(tf.nn.relu(images) * sign, [1, 4])  # noqa: E731
        found = guided_backprop(model, x, "output", channel=[0, 1, 2, 3])
        np.testing.assert_array_equal(found.values[0].sum(axis=0).ravel(), [1, 0, 0, 2])


class TestFindingImages:
    def test_an_image_climbs_to_what_excites_a_linear_score(self):
        found = activation_maximization(
            linear, (4, 4, 2), "scores", channel=[0, 2], steps=60, rate=5.0, decay=0.0, blur=0.0, jitter=0
        )
        np.testing.assert_array_equal(found.images[0], weights_of(0) > 0)
        np.testing.assert_array_equal(found.images[1], weights_of(2) > 0)
        assert found.parts[1].activation == pytest.approx(np.maximum(W[:, 2], 0).sum(), rel=1e-5)
        assert found.history.shape == (60, 2) and (np.diff(found.history, axis=0) > -1e-4).all()

    def test_blurring_keeps_a_flat_image_and_the_sum_of_a_dot(self):
        np.testing.assert_allclose(blurred(np.ones((1, 6, 6, 1)), 1.0), 1)
        dot = np.zeros((1, 9, 9, 1))
        dot[0, 4, 4, 0] = 1
        spread = blurred(dot, 0.7)
        assert spread.sum() == pytest.approx(1) and 0 < spread[0, 4, 5, 0] < spread[0, 4, 4, 0] < 1

    def test_top_activations_are_those_of_the_whole_set(self):
        images = RNG.normal(size=(23, 5, 5, 1))
        found = top_activations(tf.identity, images, "output", top=3, batch=4)
        flat = images.reshape(23, 25)
        assert found.which[0].tolist() == np.argsort(-flat.max(axis=1))[:3].tolist()
        at = flat[found.which[0, 0]].argmax()
        assert found.units[0, 0].tolist() == [at // 5, at % 5]
        np.testing.assert_array_equal(found.values[0], np.sort(flat.max(axis=1))[::-1][:3])
        np.testing.assert_array_equal(found.winners(0), images[found.which[0]])

    def test_of_equal_images_the_first_comes_first_and_fewer_than_top_are_all(self):
        found = top_activations(tf.identity, np.ones((3, 2, 2, 1)), "output", top=9, batch=2)
        assert found.which.tolist() == [[0, 1, 2]]

    def test_portraits_show_the_strongest_filter_first(self):
        w = np.zeros((1, 1, 1, 2), np.float32)
        w[..., 0], w[..., 1] = 1, 3
        images = RNG.uniform(size=(6, 3, 3, 1)).astype(np.float32)
        found = filter_portraits(lambda x: tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME")), images, "output", w, top=2)
        assert [f.channel for f in found.filters] == [1, 0]
        first = found.filters[0]
        assert first.which[0] == images.max(axis=(1, 2, 3)).argmax()
        peak = first.images[0].max()
        assert first.projections[0].max() == pytest.approx(3 * 3 * peak) and (first.projections[0] != 0).sum() == 1


def graph_network():
    """A graph with scopes, a placeholder besides the images', and integers at its end."""
    x = tf1.placeholder(tf1.float32, [None, 6, 6, 1], name="images")
    keep = tf1.placeholder(tf1.float32, [], name="keep")
    with tf1.variable_scope("conv1"):
        w = tf1.get_variable("w", initializer=RNG.normal(size=(3, 3, 1, 4)).astype(np.float32))
        h = tf1.nn.relu(tf1.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"))
    with tf1.name_scope("head"):
        logits = tf1.reduce_mean(h, [1, 2], name="logits") * keep
    tf1.argmax(logits, 1, name="told")
    return x, keep, h, logits


class TestNetworks:
    def test_a_graph_is_found_by_operation_tensor_scope_and_name(self):
        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            x, keep, h, _ = graph_network()
            session.run(tf1.global_variables_initializer())
            before = len(graph.get_operations())
            network = network_of(graph, session=session, feeds={keep: 1.0}, layers={"mine": h})
            image = np.ones((6, 6, 1), np.float32)
            found = [
                deconvnet(network, image, path).values for path in ("conv1", "conv1/Relu", "conv1/Relu:0", "mine", h)
            ]
            assert all(np.array_equal(found[0], other) for other in found[1:])
            assert len(graph.get_operations()) == before, "the tool adds nothing to the user's graph"
            assert deconvnet(x, image, "conv1", session=session, feeds={keep: 1.0}).layer == "conv1"

    def test_functions_and_modules_are_traced_with_what_is_inside_them(self):
        w = tf.Variable(RNG.normal(size=(3, 3, 1, 4)).astype(np.float32))

        class Model:
            @tf.function
            def __call__(self, images):
                h = tf.nn.relu(tf.nn.conv2d(images, w, 1, "SAME"), name="features")
                return {"deep": {"logits": tf.reduce_sum(h, [1, 2])}}

        image = RNG.normal(size=(1, 6, 6, 1)).astype(np.float32)
        model = Model()
        names = network_of(model).view(image.shape, image.dtype).layers
        assert "features" in names and "deep/logits" in names
        before = deconvnet(model, image, "features").values
        w.assign(2 * w)
        np.testing.assert_allclose(deconvnet(model, image, "features").values, 4 * before, rtol=1e-5)

    def test_a_scope_inside_others_is_found_by_its_own_name_where_it_is_the_only_one(self):
        def model(images):
            for outer in ("left", "right"):
                with tf.name_scope(outer), tf.name_scope("act"):
                    images = tf.nn.relu(images)
            with tf.name_scope("deep"), tf.name_scope("last"):
                return tf.nn.relu(images) * 2.0

        assert deconvnet(model, IMAGES, "last").values.max() == pytest.approx(4 * IMAGES.max())
        assert deconvnet(model, IMAGES, "right/act").layer == "right/act"
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"no layer 'act'.*'left/act'"):
            deconvnet(model, IMAGES, "act")

    def test_control_flow_is_projected_through(self):
        def model(images):
            h = tf.while_loop(lambda i, _: i < 3, lambda i, h: (i + 1, tf.nn.relu(h) * 2.0), [0, images])[1]
            return {"out": h}

        found = deconvnet(model, np.full((1, 2, 2, 1), 1.0), "out")
        np.testing.assert_array_equal(found.values.ravel(), 8.0 * 8.0)

    def test_a_wrong_layer_names_the_nearest(self):
        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            graph_network()
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"no layer 'conv1/relu'.*'conv1/Relu'"):
                deconvnet(graph, np.ones((6, 6, 1)), "conv1/relu", session=session)

    def test_integers_and_what_depends_on_no_image_are_refused(self):
        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            graph_network()
            session.run(tf1.global_variables_initializer())
            with pytest.raises(TypeError, match=r"'told' is int64, which has no derivatives.*'head/mul'"):
                saliency(graph, np.ones((6, 6, 1)), "told", session=session)
            with pytest.raises(tf.errors.InvalidArgumentError, match="does not depend on the images"):
                saliency(graph, np.ones((6, 6, 1)), "keep", session=session)
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"feed a value.*keep"):
                saliency(graph, np.ones((6, 6, 1)), "head/mul", session=session)

    def test_a_graph_without_images_says_what_it_has(self):
        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            tf1.placeholder(tf1.float32, [None, 10], name="rows")
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"no float placeholders .*rows \[\?,10\]"):
                deconvnet(graph, np.ones((1, 2, 2, 1)), "rows", session=session)
            with pytest.raises(tf.errors.InvalidArgumentError, match="session"):
                deconvnet(tf1.placeholder(tf1.float32, [None, 2, 2, 1]), np.ones((1, 2, 2, 1)), "rows")
        with pytest.raises(tf.errors.InvalidArgumentError, match="int is no network"):
            deconvnet(3, np.ones((1, 2, 2, 1)), "x")

    @pytest.mark.parametrize(
        "images, words",
        [
            (np.zeros((0, 4, 4, 2)), "empty"),
            (np.full((1, 4, 4, 2), np.nan), r"1 of 1 hold NaN or infinity \(image 0: 32 of 32"),
            (np.zeros((4, 4)), r"needed is a batch \[N,H,W,C\]"),
            (np.array([["a"]]), "numbers are needed"),
        ],
    )
    def test_images_that_are_none_are_refused(self, images, words):
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            saliency(linear, images, "scores")

    def test_bytes_of_an_image_file_serve_as_they_are(self):
        found = saliency(linear, np.full((4, 4, 2), 200, np.uint8), "scores", channel=0)
        assert found.images.dtype == np.float32 and found.images.max() == 200

    def test_progress_counts_parts(self):
        seen = []
        deconvnet(
            linear,
            IMAGES,
            "scores",
            channel=[0, 1, 2],
            batch=1,
            progress=lambda done, total: seen.append((done, total)),
        )
        assert seen == [(i, 6) for i in range(1, 7)]

    def test_memory_of_the_way_back_does_not_grow_with_the_channels(self):
        w = RNG.normal(size=(3, 3, 1, 64)).astype(np.float32)
        image = RNG.uniform(size=(1, 64, 64, 1)).astype(np.float32)
        pulls = Pulls(network_of(lambda x: tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME"))), "output")

        def peak(channels):
            gc.collect()
            tracemalloc.start()
            count = sum(1 for _ in each_part(pulls, image, Selection(list(range(channels))), ones_at))
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert count == channels
            return found

        for _ in range(3):  # caches fill
            peak(4)
        assert peak(64) < 1.2 * peak(4)


class TestShown:
    def test_a_figure_shows_the_input_beside_the_projections(self, tmp_path):
        image = np.zeros((8, 8, 1), np.float32)
        image[2:6, 3] = 1
        found = deconvnet(tf.nn.relu, image, "output", top=1, by="unit")
        drawn = found.figure(size=64)
        assert drawn.width > 2 * 64 and drawn.height > 64
        path = found.save(tmp_path / "out.png")
        with Image.open(path) as read:
            assert read.size[0] > 128
        text = found.save(tmp_path / "out.html").read_text(encoding="utf-8")
        assert text.count("<img ") == 2 and "channel 0 at (2, 3): 1" in text and "deconvnet of output" in text
        assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text

    def test_the_window_is_what_is_not_zero(self):
        image = np.zeros((8, 8, 1), np.float32)
        image[2, 3], image[5, 6] = 1, 1
        found = deconvnet(tf.nn.relu, image, "output")
        assert found.window(0, 0) == (2, 3, 5, 6)
        assert deconvnet(tf.nn.relu, 0 * image, "output").window(0, 0) is None

    def test_a_file_of_another_kind_is_refused(self, tmp_path):
        found = deconvnet(tf.nn.relu, IMAGES, "output")
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"\.html or \.png"):
            found.save(tmp_path / "out.pdf")
        assert list(tmp_path.iterdir()) == []

    def test_every_tool_has_its_figure(self):
        tools = [
            saliency(linear, IMAGES, "scores", top=2),
            integrated_gradients(linear, IMAGES, "scores"),
            occlusion(linear, IMAGES, "scores"),
            top_activations(tf.identity, IMAGES, "output"),
        ]
        for found in tools:
            assert found.figure().mode == "RGB"
            json.dumps(found.page(96).html())

    def test_labels_say_what_channels_mean(self):
        found = saliency(linear, IMAGES, "scores", channel=[0, 2]).labelled(["cat", "dog", "cow"])
        assert [p.label for p in found.parts[0]] == ["cat", "cow"]
        assert "cow (channel 2):" in found.page().html()
        with pytest.raises(tf.errors.InvalidArgumentError, match="labels: 2 for a layer that has a channel 2"):
            found.labelled(["cat", "dog"])


class TestChannelsFirst:
    """A model that computes in [N,C,H,W] is asked and answers as its channels-last twin."""

    FILTERS = RNG.normal(size=(3, 3, 2, 3))

    def model(self, first):
        order = "NCHW" if first else "NHWC"

        def built(images):
            x = tf.transpose(images, [0, 3, 1, 2]) if first else images
            maps = tf.nn.relu(tf.nn.conv2d(x, self.FILTERS, 1, "SAME", data_format=order)) * 2.0
            pooled = tf.nn.max_pool2d(maps, 2, 2, "SAME", data_format=order)
            return {"maps": maps, "pooled": pooled, "scores": tf.reduce_mean(pooled, [2, 3] if first else [1, 2])}

        return built

    @pytest.mark.parametrize(
        "ask",
        [
            lambda model: deconvnet(model, IMAGES, "pooled", top=2, strongest=True),
            lambda model: deconvnet(model, IMAGES, "pooled", channel=1, unit=(1, 0), onto="maps"),
            lambda model: saliency(model, IMAGES, "maps", channel=2),
            lambda model: grad_cam(model, IMAGES, "scores", "maps", channel=0),
            lambda model: occlusion(model, IMAGES, "pooled", channel=0, patch=2),
        ],
        ids=["deconvnet", "onto a layer", "saliency", "grad_cam", "occlusion"],
    )
    def test_the_answers_are_the_same(self, ask):
        found, wanted = ask(self.model(first=True)), ask(self.model(first=False))
        assert found.parts == wanted.parts
        np.testing.assert_allclose(found.values, wanted.values, rtol=1e-12)

    def test_channels_are_counted_and_not_columns(self):
        found = top_activations(self.model(first=True), IMAGES, "maps", top=1)
        wanted = top_activations(self.model(first=False), IMAGES, "maps", top=1)
        assert found.channels == (0, 1, 2)
        np.testing.assert_array_equal(found.units, wanted.units)

    def test_images_that_enter_channels_first_are_refused_with_the_way_out(self):
        def model(images):
            return tf.nn.conv2d(images - 0.5, self.FILTERS, 1, "SAME", data_format="NCHW")

        with pytest.raises(tf.errors.InvalidArgumentError, match=r"begin with tf.transpose\(images, \[0, 3, 1, 2\]\)"):
            saliency(model, IMAGES.transpose(0, 3, 1, 2), "output")
