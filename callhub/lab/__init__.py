"""The policy lab: the same presses and the same people under several ladders.

Rules of this package: what decides is the real engine; here are only the people around it, a virtual clock and the
counting. Every chance comes from the seed, the person and the press, so that each ladder meets the same people.
"""
