"""Mutations: inputs, payloads and the calls of services."""
