"""Random numbers: ops that are pure functions of a key and a counter, streams that hand counters out, and seeds."""
