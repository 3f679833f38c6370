"""From a TOML blueprint to supervised, tested container images."""
