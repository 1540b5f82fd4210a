"""Where facts become durable: one protocol, several stores, one contract suite."""
