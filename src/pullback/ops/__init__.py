"""One room per op family. A room holds its ops, their rules, public functions and samples; faster kernels lie beside,
in a file named after the engine."""
