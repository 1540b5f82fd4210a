"""What is said on the wire: messages as models, links as sessions without input or output. Pure."""
