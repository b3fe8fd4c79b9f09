"""Moving in from other registries.

`dronedb` and `provena` translate their source into the objects of a declared state: `translation` collects these
objects, and what has no place here. `fitting` leaves out what the registry refuses. The rest is applied like any
document (`app.services.state`).
"""
