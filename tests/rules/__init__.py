"""Rules about the code and its language, and the tools that check them."""
