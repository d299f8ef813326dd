"""Measurements of fitscope and its peers; `make bench` runs them."""
