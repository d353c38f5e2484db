"""Queues as they run: elements, who waits for what, and how waiting ends.

One lock a queue. Enqueues take turns, and so do dequeues, each in the order in which they came; the one whose turn it
is waits for room or for elements. `close` waits for its turn among the enqueues, unless it cancels them.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from pullback.core.errors import CancelledError, OutOfRangeError
from pullback.data.draws import Draws

Element = tuple[Any, ...]


class QueueState:
    """First in, first out. Several threads may use it.

    name: as messages show it. capacity: how many elements it holds, or -1 for any number.
    """

    kind = "FIFOQueue"

    def __init__(self, name: str, capacity: int) -> None:
        self.name, self.capacity = name, capacity
        self.closed = self.cancelled = False
        self._stopped = ""  # why everybody must stop waiting
        self._changed = threading.Condition()
        self._enqueueing, self._dequeueing = threading.Lock(), threading.Lock()
        self._elements: Any = deque()

    # --- what the kinds of queues differ in --------------------------------------------------------------------------

    def put(self, element: Element) -> None:
        self._elements.append(element)

    def put_back(self, elements: list[Element]) -> None:
        """Returns what a dequeue took and may not keep."""
        self._elements.extendleft(reversed(elements))

    def take(self) -> Element:
        return self._elements.popleft()

    def available(self) -> int:
        """How many elements may be taken now."""
        return len(self._elements)

    # --- what they share ---------------------------------------------------------------------------------------------

    def size(self) -> int:
        with self._changed:
            return len(self._elements)

    def _wait(self, ready: Callable[[], bool]) -> None:
        """Waits until something is ready; whoever holds the lock calls it.

        Raises:
          CancelledError: the session was closed meanwhile.
        """
        self._changed.wait_for(lambda: bool(self._stopped) or ready())
        if self._stopped:
            raise CancelledError(self._stopped)

    def enqueue(self, elements: list[Element]) -> None:
        """Adds elements, waiting for room for each.

        Raises:
          CancelledError: the queue is closed, or was while this waited and waiting enqueues are cancelled.
        """
        with self._enqueueing, self._changed:
            if self.closed:
                raise CancelledError(f"{self.kind} '{self.name}' is closed.")
            for element in elements:
                self._wait(lambda: self.cancelled or self.capacity < 0 or len(self._elements) < self.capacity)
                if self.cancelled:
                    raise CancelledError("Enqueue operation was cancelled")
                self.put(element)
                self._changed.notify_all()

    def dequeue(self, count: int, fewer: bool = False) -> list[Element]:
        """Takes elements, waiting for each.

        Args:
          fewer: whether, once the queue is closed, what is left will do.
        Raises:
          OutOfRangeError: the queue is closed and has fewer (with `fewer`: none).
        """
        taken: list[Element] = []
        with self._dequeueing, self._changed:
            try:
                while len(taken) < count:
                    self._wait(lambda: self.closed or self.available() > 0)
                    if not self.available():
                        break
                    taken.append(self.take())
                    self._changed.notify_all()
            except CancelledError:
                self.put_back(taken)
                raise
            if len(taken) == count or (fewer and taken):
                return taken
            self.put_back(taken)
            raise OutOfRangeError(
                f"{self.kind} '{self.name}' is closed and has insufficient elements (requested {count}, current size "
                f"{len(self._elements)})"
            )

    def close(self, cancel_pending: bool) -> None:
        """Takes no more elements: after those that wait to be added, or, cancelling them, at once."""
        if cancel_pending:
            with self._changed:
                self.closed = self.cancelled = True
                self._changed.notify_all()
            return
        with self._enqueueing, self._changed:
            self.closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Lets everybody who waits stop, as the session is closed."""
        with self._changed:
            self._stopped = "Step was cancelled by an explicit call to `Session::Close()`."
            self._changed.notify_all()


class RandomShuffleState(QueueState):
    """Gives its elements in random order, and keeps `least` back to choose from until it is closed."""

    kind = "RandomShuffleQueue"

    def __init__(self, name: str, capacity: int, least: int, seeds: tuple[int, int]) -> None:
        super().__init__(name, capacity)
        self._least, self._draws, self._elements = least, Draws(*seeds), []

    def put_back(self, elements: list[Element]) -> None:
        self._elements.extend(elements)

    def take(self) -> Element:
        at = self._draws.word() % len(self._elements)
        self._elements[at], last = self._elements[-1], self._elements[at]
        self._elements.pop()
        return last

    def available(self) -> int:
        return len(self._elements) - (0 if self.closed else self._least)


class PaddingState(QueueState):
    """First in, first out; batches of it are padded."""

    kind = "PaddingFIFOQueue"


class PriorityState(QueueState):
    """Gives the element with the smallest first component; of equal ones the first that came."""

    kind = "PriorityQueue"

    def __init__(self, name: str, capacity: int) -> None:
        super().__init__(name, capacity)
        self._count = itertools.count()
        self._elements = []

    def put(self, element: Element) -> None:
        heapq.heappush(self._elements, (int(element[0]), next(self._count), element))

    def put_back(self, elements: list[Element]) -> None:
        for element in elements:
            self.put(element)

    def take(self) -> Element:
        return heapq.heappop(self._elements)[2]
