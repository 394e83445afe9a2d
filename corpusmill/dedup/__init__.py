"""Exact and near-duplicate removal: sketch, group, verify."""
