"""Small pictures of four things, drawn with noise: a lying bar, a standing bar, a cross and a box."""

import numpy as np

THINGS = ("lying", "standing", "cross", "box")


def drawn(thing, size, top, left, length):
    """One picture [size,size] of a thing `length` pixels wide whose corner is at (top, left)."""
    picture = np.zeros((size, size), np.float32)
    part = picture[top : top + length, left : left + length]
    if thing == "lying":
        part[length // 2] = 1
    elif thing == "standing":
        part[:, length // 2] = 1
    elif thing == "cross":
        part[np.arange(length), np.arange(length)] = 1
        part[np.arange(length), np.arange(length)[::-1]] = 1
    else:
        part[[0, -1]] = 1
        part[:, [0, -1]] = 1
    return picture


def load(count, size=12, noise=0.1, seed=0):
    """(images [count,size,size,1] within 0 and 1, labels [count] as int32)."""
    rng = np.random.RandomState(seed)
    labels = rng.randint(0, len(THINGS), count).astype(np.int32)
    images = []
    for label in labels:
        length = rng.randint(size // 2, size - 2)
        top, left = rng.randint(0, size - length, 2)
        images.append(drawn(THINGS[label], size, top, left, length))
    clean = np.stack(images)[..., None]
    return np.clip(clean + rng.normal(0, noise, clean.shape), 0, 1).astype(np.float32), labels


def batch(images, labels, size, step):
    """The rows of one step; after the last row the first follows."""
    rows = np.arange(step * size, (step + 1) * size) % len(images)
    return images[rows], labels[rows]
