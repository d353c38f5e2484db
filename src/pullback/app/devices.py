"""`tf.config`: which devices there are, how many threads compute, and how. There is one device, the CPU."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from pullback.core.config import config
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.modes.function import functions_run_eagerly, run_functions_eagerly


class PhysicalDevice(NamedTuple):
    """A device of the machine: name "/physical_device:CPU:0", device_type "CPU"."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device that operations run on: name "/device:CPU:0", device_type "CPU"."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """How a part of a physical device is made a logical one."""

    memory_limit: Any = None
    experimental_priority: Any = None
    experimental_device_ordinal: Any = None


public("config.PhysicalDevice")(PhysicalDevice)
public("config.LogicalDevice")(LogicalDevice)
public("config.LogicalDeviceConfiguration", "config.experimental.VirtualDeviceConfiguration")(
    LogicalDeviceConfiguration
)
_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")


def _of_type(device: Any, device_type: Any) -> list[Any]:
    return [device] if device_type in (None, device.device_type) else []


@public("config.list_physical_devices", "config.experimental.list_physical_devices")
def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The machine's devices of a type ("CPU", "GPU"), all by default: one CPU."""
    return _of_type(_CPU, device_type)


@public("config.list_logical_devices", "config.experimental.list_logical_devices")
def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices operations run on, of a type, all by default: one CPU."""
    return _of_type(LogicalDevice("/device:CPU:0", "CPU"), device_type)


@public("config.get_visible_devices", "config.experimental.get_visible_devices")
def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices in use: all there are."""
    return _of_type(_CPU, device_type)


@public("config.set_visible_devices", "config.experimental.set_visible_devices")
def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Uses these devices only; the CPU is always one of them.

    Raises:
      ValueError: the CPU would be hidden, or a device is none of the machine's.
    """
    given = devices if isinstance(devices, (list, tuple)) else [devices]
    for device in given:
        if device != _CPU:
            raise ArgumentError(f"set_visible_devices: {device!r} is no device of this machine, which has {_CPU}")
    if not given and device_type in (None, "CPU"):
        raise ArgumentError("set_visible_devices: the CPU is the only device, so it cannot be hidden")


@public("config.experimental.get_memory_growth")
def get_memory_growth(device: Any) -> bool:
    """Memory of GPUs only.

    Raises:
      ValueError: there is no GPU here.
    """
    raise ArgumentError(f"get_memory_growth: {device!r} is no GPU; memory growth is a matter of GPUs only")


@public("config.experimental.set_memory_growth")
def set_memory_growth(device: Any, enable: bool) -> None:
    """Memory of GPUs only.

    Raises:
      ValueError: there is no GPU here.
    """
    raise ArgumentError(
        f"set_memory_growth: {device!r} is no GPU; loop over tf.config.list_physical_devices('GPU'), "
        "which is empty here"
    )


@public("config.get_logical_device_configuration", "config.experimental.get_virtual_device_configuration")
def get_logical_device_configuration(device: Any) -> Any:
    """How a device is divided: not at all."""
    return None


@public("config.set_logical_device_configuration", "config.experimental.set_virtual_device_configuration")
def set_logical_device_configuration(device: Any, logical_devices: Any) -> None:
    """Divides a device into logical ones.

    Raises:
      ValueError: into more than one, or with a memory limit: the CPU is one device here, of all memory.
    """
    if device != _CPU:
        raise ArgumentError(
            f"set_logical_device_configuration: {device!r} is no device of this machine, which has {_CPU}"
        )
    if logical_devices is not None and (len(logical_devices) != 1 or logical_devices[0].memory_limit is not None):
        raise ArgumentError("set_logical_device_configuration: the CPU is one device here, without a memory limit")


class _Placement:
    soft = True


@public("config.get_soft_device_placement")
def get_soft_device_placement() -> bool:
    """Whether an operation may run elsewhere than its device scope says."""
    return _Placement.soft


@public("config.set_soft_device_placement")
def set_soft_device_placement(enabled: bool) -> None:
    """Lets operations run elsewhere than their device scope says. All run on the CPU in any case."""
    _Placement.soft = bool(enabled)


public("config.experimental_run_functions_eagerly")(run_functions_eagerly)
public("config.experimental_functions_run_eagerly")(functions_run_eagerly)


@public("config.threading.get_intra_op_parallelism_threads")
def get_intra_op_parallelism_threads() -> int:
    """How many threads one operation uses; 0: one a core."""
    return config.threads


@public("config.threading.set_intra_op_parallelism_threads")
def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Sets how many threads one operation uses; 0: one a core."""
    config.threads = int(num_threads)


@public("config.threading.get_inter_op_parallelism_threads")
def get_inter_op_parallelism_threads() -> int:
    """How many operations run side by side: one, so that results do not hang on it."""
    return 1


@public("config.threading.set_inter_op_parallelism_threads")
def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Accepted: operations run one after the other, each with its threads."""
    if num_threads < 0:
        raise ArgumentError(f"set_inter_op_parallelism_threads: the number must not be negative, but is {num_threads}")


@public("config.get_winograd")
def get_winograd() -> str:
    """How the CPU engine may compute convolutions: "off", "f2", "f4" or "auto"; see `set_winograd`."""
    return config.winograd


@public("config.set_winograd")
def set_winograd(choice: str) -> None:
    """Says how the CPU engine may compute convolutions at stride 1 with filters of 3x3 and 5x5, in all three passes.

    Args:
      choice: "off": every product, as in the definition. "f2": F(2x2,3x3). "f4": F(4x4,3x3) and F(2x2,5x5). "auto",
        the choice that holds otherwise: what is estimated to be fastest.
    Raises:
      ArgumentError: another choice.
    In float32 the error, relative to the largest entry, is about 6e-6, 1e-6, 5e-6 and 6e-6 at most; see docs/engine.md.
    Programs are planned anew when the choice changes.
    Source: Winograd 1980; Lavin & Gray 2016, "Fast algorithms for convolutional neural networks".
    """
    try:
        config.winograd = choice
    except ValueError as error:
        raise ArgumentError(f"set_winograd: {error}") from None


@public("test.is_gpu_available")
def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether operations can run on a GPU: they run on the CPU."""
    return False


@public("test.is_built_with_cuda")
def is_built_with_cuda() -> bool:
    """False."""
    return False


@public("test.is_built_with_rocm")
def is_built_with_rocm() -> bool:
    """False."""
    return False


@public("test.is_built_with_gpu_support")
def is_built_with_gpu_support() -> bool:
    """False."""
    return False


@public("test.is_built_with_xla")
def is_built_with_xla() -> bool:
    """False: `jit_compile` is a matter of JAX, which is installed or not."""
    return False


@public("test.gpu_device_name")
def gpu_device_name() -> str:
    """The first GPU's name: "", there is none."""
    return ""


@public("sysconfig.get_lib")
def get_lib() -> str:
    """The folder of this library."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@public("sysconfig.get_build_info")
def get_build_info() -> dict[str, Any]:
    """What the library was built with: no CUDA, no ROCm."""
    return {"is_cuda_build": False, "is_rocm_build": False, "is_tensorrt_build": False}
