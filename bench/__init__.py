"""Measurements of speed, as ratios in one run: `python -m bench --help`.

    catalogue   what is measured, and the goals        data        the numbers that every library is given
    libraries/  each work in each library's words      worker      the process that serves them
    process     the other end of a worker's line       environments  where peers are installed
    rounds      turns: A B C D A B C D ...             machine     what else the machine was doing
    tables      what is printed

`worker`, `data` and `libraries` run in the peers' environments: of outside packages they import NumPy and one library.
"""
