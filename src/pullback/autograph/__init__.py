"""AutoGraph: Python's control flow, on tensors.

    def f(x):                          def f(x):
        if x > 0:            -->           def then(): nonlocal y; y = x
            y = x                          def otherwise(): nonlocal y; y = -x
        else:                              ag__.branch(x > 0, then, otherwise, ('y',))
            y = -x                         return y
        return y

source.py      the syntax tree of a function
jumps.py       return, break and continue become variables that are tested
names.py       which names a block reads and writes, and which are read after it
convert.py     statements and expressions become functions that are given to operators
cache.py       the converted function, compiled once for each code object, on the user's own lines
calls.py       which functions are converted when converted code calls them
operators.py   what converted code calls: plain Python on Python's values, If and While on symbolic tensors
branches.py, loops.py, places.py    how these are recorded, and the variables that they change

The variables of a converted function are its own, in closure cells. While a branch or a loop is recorded, its body
is run as it stands; the operator sets the cells before and reads them after it.
"""
