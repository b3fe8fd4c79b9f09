"""Variables, arguments and literals, coerced as the specification says."""
