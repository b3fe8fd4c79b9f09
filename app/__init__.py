"""Ostiary, the keeper of the door: users, roles and access for data registries."""
