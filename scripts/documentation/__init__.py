"""The site of the documentation: its settings, its style and its navigation."""
