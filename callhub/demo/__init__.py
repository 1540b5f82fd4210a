"""A simulated Hexi district against the real server: its places, its people and how they behave."""
