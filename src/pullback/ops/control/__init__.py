"""Ops that hold bodies (Graphs): Call, If, While, Map; ops that touch the world outside: Print, Assert, py_function.

A body's gradient is a body. What the backward body reads of the forward one becomes a residual: a trailing output that
users do not see.
"""
