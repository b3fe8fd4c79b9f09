"""Relations and fields become SQL, compiled once."""
