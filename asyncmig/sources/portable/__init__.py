"""Reading models in the project's own Python: 3.8 and later, the standard library and nothing else.

``asyncmig models export --script`` joins these files into one that can be copied anywhere, so they
import nothing of asyncmig but each other, and no library of models: what a class is, is told by the
modules that its own base classes come from.
"""
