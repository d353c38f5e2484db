"""Pictures as files: PNG, JPEG, GIF and BMP, by Pillow, decoded to [H,W,C] and encoded from it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes
from pullback.core.dtypes import DType, as_dtype, uint8, uint16
from pullback.core.errors import ArgumentError, InvalidArgumentError
from pullback.core.names import public
from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.shape import compatible, text
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.image.color import convert_image_dtype
from pullback.ops.image.picture_files import MODES, frames_of, opened, pixels, reading
from pullback.ops.math.scopes import scope


class _Decode(Op):
    """Base of the decoders. contents [] -> image [H,W,C]"""

    def infer(self, contents: Spec) -> Spec:
        if not compatible(contents.shape, ()):
            raise ArgumentError(f"{self.type}: contents must be a scalar, but has shape {text(contents.shape)}")
        channels = getattr(self, "channels", 0)
        return Spec((None, None, channels or None), getattr(self, "dtype", uint8))

    def check(self) -> None:
        if getattr(self, "channels", 0) not in (0, 1, 3, 4):
            raise ArgumentError(f"{self.type}: channels must be 0, 1, 3 or 4, not {getattr(self, 'channels', 0)}")

    def reference(self, contents: Any) -> Any:
        with reading():
            return self.decoded(opened(np.asarray(contents).item()))

    def decoded(self, image: Any) -> Any:
        """The pixels of a picture."""
        return pixels(image, getattr(self, "channels", 0), getattr(self, "dtype", uint8))

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (_sample("PNG", rng.integers(0, 255, (3, 4, 3))),), ())

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.array(b"words", object)), InvalidArgumentError, "Unknown image file format"


def _sample(kind: str, pixels: Any) -> Any:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, kind)
    return np.array(file.getvalue(), object)


@op
class DecodePng(_Decode):
    """A picture of any of the four formats; of a GIF the only frame."""

    signature = "contents: string -> image: dtype"
    channels: int = 0
    dtype: DType = uint8


@op
class DecodeJpeg(_Decode):
    """A picture of any of the four formats, each side a `ratio`-th of a JPEG's."""

    signature = "contents: string -> image: uint8"
    channels: int = 0
    ratio: int = 1

    def check(self) -> None:
        super().check()
        if self.ratio not in (1, 2, 4, 8):
            raise ArgumentError(f"DecodeJpeg: ratio must be 1, 2, 4 or 8, not {self.ratio}")

    def decoded(self, image: Any) -> Any:
        if self.ratio > 1 and image.format == "JPEG":
            image.draft(image.mode, tuple(-(-n // self.ratio) for n in image.size))
        return super().decoded(image)


@op
class DecodeBmp(_Decode):
    """A picture of any of the four formats."""

    signature = "contents: string -> image: uint8"
    channels: int = 0


@op
class DecodeGif(_Decode):
    """All frames of a GIF; of another format one. contents [] -> image [N,H,W,3]"""

    signature = "contents: string -> image: uint8"

    def infer(self, contents: Spec) -> Spec:
        super().infer(contents)
        return Spec((None, None, None, 3), uint8)

    def decoded(self, image: Any) -> Any:
        return frames_of(image)


@op
class DecodeImage(_Decode):
    """A picture of any of the four formats; with expand_animations a GIF gives [N,H,W,3]."""

    signature = "contents: string -> image: dtype"
    channels: int = 0
    dtype: DType = uint8
    expand_animations: bool = True

    def infer(self, contents: Spec) -> Spec:
        found = super().infer(contents)
        return found.with_shape(None) if self.expand_animations else found

    def decoded(self, image: Any) -> Any:
        if image.format == "GIF":
            frames = frames_of(image)
            if self.channels == 1:
                raise InvalidArgumentError("DecodeImage: channels must be 0, 3 or 4 when decoding GIFs, but got 1")
            return frames if self.expand_animations else frames[0]
        return super().decoded(image)


class _Encode(Op):
    """Base of the encoders. image [H,W,C] -> contents []"""

    def infer(self, image: Spec) -> Spec:
        if not compatible(image.shape, (None, None, None)):
            raise ArgumentError(f"{self.type}: image must be [H,W,C], but has shape {text(image.shape)}")
        return Spec((), dtypes.string)

    def grad(self, node: Any, dy: Any) -> Any:
        return None

    def saved(self, image: Any, kind: str, **how: Any) -> Any:
        """The file."""
        from PIL import Image

        if not image.size:
            raise InvalidArgumentError(f"{self.type}: a picture without pixels, {image.shape}, is no {kind}")
        if image.shape[-1] not in MODES or (kind == "JPEG" and image.shape[-1] not in (1, 3)):
            raise InvalidArgumentError(f"{self.type}: a {kind} cannot have {image.shape[-1]} channels")
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(image[..., 0] if image.shape[-1] == 1 else image)).save(file, kind, **how)
        out = np.empty((), object)
        out[()] = file.getvalue()
        return out

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        for channels in (1, 3):
            yield Sample(cls(), (rng.integers(0, 255, (3, 4, channels)).astype(np.uint8),), (), name=str(channels))

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls()(np.zeros((2, 2), np.uint8)), ArgumentError, "must be [H,W,C]"
        yield lambda: cls()(np.zeros((2, 2, 5), np.uint8)), InvalidArgumentError, "cannot have 5 channels"


@op
class EncodePng(_Encode):
    """A PNG file of a picture of 8 bit, or of 16 bit with one channel."""

    signature = "image: T -> contents: string"
    T = (uint8, uint16)
    compression: int = -1

    def check(self) -> None:
        if not -1 <= self.compression <= 9:
            raise ArgumentError(f"EncodePng: compression must be in [-1, 9], not {self.compression}")

    def reference(self, image: Any) -> Any:
        if image.dtype == np.uint16 and image.shape[-1] != 1:
            raise InvalidArgumentError("EncodePng: pictures of 16 bit must have one channel here; cast to uint8")
        how = {} if self.compression < 0 else {"compress_level": self.compression}
        return self.saved(image, "PNG", **how)


@op
class EncodeJpeg(_Encode):
    """A JPEG file of a picture of 8 bit with 1 or 3 channels."""

    signature = "image: uint8 -> contents: string"
    quality: int = 95
    progressive: bool = False
    optimize_size: bool = False
    chroma_downsampling: bool = True
    density: tuple[int, int] = (300, 300)

    def check(self) -> None:
        if not 0 <= self.quality <= 100:
            raise ArgumentError(f"EncodeJpeg: quality must be in [0, 100], not {self.quality}")

    def reference(self, image: Any) -> Any:
        return self.saved(
            image,
            "JPEG",
            quality=self.quality,
            progressive=self.progressive,
            optimize=self.optimize_size,
            subsampling=2 if self.chroma_downsampling else 0,
            dpi=self.density,
        )


# --- public names ---------------------------------------------------------------------------------------------------


@public("image.decode_png", "io.decode_png")
def decode_png(contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None) -> Tensor:
    """A PNG file (JPEG, GIF and BMP work too) as pixels.

    Args:
      contents: [] string. channels: 0 (as in the file), 1, 3 or 4. dtype: uint8 or uint16.
    Returns:
      [H,W,channels].
    Raises, when it runs:
      InvalidArgumentError: the bytes are no picture.
    """
    kind = as_dtype(dtype)
    if kind not in (uint8, uint16):
        raise ArgumentError(f"decode_png: dtype must be uint8 or uint16, not {kind.name}").locate()
    return DecodePng(channels, kind)(contents, name=name)


@public("image.decode_jpeg", "io.decode_jpeg")
def decode_jpeg(
    contents: Any,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Tensor:
    """A JPEG file (PNG, GIF and BMP work too) as pixels; otherwise as `decode_png`.

    Args:
      ratio: 1, 2, 4 or 8: each side is that part of the file's.
      fancy_upscaling, dct_method: how libjpeg computes; Pillow's own ways are used, which may differ by a step or two.
    Raises:
      ArgumentError: try_recover_truncated or acceptable_fraction ask for parts of files that are cut off.
    """
    if try_recover_truncated or acceptable_fraction != 1:
        raise ArgumentError("decode_jpeg: files that are cut off are not recovered; leave these arguments out").locate()
    return DecodeJpeg(channels, ratio)(contents, name=name)


@public("image.decode_bmp", "io.decode_bmp")
def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """A BMP file as pixels; otherwise as `decode_png`."""
    return DecodeBmp(channels)(contents, name=name)


@public("image.decode_gif", "io.decode_gif")
def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """The frames of a GIF file, [N,H,W,3]; otherwise as `decode_png`."""
    return DecodeGif()(contents, name=name)


@public("image.decode_image", "io.decode_image")
def decode_image(
    contents: Any,
    channels: Any = None,
    dtype: Any = uint8,
    name: str | None = None,
    expand_animations: bool = True,
) -> Tensor:
    """A file of any of the four formats as pixels.

    Args:
      dtype: integers are as in the file; floats are in [0, 1].
      expand_animations: whether a GIF gives all its frames, [N,H,W,3]; the shape is then not known beforehand.
    """
    kind = as_dtype(dtype)
    read = kind if kind in (uint8, uint16) else uint8
    with scope(name, "decode_image", contents) as full:
        made = DecodeImage(channels or 0, read, expand_animations)(contents, name=full if read is kind else None)
        return made if read is kind else convert_image_dtype(made, kind, name=full)


@public("image.encode_png", "io.encode_png")
def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    """A PNG file, [] string, of a picture [H,W,C], uint8 with 1 to 4 channels or uint16 with 1.

    compression: 0 (none) to 9 (smallest), or -1.
    """
    return EncodePng(compression)(image, name=name)


@public("image.encode_jpeg", "io.encode_jpeg")
def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Tensor:
    """A JPEG file, [] string, of a picture [H,W,C], uint8, C 1 or 3.

    Args:
      format: "", "grayscale" or "rgb"; follows from C. quality: 0 to 100.
      progressive, optimize_size, chroma_downsampling: how the file is made. x_density, y_density: per density_unit.
    Raises:
      ArgumentError: format is another word, or density_unit or xmp_metadata ask for what Pillow does not write.
    """
    if format not in ("", "grayscale", "rgb"):
        raise ArgumentError(f"encode_jpeg: format must be '', 'grayscale' or 'rgb', not {format!r}").locate()
    if density_unit != "in" or xmp_metadata:
        raise ArgumentError("encode_jpeg: density_unit must be 'in' and xmp_metadata empty here").locate()
    made = EncodeJpeg(quality, progressive, optimize_size, chroma_downsampling, (x_density, y_density))
    return made(image, name=name)


@public("image.is_jpeg", "io.is_jpeg")
def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether a file, [] string, begins as a JPEG does."""
    from pullback.core.op import REGISTRY
    from pullback.ops.math.arithmetic import Equal

    return Equal()(REGISTRY["Substr"]()(contents, 0, 3), b"\xff\xd8\xff", name=name)
