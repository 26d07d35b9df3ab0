"""Helpers of ../generate.py: the parts that turn an installed PyTorch into fact tables."""
