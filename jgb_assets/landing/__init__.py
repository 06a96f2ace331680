"""How publishers' bytes get here and are kept: transport, write-once snapshots, change log, and the order of the three.

Knows a source only through ``sources.base``.
"""
