"""Carry out a measurement: targets, options, confirmation, execution."""
