"""A district's day: twenty-four local hours through the real hub, engine and store, on a clock that jumps.

Rules of this package: people and equipment know what their messages tell them and speak in frames, as over a link;
operators read what REST shows. Every chance comes from the seed and a name, so that a seed is a day.
"""
