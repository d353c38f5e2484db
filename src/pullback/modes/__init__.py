"""How programs meet the core: sessions, tapes, traced functions, custom gradients, variables."""
