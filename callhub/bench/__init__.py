"""Measurements that anybody can repeat; each module is a command of its own and fails when a promise is broken."""
