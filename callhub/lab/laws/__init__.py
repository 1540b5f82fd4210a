"""The laws, judged from outside: from journal rows, messages and receipts, by code that knows nothing of decisions.

Rules of this package: it imports neither ``dispatch`` nor ``hub`` nor ``store``. Each checker keeps its own naive
state, counts what it looked at, and says in words what broke its law.
"""
