"""The oracle: an independent, naive model of the product that answers are compared with."""
