"""Clusters, as far as one process goes: their description, a server of this process, and where variables are placed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.io import messages

_VARIABLES = ("Variable", "VariableV2", "AutoReloadVariable", "MutableHashTable", "MutableHashTableV2", "VarHandleOp")


@public("train.ClusterSpec")
class ClusterSpec:
    """Jobs and the addresses of their tasks.

    cluster: {job: [address, ...]} or {job: {task: address}}, a ClusterDef, or a ClusterSpec.
    Raises:
      TypeError: it is something else.
    """

    def __init__(self, cluster: Any) -> None:
        if isinstance(cluster, ClusterSpec):
            self._tasks = {job: dict(tasks) for job, tasks in cluster._tasks.items()}
        elif hasattr(cluster, "job"):
            self._tasks = {job.name: dict(job.tasks) for job in cluster.job}
        elif isinstance(cluster, dict):
            for job, tasks in cluster.items():
                if not isinstance(tasks, (list, tuple, dict)):
                    raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary, not {tasks!r}")
            self._tasks = {
                str(job): {int(i): str(a) for i, a in (t.items() if isinstance(t, dict) else enumerate(t))}
                for job, t in cluster.items()
            }
        else:
            raise TypeError("`cluster` must be a dictionary mapping job names to lists, a ClusterDef or a ClusterSpec")

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._tasks == other._tasks

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ClusterSpec({self.as_dict()!r})"

    @property
    def jobs(self) -> list[str]:
        return list(self._tasks)

    def _job(self, job_name: str) -> dict[int, str]:
        if job_name not in self._tasks:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._tasks[job_name]

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has; ValueError when there is no such job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """Their numbers."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of one task; ValueError when there is none."""
        try:
            return self._job(job_name)[task_index]
        except KeyError:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}") from None

    def job_tasks(self, job_name: str) -> list[Any]:
        """The addresses by number, None where there is none."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def as_dict(self) -> dict[str, Any]:
        """{job: [address, ...]}, or {job: {task: address}} where numbers are missing."""
        return {
            job: [tasks[i] for i in sorted(tasks)] if sorted(tasks) == list(range(len(tasks))) else dict(tasks)
            for job, tasks in self._tasks.items()
        }

    def as_cluster_def(self) -> Any:
        """The ClusterDef message."""
        made = messages.ClusterDef()
        for job in sorted(self._tasks):
            entry = made.job.add(name=job)
            for i, address in sorted(self._tasks[job].items()):
                entry.tasks[i] = address
        return made


@public(v1=("train.Server", "distribute.Server"))
class Server:
    """The server of this process, the only one of its cluster: sessions run in the process, and `target` is "".

    Args:
      server_or_cluster_def: a cluster of one task. job_name, task_index: which task this is.
      protocol, config, start: how TensorFlow's servers talk; there is nobody to talk to.
    Raises:
      ArgumentError: the cluster has more tasks.
    """

    def __init__(
        self,
        server_or_cluster_def: Any,
        job_name: str | None = None,
        task_index: int | None = None,
        protocol: str | None = None,
        config: Any = None,
        start: bool = True,
    ) -> None:
        given = server_or_cluster_def
        if hasattr(given, "cluster"):
            job_name, task_index = job_name or given.job_name, task_index or given.task_index
            given = given.cluster
        self._cluster = ClusterSpec(given)
        tasks = sum(self._cluster.num_tasks(job) for job in self._cluster.jobs)
        if tasks != 1:
            raise ArgumentError(
                f"Server: the cluster has {tasks} tasks, but sessions run in one process here; describe a cluster of "
                "one task, or train without Server"
            ).locate()
        self._job = job_name or self._cluster.jobs[0]
        self._index = self._cluster.task_indices(self._job)[0] if task_index is None else task_index
        self._cluster.task_address(self._job, self._index)

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """The server of a cluster of one task."""
        return Server({"localhost": ["localhost:0"]}, "localhost", 0, config=config, start=start)

    @property
    def target(self) -> str:
        """What a Session is given to run here."""
        return ""

    @property
    def server_def(self) -> Any:
        """The ServerDef message."""
        cluster = self._cluster.as_cluster_def()
        return messages.ServerDef(cluster=cluster, job_name=self._job, task_index=self._index, protocol="grpc")

    def start(self) -> None:
        """Nothing: sessions run in this process."""

    def join(self) -> None:
        """Returns at once: nobody else will ask for anything."""


@public(v1="train.replica_device_setter")
def replica_device_setter(
    ps_tasks: int = 0,
    ps_device: str = "/job:ps",
    worker_device: str = "/job:worker",
    merge_devices: bool = True,
    cluster: Any = None,
    ps_ops: Any = None,
    ps_strategy: Callable[[Any], int] | None = None,
) -> Any:
    """A function for `tf.device` that marks variables with parameter servers in turn and other operations with workers.
    Marks change no result. None when there are no parameter servers.

    Args:
      ps_tasks: how many parameter servers; or cluster, whose job of ps_device's name says it.
      ps_ops: types of the operations that hold variables. ps_strategy: gives the number of the server of an operation.
      merge_devices: has no meaning: an operation has one mark.
    """
    if cluster is not None:
        job = ps_device.partition("/job:")[2].partition("/")[0]
        spec = ClusterSpec(cluster)
        ps_tasks = spec.num_tasks(job) if job in spec.jobs else 0
    if ps_tasks == 0:
        return None
    holds = tuple(_VARIABLES if ps_ops is None else ps_ops)
    count = [0]

    def place(operation: Any) -> str:
        if operation.type not in holds:
            return worker_device or ""
        number = count[0] % ps_tasks if ps_strategy is None else ps_strategy(operation)
        count[0] += 1
        return f"{ps_device}/task:{number}"

    return place
